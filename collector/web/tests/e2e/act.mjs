// What can be done about a pod: the policy to copy, the command line, and a command that is signed in the browser.
import assert from "node:assert/strict";
import { accessible, base, open, shoot } from "./browser.mjs";
import { known } from "./views.mjs";

const operator = process.env.PICKET_PAGE_OPERATOR?.split(",");

async function ofPod(browser, expected = []) {
  const it = await open(browser, {}, expected);
  await it.page.goto(`${base}/act`);
  const pod = process.env.PICKET_PAGE_BURNS ?? (await known(it.page)).pod;
  if (!pod) return { ...it, pod };
  await it.page.getByLabel("Pod", { exact: true }).fill(pod);
  await it.page.getByRole("button", { name: "Look at it" }).click();
  await it.page.getByRole("heading", { name: "Contain or release" }).waitFor();
  return { ...it, pod };
}

async function closeWell({ close, wrong }) {
  await close();
  assert.deepEqual(wrong, []);
}

export const tests = {
  "the command line is that of the form": async (browser) => {
    const it = await ofPod(browser);
    if (!it.pod) return "no pod is known";
    const line = it.page.getByRole("region", { name: "Command line" });
    await it.page.getByLabel("Lease", { exact: true }).fill("1h");
    await it.page.getByLabel("Reason").fill("it's ours");
    assert.match(await line.innerText(), /^picket contain .* --lease 1h --reason 'it'\\''s ours'$/);
    await it.page.getByLabel("Lease", { exact: true }).fill("2 fortnights");
    await it.page.locator("[aria-invalid=true]").waitFor();
    await it.page.getByLabel("Release", { exact: true }).check();
    assert.match(await line.innerText(), /^picket release /);
    await closeWell(it);
  },

  "the quarantine policy follows what is allowed": async (browser) => {
    const it = await ofPod(browser);
    if (!it.pod) return "no pod is known";
    const policy = it.page.getByRole("region", { name: "NetworkPolicy" });
    await policy.waitFor();
    const asked = it.page.waitForResponse((answer) => answer.url().includes("/policy?") && !answer.url().includes("allow_dns"));
    await it.page.getByLabel("it may ask the cluster's DNS").uncheck();
    assert.equal((await asked).status(), 200);
    const narrowed = it.page.waitForResponse((answer) => answer.url().includes("allow_from=monitoring"));
    await it.page.getByLabel("Namespaces that may reach it").fill("monitoring");
    await it.page.getByLabel("Namespaces that may reach it").blur();
    assert.equal((await narrowed).status(), 200);
    await policy.getByText("kind: NetworkPolicy").waitFor();
    await closeWell(it);
  },

  "files that are no key say what is missing": async (browser) => {
    const it = await ofPod(browser);
    if (!it.pod) return "no pod is known";
    await it.page.locator("input[type=file]").setInputFiles({ name: "x.pem", mimeType: "text/plain", buffer: Buffer.from("nothing") });
    await it.page.getByText("no private key").waitFor();
    await accessible(it.page, "a key that is none");
    await closeWell(it);
  },

  "an operator contains the pod, sees the lease, and releases it": async (browser) => {
    if (!operator) return "skipped: PICKET_PAGE_OPERATOR is not set";
    const it = await ofPod(browser);
    await it.page.locator("input[type=file]").setInputFiles(operator);
    await it.page.getByText(/Signing as/).waitFor();
    await it.page.getByLabel("Reason").fill("by the page's test");
    await it.page.getByRole("button", { name: "Sign and contain" }).click();
    await it.page.getByText("The agent obeyed").waitFor();
    const row = it.page.getByRole("region", { name: "Contained pods" }).getByRole("row", { name: "by the page's test" }).first();
    await row.getByText(/^in \d+/).waitFor({ timeout: 15_000 });
    await shoot(it.page, "contained");
    await it.page.getByLabel("Release", { exact: true }).check();
    await it.page.getByRole("button", { name: "Sign and release" }).click();
    await it.page.getByText("The agent obeyed").waitFor();
    await row.waitFor({ state: "detached", timeout: 15_000 });
    await it.page.getByRole("button", { name: "Forget the key" }).click();
    await it.page.getByText("the key never leaves this page").waitFor();
    await closeWell(it);
  },

  "a pod that nobody knows is told of": async (browser) => {
    const it = await open(browser, {}, [/\b404\b/]);
    await it.page.goto(`${base}/act?pod=no-such-namespace%2Fnone`);
    await it.page.getByText("cannot be shown").waitFor();
    await closeWell(it);
  },
};
