// Names that somebody hostile chose: they run nothing, hide nothing, and break no layout, wherever they are shown.
import assert from "node:assert/strict";
import { accessible, base, fits, harmless, open, shoot } from "./browser.mjs";
import { ROOMS, settled } from "./views.mjs";

/** What is in one of them each. */
const SIGNS = ["<script>", "\u001b[31m", "\u202e", "w".repeat(200)];

async function found(page) {
  const { anomalies } = await page.evaluate(() => fetch("/api/v1/anomalies?limit=200").then((answer) => answer.json()));
  const by = (sign) => anomalies.find((it) => `${it.last.source.namespace} ${it.last.source.pod}`.includes(sign));
  const asked = anomalies.find((it) => it.last.detector === "dns_tunnel");
  return { pods: SIGNS.map(by), asked };
}

/** No row is higher than the others, and nothing leaves its box. */
async function even(page, where) {
  const said = await page.evaluate(() => {
    const heights = new Set([...document.querySelectorAll(".row")].map((it) => it.getBoundingClientRect().height));
    const outside = [...document.querySelectorAll(".row a, .fire a, .box-head, .node-card")].filter((it) => it.scrollWidth > it.clientWidth + 1);
    return { heights: [...heights], outside: outside.map((it) => `${it.className} ${it.textContent.slice(0, 40)}`) };
  });
  assert.ok(said.heights.length <= 1, `rows of ${where} are ${said.heights} high`);
  assert.deepEqual(said.outside, [], where);
}

export const tests = {
  "are harmless in every view, on a screen and on a phone": async (browser) => {
    if (process.env.PICKET_PAGE_HOSTILE !== "1") return "skipped: there are none";
    const { page, wrong, close } = await open(browser, { reducedMotion: "reduce" });
    await page.goto(base);
    const { pods, asked } = await found(page);
    assert.ok(pods.every(Boolean) && asked, "every hostile pod is told of");
    const views = ["graph", "graph?open=*&view=graph", "graph?open=*&detail=pods&view=graph", "graph?open=*&view=table", "anomalies", "nodes"];
    for (const it of [...pods, asked]) views.push(`anomalies/${encodeURIComponent(it.id)}`);
    for (const { last } of pods) {
      const filter = new URLSearchParams({ namespace: last.source.namespace, pod: last.source.pod });
      views.push(`anomalies?${filter}`, `act?${new URLSearchParams({ pod: `${last.source.namespace}/${last.source.pod}` })}`);
    }
    for (const [index, view] of views.entries()) {
      await page.goto(`${base}/${view}`);
      await settled(page);
      for (const [room, viewport] of Object.entries(ROOMS)) {
        await page.setViewportSize(viewport);
        await settled(page);
        await shoot(page, `hostile-${room}-${index}`);
        await fits(page, `${view} (${room})`);
        await harmless(page);
        await even(page, `${view} (${room})`);
      }
      // Others are made of the same parts.
      if (!/^a.*\?/.test(view)) await accessible(page, view);
    }
    await close();
    assert.deepEqual(wrong, []);
    return `${views.length} views`;
  },

  "an exception for one says its labels as they are": async (browser) => {
    if (process.env.PICKET_PAGE_HOSTILE !== "1") return "skipped: there are none";
    const { page, wrong, close } = await open(browser);
    await page.goto(base);
    const { pods } = await found(page);
    for (const { id } of pods) {
      await page.goto(`${base}/anomalies/${encodeURIComponent(id)}`);
      await page.getByRole("button", { name: "Make an exception …" }).click();
      await page.getByRole("dialog").waitFor();
      await harmless(page);
      await fits(page, "an exception");
      if (id === pods[0].id) await accessible(page, "an exception for a hostile name");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await close();
    assert.deepEqual(wrong, []);
  },
};
