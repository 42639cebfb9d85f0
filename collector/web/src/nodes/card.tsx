// One node: how it is at a glance, and everything it says of itself below.
import type { Node } from "../api/nodes";
import { Ago } from "../parts/ago";
import { Name } from "../parts/name";
import { bytes, count, number, plain } from "../words/names";
import { duration, seconds } from "../words/time";
import { visible } from "../words/visible";
import { Interfaces } from "./interfaces";
import type { Trouble } from "./troubles";

export function NodeCard({ node, troubles }: { node: Node; troubles: Trouble[] }) {
  const status = node.status;
  const isBad = troubles.some((it) => it.isBad);
  const pods = status?.pods ?? [];
  const hidden = pods.filter((it) => it.state !== "covered");
  return (
    <li class={`card node ${isBad ? "bad" : troubles.length > 0 ? "odd" : "good"}`}>
      <header>
        <h2>
          <Name text={node.name} />
        </h2>
        <span class={`mark ${node.connected ? "good" : "bad"}`}>{node.connected ? "connected" : "not connected"}</span>
        <span class="dim nowrap">
          seen <Ago time={node.last_seen} />
        </span>
      </header>
      {troubles.length > 0 && (
        <ul class="plain troubles">
          {troubles.map((it) => (
            <li key={it.what} class={it.isBad ? "bad" : "odd"}>
              <strong>{visible(it.what)}</strong> {it.remedy !== "" && <span class="dim">{visible(it.remedy)}</span>}
            </li>
          ))}
        </ul>
      )}
      {status ? (
        <dl class="figures">
          <Figure name="watched" value={`${number(status.slots.length)} of ${number(status.slots_capacity)}`} />
          {pods.length > 0 && (
            <Figure name="pods covered" value={`${number(pods.length - hidden.length)} of ${number(pods.length)}`} bad={hidden.some((it) => it.state === "not_attached")} />
          )}
          <Figure name="events waiting" value={number(status.events_pending)} bad={status.events_pending > 100} />
          <Figure name="clock" value={clock(node.clock_ahead)} />
          <Figure name="canary" value={status.canary ? (status.canary.found ? duration(status.canary.delay) : "not found") : "none yet"} bad={status.canary?.found === false} />
          <Figure name="version" value={node.agent_version} />
          <Figure name="attached by" value={status.attachment} />
          <Figure name="volume of 1 in" value={number(status.sample_rate)} />
          {status.spool && <Figure name="spool" value={`${bytes(status.spool.bytes)} of ${bytes(status.spool.capacity_bytes)}`} />}
        </dl>
      ) : (
        <p class="dim">It has not told how it is yet.</p>
      )}
      {status && (
        <details>
          <summary>All it says of itself</summary>
          <div class="node-more">
            <section>
              <h3>Lost, by reason</h3>
              {status.drops.every((it) => it.count === 0) ? (
                <p class="dim">Nothing since it started.</p>
              ) : (
                <ul>
                  {status.drops
                    .filter((it) => it.count > 0)
                    .map((it) => (
                      <li key={it.reason}>
                        {visible(plain(it.reason))}: {number(it.count)}
                      </li>
                    ))}
                </ul>
              )}
            </section>
            {hidden.length > 0 && (
              <section>
                <h3>{count(hidden.length, "pod")} not covered</h3>
                <ul>
                  {hidden.map((it) => (
                    <li key={it.uid}>
                      <Name text={`${it.namespace}/${it.pod}`} /> <span class="dim">{plain(it.state)}: {visible(it.reason)}</span>
                    </li>
                  ))}
                </ul>
              </section>
            )}
            <section>
              <h3>Findings</h3>
              <ul>
                {(status.findings ?? []).map((it) => (
                  <li key={it.check}>
                    <span class={`mark ${it.verdict}`}>{it.verdict}</span> {visible(plain(it.check))}: {visible(it.found)}
                    {it.remedy !== "" && <span class="dim"> {visible(it.remedy)}</span>}
                  </li>
                ))}
              </ul>
            </section>
            <Interfaces slots={status.slots} unwatched={status.unwatched} />
          </div>
        </details>
      )}
    </li>
  );
}

function Figure({ name, value, bad = false }: { name: string; value: string; bad?: boolean }) {
  return (
    <div class={bad ? "hot" : ""}>
      <dt>{name}</dt>
      <dd>{visible(value)}</dd>
    </div>
  );
}

function clock(ahead: string | null | undefined): string {
  const value = seconds(ahead);
  if (value === null) return "unknown";
  if (Math.abs(value) < 0.001) return "in step";
  return `${duration(`${Math.abs(value)}s`)} ${value > 0 ? "ahead" : "behind"}`;
}
