// A policy: the checks of its options' values, and its decision about a failure.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Failure,
  sleep,
} from "@asyncbackoff/asyncbackoff";
import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { BackoffPolicy } from "../../../src/policy/policy.ts";
import { ForeignSignal } from "../../support/foreign_signal.ts";

type OptionName = keyof BackoffOptions;
type ErrorType = typeof TypeError | typeof RangeError;

/** Options as a caller without types may give them. */
const untyped = (options: unknown) => options as BackoffOptions;
const now = () => 0;
const wait = () => Promise.resolve();

// Values.

const number = "a number of milliseconds >= 0";
const pause = "a finite number of milliseconds >= 0, or a function that returns one";
const maxTries = "an integer >= 1 (the first attempt counts)";
const exceptions = 'an array of classes, or "all"';
const budget = "an object with the functions 'began', 'failed', 'succeeded', 'mayRetry'";
const clock = "an object with the functions 'now' and 'sleep'";

const wrongTypes: [OptionName, value: unknown, rule: string, got: string][] = [
  ["attemptTimeout", "100", number, '"100"'],
  ["attemptTimeout", 100n, number, "100n"],
  ["attemptTimeout", [100], number, "an array of 1"],
  ["attemptTimeout", () => 100, number, "function"],
  ["deadline", "1s", number, '"1s"'],
  ["deadline", 100n, number, "100n"],
  ["deadline", new Date(100), number, "an object (Date)"],
  ["deadline", false, number, "false"],
  ["grace", "0", number, '"0"'],
  ["grace", Symbol("grace"), number, "Symbol(grace)"],
  ["pause", "100", pause, '"100"'],
  ["pause", 100n, pause, "100n"],
  ["pause", [100, 200], pause, "an array of 2"],
  ["pause", { ms: 100 }, pause, "an object (Object)"],
  ["maxTries", "3", maxTries, '"3"'],
  ["maxTries", 3n, maxTries, "3n"],
  ["maxTries", true, maxTries, "true"],
  ["exceptions", "ALL", exceptions, '"ALL"'],
  ["exceptions", new Set([TypeError]), exceptions, "an object (Set)"],
  ["exceptions", true, exceptions, "true"],
  ["exceptions", [TypeError, [RangeError]], exceptions, "an array of 1"],
  ["exceptions", ["TypeError"], exceptions, '"TypeError"'],
  ["exceptions", [new TypeError("an instance")], exceptions, "an object (TypeError)"],
  ["exceptions", [undefined], exceptions, "undefined"],
  ["exceptions", [() => true], exceptions, "function"],
  ["exceptions", [async function named() {}], exceptions, "function named"],
  ["giveup", true, "a function", "true"],
  ["giveup", [() => true], "a function", "an array of 1"],
  ["budget", 0.2, budget, "0.2"],
  ["budget", () => true, budget, "function"],
  ["budget", TokenBudget, budget, "function TokenBudget"],
  ["budget", { retryRatio: 0.2 }, budget, "an object (Object)"],
  ["budget", { began() {}, failed() {}, succeeded() {} }, budget, "an object (Object)"],
  ["budget", { began() {}, failed() {}, mayRetry() {} }, budget, "an object (Object)"],
  ["budget", { began() {}, succeeded() {}, mayRetry() {} }, budget, "an object (Object)"],
  ["budget", { failed() {}, succeeded() {}, mayRetry() {} }, budget, "an object (Object)"],
  ["budget", false, budget, "false"],
  ["observe", "log", "a function", '"log"'],
  ["observe", { next() {} }, "a function", "an object (Object)"],
  ["signal", true, "an AbortSignal", "true"],
  ["signal", new EventTarget(), "an AbortSignal", "an object (EventTarget)"],
  ["signal", { aborted: false }, "an AbortSignal", "an object (Object)"],
  [
    "signal",
    { aborted: false, addEventListener() {} },
    "an AbortSignal",
    "an object (Object)",
  ],
  [
    "signal",
    { aborted: false, removeEventListener() {} },
    "an AbortSignal",
    "an object (Object)",
  ],
  ["clock", 0, clock, "0"],
  // A value that is falsy is not absent.
  ["attemptTimeout", false, number, "false"],
  ["pause", "", pause, '""'],
  ["maxTries", "", maxTries, '""'],
  ["exceptions", "", exceptions, '""'],
  ["giveup", false, "a function", "false"],
  ["observe", 0, "a function", "0"],
  ["signal", false, "an AbortSignal", "false"],
  ["clock", {}, clock, "an object (Object)"],
  ["clock", Date, clock, "function Date"],
  ["clock", { now }, clock, "an object (Object)"],
  ["clock", { sleep: wait }, clock, "an object (Object)"],
  ["clock", { now: 0, sleep: wait }, clock, "an object (Object)"],
  ["clock", { now, sleep: wait, after: 100 }, clock, "an object (Object)"],
];

