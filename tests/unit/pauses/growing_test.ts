// Growing pauses: their formulas, their distributions, and their options.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  asyncretry,
  Backoff,
  type BackoffEvent,
  decorrelated,
  exponential,
  type GrowingPause,
  type Jitter,
  linear,
  type PauseBasis,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { meanOf, seeded } from "../../support/chance.ts";

const always = (number: number) => () => number;
/** The greatest number that `Math.random` can return. */
const ALMOST_ONE = 1 - 2 ** -53;

/** The pauses of one execution, each after the one before it. */
function pausesOf(pause: GrowingPause, count: number): number[] {
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= count; attempt++) {
    pauses.push(pause({ attempt, pauseBefore: pauses.at(-1) ?? 0 }));
  }
  return pauses;
}

Deno.test("exponential() multiplies by the factor up to max when there is no jitter", () => {
  const jitter = "none";
  const plain = exponential({ jitter });
  assertEquals(pausesOf(plain, 10), [
    100,
    200,
    400,
    800,
    1600,
    3200,
    6400,
    12_800,
    25_600,
    30_000,
  ]);
  const tripled = exponential({ initial: 10, factor: 3, max: 200, jitter });
  assertEquals(pausesOf(tripled, 5), [10, 30, 90, 200, 200]);
  const even = exponential({ initial: 10, factor: 1, jitter });
  assertEquals(pausesOf(even, 3), [10, 10, 10]);
});

Deno.test("linear() adds the step up to max when there is no jitter", () => {
  const jitter = "none";
  assertEquals(pausesOf(linear({ jitter }), 3), [100, 200, 300]);
  assertEquals(linear({ jitter })({ attempt: 1000, pauseBefore: 0 }), 30_000);
  const small = linear({ initial: 5, step: 20, max: 50, jitter });
  assertEquals(pausesOf(small, 4), [5, 25, 45, 50]);
  assertEquals(pausesOf(linear({ initial: 7, step: 0, jitter }), 3), [7, 7, 7]);
});

Deno.test("decorrelated() draws from initial to three times the pause before, and applies max last", () => {
  const at = (part: number) =>
    decorrelated({ initial: 100, max: 1000, random: always(part) });
  assertEquals(pausesOf(at(0), 3), [100, 100, 100]);
  assertEquals(pausesOf(at(0.5), 4), [200, 350, 575, 912.5]);
  assertEquals(pausesOf(at(1), 4), [300, 900, 1000, 1000]);
  // Uncapped, the upper end is 3000, so the middle is beyond max.
  assertEquals(at(0.5)({ attempt: 9, pauseBefore: 1000 }), 1000);
});

Deno.test("exponential() and linear() apply max before the jitter", () => {
  for (
    const [jitter, expected] of [["full", 250], ["equal", 625], ["none", 1000]] as const
  ) {
    const options = { initial: 100, max: 1000, jitter, random: always(0.25) };
    assertEquals(exponential(options)({ attempt: 50, pauseBefore: 0 }), expected);
    assertEquals(linear(options)({ attempt: 50, pauseBefore: 0 }), expected);
  }
});

Deno.test("exponential() and linear() take the share that is random as a number", () => {
  const rows: [jitter: number, drawn: number, expected: number][] = [
    [0, 0.25, 1000],
    [0.25, 0, 750],
    [0.25, 0.5, 875],
    [0.25, 1, 1000],
    [0.5, 0.5, 750],
    [1, 0, 0],
    [1, 0.25, 250],
    [1, 1, 1000],
  ];
  for (const [jitter, drawn, expected] of rows) {
    const options = { initial: 1000, max: 1000, jitter, random: always(drawn) };
    for (const make of [exponential, linear]) {
      assertEquals(make(options)({ attempt: 3, pauseBefore: 0 }), expected);
    }
  }
});

Deno.test("exponential() and linear() draw the same for a word as for its number, bit for bit", () => {
  const words = [["full", 1], ["equal", 0.5], ["none", 0]] as const;
  for (const make of [exponential, linear]) {
    for (const [word, number] of words) {
      const drawn = [word, number].map((jitter) =>
        pausesOf(make({ initial: 7, max: 999, jitter, random: seeded(8) }), 100)
      );
      assertEquals(drawn[0], drawn[1]);
      assertEquals(new Set(drawn[0]).size > 50, number > 0);
    }
  }
});

