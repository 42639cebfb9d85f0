// One pod: where it is, whom it talks to, and what may be done about it.
import { useEffect, useMemo } from "preact/hooks";
import { client } from "../api/client";
import type { Described } from "../api/nodes";
import { Empty, Problem, Waiting } from "../parts/empty";
import { Name } from "../parts/name";
import { asked } from "../state/asked";
import { visible } from "../words/visible";
import { CommandForm } from "./form";
import { QuarantineOf } from "./quarantine";
import { Edges } from "./edges";

export function PodOf({ name, again }: { name: string; again: () => void }) {
  const slash = name.indexOf("/");
  const [namespace, pod] = [name.slice(0, slash), name.slice(slash + 1)];
  const described = useMemo(() => asked((signal) => client.describe(namespace, pod, signal)), [name]);
  useEffect(() => {
    void described.now();
    return described.stop;
  }, [described]);
  const known = described.value.value;
  const failure = described.failure.value;
  if (!known) {
    if (failure === null) return <Waiting what="the pod" />;
    return <Empty title={`${visible(name)} cannot be shown`}>{visible(failure)}</Empty>;
  }
  return (
    <>
      <Problem text={failure} />
      <Facts described={known} />
      <CommandForm described={known} done={again} />
      <QuarantineOf namespace={namespace} pod={pod} hostNetwork={known.pod?.host_network ?? false} />
    </>
  );
}

function Facts({ described }: { described: Described }) {
  const it = described.pod;
  if (!it) return null;
  const rows: [string, string][] = [
    ["node", it.node],
    ["of", it.owner ? `${it.owner.kind} ${it.owner.name}` : ""],
    ["service account", it.service_account],
    ["addresses", it.addresses.join(", ")],
    ["uid", it.uid],
  ];
  return (
    <section class="block">
      <h2>
        <Name text={`${it.namespace}/${it.name}`} />
      </h2>
      <dl class="facts">
        {rows
          .filter(([, value]) => value !== "")
          .map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>
                <Name text={value} />
              </dd>
            </div>
          ))}
      </dl>
      <details>
        <summary>Whom it was seen to talk to</summary>
        <Edges edges={described.edges} label="Whom it was seen to talk to" />
      </details>
    </section>
  );
}
