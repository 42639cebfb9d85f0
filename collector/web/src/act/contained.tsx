// The pods that are contained, with what is left of their leases.
import type { Containment } from "../api/nodes";
import { Ago } from "../parts/ago";
import { Empty } from "../parts/empty";
import { Name } from "../parts/name";
import { now } from "../state/clock";
import { number, qualified } from "../words/names";
import { exact, millis, span } from "../words/time";

export function Contained({ containments }: { containments: Containment[] }) {
  if (containments.length === 0) {
    return (
      <Empty title="Nothing is contained">
        <p>A contained pod keeps the ports it already uses, and reaches no new one, until its lease ends.</p>
      </Empty>
    );
  }
  return (
    <div class="scroll" role="region" aria-label="Contained pods" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">pod</th>
            <th scope="col">node</th>
            <th scope="col">lease ends</th>
            <th scope="col">since</th>
            <th scope="col">by</th>
            <th scope="col" class="num">
              dropped
            </th>
            <th scope="col">reason</th>
            <th scope="col">
              <span class="unseen">release</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {containments.map((it) => (
            <tr key={`${it.node} ${it.interface} ${it.uid}`}>
              <td class="name-cell">
                <Name text={it.pod === "" ? it.interface : qualified(it.namespace, it.pod)} />
              </td>
              <td class="name-cell">
                <Name text={it.node} />
              </td>
              <td class="nowrap">
                <Lease until={it.until} />
              </td>
              <td class="nowrap">
                <Ago time={it.since} />
              </td>
              <td class="name-cell">
                <Name text={it.by === "" ? "the agent" : it.by} />
              </td>
              <td class="num">{number(it.dropped_packets)}</td>
              <td class="name-cell">
                <Name text={it.reason} />
              </td>
              <td>
                {it.pod !== "" && (
                  <a class="button" href={`/act?${new URLSearchParams({ pod: qualified(it.namespace, it.pod), do: "release" })}`}>
                    Release …
                  </a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Lease({ until }: { until: string | null }) {
  const end = millis(until);
  if (end === null) return <span>unknown</span>;
  const left = (end - now.value) / 1000;
  return (
    <time dateTime={until ?? ""} title={`${exact(until)} UTC`} class={left < 60 ? "hot" : ""}>
      {left <= 0 ? "has ended" : `in ${span(left)}`}
    </time>
  );
}
