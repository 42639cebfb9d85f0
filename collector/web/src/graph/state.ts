// What is shown of the graph: kept in the address, asked of the collector, kept fresh.
import { computed, signal } from "@preact/signals";
import { client } from "../api/client";
import { asked } from "../state/asked";
import { query, setQuery } from "../state/router";
import { ALL, model, type Model } from "./model";

export type Face = "graph" | "table";

const NARROW = matchMedia("(max-width: 760px)");
const narrow = signal(NARROW.matches);
NARROW.addEventListener("change", () => (narrow.value = NARROW.matches));

/** As a picture or as a table: the table where there is little room, unless it is chosen. */
export const face = computed((): Face => {
  const chosen = query.value.get("view");
  if (chosen === "graph" || chosen === "table") return chosen;
  return narrow.value ? "table" : "graph";
});

export const open = computed((): ReadonlySet<string> => new Set(query.value.getAll("open")));
export const detail = computed(() => (query.value.get("detail") === "pods" ? "pods" : "workloads"));
/** Key of a box, or id of what is in one. */
export const selected = computed(() => query.value.get("at"));

export const whole = asked((signal) => client.graph(new URLSearchParams({ detail: "namespaces" }), signal));

export const within = asked((signal) => {
  const question = new URLSearchParams({ detail: detail.value });
  if (!open.value.has(ALL)) for (const namespace of open.value) question.append("namespace", namespace);
  return client.graph(question, signal);
});

export const shown = computed((): Model | null => {
  const known = whole.value.value;
  if (!known) return null;
  return model(known, open.value.size > 0 ? within.value.value : null, open.value);
});

export function select(key: string | null): void {
  setQuery({ at: key }, true);
}

export function toggle(key: string): void {
  const next = new Set(open.value);
  if (next.has(ALL)) {
    next.delete(ALL);
    for (const box of shown.value?.boxes ?? []) if (!box.key.startsWith("~")) next.add(box.key);
  }
  if (!next.delete(key)) next.add(key);
  setQuery({ open: [...next].sort() });
}

/** What is outside, and nodes, open only with all: nobody can ask for them alone. */
export function canOpen(key: string): boolean {
  return !key.startsWith("~");
}
