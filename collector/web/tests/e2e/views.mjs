// Every view: accessible, within its width, harmless, without an error; light and dark, on a screen and on a phone.
import assert from "node:assert/strict";
import { accessible, base, fits, harmless, open, shoot } from "./browser.mjs";

const VIEWS = ["graph", "graph?open=*", "graph?view=table", "anomalies", "detectors", "nodes", "act"];
const ROOM = { screen: { width: 1366, height: 850 }, phone: { width: 320, height: 640 } };

/** What of the cluster there is to look at. */
export async function known(page) {
  const ask = (path) => page.evaluate((it) => fetch(`/api/v1/${it}`).then((answer) => answer.json()), path);
  const { anomalies } = await ask("anomalies?limit=20");
  const pods = anomalies.map((it) => it.last?.source).filter((it) => it?.pod);
  return { id: anomalies[0]?.id, pod: pods[0] && `${pods[0].namespace}/${pods[0].pod}`, anomalies };
}

async function settled(page) {
  await page.waitForFunction(() => document.querySelector("main") && !document.querySelector(".waiting, .waiting-row"));
  await page.waitForTimeout(150);
}

async function every(browser, colorScheme, room) {
  const { page, wrong, close } = await open(browser, { colorScheme, viewport: ROOM[room], reducedMotion: "reduce" });
  await page.goto(base);
  const { id, pod } = await known(page);
  const views = [...VIEWS];
  if (id) views.push(`anomalies/${encodeURIComponent(id)}`);
  if (pod) views.push(`act?pod=${encodeURIComponent(pod)}`);
  for (const view of views) {
    await page.goto(`${base}/${view}`);
    await settled(page);
    const name = view.replace(/^(anomalies|act)[/?].*/, "$1-one").replaceAll(/[^a-z-]+/g, "-").replace(/-$/, "");
    await shoot(page, `${name}-${colorScheme}-${room}`);
    await fits(page, view);
    await harmless(page);
    await accessible(page, `${view} (${colorScheme}, ${room})`);
  }
  await close();
  assert.deepEqual(wrong, []);
  return `${views.length} views`;
}

export const tests = {
  "light, on a screen": (browser) => every(browser, "light", "screen"),
  "dark, on a screen": (browser) => every(browser, "dark", "screen"),
  "light, on a phone": (browser) => every(browser, "light", "phone"),
  "dark, on a phone": (browser) => every(browser, "dark", "phone"),

  "no path and no id leads nowhere": async (browser) => {
    const { page, wrong, close } = await open(browser, {}, [/404/]);
    await page.goto(`${base}/nowhere/at/all`);
    await page.getByText("There is no such view").waitFor();
    await page.goto(`${base}/anomalies/no%2Fsuch%2F1`);
    await page.getByText("It cannot be shown").waitFor();
    await page.goto(`${base}/anomalies/%zz`);
    await page.getByText("It cannot be shown").waitFor();
    await close();
    assert.deepEqual(wrong, []);
  },
};
