// The line of a link: from the side of one box to the facing side of the other.
import type { Rect } from "./layout";

/** As the `d` of a path; the two directions between the same boxes do not cover each other. */
export function curve(from: Rect, to: Rect): string {
  const apart = 6;
  if (to.x >= from.x + from.width) return across(from.x + from.width, middle(from) - apart, to.x, middle(to) - apart);
  if (from.x >= to.x + to.width) return across(from.x, middle(from) + apart, to.x + to.width, middle(to) + apart);
  return below(from, to);
}

function middle(rect: Rect): number {
  return rect.y + rect.height / 2;
}

function across(x1: number, y1: number, x2: number, y2: number): string {
  const bend = Math.max(30, Math.abs(x2 - x1) / 2) * Math.sign(x2 - x1);
  return `M${n(x1)} ${n(y1)}C${n(x1 + bend)} ${n(y1)} ${n(x2 - bend)} ${n(y2)} ${n(x2)} ${n(y2)}`;
}

/** Boxes of one column: out of the right side and back into it downwards, by the left side upwards. */
function below(from: Rect, to: Rect): string {
  const isDown = middle(to) >= middle(from);
  const x = (rect: Rect) => (isDown ? rect.x + rect.width : rect.x);
  const out = (30 + Math.min(50, Math.abs(middle(to) - middle(from)) / 6)) * (isDown ? 1 : -1);
  const [x1, y1, x2, y2] = [x(from), middle(from), x(to), middle(to)];
  return `M${n(x1)} ${n(y1)}C${n(x1 + out)} ${n(y1)} ${n(x2 + out)} ${n(y2)} ${n(x2)} ${n(y2)}`;
}

function n(value: number): number {
  return Math.round(value * 10) / 10;
}
