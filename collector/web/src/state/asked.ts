// An answer of the collector that is kept fresh: asked again when something is heard of, and at most so often.
import { signal, type ReadonlySignal } from "@preact/signals";
import { Failure } from "../api/client";
import { expired } from "./caller";

export interface Asked<T> {
  /** The last answer; null before the first. */
  value: ReadonlySignal<T | null>;
  /** Why the last question had none. */
  failure: ReadonlySignal<string | null>;
  /** Soon, and once however often it is called meanwhile. */
  again: () => void;
  /** Now, whatever is under way. */
  now: () => Promise<void>;
  /** Forgets the answer, as of another question. */
  clear: () => void;
  stop: () => void;
}

const PAUSE_MS = 800;

export function asked<T>(question: (signal: AbortSignal) => Promise<T>): Asked<T> {
  const value = signal<T | null>(null);
  const failure = signal<string | null>(null);
  let under: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;

  async function now(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    under?.abort();
    const mine = new AbortController();
    under = mine;
    last = performance.now();
    try {
      const answer = await question(mine.signal);
      if (under !== mine) return;
      value.value = answer;
      failure.value = null;
    } catch (error) {
      if (under !== mine) return;
      if (error instanceof Failure && error.code === "unauthenticated") expired();
      failure.value = error instanceof Error ? error.message : String(error);
    }
    if (under === mine) under = null;
  }

  function again(): void {
    if (timer !== undefined) return;
    const wait = Math.max(0, last + PAUSE_MS - performance.now());
    timer = setTimeout(() => void now(), wait);
  }

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
    under?.abort();
    under = null;
  }

  function clear(): void {
    stop();
    value.value = null;
    failure.value = null;
  }

  return { value, failure, again, now, clear, stop };
}
