// What becomes different in the text of the policy.
import { useMemo } from "preact/hooks";
import { Copy } from "../parts/copy";
import { diff, hunks } from "../words/diff";
import { visible } from "../words/visible";

const SIGNS = { same: " ", gone: "−", new: "+" } as const;
const SAID = { same: "", gone: "removed: ", new: "added: " } as const;

export function Diff({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => hunks(diff(before, after)), [before, after]);
  return (
    <section>
      <h3>The text of the policy</h3>
      {lines.length === 0 && <p class="dim">It stays as it is.</p>}
      {lines.length > 0 && (
        <pre class="diff" tabIndex={0} role="region" aria-label="What becomes different">
          {lines.map((line, index) =>
            line === null ? (
              <div key={index} class="dim">
                ⋯
              </div>
            ) : (
              <div key={index} class={line.kind}>
                <span aria-hidden="true">{SIGNS[line.kind]} </span>
                <span class="unseen">{SAID[line.kind]}</span>
                {visible(line.text)}
              </div>
            ),
          )}
        </pre>
      )}
      <Copy text={after} what="Copy the whole text" />
    </section>
  );
}
