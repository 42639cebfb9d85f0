// The anomalies: filtered, opened, judged, and made exceptions.
import assert from "node:assert/strict";
import { accessible, base, open, shoot } from "./browser.mjs";
import { known } from "./views.mjs";

const AT_ONCE_MS = 200;

async function opened(browser, path = "/anomalies", expected = []) {
  const it = await open(browser, {}, expected);
  await it.page.goto(base + path);
  await it.page.locator(".row a").first().waitFor();
  return it;
}

async function one(browser) {
  const it = await opened(browser);
  const { id } = await known(it.page);
  await it.page.goto(`${base}/anomalies/${encodeURIComponent(id)}`);
  await it.page.getByRole("heading", { name: "What to do" }).waitFor();
  return { ...it, id };
}

async function closeWell({ close, wrong }) {
  await close();
  assert.deepEqual(wrong, []);
}

/** How long the page takes to show the answer to another question, from the key to the paint. */
export async function filterTime(page, act) {
  await page.evaluate(() => {
    globalThis.answered = new Promise((resolve) => {
      let before = 0;
      const began = (event) => (before = event.timeStamp);
      document.addEventListener("input", began, { capture: true, once: true });
      const list = document.querySelector(".left");
      let isAsked = false;
      new MutationObserver((_, observer) => {
        if (list.getAttribute("aria-busy") === "true") isAsked = true;
        else if (isAsked) {
          observer.disconnect();
          requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - before)));
        }
      }).observe(list, { attributes: true, attributeFilter: ["aria-busy"] });
    });
  });
  await act();
  const all = await page.evaluate(() => globalThis.answered);
  const asked = await page.evaluate(() => {
    const asked = performance.getEntriesByType("resource").filter((it) => it.name.includes("/api/v1/anomalies?") && !it.name.endsWith("limit=1"));
    return asked.at(-1)?.duration ?? 0;
  });
  return { all, asked };
}

