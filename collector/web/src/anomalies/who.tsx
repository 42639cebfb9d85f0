// Who did it, and what that is called in MITRE ATT&CK.
import type { Event } from "../api/event";
import { Ago } from "../parts/ago";
import { Name, NameLink } from "../parts/name";
import { endpoint, endpointKind, technique } from "../words/names";
import { attackName, attackPage } from "../words/attack";

export function Attack({ ids }: { ids: string[] }) {
  if (ids.length === 0) return null;
  return (
    <ul class="plain attack" aria-label="MITRE ATT&CK techniques">
      {ids.map((id) => {
        const page = attackPage(id);
        const text = `${id} ${attackName(id)}`.trim();
        return (
          <li key={id}>
            {page ? (
              <a href={page} target="_blank" rel="noreferrer" class="mark">
                {text}
              </a>
            ) : (
              <Name text={text} />
            )}
          </li>
        );
      })}
    </ul>
  );
}

export function Source({ event }: { event: Event }) {
  const source = event.source;
  if (!source || endpoint(source) === "unknown") {
    return (
      <section class="block">
        <h3>Source</h3>
        <p class="dim">Nobody can say who did it: this is told by the pod that suffers it, and an address can be forged.</p>
      </section>
    );
  }
  const owner = source.owner ? `${source.owner.kind} ${source.owner.name}` : "";
  const rows: [string, string][] = [
    ["what", endpointKind(source)],
    ["of", owner],
    ["service account", source.service_account],
    ["node", source.node],
    ["address", source.address],
    ["interface", source.interface],
    ["uid", source.uid],
    ["technique", technique(event.technique)],
    ["not named, because", source.unknown],
  ];
  const labels = Object.entries(source.labels);
  return (
    <section class="block">
      <h3>Source</h3>
      <dl class="facts">
        <div>
          <dt>name</dt>
          <dd>
            {source.namespace === "" ? (
              <Name text={endpoint(source)} />
            ) : (
              <NameLink
                text={endpoint(source)}
                to={`/anomalies?${new URLSearchParams({ namespace: source.namespace, ...(source.pod === "" ? {} : { pod: source.pod }) })}`}
              />
            )}
          </dd>
        </div>
        {rows
          .filter(([, value]) => value !== "")
          .map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>
                <Name text={value} />
              </dd>
            </div>
          ))}
        {source.appeared_at && (
          <div>
            <dt>there since</dt>
            <dd>
              <Ago time={source.appeared_at} />
            </dd>
          </div>
        )}
      </dl>
      {labels.length > 0 && (
        <ul class="plain labels" aria-label="Labels">
          {labels.map(([key, value]) => (
            <li key={key}>
              <Name text={`${key}=${value}`} class="mark" />
            </li>
          ))}
        </ul>
      )}
      {event.samples.length > 0 && (
        <>
          <h4>Such as</h4>
          <ul class="plain samples">
            {event.samples.map((it) => (
              <li key={it}>
                <Name text={it} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
