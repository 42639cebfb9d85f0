// What to do next about what a detector found: the first three steps, for whoever was woken by it.

const SCAN = [
  "Ask who runs it: a scanner of your own belongs into an exception.",
  "If nobody does, contain the pod; what it talks to already goes on.",
  "Look at the ports that answered: those are what it found.",
];
const VOLUME = [
  "Compare with what the workload was deployed to do: a backup or an image pull looks the same.",
  "Look at the target: is it yours?",
  "If it is not, contain the pod and keep its logs.",
];
const CHANNEL = [
  "Look at the samples: do the names or addresses belong to anything you run?",
  "See what the process in the pod is, and since when.",
  "If nobody knows it, contain the pod and rotate what it could read.",
];
const SEVERAL = [
  "Look at the related anomalies: what do these pods share?",
  "Contain those that are not needed first.",
  "Look for the common cause: an image, a service account, a node.",
];

const STEPS: Record<string, string[]> = {
  port_scan: SCAN,
  ip_sweep: SCAN,
  protocol_scan: SCAN,
  port_scan_target: [
    "Find out who does it: look for anomalies of other pods towards this one.",
    "Check what answers on the pod, and whether it must be reachable.",
    "Narrow its NetworkPolicy to those that need it.",
  ],
  dns_enumeration: SCAN,
  zone_transfer: SCAN,
  dga: CHANNEL,
  dns_tunnel: CHANNEL,
  icmp_tunnel: CHANNEL,
  unexpected_tunnel: CHANNEL,
  protocol_mismatch: CHANNEL,
  beacon: CHANNEL,
  new_peer: CHANNEL,
  malformed_dns: CHANNEL,
  bytes_in: VOLUME,
  bytes_out: VOLUME,
  distributed_scan: SEVERAL,
  workload_sweep: SEVERAL,
  dependency_down: [
    "Look at the target: is it down, renamed, or cut off by a policy?",
    "Anomalies that are part of this one are its consequences.",
    "They close when it answers again.",
  ],
  canary: [
    "The agent of this node does not see its own test scan: treat the node as unwatched.",
    "Open it under Nodes and do what its findings say.",
    "Restart the agent if nothing is found.",
  ],
};

const ANY = [
  "Read the sentence and look at the evidence below.",
  "See what the process in the pod is, and since when.",
  "Contain the pod if nobody knows it; else make an exception with an end.",
];

export function advice(detector: string): string[] {
  return STEPS[detector] ?? ANY;
}
