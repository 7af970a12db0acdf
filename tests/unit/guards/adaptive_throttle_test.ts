// The driver of an adaptive throttle: calls, refusals, ends, events, counters and options.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  adaptiveThrottle,
  type AdaptiveThrottleOptions,
  ThrottledError,
  type ThrottleEvent,
} from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const busy = new Error("busy");

/** A throttle on a test clock, with constant draws, and a function behind it. */
function fixture(options: Partial<AdaptiveThrottleOptions> = {}) {
  const clock = new TestClock();
  const events: ThrottleEvent[] = [];
  const draws = { next: 0 };
  const throttle = adaptiveThrottle({
    isOverload: (error) => error === busy,
    random: () => draws.next,
    clock,
    observe: (event) => events.push(event),
    ...options,
  });
  let calls = 0;
  const service = {
    async load(outcome: unknown) {
      calls += 1;
      if (outcome instanceof Error) throw outcome;
      return await outcome;
    },
  };
  const load = throttle(service.load);
  const fails = async (error: unknown) =>
    assertStrictEquals(await load(error).catch((thrown) => thrown), error);
  return { clock, throttle, events, draws, load, fails, calls: () => calls };
}

Deno.test("adaptiveThrottle() admits every call while enough are accepted", async () => {
  const { throttle, load, fails } = fixture();
  for (let call = 0; call < 10; call++) {
    await load(call);
    if (call > 0) await fails(busy); // one of two is accepted
  }
  assertEquals(throttle.probability, 0);
  assertEquals(throttle.statistic, {
    calls: 19,
    refused: 0,
    accepted: 10,
    overloaded: 9,
    late: 0,
  });
});

Deno.test("adaptiveThrottle() refuses a call when the draw is below the probability, and counts it as a request", async () => {
  const { throttle, draws, events, load, fails, calls } = fixture();
  draws.next = 0.99; // at 0.5 and 2/3, these are admitted
  for (let call = 0; call < 3; call++) await fails(busy);
  assertEquals(throttle.probability, 3 / 4);
  draws.next = 0.75;
  await load(1); // not below
  assertEquals(throttle.probability, 2 / 5); // (4 - 2 * 1) / (4 + 1)
  draws.next = 0.3999;
  const error = await assertRejects(() => load(1), ThrottledError);
  assertEquals([error.probability, calls()], [2 / 5, 4]);
  assertEquals(error.message, "'load' was not called: 40 % of its calls are throttled");
  assertEquals(throttle.probability, 3 / 6);
  assertEquals(throttle.statistic.refused, 1);
  assertEquals(events.at(-1), { type: "refused", name: "load", at: 0, probability: 2 / 5 });
});

Deno.test("adaptiveThrottle() counts a request when it begins", async () => {
  const { throttle, load, clock, draws } = fixture();
  draws.next = 1;
  const pending = [1, 2, 3].map(() => load(clock.sleep(50)));
  assertEquals(throttle.probability, 3 / 4);
  await clock.advance(50);
  await Promise.all(pending);
  assertEquals(throttle.probability, 0);
});

Deno.test("adaptiveThrottle() counts every error that is no overload as accepted", async () => {
  const { throttle, fails } = fixture();
  for (let call = 0; call < 10; call++) await fails(new Error("not found"));
  const { accepted, overloaded } = throttle.statistic;
  assertEquals([accepted, overloaded, throttle.probability], [10, 0, 0]);
});

Deno.test("adaptiveThrottle() forgets after its window", async () => {
  const { throttle, fails, clock, draws } = fixture({ window: 1000 });
  draws.next = 1;
  for (let call = 0; call < 9; call++) await fails(busy);
  await clock.advance(999);
  assertEquals(throttle.probability, 9 / 10);
  await clock.advance(1);
  assertEquals(throttle.probability, 0);
});

Deno.test("adaptiveThrottle() observes the end of every call, each frozen", async () => {
  const { events, load, fails } = fixture({ name: "users" });
  await load(1);
  await fails(busy);
  assertEquals(events as unknown[], [
    { type: "accepted", name: "users", at: 0, outcome: { status: "fulfilled", value: 1 } },
    {
      type: "overloaded",
      name: "users",
      at: 0,
      outcome: { status: "rejected", reason: busy },
    },
  ]);
  assert(events.every((event) => Object.isFrozen(event)));
  const unseen = fixture({ observe: null });
  await unseen.load(1);
  assertEquals(unseen.throttle.statistic.accepted, 1);
});

Deno.test("adaptiveThrottle() rejects with what 'isOverload' throws, and counts the call as accepted", async () => {
  const bug = new Error("a bug");
  const { throttle, load } = fixture({
    isOverload: () => {
      throw bug;
    },
  });
  assertStrictEquals(await load(busy).catch((error) => error), bug);
  assertEquals(throttle.statistic.accepted, 1);
  // deno-lint-ignore no-explicit-any
  const asynchronous: any = () => Promise.resolve(true);
  await assertRejects(
    () => fixture({ isOverload: asynchronous }).load(busy),
    TypeError,
    "'isOverload' must answer at once, got a promise",
  );
});

