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
      {/* Line ends are ours; whatever else is unseen within the strings JSON leaves as it is. */}
      {shown.value && <Snippet label="The raw event" text={lines(event)} />}
    </details>
  );
}

function lines(event: Event): string {
  return JSON.stringify(event, null, 2).split("\n").map(visible).join("\n");
}
