// Paints the strip of ports: three rows on one axis, as dark as the share of a column's ports that are in the set.
import type { PortSet } from "../api/event";
import { shares } from "../words/ports";

export interface Sets {
  contacted: PortSet;
  refused: PortSet;
  answered: PortSet;
}

export const HEIGHT = 104;

const ROW = 24;
const GAP = 4;
const AXIS = 3 * (ROW + GAP);
/** A single port of thousands in a column is seen all the same. */
const FAINTEST = 0.55;

/** In the colours of the element's own style; sharp on any screen. */
export function draw(canvas: HTMLCanvasElement, sets: Sets, from: number, to: number): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.max(1, Math.floor(canvas.clientWidth * ratio));
  const height = Math.floor(HEIGHT * ratio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const paint = canvas.getContext("2d");
  if (!paint) return;
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim() || style.color;
  paint.clearRect(0, 0, width, height);
  const rows = [
    [sets.answered, colour("answered")],
    [sets.refused, colour("refused")],
    [sets.contacted, colour("contacted")],
  ] as const;
  rows.forEach(([set, fill], index) => {
    const top = Math.round(index * (ROW + GAP) * ratio);
    const tall = Math.round(ROW * ratio);
    paint.globalAlpha = 1;
    paint.fillStyle = colour("track");
    paint.fillRect(0, top, width, tall);
    paint.fillStyle = fill;
    shares(set, from, to, width).forEach((share, x) => {
      if (share === 0) return;
      paint.globalAlpha = FAINTEST + (1 - FAINTEST) * share;
      paint.fillRect(x, top, 1, tall);
    });
  });
  axis(paint, colour("dim"), { width, ratio, from, to });
}

interface Scale {
  width: number;
  ratio: number;
  from: number;
  to: number;
}

function axis(paint: CanvasRenderingContext2D, fill: string, { width, ratio, from, to }: Scale): void {
  paint.globalAlpha = 1;
  paint.fillStyle = fill;
  paint.font = `${11 * ratio}px ui-monospace, monospace`;
  paint.textBaseline = "top";
  const each = tick((to - from + 1) / Math.max(2, width / ratio / 80));
  for (let port = Math.ceil(from / each) * each; port <= to; port += each) {
    const x = ((port - from) / (to - from + 1)) * width;
    paint.fillRect(Math.round(x), AXIS * ratio, ratio, 4 * ratio);
    const text = String(port);
    const room = paint.measureText(text).width;
    paint.fillText(text, Math.min(Math.max(0, x - room / 2), width - room), (AXIS + 6) * ratio);
  }
}

/** The least of 1, 2 and 5 times a power of ten that is at least so much. */
function tick(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return [1, 2, 5, 10].map((it) => it * power).find((it) => it >= least) ?? 10 * power;
}
