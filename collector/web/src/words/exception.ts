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
    pods: source?.pod ? [source.pod] : [],
    targets: all ? [...new Set(addresses)] : [],
    until: null,
  };
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
