// Hostile input: it causes a clear error or the right behaviour, never a hang, an error
// elsewhere or a changed prototype.

import { assert, assertEquals } from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  Backoff,
  type BackoffOptions,
  type Clock,
  type ExecuteOptions,
  ResultError,
  retry,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import fc from "fast-check";
import { type Hostile, hostile, make, Trap } from "./hostile.ts";
import { assertProperty } from "./runs.ts";

/**
 * Milliseconds until after the end of every test, and after the waits of clocks that are
 * wrong.
 */
const LONG = 10_000;

type Outcome = PromiseSettledResult<unknown>;

/** The outcome of a promise after some time; `null` if it hangs. */
async function outcomeOf(promise: Promise<unknown>, clock: TestClock) {
  let outcome: Outcome | null = null;
  promise.then(
    (value) => outcome = { status: "fulfilled", value },
    (reason) => outcome = { status: "rejected", reason },
  );
  await clock.advance(LONG);
  return outcome as Outcome | null;
}

/** Whether an error is one of the library's own, which say what must be. */
function isOurs(error: unknown): boolean {
  return (error instanceof TypeError || error instanceof RangeError) &&
    /^Cannot .+: .+/.test(error.message) && !/revoked/.test(error.message);
}

/** Asserts that an error is one of ours, or that of the value itself when it is touched. */
function assertClear(error: unknown): void {
  const isItsOwn = error instanceof Trap ||
    (error instanceof TypeError && /revoked/.test(error.message));
  if (isItsOwn || isOurs(error)) return;
  throw new Error("This error is not clear", { cause: error });
}

const guarded = [Object, Array, Function, Promise, Error, Map]
  .map(({ prototype }) => prototype as object);
const snapshot = () => guarded.map((each) => Object.getOwnPropertyDescriptors(each));
const before = snapshot();

/** Asserts that the prototypes are unchanged. */
function assertUnchanged(): void {
  const now = snapshot();
  for (const [index, descriptors] of now.entries()) {
    const old = before[index] as Record<PropertyKey, PropertyDescriptor>;
    assertEquals(Reflect.ownKeys(descriptors), Reflect.ownKeys(old));
    for (const key of Reflect.ownKeys(descriptors)) {
      const descriptor = (descriptors as Record<PropertyKey, PropertyDescriptor>)[key];
      assert(Object.is(descriptor?.value, old[key]?.value), String(key));
    }
  }
}

/** The error that a function throws; `null` if it returns. */
function thrownBy(fn: () => unknown): { error: unknown } | null {
  try {
    fn();
    return null;
  } catch (error) {
    return { error };
  }
}

/** Values that are valid, for each option. */
const valid: Record<string, unknown[]> = {
  attemptTimeout: [0, 100, null],
  deadline: [0, 500, undefined],
  pause: [0, 10, [10, 20]],
  minRemaining: [0, 100, null],
  exceptions: ["all", [Error], () => true],
  until: [() => true],
  maxTries: [1, 3],
  giveup: [() => false],
  grace: [0, 10, Infinity],
  signal: [null],
  observe: [() => {}],
  budget: [null, { mayRetry: () => true }],
  retryExhausted: [true, false],
  name: ["load", ""],
};
const option = (name: string): fc.Arbitrary<Hostile> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...valid[name] ?? []).map(asIs) },
    { weight: 1, arbitrary: hostile },
  );
const asIs = (anything: unknown): Hostile => ({ anything });

/** Values that are not options, or options of which some are valid. */
const options = fc.oneof(
  { weight: 1, arbitrary: hostile.map((each) => ({ whole: each })) },
  { weight: 1, arbitrary: hostile.map((clock) => ({ parts: { clock } })) },
  {
    weight: 4,
    arbitrary: fc.record(
      Object.fromEntries(Object.keys(valid).map((name) => [name, option(name)])),
      { requiredKeys: [] },
    ).map((parts) => ({ parts })),
  },
);
type Options = typeof options extends fc.Arbitrary<infer T> ? T : never;

function makeOptions(options: Options): unknown {
  if ("whole" in options) return make(options.whole);
  const made = Object.entries(options.parts).map(([name, each]) => [
    name,
    make(each as Hostile),
  ]);
  return Object.fromEntries(made);
}

