// The frame: keys, help, and colours.
import assert from "node:assert/strict";
import { accessible, base, open } from "./browser.mjs";

export const tests = {
  "keys lead to each view, and the help says so": async (browser) => {
    const { page, wrong, close } = await open(browser);
    await page.goto(base);
    await page.locator(".link.live").waitFor();
    for (const [key, view] of Object.entries({ a: "anomalies", d: "detectors", n: "nodes", c: "act", g: "graph" })) {
      await page.keyboard.press(key);
      await page.waitForURL(new RegExp(`/${view}$`));
      await page.locator(`nav [aria-current=page][href='/${view}']`).waitFor();
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await accessible(page, "the help");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.goBack();
    await page.waitForURL(/\/act$/);
    await close();
    assert.deepEqual(wrong, []);
  },

  "colours follow the system until they are chosen, and stay chosen": async (browser) => {
    const { page, wrong, close } = await open(browser, { colorScheme: "light" });
    await page.goto(base);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    assert.notEqual(light, dark);
    await page.getByRole("button", { name: /Colours/ }).click();
    assert.equal(await ground(), light);
    await page.reload();
    assert.equal(await ground(), light);
    await close();
    assert.deepEqual(wrong, []);
  },

  "the first thing the tabulator finds skips to the content": async (browser) => {
    const { page, wrong, close } = await open(browser);
    await page.goto(base);
    await page.locator(".link.live").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
    await close();
    assert.deepEqual(wrong, []);
  },
};
