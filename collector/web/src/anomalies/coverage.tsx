// What the agent could not see of the pod: an honest account, also when there is nothing to say.
import type { Coverage, Event } from "../api/event";
import { count } from "../words/names";

export function CoverageOf({ event }: { event: Event }) {
  const gaps = event.coverage ? unseen(event.coverage) : [];
  return (
    <section class="block">
      <h3>What was not seen</h3>
      {event.coverage === null && <p class="dim">The event does not say: the collector found this one from several others.</p>}
      {event.coverage !== null && gaps.length === 0 && <p>Nothing was missed of this pod.</p>}
      {gaps.length > 0 && (
        <ul>
          {gaps.map((it) => (
            <li key={it}>{it}</li>
          ))}
        </ul>
      )}
      {event.coverage !== null && event.coverage.sample_rate > 1 && (
        <p class="dim">
          Volume is estimated from one packet in {event.coverage.sample_rate}; what the pod initiated is counted packet by
          packet.
        </p>
      )}
      {event.durability === "volatile" && (
        <p>The event was in the agent's memory alone until the collector had it: its spool was not on disk.</p>
      )}
    </section>
  );
}

function unseen(it: Coverage): string[] {
  const told: [number, string][] = [
    [it.records_dropped, `${count(it.records_dropped, "record")} found no room: their ports are counted, targets and outcomes may miss`],
    [it.parse_failures, `${count(it.parse_failures, "packet")} could not be parsed`],
    [it.spoofed_packets, `${count(it.spoofed_packets, "packet")} had a source that is none of the pod's addresses`],
    [it.contained_packets, `${count(it.contained_packets, "packet")} did not leave the pod, because it was contained`],
    [
      it.reply_filter_percent >= 50 ? it.reply_filter_percent : 0,
      `The filter that tells replies from probes was ${it.reply_filter_percent} % full: probes may have passed for replies`,
    ],
  ];
  return told.filter(([value]) => value > 0).map(([, text]) => text);
}
