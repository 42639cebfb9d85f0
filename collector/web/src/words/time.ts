// Times and durations, as people read them.

/** Milliseconds since 1970; nanoseconds are cut off. */
export function millis(time: string | null | undefined): number | null {
  if (!time) return null;
  const at = Date.parse(time.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(at) ? null : at;
}

const STEPS: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "m"],
];

/** The two largest parts: `3 h 12 m`; below a minute `12 s`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  for (const [index, [size, unit]] of STEPS.entries()) {
    if (whole < size) continue;
    const next = STEPS[index + 1] ?? [1, "s"];
    const rest = Math.floor((whole % size) / next[0]);
    const head = `${Math.floor(whole / size)} ${unit}`;
    return rest === 0 ? head : `${head} ${rest} ${next[1]}`;
  }
  return `${whole} s`;
}

export function ago(time: string | null | undefined, now: number): string {
  const at = millis(time);
  if (at === null) return "never";
  const seconds = (now - at) / 1000;
  if (seconds < -2) return `in ${roughly(-seconds)}`;
  return seconds < 2 ? "now" : `${roughly(seconds)} ago`;
}

/** The largest part alone. */
function roughly(seconds: number): string {
  return span(seconds).split(" ").slice(0, 2).join(" ");
}

/** In UTC, to the second: `2026-01-31 12:00:00`. */
export function exact(time: string | null | undefined): string {
  const at = millis(time);
  return at === null ? "unknown" : new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

/** `90s` of the wire is 90. */
export function seconds(duration: string | null | undefined): number | null {
  const found = /^(-?\d+(?:\.\d+)?)s$/.exec(duration ?? "");
  return found ? Number(found[1]) : null;
}

/** `0.25s` is `250 ms`, `3600s` is `1 h`. */
export function duration(text: string | null | undefined): string {
  const value = seconds(text);
  if (value === null) return text ?? "";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size < 0.001 && size > 0) return `${sign}${Math.round(size * 1e6)} µs`;
  if (size < 1) return `${sign}${Math.round(size * 1000)} ms`;
  return size < 60 ? `${sign}${Number(size.toFixed(1))} s` : sign + span(size);
}

/** What people write of a lease or an end, `10m` or `1h30m`, in seconds; null when it is none. */
export function parseDuration(text: string): number | null {
  const units: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
  const trimmed = text.replace(/\s+/g, "");
  if (!/^(\d+[smhdw])+$/.test(trimmed)) return null;
  let total = 0;
  for (const [, count, unit] of trimmed.matchAll(/(\d+)([smhdw])/g)) {
    total += Number(count) * (units[unit ?? ""] ?? 0);
  }
  return total;
}
