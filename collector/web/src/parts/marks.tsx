// Small marks of state: severity, triage, and what is told by more than a colour.
import type { Anomaly } from "../api/anomalies";
import type { Severity } from "../api/event";

const SHAPES: Record<Severity, string> = {
  high: "M8 1 15 14H1Z",
  medium: "M8 1 15 8 8 15 1 8Z",
  low: "M2 2h12v12H2Z",
  info: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  unspecified: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
};

/** A shape and a colour for each; the word too unless the row says it elsewhere. */
export function SeverityMark({ severity, word = true }: { severity: Severity; word?: boolean }) {
  return (
    <span class={`severity ${severity}`}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[severity]} />
      </svg>
      <span class={word ? "" : "unseen"}>{severity}</span>
    </span>
  );
}

export function StateMarks({ anomaly }: { anomaly: Anomaly }) {
  return (
    <>
      <span class={`mark ${anomaly.state}`}>{anomaly.state}</span>
      {anomaly.triage !== "new" && <span class="mark">{anomaly.triage}</span>}
      {anomaly.last?.shadow && <span class="mark shadow">shadow</span>}
    </>
  );
}
