// What things are called, for people.
import type { Endpoint, Event } from "../api/event";
import type { Vertex } from "../api/graph";

/** Namespace and name; else what is known of it. */
export function endpoint(it: Endpoint | null | undefined): string {
  if (!it) return "unknown";
  if (it.pod !== "") return qualified(it.namespace, it.pod);
  if (it.service !== "") return qualified(it.namespace, it.service);
  if (it.workload !== "") return qualified(it.namespace, it.workload);
  return it.address || it.node || it.interface || "unknown";
}

export function qualified(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** Who it is about: the source, or whom it happened to when nobody can say who did it. */
export function subject(event: Event | null): string {
  const source = event?.source;
  if (source && endpoint(source) !== "unknown") return endpoint(source);
  return endpoint(event?.targets[0]?.endpoint);
}

/** Of `NODE/EPOCH/SLOT/DETECTOR/NUMBER`, which nobody reads, what finds what; of other ids the whole. */
export function anomaly(id: string): string {
  const parts = id.split("/");
  const [node, detector] = [parts[0], parts.at(-2)];
  if (parts.length < 4 || !node || !detector) return id;
  return node.startsWith("@") ? plain(detector) : `${plain(detector)} on ${node}`;
}

/** What an endpoint is, beside its name. */
export function endpointKind(it: Endpoint | null | undefined): string {
  if (!it) return "";
  if (it.pod !== "") return "pod";
  if (it.service !== "") return "Service";
  if (it.workload !== "") return "workload";
  return it.node !== "" ? "node" : "address";
}

export function vertex(it: Vertex): string {
  if (it.kind === "namespace") return it.namespace || it.name;
  return qualified(it.namespace, it.name);
}

export function vertexKind(it: Vertex): string {
  if (it.kind === "workload") return it.owner_kind || "workload";
  const words: Record<string, string> = { service: "Service", outside: "outside the cluster" };
  return words[it.kind] ?? it.kind;
}

/** `failed_ports_per_destination` is `failed ports per destination`. */
export function plain(word: string): string {
  return word.replaceAll("_", " ");
}

export function transport(word: string): string {
  return word === "sctp" || word === "tcp" || word === "udp" ? word.toUpperCase() : word;
}

const TECHNIQUES: Record<string, string> = {
  unspecified: "",
  tcp_connect: "TCP connect",
  tcp_syn: "TCP SYN",
  tcp_null: "TCP NULL",
  tcp_fin: "TCP FIN",
  tcp_xmas: "TCP Xmas",
  tcp_other: "TCP with odd flags",
  tcp_ack: "TCP ACK or window",
  tcp_maimon: "TCP Maimon",
  tcp_syn_ack: "TCP SYN-ACK",
  tiny_fragment: "tiny fragments",
  udp: "UDP",
  sctp_init: "SCTP INIT",
  sctp_cookie_echo: "SCTP COOKIE-ECHO",
  ping: "ping",
  ip_protocol: "IP protocols",
  neighbour: "ARP or neighbour discovery",
};

export function technique(word: string): string {
  return TECHNIQUES[word] ?? plain(word);
}

const NUMBERS = new Intl.NumberFormat("en-GB");

export function number(value: number): string {
  return NUMBERS.format(value);
}

/** `1 pod`, `2 pods`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${Number(size.toFixed(unit === 0 ? 0 : 1))} ${units[unit]}`;
}

const WORSE = ["unspecified", "info", "low", "medium", "high"];

export function rank(severity: string): number {
  return WORSE.indexOf(severity);
}
