// What picket.v1.Graph answers, in JSON: see api/proto/picket/v1/graph.proto.
import type { Severity, Time } from "./event";

export type VertexKind = "namespace" | "workload" | "pod" | "service" | "node" | "outside" | "unspecified";

export interface Burning {
  open: number;
  severity: Severity;
  anomalies: string[];
}

export interface Vertex {
  id: string;
  kind: VertexKind;
  namespace: string;
  name: string;
  owner_kind: string;
  pods: number;
  covered_pods: number;
  source_of: Burning | null;
  target_of: Burning | null;
  contained_pods: number;
}

export interface LinkPort {
  transport: string;
  port: number;
  declared: boolean;
  service: string;
}

export interface Link {
  source: string;
  destination: string;
  ports: LinkPort[];
  further_ports: number;
  last_seen: Time;
  burning: Burning | null;
}

export interface GraphResponse {
  vertices: Vertex[];
  links: Link[];
  left_out_vertices: number;
  left_out_links: number;
  cursor: number;
}
