// What is selected in the graph: what burns, whom it talks to, and where to go on.
import { Name } from "../parts/name";
import { SeverityMark } from "../parts/marks";
import { Ago } from "../parts/ago";
import type { LinkPort, Vertex } from "../api/graph";
import { anomaly as nameOfAnomaly, count, number, transport, vertex as nameOf, vertexKind } from "../words/names";
import { fire, type Edge, type Model } from "./model";
import { canOpen, select, toggle } from "./state";

export function Panel({ model, at }: { model: Model; at: string }) {
  const found = model.shown.get(at);
  if (!found) {
    return (
      <aside class="panel" aria-label="Selected">
        <p>
          What was selected is not shown any more.{" "}
          <button type="button" onClick={() => select(null)}>
            Close
          </button>
        </p>
      </aside>
    );
  }
  const it = found.vertex;
  const burning = fire(it);
  const isBox = found.box === at;
  // Of an open box, those of whatever is in it, but not among themselves.
  const isIt = (key: string) => key === at || (isBox && model.shown.get(key)?.box === at);
  const out = model.edges.filter((edge) => isIt(edge.from) && !isIt(edge.to));
  const into = model.edges.filter((edge) => isIt(edge.to) && !isIt(edge.from));
  const isOpen = model.boxes.some((box) => box.key === at && box.isOpen);
  return (
    <aside class="panel" aria-label="Selected">
      <header>
        <h2>
          <Name text={nameOf(it)} />
        </h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => select(null)}>
          ✕
        </button>
      </header>
      <p class="dim">
        {vertexKind(it)}
        {it.pods > 0 && `, ${count(it.pods, "pod")}, ${number(it.covered_pods)} watched`}
        {it.contained_pods > 0 && `, ${number(it.contained_pods)} contained`}
      </p>
      {burning && (
        <div class="panel-burning">
          <p>
            <SeverityMark severity={burning.severity} /> {number(burning.source)} open from it, {number(burning.target)} towards it
          </p>
          <ul class="plain">
            {burning.anomalies.map((id) => (
              <li key={id}>
                <a href={`/anomalies/${encodeURIComponent(id)}`}>
                  <Name text={nameOfAnomaly(id)} />
                </a>
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="buttons">
        {isBox && canOpen(at) && (
          <button type="button" onClick={() => toggle(at)}>
            {isOpen ? "Close it" : "Open it"}
          </button>
        )}
        <a class="button" href={anomaliesOf(it)}>
          Its anomalies
        </a>
        {it.kind === "pod" && (
          <a class="button" href={`/act?${new URLSearchParams({ pod: `${it.namespace}/${it.name}` })}`}>
            Contain …
          </a>
        )}
      </div>
      <Talks title="Talks to" edges={out} end="to" model={model} />
      <Talks title="Is talked to by" edges={into} end="from" model={model} />
    </aside>
  );
}

function anomaliesOf(it: Vertex): string {
  const filter = new URLSearchParams();
  if (it.namespace !== "") filter.set("namespace", it.namespace);
  if (it.kind === "pod") filter.set("pod", it.name);
  else if (it.kind === "outside" || it.kind === "workload" || it.kind === "service") filter.set("text", it.name);
  if (it.kind === "node") filter.set("node", it.name);
  return `/anomalies?${filter}`;
}

const MOST = 60;

function Talks({ title, edges, end, model }: { title: string; edges: Edge[]; end: "from" | "to"; model: Model }) {
  return (
    <section>
      <h3>
        {title} {edges.length > 0 && <span class="dim">{number(edges.length)}</span>}
      </h3>
      {edges.length === 0 && <p class="dim">Nobody, as far as was seen.</p>}
      <ul class="plain talks">
        {edges.slice(0, MOST).map((edge) => {
          const other = model.shown.get(edge[end]);
          return (
            <li key={`${edge.from}\n${edge.to}`} class={edge.burning ? "burning" : ""}>
              <button type="button" class="quiet" onClick={() => select(edge[end])}>
                <Name text={other ? nameOf(other.vertex) : edge[end]} />
              </button>
              <span class="ports">
                {edge.ports.map((port) => (
                  <Port key={`${port.transport}${port.port}`} port={port} />
                ))}
                {edge.further > 0 && <span class="dim">+{number(edge.further)}</span>}
              </span>
              <span class="dim nowrap">
                <Ago time={edge.lastSeen} />
              </span>
            </li>
          );
        })}
      </ul>
      {edges.length > MOST && <p class="dim">and {number(edges.length - MOST)} more; the table lists all</p>}
    </section>
  );
}

export function Port({ port }: { port: LinkPort }) {
  const said = port.declared ? `declared by Service ${port.service}` : "no Service declares it";
  return (
    <span class={`port ${port.declared ? "declared" : "undeclared"}`} title={said}>
      {transport(port.transport)} {port.port}
      <span class="unseen"> {said}</span>
    </span>
  );
}
