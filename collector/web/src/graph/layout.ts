// Where every box stands: a function of what there is, so that the same graph looks the same, and stays while it is.
import { compare, type Model } from "./model";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layout {
  /** Of boxes by key, and of what is in them by id. */
  rects: Map<string, Rect>;
  /** Boxes whose items are drawn as dots. */
  dense: Set<string>;
  width: number;
  height: number;
  /** Of what it was made: while that is the same, nothing moves. */
  of: string;
}

const CARD = { width: 168, height: 40, gap: 10 };
const DOT = { width: 14, height: 14, gap: 5 };
const HEAD = 46;
const PADDING = 12;
const GAP = { x: 110, y: 34 };
/** Of the whole: as wide as screens are. */
const ASPECT = 1.7;
/** Items of one box, and of all, that still have a name each. */
const NAMED = { ofBox: 48, ofAll: 320 };

export function layout(model: Model, before: Layout | null): Layout {
  const of = model.boxes.map((it) => [it.key, it.isOpen, ...it.items.map((item) => item.id)].join("\t")).join("\n");
  if (before?.of === of) return before;
  const items = model.boxes.reduce((sum, it) => sum + it.items.length, 0);
  const most = items > NAMED.ofAll ? 8 : NAMED.ofBox;
  const dense = new Set(model.boxes.filter((it) => it.items.length > most).map((it) => it.key));
  const sizes = new Map(model.boxes.map((it) => [it.key, size(it.vertex.pods, it.items.length, dense.has(it.key))]));
  const rects = columns(ordered(model), sizes);
  for (const box of model.boxes) {
    const rect = rects.get(box.key);
    if (rect) inside(box.items.map((it) => it.id), rect, dense.has(box.key), rects);
  }
  let [width, height] = [0, 0];
  for (const rect of rects.values()) {
    width = Math.max(width, rect.x + rect.width);
    height = Math.max(height, rect.y + rect.height);
  }
  return { rects, dense, width, height, of };
}

type Size = Pick<Rect, "width" | "height">;

/** A closed box grows with the logarithm of its pods: ten times as many are seen, not ten times as large. */
function size(pods: number, items: number, isDense: boolean): Size {
  const grown = Math.min(5, Math.floor(Math.log2(pods + 1) / 1.5));
  const closed = { width: 172 + 14 * grown, height: HEAD + 26 + 10 * grown };
  if (items === 0) return closed;
  const cell = isDense ? DOT : CARD;
  const across = columnsOf(items, isDense);
  const down = Math.ceil(items / across);
  return {
    width: Math.max(closed.width, across * (cell.width + cell.gap) - cell.gap + 2 * PADDING),
    height: HEAD + down * (cell.height + cell.gap) - cell.gap + PADDING,
  };
}

function columnsOf(items: number, isDense: boolean): number {
  return isDense ? Math.ceil(Math.sqrt(items * 1.6)) : Math.max(1, Math.ceil(Math.sqrt(items / 2.6)));
}

function inside(ids: string[], box: Rect, isDense: boolean, rects: Map<string, Rect>): void {
  const cell = isDense ? DOT : CARD;
  const across = columnsOf(ids.length, isDense);
  ids.forEach((id, index) => {
    rects.set(id, {
      x: box.x + PADDING + (index % across) * (cell.width + cell.gap),
      y: box.y + HEAD + Math.floor(index / across) * (cell.height + cell.gap),
      width: cell.width,
      height: cell.height,
    });
  });
}

/** Which item of a dense box is at a place. */
export function dotAt(ids: readonly string[], box: Rect, x: number, y: number): string | undefined {
  const across = columnsOf(ids.length, true);
  const column = Math.floor((x - box.x - PADDING + DOT.gap / 2) / (DOT.width + DOT.gap));
  const row = Math.floor((y - box.y - HEAD + DOT.gap / 2) / (DOT.height + DOT.gap));
  return column < 0 || column >= across || row < 0 ? undefined : ids[row * across + column];
}

/** Those that talk to others before those that are talked to; whatever is outside comes last. */
function ordered(model: Model): [key: string, rank: number][] {
  const next = new Map<string, Set<string>>(model.boxes.map((it) => [it.key, new Set()]));
  for (const edge of model.edges) {
    const [from, to] = [model.shown.get(edge.from)?.box, model.shown.get(edge.to)?.box];
    if (from !== undefined && to !== undefined && from !== to) next.get(from)?.add(to);
  }
  const ranks = ranked(next);
  return model.boxes
    .map((it): [string, number] => [it.key, it.key.startsWith("~") ? Number.MAX_SAFE_INTEGER : (ranks.get(it.key) ?? 0)])
    .sort((a, b) => a[1] - b[1] || compare(a[0], b[0]));
}

/** The longest way to each, without the links that close a circle; without recursion, for there may be thousands. */
function ranked(next: Map<string, Set<string>>): Map<string, number> {
  const finished: string[] = [];
  const state = new Map<string, "open" | "done">();
  const kept = new Map<string, string[]>();
  for (const start of [...next.keys()].sort(compare)) {
    if (state.has(start)) continue;
    const stack: [string, string[]][] = [[start, [...(next.get(start) ?? [])].sort(compare)]];
    state.set(start, "open");
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const [key, left] = top;
      const to = left.shift();
      if (to === undefined) {
        state.set(key, "done");
        finished.push(key);
        stack.pop();
      } else if (state.get(to) !== "open") {
        kept.set(key, [...(kept.get(key) ?? []), to]);
        if (!state.has(to)) {
          state.set(to, "open");
          stack.push([to, [...(next.get(to) ?? [])].sort(compare)]);
        }
      }
    }
  }
  const ranks = new Map<string, number>();
  for (const key of finished.reverse()) {
    const rank = ranks.get(key) ?? 0;
    for (const to of kept.get(key) ?? []) ranks.set(to, Math.max(ranks.get(to) ?? 0, rank + 1));
  }
  return ranks;
}

/** Fills columns from the left; a new rank begins a column unless the one before is hardly filled. */
function columns(order: [string, number][], sizes: Map<string, Size>): Map<string, Rect> {
  const all = [...sizes.values()];
  const area = all.reduce((sum, it) => sum + (it.width + GAP.x) * (it.height + GAP.y), 0);
  const tall = Math.max(...all.map((it) => it.height), Math.sqrt(area / ASPECT), 1);
  const filled: { keys: string[]; height: number; rank: number }[] = [];
  for (const [key, rank] of order) {
    const height = (sizes.get(key)?.height ?? 0) + GAP.y;
    const last = filled.at(-1);
    const fits = last && last.height + height <= tall + GAP.y && (last.rank === rank || last.height < tall * 0.75);
    if (fits) {
      last.keys.push(key);
      last.height += height;
      last.rank = rank;
    } else {
      filled.push({ keys: [key], height, rank });
    }
  }
  const highest = Math.max(0, ...filled.map((it) => it.height));
  const rects = new Map<string, Rect>();
  let x = 0;
  for (const column of filled) {
    const width = Math.max(...column.keys.map((key) => sizes.get(key)?.width ?? 0));
    let y = (highest - column.height) / 2;
    for (const key of column.keys) {
      const size = sizes.get(key) ?? { width: 0, height: 0 };
      rects.set(key, { x: x + (width - size.width) / 2, y, ...size });
      y += size.height + GAP.y;
    }
    x += width + GAP.x;
  }
  return rects;
}
