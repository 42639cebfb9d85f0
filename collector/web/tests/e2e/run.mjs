// Drives every control of the page in a browser, against the collector at PICKET_PAGE. Environment:
//   PICKET_PAGE           where the page is, such as http://127.0.0.1:7405
//   PICKET_PAGE_SHOTS     directory for screenshots of each view; none without it
//   PICKET_PAGE_BURNS     NAMESPACE/POD that has an open anomaly and must be seen within a second
//   PICKET_PAGE_OPERATOR  CERTIFICATE,KEY: files of an operator, with which that pod is contained and released
//   PICKET_PAGE_WRITABLE  1 when the policy must be changeable
//   PICKET_PAGE_HOSTILE   1 when pods with hostile names have open anomalies
//   PICKET_PAGE_WISHES    1 when somebody reads what these scripts ask for, and does it
//   PICKET_PAGE_CLOSED    where a page is that everybody signs in to, with the tokens PICKET_PAGE_TOKEN_OPS, who sees
//                         all, and PICKET_PAGE_TOKEN_BLUE, who sees the namespace blue
//   PICKET_PAGE_ONLY      run only the parts whose names have this in them
//   CHROMIUM              the browser, /usr/bin/chromium by default
import { launch } from "./browser.mjs";
import * as act from "./act.mjs";
import * as anomalies from "./anomalies.mjs";
import * as detectors from "./detectors.mjs";
import * as frame from "./frame.mjs";
import * as graph from "./graph.mjs";
import * as hostile from "./hostile.mjs";
import * as live from "./live.mjs";
import * as nodes from "./nodes.mjs";
import * as signIn from "./sign_in.mjs";
import * as views from "./views.mjs";

const only = process.env.PICKET_PAGE_ONLY ?? "";
const parts = { views, graph, hostile, anomalies, detectors, nodes, act, frame, "sign-in": signIn, live };
const browser = await launch();
let failed = 0;
let done = 0;
for (const [room, { tests }] of Object.entries(parts)) {
  for (const [name, test] of Object.entries(tests)) {
    const title = `${room}: ${name}`;
    if (!title.includes(only)) continue;
    const start = performance.now();
    try {
      const said = await test(browser);
      console.log(`ok      ${title} ${said ?? ""} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${title}\n${error?.stack ?? error}`);
    }
    done += 1;
  }
}
await browser.close();
console.log(`${done - failed} of ${done} passed`);
process.exit(failed === 0 && done > 0 ? 0 : 1);
