// One box of the graph, and the cards of what is in it.
import type { Vertex } from "../api/graph";
import { Name } from "../parts/name";
import { px } from "../parts/px";
import { count, number, vertexKind } from "../words/names";
import { visible } from "../words/visible";
import type { Layout } from "./layout";
import { fire, type Box } from "./model";
import { canOpen, select, toggle } from "./state";

interface Props {
  box: Box;
  placed: Layout;
  selected: string | null;
}

export function BoxOf({ box, placed, selected }: Props) {
  const rect = placed.rects.get(box.key);
  if (!rect) return null;
  const it = box.vertex;
  const burning = fire(it);
  const style = px({ left: rect.x, top: rect.y, width: rect.width, height: rect.height });
  const kind = `${it.kind} ${box.isOpen ? "is-open" : ""} ${burning ? `burning ${burning.severity}` : ""}`;
  return (
    <>
      <div class={`box ${kind} ${selected === box.key ? "selected" : ""}`} style={style}>
        <button
          type="button"
          class="box-head"
          data-key={box.key}
          aria-pressed={selected === box.key}
          onClick={() => select(selected === box.key ? null : box.key)}
          onDblClick={() => canOpen(box.key) && toggle(box.key)}
        >
          <Name text={it.kind === "namespace" ? box.key : it.name} />
          {!(box.isOpen && burning) && <span class="dim">{about(it)}</span>}
          {burning && (
            <span class="flame">
              {box.isOpen ? `${number(burning.source + burning.target)} open` : flame(burning.source, burning.target)}
            </span>
          )}
        </button>
        {canOpen(box.key) && (
          <button
            type="button"
            class="box-toggle"
            aria-expanded={box.isOpen}
            aria-label={`${box.isOpen ? "Close" : "Open"} ${visible(box.key)}`}
            onClick={() => toggle(box.key)}
          >
            {box.isOpen ? "−" : "+"}
          </button>
        )}
      </div>
      {!placed.dense.has(box.key) &&
        box.items.map((item) => <Card key={item.id} item={item} placed={placed} isSelected={selected === item.id} />)}
    </>
  );
}

function Card({ item, placed, isSelected }: { item: Vertex; placed: Layout; isSelected: boolean }) {
  const rect = placed.rects.get(item.id);
  if (!rect) return null;
  const burning = fire(item);
  const style = px({ left: rect.x, top: rect.y, width: rect.width, height: rect.height });
  return (
    <button
      type="button"
      class={`node-card ${item.kind} ${burning ? `burning ${burning.severity}` : ""} ${isSelected ? "selected" : ""}`}
      style={style}
      data-key={item.id}
      aria-pressed={isSelected}
      onClick={() => select(isSelected ? null : item.id)}
    >
      <Name text={item.name} />
      <span class="dim">
        {item.contained_pods > 0 && "contained · "}
        {vertexKind(item)}
        {item.kind === "workload" && ` · ${count(item.pods, "pod")}`}
      </span>
      {burning && <span class="flame">{number(burning.source + burning.target)}<span class="unseen"> open</span></span>}
    </button>
  );
}

function about(it: Vertex): string {
  if (it.kind !== "namespace") return "";
  const unwatched = it.pods - it.covered_pods;
  const parts = [count(it.pods, "pod")];
  if (unwatched > 0) parts.push(`${number(unwatched)} not watched`);
  if (it.contained_pods > 0) parts.push(`${number(it.contained_pods)} contained`);
  return parts.join(", ");
}

function flame(source: number, target: number): string {
  const parts = [];
  if (source > 0) parts.push(`${number(source)} from`);
  if (target > 0) parts.push(`${number(target)} towards`);
  return `${parts.join(", ")} it`;
}
