// The nodes: found by name, and all they say of themselves.
import assert from "node:assert/strict";
import { accessible, base, open, shoot } from "./browser.mjs";

export const tests = {
  "a node is found, and opens to what it says of itself": async (browser) => {
    const { page, wrong, close } = await open(browser);
    await page.goto(`${base}/nodes`);
    await page.locator(".card.node").first().waitFor();
    const all = await page.locator(".card.node").count();
    await page.locator(".card.node summary").first().click();
    await page.getByRole("heading", { name: "Lost, by reason" }).first().waitFor();
    await accessible(page, "an open node");
    await shoot(page, "node");
    await page.keyboard.press("/");
    await page.keyboard.type("no such node");
    await page.getByText("No node is called that").waitFor();
    await page.getByRole("button", { name: /Show all/ }).click();
    await page.locator(".card.node").nth(all - 1).waitFor();
    await close();
    assert.deepEqual(wrong, []);
  },
};
