// The anomalies: a list that filters, and the one that is opened beside it.
import { useEffect } from "preact/hooks";
import { listen } from "../state/live";
import { query, route } from "../state/router";
import { onKey } from "../state/shortcuts";
import { questionOf } from "../words/filter";
import { Detail } from "./detail";
import { Filters } from "./filters";
import { List, step } from "./list";
import { ask, busy, refresh, stop } from "./pages";

export function AnomaliesView() {
  const opened = route.value[1];
  const question = questionOf(query.value, Date.now()).toString();
  useEffect(() => ask(new URLSearchParams(question)), [question]);
  useEffect(() => {
    const stops = [
      listen("anomaly", refresh),
      listen("resync", refresh),
      onKey("j", () => step(1)),
      onKey("k", () => step(-1)),
      onKey("/", () => document.getElementById("filter-text")?.focus()),
      stop,
    ];
    return () => stops.forEach((one) => one());
  }, []);
  return (
    <div class={`anomalies ${opened === "" ? "" : "opened"}`}>
      <h1 class="unseen">Anomalies</h1>
      <section class="left" aria-label="Anomalies that match" aria-busy={busy.value}>
        <Filters />
        <List opened={opened} />
      </section>
      {opened !== "" && <Detail key={opened} id={opened} />}
    </div>
  );
}