Deno.test("Backoff() throws TypeError when an option is of the wrong type", () => {
  for (const [index, [name, value, rule, got]] of wrongTypes.entries()) {
    const row = `row ${index}: ${name}, ${got}`;
    const make = () => new Backoff(untyped({ [name]: value }));
    const { message } = assertThrows(make, TypeError, undefined, row);
    const expected = `Cannot make a policy: option '${name}' must be ${rule}, got ${got}`;
    assertEquals(message, expected, row);
  }
});

const wrongValues: [OptionName, value: number, rule: string][] = [
  ["attemptTimeout", NaN, number],
  ["attemptTimeout", -1, number],
  ["attemptTimeout", -Infinity, number],
  ["deadline", NaN, number],
  ["deadline", -0.5, number],
  ["grace", NaN, number],
  ["grace", -1, number],
  ["pause", NaN, pause],
  ["pause", -1, pause],
  ["pause", Infinity, pause],
  ["maxTries", NaN, maxTries],
  ["maxTries", 0, maxTries],
  ["maxTries", -1, maxTries],
  ["maxTries", 2.5, maxTries],
  ["maxTries", -Infinity, maxTries],
];

Deno.test("Backoff() throws RangeError when an option has a wrong value", () => {
  for (const [name, value, rule] of wrongValues) {
    const row = `${name}: ${value}`;
    const make = () => new Backoff({ [name]: value });
    const { message } = assertThrows(make, RangeError, undefined, row);
    const expected = `Cannot make a policy: option '${name}' must be ${rule}, got ${value}`;
    assertEquals(message, expected, row);
  }
});

Deno.test("Backoff() throws TypeError when its signal is a controller", () => {
  const controller = new AbortController(); // not in the table: a worker makes none at load
  const make = () => new Backoff(untyped({ signal: controller }));
  const { message } = assertThrows(make, TypeError);
  const rule = "option 'signal' must be an AbortSignal";
  assertEquals(
    message,
    `Cannot make a policy: ${rule}, got an object (AbortController)`,
  );
});

/** A value that throws whatever is done with it. */
function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const hostileValues: [OptionName, value: unknown][] = [
  ["deadline", Object.create(null)],
  ["deadline", revoked({})],
  ["pause", revoked({})],
  ["maxTries", { valueOf: () => 3, toString: () => "3" }],
  ["exceptions", revoked([])],
  ["exceptions", [revoked(class {})]],
  ["exceptions", [Object.defineProperty(() => {}, "prototype", { value: 5 })]],
  ["exceptions", [Object.defineProperty(() => {}, "name", { value: Symbol("name") })]],
  ["exceptions", [{ [Symbol.hasInstance]: () => true }]],
  ["giveup", Object.create(null)],
  ["budget", revoked({})],
  ["budget", Object.create(null)],
  ["observe", revoked({})],
  ["signal", revoked({})],
  ["signal", Object.create(null)],
  ["clock", revoked({})],
  ["clock", Object.create(null)],
];

