// The nodes: what each watches, what it lost, and what is wrong with it.
import { useEffect } from "preact/hooks";
import { client } from "../api/client";
import type { Node } from "../api/nodes";
import { Empty, Problem } from "../parts/empty";
import { Unknown } from "../parts/unknown";
import { asked } from "../state/asked";
import { listen } from "../state/live";
import { query, setQuery } from "../state/router";
import { onKey } from "../state/shortcuts";
import { count, number } from "../words/names";
import { NodeCard } from "./card";
import { troubles } from "./troubles";

const nodes = asked((signal) => client.nodes(signal));

export function NodesView() {
  useEffect(() => {
    void nodes.now();
    const timer = setInterval(nodes.again, 15_000);
    const stops = [
      listen("nodes", nodes.again),
      listen("resync", nodes.again),
      onKey("/", () => document.getElementById("node-text")?.focus()),
      nodes.stop,
    ];
    return () => {
      clearInterval(timer);
      stops.forEach((stop) => stop());
    };
  }, []);
  const known = nodes.value.value;
  const failure = nodes.failure.value;
  if (!known) return <Unknown title="Nodes" what="the nodes" failure={failure} />;
  const text = (query.value.get("node") ?? "").toLowerCase();
  const ofPolicy = known.policy?.revision ?? "";
  const all = known.nodes.map((node) => ({ node, troubles: troubles(node, ofPolicy) }));
  const found = all
    .filter(({ node }) => node.name.toLowerCase().includes(text))
    .sort((a, b) => b.troubles.length - a.troubles.length);
  return (
    <div class="wide-view">
      <header class="view-head">
        <h1>Nodes</h1>
        <p class="dim" role="status">
          {summary(known.nodes)}
        </p>
        <input
          id="node-text"
          type="search"
          aria-label="Part of the name of a node"
          placeholder="Name  ( / )"
          value={query.value.get("node") ?? ""}
          onInput={(event) => setQuery({ node: event.currentTarget.value || null }, true)}
        />
      </header>
      <Problem text={failure} />
      {all.length === 0 && (
        <Empty title="No agent has connected">
          <p>
            Install the chart, or start <code>picket-agent --collector</code> on a node. If agents run, look at their logs:
            a node that the collector does not know is refused.
          </p>
        </Empty>
      )}
      {all.length > 0 && found.length === 0 && (
        <Empty title="No node is called that">
          <button type="button" onClick={() => setQuery({ node: null })}>
            Show all {all.length}
          </button>
        </Empty>
      )}
      <ul class="plain nodes" aria-label="Nodes">
        {found.map(({ node, troubles: of }) => (
          <NodeCard key={node.name} node={node} troubles={of} />
        ))}
      </ul>
    </div>
  );
}

function summary(nodes: Node[]): string {
  const connected = nodes.filter((it) => it.connected).length;
  const pods = nodes.reduce((sum, it) => sum + (it.status?.slots.length ?? 0), 0);
  return `${number(connected)} of ${count(nodes.length, "node")} connected, ${count(pods, "interface")} watched`;
}
