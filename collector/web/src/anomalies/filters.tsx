// What is shown of the anomalies: a text, and what can be chosen, with how many of each there are.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { query, setQuery } from "../state/router";
import { CHOICES, filterOf, narrowings, SPANS, toggled, type Choice } from "../words/filter";
import { count, number, plain } from "../words/names";
import { visible } from "../words/visible";
import { facets, matching, openCount } from "./pages";

const ORDER: Partial<Record<Choice, string[]>> = {
  state: ["open", "closed"],
  severity: ["high", "medium", "low", "info"],
  triage: ["new", "acknowledged", "resolved"],
};

/** A key that follows at once asks for something else; the question before is dropped. */
const TYPING_MS = 50;

export function Filters() {
  const filter = filterOf(query.value);
  const text = useSignal(filter.get("text") ?? "");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const inAddress = filter.get("text") ?? "";
  useEffect(() => {
    if (inAddress !== text.value.trim()) text.value = inAddress;
  }, [inAddress]);
  const all = matching.value;
  return (
    <form class="filters" role="search" aria-label="Filter of the anomalies" onSubmit={(event) => event.preventDefault()}>
      <div class="filter-line">
        <input
          id="filter-text"
          type="search"
          placeholder="Text, name or address  ( / )"
          aria-label="Part of the sentence, the id, a name or an address"
          value={text}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            clearTimeout(timer.current);
            timer.current = setTimeout(() => setQuery({ text: text.value.trim() || null }, true), TYPING_MS);
          }}
        />
        <select
          aria-label="Time"
          value={filter.get("since") ?? ""}
          onChange={(event) => setQuery({ since: event.currentTarget.value || null })}
        >
          {SPANS.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div class="chosen">
        {CHOICES.map((field) => (
          <Choose key={field} field={field} filter={filter} />
        ))}
        <label class="check">
          <input
            type="checkbox"
            checked={filter.get("shadow") === "1"}
            onChange={(event) => setQuery({ shadow: event.currentTarget.checked ? "1" : null })}
          />
          shadow
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={filter.get("correlated") === "0"}
            onChange={(event) => setQuery({ correlated: event.currentTarget.checked ? "0" : null })}
          />
          one for each group
        </label>
      </div>
      <p class="matching" role="status">
        {all === null ? "" : `${count(all, "anomaly matches", "anomalies match")}, ${number(openCount.value)} open`}
        {narrowings(filter) > 0 && (
          <button type="button" class="quiet" onClick={clear}>
            Clear the filter
          </button>
        )}
      </p>
    </form>
  );
}

function clear(): void {
  setQuery(Object.fromEntries([...CHOICES, "text", "since", "until", "shadow", "correlated"].map((key) => [key, null])));
}

function Choose({ field, filter }: { field: Choice; filter: URLSearchParams }) {
  const details = useRef<HTMLDetailsElement>(null);
  const chosen = filter.getAll(field);
  const found = facets.value.filter((it) => it.field === field);
  const known = new Map(found.map((it) => [it.value, it.count]));
  const order = ORDER[field];
  const values = order ?? found.map((it) => it.value).sort();
  const options = [...new Set([...values, ...chosen])].filter((it) => it !== "");
  useEffect(() => {
    const away = (event: globalThis.Event) => {
      const inside = event.target instanceof Node && details.current?.contains(event.target);
      if (details.current?.open && !inside) details.current.open = false;
    };
    document.addEventListener("click", away);
    document.addEventListener("focusin", away);
    return () => {
      document.removeEventListener("click", away);
      document.removeEventListener("focusin", away);
    };
  }, []);
  if (options.length === 0) return null;
  return (
    <details
      ref={details}
      class={`choose ${chosen.length > 0 ? "some" : ""}`}
      onKeyDown={(event) => {
        if (event.key === "Escape" && details.current?.open) {
          details.current.open = false;
          details.current.querySelector("summary")?.focus();
        }
      }}
    >
      <summary>
        {field}
        {chosen.length > 0 && <bdi dir="ltr" class="chosen-values">: {chosen.map((it) => visible(plain(it))).join(", ")}</bdi>}
      </summary>
      <div class="options" role="group" aria-label={field} tabIndex={0}>
        {options.map((value) => (
          <label key={value}>
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={() => setQuery({ [field]: toggled(filter, field, value) })}
            />
            <bdi dir="ltr">{visible(field === "detector" ? plain(value) : value)}</bdi>
            <span class="dim">{number(known.get(value) ?? 0)}</span>
          </label>
        ))}
      </div>
    </details>
  );
}
