// Keys that work wherever the reader is, unless he writes.
import { signal } from "@preact/signals";
import { go } from "./router";
import { nextTheme } from "./theme";

export const helpShown = signal(false);

/** What a view does at a key, while it is shown. */
const ofView = new Map<string, () => void>();

export function onKey(key: string, act: () => void): () => void {
  ofView.set(key, act);
  return () => {
    if (ofView.get(key) === act) ofView.delete(key);
  };
}

export const VIEWS: readonly (readonly [key: string, view: string, name: string])[] = [
  ["g", "graph", "Graph"],
  ["a", "anomalies", "Anomalies"],
  ["d", "detectors", "Detectors"],
  ["n", "nodes", "Nodes"],
  ["c", "act", "Act"],
];

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (writes(event.target)) {
    if (event.key === "Escape") (event.target as HTMLElement).blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const view = VIEWS.find(([key]) => key === event.key);
  const act = ofView.get(event.key);
  if (act) act();
  else if (event.key === "?") helpShown.value = true;
  else if (event.key === "t") nextTheme();
  else if (view) go(`/${view[1]}`);
  else return;
  event.preventDefault();
});