Deno.test("exponential() and linear() have full jitter by default", () => {
  assertEquals(exponential({ random: always(0.25) })({ attempt: 3, pauseBefore: 0 }), 100);
  assertEquals(linear({ random: always(0.25) })({ attempt: 3, pauseBefore: 0 }), 75);
});

Deno.test("exponential() and linear() draw nothing when there is no jitter", () => {
  const random = () => {
    throw new Error("drawn");
  };
  assertEquals(
    exponential({ jitter: "none", random })({ attempt: 1, pauseBefore: 0 }),
    100,
  );
  assertEquals(linear({ jitter: "none", random })({ attempt: 1, pauseBefore: 0 }), 100);
  assertEquals(exponential({ jitter: 0, random })({ attempt: 1, pauseBefore: 0 }), 100);
  assertEquals(linear({ jitter: 0, random })({ attempt: 1, pauseBefore: 0 }), 100);
});

Deno.test("Growing pauses apply min last, after the jitter and max", () => {
  const first = { attempt: 1, pauseBefore: 0 };
  const makers = [exponential, linear, decorrelated];
  for (const make of makers) {
    const at = (part: number, min: number) =>
      make({ initial: 100, max: 300, min, random: always(part) })(first);
    const highest = make === decorrelated ? 300 : 100;
    const lowest = make === decorrelated ? 100 : 0;
    assertEquals([at(0, 0), at(1, 0)], [lowest, highest]);
    assertEquals([at(0, 50), at(0, 120), at(0, 300)], [Math.max(lowest, 50), 120, 300]);
    assertEquals([at(1, 50), at(1, 120), at(1, 300)], [
      highest,
      Math.max(highest, 120),
      300,
    ]);
  }
  // The part below is raised to it: it does not shrink what is drawn from.
  const drawn = exponential({ initial: 100, min: 40, random: always(0.75) });
  assertEquals(drawn({ attempt: 1, pauseBefore: 0 }), 75);
  const none = exponential({ initial: 10, min: 40, jitter: "none" });
  assertEquals(pausesOf(none, 5), [40, 40, 40, 80, 160]);
  const steps = linear({ initial: 10, step: 20, min: 40, jitter: "none" });
  assertEquals(pausesOf(steps, 4), [40, 40, 50, 70]);
});

Deno.test("decorrelated() draws from the pause before, to which min was applied", () => {
  const pause = decorrelated({ initial: 10, min: 200, random: always(1) });
  assertEquals(pausesOf(pause, 3), [200, 600, 1800]);
});

// The documented distributions, tested by variance and by the test of Kolmogorov and Smirnov.

const DRAWS = 20_000;

/** A distribution: the probability that a pause is at most `ms`. */
type Distribution = (ms: number) => number;

const uniform = (from: number, to: number): Distribution => (ms) =>
  Math.min(1, Math.max(0, (ms - from) / (to - from)));

/** A distribution whose part beyond a maximum falls on the maximum. */
const cappedAt = (max: number, distribution: Distribution): Distribution => (ms) =>
  ms < max ? distribution(ms) : 1;

/** A distribution whose part below a minimum falls on the minimum. */
const raisedTo = (min: number, distribution: Distribution): Distribution => (ms) =>
  ms >= min ? distribution(ms) : 0;

/** The statistic of Kolmogorov and Smirnov, times the square root of the number of draws. */
function distance(draws: readonly number[], distribution: Distribution): number {
  const sorted = [...draws].sort((one, other) => one - other);
  const count = sorted.length;
  let [greatest, from] = [0, 0];
  while (from < count) {
    const ms = sorted[from] ?? NaN;
    let to = from;
    while (sorted[to] === ms) to += 1; // equal draws are one step
    const below = distribution(ms - 1e-9);
    greatest = Math.max(
      greatest,
      Math.abs(from / count - below),
      Math.abs(to / count - distribution(ms)),
    );
    from = to;
  }
  return greatest * Math.sqrt(count);
}

/** One sample in a thousand is further from its own distribution. */
const FURTHEST = 1.95;

function varianceOf(draws: readonly number[]): number {
  const mean = meanOf(draws);
  return meanOf(draws.map((each) => (each - mean) ** 2));
}

const full = (initial: number, max: number) =>
  exponential({ initial, max, jitter: "full", random: seeded(1) });
const equal = (initial: number, max: number) =>
  exponential({ initial, max, jitter: "equal", random: seeded(2) });
