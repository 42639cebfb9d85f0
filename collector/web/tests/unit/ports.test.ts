// Sets of ports as runs.
import { expect, test } from "vitest";
import { listed, shares, size, sound, within } from "../../src/words/ports";
import type { PortSet } from "../../src/api/event";

const SET: PortSet = [
  [22, 22],
  [80, 89],
  [65_535, 65_535],
];

test("a set is counted, whole and in part", () => {
  expect(size(SET)).toBe(12);
  expect(within(SET, 85, 65_535)).toBe(6);
  expect(within(SET, 23, 79)).toBe(0);
});

test("runs that cannot be are left out", () => {
  expect(sound([[5, 3], [-1, 2], [1, 70_000], [7, 7]])).toEqual([[7, 7]]);
  expect(sound(null)).toEqual([]);
});

test("a column is as dark as the share of its ports", () => {
  expect([...shares([[0, 4]], 0, 9, 2)]).toEqual([1, 0]);
  expect([...shares([[4, 5]], 0, 9, 2)].map((it) => Number(it.toFixed(2)))).toEqual([0.2, 0.2]);
});

test("no port is lost in columns of any width", () => {
  for (const columns of [1, 7, 97, 1366]) {
    const all = shares(SET, 0, 65_535, columns).reduce((sum, it) => sum + it, 0) * (65_536 / columns);
    expect(all).toBeCloseTo(12, 0);
  }
});

test("near, one port fills its columns and no other", () => {
  expect([...shares([[80, 80]], 79, 82, 8)]).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
});

test.each<[PortSet, string]>([
  [[], "none"],
  [[[22, 22]], "22"],
  [SET, "22, 80–89 and 65535"],
])("%o is said as %s", (set, said) => expect(listed(set)).toBe(said));

test("of many runs the first are said, and how many more there are", () => {
  expect(listed(SET, 1)).toBe("22 and 2 more runs");
});
