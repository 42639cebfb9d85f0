// What picket.v1.Nodes and Actions answer, in JSON: see api/proto/picket/v1/nodes.proto, actions.proto and pods.proto.
import type { Owner, Time } from "./event";

export interface Slot {
  interface: string;
  namespace: string;
  pod: string;
  addresses: string[];
  distinct_ports: number;
  records_dropped: number;
  parse_failures: number;
  spoofed_packets: number;
  contained_packets: number;
  reply_filter_percent: number;
}

export interface Finding {
  check: string;
  verdict: "ok" | "warning" | "failed" | "unknown";
  found: string;
  remedy: string;
}

export interface Canary {
  at: Time;
  found: boolean;
  delay: string | null;
  packets_sent: number;
  packets_counted: number;
  reason: string;
}

export interface PolicyStatus {
  revision: string;
  name: string;
  error: string;
  exceptions: { name: string; hits: number }[];
}

export interface NodeStatus {
  attachment: string;
  sample_rate: number;
  slots_capacity: number;
  slots: Slot[];
  unwatched: { interface: string; reason: string }[];
  drops: { reason: string; count: number }[];
  events_pending: number;
  spool: { durability: string; reason: string; bytes: number; capacity_bytes: number; damaged_records: number } | null;
  pods?: { namespace: string; pod: string; uid: string; state: string; reason: string }[];
  findings?: Finding[];
  canary?: Canary | null;
  policy?: PolicyStatus | null;
}

export interface Node {
  name: string;
  connected: boolean;
  last_seen: Time;
  agent_version: string;
  status: NodeStatus | null;
  clock_ahead?: string | null;
}

export interface ListNodesResponse {
  nodes: Node[];
  policy?: PolicyStatus | null;
}

export interface Containment {
  node: string;
  namespace: string;
  pod: string;
  uid: string;
  interface: string;
  since: Time;
  until: Time;
  by: string;
  reason: string;
  dropped_packets: number;
}

export interface Pod {
  namespace: string;
  name: string;
  uid: string;
  node: string;
  addresses: string[];
  labels: Record<string, string>;
  owner: Owner | null;
  service_account: string;
  host_network: boolean;
}

export interface Edge {
  address: string;
  namespace: string;
  pod: string;
  service: string;
  transport: string;
  port: number;
  outbound: boolean;
  answered: boolean;
  last_seen: Time;
}

export interface Described {
  pod: Pod | null;
  edges: Edge[];
  protected: string;
}

export interface Quarantine {
  /** YAML, with what is to be done as comments. */
  policy: string;
  cuts: Edge[];
  leaves: Edge[];
}

export interface Outcome {
  id: string;
  obeyed: boolean;
  reason: string;
  lease_until: Time;
}
