// The links and the dots, as few paths as can be: thousands are drawn as one.
import { useMemo } from "preact/hooks";
import { curve } from "./curve";
import type { Layout, Rect } from "./layout";
import { fire, type Edge, type Model } from "./model";

interface Props {
  model: Model;
  placed: Layout;
  selected: string | null;
}

/** Beyond so many, links that are not special share paths and have no arrow. */
const ALONE = 300;
/** So many share one: a browser draws a whole path again for each tile of the screen that it touches. */
const TOGETHER = 24;

export function Lines({ model, placed, selected }: Props) {
  const ways = useMemo(() => {
    const found: { edge: Edge; d: string }[] = [];
    for (const edge of model.edges) {
      const [from, to] = [placed.rects.get(edge.from), placed.rects.get(edge.to)];
      if (from && to) found.push({ edge, d: curve(from, to) });
    }
    return found;
  }, [model, placed]);
  const dots = useMemo(() => dotsOf(model, placed), [model, placed]);
  const touches = ({ edge }: { edge: Edge }) => edge.from === selected || edge.to === selected;
  const isSpecial = (it: { edge: Edge }) => it.edge.burning !== null || touches(it);
  const many = ways.length > ALONE;
  const plain = many ? ways.filter((it) => !isSpecial(it)) : [];
  const alone = many ? ways.filter(isSpecial) : ways;
  const paths = (declared: boolean) =>
    together(plain.filter(({ edge }) => edge.declared === declared).map(({ d }) => d));
  const spot = selected !== null && dots.ids.has(selected) ? placed.rects.get(selected) : undefined;
  return (
    <svg
      class={`lines ${selected === null ? "" : "has-selected"}`}
      width={placed.width}
      height={placed.height}
      aria-hidden="true"
    >
      <defs>
        {["", "burning", "selected"].map((it) => (
          <marker
            key={it}
            id={`arrow-${it}`}
            class={`arrow ${it}`}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 0 8 4 0 8Z" />
          </marker>
        ))}
      </defs>
      {[true, false].flatMap((declared) =>
        paths(declared).map((d, index) => (
          <path key={`${declared} ${index}`} class={`edge many ${declared ? "" : "undeclared"}`} d={d} />
        )),
      )}
      <path class="dots" d={dots.calm} />
      <path class="dots service" d={dots.services} />
      <path class="dots burning" d={dots.burning} />
      {spot && <path class="dots selected" d={square(spot)} />}
      {alone.map((it) => {
        const kind = it.edge.burning ? "burning" : touches(it) ? "selected" : "";
        const style = `edge ${kind} ${it.edge.declared ? "" : "undeclared"} ${touches(it) ? "touches" : ""}`;
        return <path key={`${it.edge.from}\n${it.edge.to}`} class={style} d={it.d} marker-end={`url(#arrow-${kind})`} />;
      })}
    </svg>
  );
}

/** Links of one source follow each other, so that what shares a path is near. */
function together(lines: string[]): string[] {
  const paths: string[] = [];
  for (let start = 0; start < lines.length; start += TOGETHER) paths.push(lines.slice(start, start + TOGETHER).join(""));
  return paths;
}

function dotsOf(model: Model, placed: Layout) {
  const ids = new Set<string>();
  const drawn = { calm: "", services: "", burning: "" };
  for (const box of model.boxes) {
    if (!placed.dense.has(box.key)) continue;
    for (const item of box.items) {
      const rect = placed.rects.get(item.id);
      if (!rect) continue;
      ids.add(item.id);
      const kind = fire(item) ? "burning" : item.kind === "service" ? "services" : "calm";
      drawn[kind] += square(rect);
    }
  }
  return { ids, ...drawn };
}

function square({ x, y, width, height }: Rect): string {
  return `M${x} ${y}h${width}v${height}h${-width}z`;
}