for (const [index, [name, value]] of hostileValues.entries()) {
  Deno.test(`Backoff() names '${name}' when its value is hostile (${index})`, () => {
    const make = () => new Backoff(untyped({ [name]: value }));
    assertThrows(make, TypeError, `Cannot make a policy: option '${name}' must be`);
  });
}

const described: [value: unknown, text: string][] = [
  ["soon", '"soon"'],
  ["a".repeat(98), `"${"a".repeat(98)}"`],
  ["a".repeat(99), `"${"a".repeat(96)}...`],
  [5n, "5n"],
  [Symbol("ms"), "Symbol(ms)"],
  [() => 5, "function"],
  [parseInt, "function parseInt"],
  [[1, 2], "an array of 2"],
  [new Date(0), "an object (Date)"],
  [Object.create(null), "an object (no prototype)"],
  [revoked({}), "a value that cannot be described"],
];

Deno.test("Backoff() describes the value that it refuses", () => {
  for (const [value, text] of described) {
    const make = () => new Backoff(untyped({ deadline: value }));
    const { message } = assertThrows(make, TypeError);
    const rule = "option 'deadline' must be a number of milliseconds >= 0";
    assertEquals(message, `Cannot make a policy: ${rule}, got ${text}`);
  }
});

Deno.test("Backoff() keeps its message short when the value is long", () => {
  const deadline = "1".repeat(1000) as unknown as number;
  const { message } = assertThrows(() => new Backoff({ deadline }), TypeError, '"111');
  assertEquals(message.endsWith("111..."), true);
  assertEquals(message.length < 250, true);
});

Deno.test("Backoff() recognises a signal by its shape, in the policy and in execute()", async () => {
  for (const place of ["policy", "execute"]) {
    const clock = new TestClock();
    const foreign = new ForeignSignal();
    const signal = foreign as unknown as AbortSignal;
    const backoff = new Backoff({ clock, signal: place === "policy" ? signal : null });
    const own = { signal: place === "execute" ? signal : null };
    const result = backoff.execute((attempt) => {
      clock.after(100, () => foreign.abort("enough"));
      return sleep(1000, { clock, signal: attempt.signal });
    }, own);
    assertEquals(await clock.run(result.catch((reason) => reason)), "enough", place);
    assertEquals([clock.now(), backoff.statistic.cancels], [100, 1], place);
    clock.close();
  }
});

Deno.test("Backoff() accepts a class as a clock when it has now() and sleep()", async () => {
  class Standing {
    static now = () => 1000;
    static sleep = () => new Promise<never>(() => {});
  }
  const backoff = new Backoff({ deadline: 100, clock: Standing });

  assertEquals(await backoff.execute(() => "value"), "value");
});

Deno.test("BackoffPolicy is frozen, and has 'no limit' as Infinity", () => {
  const policy = new BackoffPolicy({});
  assert(Object.isFrozen(policy));
  const { attemptTimeout, deadline, maxTries, grace, pause } = policy;
  assertEquals([attemptTimeout, deadline, maxTries], [Infinity, Infinity, Infinity]);
  assertEquals([grace, pause], [0, 0]);
});

// The decision about a failure.

const failure: Failure = {
  error: new RangeError("down"),
  attempt: 1,
  limit: null,
  duration: 100,
  elapsed: 100,
  remaining: Infinity,
  pauseBefore: 0,
};

