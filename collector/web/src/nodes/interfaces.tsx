// The interfaces of a node: what each pod does now, and what could not be seen of it.
import type { NodeStatus, Slot } from "../api/nodes";
import { Name } from "../parts/name";
import { number, qualified } from "../words/names";

type Props = Pick<NodeStatus, "slots" | "unwatched">;

export function Interfaces({ slots, unwatched }: Props) {
  return (
    <section class="interfaces">
      <h3>Interfaces</h3>
      {unwatched.length > 0 && (
        <ul>
          {unwatched.map((it) => (
            <li key={it.interface}>
              <Name text={it.interface} /> is not watched: <Name text={it.reason} />
            </li>
          ))}
        </ul>
      )}
      {slots.length > 0 && (
        <div class="scroll tall" role="region" aria-label="Interfaces" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">pod</th>
                <th scope="col">addresses</th>
                <th scope="col" class="num">
                  ports in 1 min
                </th>
                <th scope="col" class="num">
                  missed
                </th>
                <th scope="col" class="num">
                  forged
                </th>
                <th scope="col" class="num">
                  dropped
                </th>
                <th scope="col" class="num">
                  filter
                </th>
              </tr>
            </thead>
            <tbody>
              {[...slots].sort(busiest).map((it) => (
                <tr key={it.interface}>
                  <td class="name-cell">
                    <Name text={it.pod === "" ? it.interface : qualified(it.namespace, it.pod)} />
                  </td>
                  <td class="mono">{it.addresses.join(", ")}</td>
                  <td class="num">{number(it.distinct_ports)}</td>
                  <td class="num">{number(it.records_dropped + it.parse_failures)}</td>
                  <td class="num">{number(it.spoofed_packets)}</td>
                  <td class="num">{number(it.contained_packets)}</td>
                  <td class="num">{it.reply_filter_percent} %</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function busiest(a: Slot, b: Slot): number {
  return b.distinct_ports - a.distinct_ports;
}
