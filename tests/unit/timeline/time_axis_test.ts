// TimeAxis: positions of instants, and round ticks in each unit of time.

import { assertEquals } from "@std/assert";
import { TimeAxis } from "../../../src/timeline/time_axis.ts";

/** The labels of the ticks of an axis of a length in milliseconds. */
const labelsOf = (ms: number, max: number) =>
  new TimeAxis(0, ms, 100).ticks(max).map(({ text }) => text);

Deno.test("TimeAxis.positionOf() is proportional to time, and never outside of the axis", () => {
  const axis = new TimeAxis(1000, 3000, 40);
  assertEquals([1000, 1500, 3000].map((at) => axis.positionOf(at)), [0, 10, 40]);
  assertEquals([0, 9000].map((at) => axis.positionOf(at)), [0, 40]);
});

Deno.test("TimeAxis spans at least a millisecond", () => {
  const axis = new TimeAxis(5, 5, 40);
  assertEquals([5, 5.5, 6].map((at) => axis.positionOf(at)), [0, 20, 40]);
});

Deno.test("TimeAxis.ticks() are at round durations since the beginning", () => {
  assertEquals(new TimeAxis(70, 320, 100).ticks(3), [
    { at: 70, text: "0" },
    { at: 170, text: "100" },
    { at: 270, text: "200 ms" },
  ]);
});

Deno.test("TimeAxis.ticks() include the end when it is round, also after rounding errors", () => {
  assertEquals(labelsOf(500, 5), ["0", "100", "200", "300", "400", "500 ms"]);
  assertEquals(new TimeAxis(1.02, 4.02, 100).ticks(3).at(-1)?.text, "3 ms"); // 4.02 - 1.02 < 3
});

Deno.test("TimeAxis.ticks() use the unit in which the step is round", () => {
  assertEquals(labelsOf(2500, 5), ["0", "500", "1000", "1500", "2000", "2500 ms"]);
  assertEquals(labelsOf(2501, 5), ["0", "1", "2 s"]);
  assertEquals(labelsOf(180_000, 4), ["0", "1", "2", "3 min"]);
  assertEquals(labelsOf(7_200_000, 2), ["0", "1", "2 h"]);
  assertEquals(labelsOf(172_800_000, 2), ["0", "1", "2 days"]);
  assertEquals(labelsOf(86_400_000 * 2000, 2), ["0", "1000", "2000 days"]);
});

Deno.test("TimeAxis.ticks() are one tick besides the one at 0 when it may have none", () => {
  assertEquals(labelsOf(1, 0), ["0", "1 ms"]);
});