Deno.test("BackoffPolicy.decide() asks exceptions, maxTries, giveup, budget and pause, in this order", () => {
  const asked: string[] = [];
  const ask = (what: string) => asked.push(what) > 0;
  let isAllowed = true;
  let isGivenUp = false;
  const policy = new BackoffPolicy({
    exceptions: [RangeError],
    maxTries: 3,
    giveup: (error, failure) => {
      assertStrictEquals(error, failure.error);
      return ask("giveup") && isGivenUp;
    },
    budget: {
      began: () => {},
      failed: () => void asked.push("failed"),
      succeeded: () => {},
      mayRetry: () => ask("mayRetry") && isAllowed,
    },
    pause: ({ attempt }) => ask("pause") ? 10 * attempt : NaN,
  });
  const decide = (changes: Partial<Failure>) => {
    asked.length = 0;
    return [policy.decide({ ...failure, ...changes }, 100), ...asked];
  };
  assertEquals(decide({ error: new TypeError() }), ["nonRetryable"]);
  assertEquals(decide({ attempt: 3 }), ["maxTries", "failed"]);
  assertEquals(decide({ attempt: 2 }), [20, "failed", "giveup", "mayRetry", "pause"]);
  // Without time for a retry, there is nothing to charge the budget for.
  assertEquals(decide({ remaining: 0 }), [10, "failed", "giveup", "pause"]);
  isAllowed = false;
  assertEquals(decide({}), ["budget", "failed", "giveup", "mayRetry"]);
  isGivenUp = true;
  assertEquals(decide({}), ["giveup", "failed", "giveup"]);
});

/** Plays one failure at 100 ms, and returns how its execution ends. */
async function playFailure(options: Pick<BackoffOptions, "pause" | "giveup" | "budget">) {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const down = new Error("down");
  const observe = (event: BackoffEvent) => void events.push(event);
  const backoff = new Backoff({ exceptions: "all", clock, observe, ...options });
  const result = backoff.execute(() =>
    sleep(100, { clock }).then(() => Promise.reject(down))
  );
  const error: unknown = await clock.run(result.then(() => null, (error) => error));
  const done = events.at(-1);
  assert(done?.type === "done");
  assertInstanceOf(error, Error);
  assertStrictEquals(error.cause, down);
  clock.close();
  const { attempts, errors } = backoff.statistic;
  return { error, end: { reason: done.reason, at: done.at, attempts, errors } };
}

/** The end of an execution whose first failure cannot be decided about. */
const FAULTED = { reason: "callbackError", at: 100, attempts: 1, errors: 1 } as const;

const wrongPauses: [value: unknown, errorType: ErrorType, got: string][] = [
  [NaN, RangeError, "NaN"],
  [-1, RangeError, "-1"],
  [Infinity, RangeError, "Infinity"],
  ["100", TypeError, '"100"'],
  [100n, TypeError, "100n"],
  [[100], TypeError, "an array of 1"],
  [undefined, TypeError, "undefined"],
];

Deno.test("Backoff.execute() rejects, with the error of the failure as the cause, when pause does not return a pause", async () => {
  for (const [value, errorType, got] of wrongPauses) {
    const { error, end } = await playFailure({ pause: () => value as number });
    assertInstanceOf(error, errorType, got);
    const rule = "'pause' must return a finite number of milliseconds >= 0";
    assertEquals(error.message, `Cannot pause after a failure: ${rule}, got ${got}`);
    assertEquals(end, FAULTED, got);
  }
});

const promises: [what: string, make: () => unknown][] = [
  ["a promise", () => Promise.resolve(100)],
  ["a promise that rejects", () => Promise.reject(new Error("not unhandled"))],
  ["a thenable", () => ({ then() {} })],
];

for (const [what, make] of promises) {
  Deno.test(`Backoff.execute() rejects, with the error of the failure as the cause, when giveup, pause or budget returns ${what}`, async () => {
    const budget = { began() {}, failed() {}, succeeded() {}, mayRetry: make };
    for (const options of [{ giveup: make }, { pause: make }, { budget }]) {
      const [name] = Object.keys(options);
      const { error, end } = await playFailure(options as { pause: () => number });
      assertInstanceOf(error, TypeError, name);
      assertEquals(
        error.message,
        `Cannot decide about a failure: '${name}' must answer at once, got a promise`,
      );
      assertEquals(end, FAULTED, name);
    }
  });
}
