// The form of an exception: who answers for it, why, and until when; then what it would have changed.
import { useSignal } from "@preact/signals";
import type { NewException } from "../api/detectors";
import { Dialog } from "../parts/dialog";
import { exact } from "../words/time";
import { endIn, labelsOf, labelsText, listOf } from "../words/exception";
import { PolicyChange } from "./change";

const ENDS: [string, number][] = [
  ["1 day", 1],
  ["1 week", 7],
  ["30 days", 30],
  ["90 days", 90],
  ["1 year", 365],
];

export function ExceptionDialog({ draft, close }: { draft: NewException; close: () => void }) {
  const it = useSignal({ ...draft, until: draft.until ?? endIn(30, Date.now()) });
  const ready = useSignal<NewException | null>(null);
  const set = (part: Partial<NewException>) => (it.value = { ...it.value, ...part } as typeof it.value);
  const text = (key: "name" | "owner" | "reason", label: string, hint: string) => (
    <label>
      {label}
      <input
        type="text"
        required
        maxLength={200}
        placeholder={hint}
        value={it.value[key]}
        onInput={(event) => set({ [key]: event.currentTarget.value })}
      />
    </label>
  );
  const list = (key: "detectors" | "namespaces" | "targets", label: string, hint: string) => (
    <label>
      {label}
      <input
        type="text"
        placeholder={hint}
        value={it.value[key].join(", ")}
        onChange={(event) => set({ [key]: listOf(event.currentTarget.value) })}
      />
    </label>
  );
  if (ready.value) {
    const back = () => (ready.value = null);
    return (
      <Dialog title="The exception, before it is in force" close={close} wide>
        <PolicyChange changes={[{ add_exception: ready.value }]} back={back} done={close} />
      </Dialog>
    );
  }
  return (
    <Dialog title="Make an exception" close={close} wide>
      <form
        class="exception"
        onSubmit={(event) => {
          event.preventDefault();
          ready.value = it.value;
        }}
      >
        <p>What it covers is known and accepted: nobody is told of it until it ends. Hits are counted.</p>
        {text("name", "Name", "one word that tells it from the others")}
        {text("owner", "Owner", "who answers for it, such as security@example.com")}
        {text("reason", "Reason", "why nobody is to be told")}
        <fieldset>
          <legend>Ends</legend>
          {ENDS.map(([name, days]) => (
            <button key={name} type="button" class="quiet" onClick={() => set({ until: endIn(days, Date.now()) })}>
              {name}
            </button>
          ))}
          <label>
            At (UTC)
            <input
              type="datetime-local"
              required
              value={exact(it.value.until).slice(0, 16).replace(" ", "T")}
              onChange={(event) => event.currentTarget.value && set({ until: `${event.currentTarget.value}:00Z` })}
            />
          </label>
        </fieldset>
        {list("detectors", "Detectors", "any")}
        {list("namespaces", "Namespaces", "any")}
        <label>
          Labels that the pods have, all of them
          <input
            type="text"
            placeholder="any"
            value={labelsText(it.value.labels)}
            onChange={(event) => set({ labels: labelsOf(event.currentTarget.value) })}
          />
        </label>
        {list("targets", "Targets: addresses or networks; all of an event's must be in one", "any")}
        <div class="buttons">
          <button type="submit" class="main">
            See what it would change
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
