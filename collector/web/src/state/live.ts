// The stream of what changes: whether it is there, and who wants to know.
import { effect, signal } from "@preact/signals";
import type { Anomaly } from "../api/anomalies";
import { client, Failure } from "../api/client";
import { caller, expired, learn } from "./caller";

export type Link = "connecting" | "live" | "lost";

export const link = signal<Link>("connecting");
/** Since when what is shown is stale. */
export const lostAt = signal<number | null>(null);
/** The version of a collector that is not the one this page came from. */
export const otherVersion = signal<string | null>(null);

interface Heard {
  anomaly: Anomaly;
  nodes: null;
  policy: null;
  /** Much may have been missed: ask for everything again. */
  resync: null;
}

type Kind = keyof Heard;

const listeners: { [K in Kind]: Set<(what: Heard[K]) => void> } = {
  anomaly: new Set(),
  nodes: new Set(),
  policy: new Set(),
  resync: new Set(),
};

/** Until the function that is returned is called. */
export function listen<K extends Kind>(kind: K, heard: (what: Heard[K]) => void): () => void {
  listeners[kind].add(heard);
  return () => void listeners[kind].delete(heard);
}

function tell<K extends Kind>(kind: K, what: Heard[K]): void {
  for (const heard of [...listeners[kind]]) heard(what);
}

let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;
let version: string | null = null;
let log: string | null = null;
/** When anything came by the stream. */
let heardAt = 0;

/** How often the way to the collector is tried: a forwarded port can die without a word. */
const HEARTBEAT_MS = 10_000;
const PATIENCE_MS = 5_000;
const RETRY_MS = 1_000;
/** The collector is never silent for longer than its own heartbeat: then the stream is dead, if all else is well. */
const SILENCE_MS = 25_000;

export function start(): void {
  effect(() => {
    const known = caller.value;
    if (known && known.sign_in_needed && !known.signed_in) close();
    else if (!source) open();
  });
  setInterval(() => void beat(), HEARTBEAT_MS);
  addEventListener("online", () => void beat());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void beat();
  });
}

function close(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
  link.value = "connecting";
  lostAt.value = null;
}

function open(): void {
  clearTimeout(retry);
  source?.close();
  heardAt = performance.now();
  source = new EventSource("/api/v1/stream");
  source.addEventListener("hello", (event) => hello(event));
  source.addEventListener("anomaly", (event) => {
    arrived();
    tell("anomaly", JSON.parse((event as MessageEvent<string>).data) as Anomaly);
  });
  for (const kind of ["nodes", "policy", "resync"] as const) {
    source.addEventListener(kind, () => {
      arrived();
      tell(kind, null);
    });
  }
  source.addEventListener("heartbeat", arrived);
  source.onerror = () => {
    lost();
    // A browser gives up for good when the answer is no stream, as of a proxy whose other end is gone.
    if (source?.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_MS);
  };
}

function hello(event: globalThis.Event): void {
  const said = JSON.parse((event as MessageEvent<string>).data) as { version: string; log: string };
  const isAnother = log !== null;
  version ??= said.version;
  otherVersion.value = said.version === version ? null : said.version;
  log = said.log;
  arrived();
  if (isAnother) tell("resync", null);
}

function arrived(): void {
  heardAt = performance.now();
  link.value = "live";
  lostAt.value = null;
}

function lost(): void {
  if (link.value !== "lost") lostAt.value = Date.now();
  link.value = "lost";
}

async function beat(): Promise<void> {
  try {
    learn(await client.caller(AbortSignal.timeout(PATIENCE_MS)));
    if (!source) return;
    if (link.value === "live" && performance.now() - heardAt > SILENCE_MS) lost();
    if (link.value === "lost" && source.readyState !== EventSource.CONNECTING) open();
  } catch (error) {
    if (error instanceof Failure && error.code === "unauthenticated") expired();
    else if (performance.now() - heardAt > PATIENCE_MS) lost();
  }
}
