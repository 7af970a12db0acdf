// The quantile of durations: how exact it is, what it forgets, its memory, and its options.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { quantile, type QuantileState } from "@asyncbackoff/asyncbackoff/guards";
import { isQuantileState } from "../../../src/guards/quantile.ts";
import { normal, seeded } from "../../support/chance.ts";

Deno.test("Quantile.delayAt() is exact to about 1 %, for any scale of durations", () => {
  for (const scale of [0.01, 1, 1000, 3_600_000]) {
    for (const q of [0.5, 0.9, 0.95, 0.99]) {
      const random = seeded(1);
      const durations = Array.from(
        { length: 20_000 },
        () => scale * Math.exp(normal(random, 0, 0.5)),
      );
      const estimate = quantile(q, { min: 0 });
      for (const ms of durations) estimate.record(0, ms);
      const exact = durations.sort((one, other) => one - other)[Math.floor(q * 20_000)] ??
        0;
      assertAlmostEquals((estimate.delayAt(0) ?? 0) / exact, 1, 0.012, `${q} of ${scale}`);
    }
  }
});

Deno.test("Quantile.delayAt() is exceeded by the share of durations that it should be", () => {
  const random = seeded(2);
  for (const q of [0.9, 0.95, 0.99]) {
    const delay = quantile(q, { min: 0, window: 1e9 });
    let [exceeded, asked] = [0, 0];
    for (let call = 0; call < 200_000; call++) {
      const ms = 10 * Math.exp(normal(random, 0, 0.5));
      const limit = delay.delayAt(call);
      if (limit !== null) {
        asked += 1;
        exceeded += ms > limit ? 1 : 0;
      }
      delay.record(call, ms);
    }
    const error = Math.sqrt(q * (1 - q) / asked);
    assert(Math.abs(exceeded / asked - (1 - q)) < 5 * error, `${q}: ${exceeded / asked}`);
  }
});

Deno.test("Quantile.delayAt() is null until enough calls were seen within the window", () => {
  const delay = quantile(0.5, { minCalls: 3, window: 1000 });
  delay.record(0, 10);
  delay.record(500, 10);
  assertEquals(delay.delayAt(500), null);
  delay.record(600, 10);
  assertAlmostEquals(delay.delayAt(600) ?? 0, 10, 0.2);
  assertAlmostEquals(delay.delayAt(999) ?? 0, 10, 0.2);
  assertEquals(delay.delayAt(1000), null);
});

Deno.test("Quantile.delayAt() is at least 'min'", () => {
  const delay = quantile(0.5, { minCalls: 1, min: 25 });
  delay.record(0, 10);
  assertEquals(delay.delayAt(0), 25);
  for (let call = 0; call < 10; call++) delay.record(0, 100);
  assertAlmostEquals(delay.delayAt(0) ?? 0, 100, 2);
});

Deno.test("Quantile.delayAt() follows durations that change, within its window", () => {
  const delay = quantile(0.9, { minCalls: 10, window: 1000 });
  for (let at = 0; at < 1000; at += 10) delay.record(at, 10);
  assertAlmostEquals(delay.delayAt(1000) ?? 0, 10, 0.2);
  for (let at = 1000; at < 2000; at += 10) delay.record(at, 500);
  assertAlmostEquals(delay.delayAt(2000) ?? 0, 500, 7);
});

Deno.test("Quantile counts durations of any size, and a clock that goes backwards as standing still", () => {
  const delay = quantile(0.5, { minCalls: 1, min: 0 });
  for (const ms of [0, 1e-9, 1e15, Infinity]) delay.record(5000, ms);
  const ms = delay.delayAt(0);
  assert(ms !== null && ms > 0 && ms < Infinity);
  const zero = quantile(0.5, { minCalls: 1, min: 0 });
  for (let call = 0; call < 3; call++) zero.record(-call, 0);
  assert((zero.delayAt(0) ?? 1) < 0.002);
});

Deno.test("Quantile has a bounded memory, whatever it has seen", () => {
  const random = seeded(3);
  const delay = quantile(0.95, { window: 1000 });
  let longest = 0;
  for (let call = 0; call < 200_000; call++) {
    delay.record(call / 10, 10 * Math.exp(normal(random, 0, 0.5)));
    if (call % 10_000 === 0) longest = Math.max(longest, JSON.stringify(delay).length);
  }
  const { slices } = delay.toJSON();
  assert(slices.length <= 10 && longest < 30_000, `${longest}`);
  delay.delayAt(1e9);
  assertEquals(delay.toJSON().slices, []);
});

Deno.test("Quantile.restore() goes on from JSON, also on a clock that began anew", () => {
  const one = quantile(0.9, { minCalls: 10, window: 1000 });
  for (let at = 50_000; at < 50_500; at += 10) one.record(at, at - 49_990);
  const state: QuantileState = JSON.parse(JSON.stringify(one));
  assertEquals(state, one.toJSON() as QuantileState);
  const same = quantile(0.9, { minCalls: 10, window: 1000 });
  same.restore(state, 50_490);
  assertEquals(same.delayAt(50_490), one.delayAt(50_490));
  assertEquals(same.toJSON(), one.toJSON());
  const anew = quantile(0.9, { minCalls: 10, window: 1000 });
  anew.restore(state, 7);
  assertEquals(anew.delayAt(7), one.delayAt(50_490));
  assertEquals(anew.delayAt(1100), null);
  // Time went on for a minute: nothing is left of it.
  const later = quantile(0.9, { minCalls: 10, window: 1000 });
  later.restore(state, 110_490);
  assertEquals(later.delayAt(110_490), null);
});

Deno.test("isQuantileState() tells states from other values", () => {
  const delay = quantile(0.5);
  assert(isQuantileState(JSON.parse(JSON.stringify(delay))));
  delay.record(5, 1e15);
  delay.record(5, 0);
  assert(isQuantileState(JSON.parse(JSON.stringify(delay))));
  const bins = (...pairs: unknown[]) => ({ at: 0, slices: [[0, pairs]] });
  const wrong = [null, {}, { at: 0 }, { at: null, slices: [] }, bins(5), bins([0, 0])]
    .concat(bins([-1, 1]), bins([1e5, 1]), bins([0.5, 1]), bins(["0", 1]));
  for (const value of wrong) assert(!isQuantileState(value), JSON.stringify(value));
});

// deno-lint-ignore no-explicit-any
const untyped = (value: unknown): any => value;

const wrong: [q: unknown, options: unknown, Class: typeof TypeError, message: string][] = [
  ...[0, 1, -1, 95, NaN].map((q): [unknown, unknown, typeof RangeError, string] => [
    q,
    {},
    RangeError,
    `Cannot make a quantile: 'q' must be a number above 0 and below 1, got ${q}`,
  ]),
  ["95%", {}, TypeError, "'q' must be a number above 0 and below 1"],
  [0.5, { min: -1 }, RangeError, "option 'min' must be a finite number"],
  [0.5, { minCalls: 0 }, RangeError, "option 'minCalls' must be an integer >= 1, got 0"],
  [0.5, { window: 0 }, RangeError, "option 'window' must be a finite number"],
  [
    0.5,
    { max: 5 },
    TypeError,
    "unknown option 'max', the options are min, minCalls, window",
  ],
  [0.5, 5, TypeError, "the options must be an object, got 5"],
];

for (const [q, options, errorClass, message] of wrong) {
  Deno.test(`quantile() says "${message}" when an argument is wrong`, () => {
    assertThrows(() => quantile(untyped(q), untyped(options)), errorClass, message);
  });
}
