// What picket.v1.Detectors answers, in JSON: see api/proto/picket/v1/detectors.proto.
import type { Time } from "./event";

export interface Threshold {
  key: string;
  value: string;
  default: string;
  takes: string;
}

export interface DetectorActivity {
  node: string;
  open: number;
  last_raised_at: Time;
}

export type Mode = "on" | "shadow" | "off";

export interface Detector {
  id: string;
  about: string;
  mode: Mode;
  thresholds: Threshold[];
  of_collector: boolean;
  activity: DetectorActivity[];
}

export interface ExceptionStatus {
  name: string;
  owner: string;
  reason: string;
  until: Time;
  expired: boolean;
  hits: number;
}

export interface ScopeStatus {
  selector: string;
  settings: string[];
}

export interface ListDetectorsResponse {
  detectors: Detector[];
  text: string;
  revision: string;
  writable: boolean;
  not_writable: string;
  exceptions: ExceptionStatus[];
  scopes: ScopeStatus[];
}

export interface NewException {
  name: string;
  owner: string;
  reason: string;
  detectors: string[];
  namespaces: string[];
  labels: Record<string, string>;
  targets: string[];
  until: string | null;
}

export type Change =
  | { detector: string; mode: Mode }
  | { detector: string; threshold: string; value: string }
  | { add_exception: NewException }
  | { remove_exception: string };

export interface Edited {
  text: string;
  problems: string[];
}

export interface DetectorPreview {
  id: string;
  raised: number;
  kept: number;
  gone: string[];
  at_least: boolean;
}

export interface Preview {
  detectors: DetectorPreview[];
  covers: string | null;
}
