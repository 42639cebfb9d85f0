// The detectors: how they are set, what they do, and what is excepted.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { client } from "../api/client";
import type { NewException } from "../api/detectors";
import { Snippet } from "../parts/copy";
import { Dialog } from "../parts/dialog";
import { Empty, Problem } from "../parts/empty";
import { Unknown } from "../parts/unknown";
import { asked } from "../state/asked";
import { listen } from "../state/live";
import { count } from "../words/names";
import { visible } from "../words/visible";
import { PolicyChange } from "./change";
import { DetectorCard } from "./card";
import { drafted, forget } from "./draft";
import { ExceptionDialog } from "./exception";
import { Exceptions } from "./exceptions";

const detectors = asked((signal) => client.detectors(signal));

const shown = signal<"change" | "exception" | null>(null);

const NEW: NewException = {
  name: "",
  owner: "",
  reason: "",
  detectors: [],
  namespaces: [],
  labels: {},
  targets: [],
  until: null,
};

export function DetectorsView() {
  useEffect(() => {
    void detectors.now();
    const stops = [
      listen("policy", detectors.again),
      listen("anomaly", detectors.again),
      listen("nodes", detectors.again),
      listen("resync", detectors.again),
      detectors.stop,
    ];
    return () => stops.forEach((stop) => stop());
  }, []);
  const known = detectors.value.value;
  const failure = detectors.failure.value;
  if (!known) return <Unknown title="Detectors" what="the detectors" failure={failure} />;
  const changes = [...drafted.value.values()];
  const done = () => {
    forget();
    shown.value = null;
    void detectors.now();
  };
  return (
    <div class="wide-view">
      <header class="view-head">
        <h1>Detectors</h1>
        <p class="dim">
          {known.text === ""
            ? "Each agent does what its own configuration says."
            : `Policy ${visible(known.revision).slice(0, 12)} is in force on all nodes.`}{" "}
          {!known.writable && `It cannot be changed here: ${visible(known.not_writable)}.`}
        </p>
      </header>
      <Problem text={failure} />
      {known.detectors.length === 0 && <Empty title="There is no detector">No agent and no collector has told of any.</Empty>}
      <ul class="plain cards" aria-label="Detectors">
        {known.detectors.map((it) => (
          <DetectorCard key={it.id} detector={it} drafted={drafted.value} />
        ))}
      </ul>
      <Exceptions known={known} add={() => (shown.value = "exception")} />
      <section class="block">
        <h2>Scopes</h2>
        {known.scopes.length === 0 && <p class="dim">All pods are judged alike: no scope says otherwise.</p>}
        <ul>
          {known.scopes.map((it) => (
            <li key={it.selector}>
              <bdi dir="ltr">{visible(it.selector)}</bdi>: <bdi dir="ltr">{it.settings.map((it) => visible(it)).join(", ")}</bdi>
            </li>
          ))}
        </ul>
      </section>
      {known.text !== "" && (
        <details class="block">
          <summary>
            <h2>The text that is in force</h2>
          </summary>
          <Snippet label="The policy" text={known.text.split("\n").map((it) => visible(it)).join("\n")} />
        </details>
      )}
      {changes.length > 0 && (
        <div class="draft" role="region" aria-label="Changes that are not in force">
          <strong role="status">{count(changes.length, "change is", "changes are")} not in force</strong>
          <button type="button" class="main" onClick={() => (shown.value = "change")}>
            Preview …
          </button>
          <button type="button" onClick={forget}>
            Forget them
          </button>
        </div>
      )}
      {shown.value === "change" && (
        <Dialog title="The change, before it is in force" close={() => (shown.value = null)} wide>
          <PolicyChange changes={changes} back={() => (shown.value = null)} done={done} />
        </Dialog>
      )}
      {shown.value === "exception" && <ExceptionDialog draft={NEW} close={done} />}
    </div>
  );
}
