// The event as `picket events --json` prints it.
import { useSignal } from "@preact/signals";
import type { Event } from "../api/event";
import { Snippet } from "../parts/copy";
import { visible } from "../words/visible";

export function RawEvent({ event }: { event: Event }) {
  const shown = useSignal(false);
  return (
    <details class="block" onToggle={(it) => (shown.value = it.currentTarget.open)}>
      <summary>
        <h3>The raw event</h3>
      </summary>
      {shown.value && <Snippet label="The raw event" text={json(event)} />}
    </details>
  );
}

/** JSON lets characters that cannot be seen stand as they are; here they are escaped too. */
function json(event: Event): string {
  const lines = JSON.stringify(event, null, 2).split("\n");
  return lines.map((it) => visible(it, (code) => `\\u${code.padStart(4, "0")}`)).join("\n");
}