const shared = (jitter: number, max: number) =>
  exponential({ initial: 100, max, jitter, random: seeded(9) });
const stepped = (jitter: Jitter | number, max: number) =>
  linear({ initial: 100, step: 50, max, jitter, random: seeded(3) });
const chained = (max: number) => decorrelated({ initial: 100, max, random: seeded(4) });

const U = (from: number, to: number) => ({
  distribution: uniform(from, to),
  mean: (from + to) / 2,
  variance: (to - from) ** 2 / 12,
});

/** U(0, to) with a minimum: mean and variance follow from the part above the minimum. */
function raised(to: number, min: number) {
  const above = (to - min) / to;
  const mean = (1 - above) * min + above * (min + to) / 2;
  const square = (1 - above) * min * min + above * (min * min + min * to + to * to) / 3;
  return {
    distribution: raisedTo(min, uniform(0, to)),
    mean,
    variance: square - mean * mean,
  };
}

/** U(from, to) with a maximum: mean and variance follow from the part below the maximum. */
function capped(from: number, to: number, max: number) {
  const below = (max - from) / (to - from);
  const mean = below * (from + max) / 2 + (1 - below) * max;
  const square = below * (from * from + from * max + max * max) / 3 +
    (1 - below) * max * max;
  return {
    distribution: cappedAt(max, uniform(from, to)),
    mean,
    variance: square - mean * mean,
  };
}

const documented: [
  name: string,
  pause: GrowingPause,
  failure: PauseBasis,
  expected: ReturnType<typeof U>,
][] = [
  ["full, first", full(100, 1000), { attempt: 1, pauseBefore: 0 }, U(0, 100)],
  ["full, third", full(100, 1000), { attempt: 3, pauseBefore: 7 }, U(0, 400)],
  ["full, at the cap", full(100, 1000), { attempt: 40, pauseBefore: 7 }, U(0, 1000)],
  ["full, below 1 ms", full(0.5, 1000), { attempt: 1, pauseBefore: 0 }, U(0, 0.5)],
  ["equal, first", equal(100, 1000), { attempt: 1, pauseBefore: 0 }, U(50, 100)],
  ["equal, third", equal(100, 1000), { attempt: 3, pauseBefore: 7 }, U(200, 400)],
  ["equal, at the cap", equal(100, 1000), { attempt: 40, pauseBefore: 7 }, U(500, 1000)],
  ["equal, of 2 ms", equal(2, 1000), { attempt: 1, pauseBefore: 0 }, U(1, 2)],
  ["linear, full, fifth", stepped("full", 1000), { attempt: 5, pauseBefore: 7 }, U(0, 300)],
  [
    "linear, full, at the cap",
    stepped("full", 200),
    { attempt: 5, pauseBefore: 7 },
    U(0, 200),
  ],
  [
    "linear, equal, fifth",
    stepped("equal", 1000),
    { attempt: 5, pauseBefore: 7 },
    U(150, 300),
  ],
  ["a share of 0.3, first", shared(0.3, 1000), { attempt: 1, pauseBefore: 0 }, U(70, 100)],
  ["a share of 0.3, third", shared(0.3, 1000), { attempt: 3, pauseBefore: 7 }, U(280, 400)],
  [
    "a share of 0.3, at the cap",
    shared(0.3, 1000),
    { attempt: 40, pauseBefore: 7 },
    U(700, 1000),
  ],
  ["a share of 1, third", shared(1, 1000), { attempt: 3, pauseBefore: 7 }, U(0, 400)],
  [
    "linear, a share of 0.3, fifth",
    stepped(0.3, 1000),
    { attempt: 5, pauseBefore: 7 },
    U(210, 300),
  ],
  [
    "full, with a minimum",
    exponential({ initial: 100, min: 60, random: seeded(10) }),
    { attempt: 3, pauseBefore: 7 },
    raised(400, 60),
  ],
  ["decorrelated, first", chained(1000), { attempt: 1, pauseBefore: 0 }, U(100, 300)],
  ["decorrelated, after 250", chained(1000), { attempt: 2, pauseBefore: 250 }, U(100, 750)],
  [
    "decorrelated, over the cap",
    chained(1000),
    { attempt: 5, pauseBefore: 600 },
    capped(100, 1800, 1000),
  ],
  [
    "decorrelated, at the cap",
    chained(1000),
    { attempt: 9, pauseBefore: 1000 },
    capped(100, 3000, 1000),
  ],
];

