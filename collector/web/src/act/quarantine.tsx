// The NetworkPolicy that quarantines a pod, to copy, and what it would cut.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { client } from "../api/client";
import { Snippet } from "../parts/copy";
import { Problem, Waiting } from "../parts/empty";
import { asked } from "../state/asked";
import { count } from "../words/names";
import { listOf } from "../words/exception";
import { visible } from "../words/visible";
import { Edges } from "./edges";

export function QuarantineOf({ namespace, pod, hostNetwork }: { namespace: string; pod: string; hostNetwork: boolean }) {
  const dns = useSignal(true);
  const from = useSignal("");
  const to = useSignal("");
  const allow = new URLSearchParams(dns.value ? { allow_dns: "1" } : {});
  for (const it of listOf(from.value)) allow.append("allow_from", it);
  for (const it of listOf(to.value)) allow.append("allow_to", it);
  const question = allow.toString();
  const policy = useMemo(
    () => asked((signal) => client.quarantine(namespace, pod, new URLSearchParams(question), signal)),
    [namespace, pod, question],
  );
  useEffect(() => {
    if (!hostNetwork) void policy.now();
    return policy.stop;
  }, [policy]);
  const known = policy.value.value;
  const failure = policy.failure.value;
  return (
    <section class="block">
      <h2>Quarantine policy</h2>
      {hostNetwork ? (
        <p>It has the network of its node, so no NetworkPolicy selects it; drain the node instead.</p>
      ) : (
        <>
          <p>
            Without Picket in between: a NetworkPolicy that your network plugin enforces. It holds until you take it away.
          </p>
          <form class="allow" onSubmit={(event) => event.preventDefault()}>
            <label class="check">
              <input type="checkbox" checked={dns.value} onChange={(event) => (dns.value = event.currentTarget.checked)} />
              it may ask the cluster's DNS
            </label>
            <label>
              Namespaces that may reach it
              <input type="text" placeholder="none" value={from} onChange={(event) => (from.value = event.currentTarget.value)} />
            </label>
            <label>
              Namespaces it may reach
              <input type="text" placeholder="none" value={to} onChange={(event) => (to.value = event.currentTarget.value)} />
            </label>
          </form>
          <Problem text={failure} />
          {!known && failure === null && <Waiting what="the policy" />}
          {known && (
            <>
              <h3>It would cut {count(known.cuts.length, "of what was seen", "of what was seen")}</h3>
              <Edges edges={known.cuts} label="What it would cut" />
              <details>
                <summary>It would leave {known.leaves.length}</summary>
                <Edges edges={known.leaves} label="What it would leave" />
              </details>
              <Snippet label="NetworkPolicy" text={known.policy.split("\n").map((it) => visible(it)).join("\n")} />
            </>
          )}
        </>
      )}
    </section>
  );
}
