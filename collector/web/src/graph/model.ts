// What the graph shows: boxes of namespaces, some of them open with what is in them, and who talks to whom between them.
import type { Severity } from "../api/event";
import type { Burning, GraphResponse, Link, LinkPort, Vertex } from "../api/graph";
import { rank } from "../words/names";

export interface Fire {
  /** Anomalies that are open, of it and towards it. */
  source: number;
  target: number;
  severity: Severity;
  anomalies: string[];
}

export interface Box {
  key: string;
  /** What is known of it as a whole. */
  vertex: Vertex;
  isOpen: boolean;
  items: Vertex[];
}

export interface Edge {
  /** Keys of boxes, or ids of vertices in them. */
  from: string;
  to: string;
  ports: LinkPort[];
  further: number;
  lastSeen: string | null;
  /** Every port of it is declared by a Service. */
  declared: boolean;
  burning: Burning | null;
}

export interface Model {
  boxes: Box[];
  edges: Edge[];
  /** Whatever is shown, by key or id, and the key of the box it is in. */
  shown: Map<string, { vertex: Vertex; box: string }>;
  leftOutVertices: number;
  leftOutLinks: number;
}

/** All boxes are open. */
export const ALL = "*";

/** The box a vertex belongs to: a prefix that no namespace has keeps those without one apart. */
export function boxOf(vertex: Vertex): string {
  if (vertex.namespace !== "") return vertex.namespace;
  return vertex.kind === "namespace" ? vertex.name : `~${vertex.kind}`;
}

export function model(whole: GraphResponse, detail: GraphResponse | null, open: ReadonlySet<string>): Model {
  const isOpen = (key: string) => open.has(ALL) || open.has(key);
  const boxes = new Map<string, Box>();
  const boxWith = (vertex: Vertex) => {
    const key = boxOf(vertex);
    let box = boxes.get(key);
    if (!box) {
      box = { key, vertex: wholeOf(key, vertex), isOpen: false, items: [] };
      boxes.set(key, box);
    }
    return box;
  };
  for (const vertex of whole.vertices) {
    const box = boxWith(vertex);
    box.vertex = vertex.kind === "namespace" ? vertex : together(box.vertex, vertex);
  }
  for (const vertex of detail?.vertices ?? []) {
    const box = boxWith(vertex);
    if (!isOpen(box.key)) continue;
    box.isOpen = true;
    box.items.push(vertex);
  }
  const shown: Model["shown"] = new Map();
  for (const box of boxes.values()) {
    box.items.sort(byName);
    shown.set(box.key, { vertex: box.vertex, box: box.key });
    for (const item of box.items) shown.set(item.id, { vertex: item, box: box.key });
  }
  const edges = new Map<string, Edge>();
  add(edges, whole, (vertex) => (boxes.get(boxOf(vertex))?.isOpen ? null : boxOf(vertex)), false);
  if (detail) {
    const place = (vertex: Vertex) => (boxes.get(boxOf(vertex))?.isOpen ? vertex.id : boxOf(vertex));
    add(edges, detail, place, true, (key) => boxes.has(key));
  }
  return {
    boxes: [...boxes.values()].sort((a, b) => compare(a.key, b.key)),
    edges: [...edges.values()].sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to)),
    shown,
    leftOutVertices: (detail ?? whole).left_out_vertices,
    leftOutLinks: (detail ?? whole).left_out_links,
  };
}

function add(
  edges: Map<string, Edge>,
  graph: GraphResponse,
  place: (vertex: Vertex) => string | null,
  inside: boolean,
  isBox: (key: string) => boolean = () => true,
): void {
  const vertices = new Map(graph.vertices.map((it) => [it.id, it]));
  for (const link of graph.links) {
    const [source, destination] = [vertices.get(link.source), vertices.get(link.destination)];
    if (!source || !destination) continue;
    const [from, to] = [place(source), place(destination)];
    if (from === null || to === null || from === to) continue;
    // Between two closed boxes the graph of namespaces knows more than what was asked for some of them.
    if (inside && isBox(from) && isBox(to)) continue;
    const key = `${from}\n${to}`;
    const known = edges.get(key);
    edges.set(key, known ? joined(known, link) : edge(from, to, link));
  }
}

function edge(from: string, to: string, link: Link): Edge {
  return {
    from,
    to,
    ports: link.ports,
    further: link.further_ports,
    lastSeen: link.last_seen,
    declared: link.ports.length > 0 && link.further_ports === 0 && link.ports.every((it) => it.declared),
    burning: link.burning !== null && link.burning.open > 0 ? link.burning : null,
  };
}

function joined(known: Edge, link: Link): Edge {
  const more = edge(known.from, known.to, link);
  const has = new Set(known.ports.map(portKey));
  const ports = [...known.ports, ...more.ports.filter((it) => !has.has(portKey(it)))];
  return {
    ...known,
    ports: ports.slice(0, 16),
    further: known.further + more.further + Math.max(0, ports.length - 16),
    lastSeen: [known.lastSeen, more.lastSeen].sort().at(-1) ?? null,
    declared: known.declared && more.declared,
    burning: burning(known.burning, more.burning),
  };
}

function portKey(it: LinkPort): string {
  return `${it.transport} ${it.port}`;
}

function burning(a: Burning | null, b: Burning | null): Burning | null {
  if (!a || !b) return a ?? b;
  const anomalies = [...new Set([...a.anomalies, ...b.anomalies])];
  return {
    open: Math.max(a.open, b.open, anomalies.length),
    severity: rank(a.severity) >= rank(b.severity) ? a.severity : b.severity,
    anomalies: anomalies.slice(0, 16),
  };
}

/** What stands for a box until, or unless, the graph of namespaces says more. */
function wholeOf(key: string, of: Vertex): Vertex {
  const kind = of.namespace !== "" || of.kind === "namespace" ? "namespace" : of.kind;
  const names: Record<string, string> = { outside: "outside the cluster", node: "nodes" };
  const nothing = { pods: 0, covered_pods: 0, contained_pods: 0, source_of: null, target_of: null };
  return { ...of, ...nothing, id: key, kind, name: kind === "namespace" ? key : (names[kind] ?? kind), owner_kind: "" };
}

function together(whole: Vertex, part: Vertex): Vertex {
  return {
    ...whole,
    pods: whole.pods + part.pods,
    covered_pods: whole.covered_pods + part.covered_pods,
    contained_pods: whole.contained_pods + part.contained_pods,
    source_of: burning(whole.source_of, part.source_of),
    target_of: burning(whole.target_of, part.target_of),
  };
}

export function fire(vertex: Vertex): Fire | null {
  const [source, target] = [vertex.source_of?.open ?? 0, vertex.target_of?.open ?? 0];
  if (source + target === 0) return null;
  const both = burning(vertex.source_of, vertex.target_of);
  return { source, target, severity: both?.severity ?? "unspecified", anomalies: both?.anomalies ?? [] };
}

function byName(a: Vertex, b: Vertex): number {
  return compare(a.kind, b.kind) || compare(a.name, b.name) || compare(a.id, b.id);
}

/** The same order on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