for (const [name, pause, failure, { distribution, mean, variance }] of documented) {
  Deno.test(`Growing pauses have the documented distribution: ${name}`, () => {
    const draws = Array.from({ length: DRAWS }, () => pause(failure));
    assert(distance(draws, distribution) < FURTHEST);
    // Within five standard errors of the mean, and 5 % of the variance.
    assertAlmostEquals(meanOf(draws), mean, 5 * Math.sqrt(variance / DRAWS));
    assertAlmostEquals(varianceOf(draws) / variance, 1, 0.05);
    // The test is sharp: the same draws are far from a distribution that is 5 % wider.
    const wider = (ms: number) => distribution(ms / 1.05);
    assert(distance(draws, wider) > 2 * FURTHEST);
  });
}

Deno.test("Growing pauses have independent draws", () => {
  const pause = full(100, 1000);
  const draws = Array.from(
    { length: DRAWS },
    () => pause({ attempt: 1, pauseBefore: 0 }) - 50,
  );
  const products = draws.slice(1).map((each, index) => each * (draws[index] ?? 0));
  const correlation = meanOf(products) / varianceOf(draws);
  assertAlmostEquals(correlation, 0, 5 / Math.sqrt(DRAWS));
});

Deno.test("decorrelated() has the mean of its recurrence when it has no max", () => {
  const pause = decorrelated({ initial: 10, max: Infinity, random: seeded(5) });
  const runs = Array.from({ length: DRAWS }, () => pausesOf(pause, 4));
  let expected = 10;
  for (let index = 0; index < 4; index++) {
    expected = (10 + 3 * expected) / 2;
    const ratio = meanOf(runs.map((run) => run[index] ?? NaN)) / expected;
    assertAlmostEquals(ratio, 1, 0.03);
  }
});

// Each parameter has an effect.

const base = { initial: 100, max: 1000, random: always(0.5) };
const parameters: [name: string, one: GrowingPause, other: GrowingPause, count: number][] =
  [
    ["initial", exponential(base), exponential({ ...base, initial: 150 }), 2],
    ["factor", exponential(base), exponential({ ...base, factor: 1.5 }), 2],
    [
      "the number of the attempt",
      exponential(base),
      () => exponential(base)({ attempt: 2, pauseBefore: 0 }),
      3,
    ],
    ["max", exponential(base), exponential({ ...base, max: 900 }), 9],
    ["jitter", exponential(base), exponential({ ...base, jitter: "equal" }), 2],
    ["a jitter of 0.3", exponential(base), exponential({ ...base, jitter: 0.3 }), 2],
    ["min", exponential(base), exponential({ ...base, min: 120 }), 2],
    ["min of linear", linear(base), linear({ ...base, min: 120 }), 2],
    ["min of decorrelated", decorrelated(base), decorrelated({ ...base, min: 999 }), 2],
    ["random", exponential(base), exponential({ ...base, random: always(0.6) }), 2],
    ["initial of linear", linear(base), linear({ ...base, initial: 150 }), 2],
    ["step", linear(base), linear({ ...base, step: 150 }), 2],
    ["max of linear", linear(base), linear({ ...base, max: 900 }), 90],
    ["jitter of linear", linear(base), linear({ ...base, jitter: "none" }), 2],
    ["random of linear", linear(base), linear({ ...base, random: always(0.6) }), 2],
    [
      "initial of decorrelated",
      decorrelated(base),
      decorrelated({ ...base, initial: 150 }),
      3,
    ],
    ["max of decorrelated", decorrelated(base), decorrelated({ ...base, max: 300 }), 4],
    [
      "random of decorrelated",
      decorrelated(base),
      decorrelated({ ...base, random: always(0.6) }),
      2,
    ],
    [
      "the pause before",
      decorrelated(base),
      ({ attempt }) => decorrelated(base)({ attempt, pauseBefore: 0 }),
      2,
    ],
  ];

for (const [name, one, other, count] of parameters) {
  Deno.test(`Growing pauses differ when ${name} differs`, () => {
    assertNotEquals(pausesOf(one, count).at(-1), pausesOf(other, count).at(-1));
  });
}

// Pauses are finite and within [0, max], whatever the number of the attempt.

