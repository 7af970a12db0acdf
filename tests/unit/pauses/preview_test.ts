// preview(): the pauses of a policy, before anything has failed.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  asyncretry,
  decorrelated,
  exponential,
  type Failure,
  linear,
} from "@asyncbackoff/asyncbackoff";
import { retryAfter } from "@asyncbackoff/asyncbackoff/http";
import { preview, type PreviewedPause } from "@asyncbackoff/asyncbackoff/pauses";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { meanOf, seeded } from "../../support/chance.ts";

const exactly = (ms: number) => ({ min: ms, mean: ms, max: ms });
const spread = (min: number, mean: number, max: number) => ({ min, mean, max });

Deno.test("preview() returns one pause less than there are attempts", () => {
  assertEquals(preview(50, 1), { pauses: [], sum: exactly(0) });
  assertEquals(preview(50, 3), { pauses: [exactly(50), exactly(50)], sum: exactly(100) });
});

Deno.test("preview() is exact when there is no jitter", () => {
  const { pauses, sum } = preview(exponential({ max: 500, jitter: "none" }), 5);
  assertEquals(pauses, [exactly(100), exactly(200), exactly(400), exactly(500)]);
  assertEquals(sum, exactly(1200));
});

Deno.test("preview() has the range and the mean of each jitter", () => {
  const full = preview(exponential({ initial: 100, max: 300 }), 4);
  const ofFull = [spread(0, 50, 100), spread(0, 100, 200), spread(0, 150, 300)];
  assertEquals(full, { pauses: ofFull, sum: spread(0, 300, 600) });
  const equal = preview(linear({ initial: 100, step: 100, jitter: "equal" }), 3);
  const ofEqual = [spread(50, 75, 100), spread(100, 150, 200)];
  assertEquals(equal, { pauses: ofEqual, sum: spread(150, 225, 300) });
});

Deno.test("preview() follows a decorrelated pause from one to the next", () => {
  const { pauses, sum } = preview(decorrelated({ initial: 100, max: 30_000 }), 6);
  let mean = 100;
  for (const [index, pause] of pauses.entries()) {
    assertEquals([pause.min, pause.max], [100, 100 * 3 ** (index + 1)], `pause ${index}`);
    mean = (100 + 3 * mean) / 2;
    assertAlmostEquals(pause.mean / mean, 1, 0.01, `pause ${index}`);
  }
  assertEquals([pauses.length, sum.min, sum.max], [5, 500, 36_300]);
  assertAlmostEquals(sum.mean / 3456.25, 1, 0.01);
});

Deno.test("preview() has the mean within 1 % when a decorrelated pause reaches its max", () => {
  const { pauses } = preview(decorrelated({ initial: 100, max: 1000 }), 9);
  const pause = decorrelated({ initial: 100, max: 1000, random: seeded(1) });
  const runs = Array.from({ length: 20_000 }, () => {
    const drawn: number[] = [];
    for (let attempt = 1; attempt < 9; attempt++) {
      drawn.push(pause({ attempt, pauseBefore: drawn.at(-1) ?? 0 }));
    }
    return drawn;
  });
  for (const [index, { mean, max }] of pauses.entries()) {
    const drawn = meanOf(runs.map((run) => run[index] ?? NaN));
    assertAlmostEquals(mean / drawn, 1, 0.015, `pause ${index}`);
    assertEquals(max, Math.min(1000, 100 * 3 ** (index + 1)));
  }
  // The third is min(1000, U(100, 3 U(100, 3 U(100, 300)))), by numerical integration.
  assertAlmostEquals(pauses[2]?.mean ?? 0, 522.1, 1);
});

Deno.test("preview() is the same each time, and draws nothing from random", () => {
  let draws = 0;
  const random = () => {
    draws += 1;
    return Math.random();
  };
  const pause = decorrelated({ initial: 5, max: 2000, random });
  assertEquals(preview(pause, 12), preview(pause, 12));
  assertEquals(draws, 0);
  pause({ attempt: 1, pauseBefore: 0 });
  assertEquals(draws, 1); // outside of a preview, from its own source
});

Deno.test("preview() leaves no trace when the function throws or previews another one", () => {
  const grow = exponential({ random: () => 0.25 });
  const pause: PreviewedPause = ({ attempt, pauseBefore }, random) => {
    if (attempt === 2) throw new Error("no more");
    return grow({ attempt, pauseBefore }, random);
  };
  assertThrows(() => preview(pause, 3), Error, "no more");
  assertEquals(grow({ attempt: 1, pauseBefore: 0 }), 25);
  // A preview within a preview: each has random numbers of its own.
  const nested: PreviewedPause = (failure, random) =>
    preview(grow, 2).sum.mean + grow(failure, random);
  assertEquals(preview(nested, 2).sum, spread(50, 100, 150));
});

Deno.test("preview() passes its random numbers to a function of the caller", () => {
  const grow = exponential({ initial: 100, max: 1000 });
  const pause: PreviewedPause = (failure, random) =>
    retryAfter(null, 0) ?? 10 + grow(failure, random);
  const { pauses } = preview(pause, 3);
  assertEquals(pauses, [spread(10, 60, 110), spread(10, 110, 210)]);
});

