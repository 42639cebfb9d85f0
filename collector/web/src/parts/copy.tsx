// A button that copies a text, and says whether it did.
import { useSignal } from "@preact/signals";

export function Copy({ text, what = "Copy" }: { text: string; what?: string }) {
  const said = useSignal("");
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      said.value = "Copied";
    } catch {
      said.value = "The browser refuses; select the text and copy it";
    }
    setTimeout(() => (said.value = ""), 3000);
  }
  return (
    <span class="copy">
      <button type="button" class="quiet" onClick={() => void copy()}>
        {what}
      </button>
      <span role="status">{said}</span>
    </span>
  );
}

/** A command line, or a text of several lines, to copy. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text}</code>
      </pre>
      <Copy text={text} />
    </div>
  );
}
