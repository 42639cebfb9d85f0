// Contains or releases a pod: signed here, or with the same command in a terminal.
import { useSignal } from "@preact/signals";
import { client } from "../api/client";
import type { Described, Outcome } from "../api/nodes";
import { Snippet } from "../parts/copy";
import { Problem } from "../parts/empty";
import { query } from "../state/router";
import { exact, parseDuration } from "../words/time";
import { visible } from "../words/visible";
import { quoted } from "./command";
import { KeyChoice } from "./key";
import { sign, signer } from "./sign";

const DAY = 86_400;
const LEASES = ["10m", "1h", "8h", "24h"];

export function CommandForm({ described, done }: { described: Described; done: () => void }) {
  const releases = useSignal(query.value.get("do") === "release");
  const lease = useSignal("10m");
  const reason = useSignal(query.value.get("anomaly") ? `anomaly ${query.value.get("anomaly")}` : "");
  const problem = useSignal<string | null>(null);
  const outcome = useSignal<Outcome | null>(null);
  const busy = useSignal(false);
  const pod = described.pod;
  if (!pod) return null;
  const seconds = parseDuration(lease.value);
  const isLease = seconds !== null && seconds >= 1 && seconds <= DAY;
  const missing = pod.uid === "" ? "has no uid in the collector's table" : pod.node === "" ? "is on no node yet" : "";

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const by = signer.value;
    if (!by || !pod || busy.value) return;
    busy.value = true;
    problem.value = null;
    outcome.value = null;
    try {
      const { node, namespace, name, uid } = pod;
      const command = {
        node,
        namespace,
        pod: name,
        uid,
        reason: reason.value.trim(),
        leaseSeconds: releases.value ? null : seconds,
      };
      outcome.value = await client.command(await sign(command, by, Date.now()));
      done();
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
    busy.value = false;
  }

  const name = quoted(`${pod.namespace}/${pod.name}`);
  const why = reason.value.trim() === "" ? "" : ` --reason ${quoted(reason.value.trim())}`;
  const line = releases.value
    ? `picket release ${name}${why}`
    : `picket contain ${name} --lease ${quoted(lease.value.trim())}${why}`;
  return (
    <section class="block">
      <h2>Contain or release</h2>
      {described.protected !== "" && (
        <p class="problem">Its agent would refuse to contain it: {visible(described.protected)}.</p>
      )}
      {missing !== "" && <p class="problem">It {missing}, so nobody can say which pod is meant.</p>}
      <form class="command" onSubmit={(event) => void submit(event)}>
        <fieldset class="modes">
          <legend class="unseen">What to do</legend>
          {[false, true].map((it) => (
            <label key={String(it)} class={releases.value === it ? "chosen-mode" : ""}>
              <input type="radio" name="do" checked={releases.value === it} onChange={() => (releases.value = it)} />
              {it ? "Release" : "Contain"}
            </label>
          ))}
        </fieldset>
        {!releases.value && (
          <div class="field">
            <label for="lease">Lease</label>
            <input
              id="lease"
              type="text"
              required
              list="leases"
              aria-describedby="lease-takes"
              value={lease}
              aria-invalid={!isLease}
              onInput={(event) => (lease.value = event.currentTarget.value)}
            />
            <datalist id="leases">
              {LEASES.map((it) => (
                <option key={it} value={it} />
              ))}
            </datalist>
            <span id="lease-takes" class={isLease ? "dim" : "hot"}>
              1s to 24h, such as 10m; it ends by itself
            </span>
          </div>
        )}
        <label>
          Reason
          <input
            type="text"
            maxLength={1000}
            placeholder="why, for whoever reads the event"
            value={reason}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
        </label>
        <KeyChoice />
        <button
          type="submit"
          class={releases.value ? "main" : "main danger"}
          disabled={signer.value === null || missing !== "" || busy.value || (!releases.value && !isLease)}
        >
          {releases.value ? "Sign and release" : "Sign and contain"}
        </button>
      </form>
      <div role="status">
        {outcome.value && (
          <p class={outcome.value.obeyed ? "done" : "problem"}>
            {outcome.value.obeyed ? "The agent obeyed: " : "The agent refused: "}
            {visible(outcome.value.reason)}
            {outcome.value.lease_until && ` until ${exact(outcome.value.lease_until)} UTC`}
          </p>
        )}
      </div>
      <Problem text={problem.value} />
      <h3>The same in a terminal</h3>
      <Snippet label="Command line" text={visible(line)} />
    </section>
  );
}
