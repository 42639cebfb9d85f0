// The anomalies that match, asked for in pages as they are seen, and kept fresh.
import { signal } from "@preact/signals";
import type { Anomaly, Facet, ListAnomaliesResponse } from "../api/anomalies";
import { client, Failure } from "../api/client";
import { expired } from "../state/caller";

const PAGE = 100;
/** Pages that stay at hand; beyond, those farthest from what is seen go. */
const KEPT = 24;
const PAUSE_MS = 1000;

export const matching = signal<number | null>(null);
export const openCount = signal(0);
export const facets = signal<Facet[]>([]);
export const forgotten = signal(0);
export const failure = signal<string | null>(null);
/** Whether what is shown answers an earlier question. */
export const busy = signal(false);
/** Changes whenever a page came. */
export const came = signal(0);

let question = new URLSearchParams();
let pages = new Map<number, Anomaly[]>();
let under = new Map<number, AbortController>();
let seen: [number, number] = [0, 0];
let timer: ReturnType<typeof setTimeout> | undefined;

export function at(index: number): Anomaly | undefined {
  return pages.get(Math.floor(index / PAGE))?.[index % PAGE];
}

/** Where it is among the pages at hand; -1 when it is in none. */
export function indexOf(id: string): number {
  for (const [page, anomalies] of pages) {
    const index = anomalies.findIndex((it) => it.id === id);
    if (index >= 0) return page * PAGE + index;
  }
  return -1;
}

/** Asks something else. What is shown stays until the first answer. */
export function ask(next: URLSearchParams): void {
  question = next;
  for (const one of under.values()) one.abort();
  under = new Map();
  seen = [0, 0];
  busy.value = true;
  void load(0, true);
}

export function look(first: number, last: number): void {
  seen = [Math.floor(first / PAGE), Math.floor(last / PAGE)];
  for (let page = seen[0]; page <= seen[1]; page += 1) if (!pages.has(page)) void load(page, false);
}

/** Asks again for what is seen, soon. */
export function refresh(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    for (let page = seen[0]; page <= seen[1]; page += 1) void load(page, false);
    for (const page of [...pages.keys()]) if (page < seen[0] || page > seen[1]) pages.delete(page);
  }, PAUSE_MS);
}

export function stop(): void {
  clearTimeout(timer);
  timer = undefined;
}

async function load(page: number, alone: boolean): Promise<void> {
  if (under.has(page)) return;
  const mine = new AbortController();
  under.set(page, mine);
  const params = new URLSearchParams(question);
  params.set("offset", String(page * PAGE));
  params.set("limit", String(PAGE));
  try {
    const answer = await client.anomalies(params, mine.signal);
    if (under.get(page) === mine) take(page, answer, alone);
  } catch (error) {
    if (mine.signal.aborted) return;
    if (error instanceof Failure && error.code === "unauthenticated") expired();
    failure.value = error instanceof Error ? error.message : String(error);
    busy.value = false;
  } finally {
    if (under.get(page) === mine) under.delete(page);
  }
}

function take(page: number, answer: ListAnomaliesResponse, alone: boolean): void {
  if (alone) pages = new Map();
  pages.set(page, answer.anomalies);
  const farthest = [...pages.keys()].sort((a, b) => Math.abs(b - seen[0]) - Math.abs(a - seen[0]));
  for (const far of farthest.slice(0, Math.max(0, pages.size - KEPT))) pages.delete(far);
  matching.value = answer.matching;
  openCount.value = answer.open;
  facets.value = answer.facets;
  forgotten.value = answer.forgotten;
  failure.value = null;
  busy.value = false;
  came.value += 1;
}