/** Asserts that accepted options are known. Otherwise a limit would be lost in silence. */
function assertIsOptions(given: unknown): void {
  if (given === null || given === undefined) return;
  assert(typeof given === "object" && !Array.isArray(given), "These are not options");
  const isError = Object.prototype.toString.call(given) === "[object Error]";
  assert(!isError, "An error is not options, though it has a name");
  const known = ["clock", ...Object.keys(valid)];
  assertEquals(Object.keys(given).filter((each) => !known.includes(each)), []);
  const { signal = null } = given as BackoffOptions;
  assert(signal === null || typeof signal.aborted === "boolean", "This is not a signal");
}

/** The ways to make a policy. */
const makePolicy: ((options: BackoffOptions) => (fn: () => unknown) => Promise<unknown>)[] =
  [
    (options) => {
      const backoff = new Backoff(options);
      return (fn) => backoff.execute(fn);
    },
    (options) => {
      const backoff = new Backoff().with(options);
      return (fn) => backoff.execute(fn);
    },
    (options) => {
      const { wrap } = new Backoff(options);
      return (fn) => wrap(fn as () => Promise<unknown>)();
    },
    (options) => {
      const decorate = asyncbackoff(options);
      return (fn) => decorate(fn as () => Promise<unknown>)();
    },
    (options) => {
      const decorate = asyncretry(3, options);
      return (fn) => decorate(fn as () => Promise<unknown>)();
    },
  ];

Deno.test("asyncbackoff() refuses invalid options with a clear error, or works", async () => {
  await assertProperty({
    name: "options",
    arbitrary: fc.record({ options, way: fc.nat({ max: makePolicy.length - 1 }) }),
    runs: 300,
    categories: ["refused", "accepted", "accepted with a part", "ends with an error"],
    async holds({ options, way }, { count, forgive, assertUncaught }) {
      const clock = new TestClock();
      const given = makeOptions(options);
      const parts = "parts" in options ? { clock, ...given as object } : given;
      let policy: ReturnType<typeof makePolicy[number]> | undefined;
      const thrown = thrownBy(() => policy = makePolicy[way]?.(parts as BackoffOptions));
      count(thrown === null ? "accepted" : "refused");
      assertUnchanged();
      if (thrown !== null) {
        // Values of options are checked with care, but not the object that holds them.
        if ("parts" in options) {
          return assert(isOurs(thrown.error), "The error does not say what must be");
        }
        return assertClear(thrown.error);
      }
      assertIsOptions(given);
      // Another clock may stand still.
      if (policy === undefined || "whole" in options || "clock" in options.parts) return;
      // Attempts that are given no time can go on for ever at one instant.
      if ((parts as BackoffOptions).attemptTimeout === 0) return;
      if (Object.keys(options.parts).length > 0) count("accepted with a part");
      const outcome = await outcomeOf(policy(() => "value"), clock);
      if ("observe" in options.parts) forgive(); // errors of an observer are uncaught
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      if (outcome.status === "fulfilled") return assertEquals(outcome.value, "value");
      count("ends with an error");
    },
  });
});

Deno.test("retry() refuses invalid options with a clear error, or works", async () => {
  await assertProperty({
    name: "options of retry()",
    arbitrary: options,
    runs: 300,
    categories: ["refused", "accepted"],
    async holds(options, { count, forgive, assertUncaught }) {
      const clock = new TestClock();
      const given = makeOptions(options);
      if ("parts" in options) {
        if ("clock" in options.parts) return; // it may stand still
        // Attempts that are given no time can go on for ever at one instant.
        if ((given as BackoffOptions).attemptTimeout === 0) return;
      }
      const parts = "parts" in options ? { clock, maxTries: 2, ...given as object } : given;
      const outcome = await outcomeOf(retry(() => "value", parts as BackoffOptions), clock);
      assertUnchanged();
      if ("parts" in options && "observe" in options.parts) forgive(); // they are uncaught
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      count(outcome.status === "fulfilled" ? "accepted" : "refused");
      if (outcome.status === "fulfilled") assertEquals(outcome.value, "value");
      else if ("whole" in options) assertClear(outcome.reason);
    },
  });
});

