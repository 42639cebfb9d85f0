// What nobody is told of, who answers for it, how often it was hit, and when it ends.
import type { ListDetectorsResponse } from "../api/detectors";
import { Ago } from "../parts/ago";
import { Name } from "../parts/name";
import { number } from "../words/names";
import { draft } from "./draft";

interface Props {
  known: ListDetectorsResponse;
  add: () => void;
}

export function Exceptions({ known, add }: Props) {
  return (
    <section class="block">
      <header class="view-head">
        <h2>Exceptions</h2>
        <button type="button" onClick={add}>
          New exception …
        </button>
      </header>
      {known.exceptions.length === 0 ? (
        <p class="dim">Nothing is excepted. An anomaly can be made an exception where it is shown.</p>
      ) : (
        <div class="scroll" role="region" aria-label="Exceptions" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">name</th>
                <th scope="col">owner</th>
                <th scope="col">reason</th>
                <th scope="col" class="num">
                  hits
                </th>
                <th scope="col">ends</th>
                <th scope="col">
                  <span class="unseen">remove</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {known.exceptions.map((it) => (
                <tr key={it.name} class={it.expired ? "expired" : ""}>
                  <td class="name-cell">
                    <Name text={it.name} />
                  </td>
                  <td class="name-cell">
                    <Name text={it.owner} />
                  </td>
                  <td class="name-cell">
                    <Name text={it.reason} />
                  </td>
                  <td class="num">{number(it.hits)}</td>
                  <td class="nowrap">
                    {it.until === null ? "never" : <Ago time={it.until} />}{" "}
                    {it.expired && <span class="mark">has ended</span>}
                  </td>
                  <td>
                    <button
                      type="button"
                      class="quiet"
                      onClick={() => draft(`remove ${it.name}`, { remove_exception: it.name })}
                    >
                      Remove <span class="unseen">{it.name}</span>
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
