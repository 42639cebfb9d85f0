// Asks the collector over HTTP: the one place that knows its paths.
import type { AnomalyDetails, ListAnomaliesResponse } from "./anomalies";
import type { Change, Edited, ListDetectorsResponse, Preview } from "./detectors";
import type { TriageKind } from "./event";
import type { GraphResponse } from "./graph";
import type { Containment, Described, ListNodesResponse, Outcome, Quarantine } from "./nodes";

export interface Caller {
  principal: string;
  namespaces: "all" | string[];
  signed_in: boolean;
  sign_in_needed: boolean;
  version: string;
  log: string;
}

export interface Signed {
  command: string;
  certificates: string[];
  signature: string;
}

/** What the collector, or the way to it, answered instead. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const ROOT = "/api/v1/";

async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { "X-Picket": "1" };
  const init: RequestInit = { method, headers, signal: signal ?? null };
  if (method !== "GET") {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body ?? {});
  }
  let response: Response;
  try {
    response = await fetch(ROOT + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Failure("unreachable", "The collector cannot be reached. This goes on by itself when it is back.");
  }
  const text = await response.text();
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
  throw failure(response, text);
}

function failure(response: Response, text: string): Failure {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new Failure(error.code, error.message);
  } catch {
    const code = response.status === 401 ? "unauthenticated" : "unknown";
    return new Failure(code, `The collector answered ${response.status} ${response.statusText}`.trim() + ".");
  }
}

const part = encodeURIComponent;

export const client = {
  caller: (signal?: AbortSignal) => ask<Caller>("GET", "caller", undefined, signal),
  signIn: (token: string) => ask<void>("POST", "caller", { token }),
  signOut: () => ask<void>("DELETE", "caller"),
  anomalies: (query: URLSearchParams, signal?: AbortSignal) =>
    ask<ListAnomaliesResponse>("GET", `anomalies?${query}`, undefined, signal),
  anomaly: (id: string, signal?: AbortSignal) =>
    ask<AnomalyDetails>("GET", `anomalies/${part(id)}`, undefined, signal),
  triage: (id: string, kind: TriageKind, more: { assignee?: string; note?: string }) =>
    ask<unknown>("POST", `anomalies/${part(id)}/triage`, { kind, assignee: "", note: "", ...more }),
  graph: (query: URLSearchParams, signal?: AbortSignal) =>
    ask<GraphResponse>("GET", `graph?${query}`, undefined, signal),
  detectors: (signal?: AbortSignal) => ask<ListDetectorsResponse>("GET", "detectors", undefined, signal),
  edit: (changes: Change[]) => ask<Edited>("POST", "detectors/edit", { changes }),
  preview: (text: string) => ask<Preview>("POST", "detectors/preview", { text }),
  setPolicy: (text: string, replaces: string) =>
    ask<{ revision: string }>("PUT", "detectors", { text, replaces }),
  nodes: (signal?: AbortSignal) => ask<ListNodesResponse>("GET", "nodes", undefined, signal),
  containments: (signal?: AbortSignal) =>
    ask<{ containments: Containment[] }>("GET", "containments", undefined, signal),
  describe: (namespace: string, pod: string, signal?: AbortSignal) =>
    ask<Described>("GET", `pods/${part(namespace)}/${part(pod)}`, undefined, signal),
  quarantine: (namespace: string, pod: string, allow: URLSearchParams, signal?: AbortSignal) =>
    ask<Quarantine>("GET", `pods/${part(namespace)}/${part(pod)}/policy?${allow}`, undefined, signal),
  command: (signed: Signed) => ask<Outcome>("POST", "commands", signed),
};