Deno.test("Backoff.execute() refuses invalid options of its own with a clear error, or works", async () => {
  const names = ["signal", "observe", "until", "name"] as const;
  await assertProperty({
    name: "options of execute()",
    arbitrary: fc.oneof(
      { weight: 1, arbitrary: hostile.map((each) => ({ whole: each })) },
      {
        weight: 3,
        arbitrary: fc.record(
          Object.fromEntries(names.map((name) => [name, option(name)])),
          { requiredKeys: [] },
        ).map((parts) => ({ parts })),
      },
    ),
    runs: 300,
    categories: ["refused", "accepted"],
    async holds(options, { count, forgive, assertUncaught }) {
      const clock = new TestClock();
      const given = makeOptions(options) as ExecuteOptions;
      const backoff = new Backoff({ exceptions: [], maxTries: 2, clock });
      const outcome = await outcomeOf(backoff.execute(() => "value", given), clock);
      assertUnchanged();
      if ("parts" in options && "observe" in options.parts) forgive(); // they are uncaught
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      const isAccepted = backoff.statistic.attempts > 0 || outcome.status === "fulfilled";
      count(isAccepted ? "accepted" : "refused");
      if (outcome.status === "fulfilled") return assertEquals(outcome.value, "value");
      const { until, signal } = "parts" in options ? given : {} as ExecuteOptions;
      // A signal of the caller's gives its own reason, and a predicate throws what it will.
      if (until !== undefined || signal !== undefined) return;
      assertClear(outcome.reason);
    },
  });
});

Deno.test("Backoff.execute() refuses anything but a function with a clear error", async () => {
  await assertProperty({
    name: "functions",
    arbitrary: hostile,
    runs: 300,
    categories: ["refused", "accepted"],
    async holds(each, { count, assertUncaught }) {
      const clock = new TestClock();
      const fn = make(each) as () => unknown;
      const backoff = new Backoff({ deadline: 100, maxTries: 1, clock });
      const outcome = await outcomeOf(backoff.execute(fn), clock);
      const refused = thrownBy(() => backoff.wrap(fn as () => Promise<unknown>));
      assertUnchanged();
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      count(typeof fn === "function" ? "accepted" : "refused");
      if (typeof fn === "function") return;
      assert(outcome.status === "rejected" && isOurs(outcome.reason), "Not refused");
      assert(refused !== null && isOurs(refused.error), "Not refused by the wrapper");
    },
  });
});

/** The outcome of `await` on the same value, at the same instants. */
async function awaited(fn: () => unknown, clock: TestClock): Promise<Outcome | null> {
  return await outcomeOf((async () => await fn())(), clock);
}

/** Asserts equality. Objects of another call are equal if they have the same type. */
function assertAlike(actual: Outcome, expected: Outcome): void {
  assertEquals(actual.status, expected.status);
  const [one, other] = [actual, expected].map((each) =>
    each.status === "fulfilled" ? each.value : each.reason
  );
  const isObject = typeof one === "object" && one !== null;
  if (isObject || typeof one === "function" || typeof one === "symbol") {
    assertEquals(typeof one, typeof other);
  } else assert(Object.is(one, other));
}

Deno.test("Backoff.execute() treats a returned value as await does", async () => {
  await assertProperty({
    name: "returned",
    arbitrary: hostile,
    runs: 300,
    categories: ["fulfilled", "rejected", "never"],
    async holds(each, { count, assertUncaught }) {
      const clock = new TestClock();
      const fn = () => make(each);
      const expected = await awaited(fn, clock);
      const backoff = new Backoff({ deadline: 100, maxTries: 1, clock });
      const outcome = await outcomeOf(backoff.execute(fn), clock);
      assertUnchanged();
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      count(expected?.status ?? "never");
      if (expected !== null) return assertAlike(outcome, expected);
      assert(outcome.status === "rejected", "It resolved without a value");
      assertEquals((outcome.reason as { limit?: string }).limit, "deadline");
    },
  });
});

function nameOf(error: unknown): unknown {
  try {
    return (error as { name?: unknown } | null | undefined)?.name;
  } catch {
    return undefined; // an error whose name throws has none
  }
}

