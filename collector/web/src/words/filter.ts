// The filter of the list of anomalies: read from the page's address, written to the collector's question.

/** Fields of which several values may be chosen; each is a facet too, but for `pod`. */
export const CHOICES = ["state", "severity", "triage", "detector", "namespace", "node", "assignee", "pod"] as const;

export type Choice = (typeof CHOICES)[number];

/** `since` as the address has it: how long back. */
export const SPANS: readonly (readonly [value: string, name: string])[] = [
  ["", "any time"],
  ["15m", "last 15 minutes"],
  ["1h", "last hour"],
  ["24h", "last 24 hours"],
  ["7d", "last 7 days"],
];

const SPAN_MS: Record<string, number> = { "15m": 900e3, "1h": 3600e3, "24h": 86_400e3, "7d": 604_800e3 };

const ON_ITS_OWN = ["text", "since", "until", "shadow", "correlated"] as const;

/** Only what is part of the filter. */
export function filterOf(address: URLSearchParams): URLSearchParams {
  const filter = new URLSearchParams();
  for (const key of CHOICES) {
    for (const value of new Set(address.getAll(key))) if (value !== "") filter.append(key, value);
  }
  for (const key of ON_ITS_OWN) {
    const value = address.get(key);
    if (value) filter.set(key, value);
  }
  return filter;
}

/** What the collector is asked; a span becomes a time, to the minute, so that the same question stays the same. */
export function questionOf(address: URLSearchParams, now: number): URLSearchParams {
  const question = filterOf(address);
  const since = question.get("since");
  const span = since === null ? undefined : SPAN_MS[since];
  if (span !== undefined) question.set("since", minute(now - span));
  else if (since !== null && Number.isNaN(Date.parse(since))) question.delete("since");
  return question;
}

function minute(at: number): string {
  return new Date(Math.floor(at / 60_000) * 60_000).toISOString();
}

/** How many things are asked for. */
export function narrowings(filter: URLSearchParams): number {
  return [...filter.keys()].filter((key) => key !== "shadow").length;
}

/** The values of a field with one more, or one less. */
export function toggled(filter: URLSearchParams, field: string, value: string): string[] {
  const chosen = filter.getAll(field);
  return chosen.includes(value) ? chosen.filter((it) => it !== value) : [...chosen, value];
}
