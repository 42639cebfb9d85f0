// Changes of the policy that were made here and are not in force: one for each thing that is set.
import { signal } from "@preact/signals";
import type { Change } from "../api/detectors";

export const drafted = signal<ReadonlyMap<string, Change>>(new Map());

/** Keeps a change; null takes it back. */
export function draft(key: string, change: Change | null): void {
  const next = new Map(drafted.value);
  if (change === null) next.delete(key);
  else next.set(key, change);
  drafted.value = next;
}

export function forget(): void {
  drafted.value = new Map();
}
