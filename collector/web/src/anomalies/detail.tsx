// One anomaly: what it is, why it is one, what to do, and everything that was told of it.
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { AnomalyDetails, Anomaly } from "../api/anomalies";
import { client } from "../api/client";
import { Ago } from "../parts/ago";
import { Empty, Problem, Waiting } from "../parts/empty";
import { SeverityMark, StateMarks } from "../parts/marks";
import { Name, NameLink } from "../parts/name";
import { asked } from "../state/asked";
import { listen } from "../state/live";
import { go, query, withQuery } from "../state/router";
import { onKey } from "../state/shortcuts";
import { filterOf } from "../words/filter";
import { endpoint, plain, subject } from "../words/names";
import { visible } from "../words/visible";
import { CoverageOf } from "./coverage";
import { Counts } from "./counts";
import { linkOf, neighbour } from "./list";
import { PortStrip } from "./strip";
import { RawEvent } from "./raw";
import { Targets } from "./targets";
import { Timeline } from "./timeline";
import { WhatToDo } from "./todo";
import { Attack, Source } from "./who";

export function Detail({ id }: { id: string }) {
  const details = useMemo(() => asked((signal) => client.anomaly(id, signal)), [id]);
  const head = useRef<HTMLHeadingElement>(null);
  const back = () => go(withQuery("/anomalies", filterOf(query.value)));
  useEffect(() => {
    void details.now();
    const stops = [
      listen("anomaly", (anomaly) => anomaly.id === id && details.again()),
      listen("resync", details.again),
      onKey("Escape", back),
      onKey("J", () => neighbour(id, 1)),
      onKey("K", () => neighbour(id, -1)),
      details.stop,
    ];
    return () => stops.forEach((stop) => stop());
  }, [details]);
  const known = details.value.value;
  useEffect(() => {
    if (known) head.current?.focus({ preventScroll: true });
  }, [known === null]);
  return (
    <article class="detail" aria-label="The anomaly">
      <p class="back">
        <a href={withQuery("/anomalies", filterOf(query.value))}>← All that match</a>
      </p>
      {known ? (
        <Known details={known} head={head} again={() => void details.now()} />
      ) : details.failure.value === null ? (
        <Waiting what="the anomaly" />
      ) : (
        <Empty title="It cannot be shown">{visible(details.failure.value)}</Empty>
      )}
      {known && <Problem text={details.failure.value} />}
    </article>
  );
}

interface KnownProps {
  details: AnomalyDetails;
  head: RefObject<HTMLHeadingElement | null>;
  again: () => void;
}

function Known({ details, head, again }: KnownProps) {
  const { anomaly, events } = details;
  const last = anomaly.last;
  if (!last) return <Empty title="The log holds no event of it any more" />;
  const withPorts = [...events, last].reverse().find((it) => it.ports !== null && it.ports !== undefined);
  return (
    <>
      <header class="detail-head">
        <p class="line">
          <SeverityMark severity={last.severity} />
          <span>{plain(last.detector)}</span>
          <StateMarks anomaly={anomaly} />
          <span class="dim">
            opened <Ago time={anomaly.opened_at} />, last told of <Ago time={anomaly.updated_at} />
            {anomaly.closed_at && (
              <>
                , closed <Ago time={anomaly.closed_at} />
              </>
            )}
          </span>
        </p>
        <h2 ref={head} tabIndex={-1}>
          <Name text={subject(last)} />
        </h2>
        <p class="summary">
          <bdi dir="ltr">{visible(last.summary)}</bdi>
        </p>
        <Attack ids={last.attack_ids} />
      </header>
      <WhatToDo anomaly={anomaly} last={last} again={again} />
      <Counts events={events} last={last} />
      {withPorts?.ports && <PortStrip counts={withPorts.ports} />}
      <Targets event={last} />
      <Timeline details={details} />
      <Source event={last} />
      <CoverageOf event={last} />
      <Related related={details.related} into={last.correlated_into} parts={last.correlated} />
      <RawEvent event={last} />
    </>
  );
}

function Related({ related, into, parts }: { related: Anomaly[]; into: string; parts: string[] }) {
  const known = new Set(related.map((it) => it.id));
  const further = parts.filter((it) => !known.has(it));
  return (
    <section class="block">
      <h3>Related</h3>
      {into !== "" && (
        <p>
          It is part of an anomaly of several pods: <NameLink text={into} to={linkOf(into)} />
        </p>
      )}
      {related.length + further.length === 0 && into === "" && (
        <p class="dim">No other anomaly has this source or these targets.</p>
      )}
      <ul class="plain related">
        {related.map((it) => (
          <li key={it.id}>
            <SeverityMark severity={it.last?.severity ?? "unspecified"} word={false} />
            <a href={linkOf(it.id)}>
              <Name text={`${endpoint(it.last?.source)} · ${plain(it.last?.detector ?? "")}`} />
            </a>
            <span class={`mark ${it.state}`}>{it.state}</span>
            <span class="dim nowrap">
              <Ago time={it.updated_at} />
            </span>
          </li>
        ))}
        {further.map((it) => (
          <li key={it}>
            <NameLink text={it} to={linkOf(it)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
