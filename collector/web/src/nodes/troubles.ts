// What is wrong with a node, worst first, each with what to do.
import type { Node } from "../api/nodes";
import { count, number } from "../words/names";
import { duration, seconds } from "../words/time";

export interface Trouble {
  what: string;
  remedy: string;
  isBad: boolean;
}

/** Beyond it, times of events are wrong and commands are refused. */
const CLOCK_SECONDS = 5;

export function troubles(node: Node, revision: string): Trouble[] {
  const found: Trouble[] = [];
  const bad = (what: string, remedy: string) => found.push({ what, remedy, isBad: true });
  const odd = (what: string, remedy: string) => found.push({ what, remedy, isBad: false });
  if (!node.connected) bad("Its agent is not connected", "See whether it runs, and its log; what it finds meanwhile waits on the node.");
  const ahead = seconds(node.clock_ahead);
  if (ahead !== null && Math.abs(ahead) >= CLOCK_SECONDS) {
    odd(`Its clock is ${duration(`${Math.abs(ahead)}s`)} ${ahead > 0 ? "ahead" : "behind"}`, "Let the node keep the time, as by chrony.");
  }
  const status = node.status;
  if (!status) return found;
  const canary = status.canary;
  if (canary && !canary.found) bad(`It did not find its own scan: ${canary.reason}`, "Treat the node as unwatched; do what the findings say, or restart the agent.");
  for (const it of status.findings ?? []) {
    if (it.verdict === "failed") bad(it.found, it.remedy);
    if (it.verdict === "warning") odd(it.found, it.remedy);
  }
  if (status.unwatched.length > 0) {
    bad(`${count(status.unwatched.length, "interface is", "interfaces are")} not watched`, status.unwatched[0]?.reason ?? "");
  }
  if (status.spool && status.spool.durability === "volatile") odd(`Events wait in memory alone: ${status.spool.reason}`, "Give the spool a disk that takes writes.");
  if (status.policy && status.policy.error !== "") bad(`It refused the newest policy: ${status.policy.error}`, "Bring the agent to the collector's version, or change the policy.");
  else if (revision !== "" && status.policy && status.policy.revision !== revision) odd("It has another policy than the collector tells", "It comes with the next connection; see whether it is connected.");
  const lost = status.drops.reduce((sum, it) => sum + it.count, 0);
  if (lost > 0) odd(`${number(lost)} found no room or were lost since it started`, "See the reasons below; ports are counted all the same.");
  return found.sort((a, b) => Number(b.isBad) - Number(a.isBad));
}
