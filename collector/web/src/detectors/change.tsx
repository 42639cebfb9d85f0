// A change of the policy on its way: edited, tried on the last 24 hours, then confirmed.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { client, Failure } from "../api/client";
import type { Change, ListDetectorsResponse, Preview } from "../api/detectors";
import { Problem, Waiting } from "../parts/empty";
import { visible } from "../words/visible";
import { Diff } from "./diff";
import { PreviewTable } from "./preview";

interface Props {
  changes: Change[];
  back: () => void;
  done: () => void;
}

interface Tried {
  current: ListDetectorsResponse;
  text: string;
  preview: Preview | null;
  problems: string[];
}

export function PolicyChange({ changes, back, done }: Props) {
  const tried = useSignal<Tried | null>(null);
  const problem = useSignal<string | null>(null);
  const conflict = useSignal(false);
  const busy = useSignal(false);

  async function attempt() {
    tried.value = null;
    problem.value = null;
    conflict.value = false;
    try {
      const [current, edited] = await Promise.all([client.detectors(), client.edit(changes)]);
      const preview = edited.problems.length > 0 ? null : await client.preview(edited.text);
      tried.value = { current, text: edited.text, preview, problems: edited.problems };
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  useEffect(() => void attempt(), []);

  async function confirm() {
    const it = tried.value;
    if (!it) return;
    busy.value = true;
    try {
      await client.setPolicy(it.text, it.current.revision);
      done();
    } catch (error) {
      conflict.value = error instanceof Failure && error.code === "aborted";
      problem.value = error instanceof Error ? error.message : String(error);
    }
    busy.value = false;
  }

  const it = tried.value;
  const usable = it !== null && it.problems.length === 0 && it.current.writable && !conflict.value;
  return (
    <div class="change">
      {!it && problem.value === null && <Waiting what="what this would change" />}
      {it && it.problems.length > 0 && (
        <div role="alert" class="problem">
          <p>It cannot be used:</p>
          <ul>
            {it.problems.map((text) => (
              <li key={text}>{visible(text)}</li>
            ))}
          </ul>
        </div>
      )}
      {it?.preview && <PreviewTable preview={it.preview} />}
      {it && <Diff before={it.current.text} after={it.text} />}
      {it && !it.current.writable && (
        <p role="alert" class="problem">
          The collector cannot put it in force: {visible(it.current.not_writable)}. Copy the text above into the file that{" "}
          <code>--detectors</code> names instead.
        </p>
      )}
      <Problem text={problem.value} />
      {conflict.value && (
        <p>
          Somebody else changed the policy meanwhile. Nothing of yours is lost: try again on top of theirs, and look at
          the preview once more.{" "}
          <button type="button" onClick={() => void attempt()}>
            Try again on top
          </button>
        </p>
      )}
      <div class="buttons">
        <button type="button" class="main" disabled={!usable || busy.value} onClick={() => void confirm()}>
          Put it in force
        </button>
        <button type="button" onClick={back}>
          Back
        </button>
      </div>
    </div>
  );
}