const finite: Record<string, (max: number, random: () => number) => GrowingPause> = {
  exponential: (max, random) => exponential({ max, random }),
  "exponential, by 10^300": (max, random) => exponential({ factor: 1e300, max, random }),
  "exponential, from 0": (max, random) => exponential({ initial: 0, max, random }),
  "exponential, equal": (max, random) => exponential({ max, random, jitter: "equal" }),
  "exponential, none": (max, random) => exponential({ max, random, jitter: "none" }),
  "exponential, 0.3": (max, random) => exponential({ max, random, jitter: 0.3 }),
  "exponential, at least max": (max, random) =>
    exponential({ max, min: Math.min(max, 1e308), random }),
  linear: (max, random) => linear({ max, random }),
  "linear, by 10^308": (max, random) => linear({ step: 1e308, max, random }),
  decorrelated: (max, random) => decorrelated({ max, random }),
  "decorrelated, from 0": (max, random) => decorrelated({ initial: 0, max, random }),
  "decorrelated, from 10^308": (max, random) =>
    decorrelated({ initial: 1e308, max, random }),
};

for (const [name, make] of Object.entries(finite)) {
  Deno.test(`Growing pauses are finite and within [0, max] for 10^6 attempts: ${name}`, () => {
    const sources = [always(0), always(ALMOST_ONE), always(1), seeded(6)];
    for (const max of [0, 1, 1000, Infinity]) {
      for (const random of sources) {
        const pause = make(max, random);
        let [ms, wrong] = [0, 0];
        let attempt = 1;
        while (attempt <= 1e6) {
          ms = pause({ attempt, pauseBefore: ms });
          if (!(ms >= 0 && ms <= max && ms < Infinity)) wrong += 1;
          attempt = attempt < 3000 ? attempt + 1 : attempt * 2;
        }
        ms = pause({ attempt: 1e6, pauseBefore: ms });
        assert(ms >= 0 && ms <= max && ms < Infinity);
        assertEquals(wrong, 0);
      }
    }
  });
}

// One policy serves any number of executions.

Deno.test("decorrelated() keeps concurrent executions apart", async () => {
  const clock = new TestClock();
  const waits: Record<string, number[]> = {};
  const observe = (event: BackoffEvent) => {
    if (event.type !== "failure" || event.pauseAfter === null) return;
    const name = `${event.failure.error}`;
    (waits[name] ??= []).push(event.pauseAfter);
  };
  const backoff = new Backoff({
    pause: decorrelated({ initial: 10, max: 100_000, random: always(0.9) }),
    exceptions: "all",
    maxTries: 5,
    clock,
    observe,
  });
  const run = async (name: string, startAt: number) => {
    await clock.sleep(startAt);
    await backoff.execute(() => Promise.reject(name)).catch(() => {});
  };
  await clock.run(Promise.all([run("first", 0), run("second", 35)]));
  // U(10, 30) at nine tenths is 28, then U(10, 84), U(10, 229.8), U(10, 623.46).
  const expected = pausesOf(decorrelated({ initial: 10, random: always(0.9) }), 4);
  assertAlmostEquals(expected[1] ?? 0, 76.6);
  assertEquals(waits, { first: expected, second: expected });
  clock.close();
});

Deno.test("exponential() determines the instants of the attempts as a policy's pause", async () => {
  const clock = new TestClock();
  const pause = exponential({ initial: 100, max: 300, jitter: "none" });
  const starts: number[] = [];
  const retry = asyncretry(5, { pause, clock });
  const fail = retry(async () => {
    starts.push(clock.now());
    await clock.sleep(10);
    throw "down";
  });
  await clock.run(fail().catch(() => {}));
  assertEquals(starts, [0, 110, 320, 630, 940]);
  clock.close();
});

Deno.test("exponential() repeats a run exactly when random has a seed", async () => {
  const play = async () => {
    const clock = new TestClock();
    const retry = asyncretry(8, { pause: exponential({ random: seeded(7) }), clock });
    await clock.run(retry(() => Promise.reject("down"))().catch(() => {}));
    return clock.now();
  };
  const first = await play();
  assert(first > 0);
  assertEquals(await play(), first);
});

Deno.test("exponential() looks up Math.random at each call when random is absent", () => {
  const pause = exponential({ random: null });
  const { random } = Math;
  try {
    Math.random = always(0.125);
    assertEquals(pause({ attempt: 1, pauseBefore: 0 }), 12.5);
  } finally {
    Math.random = random;
  }
});

