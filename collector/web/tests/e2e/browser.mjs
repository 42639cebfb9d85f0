// A browser that notices what a person would not: errors on the console, refused content, dialogs, what axe finds.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const base = process.env.PICKET_PAGE ?? "http://127.0.0.1:7405";
const shots = process.env.PICKET_PAGE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

/** Asks whoever runs these scripts for what they cannot do themselves. */
export function wish(what) {
  console.log(`please: ${what}`);
}
wish.isGranted = process.env.PICKET_PAGE_WISHES === "1";

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** A page, and what went wrong in it that `expected` does not match. */
export async function open(browser, options = {}, expected = []) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 850 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]).catch(() => {});
  const page = await context.newPage();
  const wrong = [];
  const note = (text) => expected.some((it) => it.test(text)) || wrong.push(text);
  page.on("console", (it) => ["error", "warning"].includes(it.type()) && note(`console: ${it.text()} (${page.url()})`));
  page.on("pageerror", (it) => note(`error: ${it.stack ?? it.message}`));
  page.on("dialog", (it) => {
    note(`dialog: ${it.message()}`);
    void it.dismiss();
  });
  page.setDefaultTimeout(10_000);
  return { page, wrong, expected, close: () => context.close() };
}

/** WCAG 2.2 AA, and what axe knows beyond. */
export const EVERYTHING = {};
/** All that differs between light and dark. */
export const COLOURS = { runOnly: ["color-contrast"] };

/** Fails with whatever axe finds. */
export async function accessible(page, where, rules = EVERYTHING) {
  // Not as a script element: the page's policy refuses those, as it should.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const options = { ...rules, resultTypes: ["violations"] };
  const found = await page.evaluate(async (it) => (await globalThis.axe.run(document, it)).violations, options);
  const said = found.map((it) => `${it.id}: ${it.help}\n    ${it.nodes.slice(0, 4).map((node) => `${node.target} ${node.failureSummary}`).join("\n    ")}`);
  assert.equal(said.length, 0, `axe on ${where}:\n  ${said.join("\n  ")}`);
}

/** What is shown stays within the width of the page. */
export async function fits(page, where) {
  const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(inner <= outer, `${where} is ${inner} px wide in ${outer}`);
}

/** Nothing that came as a name has become an element or a script. */
export async function harmless(page) {
  const found = await page.evaluate(() => ({
    hacked: "hacked" in globalThis,
    elements: document.querySelectorAll("#page script, #page img, #page iframe, #page b, [onerror], [onload]").length,
    hidden: /[\u0000-\u0008\u000e-\u001f\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText),
  }));
  assert.deepEqual(found, { hacked: false, elements: 0, hidden: false });
}

export async function shoot(page, name) {
  if (!shots) return;
  await page.screenshot({ path: `${shots}/${name}.png` });
}