Deno.test("adaptiveThrottle() rejects when 'random' returns no number from 0 to 1", async () => {
  const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [-0.1, RangeError, "got -0.1"],
    [1.1, RangeError, "got 1.1"],
    [NaN, RangeError, "got NaN"],
    ["0", TypeError, 'got "0"'],
  ];
  for (const [value, errorClass, message] of wrong) {
    // deno-lint-ignore no-explicit-any
    const { load, fails } = fixture({ random: (() => value) as any });
    await fails(busy); // nothing is drawn for the first
    await assertRejects(
      () => load(1),
      errorClass,
      `Cannot throttle a call: 'random' must return a number from 0 to 1, ${message}`,
    );
  }
});

Deno.test("adaptiveThrottle() draws from Math.random by default, looked up at each call", async () => {
  const { fails, load } = fixture({ random: null });
  const { random } = Math;
  try {
    Math.random = () => 0.99;
    await fails(busy);
    await fails(busy);
    Math.random = () => 0;
    await assertRejects(() => load(1), ThrottledError);
  } finally {
    Math.random = random;
  }
});

Deno.test("adaptiveThrottle() goes on from the JSON of another", async () => {
  const one = fixture();
  one.draws.next = 1;
  await one.clock.advance(1e6);
  for (let call = 0; call < 3; call++) await one.fails(busy);
  const state = JSON.parse(JSON.stringify(one.throttle));
  assertEquals(state, one.throttle.state);
  const same = fixture({ state, clock: one.clock });
  assertEquals(same.throttle.probability, 3 / 4);
  const anew = fixture({ state }); // its clock is at 0
  assertEquals(anew.throttle.probability, 3 / 4);
  await anew.clock.advance(120_000);
  assertEquals(anew.throttle.probability, 0);
});

Deno.test("adaptiveThrottle() works on systemClock by default", async () => {
  const throttle = adaptiveThrottle({ isOverload: () => true });
  assertEquals(await throttle(async () => await 1)(), 1);
});

// deno-lint-ignore no-explicit-any
const untyped = (value: unknown): any => value;

const k = "option 'k' must be a finite number >= 1.5 (below that, a few overloads refuse " +
  "nearly all calls)";
const isOverload = () => true;

const wrongOptions: [
  options: unknown,
  errorClass: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  [{}, TypeError, "option 'isOverload' must be a function, got undefined"],
  [{ isOverload: null }, TypeError, "option 'isOverload' must be a function, got null"],
  [{ isOverload, k: 1.4 }, RangeError, `${k}, got 1.4`],
  [{ isOverload, k: 1.1 }, RangeError, `${k}, got 1.1`],
  [{ isOverload, k: Infinity }, RangeError, `${k}, got Infinity`],
  [{ isOverload, k: NaN }, RangeError, `${k}, got NaN`],
  [{ isOverload, k: "2" }, TypeError, `${k}, got "2"`],
  [{ isOverload, window: 0 }, RangeError, "option 'window' must be a finite number"],
  [{ isOverload, random: 5 }, TypeError, "option 'random' must be a function, got 5"],
  [{ isOverload, observe: 5 }, TypeError, "option 'observe' must be a function, got 5"],
  [{ isOverload, clock: 5 }, TypeError, "option 'clock' must be an object with"],
  [{ isOverload, name: 5 }, TypeError, "option 'name' must be a string, got 5"],
  [
    { isOverload, state: {} },
    TypeError,
    "option 'state' must be a state that 'toJSON' of an",
  ],
  [{ isOverload, K: 2 }, TypeError, "unknown option 'K', did you mean 'k'?"],
];

for (const [options, errorClass, message] of wrongOptions) {
  Deno.test(`adaptiveThrottle() says "${message}" when an option is wrong`, () => {
    const expected = `Cannot make an adaptive throttle: ${message}`;
    assertThrows(() => adaptiveThrottle(untyped(options)), errorClass, expected);
  });
}

Deno.test("adaptiveThrottle() accepts a k of 1.5, and null for what is absent", () => {
  const absent = { k: null, window: null, random: null, observe: null, clock: null };
  adaptiveThrottle({ isOverload, ...absent, name: null, state: null });
  adaptiveThrottle({ isOverload, k: 1.5 });
});

Deno.test("adaptiveThrottle() says how it is called when it is not", () => {
  assertThrows(
    () => untyped(adaptiveThrottle)(async () => {}),
    TypeError,
    "Cannot call 'adaptiveThrottle(options)': it must be called before it wraps a function",
  );
});