Deno.test("exponential(), linear() and decorrelated() draw from a second argument in place of random", () => {
  const never = () => {
    throw new Error("drawn from the option");
  };
  const failure = { attempt: 2, pauseBefore: 100 };
  assertEquals(exponential({ random: never })(failure, always(0.25)), 50);
  assertEquals(linear({ random: never })(failure, always(0.25)), 50);
  assertEquals(decorrelated({ random: never })(failure, always(0.25)), 150);
});

// Options.

// deno-lint-ignore no-explicit-any
const untyped = (value: unknown): any => value;

type ErrorType = typeof TypeError | typeof RangeError;

const initial = "option 'initial' must be a finite number of milliseconds >= 0";
const step = "option 'step' must be a finite number of milliseconds >= 0";
const max = "option 'max' must be a number of milliseconds >= 0";
const factor = "option 'factor' must be a finite number >= 1";
const min = "option 'min' must be a finite number of milliseconds from 0 to 'max'";
const jitter = `option 'jitter' must be "full" or "equal" or "none"`;
const share = "option 'jitter' must be a number from 0 to 1, or one of the words";
const ofExponential = "the options are initial, max, min, random, factor, jitter";
const ofLinear = "the options are initial, max, min, random, step, jitter";
const ofDecorrelated = "the options are initial, max, min, random";

const wrongExponential: [options: unknown, errorClass: ErrorType, message: string][] = [
  [{ initial: "100" }, TypeError, `${initial}, got "100"`],
  [{ initial: -1 }, RangeError, `${initial}, got -1`],
  [{ initial: NaN }, RangeError, `${initial}, got NaN`],
  [{ initial: Infinity }, RangeError, `${initial}, got Infinity`],
  [{ max: 1000n }, TypeError, `${max}, got 1000n`],
  [{ max: -1 }, RangeError, `${max}, got -1`],
  [{ max: NaN }, RangeError, `${max}, got NaN`],
  [{ factor: 0.5 }, RangeError, `${factor}, got 0.5`],
  [{ factor: Infinity }, RangeError, `${factor}, got Infinity`],
  [{ factor: NaN }, RangeError, `${factor}, got NaN`],
  [{ factor: "2" }, TypeError, `${factor}, got "2"`],
  [{ jitter: "half" }, RangeError, `${jitter}, got "half"`],
  [{ jitter: "0.5" }, RangeError, `${jitter}, got "0.5"`],
  [{ jitter: 1.5 }, RangeError, `${share}, got 1.5`],
  [{ jitter: -0.1 }, RangeError, `${share}, got -0.1`],
  [{ jitter: NaN }, RangeError, `${share}, got NaN`],
  [{ jitter: 1n }, TypeError, `${jitter}, got 1n`],
  [{ min: "10" }, TypeError, `${min}, got "10"`],
  [{ min: -1 }, RangeError, `${min}, got -1`],
  [{ min: NaN }, RangeError, `${min}, got NaN`],
  [{ min: 101, max: 100 }, RangeError, `${min}, got 101`],
  [{ min: 30_001 }, RangeError, `${min}, got 30001`],
  [{ min: Infinity, max: Infinity }, RangeError, `${min}, got Infinity`],
  [{ random: 0.5 }, TypeError, "option 'random' must be a function, got 0.5"],
  [100, TypeError, "the options must be an object, got 100"],
  [{ cap: 5 }, TypeError, `unknown option 'cap', ${ofExponential}`],
  [{ base: 5 }, TypeError, `unknown option 'base', ${ofExponential}`],
  [{ maxDelay: 5 }, TypeError, `unknown option 'maxDelay', ${ofExponential}`],
  [{ multiplier: 3 }, TypeError, `unknown option 'multiplier', ${ofExponential}`],
  [{ randomize: true }, TypeError, `unknown option 'randomize', ${ofExponential}`],
  [{ Initial: 5 }, TypeError, "unknown option 'Initial', did you mean 'initial'?"],
  [{ step: 5 }, TypeError, `unknown option 'step', ${ofExponential}`],
  [{ deadline: 5 }, TypeError, `unknown option 'deadline', ${ofExponential}`],
];

const wrongLinear: typeof wrongExponential = [
  [{ initial: -1 }, RangeError, `${initial}, got -1`],
  [{ step: -1 }, RangeError, `${step}, got -1`],
  [{ step: Infinity }, RangeError, `${step}, got Infinity`],
  [{ step: true }, TypeError, `${step}, got true`],
  [{ jitter: true }, TypeError, `${jitter}, got true`],
  [{ jitter: 2 }, RangeError, `${share}, got 2`],
  [{ min: 101, max: 100 }, RangeError, `${min}, got 101`],
  [[100], TypeError, "the options must be an object, got an array of 1"],
  [{ factor: 2 }, TypeError, `unknown option 'factor', ${ofLinear}`],
  [{ increment: 5 }, TypeError, `unknown option 'increment', ${ofLinear}`],
];

