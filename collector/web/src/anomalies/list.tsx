// The list: one row for each anomaly, each a link to its evidence.
import { signal } from "@preact/signals";
import type { Anomaly } from "../api/anomalies";
import { client } from "../api/client";
import { Ago } from "../parts/ago";
import { Empty, Problem, Waiting } from "../parts/empty";
import { SeverityMark, StateMarks } from "../parts/marks";
import { Name } from "../parts/name";
import { VirtualList } from "../parts/virtual";
import { asked } from "../state/asked";
import { go, path, query, setQuery, withQuery } from "../state/router";
import { CHOICES, filterOf, narrowings } from "../words/filter";
import { count, number, plain, subject } from "../words/names";
import { visible } from "../words/visible";
import { at, came, failure, forgotten, indexOf, look, matching } from "./pages";

const ROW = 62;

/** The row the keys are at. */
const active = signal<readonly [number, number]>([-1, 0]);

/** To the next row, or the one before, and focuses it. */
export function step(by: number): void {
  const all = matching.value ?? 0;
  if (all === 0) return;
  const index = Math.min(all - 1, Math.max(0, active.value[0] + by));
  active.value = [index, active.value[1] + 1];
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-row="${index}"]`)?.focus());
}

export function linkOf(id: string): string {
  return withQuery(`/anomalies/${encodeURIComponent(id)}`, filterOf(query.value));
}

export function List({ opened }: { opened: string }) {
  came.value;
  const all = matching.value;
  if (all === null) return failure.value === null ? <Waiting what="anomalies" /> : <Problem text={failure.value} />;
  return (
    <>
      <Problem text={failure.value} />
      {all === 0 ? (
        <Nothing />
      ) : (
        <VirtualList
          label="Anomalies"
          count={all}
          rowHeight={ROW}
          show={active.value[0] < 0 ? null : active.value}
          onSeen={look}
          row={(index) => <Row index={index} anomaly={at(index)} all={all} opened={opened} />}
        />
      )}
      {forgotten.value > 0 && (
        <p class="foot dim">
          {count(forgotten.value, "older anomaly is", "older anomalies are")} no longer at hand; <code>picket events</code> still
          lists the events.
        </p>
      )}
    </>
  );
}

interface RowProps {
  index: number;
  anomaly: Anomaly | undefined;
  all: number;
  opened: string;
}

function Row({ index, anomaly, all, opened }: RowProps) {
  const place = { role: "listitem", "aria-setsize": all, "aria-posinset": index + 1 } as const;
  if (!anomaly) {
    return (
      <div class="row waiting-row" {...place}>
        …
      </div>
    );
  }
  const last = anomaly.last;
  return (
    <div class={`row ${last?.severity ?? ""} ${anomaly.state} ${anomaly.triage}`} {...place}>
      <a
        href={linkOf(anomaly.id)}
        data-row={index}
        aria-current={anomaly.id === opened ? "true" : undefined}
        onFocus={() => {
          if (active.value[0] !== index) active.value = [index, active.value[1]];
        }}
      >
        <span class="line">
          <SeverityMark severity={last?.severity ?? "unspecified"} />
          <strong>
            <Name text={subject(last)} />
          </strong>
          <span class="dim nowrap">{plain(last?.detector ?? "")}</span>
          <span class="right nowrap">
            {anomaly.assignee !== "" && <Name text={`@${anomaly.assignee}`} class="assignee" />}
            <StateMarks anomaly={anomaly} />
            <Ago time={anomaly.updated_at} />
          </span>
        </span>
        <bdi dir="ltr" class="sentence">{visible(last?.summary ?? anomaly.id)}</bdi>
      </a>
    </div>
  );
}

const reach = asked((signal) => client.nodes(signal));

/** Why there is none. */
function Nothing() {
  const filter = filterOf(query.value);
  if (narrowings(filter) > 0) {
    const clear = Object.fromEntries([...CHOICES, "text", "since", "until"].map((key) => [key, null]));
    return (
      <Empty title="No anomaly matches the filter">
        <p>
          The filter hides all there are.{" "}
          <button type="button" onClick={() => setQuery(clear)}>
            Show all
          </button>
        </p>
      </Empty>
    );
  }
  if (reach.value.value === null && reach.failure.value === null) reach.again();
  if (reach.failure.value !== null) {
    return (
      <Empty title="Nothing found">
        <p>No anomaly that you may see is in the log.</p>
      </Empty>
    );
  }
  const nodes = reach.value.value?.nodes ?? [];
  const connected = nodes.filter((it) => it.connected).length;
  if (nodes.length === 0) {
    return (
      <Empty title="No agent has connected yet">
        <p>
          Nothing watches any pod. Install the chart, or start <code>picket-agent</code> with <code>--collector</code>;
          then this fills by itself.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing found">
      <p>
        {number(connected)} of {count(nodes.length, "node")} watch, and no anomaly is in the log. To see one, scan
        something: <code>cargo xtask demo</code>, or <code>nmap</code> from a pod. <a href="/nodes">How the nodes are</a>
      </p>
    </Empty>
  );
}

/** Opens the one before or after the opened one. */
export function neighbour(id: string, by: number): void {
  const next = at(indexOf(id) + by);
  if (next && path.value.startsWith("/anomalies/")) go(linkOf(next.id), true);
}
