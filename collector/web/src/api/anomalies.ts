// What picket.v1.Anomalies answers, in JSON: see api/proto/picket/v1/anomalies.proto.
import type { Event, Time } from "./event";

export interface Anomaly {
  id: string;
  state: "open" | "closed" | "unspecified";
  triage: "new" | "acknowledged" | "resolved" | "unspecified";
  assignee: string;
  opened_at: Time;
  updated_at: Time;
  closed_at: Time;
  events: number;
  notes: number;
  last: Event | null;
}

export interface Facet {
  field: string;
  value: string;
  count: number;
}

export interface ListAnomaliesResponse {
  anomalies: Anomaly[];
  matching: number;
  open: number;
  facets: Facet[];
  cursor: number;
  forgotten: number;
}

export interface AnomalyDetails {
  anomaly: Anomaly;
  events: Event[];
  triage: Event[];
  actions: Event[];
  related: Anomaly[];
}
