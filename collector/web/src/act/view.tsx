// What can be done about a pod: contain it, release it, or cut it off with a policy.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { client } from "../api/client";
import { Problem, Waiting } from "../parts/empty";
import { asked } from "../state/asked";
import { listen } from "../state/live";
import { query, setQuery } from "../state/router";
import { onKey } from "../state/shortcuts";
import { Contained } from "./contained";
import { PodOf } from "./pod";

const containments = asked((signal) => client.containments(signal));

export function ActView() {
  useEffect(() => {
    void containments.now();
    const timer = setInterval(containments.again, 5000);
    const stops = [
      listen("nodes", containments.again),
      listen("anomaly", containments.again),
      listen("resync", containments.again),
      onKey("/", () => document.getElementById("pod")?.focus()),
      containments.stop,
    ];
    return () => {
      clearInterval(timer);
      stops.forEach((stop) => stop());
    };
  }, []);
  const known = containments.value.value;
  const failure = containments.failure.value;
  const pod = query.value.get("pod");
  return (
    <div class="wide-view">
      <h1>Act</h1>
      <section class="block">
        <h2>Contained now</h2>
        <Problem text={failure} />
        {known ? <Contained containments={known.containments} /> : failure === null && <Waiting what="what is contained" />}
      </section>
      <PodChoice pod={pod ?? ""} />
      {pod !== null && pod.includes("/") && <PodOf key={pod} name={pod} again={() => void containments.now()} />}
    </div>
  );
}

function PodChoice({ pod }: { pod: string }) {
  const text = useSignal(pod);
  useEffect(() => {
    text.value = pod;
  }, [pod]);
  return (
    <form
      class="pod-choice"
      onSubmit={(event) => {
        event.preventDefault();
        setQuery({ pod: text.value.trim() || null });
      }}
    >
      <label for="pod">Pod</label>
      <input
        id="pod"
        type="text"
        required
        pattern="\s*[^\s\/]+\/[^\s\/]+\s*"
        title="NAMESPACE/POD, such as default/app1"
        placeholder="NAMESPACE/POD  ( / )"
        value={text}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <button type="submit">Look at it</button>
    </form>
  );
}