Deno.test("Backoff.execute() retries any thrown value, and rejects with the value itself", async () => {
  const ways = ["thrown", "rejected", "nonRetryable", "retryable class"] as const;
  await assertProperty({
    name: "thrown values",
    arbitrary: fc.record({ each: hostile, way: fc.constantFrom(...ways) }),
    runs: 300,
    categories: [...ways],
    async holds({ each, way }, { count, assertUncaught }) {
      const clock = new TestClock();
      const error = make(each);
      const exceptions = way === "retryable class"
        ? [Object]
        : way === "nonRetryable"
        ? []
        : "all" as const;
      const backoff = new Backoff({ exceptions, maxTries: 3, pause: 10, clock });
      const outcome = await outcomeOf(
        backoff.execute(() => {
          if (way === "rejected") return Promise.reject(error);
          throw error;
        }),
        clock,
      );
      count(way);
      assertUnchanged();
      assertUncaught([]);
      assert(outcome?.status === "rejected", "It must reject");
      // `instanceof` may throw. The execution then rejects with that error.
      if (way === "retryable class" && !Object.is(outcome.reason, error)) {
        return assertClear(outcome.reason);
      }
      assert(Object.is(outcome.reason, error), "It rejects with another value");
      if (way === "retryable class") return;
      // The same timeout again is not a new one.
      if (nameOf(error) === "TimeoutError") {
        return assertEquals(backoff.statistic.attempts, 2);
      }
      const isRetried = way !== "nonRetryable" && nameOf(error) !== "AbortError";
      assertEquals(backoff.statistic.attempts, isRetried ? 3 : 1);
    },
  });
});

Deno.test("Backoff.execute() ends whatever its callbacks return", async () => {
  await assertProperty({
    name: "answers",
    arbitrary: fc.record({
      until: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(true, false).map(asIs) },
        hostile,
      ),
      exceptions: fc.oneof({ weight: 3, arbitrary: fc.constant(asIs(true)) }, hostile),
      giveup: fc.oneof({ weight: 3, arbitrary: fc.constant(asIs(false)) }, hostile),
      pause: fc.oneof(fc.constant(asIs(100)), hostile),
      mayRetry: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(true, true, false).map(asIs) },
        hostile,
      ),
      observe: hostile,
    }),
    runs: 300,
    categories: [
      "success",
      "nonRetryable",
      "maxTries",
      "giveup",
      "budget",
      "callbackError",
    ],
    async holds(answers, { count, assertUncaught }) {
      const clock = new TestClock();
      const failure = new Error("down");
      const reasons: unknown[] = [];
      const backoff = new Backoff({
        exceptions: () => make(answers.exceptions) as boolean,
        until: () => make(answers.until) as boolean,
        maxTries: 3,
        deadline: 5000,
        giveup: () => make(answers.giveup) as boolean,
        pause: () => make(answers.pause) as number,
        budget: { mayRetry: () => make(answers.mayRetry) as boolean },
        observe: (event) => {
          if (event.type === "done") reasons.push(event.reason);
          return make(answers.observe) as void;
        },
        clock,
      });
      const outcome = await outcomeOf(
        backoff.execute(({ number }) => number === 2 ? "value" : Promise.reject(failure)),
        clock,
      );
      assertUnchanged();
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      const [reason] = reasons;
      count(reason as string);
      if (outcome.status === "fulfilled") {
        return assertEquals([outcome.value, reason], ["value", "success"]);
      }
      const { reason: error } = outcome;
      if (reason === "callbackError") assertClear(error);
      else if (error instanceof ResultError) assertEquals(error.value, "value");
      else assert(Object.is(error, failure), "It rejects with another error");
    },
  });
});

/** The effect of each call of `now`: it goes back, or returns a hostile value. */
const back = fc.record({ back: fc.integer({ min: 0, max: 100 }) });
type Reading = Hostile | { back: number };
const noTime = fc.oneof(fc.constantFrom(NaN, Infinity, -Infinity).map(asIs), hostile)
  .filter((each) => !("anything" in each && Number.isFinite(each.anything)));
const readings: fc.Arbitrary<Reading[]> = fc.oneof(
  fc.array(back, { maxLength: 20 }),
  fc.array(fc.oneof(back, noTime), { maxLength: 5 }),
);