const wrongDecorrelated: typeof wrongExponential = [
  [{ initial: Infinity }, RangeError, `${initial}, got Infinity`],
  [{ min: 101, max: 100 }, RangeError, `${min}, got 101`],
  [{ min: false }, TypeError, `${min}, got false`],
  [{ jitter: "full" }, TypeError, `unknown option 'jitter', ${ofDecorrelated}`],
  [{ rng: () => 1 }, TypeError, `unknown option 'rng', ${ofDecorrelated}`],
];

const wrongOptions: [
  make: (options: never) => GrowingPause,
  rows: typeof wrongExponential,
][] = [
  [exponential, wrongExponential],
  [linear, wrongLinear],
  [decorrelated, wrongDecorrelated],
];

for (const [make, rows] of wrongOptions) {
  Deno.test(`${make.name}() throws when an option is wrong`, () => {
    for (const [options, errorClass, message] of rows) {
      const error = assertThrows(() => make(options as never), errorClass);
      assertEquals(error.message, `Cannot make ${make.name} pauses: ${message}`);
    }
  });
}

Deno.test("exponential(), linear() and decorrelated() take the default for null and undefined", () => {
  const absent = { initial: null, max: undefined, min: null, random: always(0.5) };
  const failure = { attempt: 3, pauseBefore: 200 };
  assertEquals(exponential({ ...absent, factor: null, jitter: null })(failure), 200);
  assertEquals(linear({ ...absent, step: null, jitter: undefined })(failure), 150);
  assertEquals(decorrelated(absent)(failure), 350);
  for (const make of [exponential, linear, decorrelated]) {
    assert(make(null)({ attempt: 1, pauseBefore: 0 }) >= 0);
    assert(make()({ attempt: 1, pauseBefore: 0 }) <= 300);
  }
});

Deno.test("exponential() reads its options once, and also those that an object inherits", () => {
  class Settings {
    initial = 10;
    get factor() {
      return 5;
    }
    jitter: Jitter = "none";
  }
  const settings = new Settings();
  const pause = exponential(settings);
  settings.initial = 1000;
  assertEquals(pausesOf(pause, 2), [10, 50]);
});

const wrongDraws: [drawn: unknown, errorClass: ErrorType, got: string][] = [
  [NaN, RangeError, "NaN"],
  [1.5, RangeError, "1.5"],
  [-0.1, RangeError, "-0.1"],
  ["0.5", TypeError, '"0.5"'],
];

Deno.test("exponential() throws when random does not return a number from 0 to 1", () => {
  for (const [drawn, errorClass, got] of wrongDraws) {
    const pause = exponential({ random: always(untyped(drawn)) });
    const draw = () => pause({ attempt: 1, pauseBefore: 0 });
    const { message } = assertThrows(draw, errorClass);
    const rule = "'random' must return a number from 0 to 1";
    assertEquals(message, `Cannot draw a pause: ${rule}, got ${got}`);
  }
});

Deno.test("exponential() and linear() go by the failures in a row, and by the attempt without them", () => {
  const options = { initial: 10, jitter: "none" } as const;
  const failure = { attempt: 9, pauseBefore: 0 };
  const rows = [[1, 10, 10], [2, 20, 110], [3, 40, 210]] as const;
  for (const [streak, exponentially, linearly] of rows) {
    assertEquals(exponential(options)({ ...failure, streak }), exponentially);
    assertEquals(linear(options)({ ...failure, streak }), linearly);
    const { pauseBefore } = failure;
    assertEquals(exponential(options)({ attempt: streak, pauseBefore }), exponentially);
    assertEquals(linear(options)({ attempt: streak, pauseBefore }), linearly);
  }
});

Deno.test("Growing pauses name themselves when they are a pause without their call", () => {
  for (const make of [exponential, linear, decorrelated]) {
    const pause = make as unknown as (failure: unknown) => number;
    const message = assertThrows(() =>
      pause({ attempt: 1, error: null }), TypeError).message;
    assertEquals(message.includes(`write 'pause: ${make.name}()'`), true, message);
  }
});
