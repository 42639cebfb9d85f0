// What it reached for, by name.
import type { Event } from "../api/event";
import { Name } from "../parts/name";
import { count, endpoint, endpointKind, number } from "../words/names";

export function Targets({ event }: { event: Event }) {
  if (event.targets.length === 0) return null;
  return (
    <section class="block">
      <h3>Targets</h3>
      <div class="scroll" role="region" aria-label="Targets" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">target</th>
              <th scope="col">address</th>
              <th scope="col" class="num">
                failed ports
              </th>
              <th scope="col" class="num">
                answered
              </th>
              <th scope="col">such as</th>
            </tr>
          </thead>
          <tbody>
            {event.targets.map((target, index) => (
              <tr key={index}>
                <td class="name-cell">
                  <Name text={endpoint(target.endpoint)} /> <span class="dim">{endpointKind(target.endpoint)}</span>
                </td>
                <td class="mono">{target.endpoint?.address ?? ""}</td>
                <td class="num">{number(target.failed_ports)}</td>
                <td class="num">{number(target.answered_ports)}</td>
                <td class="mono">{target.sample_ports.join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {event.further_targets > 0 && <p class="dim">and {count(event.further_targets, "further target")}</p>}
    </section>
  );
}
