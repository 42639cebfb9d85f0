// What to do about it: advice, triage, containment, an exception.
import { useSignal } from "@preact/signals";
import type { Anomaly } from "../api/anomalies";
import { client } from "../api/client";
import type { Event, TriageKind } from "../api/event";
import { ExceptionDialog } from "../detectors/exception";
import { Problem } from "../parts/empty";
import { caller } from "../state/caller";
import { advice } from "../words/advice";
import { draftOf } from "../words/exception";
import { Name } from "../parts/name";

interface Props {
  anomaly: Anomaly;
  last: Event;
  again: () => void;
}

export function WhatToDo({ anomaly, last, again }: Props) {
  const note = useSignal("");
  const assignee = useSignal(anomaly.assignee);
  const problem = useSignal<string | null>(null);
  const said = useSignal("");
  const excepting = useSignal(false);
  const source = last.source;

  async function triage(kind: TriageKind, done: string) {
    try {
      await client.triage(anomaly.id, kind, {
        note: note.value.trim(),
        assignee: kind === "assigned" ? assignee.value.trim() : "",
      });
      note.value = "";
      problem.value = null;
      said.value = done;
      again();
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  const resolved = anomaly.triage === "resolved";
  const me = caller.value?.principal ?? "";
  return (
    <section class="block todo">
      <h3>What to do</h3>
      <ol>
        {advice(last.detector).map((it) => (
          <li key={it}>{it}</li>
        ))}
      </ol>
      <div class="buttons">
        {anomaly.triage === "new" && (
          <button type="button" class="main" onClick={() => void triage("acknowledged", "Acknowledged")}>
            Acknowledge
          </button>
        )}
        {resolved || anomaly.triage === "acknowledged" ? (
          <button type="button" onClick={() => void triage("reopened", "Reopened")}>
            Reopen
          </button>
        ) : null}
        {!resolved && (
          <button type="button" onClick={() => void triage("resolved", "Resolved")}>
            Resolve
          </button>
        )}
        {source && source.pod !== "" && (
          <a class="button" href={`/act?${new URLSearchParams({ pod: `${source.namespace}/${source.pod}`, anomaly: anomaly.id })}`}>
            Contain the pod …
          </a>
        )}
        <button type="button" onClick={() => (excepting.value = true)}>
          Make an exception …
        </button>
      </div>
      <form
        class="triage"
        onSubmit={(event) => {
          event.preventDefault();
          if (note.value.trim() !== "") void triage("noted", "Noted");
        }}
      >
        <label>
          Note
          <input
            type="text"
            maxLength={4096}
            placeholder="Goes with whichever button is next"
            value={note}
            onInput={(event) => (note.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={note.value.trim() === ""}>
          Add the note
        </button>
        <label>
          Whose
          <input
            type="text"
            maxLength={253}
            placeholder="nobody's"
            value={assignee}
            onInput={(event) => (assignee.value = event.currentTarget.value)}
          />
        </label>
        <button type="button" onClick={() => void triage("assigned", "Assigned")}>
          Assign
        </button>
        {me !== "" && anomaly.assignee !== me && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              assignee.value = me;
              void triage("assigned", "It is yours");
            }}
          >
            It is mine
          </button>
        )}
      </form>
      <p class="dim">
        {anomaly.assignee === "" ? (
          "It is nobody's."
        ) : (
          <>
            It is <Name text={anomaly.assignee} />
            's.
          </>
        )}{" "}
        <span role="status">{said}</span>
      </p>
      <Problem text={problem.value} />
      {excepting.value && <ExceptionDialog draft={draftOf(last)} close={() => (excepting.value = false)} />}
    </section>
  );
}
