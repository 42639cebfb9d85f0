// Events and graphs as tests need them.
import type { Endpoint, Event } from "../../src/api/event";
import type { GraphResponse, Vertex, VertexKind } from "../../src/api/graph";

export function endpointOf(it: Partial<Endpoint>): Endpoint {
  return {
    namespace: "",
    pod: "",
    uid: "",
    address: "",
    interface: "",
    workload: "",
    labels: {},
    owner: null,
    node: "",
    service: "",
    service_account: "",
    appeared_at: null,
    unknown: "",
    ...it,
  };
}

export function eventOf({ targets, further = 0 }: { targets: string[]; further?: number }): Event {
  return {
    detector: "port_scan",
    source: endpointOf({ namespace: "blue", pod: "app1" }),
    targets: targets.map((address) => ({
      endpoint: endpointOf({ address }),
      failed_ports: 1,
      answered_ports: 0,
      sample_ports: [],
    })),
    further_targets: further,
  } as unknown as Event;
}

export function vertexOf(id: string, kind: VertexKind, namespace: string, more: Partial<Vertex> = {}): Vertex {
  return {
    id,
    kind,
    namespace,
    name: id,
    owner_kind: "",
    pods: 1,
    covered_pods: 1,
    source_of: null,
    target_of: null,
    contained_pods: 0,
    ...more,
  };
}

export function graphOf(vertices: Vertex[], links: [from: string, to: string, declared?: boolean][]): GraphResponse {
  return {
    vertices,
    links: links.map(([source, destination, declared = true]) => ({
      source,
      destination,
      ports: [{ transport: "tcp", port: 80, declared, service: declared ? "web" : "" }],
      further_ports: 0,
      last_seen: null,
      burning: null,
    })),
    left_out_vertices: 0,
    left_out_links: 0,
    cursor: 1,
  };
}
