// Whom a pod was seen to talk to within the last hour.
import type { Edge } from "../api/nodes";
import { Ago } from "../parts/ago";
import { Name } from "../parts/name";
import { qualified, transport } from "../words/names";

export function Edges({ edges, label }: { edges: Edge[]; label: string }) {
  if (edges.length === 0) return <p class="dim">Nobody, within the last hour.</p>;
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">direction</th>
            <th scope="col">other end</th>
            <th scope="col">port</th>
            <th scope="col">answered</th>
            <th scope="col">last seen</th>
          </tr>
        </thead>
        <tbody>
          {edges.map((it, index) => (
            <tr key={index}>
              <td>{it.outbound ? "→ to" : "← from"}</td>
              <td class="name-cell">
                <Name text={otherEnd(it)} />
              </td>
              <td class="nowrap">
                {transport(it.transport)} {it.port}
              </td>
              <td>{it.answered ? "yes" : "no"}</td>
              <td class="nowrap">
                <Ago time={it.last_seen} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function otherEnd(it: Edge): string {
  const name = it.pod || it.service;
  return name === "" ? it.address : `${qualified(it.namespace, name)} (${it.address})`;
}
