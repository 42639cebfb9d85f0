// Sets of ports as runs: counted, asked, drawn, and said.
import type { PortSet } from "../api/event";

export const PORTS = 65_536;

/** Only runs that are within 0 to 65535 and the right way round. */
export function sound(set: PortSet | null | undefined): PortSet {
  return (set ?? []).filter(([first, last]) => first >= 0 && first <= last && last < PORTS);
}

export function size(set: PortSet): number {
  return set.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** How many ports of `from..=to` are in the set. */
export function within(set: PortSet, from: number, to: number): number {
  let count = 0;
  for (const [first, last] of set) {
    if (last < from) continue;
    if (first > to) break;
    count += Math.min(last, to) - Math.max(first, from) + 1;
  }
  return count;
}

/** For each of so many columns, the share of its ports that are in the set: 0 to 1. */
export function shares(set: PortSet, from: number, to: number, columns: number): Float32Array {
  const shares = new Float32Array(columns);
  const each = (to - from + 1) / columns;
  for (const [first, last] of set) {
    const start = Math.max(first, from) - from;
    const end = Math.min(last, to) - from + 1;
    if (start >= end) continue;
    const left = Math.floor(start / each);
    const right = Math.min(columns - 1, Math.ceil(end / each) - 1);
    for (let column = left; column <= right; column += 1) {
      const overlap = Math.min(end, (column + 1) * each) - Math.max(start, column * each);
      shares[column] = Math.min(1, (shares[column] ?? 0) + overlap / each);
    }
  }
  return shares;
}

/** `22, 80, 8000–8100 and 14 more runs`. */
export function listed(set: PortSet, most = 12): string {
  if (set.length === 0) return "none";
  const runs = set.slice(0, most).map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  const more = set.length - runs.length;
  if (more > 0) return `${runs.join(", ")} and ${more} more ${more === 1 ? "run" : "runs"}`;
  const last = runs.pop() ?? "";
  return runs.length === 0 ? last : `${runs.join(", ")} and ${last}`;
}
