// Takes the pictures of each view, light and dark, that the README shows. Environment as of run.mjs; the pod of
// PICKET_PAGE_BURNS is the one that is looked at.
import { mkdirSync, writeFileSync } from "node:fs";
import { base, launch, open } from "./browser.mjs";
import { known, settled } from "./views.mjs";

const viewport = { width: 1200, height: 760 };
const burns = process.env.PICKET_PAGE_BURNS;
const folder = process.env.PICKET_PAGE_SHOTS;
mkdirSync(folder, { recursive: true });

const browser = await launch();
const { page } = await open(browser, { viewport, reducedMotion: "reduce" });
const devtools = await page.context().newCDPSession(page);
await page.goto(base);
const { anomalies } = await known(page);
const scan = anomalies.find((it) => it.last.detector === "port_scan" && `${it.last.source.namespace}/${it.last.source.pod}` === burns);
const views = {
  graph: "graph?open=ci&open=data&open=shop",
  anomalies: `anomalies/${encodeURIComponent(scan.id)}`,
  detectors: "detectors",
  nodes: "nodes",
  act: `act?pod=${encodeURIComponent(burns)}`,
};
for (const [name, view] of Object.entries(views)) {
  await page.goto(`${base}/${view}`);
  await page.locator(".link.live").waitFor();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await settled(page);
    const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 85 });
    writeFileSync(`${folder}/${name}-${colorScheme}.webp`, Buffer.from(data, "base64"));
  }
}
await browser.close();
