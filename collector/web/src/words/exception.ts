// An exception that would cover an event, for a person to complete.
import type { NewException } from "../api/detectors";
import type { Event } from "../api/event";

/** As `picket.policy` takes it: `targets` only when the event names all, for it must name all to be covered. */
export function draftOf(event: Event): NewException {
  const source = event.source;
  const addresses = event.targets.map((it) => it.endpoint?.address ?? "").filter((it) => it !== "");
  const all = event.further_targets === 0 && addresses.length === event.targets.length;
  const who = source?.owner?.name || source?.workload || source?.pod || source?.namespace || "pods";
  return {
    name: word(`${event.detector}-${who}`),
    owner: "",
    reason: "",
    detectors: [event.detector],
    namespaces: source?.namespace ? [source.namespace] : [],
    labels: lasting(source?.labels ?? {}),
    targets: all ? [...new Set(addresses)] : [],
    until: null,
  };
}

/** Labels that Kubernetes gives to one pod, or to one version of its workload: the next one has others. */
const PASSING =
  /(^|\/)(pod-template-hash|controller-revision-hash|pod-template-generation|pod-name|pod-index|controller-uid|job-name|job-completion-index)$/;

function lasting(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !PASSING.test(key)));
}

/** `key=value` of each, as people write them. */
export function labelsText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
}

/** Back from that; a key without a value has an empty one. */
export function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    listOf(text).map((it) => {
      const at = it.indexOf("=");
      return at < 0 ? [it, ""] : [it.slice(0, at), it.slice(at + 1)];
    }),
  );
}

/** One word that tells it from the others. */
function word(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
}

/** So many days from now, to the second. */
export function endIn(days: number, now: number): string {
  return new Date(now + days * 86_400_000).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Parts of a list that people write with commas or line ends. */
export function listOf(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((it) => it.trim())
    .filter((it) => it !== "");
}
