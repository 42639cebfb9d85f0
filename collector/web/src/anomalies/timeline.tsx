// Everything that was told of an anomaly, of the detector, of people, and of what was done, in one order.
import type { AnomalyDetails } from "../api/anomalies";
import type { Event } from "../api/event";
import { Ago } from "../parts/ago";
import { count, number } from "../words/names";
import { millis } from "../words/time";
import { visible } from "../words/visible";

type Told = { event: Event; by: "detector" | "person" | "action" };

export function Timeline({ details }: { details: AnomalyDetails }) {
  const { anomaly, events, triage, actions } = details;
  const told: Told[] = [
    ...events.map((event) => ({ event, by: "detector" as const })),
    ...triage.map((event) => ({ event, by: "person" as const })),
    ...actions.map((event) => ({ event, by: "action" as const })),
  ].sort((a, b) => (millis(a.event.raised_at) ?? 0) - (millis(b.event.raised_at) ?? 0) || a.event.cursor - b.event.cursor);
  const missing = anomaly.events - events.length - triage.length;
  return (
    <section class="block">
      <h3>Timeline</h3>
      <ol class="timeline">
        {told.map(({ event, by }) => (
          <li key={event.cursor} class={by}>
            <Ago time={event.raised_at} />
            <span class="mark">{word(event, by)}</span>
            <bdi dir="ltr">{visible(sentence(event, by))}</bdi>
          </li>
        ))}
      </ol>
      {missing > 0 && <p class="dim">{count(missing, "event")} between the first and the last {number(events.length)} not shown</p>}
    </section>
  );
}

function word(event: Event, by: Told["by"]): string {
  if (by === "person") return event.triage?.kind ?? "triage";
  if (by === "action") return event.action?.kind ?? "action";
  return event.state;
}

function sentence(event: Event, by: Told["by"]): string {
  const triage = event.triage;
  if (by !== "person" || !triage) return event.summary;
  const who = triage.by === "" ? "somebody" : triage.by;
  const said = triage.note === "" ? "" : `: ${triage.note}`;
  if (triage.kind === "assigned") {
    return triage.assignee === "" ? `${who} made it nobody's${said}` : `${who} gave it to ${triage.assignee}${said}`;
  }
  return `${who}${said}`;
}
