// What was counted against which threshold, over which window, as it grew.
import type { Event } from "../api/event";
import { Ago } from "../parts/ago";
import { number, plain } from "../words/names";
import { duration } from "../words/time";

export function Counts({ events, last }: { events: Event[]; last: Event }) {
  const crossed = last.crossed;
  const rows = distinct(events.length === 0 ? [last] : events);
  const ports = last.ports;
  return (
    <section class="block">
      <h3>Counted</h3>
      {crossed && (
        <p>
          It is an anomaly because <strong>{number(crossed.counted)}</strong> {plain(crossed.measure)}
          {crossed.window && <> within {duration(crossed.window)}</>} crossed the threshold of{" "}
          <strong>{number(crossed.threshold)}</strong>; over its life it counted <strong>{number(last.counted)}</strong>.
        </p>
      )}
      <div class="scroll" role="region" aria-label="Counts against thresholds" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">when</th>
              <th scope="col">measure</th>
              <th scope="col" class="num">
                counted
              </th>
              <th scope="col" class="num">
                threshold
              </th>
              <th scope="col">window</th>
              <th scope="col">
                <span class="unseen">share of the threshold</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((event) => (
              <CountRow key={event.cursor} event={event} />
            ))}
          </tbody>
        </table>
      </div>
      {ports && ports.distinct > 0 && (
        <dl class="figures">
          {(
            [
              ["ports contacted", ports.distinct, ""],
              ["refused", ports.refused, "refused"],
              ["answered", ports.answered, "answered"],
              ["silent", ports.silent, ""],
            ] as const
          ).map(([name, value, kind]) => (
            <div key={name} class={kind}>
              <dt>{name}</dt>
              <dd>{number(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {last.withheld > 0 && <p class="dim">{number(last.withheld)} events of the pod were held back, because there were too many.</p>}
    </section>
  );
}

/** How long the bar is: a threshold is one part of it, and every ten times as much one more. */
const MAGNITUDES = 6;

function CountRow({ event }: { event: Event }) {
  const crossed = event.crossed;
  if (!crossed) return null;
  const counted = event.state === "opened" ? crossed.counted : event.counted;
  const times = crossed.threshold > 0 ? counted / crossed.threshold : 0;
  return (
    <tr>
      <td class="nowrap">
        {event.state} <Ago time={event.raised_at} />
      </td>
      <td>{plain(crossed.measure)}</td>
      <td class="num">{number(counted)}</td>
      <td class="num">{number(crossed.threshold)}</td>
      <td class="nowrap">{event.state === "opened" ? duration(crossed.window) : "its life"}</td>
      <td class="nowrap">
        <meter min={0} max={MAGNITUDES} value={1 + Math.log10(Math.max(1, times))}>
          {number(Math.round(times))} times
        </meter>{" "}
        <span class="dim">×{number(Math.round(times * 10) / 10)}</span>
      </td>
    </tr>
  );
}

const MOST = 12;

/** The first ones and the last, when there are many; those that counted the same as the one before not. */
function distinct(events: Event[]): Event[] {
  const told = events.filter((it, index) => index === 0 || it.counted !== events[index - 1]?.counted);
  return told.length <= MOST ? told : [...told.slice(0, MOST / 2), ...told.slice(-MOST / 2)];
}
