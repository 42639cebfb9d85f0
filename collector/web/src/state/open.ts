// How many anomalies are open, for the head of the page and its title.
import { computed } from "@preact/signals";
import { client } from "../api/client";
import { asked } from "./asked";
import { listen } from "./live";

const counted = asked((signal) => client.anomalies(new URLSearchParams({ state: "open", limit: "1" }), signal));

export const open = computed(() => counted.value.value?.open ?? null);

export function followCount(): () => void {
  void counted.now();
  const stops = [listen("anomaly", counted.again), listen("resync", counted.again)];
  return () => stops.forEach((stop) => stop());
}
