// What the pauses of a policy will be.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  asyncretry,
  decorrelated,
  exponential,
  type Failure,
  linear,
  type Pause,
} from "@asyncbackoff/asyncbackoff";
import { retryAfter } from "@asyncbackoff/asyncbackoff/http";
import { preview } from "@asyncbackoff/asyncbackoff/pauses";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { meanOf, seeded } from "../../support/chance.ts";

const exactly = (ms: number) => ({ least: ms, mean: ms, most: ms });
const spread = (least: number, mean: number, most: number) => ({ least, mean, most });

Deno.test("preview() has one pause less than there are tries", () => {
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
  const { pauses, sum } = preview(decorrelated({ initial: 100, max: 10_000 }), 4);
  assertEquals(pauses, [
    spread(100, 200, 300),
    spread(100, 350, 900),
    spread(100, 575, 2700),
  ]);
  assertEquals(sum, spread(300, 1125, 3900));
});

Deno.test("preview() has the mean to 1 % when a decorrelated pause reaches its max", () => {
  const { pauses } = preview(decorrelated({ initial: 100, max: 1000 }), 9);
  const pause = decorrelated({ initial: 100, max: 1000, random: seeded(1) });
  const runs = Array.from({ length: 20_000 }, () => {
    const drawn: number[] = [];
    for (let tries = 1; tries < 9; tries++) {
      drawn.push(pause({ tries, pause: drawn.at(-1) ?? 0 }));
    }
    return drawn;
  });
  for (const [index, { mean, most }] of pauses.entries()) {
    const drawn = meanOf(runs.map((run) => run[index] ?? NaN));
    assertAlmostEquals(mean / drawn, 1, 0.015, `pause ${index}`);
    assertEquals(most, Math.min(1000, 100 * 3 ** (index + 1)));
  }
  // The third is min(1000, U(100, 3 U(100, 3 U(100, 300)))), by numbers alone.
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
  pause({ tries: 1, pause: 0 });
  assertEquals(draws, 1); // its own again
});

Deno.test("preview() gives random back when the function throws", () => {
  const grow = exponential({ random: () => 0.25 });
  const pause = ({ tries }: Failure) => {
    if (tries === 2) throw new Error("no more");
    return grow({ tries, pause: 0 });
  };
  assertThrows(() => preview(pause, 3), Error, "no more");
  assertEquals(grow({ tries: 1, pause: 0 }), 25);
});

Deno.test("preview() reaches into a function of the caller's own", () => {
  const grow = exponential({ initial: 100, max: 1000 });
  const pause = (failure: Failure) => retryAfter(null, 0) ?? 10 + grow(failure);
  const { pauses } = preview(pause, 3);
  assertEquals(pauses, [spread(10, 60, 110), spread(10, 110, 210)]);
});

Deno.test("preview() shows a function failures without limits, whose attempts take no time", () => {
  const seen = new Map<number, Failure>();
  const pause = (failure: Failure) => {
    assertEquals(failure.pause, 50 * (failure.tries - 1)); // whichever part is asked for
    seen.set(failure.tries, failure);
    return 50 * failure.tries;
  };
  assertEquals(preview(pause, 4).sum, exactly(300));
  const rows = [...seen.values()].map(({ error, ...rest }) => {
    assert(error instanceof Error);
    return rest;
  });
  assertEquals(rows, [
    { tries: 1, elapsed: 0, remaining: Infinity, pause: 0 },
    { tries: 2, elapsed: 50, remaining: Infinity, pause: 50 },
    { tries: 3, elapsed: 150, remaining: Infinity, pause: 100 },
  ]);
});

Deno.test("preview() shows a function an error that says what it is", () => {
  preview(({ error }) => {
    assertEquals(String(error), "Error: Nothing has failed: this is a preview");
    return 50;
  }, 2);
});

Deno.test("preview() tells what calls return when a function has a chance of its own", () => {
  const random = seeded(2);
  const { pauses } = preview(() => 100 + 100 * random(), 3);
  for (const { least, mean, most } of pauses) {
    assert(least >= 100 && least < mean && most > mean && most <= 200);
  }
  assertAlmostEquals(pauses[1]?.mean ?? 0, 150, 3);
});

Deno.test("preview() holds what a policy's pauses come to when it runs", async () => {
  const tries = 6;
  const pause = exponential({
    initial: 100,
    max: 2000,
    jitter: "equal",
    random: seeded(3),
  });
  const { sum } = preview(pause, tries);
  const times: number[] = [];
  for (let run = 0; run < 200; run++) {
    const clock = new TestClock();
    const fail = asyncretry(tries, { pause, clock })(() => Promise.reject("down"));
    await clock.run(fail().catch(() => {}));
    times.push(clock.now());
  }
  assert(Math.min(...times) >= sum.least && Math.max(...times) <= sum.most);
  assertAlmostEquals(meanOf(times) / sum.mean, 1, 0.02);
});

Deno.test("preview() throws when an argument is wrong", () => {
  const wrong: [unknown, unknown, typeof TypeError | typeof RangeError, string][] = [
    [-1, 3, RangeError, "'pause' must be a finite number of milliseconds >= 0"],
    [Infinity, 1, RangeError, "current value is Infinity"],
    ["100", 3, TypeError, 'current value is "100"'],
    [null, 3, TypeError, "current value is null"],
    [() => NaN, 3, RangeError, "current value is NaN"],
    [() => Promise.resolve(5), 3, TypeError, "current value is an object (Promise)"],
    [100, 0, RangeError, "'tries' must be an integer >= 1, the first try included"],
    [100, 2.5, RangeError, "current value is 2.5"],
    [100, Infinity, RangeError, "current value is Infinity"],
    [100, NaN, RangeError, "current value is NaN"],
    [100, "3", TypeError, 'current value is "3"'],
    [100, undefined, TypeError, "current value is undefined"],
  ];
  for (const [index, [pause, tries, error, message]] of wrong.entries()) {
    const make = () => preview(pause as Pause, tries as number);
    const thrown = assertThrows(make, error, undefined, `row ${index}`);
    assertStringIncludes(thrown.message, message, `row ${index}`);
  }
});
