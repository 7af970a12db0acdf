// Pauses that grow: their formulas, their distributions (rows J1 to J4), and their options.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
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
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { meanOf, seeded } from "../../support/chance.ts";

const always = (number: number) => () => number;
/** The greatest number that a source of chance returns. */
const ALMOST_ONE = 1 - 2 ** -53;

/** The pauses of one execution, each after the one before it. */
function pausesOf(pause: GrowingPause, count: number): number[] {
  const pauses: number[] = [];
  for (let tries = 1; tries <= count; tries++) {
    pauses.push(pause({ tries, pause: pauses.at(-1) ?? 0 }));
  }
  return pauses;
}

Deno.test("exponential() multiplies by the factor and stops at max when there is no jitter", () => {
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

Deno.test("linear() adds the step and stops at max when there is no jitter", () => {
  const jitter = "none";
  assertEquals(pausesOf(linear({ jitter }), 3), [100, 200, 300]);
  assertEquals(linear({ jitter })({ tries: 1000, pause: 0 }), 30_000);
  const small = linear({ initial: 5, step: 20, max: 50, jitter });
  assertEquals(pausesOf(small, 4), [5, 25, 45, 50]);
  assertEquals(pausesOf(linear({ initial: 7, step: 0, jitter }), 3), [7, 7, 7]);
});

Deno.test("decorrelated() draws from initial to three times the pause before, and caps last", () => {
  const at = (part: number) =>
    decorrelated({ initial: 100, max: 1000, random: always(part) });
  assertEquals(pausesOf(at(0), 3), [100, 100, 100]);
  assertEquals(pausesOf(at(0.5), 4), [200, 350, 575, 912.5]);
  assertEquals(pausesOf(at(1), 4), [300, 900, 1000, 1000]);
  // Uncapped it would be 3000: half of that is beyond max.
  assertEquals(at(0.5)({ tries: 9, pause: 1000 }), 1000);
});

Deno.test("exponential() and linear() cap first and then apply the jitter", () => {
  for (
    const [jitter, expected] of [["full", 250], ["equal", 625], ["none", 1000]] as const
  ) {
    const options = { initial: 100, max: 1000, jitter, random: always(0.25) };
    assertEquals(exponential(options)({ tries: 50, pause: 0 }), expected);
    assertEquals(linear(options)({ tries: 50, pause: 0 }), expected);
  }
});

Deno.test("exponential() and linear() have full jitter when none is named", () => {
  assertEquals(exponential({ random: always(0.25) })({ tries: 3, pause: 0 }), 100);
  assertEquals(linear({ random: always(0.25) })({ tries: 3, pause: 0 }), 75);
});

Deno.test("exponential() and linear() draw nothing when there is no jitter", () => {
  const random = () => {
    throw new Error("drawn");
  };
  assertEquals(exponential({ jitter: "none", random })({ tries: 1, pause: 0 }), 100);
  assertEquals(linear({ jitter: "none", random })({ tries: 1, pause: 0 }), 100);
});

// Distributions: what is documented, tested by variance and by Kolmogorov and Smirnov.

const DRAWS = 20_000;

/** A distribution: how likely a pause is to be at most so long. */
type Distribution = (ms: number) => number;

const uniform = (from: number, to: number): Distribution => (ms) =>
  Math.min(1, Math.max(0, (ms - from) / (to - from)));

/** Uniform up to a cap, at which the rest is. */
const cappedAt = (max: number, distribution: Distribution): Distribution => (ms) =>
  ms < max ? distribution(ms) : 1;

/** The statistic of Kolmogorov and Smirnov times the root of the number of draws. */
function distance(draws: readonly number[], distribution: Distribution): number {
  const sorted = [...draws].sort((one, other) => one - other);
  const count = sorted.length;
  let [greatest, from] = [0, 0];
  while (from < count) {
    const ms = sorted[from] ?? NaN;
    let to = from;
    while (sorted[to] === ms) to += 1; // all that are equal are one step
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

/** Of what is distributed so, one in a thousand is further away. */
const FURTHEST = 1.95;

function varianceOf(draws: readonly number[]): number {
  const mean = meanOf(draws);
  return meanOf(draws.map((each) => (each - mean) ** 2));
}

const full = (initial: number, max: number) =>
  exponential({ initial, max, jitter: "full", random: seeded(1) });
const equal = (initial: number, max: number) =>
  exponential({ initial, max, jitter: "equal", random: seeded(2) });
const stepped = (jitter: Jitter, max: number) =>
  linear({ initial: 100, step: 50, max, jitter, random: seeded(3) });
const chained = (max: number) => decorrelated({ initial: 100, max, random: seeded(4) });

const U = (from: number, to: number) => ({
  distribution: uniform(from, to),
  mean: (from + to) / 2,
  variance: (to - from) ** 2 / 12,
});

/** U(from, to), capped: its mean and variance by the part that is below the cap. */
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
  failure: { tries: number; pause: number },
  expected: ReturnType<typeof U>,
][] = [
  ["full, first", full(100, 1000), { tries: 1, pause: 0 }, U(0, 100)],
  ["full, third", full(100, 1000), { tries: 3, pause: 7 }, U(0, 400)],
  ["full, at the cap", full(100, 1000), { tries: 40, pause: 7 }, U(0, 1000)],
  ["full, below 1 ms", full(0.5, 1000), { tries: 1, pause: 0 }, U(0, 0.5)],
  ["equal, first", equal(100, 1000), { tries: 1, pause: 0 }, U(50, 100)],
  ["equal, third", equal(100, 1000), { tries: 3, pause: 7 }, U(200, 400)],
  ["equal, at the cap", equal(100, 1000), { tries: 40, pause: 7 }, U(500, 1000)],
  ["equal, of 2 ms", equal(2, 1000), { tries: 1, pause: 0 }, U(1, 2)],
  ["linear, full, fifth", stepped("full", 1000), { tries: 5, pause: 7 }, U(0, 300)],
  ["linear, full, at the cap", stepped("full", 200), { tries: 5, pause: 7 }, U(0, 200)],
  ["linear, equal, fifth", stepped("equal", 1000), { tries: 5, pause: 7 }, U(150, 300)],
  ["decorrelated, first", chained(1000), { tries: 1, pause: 0 }, U(100, 300)],
  ["decorrelated, after 250", chained(1000), { tries: 2, pause: 250 }, U(100, 750)],
  [
    "decorrelated, over the cap",
    chained(1000),
    { tries: 5, pause: 600 },
    capped(100, 1800, 1000),
  ],
  [
    "decorrelated, at the cap",
    chained(1000),
    { tries: 9, pause: 1000 },
    capped(100, 3000, 1000),
  ],
];

for (const [name, pause, failure, { distribution, mean, variance }] of documented) {
  Deno.test(`Pauses are spread as documented when it is ${name}`, () => {
    const draws = Array.from({ length: DRAWS }, () => pause(failure));
    assert(distance(draws, distribution) < FURTHEST);
    // Five standard errors of the mean; the variance within 5 %.
    assertAlmostEquals(meanOf(draws), mean, 5 * Math.sqrt(variance / DRAWS));
    assertAlmostEquals(varianceOf(draws) / variance, 1, 0.05);
    // What the test finds: the same draws are far from a distribution that is 5 % wider.
    const wider = (ms: number) => distribution(ms / 1.05);
    assert(distance(draws, wider) > 2 * FURTHEST);
  });
}

Deno.test("Pauses are spread as documented when each draw is independent of the last", () => {
  const pause = full(100, 1000);
  const draws = Array.from({ length: DRAWS }, () => pause({ tries: 1, pause: 0 }) - 50);
  const products = draws.slice(1).map((each, index) => each * (draws[index] ?? 0));
  const correlation = meanOf(products) / varianceOf(draws);
  assertAlmostEquals(correlation, 0, 5 / Math.sqrt(DRAWS));
});

Deno.test("decorrelated() has the mean of its recurrence when it is not capped", () => {
  const pause = decorrelated({ initial: 10, max: Infinity, random: seeded(5) });
  const runs = Array.from({ length: DRAWS }, () => pausesOf(pause, 4));
  let expected = 10;
  for (let index = 0; index < 4; index++) {
    expected = (10 + 3 * expected) / 2;
    const ratio = meanOf(runs.map((run) => run[index] ?? NaN)) / expected;
    assertAlmostEquals(ratio, 1, 0.03);
  }
});

// Each parameter matters (row J3).

const base = { initial: 100, max: 1000, random: always(0.5) };
const parameters: [name: string, one: GrowingPause, other: GrowingPause, tries: number][] =
  [
    ["initial", exponential(base), exponential({ ...base, initial: 150 }), 2],
    ["factor", exponential(base), exponential({ ...base, factor: 1.5 }), 2],
    [
      "the number of tries",
      exponential(base),
      () => exponential(base)({ tries: 2, pause: 0 }),
      3,
    ],
    ["max", exponential(base), exponential({ ...base, max: 900 }), 9],
    ["jitter", exponential(base), exponential({ ...base, jitter: "equal" }), 2],
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
      ({ tries }) => decorrelated(base)({ tries, pause: 0 }),
      2,
    ],
  ];

for (const [name, one, other, tries] of parameters) {
  Deno.test(`Pauses differ when ${name} differs`, () => {
    assertNotEquals(pausesOf(one, tries).at(-1), pausesOf(other, tries).at(-1));
  });
}

// Finite and within [0, max], whatever the number of tries (row J4).

const makers: Record<string, (max: number, random: () => number) => GrowingPause> = {
  exponential: (max, random) => exponential({ max, random }),
  "exponential, by 10^300": (max, random) => exponential({ factor: 1e300, max, random }),
  "exponential, from 0": (max, random) => exponential({ initial: 0, max, random }),
  "exponential, equal": (max, random) => exponential({ max, random, jitter: "equal" }),
  "exponential, none": (max, random) => exponential({ max, random, jitter: "none" }),
  linear: (max, random) => linear({ max, random }),
  "linear, by 10^308": (max, random) => linear({ step: 1e308, max, random }),
  decorrelated: (max, random) => decorrelated({ max, random }),
  "decorrelated, from 0": (max, random) => decorrelated({ initial: 0, max, random }),
  "decorrelated, from 10^308": (max, random) =>
    decorrelated({ initial: 1e308, max, random }),
};

for (const [name, make] of Object.entries(makers)) {
  Deno.test(`Pauses are finite and within [0, max] for 10^6 tries when it is ${name}`, () => {
    const sources = [always(0), always(ALMOST_ONE), always(1), seeded(6)];
    for (const max of [0, 1, 1000, Infinity]) {
      for (const random of sources) {
        const pause = make(max, random);
        let [ms, wrong] = [0, 0];
        for (let tries = 1; tries <= 1e6; tries = tries < 3000 ? tries + 1 : tries * 2) {
          ms = pause({ tries, pause: ms });
          if (!(ms >= 0 && ms <= max && ms < Infinity)) wrong += 1;
        }
        ms = pause({ tries: 1e6, pause: ms });
        assert(ms >= 0 && ms <= max && ms < Infinity);
        assertEquals(wrong, 0);
      }
    }
  });
}

// One policy for any number of executions.

Deno.test("decorrelated() keeps executions apart when they run at once", async () => {
  const clock = new TestClock();
  const waits: Record<string, number[]> = {};
  const begun = new Map<string, string>();
  const observe = (event: BackoffEvent) => {
    if (event.type !== "failure" || event.pause === null) return;
    const name = `${event.failure.error}`;
    begun.set(name, name);
    (waits[name] ??= []).push(event.pause);
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

Deno.test("exponential() sets the instants of the attempts when it is a policy's pause", async () => {
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

Deno.test("exponential() gives the same run again when random has a seed", async () => {
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

Deno.test("exponential() draws from Math.random as it is at the time when random is absent", () => {
  const pause = exponential({ random: null });
  const { random } = Math;
  try {
    Math.random = always(0.125);
    assertEquals(pause({ tries: 1, pause: 0 }), 12.5);
  } finally {
    Math.random = random;
  }
});

// Options.

// deno-lint-ignore no-explicit-any
const untyped = (value: unknown): any => value;

const wrongOptions: [
  make: () => unknown,
  error: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  [
    () => exponential({ initial: untyped("100") }),
    TypeError,
    `'initial' must be a finite number of milliseconds >= 0: current value is "100"`,
  ],
  [() => exponential({ initial: -1 }), RangeError, "current value is -1"],
  [() => exponential({ initial: NaN }), RangeError, "'initial'"],
  [() => exponential({ initial: Infinity }), RangeError, "current value is Infinity"],
  [() => decorrelated({ initial: Infinity }), RangeError, "'initial'"],
  [() => linear({ initial: -1 }), RangeError, "'initial'"],
  [
    () => linear({ step: -1 }),
    RangeError,
    "'step' must be a finite number of milliseconds",
  ],
  [() => linear({ step: Infinity }), RangeError, "'step'"],
  [() => linear({ step: untyped(true) }), TypeError, "'step'"],
  [
    () => exponential({ max: untyped(1000n) }),
    TypeError,
    "'max' must be a number of milli",
  ],
  [() => exponential({ max: -1 }), RangeError, "'max'"],
  [() => exponential({ max: NaN }), RangeError, "'max'"],
  [() => exponential({ factor: 0.5 }), RangeError, "'factor' must be a finite number >= 1"],
  [() => exponential({ factor: Infinity }), RangeError, "'factor'"],
  [() => exponential({ factor: NaN }), RangeError, "'factor'"],
  [() => exponential({ factor: untyped("2") }), TypeError, "'factor'"],
  [
    () => exponential({ jitter: untyped("half") }),
    RangeError,
    `'jitter' must be "full" or "equal" or "none": current value is "half"`,
  ],
  [() => linear({ jitter: untyped(true) }), TypeError, "'jitter'"],
  [() => exponential({ random: untyped(0.5) }), TypeError, "'random' must be a function"],
  [() => exponential(untyped(100)), TypeError, "must be an object: current value is 100"],
  [() => linear(untyped([100])), TypeError, "must be an object: current value is an array"],
  [() => exponential(untyped({ cap: 5 })), TypeError, "did you mean 'max'?"],
  [() => exponential(untyped({ base: 5 })), TypeError, "did you mean 'initial'?"],
  [() => exponential(untyped({ maxDelay: 5 })), TypeError, "did you mean 'max'?"],
  [() => exponential(untyped({ multiplier: 3 })), TypeError, "did you mean 'factor'?"],
  [() => exponential(untyped({ randomize: true })), TypeError, "did you mean 'jitter'?"],
  [() => exponential(untyped({ Initial: 5 })), TypeError, "did you mean 'initial'?"],
  [
    () => exponential(untyped({ step: 5 })),
    TypeError,
    "the options are initial, factor, max, jitter, random",
  ],
  [() => linear(untyped({ factor: 2 })), TypeError, "initial, step, max, jitter, random"],
  [() => decorrelated(untyped({ jitter: "full" })), TypeError, "are initial, max, random"],
  [
    () => exponential(untyped({ deadline: 5 })),
    TypeError,
    "the options are initial, factor, max, jitter, random; it belongs to the policy",
  ],
  [() => linear(untyped({ increment: 5 })), TypeError, "did you mean 'step'?"],
  [() => decorrelated(untyped({ rng: () => 1 })), TypeError, "did you mean 'random'?"],
];

Deno.test("exponential(), linear() and decorrelated() throw when an option is wrong", () => {
  for (const [index, [make, error, message]] of wrongOptions.entries()) {
    const thrown = assertThrows(make, error, undefined, `row ${index}`);
    assertStringIncludes(thrown.message, message, `row ${index}`);
  }
});

Deno.test("exponential(), linear() and decorrelated() take the default when an option is null", () => {
  const absent = { initial: null, max: undefined, random: always(0.5) };
  const failure = { tries: 3, pause: 200 };
  assertEquals(exponential({ ...absent, factor: null, jitter: null })(failure), 200);
  assertEquals(linear({ ...absent, step: null, jitter: undefined })(failure), 150);
  assertEquals(decorrelated(absent)(failure), 350);
  for (const make of [exponential, linear, decorrelated]) {
    assert(make(null)({ tries: 1, pause: 0 }) >= 0);
    assert(make()({ tries: 1, pause: 0 }) <= 300);
  }
});

Deno.test("exponential() reads its options once, also those of a class", () => {
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

Deno.test("exponential() throws when random returns no number from 0 to 1", () => {
  for (
    const [value, error] of [[NaN, RangeError], [1.5, RangeError], [
      -0.1,
      RangeError,
    ]] as const
  ) {
    const make = () => exponential({ random: always(value) })({ tries: 1, pause: 0 });
    assertThrows(
      make,
      error,
      `'random' must return a number from 0 to 1: it returned ${value}`,
    );
  }
  const text = exponential({ random: untyped(always(untyped("0.5"))) });
  assertThrows(() => text({ tries: 1, pause: 0 }), TypeError, 'it returned "0.5"');
});
