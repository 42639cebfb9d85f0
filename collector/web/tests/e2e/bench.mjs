// Measures what a reader waits for, with much to show, beside a page with nothing to show: the first paint, and a filter
// of the list. Environment as of run.mjs, and:
//   PICKET_PAGE_FLOOR     where the page is that has nothing to show
//   PICKET_PAGE_ROUNDS    how often each is opened, 5 by default
// Says what it measured, in milliseconds, as one line of JSON.
import { base, launch, open } from "./browser.mjs";
import { filterTime } from "./anomalies.mjs";
import { painted, watch } from "./seen.mjs";

const floor = process.env.PICKET_PAGE_FLOOR;
const rounds = Number(process.env.PICKET_PAGE_ROUNDS ?? 5);
/** What is opened, and what must be painted then. */
const VIEWS = {
  graph: ["/graph", [".box", ".fire"]],
  open_graph: ["/graph?open=*", [".box.is-open", ".fire"]],
  list: ["/anomalies", [".row a"]],
  empty_graph: ["/graph?open=*", [".empty"]],
  empty_list: ["/anomalies", [".empty"]],
};

const browser = await launch();
const measured = {};
const note = (name, value) => (measured[name] ??= []).push(Math.round(value * 10) / 10);

async function firstPaint(name, at) {
  const [path, wanted] = VIEWS[name];
  const { page, close } = await open(browser);
  await watch(page, wanted);
  await page.goto(at + path, { waitUntil: "commit" });
  note(name, await painted(page, wanted));
  if (name === "open_graph") note("frame", await page.evaluate(drawn));
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

async function filters(name, at) {
  const { page, close } = await open(browser);
  await page.goto(`${at}/anomalies`);
  await page.locator(".row a, .empty").first().waitFor();
  const span = (value) => () => page.getByLabel("Time").selectOption(value);
  const text = (value) => () => page.locator("#filter-text").fill(value);
  for (const act of [span("24h"), span(""), span("7d"), text("10.12"), text("scanned 10.12.7"), text("")]) {
    const { all, asked } = await filterTime(page, act);
    note(name, all);
    note(`${name}_collector`, asked);
  }
  await close();
}

for (let round = 0; round < rounds; round += 1) {
  for (const name of ["graph", "open_graph", "list"]) await firstPaint(name, base);
  if (floor) for (const name of ["empty_graph", "empty_list"]) await firstPaint(name, floor);
  await filters("filter", base);
  if (floor) await filters("empty_filter", floor);
}
await browser.close();
console.log(JSON.stringify(measured));