/** A TestClock whose `now` is wrong. */
function wrongClock(
  clock: TestClock,
  readings: readonly Reading[],
  hasAfter: boolean,
): Clock {
  const left = [...readings];
  let offset = 0;
  const now = () => {
    const reading = left.shift() ?? { back: 0 };
    if (!("back" in reading)) return make(reading) as number;
    offset -= reading.back;
    return clock.now() + offset;
  };
  const sleep: Clock["sleep"] = (ms, options) => clock.sleep(ms, options);
  const after: Required<Clock>["after"] = (ms, wake) => clock.after(ms, wake);
  return hasAfter ? { now, sleep, after } : { now, sleep };
}

Deno.test("Backoff.execute() works when its clock goes backwards, and refuses a clock that returns no time", async () => {
  await assertProperty({
    name: "clocks that are wrong",
    arbitrary: fc.record({ readings, hasAfter: fc.boolean(), works: fc.boolean() }),
    runs: 300,
    categories: ["harmless", "refused", "backwards"],
    async holds({ readings, hasAfter, works }, { count, assertUncaught }) {
      const time = new TestClock(1000);
      const clock = wrongClock(time, readings, hasAfter);
      const elapsed: number[] = [];
      const backoff = new Backoff({
        attemptTimeout: 100,
        deadline: 350,
        pause: 10,
        exceptions: [],
        observe: (event) => {
          if (event.type === "done") elapsed.push(event.elapsed);
          if (event.type === "failure") {
            elapsed.push(event.failure.elapsed, event.failure.remaining);
          }
        },
        clock,
      });
      const work = () => works ? time.sleep(50).then(() => "value") : new Promise(() => {});
      const outcome = await outcomeOf(backoff.execute(work), time);
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      assert(elapsed.every((each) => each >= 0), "A duration is negative");
      const isBackwards = readings.every((each) => "back" in each);
      const isLimit = outcome.status === "fulfilled" ||
        nameOf(outcome.reason) === "TimeoutError";
      const isRefused = !isLimit;
      if (isRefused) assertClear((outcome as PromiseRejectedResult).reason);
      count(isBackwards ? "backwards" : isRefused ? "refused" : "harmless");
      if (!isBackwards) return;
      assert(!isRefused, "A clock may go backwards");
      assertEquals(outcome.status, works ? "fulfilled" : "rejected");
    },
  });
});

Deno.test("Backoff.execute() refuses a clock whose sleep or after does not work", async () => {
  await assertProperty({
    name: "clocks that do not wait",
    arbitrary: fc.record({ each: hostile, hasAfter: fc.boolean() }),
    runs: 300,
    categories: ["by after", "by sleep", "refused", "never waits", "waits for ever"],
    async holds({ each, hasAfter }, { count, assertUncaught }) {
      const time = new TestClock();
      const thing = make(each);
      const awaitedOutcome = await awaited(() => thing, time);
      const now = () => time.now();
      const wait = () => thing;
      const clock =
        (hasAfter ? { now, sleep: wait, after: wait } : { now, sleep: wait }) as Clock;
      const backoff = new Backoff({
        maxTries: 2,
        exceptions: [],
        attemptTimeout: 100,
        clock,
      });
      const work = () => time.sleep(50).then(() => "value");
      const outcome = await outcomeOf(backoff.execute(work), time);
      assertUnchanged();
      assertUncaught([]);
      assert(outcome !== null, "It hangs");
      count(hasAfter ? "by after" : "by sleep");
      if (hasAfter && typeof thing === "function") return; // it may be a cancel
      if (hasAfter || awaitedOutcome?.status === "fulfilled") {
        count(hasAfter ? "refused" : "never waits");
        assert(outcome.status === "rejected", "Not refused");
        if (hasAfter) {
          return assert(isOurs(outcome.reason), "The error does not say what must be");
        }
        return assertClear(outcome.reason);
      }
      count(awaitedOutcome === null ? "waits for ever" : "refused");
      const value: Outcome = { status: "fulfilled", value: "value" };
      assertAlike(outcome, awaitedOutcome ?? value);
    },
  });
});
