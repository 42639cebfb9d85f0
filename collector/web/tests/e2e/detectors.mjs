// The detectors: changed with a preview, and when somebody was faster.
import assert from "node:assert/strict";
import { accessible, base, open, shoot } from "./browser.mjs";

async function opened(browser, expected = []) {
  const it = await open(browser, {}, expected);
  await it.page.goto(`${base}/detectors`);
  await it.page.locator(".detector").first().waitFor();
  const { writable } = await it.page.evaluate(() => fetch("/api/v1/detectors").then((answer) => answer.json()));
  if (process.env.PICKET_PAGE_WRITABLE === "1") assert.ok(writable, "the policy cannot be changed");
  return { ...it, writable };
}

async function closeWell({ close, wrong }) {
  await close();
  assert.deepEqual(wrong, []);
}

const card = (page) => page.locator(".detector", { has: page.locator(".modes") }).first();

async function toggleMode(page) {
  const next = (await card(page).getByLabel("shadow").isChecked()) ? "on" : "shadow";
  await card(page).getByLabel(next, { exact: true }).check();
  await page.getByText("1 change is not in force").waitFor();
}

export const tests = {
  "a mode is changed: drafted, forgotten, drafted, tried, confirmed": async (browser) => {
    const it = await opened(browser);
    await toggleMode(it.page);
    await it.page.getByRole("button", { name: "Forget them" }).click();
    await it.page.locator(".draft").waitFor({ state: "detached" });
    await toggleMode(it.page);
    await it.page.getByRole("button", { name: "Preview …" }).click();
    await it.page.getByText(/What the last .* would have been/).waitFor();
    await accessible(it.page, "the preview of a change");
    await shoot(it.page, "preview");
    const force = it.page.getByRole("button", { name: "Put it in force" });
    assert.equal(await force.isEnabled(), it.writable);
    if (it.writable) {
      await force.click();
      await it.page.locator("dialog").waitFor({ state: "detached" });
      await it.page.locator(".draft").waitFor({ state: "detached" });
    }
    await closeWell(it);
    return it.writable ? "" : "the policy cannot be changed here";
  },

  "a threshold that cannot be is refused with its reason": async (browser) => {
    const it = await opened(browser, [/\b(400|422)\b/]);
    await card(it.page).locator("summary", { hasText: "threshold" }).click();
    const field = card(it.page).locator(".threshold input").first();
    await field.fill("0");
    await field.press("Tab");
    await it.page.getByRole("button", { name: "Preview …" }).click();
    await it.page.locator("dialog .problem", { hasText: /takes|cannot/ }).first().waitFor();
    assert.equal(await it.page.getByRole("button", { name: "Put it in force" }).isEnabled(), false);
    await it.page.getByRole("button", { name: "Back" }).click();
    await it.page.locator("dialog").waitFor({ state: "detached" });
    await closeWell(it);
  },

  "when somebody was faster it says so, and goes on on top of theirs": async (browser) => {
    const it = await opened(browser, [/\b409\b/]);
    if (!it.writable) return "the policy cannot be changed here";
    await toggleMode(it.page);
    await it.page.getByRole("button", { name: "Preview …" }).click();
    const force = it.page.getByRole("button", { name: "Put it in force" });
    await it.page.getByText(/What the last .* would have been/).waitFor();
    await it.page.evaluate(async () => {
      const headers = { "Content-Type": "application/json", "X-Picket": "1" };
      const { text, revision } = await fetch("/api/v1/detectors").then((answer) => answer.json());
      const body = JSON.stringify({ text: `${text}\n# somebody was faster, at ${Date.now()}\n`, replaces: revision });
      const answer = await fetch("/api/v1/detectors", { method: "PUT", headers, body });
      if (!answer.ok) throw new Error(await answer.text());
    });
    await force.click();
    await it.page.getByText("Somebody else changed the policy").waitFor();
    await accessible(it.page, "a conflict");
    await it.page.getByRole("button", { name: "Try again on top" }).click();
    await it.page.getByText(/What the last .* would have been/).waitFor();
    await force.click();
    await it.page.locator("dialog").waitFor({ state: "detached" });
    await closeWell(it);
  },

  "an exception is removed": async (browser) => {
    const it = await opened(browser);
    const remove = it.page.getByRole("button", { name: /^Remove/ });
    if ((await remove.count()) === 0) return "there is none";
    await remove.last().click();
    await it.page.getByRole("button", { name: "Preview …" }).click();
    await it.page.locator(".diff .gone").first().waitFor();
    if (it.writable) {
      await it.page.getByRole("button", { name: "Put it in force" }).click();
      await it.page.locator("dialog").waitFor({ state: "detached" });
    }
    await closeWell(it);
  },
};
