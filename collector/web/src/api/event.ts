// What picket.v1.Event is in JSON: see api/proto/picket/v1/event.proto.

export type Severity = "unspecified" | "info" | "low" | "medium" | "high";

/** RFC 3339, with nanoseconds; null when the message has none. */
export type Time = string | null;

/** Runs of ports, first and last, ascending. */
export type PortSet = [number, number][];

export interface Owner {
  kind: string;
  name: string;
}

export interface Endpoint {
  namespace: string;
  pod: string;
  uid: string;
  address: string;
  interface: string;
  workload: string;
  labels: Record<string, string>;
  owner: Owner | null;
  node: string;
  service: string;
  service_account: string;
  appeared_at: Time;
  unknown: string;
}

export interface Target {
  endpoint: Endpoint | null;
  failed_ports: number;
  answered_ports: number;
  sample_ports: number[];
}

export interface Criterion {
  measure: string;
  counted: number;
  threshold: number;
  window: string | null;
}

export interface PortCounts {
  distinct: number;
  refused: number;
  answered: number;
  silent: number;
  distinct_set?: PortSet | null;
  refused_set?: PortSet | null;
  answered_set?: PortSet | null;
}

export interface Coverage {
  records_dropped: number;
  parse_failures: number;
  sample_rate: number;
  spoofed_packets: number;
  contained_packets: number;
  reply_filter_percent: number;
}

export interface Action {
  kind: string;
  reason: string;
  by: string;
  command_id: string;
  lease_until: Time;
  anomaly_id: string;
}

export type TriageKind = "acknowledged" | "assigned" | "noted" | "resolved" | "reopened";

export interface Triage {
  anomaly_id: string;
  kind: TriageKind;
  by: string;
  assignee: string;
  note: string;
}

export interface Event {
  id: { node: string; epoch: string; sequence: number } | null;
  cursor: number;
  anomaly_id: string;
  state: "opened" | "updated" | "closed" | "unspecified";
  detector: string;
  severity: Severity;
  raised_at: Time;
  crossed_at: Time;
  first_seen: Time;
  last_seen: Time;
  source: Endpoint | null;
  targets: Target[];
  further_targets: number;
  crossed: Criterion | null;
  ports: PortCounts | null;
  counted: number;
  technique: string;
  samples: string[];
  shadow: boolean;
  withheld: number;
  attack_ids: string[];
  summary: string;
  coverage: Coverage | null;
  correlated_into: string;
  correlated: string[];
  durability: string;
  action: Action | null;
  triage?: Triage | null;
}
