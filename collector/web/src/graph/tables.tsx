// The graph as two tables: what there is, as a tree, and who talks to whom.
import { useMemo } from "preact/hooks";
import type { Vertex } from "../api/graph";
import { Ago } from "../parts/ago";
import { Name } from "../parts/name";
import { VirtualList } from "../parts/virtual";
import { number, rank, vertex as nameOf, vertexKind } from "../words/names";
import { visible } from "../words/visible";
import { fire, type Box, type Edge, type Model } from "./model";
import { Port } from "./panel";
import { canOpen, select, selected, toggle } from "./state";

const ROW = 36;

export function Tables({ model }: { model: Model }) {
  const rows = useMemo(() => rowsOf(model), [model]);
  const edges = useMemo(
    () => [...model.edges].sort((a, b) => (b.burning?.open ?? 0) - (a.burning?.open ?? 0)),
    [model],
  );
  return (
    <div class="tables">
      <section aria-label="What there is">
        <div role="table" aria-label="What there is" aria-rowcount={rows.length + 1} class="grid things">
          <Heads names={["name", "kind", "pods", "watched", "open from it", "open towards it"]} />
          <VirtualList
            label="Rows"
            role="rowgroup"
            count={rows.length}
            rowHeight={ROW}
            row={(index) => <Thing row={rows[index]} index={index} />}
          />
        </div>
      </section>
      <section aria-label="Who talks to whom">
        <div role="table" aria-label="Who talks to whom" aria-rowcount={edges.length + 1} class="grid talkers">
          <Heads names={["from", "to", "ports", "open", "last seen"]} />
          <VirtualList
            label="Rows"
            role="rowgroup"
            count={edges.length}
            rowHeight={ROW}
            row={(index) => <Talker edge={edges[index]} index={index} model={model} />}
          />
        </div>
      </section>
    </div>
  );
}

function Heads({ names }: { names: string[] }) {
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} class="grid-row heads">
        {names.map((it) => (
          <span key={it} role="columnheader">
            {it}
          </span>
        ))}
      </div>
    </div>
  );
}

type Row = { box: Box; item: Vertex | null };

/** Boxes that burn first, then by name; what is in an open one below it. */
function rowsOf(model: Model): Row[] {
  const heat = (it: Vertex) => {
    const burning = fire(it);
    return burning ? 1 + rank(burning.severity) : 0;
  };
  const boxes = [...model.boxes].sort((a, b) => heat(b.vertex) - heat(a.vertex));
  return boxes.flatMap((box) => {
    const items = [...box.items].sort((a, b) => heat(b) - heat(a));
    return [{ box, item: null }, ...items.map((item) => ({ box, item }))];
  });
}

function Thing({ row, index }: { row: Row | undefined; index: number }) {
  if (!row) return null;
  const { box, item } = row;
  const it = item ?? box.vertex;
  const key = item?.id ?? box.key;
  const name = item ? item.name : it.kind === "namespace" ? box.key : it.name;
  return (
    <div role="row" aria-rowindex={index + 2} class={`grid-row ${fire(it) ? "burning" : ""} ${key === selected.value ? "selected" : ""}`}>
      <span role="cell" class={item ? "inner" : "outer"}>
        {item === null && canOpen(box.key) ? (
          <button
            type="button"
            class="quiet twist"
            aria-expanded={box.isOpen}
            aria-label={`${box.isOpen ? "Close" : "Open"} ${visible(box.key)}`}
            onClick={() => toggle(box.key)}
          >
            {box.isOpen ? "▾" : "▸"}
          </button>
        ) : (
          <span class="twist" />
        )}
        <button type="button" class="quiet grow" onClick={() => select(key)}>
          <Name text={name} />
        </button>
      </span>
      <span role="cell" class="dim">
        {vertexKind(it)}
      </span>
      <span role="cell">{number(it.pods)}</span>
      <span role="cell">{number(it.covered_pods)}</span>
      <span role="cell" class={it.source_of?.open ? "hot" : ""}>
        {number(it.source_of?.open ?? 0)}
      </span>
      <span role="cell" class={it.target_of?.open ? "hot" : ""}>
        {number(it.target_of?.open ?? 0)}
      </span>
    </div>
  );
}

function Talker({ edge, index, model }: { edge: Edge | undefined; index: number; model: Model }) {
  if (!edge) return null;
  const name = (key: string) => {
    const found = model.shown.get(key);
    return found ? nameOf(found.vertex) : key;
  };
  return (
    <div role="row" aria-rowindex={index + 2} class={`grid-row ${edge.burning ? "burning" : ""}`}>
      <span role="cell">
        <button type="button" class="quiet grow" onClick={() => select(edge.from)}>
          <Name text={name(edge.from)} />
        </button>
      </span>
      <span role="cell">
        <button type="button" class="quiet grow" onClick={() => select(edge.to)}>
          <Name text={name(edge.to)} />
        </button>
      </span>
      <span role="cell" class="ports">
        {edge.ports.slice(0, 4).map((port) => (
          <Port key={`${port.transport}${port.port}`} port={port} />
        ))}
        {edge.ports.length + edge.further > 4 && (
          <span class="dim">+{number(edge.ports.length + edge.further - Math.min(4, edge.ports.length))}</span>
        )}
      </span>
      <span role="cell" class={edge.burning ? "hot" : ""}>
        {number(edge.burning?.open ?? 0)}
      </span>
      <span role="cell" class="dim nowrap">
        <Ago time={edge.lastSeen} />
      </span>
    </div>
  );
}
