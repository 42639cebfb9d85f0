// Times, names, filters and texts, as people read and write them.
import { describe, expect, test } from "vitest";
import { diff, hunks } from "../../src/words/diff";
import { filterOf, questionOf, toggled } from "../../src/words/filter";
import { bytes, count, endpoint } from "../../src/words/names";
import { attackPage } from "../../src/words/attack";
import { ago, duration, millis, parseDuration, span } from "../../src/words/time";
import { visible } from "../../src/words/visible";
import { draftOf, labelsOf, labelsText, listOf } from "../../src/words/exception";
import { endpointOf, eventOf } from "./made";

const NOW = Date.parse("2026-01-31T12:00:00Z");

test.each([
  [0, "0 s"],
  [59.9, "59 s"],
  [60, "1 m"],
  [3_725, "1 h 2 m"],
  [90_000, "1 d 1 h"],
])("%d seconds are %s", (seconds, said) => expect(span(seconds)).toBe(said));

test.each([
  ["2026-01-31T11:59:59.999999999Z", "now"],
  ["2026-01-31T11:50:00Z", "10 m ago"],
  ["2026-01-31T14:00:00Z", "in 2 h"],
  [null, "never"],
  ["nonsense", "never"],
])("%s is %s", (time, said) => expect(ago(time, NOW)).toBe(said));

test("nanoseconds are cut off, not rounded", () => {
  expect(millis("2026-01-31T12:00:00.123999999Z")).toBe(NOW + 123);
});

test.each([
  ["0.000250s", "250 µs"],
  ["0.25s", "250 ms"],
  ["1.5s", "1.5 s"],
  ["3600s", "1 h"],
  ["-2s", "−2 s"],
])("the wire's %s is %s", (text, said) => expect(duration(text)).toBe(said));

test.each([
  ["10m", 600],
  ["1h30m", 5_400],
  ["24h", 86_400],
  ["10", null],
  ["m", null],
  ["1.5h", null],
  ["", null],
])("a lease of %s takes %s seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

test("whatever cannot be seen, or turns writing round, is spelled out", () => {
  expect(visible("a\u202eb\u001b[31m\u0000\u200f")).toBe("a\\u{202e}b\\u{1b}[31m\\u{0}\\u{200f}");
  expect(visible("<b>שלום</b>")).toBe("<b>שלום</b>");
});

test.each([
  [{ namespace: "blue", pod: "app1" }, "blue/app1"],
  [{ namespace: "shop", service: "db" }, "shop/db"],
  [{ address: "10.0.0.1" }, "10.0.0.1"],
  [{}, "unknown"],
])("an endpoint %o is called %s", (it, name) => expect(endpoint(endpointOf(it))).toBe(name));

test("counts and sizes have their unit", () => {
  expect(count(1, "pod")).toBe("1 pod");
  expect(count(12_000, "anomaly", "anomalies")).toBe("12,000 anomalies");
  expect(bytes(1536)).toBe("1.5 KiB");
});

test.each([
  ["T1046", "https://attack.mitre.org/techniques/T1046/"],
  ["T1568.002", "https://attack.mitre.org/techniques/T1568/002/"],
  ["javascript:alert(1)", null],
])("the technique %s is read of at %s", (id, page) => expect(attackPage(id)).toBe(page));

describe("the filter", () => {
  test("keeps what is part of it, once", () => {
    const address = new URLSearchParams("severity=high&severity=high&severity=low&node=&view=table&text=a%26b");
    expect(filterOf(address).toString()).toBe("severity=high&severity=low&text=a%26b");
  });

  test("asks for a time, to the minute, so that the question stays the same", () => {
    const address = new URLSearchParams("since=1h");
    const question = questionOf(address, NOW + 59_000).toString();
    expect(question).toBe(questionOf(address, NOW).toString());
    expect(new URLSearchParams(question).get("since")).toBe("2026-01-31T11:00:00.000Z");
  });

  test("does not ask for a time that is none", () => {
    expect(questionOf(new URLSearchParams("since=soon"), NOW).has("since")).toBe(false);
  });

  test("takes a value in, and out again", () => {
    const filter = new URLSearchParams("severity=high");
    expect(toggled(filter, "severity", "low")).toEqual(["high", "low"]);
    expect(toggled(filter, "severity", "high")).toEqual([]);
  });
});

describe("what becomes different", () => {
  test("is told by line, with what is near", () => {
    const before = ["a", "b", "c", "d", "e", "f", "g"].join("\n");
    const after = ["a", "b", "c", "D", "e", "f", "g"].join("\n");
    const told = hunks(diff(before, after), 1).map((it) => (it ? `${it.kind} ${it.text}` : "…"));
    expect(told).toEqual(["…", "same c", "gone d", "new D", "same e", "…"]);
  });

  test("is nothing when all is alike", () => expect(hunks(diff("a\nb", "a\nb"))).toEqual([]));
});

describe("an exception made of an event", () => {
  test("covers its targets when the event names all", () => {
    const event = eventOf({ targets: ["10.0.0.1", "10.0.0.1", "10.0.0.2"] });
    expect(draftOf(event)).toMatchObject({
      detectors: ["port_scan"],
      namespaces: ["blue"],
      targets: ["10.0.0.1", "10.0.0.2"],
      until: null,
    });
  });

  test("names no target when there are more, for it would never hit", () => {
    expect(draftOf(eventOf({ targets: ["10.0.0.1"], further: 3 })).targets).toEqual([]);
  });

  test("covers the pods that come after, too", () => {
    const event = eventOf({ targets: [] });
    if (event.source) event.source.labels = { app: "web", "pod-template-hash": "7d9f4c", "statefulset.kubernetes.io/pod-name": "web-0" };
    expect(draftOf(event).labels).toEqual({ app: "web" });
  });

  test("has labels as people write them", () => {
    expect(labelsOf("app=web, a/b=c=d\nbare")).toEqual({ app: "web", "a/b": "c=d", bare: "" });
    expect(labelsText({ app: "web", tier: "" })).toBe("app=web, tier=");
  });

  test("has lists as people write them", () => expect(listOf(" a, b\nc ,, ")).toEqual(["a", "b", "c"]));
});
