// Measures what a reader waits for, with much to show: the first paint of the open graph, and a filter of the list.
// Environment as of run.mjs; PICKET_PAGE_ROUNDS, 5 by default. Fails when a median is beyond what the page promises.
import { base, launch, open } from "./browser.mjs";
import { filterTime } from "./anomalies.mjs";
import { painted, watch } from "./seen.mjs";

const PAINT_MS = 1000;
const FILTER_MS = 200;
const rounds = Number(process.env.PICKET_PAGE_ROUNDS ?? 5);

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const browser = await launch();
const paints = [];
const frames = [];
for (let round = 0; round < rounds; round += 1) {
  const { page, close } = await open(browser);
  const wanted = [".box.is-open"];
  await watch(page, wanted);
  await page.goto(`${base}/graph?open=*`, { waitUntil: "commit" });
  paints.push(await painted(page, wanted));
  frames.push(await page.evaluate(drawn));
  await close();
}

/** How long the frame takes after a key that moves everything. */
async function drawn() {
  const canvas = document.querySelector(".canvas");
  const start = performance.now();
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - start;
}

const { page, close } = await open(browser);
await page.goto(`${base}/anomalies`);
await page.locator(".row a").first().waitFor();
const matching = await page.locator(".matching").innerText();
const filters = [];
const choices = ["24h", "", "1h", "", "7d", ""];
for (const value of choices) filters.push(await filterTime(page, () => page.getByLabel("Time").selectOption(value)));
await close();
await browser.close();

const [paint, frame] = [median(paints), median(frames)];
const [filter, asked] = [median(filters.map((it) => it.all)), median(filters.map((it) => it.asked))];
console.log(`first paint of the open graph: median ${Math.round(paint)} ms of ${rounds} (at most ${PAINT_MS})`);
console.log(`a frame when it moves: median ${Math.round(frame)} ms`);
console.log(`a filter of the list (${matching.trim()}): median ${Math.round(filter)} ms, of which the collector ${Math.round(asked)} ms (at most ${FILTER_MS})`);
process.exit(paint <= PAINT_MS && filter <= FILTER_MS ? 0 : 1);