export const tests = {
  "every choice of the filter narrows, is kept in the address, and is taken back": async (browser) => {
    const it = await opened(browser);
    const all = await it.page.locator(".matching").innerText();
    const fields = await it.page.locator(".choose").count();
    assert.ok(fields >= 5, `${fields} choices`);
    for (let index = 0; index < fields; index += 1) {
      const choose = it.page.locator(".choose").nth(index);
      await choose.locator("summary").click();
      if (index === 0) await accessible(it.page, "an open choice");
      await choose.locator("input").first().check();
      await it.page.waitForURL(/\?/);
      const address = it.page.url();
      await it.page.reload();
      await it.page.locator(".choose.some").waitFor();
      assert.equal(it.page.url(), address);
      await it.page.getByRole("button", { name: "Clear the filter" }).click();
      await it.page.waitForFunction((text) => document.querySelector(".matching")?.textContent === text, all);
    }
    for (const name of ["shadow", "one for each group"]) {
      await it.page.getByLabel(name, { exact: true }).check();
      await it.page.getByLabel(name, { exact: true }).uncheck();
    }
    await it.page.getByLabel("Time").selectOption("24h");
    await it.page.waitForURL(/since=24h/);
    await closeWell(it);
    return `${fields} fields`;
  },

  "a text that nothing has says so, and shows all again": async (browser) => {
    const it = await opened(browser);
    await it.page.keyboard.press("/");
    await it.page.keyboard.type("no such text anywhere");
    await it.page.getByText("No anomaly matches the filter").waitFor();
    await accessible(it.page, "an empty list");
    await it.page.getByRole("button", { name: "Show all" }).click();
    await it.page.locator(".row a").first().waitFor();
    assert.equal(await it.page.locator("#filter-text").inputValue(), "");
    await closeWell(it);
  },

  "a filter answers at once": async (browser) => {
    const it = await opened(browser);
    const time = await filterTime(it.page, () => it.page.getByLabel("Time").selectOption("7d"));
    assert.ok(time.all < AT_ONCE_MS + 300, `${JSON.stringify(time)}`);
    await closeWell(it);
    return `${Math.round(time.all)} ms, of which the collector ${Math.round(time.asked)} ms`;
  },

  "keys go down, open, and come back": async (browser) => {
    const it = await opened(browser);
    await it.page.keyboard.press("j");
    await it.page.locator("[data-row='0']:focus").waitFor();
    await it.page.keyboard.press("Enter");
    await it.page.getByRole("heading", { name: "What to do" }).waitFor();
    assert.match(it.page.url(), /anomalies\/./);
    await it.page.keyboard.press("Escape");
    await it.page.locator(".detail").waitFor({ state: "detached" });
    await closeWell(it);
  },

  "the evidence is all there": async (browser) => {
    const it = await one(browser);
    for (const name of ["Counted", "Targets", "Timeline", "Source", "What was not seen", "Related"]) {
      await it.page.getByRole("heading", { name, exact: true }).waitFor();
    }
    const strip = it.page.locator("canvas");
    if ((await strip.count()) > 0) {
      const range = it.page.locator(".strip-tools output");
      await strip.focus();
      assert.equal(await range.innerText(), "0–65535");
      await it.page.keyboard.press("+");
      await it.page.keyboard.press("Home");
      assert.equal(await range.innerText(), "0–32767");
      await it.page.keyboard.press("ArrowRight");
      assert.equal(await range.innerText(), "4096–36863");
      await it.page.keyboard.press("0");
      assert.equal(await range.innerText(), "0–65535");
      await strip.scrollIntoViewIfNeeded();
      await shoot(it.page, "evidence");
    }
    await it.page.getByText("The raw event").click();
    await it.page.locator(".detail .snippet").getByRole("button", { name: "Copy" }).click();
    await it.page.getByText("Copied").waitFor();
    const copied = JSON.parse(await it.page.evaluate(() => navigator.clipboard.readText()));
    assert.equal(copied.anomaly_id, it.id);
    await closeWell(it);
  },

  "it is acknowledged, noted, assigned, resolved and reopened": async (browser) => {
    const it = await one(browser);
    const button = (name) => it.page.locator(".todo").getByRole("button", { name, exact: true });
    for (const name of ["Reopen", "Acknowledge"]) if ((await button(name).count()) > 0) await button(name).click();
    await button("Reopen").waitFor();
    await it.page.getByLabel("Note").fill("looks like the <b>scanner</b> of ours");
    await button("Add the note").click();
    await it.page.locator(".timeline .person", { hasText: "<b>scanner</b>" }).last().waitFor();
    await it.page.getByLabel("Whose").fill("kim");
    await button("Assign").click();
    await it.page.locator(".todo", { hasText: "It is kim" }).waitFor();
    await button("Resolve").click();
    await it.page.locator(".detail-head .mark", { hasText: "resolved" }).waitFor();
    await button("Reopen").click();
    await button("Acknowledge").waitFor();
    await it.page.locator(".timeline .person").nth(4).waitFor();
    await harmlessNote(it.page);
    await closeWell(it);
  },

  "an exception is made from it: edited, tried, and put in force": async (browser) => {
    const it = await one(browser);
    await it.page.getByRole("button", { name: "Make an exception …" }).click();
    await accessible(it.page, "the form of an exception");
    await shoot(it.page, "exception");
    const name = `e2e-${Date.now()}`;
    await it.page.getByLabel("Name", { exact: true }).fill(name);
    await it.page.getByLabel("Owner").fill("security@example.com");
    await it.page.getByLabel("Reason").fill("the scan of this test");
    await it.page.getByRole("button", { name: "1 day" }).click();
    await it.page.getByRole("button", { name: "See what it would change" }).click();
    const force = it.page.getByRole("button", { name: "Put it in force" });
    await it.page.getByText(/What the last .* would have been|cannot/).first().waitFor();
    await it.page.locator(".diff .new", { hasText: name }).first().waitFor();
    await accessible(it.page, "the preview of an exception");
    await shoot(it.page, "exception-preview");
    if (!(await force.isEnabled())) {
      assert.notEqual(process.env.PICKET_PAGE_WRITABLE, "1", await it.page.locator(".change").innerText());
      return "the policy cannot be changed here";
    }
    await force.click();
    await it.page.locator("dialog").waitFor({ state: "detached" });
    await it.page.goto(`${base}/detectors`);
    await it.page.getByRole("cell", { name }).first().waitFor({ timeout: 15_000 });
    await closeWell(it);
  },
};

async function harmlessNote(page) {
  assert.equal(await page.locator(".timeline b").count(), 0);
}
