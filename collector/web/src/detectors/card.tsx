// One detector: its mode, its thresholds against their defaults, and when it last raised something where.
import type { Change, Detector, Mode, Threshold } from "../api/detectors";
import { Ago } from "../parts/ago";
import { Name } from "../parts/name";
import { count, number, plain } from "../words/names";
import { millis } from "../words/time";
import { visible } from "../words/visible";
import { draft } from "./draft";

const MODES: Mode[] = ["on", "shadow", "off"];

interface Props {
  detector: Detector;
  drafted: ReadonlyMap<string, Change>;
}

export function DetectorCard({ detector, drafted }: Props) {
  const key = `mode ${detector.id}`;
  const change = drafted.get(key);
  const mode = change && "mode" in change ? change.mode : detector.mode;
  const open = detector.activity.reduce((sum, it) => sum + it.open, 0);
  const latest = detector.activity.map((it) => it.last_raised_at).sort((a, b) => (millis(b) ?? 0) - (millis(a) ?? 0))[0];
  const changed = detector.thresholds.filter((it) => it.value !== it.default).length;
  return (
    <li class={`card detector ${mode}`}>
      <header>
        <h2>{plain(detector.id)}</h2>
        {detector.of_collector ? (
          <span class="mark">{detector.mode}, of the collector</span>
        ) : (
          <fieldset class="modes">
            <legend class="unseen">Mode of {plain(detector.id)}</legend>
            {MODES.map((it) => (
              <label key={it} class={it === mode ? "chosen-mode" : ""}>
                <input
                  type="radio"
                  name={key}
                  value={it}
                  checked={it === mode}
                  onChange={() => draft(key, it === detector.mode ? null : { detector: detector.id, mode: it })}
                />
                {it}
              </label>
            ))}
          </fieldset>
        )}
      </header>
      <p>{visible(detector.about)}</p>
      <p class="dim">
        {open > 0 && (
          <>
            <a href={`/anomalies?${new URLSearchParams({ detector: detector.id, state: "open", shadow: "1" })}`}>
              {number(open)} open
            </a>
            {" · "}
          </>
        )}
        last raised <Ago time={latest ?? null} />
        {changed > 0 && ` · ${count(changed, "threshold is", "thresholds are")} not the default`}
      </p>
      {detector.thresholds.length > 0 && (
        <details>
          <summary>{count(detector.thresholds.length, "threshold")}</summary>
          <div class="thresholds">
            {detector.thresholds.map((it) => (
              <ThresholdField key={it.key} detector={detector} threshold={it} drafted={drafted} />
            ))}
          </div>
        </details>
      )}
      {detector.activity.length > 0 && (
        <details>
          <summary>{count(detector.activity.length, "node")}</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">node</th>
                <th scope="col" class="num">
                  open
                </th>
                <th scope="col">last raised</th>
              </tr>
            </thead>
            <tbody>
              {detector.activity.map((it) => (
                <tr key={it.node}>
                  <td>
                    <Name text={it.node} />
                  </td>
                  <td class="num">{number(it.open)}</td>
                  <td>
                    <Ago time={it.last_raised_at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </li>
  );
}

interface FieldProps extends Props {
  threshold: Threshold;
}

function ThresholdField({ detector, threshold, drafted }: FieldProps) {
  const key = `threshold ${detector.id} ${threshold.key}`;
  const change = drafted.get(key);
  const value = change && "value" in change ? change.value : threshold.value;
  const label = `${plain(detector.id)}: ${plain(threshold.key)}`;
  return (
    <div class={`threshold ${change ? "drafted" : ""} ${value === threshold.default ? "" : "other"}`}>
      <span class="threshold-name">{plain(threshold.key)}</span>
      <input
        type="text"
        aria-label={label}
        title={threshold.takes}
        disabled={detector.of_collector}
        value={value}
        onChange={(event) => {
          const text = event.currentTarget.value.trim();
          const same = text === threshold.value || text === "";
          draft(key, same ? null : { detector: detector.id, threshold: threshold.key, value: text });
        }}
      />
      <span class="dim">
        {value === threshold.default ? "the default" : `default ${threshold.default}`} · {visible(threshold.takes)}
      </span>
    </div>
  );
}
