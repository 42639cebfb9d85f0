// Every view: accessible, within its width, harmless, without an error; light and dark, on a screen and on a phone.
import assert from "node:assert/strict";
import { accessible, base, COLOURS, EVERYTHING, fits, harmless, open, shoot } from "./browser.mjs";

const VIEWS = ["graph", "graph?open=*", "graph?view=table", "anomalies", "detectors", "nodes", "act"];
export const ROOMS = { screen: { width: 1366, height: 850 }, phone: { width: 320, height: 640 } };

/** What of the cluster there is to look at. */
export async function known(page) {
  const ask = (path) => page.evaluate((it) => fetch(`/api/v1/${it}`).then((answer) => answer.json()), path);
  const { anomalies } = await ask("anomalies?limit=20");
  const pods = anomalies.map((it) => it.last?.source).filter((it) => it?.pod);
  return { id: anomalies[0]?.id, pod: pods[0] && `${pods[0].namespace}/${pods[0].pod}`, anomalies };
}

/** Until what is waited for is there, and drawn. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("main") && !document.querySelector(".waiting, .waiting-row"));
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
}

async function every(browser, room) {
  const { page, wrong, close } = await open(browser, { viewport: ROOMS[room], reducedMotion: "reduce" });
  await page.goto(base);
  const { id, pod } = await known(page);
  const views = [...VIEWS];
  if (id) views.push(`anomalies/${encodeURIComponent(id)}`);
  if (pod) views.push(`act?pod=${encodeURIComponent(pod)}`);
  for (const view of views) {
    await page.goto(`${base}/${view}`);
    const name = view.replace(/^(anomalies|act)[/?].*/, "$1-one").replaceAll(/[^a-z-]+/g, "-").replace(/-$/, "");
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await settled(page);
      await shoot(page, `${name}-${colorScheme}-${room}`);
      await accessible(page, `${view} (${colorScheme}, ${room})`, colorScheme === "dark" ? COLOURS : EVERYTHING);
    }
    await fits(page, view);
    await harmless(page);
  }
  await close();
  assert.deepEqual(wrong, []);
  return `${views.length} views`;
}

export const tests = {
  "light and dark, on a screen": (browser) => every(browser, "screen"),
  "light and dark, on a phone": (browser) => every(browser, "phone"),

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
