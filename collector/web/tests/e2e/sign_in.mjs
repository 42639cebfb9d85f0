// Where everybody signs in: with a token, to see what its subscriber sees, and out again.
import assert from "node:assert/strict";
import { accessible, open, shoot } from "./browser.mjs";

const closed = process.env.PICKET_PAGE_CLOSED;
const tokens = { ops: process.env.PICKET_PAGE_TOKEN_OPS, blue: process.env.PICKET_PAGE_TOKEN_BLUE };

async function opened(browser, expected = []) {
  const it = await open(browser, { ignoreHTTPSErrors: true }, expected);
  await it.page.goto(`${closed}/anomalies`);
  await it.page.getByRole("heading", { name: "Sign in" }).waitFor();
  return it;
}

async function signIn(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export const tests = {
  "nothing is shown before, a wrong token is told of, and the right one opens the view that was asked for": async (browser) => {
    if (!closed) return "skipped: PICKET_PAGE_CLOSED is not set";
    const it = await opened(browser, [/\b401\b/]);
    await accessible(it.page, "the sign-in");
    await shoot(it.page, "sign-in");
    assert.equal(await it.page.getByText("The connection to the collector is lost").count(), 0);
    await signIn(it.page, "of-nobody-at-all-0123");
    await it.page.locator(".problem").waitFor();
    await signIn(it.page, tokens.ops);
    await it.page.getByText("No agent has connected yet").waitFor();
    await it.page.locator(".link.live").waitFor();
    assert.match(it.page.url(), /\/anomalies$/);
    for (const view of ["graph", "detectors", "nodes", "act"]) {
      await it.page.goto(`${closed}/${view}`);
      await it.page.locator("main h1").first().waitFor({ state: "attached" });
      await accessible(it.page, `${view}, of nobody`);
    }
    await it.page.getByRole("button", { name: "Sign out" }).click();
    await it.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await it.close();
    assert.deepEqual(it.wrong, []);
  },

  "who sees some namespaces is told what is not for him": async (browser) => {
    if (!closed) return "skipped: PICKET_PAGE_CLOSED is not set";
    const it = await opened(browser, [/\b40[13]\b/]);
    await signIn(it.page, tokens.blue);
    await it.page.locator(".link.live").waitFor();
    for (const view of ["detectors", "nodes"]) {
      await it.page.goto(`${closed}/${view}`);
      await it.page.locator(".problem, .empty").first().waitFor();
      await accessible(it.page, `${view}, for somebody else`);
    }
    await it.close();
    assert.deepEqual(it.wrong, []);
  },
};
