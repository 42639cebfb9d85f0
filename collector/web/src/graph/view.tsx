// The graph: where it burns, who talks to whom, and the same as a table.
import { useEffect } from "preact/hooks";
import { Empty, Problem, Waiting } from "../parts/empty";
import { listen } from "../state/live";
import { setQuery } from "../state/router";
import { onKey } from "../state/shortcuts";
import { count, number } from "../words/names";
import { Burning } from "./burning";
import { Canvas } from "./canvas";
import { ALL } from "./model";
import { Panel } from "./panel";
import { detail, face, open, select, selected, shown, whole, within } from "./state";
import { Tables } from "./tables";

export function GraphView() {
  useEffect(() => {
    void whole.now();
    const again = () => {
      whole.again();
      if (open.value.size > 0) within.again();
    };
    const timer = setInterval(again, 10_000);
    const stops = [
      listen("anomaly", again),
      listen("nodes", again),
      listen("resync", again),
      onKey("Escape", () => select(null)),
      whole.stop,
      within.stop,
    ];
    return () => {
      clearInterval(timer);
      stops.forEach((stop) => stop());
    };
  }, []);
  const question = `${detail.value} ${[...open.value].sort().join(" ")}`;
  useEffect(() => {
    if (open.value.size > 0) void within.now();
    else within.clear();
  }, [question]);

  const known = shown.value;
  const failure = whole.failure.value ?? within.failure.value;
  return (
    <div class="graph-view">
      <h1 class="unseen">Service graph</h1>
      <Burning />
      <Tools />
      <Problem text={failure} />
      {known === null ? (
        failure === null && <Waiting what="the graph" />
      ) : known.boxes.length === 0 ? (
        <Empty title="Nobody was seen to talk yet">
          <p>
            The graph shows what the agents of all nodes saw within the last hour. <a href="/nodes">See how the nodes are</a>;
            it fills by itself.
          </p>
        </Empty>
      ) : (
        <div class={`graph-body ${selected.value !== null ? "with-panel" : ""}`}>
          {face.value === "graph" ? <Canvas model={known} /> : <Tables model={known} />}
          {selected.value !== null && <Panel model={known} at={selected.value} />}
        </div>
      )}
    </div>
  );
}

function Tools() {
  const known = shown.value;
  const all = open.value.has(ALL);
  return (
    <div class="graph-tools">
      <Segments
        label="Shown as"
        value={face.value}
        options={[
          ["graph", "Graph"],
          ["table", "Table"],
        ]}
        choose={(view) => setQuery({ view }, true)}
      />
      <Segments
        label="What is open shows"
        value={detail.value}
        options={[
          ["workloads", "Workloads"],
          ["pods", "Pods"],
        ]}
        choose={(it) => setQuery({ detail: it === "pods" ? it : null, at: null }, true)}
      />
      <button type="button" onClick={() => setQuery({ open: all ? null : ALL, at: null })}>
        {all ? "Close all" : "Open all"}
      </button>
      {known && (
        <span class="dim" role="status">
          {count(known.shown.size - known.boxes.filter((it) => it.isOpen).length, "box", "boxes")}, {count(known.edges.length, "link")}
          {known.leftOutVertices + known.leftOutLinks > 0 &&
            `; too many to show all: ${number(known.leftOutVertices)} boxes and ${number(known.leftOutLinks)} links without an anomaly are left out`}
        </span>
      )}
    </div>
  );
}

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: [T, string][];
  choose: (value: T) => void;
}

function Segments<T extends string>({ label, value, options, choose }: SegmentsProps<T>) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map(([it, name]) => (
        <button key={it} type="button" aria-pressed={it === value} onClick={() => choose(it)}>
          {name}
        </button>
      ))}
    </div>
  );
}
