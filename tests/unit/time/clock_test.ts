// Helpers of clocks: a sleep made of timers, and durations in whole milliseconds.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { NOISE, sleepBy, wholeMilliseconds } from "../../../src/time/clock.ts";

Deno.test("wholeMilliseconds() rounds up, because timers truncate", () => {
  const rounded = [0, 0.25, 1, 1.000_01, 110.5].map(wholeMilliseconds);
  assertEquals(rounded, [0, 1, 1, 2, 111]);
});

Deno.test("wholeMilliseconds() ignores the residue of adding instants", () => {
  assertEquals(100 * 1.1 > 110, true);
  const rounded = [100 * 1.1, NOISE / 2, -NOISE, -5].map(wholeMilliseconds);
  assertEquals(rounded, [110, 0, 0, 0]);
});

Deno.test("sleepBy() resolves when the timer wakes", async () => {
  const clock = new TestClock();
  await clock.run(sleepBy((ms, wake) => clock.after(ms, wake), 100, null));
  assertEquals([clock.now(), clock.pending], [100, 0]);
});

Deno.test("sleepBy() rejects with the signal's reason, and cancels the timer", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const after = (ms: number, wake: () => void) => clock.after(ms, wake);
  const slept = sleepBy(after, 100, controller.signal);
  assertEquals(clock.pending, 1);
  const reason = { just: "an object" };
  controller.abort(reason);
  assertEquals(clock.pending, 0);
  assertStrictEquals(await slept.catch((error) => error), reason);
});

Deno.test("sleepBy() sets no timer when the signal is already aborted", async () => {
  let timers = 0;
  const after = () => (timers++, () => {});
  const slept = sleepBy(after, 100, AbortSignal.abort("before"));
  assertEquals([await slept.catch((reason) => reason), timers], ["before", 0]);
});

Deno.test("sleepBy() rejects when the signal is aborted while the timer is set", async () => {
  const controller = new AbortController();
  const after = () => {
    controller.abort("enough");
    return () => {};
  };
  const result = sleepBy(after, 100, controller.signal).catch((reason) => reason);
  assertEquals(await result, "enough");
});
