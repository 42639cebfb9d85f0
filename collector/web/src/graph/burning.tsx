// Where it burns: the worst anomalies that are open, above everything else.
import { useEffect } from "preact/hooks";
import { client } from "../api/client";
import { Ago } from "../parts/ago";
import { SeverityMark } from "../parts/marks";
import { Name } from "../parts/name";
import { asked } from "../state/asked";
import { listen } from "../state/live";
import { open } from "../state/open";
import { count, plain, subject } from "../words/names";
import { visible } from "../words/visible";

const SHOWN = 3;

const worst = asked((signal) =>
  client.anomalies(new URLSearchParams({ state: "open", limit: String(SHOWN), correlated: "0" }), signal),
);

export function Burning() {
  useEffect(() => {
    void worst.now();
    const stops = [listen("anomaly", worst.again), listen("resync", worst.again), worst.stop];
    return () => stops.forEach((stop) => stop());
  }, []);
  const known = worst.value.value;
  if (!known) return <section class="fires" aria-label="Open anomalies" />;
  if (known.open === 0) {
    return (
      <section class="fires calm" aria-label="Open anomalies">
        <p>Nothing is open.</p>
      </section>
    );
  }
  return (
    <section class="fires" aria-label="Open anomalies">
      <a class="fires-count" href="/anomalies?state=open">
        {/* Those are the worst, one for each group; all are counted. */}
        <strong>{count(open.value ?? known.open, "anomaly", "anomalies")}</strong> open
      </a>
      <ul class="plain">
        {known.anomalies.map((it) => (
          <li key={it.id} class={`fire ${it.last?.severity ?? ""}`}>
            <a href={`/anomalies/${encodeURIComponent(it.id)}`}>
              <span class="line">
                <SeverityMark severity={it.last?.severity ?? "unspecified"} />
                <strong>
                  <Name text={subject(it.last)} />
                </strong>
                <span class="dim nowrap">{plain(it.last?.detector ?? "")}</span>
                <span class="right dim nowrap">
                  <Ago time={it.updated_at} />
                </span>
              </span>
              <bdi dir="ltr" class="sentence">{visible(it.last?.summary ?? "")}</bdi>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
