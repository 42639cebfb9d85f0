// What is new comes by itself, over ways that are cut, that die without a word, and past a restart of the collector.
import assert from "node:assert/strict";
import { base, open, shoot, wish } from "./browser.mjs";
import { way } from "./way.mjs";

const LOST = "The connection to the collector is lost";
const UNREACHABLE = [/ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_FAILED|Failed to fetch/];
/** From the packet to the page. */
const SOON_MS = 3000;

async function through(browser, path) {
  const forwarded = await way(base);
  const it = await open(browser, {}, UNREACHABLE);
  const close = async () => {
    await it.close();
    forwarded.close();
  };
  await it.page.clock.install();
  await it.page.goto(forwarded.base + path);
  await it.page.locator(".link.live").waitFor();
  return { ...it, forwarded, close };
}

/** Somebody else notes something; by another way. */
async function note(page, text) {
  const { anomalies } = await page.evaluate(() => fetch("/api/v1/anomalies?limit=1").then((answer) => answer.json()));
  const headers = { "Content-Type": "application/json", "X-Picket": "1" };
  const body = JSON.stringify({ kind: "assigned", assignee: text });
  const path = `${base}/api/v1/anomalies/${encodeURIComponent(anomalies[0].id)}/triage`;
  const answer = await fetch(path, { method: "POST", headers, body });
  assert.equal(answer.status, 200, await answer.text());
}

export const tests = {
  "a connection that is cut is opened again, and nothing is missed": async (browser) => {
    const { page, wrong, forwarded, close } = await through(browser, "/anomalies");
    await page.locator(".row a").first().waitFor();
    forwarded.cut();
    await page.locator(".link.lost").waitFor();
    await note(page, "cut");
    await page.clock.runFor(5000);
    await page.locator(".link.live").waitFor();
    await page.clock.runFor(2000);
    await page.locator(".row .assignee", { hasText: "@cut" }).first().waitFor();
    await close();
    assert.deepEqual(wrong, []);
  },

  "a stream that dies without a word is noticed, and opened again": async (browser) => {
    const { page, wrong, forwarded, close } = await through(browser, "/anomalies");
    await page.locator(".row a").first().waitFor();
    forwarded.freeze();
    await note(page, "frozen");
    // Others still come by, so the way looks well.
    for (let beat = 0; beat < 4; beat += 1) await page.clock.runFor(10_000);
    await page.locator(".row .assignee", { hasText: "@frozen" }).first().waitFor();
    await page.locator(".link.live").waitFor();
    await close();
    assert.deepEqual(wrong, []);
  },

  "a collector that restarts is told of, and the page goes on": async (browser) => {
    if (!wish.isGranted) return "skipped: nobody restarts the collector";
    const { page, wrong, close } = await open(browser, {}, UNREACHABLE);
    await page.goto(`${base}/anomalies`);
    await page.locator(".row a").first().waitFor();
    await page.locator(".link.live").waitFor();
    const shown = await page.locator(".row a").first().innerText();
    wish("stop the collector");
    await page.getByText(LOST).waitFor({ timeout: 15_000 });
    assert.equal(await page.locator(".page.stale").count(), 1);
    assert.equal((await page.locator(".row a").first().innerText()).split("\n")[1], shown.split("\n")[1], "what was shown stays");
    await shoot(page, "lost");
    await page.getByLabel("Time").selectOption("7d");
    await page.locator(".problem").first().waitFor();
    wish("start the collector");
    await page.locator(".link.live").waitFor({ timeout: 30_000 });
    await page.getByText(LOST).waitFor({ state: "detached" });
    assert.equal(await page.locator(".page.stale").count(), 0);
    await page.waitForFunction(() => document.querySelectorAll(".problem").length === 0);
    await page.locator(".row a").first().waitFor();
    await close();
    assert.deepEqual(wrong, []);
  },

  "a scan is seen while it runs, on list and graph": async (browser) => {
    if (!wish.isGranted) return "skipped: nobody scans";
    const list = await open(browser);
    const graph = await open(browser);
    await list.page.goto(`${base}/anomalies?namespace=shop`);
    await graph.page.goto(`${base}/graph`);
    const box = graph.page.locator(".box.burning", { hasText: "shop" });
    await graph.page.locator(".box", { hasText: "shop" }).first().waitFor();
    await graph.page.locator(".link.live").waitFor();
    await list.page.locator(".link.live").waitFor();
    assert.equal(await box.count(), 0);
    wish("let somebody scan");
    const row = list.page.locator(".row.open", { hasText: "shop/cart" }).first();
    const seen = await Promise.all([row, box.first()].map((it) => it.waitFor({ timeout: 30_000 }).then(() => Date.now())));
    const { anomalies } = await list.page.evaluate(() => fetch("/api/v1/anomalies?namespace=shop").then((answer) => answer.json()));
    const took = seen.map((it) => it - Date.parse(anomalies.at(-1).opened_at));
    assert.ok(Math.max(...took) < SOON_MS, `${took} ms`);
    await list.close();
    await graph.close();
    assert.deepEqual([...list.wrong, ...graph.wrong], []);
    return `list ${took[0]} ms, graph ${took[1]} ms after the packet`;
  },
};
