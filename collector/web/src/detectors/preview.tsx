// What the last 24 hours would have been with another policy.
import type { Preview } from "../api/detectors";
import { NameLink } from "../parts/name";
import { number, plain } from "../words/names";
import { duration, seconds } from "../words/time";

export function PreviewTable({ preview }: { preview: Preview }) {
  const covers = seconds(preview.covers) ?? 0;
  const gone = preview.detectors.reduce((sum, it) => sum + it.raised - it.kept, 0);
  const open = preview.detectors.some((it) => it.at_least);
  return (
    <section>
      <h3>What the last {covers > 0 ? duration(preview.covers) : "24 h"} would have been</h3>
      {covers > 0 && covers < 86_000 && <p class="dim">The log goes back no further.</p>}
      {preview.detectors.length === 0 ? (
        <p>Nothing was raised in that time, and nothing would have been of what is recorded.</p>
      ) : (
        <>
          <p>
            {gone === 0 ? "Everything that was raised would have been raised." : `${number(gone)} would not have been raised.`}
          </p>
          <div class="scroll" role="region" aria-label="Preview" tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">detector</th>
                  <th scope="col" class="num">
                    raised
                  </th>
                  <th scope="col" class="num">
                    kept
                  </th>
                  <th scope="col" class="num">
                    gone
                  </th>
                  <th scope="col">such as</th>
                </tr>
              </thead>
              <tbody>
                {preview.detectors.map((it) => (
                  <tr key={it.id}>
                    <td>{plain(it.id)}</td>
                    <td class="num">{number(it.raised)}</td>
                    <td class="num">
                      {it.at_least ? "at least " : ""}
                      {number(it.kept)}
                    </td>
                    <td class="num">{number(it.raised - it.kept)}</td>
                    <td class="name-cell">
                      {it.gone.slice(0, 3).map((id) => (
                        <NameLink key={id} text={id} to={`/anomalies/${encodeURIComponent(id)}`} />
                      ))}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {open && (
        <p class="dim">
          At least: a threshold is lower, or a mode wider, than what judged that traffic. What stayed below it is recorded
          nowhere, so there may be more.
        </p>
      )}
    </section>
  );
}