Deno.test("preview() plays 256 executions, with random numbers spread evenly from 0 to 1", () => {
  const drawn: number[][] = [[], []];
  preview(({ attempt }, random) => {
    drawn[attempt - 1]?.push(random(), random());
    return 5;
  }, 3);
  const evenly = Array.from({ length: 256 }, (_, index) => (index + 0.5) / 256);
  for (const numbers of drawn) {
    const sorted = numbers.filter((_, index) => index % 2 === 0).sort((a, b) => a - b);
    assertEquals(sorted, [0, ...evenly, 1]); // the ends give the smallest and the largest
    // Within a call, the number is the same however often it is asked for.
    assert(numbers.every((each, index) => each === numbers[index - index % 2]));
  }
});

Deno.test("preview() shows a function failures without limits, whose attempts take no time", () => {
  const seen = new Map<number, Failure>();
  const pause = (failure: Failure) => {
    assertEquals(failure.pauseBefore, 50 * (failure.attempt - 1)); // in every execution
    seen.set(failure.attempt, failure);
    return 50 * failure.attempt;
  };
  assertEquals(preview(pause, 4).sum, exactly(300));
  const rows = [...seen.values()].map(({ error, ...rest }) => {
    assert(error instanceof Error);
    return rest;
  });
  const each = { name: "preview", limit: null, duration: 0, remaining: Infinity };
  assertEquals(rows, [
    { ...each, attempt: 1, streak: 1, elapsed: 0, pauseBefore: 0 },
    { ...each, attempt: 2, streak: 2, elapsed: 50, pauseBefore: 50 },
    { ...each, attempt: 3, streak: 3, elapsed: 150, pauseBefore: 100 },
  ]);
});

Deno.test("preview() shows a function an error that says that it is a preview", () => {
  preview(({ error }) => {
    assertEquals(String(error), "Error: Nothing has failed: this is a preview");
    return 50;
  }, 2);
});

Deno.test("preview() reports the played pauses when a function has its own random source", () => {
  const random = seeded(2);
  const { pauses } = preview(() => 100 + 100 * random(), 3);
  for (const { min, mean, max } of pauses) {
    assert(min >= 100 && min < mean && max > mean && max <= 200);
  }
  assertAlmostEquals(pauses[1]?.mean ?? 0, 150, 3);
});

Deno.test("preview() bounds the pauses of a policy that runs", async () => {
  const maxTries = 6;
  const pause = exponential({
    initial: 100,
    max: 2000,
    jitter: "equal",
    random: seeded(3),
  });
  const { sum } = preview(pause, maxTries);
  const times: number[] = [];
  for (let run = 0; run < 200; run++) {
    const clock = new TestClock();
    const fail = asyncretry(maxTries, { pause, clock })(() => Promise.reject("down"));
    await clock.run(fail().catch(() => {}));
    times.push(clock.now());
  }
  assert(Math.min(...times) >= sum.min && Math.max(...times) <= sum.max);
  assertAlmostEquals(meanOf(times) / sum.mean, 1, 0.02);
});

Deno.test("preview() takes time in proportion to the number of attempts", () => {
  const { pauses, sum } = preview(100, 20_001);
  assertEquals([pauses.length, pauses.at(-1)], [20_000, exactly(100)]);
  assertEquals(sum, exactly(2_000_000));
});

Deno.test("preview() throws when an argument is wrong", () => {
  const ofPause = "'pause' must be a finite number of milliseconds >= 0, a list of them, " +
    "or a function that returns one";
  const ofMaxTries = "'maxTries' must be an integer >= 1 (the first attempt counts)";
  const wrong: [
    pause: unknown,
    maxTries: unknown,
    errorClass: typeof TypeError | typeof RangeError,
    message: string,
  ][] = [
    [-1, 3, RangeError, `${ofPause}, got -1`],
    [Infinity, 1, RangeError, `${ofPause}, got Infinity`],
    ["100", 3, TypeError, `${ofPause}, got "100"`],
    [null, 3, TypeError, `${ofPause}, got null`],
    [() => NaN, 3, RangeError, `${ofPause}, got NaN`],
    [() => Promise.resolve(5), 3, TypeError, `${ofPause}, got an object (Promise)`],
    [100, 0, RangeError, `${ofMaxTries}, got 0`],
    [100, 2.5, RangeError, `${ofMaxTries}, got 2.5`],
    [100, Infinity, RangeError, `${ofMaxTries}, got Infinity`],
    [100, NaN, RangeError, `${ofMaxTries}, got NaN`],
    [100, "3", TypeError, `${ofMaxTries}, got "3"`],
    [100, undefined, TypeError, `${ofMaxTries}, got undefined`],
  ];
  for (const [index, [pause, maxTries, errorClass, message]] of wrong.entries()) {
    const make = () => preview(pause as PreviewedPause, maxTries as number);
    const error = assertThrows(make, errorClass, undefined, `row ${index}`);
    assertEquals(error.message, `Cannot preview pauses: ${message}`, `row ${index}`);
  }
});

Deno.test("preview() takes a list of pauses, of which the last one is repeated", () => {
  assertEquals(preview([100, 200], 4).pauses.map(({ mean }) => mean), [100, 200, 200]);
  assertThrows(() => preview([], 2), TypeError, "'pause' must be a finite number");
  assertThrows(() => preview([1, -1], 2), RangeError, "got -1");
});
