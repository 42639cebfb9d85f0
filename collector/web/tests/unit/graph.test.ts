// The graph: what is shown where, and that it stays there.
import { describe, expect, test } from "vitest";
import { curve } from "../../src/graph/curve";
import { dotAt, layout } from "../../src/graph/layout";
import { ALL, fire, model } from "../../src/graph/model";
import { graphOf, vertexOf } from "./made";

const WHOLE = graphOf(
  [vertexOf("ns a", "namespace", "a", { pods: 3 }), vertexOf("ns b", "namespace", "b"), vertexOf("out", "outside", "")],
  [
    ["ns a", "ns b"],
    ["ns b", "out", false],
  ],
);
const DETAIL = graphOf(
  [
    vertexOf("a1", "workload", "a"),
    vertexOf("a2", "workload", "a"),
    vertexOf("b1", "workload", "b"),
    vertexOf("b2", "workload", "b"),
    vertexOf("1.1.1.1", "outside", ""),
  ],
  [
    ["a1", "a2"],
    ["a1", "b1"],
    ["a1", "b2", false],
    ["b1", "1.1.1.1"],
  ],
);

describe("what is shown", () => {
  const names = (open: string[]) => model(WHOLE, open.length > 0 ? DETAIL : null, new Set(open)).edges.map((it) => `${it.from}→${it.to}`);

  test("is boxes when nothing is open", () => expect(names([])).toEqual(["a→b", "b→~outside"]));

  test("has the links of an open box end at what is in it, and those of others at boxes", () => {
    expect(names(["a"])).toEqual(["a1→a2", "a1→b", "b→~outside"]);
  });

  test("has no box between when all are open", () => {
    expect(names([ALL])).toEqual(["a1→a2", "a1→b1", "a1→b2", "b1→1.1.1.1"]);
  });

  test("is declared only when every port of a link is", () => {
    const edge = model(WHOLE, DETAIL, new Set(["a"])).edges.find((it) => it.to === "b");
    expect(edge).toMatchObject({ declared: false, ports: [{ port: 80 }] });
  });
});

test("a vertex burns for what it does and what is done to it", () => {
  const burning = (open: number, severity: "high" | "low", id: string) => ({ open, severity, anomalies: [id] });
  const it = vertexOf("a", "pod", "a", { source_of: burning(1, "low", "x"), target_of: burning(2, "high", "y") });
  expect(fire(it)).toEqual({ source: 1, target: 2, severity: "high", anomalies: ["x", "y"] });
  expect(fire(vertexOf("b", "pod", "a"))).toBeNull();
});

describe("the layout", () => {
  const shown = model(WHOLE, DETAIL, new Set([ALL]));

  test("is the same for the same graph, in whatever order it came", () => {
    const turned = { ...DETAIL, vertices: [...DETAIL.vertices].reverse(), links: [...DETAIL.links].reverse() };
    const other = layout(model({ ...WHOLE, vertices: [...WHOLE.vertices].reverse() }, turned, new Set([ALL])), null);
    expect([...other.rects].sort()).toEqual([...layout(shown, null).rects].sort());
  });

  test("does not move when links, pods and anomalies come and go", () => {
    const before = layout(shown, null);
    const grown = { ...WHOLE, vertices: WHOLE.vertices.map((it) => ({ ...it, pods: it.pods + 500 })) };
    expect(layout(model(grown, { ...DETAIL, links: [] }, new Set([ALL])), before)).toBe(before);
  });

  test("lets no two boxes overlap", () => {
    const many = Array.from({ length: 60 }, (_, index) => vertexOf(`n${index}`, "namespace", `n${index}`, { pods: index ** 2 }));
    const links = many.map((it, index): [string, string] => [it.id, `n${(index * 7 + 1) % 60}`]);
    const rects = [...layout(model(graphOf(many, links), null, new Set()), null).rects.values()];
    expect(rects).toHaveLength(60);
    const apart = rects.every((a, index) =>
      rects.slice(index + 1).every((b) => a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y),
    );
    expect(apart).toBe(true);
  });

  test("finds every dot of a dense box where it was drawn", () => {
    const vertices = Array.from({ length: 500 }, (_, index) => vertexOf(`p${index}`, "pod", "a"));
    const dense = model(WHOLE, graphOf(vertices, []), new Set(["a"]));
    const placed = layout(dense, null);
    const box = dense.boxes.find((it) => it.key === "a");
    const rect = placed.rects.get("a");
    if (!box || !rect) throw new Error("no box");
    expect(placed.dense.has("a")).toBe(true);
    const ids = box.items.map((it) => it.id);
    for (const id of ids) {
      const at = placed.rects.get(id);
      expect(at && dotAt(ids, rect, at.x + at.width / 2, at.y + at.height / 2)).toBe(id);
    }
  });

  test("survives a circle of thousands", () => {
    const many = Array.from({ length: 3000 }, (_, index) => vertexOf(`n${index}`, "namespace", `n${index}`));
    const links = many.map((it, index): [string, string] => [it.id, `n${(index + 1) % 3000}`]);
    expect(layout(model(graphOf(many, links), null, new Set()), null).rects.size).toBe(3000);
  });
});

test("the two directions of a link are two lines", () => {
  const [a, b] = [
    { x: 0, y: 0, width: 10, height: 10 },
    { x: 100, y: 0, width: 10, height: 10 },
  ];
  expect(curve(a, b)).not.toBe(curve(b, a));
  expect(curve(a, b)).toMatch(/^M10 -1C/);
});
