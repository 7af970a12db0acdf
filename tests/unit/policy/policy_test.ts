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
  type Budget,
  type Failure,
  nonRetryable,
  type Pause,
  type Reason,
  ResultError,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { isExhausted, markExhausted } from "../../../src/policy/non_retryable.ts";
import { BackoffPolicy, policyWith } from "../../../src/policy/policy.ts";
import { ForeignSignal } from "../../support/foreign_signal.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

type OptionName = keyof BackoffOptions;
type ErrorType = typeof TypeError | typeof RangeError;

/** Options as a caller without types may give them. */
const untyped = (options: unknown) => options as BackoffOptions;
const now = () => 0;
const wait = () => Promise.resolve();

// Values.

const number = "a number of milliseconds >= 0";
const pause =
  "a finite number of milliseconds >= 0, a list of them, or a function that returns one";
const maxTries = "an integer >= 1 (the first attempt counts)";
const exceptions = 'an array of classes, a predicate, or "all"';
const minRemaining = "a finite number of milliseconds >= 0";
const budget = "an object with the function 'mayRetry', and perhaps 'began', 'failed', " +
  "'succeeded', 'ended'";
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
  ["pause", [], pause, "an array of 0"],
  ["pause", [100, "200"], pause, '"200"'],
  ["pause", [100, null], pause, "null"],
  ["pause", [100, [200]], pause, "an array of 1"],
  ["pause", [100, () => 200], pause, "function"],
  ["pause", new Array(2), pause, "undefined"],
  ["pause", new Set([100, 200]), pause, "an object (Set)"],
  ["pause", new Float64Array([100]), pause, "an object (Float64Array)"],
  ["pause", { ms: 100 }, pause, "an object (Object)"],
  ["minRemaining", "0", minRemaining, '"0"'],
  ["minRemaining", 0n, minRemaining, "0n"],
  ["minRemaining", [0], minRemaining, "an array of 1"],
  ["minRemaining", () => 0, minRemaining, "function"],
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
  ["exceptions", { test: () => true }, exceptions, "an object (Object)"],
  ["exceptions", /down/, exceptions, "an object (RegExp)"],
  ["until", true, "a function", "true"],
  ["until", "done", "a function", '"done"'],
  ["until", [() => true], "a function", "an array of 1"],
  ["until", /done/, "a function", "an object (RegExp)"],
  ["giveup", true, "a function", "true"],
  ["giveup", [() => true], "a function", "an array of 1"],
  ["budget", 0.2, budget, "0.2"],
  ["budget", () => true, budget, "function"],
  ["budget", TokenBudget, budget, "function TokenBudget"],
  ["budget", { retryRatio: 0.2 }, budget, "an object (Object)"],
  ["budget", { began() {}, failed() {}, succeeded() {} }, budget, "an object (Object)"],
  ["budget", { mayRetry: true }, budget, "an object (Object)"],
  ["budget", { mayRetry() {}, began: 5 }, budget, "an object (Object)"],
  ["budget", { mayRetry() {}, failed: "down" }, budget, "an object (Object)"],
  ["budget", { mayRetry() {}, succeeded: true }, budget, "an object (Object)"],
  ["budget", { mayRetry() {}, ended: {} }, budget, "an object (Object)"],
  ["budget", false, budget, "false"],
  ["retryExhausted", 0, "true or false", "0"],
  ["retryExhausted", "false", "true or false", '"false"'],
  ["retryExhausted", () => true, "true or false", "function"],
  ["name", 7, "a string", "7"],
  ["name", Symbol("load"), "a string", "Symbol(load)"],
  ["name", { name: "load" }, "a string", "an object (Object)"],
  ["name", function load() {}, "a string", "function load"],
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
  ["minRemaining", false, minRemaining, "false"],
  ["minRemaining", "", minRemaining, '""'],
  ["until", false, "a function", "false"],
  ["until", 0, "a function", "0"],
  ["name", false, "a string", "false"],
  ["name", 0, "a string", "0"],
  ["retryExhausted", "", "true or false", '""'],
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

const wrongValues: [OptionName, value: number | number[], rule: string, got?: string][] = [
  ["attemptTimeout", NaN, number],
  ["attemptTimeout", -1, number],
  ["attemptTimeout", -Infinity, number],
  ["deadline", NaN, number],
  ["deadline", -0.5, number],
  ["idleTimeout", NaN, number],
  ["idleTimeout", -1, number],
  ["resetAfter", NaN, number],
  ["resetAfter", -0.5, number],
  ["grace", NaN, number],
  ["grace", -1, number],
  ["pause", NaN, pause],
  ["pause", -1, pause],
  ["pause", Infinity, pause],
  ["pause", [NaN], pause, "NaN"],
  ["pause", [100, -1], pause, "-1"],
  ["pause", [100, Infinity, 200], pause, "Infinity"],
  ["minRemaining", NaN, minRemaining],
  ["minRemaining", -1, minRemaining],
  ["minRemaining", Infinity, minRemaining],
  ["maxTries", NaN, maxTries],
  ["maxTries", 0, maxTries],
  ["maxTries", -1, maxTries],
  ["maxTries", 2.5, maxTries],
  ["maxTries", -Infinity, maxTries],
];

Deno.test("Backoff() throws RangeError when an option has a wrong value", () => {
  for (const [name, value, rule, got = `${value}`] of wrongValues) {
    const row = `${name}: ${value}`;
    const make = () => new Backoff({ [name]: value });
    const { message } = assertThrows(make, RangeError, undefined, row);
    const expected = `Cannot make a policy: option '${name}' must be ${rule}, got ${got}`;
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
  ["pause", revoked([])],
  ["pause", [revoked({})]],
  ["pause", Object.create(null)],
  ["minRemaining", revoked({})],
  ["minRemaining", { valueOf: () => 0, toString: () => "0" }],
  ["maxTries", { valueOf: () => 3, toString: () => "3" }],
  ["exceptions", revoked([])],
  ["exceptions", [revoked(class {})]],
  ["exceptions", [Object.defineProperty(() => {}, "prototype", { value: 5 })]],
  ["exceptions", [Object.defineProperty(() => {}, "name", { value: Symbol("name") })]],
  ["exceptions", [{ [Symbol.hasInstance]: () => true }]],
  ["exceptions", revoked({})],
  ["until", revoked({})],
  ["until", Object.create(null)],
  ["giveup", Object.create(null)],
  ["budget", revoked({})],
  ["budget", Object.create(null)],
  ["budget", { mayRetry() {}, ended: revoked({}) }],
  ["retryExhausted", revoked({})],
  ["retryExhausted", new Boolean(true)],
  ["name", revoked({})],
  ["name", new String("load")],
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
  assertEquals([policy.idleTimeout, policy.resetAfter], [Infinity, Infinity]);
  const { exceptions, until, minRemaining, giveup, budget } = policy;
  assertEquals([exceptions, until, minRemaining, giveup, budget], [null, ...NULLS]);
  const { retryExhausted, signal, observe, name } = policy;
  assertEquals([retryExhausted, signal, observe, name], [true, null, null, null]);
});

const NULLS = [null, null, null, null];
const isTrue = () => true;

const valid: [OptionName, values: readonly unknown[]][] = [
  ["minRemaining", [0, 0.5, 1000, Number.MAX_VALUE]],
  ["idleTimeout", [0, 0.5, 1000, Infinity]],
  ["resetAfter", [0, 0.5, 1000, Infinity]],
  ["until", [isTrue, async () => {}, class {}]],
  ["exceptions", ["all", isTrue, async () => {}]],
  ["retryExhausted", [true, false]],
  ["name", ["load", ""]],
  ["budget", [
    { mayRetry: isTrue },
    { mayRetry: isTrue, began: undefined, failed: undefined, ended: undefined },
    { mayRetry: isTrue, ended() {} },
    new TokenBudget(),
  ]],
];

for (const [name, values] of valid) {
  Deno.test(`BackoffPolicy.${name} is the option '${name}'`, () => {
    for (const value of values) {
      assertStrictEquals(new BackoffPolicy(untyped({ [name]: value }))[name], value);
    }
    for (const absent of [null, undefined]) {
      const policy = new BackoffPolicy({ [name]: absent });
      assertEquals(policy[name], new BackoffPolicy({})[name]);
    }
  });
}

// The decision about a failure.

const failure: Failure = {
  error: new RangeError("down"),
  name: "load",
  attempt: 1,
  streak: 1,
  limit: null,
  duration: 100,
  elapsed: 100,
  remaining: Infinity,
  pauseBefore: 0,
};

/** The decision about a failure that differs in some fields. */
function decide(
  options: BackoffOptions,
  changes: Partial<Failure> = {},
  { previous = null, isRefusal = false }: {
    previous?: Failure | null;
    isRefusal?: boolean;
  } = {},
): number | Reason {
  const policy = new BackoffPolicy(options);
  return policy.decide({ ...failure, ...changes }, 100, previous, isRefusal);
}

/** Whether errors are retried. */
const isRetried = (
  exceptions: BackoffOptions["exceptions"],
  error: unknown,
  previous: Failure | null = null,
): boolean => decide({ exceptions }, { error }, { previous }) !== "nonRetryable";

Deno.test("BackoffPolicy.decide() asks exceptions, maxTries, giveup, pause and budget, in this order", () => {
  const asked: string[] = [];
  const ask = (what: string) => asked.push(what) > 0;
  let isAllowed = true;
  let isGivenUp = false;
  const policy = new BackoffPolicy({
    exceptions: (error) => ask("exceptions") && error instanceof RangeError,
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
    minRemaining: 5,
    retryExhausted: false,
  });
  const decide = (changes: Partial<Failure>, isRefusal = false) => {
    asked.length = 0;
    return [
      policy.decide(
        { ...failure, streak: changes.attempt ?? 1, ...changes },
        100,
        null,
        isRefusal,
      ),
      ...asked,
    ];
  };
  const asks = ["exceptions", "failed", "giveup", "pause", "mayRetry"];
  const marked = nonRetryable(new RangeError());
  const exhausted = new RangeError();
  markExhausted(exhausted);
  const both = nonRetryable(new RangeError());
  markExhausted(both);
  assertEquals(decide({ error: marked }), ["nonRetryable"]);
  assertEquals(decide({ error: both }), ["nonRetryable"]);
  assertEquals(decide({ error: exhausted }), ["exhausted"]);
  assertEquals(decide({ error: new TypeError() }), ["nonRetryable", "exceptions"]);
  assertEquals(decide({ attempt: 3 }), ["maxTries", ...asks.slice(0, 2)]);
  assertEquals(decide({ attempt: 2 }), [20, ...asks]);
  // A timeout, and a result that was refused, are retryable whatever the exceptions are.
  assertEquals(decide({ error: new TimeoutError("attempt", 1) }), [10, ...asks.slice(1)]);
  assertEquals(decide({ error: new TypeError() }, true), [10, ...asks.slice(1)]);
  // Without time for a retry, there is nothing to charge the budget for.
  for (const remaining of [0, 5, 10, 14.9]) {
    assertEquals(decide({ remaining }), ["deadline", ...asks.slice(0, 4)]);
  }
  assertEquals(decide({ remaining: 15 }), [10, ...asks]);
  isAllowed = false;
  assertEquals(decide({}), ["budget", ...asks]);
  assertEquals(decide({ remaining: 10 }), ["deadline", ...asks.slice(0, 4)]);
  isGivenUp = true;
  assertEquals(decide({}), ["giveup", ...asks.slice(0, 3)]);
});

Deno.test("BackoffPolicy.decide() asks the budget only if the pause ends before the deadline", () => {
  const asked: unknown[][] = [];
  const budget: Budget = {
    mayRetry(...args) {
      asked.push(args);
      return false;
    },
  };
  const options = { exceptions: "all", pause: 30, budget } as const;
  for (const remaining of [0, 29, 30]) assertEquals(decide(options, { remaining }), 30);
  assertEquals(asked, []);
  assertEquals(decide(options, { remaining: 30.5 }), "budget");
  assertEquals(decide(options), "budget");
  assertEquals(asked, [[100, { ...failure, remaining: 30.5 }], [100, failure]]);
});

Deno.test("BackoffPolicy.decide() calls all functions of a budget, and works without them", () => {
  const log: string[] = [];
  const note = (what: string) => (at: number) => {
    log.push(`${what} ${at}`);
    return true;
  };
  const budget = {
    began: note("began"),
    failed: note("failed"),
    succeeded: note("succeeded"),
    ended: note("ended"),
    mayRetry: note("mayRetry"),
  };
  const done = { status: "fulfilled", value: 1 } as const;
  for (const each of [budget, { mayRetry: isTrue }, null]) {
    const policy = new BackoffPolicy({ exceptions: "all", budget: each });
    policy.began(1);
    assertEquals(policy.decide(failure, 2, null, false), 0);
    policy.succeeded(3);
    policy.ended(4, "success", done);
  }
  assertEquals(log, ["began 1", "failed 2", "mayRetry 2", "succeeded 3", "ended 4"]);
});

const named = (name: unknown) =>
  Object.defineProperty(new Error(), "name", { value: name });
const timeouts = [new DOMException("late", "TimeoutError"), named("TimeoutError")];
const aborts = [new DOMException("stop", "AbortError"), named("AbortError")];
const others = [undefined, null, 0, "TimeoutError", { code: 7 }, Symbol("down")];

Deno.test("BackoffPolicy.decide() retries timeouts, whatever the exceptions", () => {
  for (const exceptions of [[], [TypeError], "all", () => false] as const) {
    for (const error of [...timeouts, { name: "TimeoutError" }]) {
      assert(isRetried(exceptions, error), `${exceptions}, ${error}`);
    }
  }
});

Deno.test("BackoffPolicy.decide() retries the errors of the classes, and of classes that extend them", () => {
  class Own extends TypeError {}
  const errors = [new TypeError(), new Own(), new RangeError(), ...aborts, ...others];
  const retried = errors.filter((error) => isRetried([TypeError], error));
  assertEquals(retried, errors.slice(0, 2));
  assert(isRetried([Error], aborts[1]));
  assert(!errors.some((error) => isRetried([], error)));
});

Deno.test("BackoffPolicy.decide() retries everything but errors named AbortError when the exceptions are 'all'", () => {
  for (const error of [new TypeError(), ...others]) assert(isRetried("all", error));
  for (const error of aborts) assert(!isRetried("all", error));
});

Deno.test("BackoffPolicy.decide() retries no refusal by a guard when the exceptions are 'all'", () => {
  for (const name of ["CircuitOpenError", "ThrottledError"]) {
    const error = named(name) as Error;
    assert(!isRetried("all", error) && !isRetried("all", { name }), name);
    // Classes and predicates decide for themselves.
    assert(isRetried([Error], error) && isRetried(() => true, error), name);
  }
});

Deno.test("BackoffPolicy.decide() decides by the class when the name of an error throws", () => {
  const error = Object.defineProperty(new RangeError(), "name", {
    get: () => {
      throw new Error("hostile");
    },
  });
  const accepted = [[RangeError], [TypeError], "all", () => true, () => false] as const;
  const answers = accepted.map((exceptions) => isRetried(exceptions, error));
  assertEquals(answers, [true, false, true, true, false]);
});

Deno.test("BackoffPolicy.decide() retries the errors for which a predicate returns true", () => {
  const asked: unknown[][] = [];
  const exceptions = (...args: unknown[]) => {
    asked.push(args);
    return args[0] instanceof TypeError || args[0] === "busy";
  };
  const errors = [new TypeError(), "busy", new RangeError(), ...aborts, undefined];
  assertEquals(errors.filter((error) => isRetried(exceptions, error)), errors.slice(0, 2));
  assertEquals(asked, errors.map((error) => [error])); // the error alone, once
  // An abort is retried if the predicate says so.
  assert(aborts.every((error) => isRetried(isTrue, error)));
});

Deno.test("BackoffPolicy.decide() does not treat the very error that ended the attempt before as a new timeout", () => {
  for (const error of timeouts) {
    const previous = { ...failure, error };
    for (const exceptions of [[], [TypeError], "all", () => false] as const) {
      assert(!isRetried(exceptions, error, previous), `${exceptions}`);
    }
    // Only a class or a predicate can list it.
    assert(isRetried([Error], error, previous));
    assert(isRetried((each) => each === error, error, previous));
    // Another error in between, even one that is equal, makes it new.
    for (const other of [new TypeError(), named("TimeoutError"), undefined]) {
      assert(isRetried([], error, { ...failure, error: other }));
    }
  }
  // The same error with another name is an error like any.
  const error = new TypeError();
  assert(isRetried([TypeError], error, { ...failure, error }));
  assert(isRetried("all", error, { ...failure, error }));
  assert(isRetried("all", undefined, { ...failure, error: undefined }));
});

Deno.test("BackoffPolicy.decide() retries no error that is marked, not even a timeout", () => {
  for (const error of [new RangeError(), new DOMException("late", "TimeoutError")]) {
    const asked: unknown[] = [];
    nonRetryable(error);
    for (const exceptions of ["all", [Error], (each: unknown) => asked.push(each) > 0]) {
      const options = { exceptions } as BackoffOptions;
      assertEquals(decide(options, { error }), "nonRetryable");
    }
    assertEquals(asked, []);
  }
});

Deno.test("BackoffPolicy.decide() retries an error that was retried already, unless 'retryExhausted' is false", () => {
  const error = new RangeError();
  markExhausted(error);
  const timeout = new TimeoutError("deadline", 5);
  markExhausted(timeout);
  const wrapper = new RangeError("wrapper", { cause: error });
  for (const each of [error, timeout, wrapper]) {
    for (const exceptions of ["all", [Error], isTrue] as const) {
      const options = { exceptions };
      assertEquals(decide(options, { error: each }), 0);
      for (const retryExhausted of [true, null, undefined]) {
        assertEquals(decide({ ...options, retryExhausted }, { error: each }), 0);
      }
      const once = { ...options, retryExhausted: false };
      assertEquals(decide(once, { error: each }), "exhausted");
      assertEquals(decide(once, { error: new RangeError() }), 0);
    }
    // It is exhausted, also where it would not be listed.
    assertEquals(decide({ retryExhausted: false }, { error: each }), "exhausted");
  }
});

Deno.test("BackoffPolicy.decide() retries a result that was refused, and no other ResultError", () => {
  const error = new ResultError("pending");
  for (const exceptions of [[], [TypeError], "all", () => false] as const) {
    assertEquals(decide({ exceptions }, { error }, { isRefusal: true }), 0);
  }
  const own = [[], [ResultError], "all", () => false] as const;
  const answers = own.map((exceptions) => decide({ exceptions }, { error }));
  assertEquals(answers, ["nonRetryable", 0, 0, "nonRetryable"]);
  const bounded = { exceptions: [], maxTries: 2 };
  const last = decide(bounded, { error, streak: 2 }, { isRefusal: true });
  assertEquals(last, "maxTries");
});

Deno.test("BackoffPolicy.decide() ends when less than minRemaining would be left after the pause", () => {
  const rows: [
    minRemaining: number | null,
    pause: number,
    remaining: number,
    decision: number | Reason,
  ][] = [
    [0, 100, 101, 100],
    [0, 100, 100, "deadline"], // nothing would be left
    [0, 100, 99, "deadline"],
    [0, 0, 0, "deadline"],
    [0, 0, 0.5, 0],
    [50, 100, 150, 100],
    [50, 100, 149, "deadline"],
    [50, 0, 50, 0],
    [50, 100, Infinity, 100],
    [null, 100, 99, 100],
    [null, 100, 0, 100],
  ];
  for (const [minRemaining, pause, remaining, decision] of rows) {
    const options = { exceptions: "all", minRemaining, pause } as const;
    const row = `${minRemaining}, ${pause}, ${remaining}`;
    assertEquals(decide(options, { remaining }), decision, row);
  }
});

Deno.test("BackoffPolicy.decide() gives up when pause throws the failure's own error", () => {
  for (const error of [new RangeError("down"), undefined, NaN, "down"]) {
    const pause = ({ error }: Failure): number => {
      throw error;
    };
    assertEquals(decide({ exceptions: "all", pause }, { error }), "giveup");
  }
  const other = new RangeError("down");
  const pause = () => {
    throw other;
  };
  assertStrictEquals(assertThrows(() => decide({ exceptions: "all", pause })), other);
});

Deno.test("BackoffPolicy.decide() takes the pauses of a list in their order, and repeats the last one", () => {
  const pausesOf = (pause: Pause, attempts: number[]) =>
    attempts.map((streak) => decide({ exceptions: "all", pause }, { streak }));
  const attempts = [1, 2, 3, 4, 100, 1e9];
  assertEquals(pausesOf([100, 200, 500], attempts), [100, 200, 500, 500, 500, 500]);
  assertEquals(pausesOf([0], [1, 2]), [0, 0]);
  assertEquals(pausesOf([1.5, 0], [1, 2, 3]), [1.5, 0, 0]);
  assertEquals(pausesOf(Object.freeze([7, 8]), [1, 2]), [7, 8]);
});

Deno.test("BackoffPolicy.pause does not change with the list that it was made from", () => {
  const pause = [100, 200];
  const policy = new BackoffPolicy({ exceptions: "all", pause });
  pause[0] = NaN;
  pause.push(300);
  const pauses = [1, 2, 3].map((streak) =>
    policy.decide({ ...failure, streak }, 100, null, false)
  );
  assertEquals(pauses, [100, 200, 200]);
});

Deno.test("BackoffPolicy.decide() goes by the failures in a row, and not by the attempt's number", () => {
  const pause = [100, 200];
  const rules = { exceptions: "all", maxTries: 3, pause } as const;
  assertEquals(decide(rules, { attempt: 9, streak: 1 }), 100);
  assertEquals(decide(rules, { attempt: 9, streak: 2 }), 200);
  assertEquals(decide(rules, { attempt: 9, streak: 3 }), "maxTries");
  assertEquals(decide(rules, { attempt: 3, streak: 2 }), 200);
});

// The decision about a result.

Deno.test("BackoffPolicy.refusalOf() returns a ResultError when until returns false, and otherwise null", () => {
  const asked: unknown[][] = [];
  const policy = new BackoffPolicy({
    until: (...args: unknown[]) => {
      asked.push(args);
      return args[0] === "done";
    },
  });
  assertEquals(policy.refusalOf("done", "poll"), null);
  const value = { id: 7 };
  const error = policy.refusalOf(value, "poll");
  assertInstanceOf(error, ResultError);
  assertStrictEquals(error.value, value);
  const message = "'until' refused the result of 'poll': an object (Object)";
  assertEquals(error.message, message);
  assert(policy.refusalOf(value, "poll") !== error); // a new one each time
  assertEquals(asked, [["done"], [value], [value]]);
  assertEquals(new BackoffPolicy({}).refusalOf(value, "poll"), null);
});

Deno.test("BackoffPolicy.refusalOf() throws what until throws, and refuses promises", () => {
  const boom = new Error("boom");
  const throwing = new BackoffPolicy({
    until: () => {
      throw boom;
    },
  });
  assertStrictEquals(assertThrows(() => throwing.refusalOf(1, "poll")), boom);
  const answers = [
    () => Promise.resolve(true),
    () => Promise.reject(new Error("not unhandled")),
    () => ({ then() {} }),
  ];
  for (const until of answers as unknown as (() => boolean)[]) {
    const policy = new BackoffPolicy({ until });
    const error = assertThrows(() => policy.refusalOf(1, "poll"), TypeError);
    assertEquals(
      error.message,
      "Cannot decide about a result: 'until' must answer at once, got a promise",
    );
    assertEquals("cause" in error, false);
  }
});

// The policy of one execution.

const NO_CHANGES = { until: null, observe: null, name: null };

Deno.test("policyWith() returns a frozen policy with all other rules of the first", () => {
  const policy = new BackoffPolicy({ exceptions: [RangeError], pause: 5, name: "load" });
  for (const changes of [NO_CHANGES, { ...NO_CHANGES, name: "own" }]) {
    const own = policyWith(policy, changes);
    assert(own instanceof BackoffPolicy && Object.isFrozen(own));
    assertEquals({ ...own }, { ...policy, name: changes.name ?? "load" });
    assertEquals(own.decide(failure, 100, null, false), 5);
  }
  assertEquals(policy.name, "load");
});

Deno.test("policyWith() asks the policy's until first, and both must accept", () => {
  const asked: string[] = [];
  const ask = (who: string, accepted: number) => (value: unknown) => {
    asked.push(`${who} ${value}`);
    return (value as number) >= accepted;
  };
  const policy = new BackoffPolicy({ until: ask("policy", 2) });
  const own = policyWith(policy, { ...NO_CHANGES, until: ask("own", 3) });
  const accepted = [1, 2, 3].map((value) => own.refusalOf(value, "poll") === null);
  assertEquals(accepted, [false, false, true]);
  assertEquals(asked, ["policy 1", "policy 2", "own 2", "policy 3", "own 3"]);
  asked.length = 0;
  const alone = policyWith(new BackoffPolicy({}), { ...NO_CHANGES, until: ask("own", 3) });
  assertEquals([alone.refusalOf(3, "poll"), asked], [null, ["own 3"]]);
  assertEquals(policyWith(policy, NO_CHANGES).until, policy.until);
});

Deno.test("policyWith() refuses a promise of either until", () => {
  const promise = (() => Promise.resolve(true)) as unknown as () => boolean;
  for (const [first, second] of [[promise, isTrue], [isTrue, promise]] as const) {
    const policy = new BackoffPolicy({ until: first });
    const own = policyWith(policy, { ...NO_CHANGES, until: second });
    assertThrows(() => own.refusalOf(1, "poll"), TypeError, "'until' must answer at once");
  }
});

const event = { type: "attempt", execution: 1, name: "load", at: 0, attempt: 1 } as const;

Deno.test("policyWith() calls the policy's observe first, and then the other", () => {
  const log: string[] = [];
  const note = (who: string) => ({ type }: BackoffEvent) => void log.push(`${who} ${type}`);
  const policy = new BackoffPolicy({ observe: note("policy") });
  policyWith(policy, { ...NO_CHANGES, observe: note("own") }).observe?.(event);
  assertEquals(log, ["policy attempt", "own attempt"]);
  const alone = new BackoffPolicy({});
  policyWith(alone, { ...NO_CHANGES, observe: note("own") }).observe?.(event);
  assertEquals(log.slice(2), ["own attempt"]);
  assertEquals(policyWith(policy, NO_CHANGES).observe, policy.observe);
});

// The end of an execution.

const REASONS: Record<Reason, boolean> = {
  success: false,
  nonRetryable: false,
  exhausted: false,
  maxTries: true,
  giveup: true,
  budget: true,
  deadline: true,
  aborted: false,
  callbackError: false,
};

Deno.test("BackoffPolicy.ended() notes the error of an execution that ended after its retries", () => {
  for (const [reason, isNoted] of Object.entries(REASONS) as [Reason, boolean][]) {
    const error = new Error(reason);
    const outcome = { status: "rejected", reason: error } as const;
    for (const maxTries of [1, 2, null]) {
      const policy = new BackoffPolicy({ exceptions: "all", maxTries });
      policy.ended(100, reason, outcome);
      // With a single try, there was nothing to retry.
      assertEquals(isExhausted(error), isNoted && maxTries !== 1, `${reason} ${maxTries}`);
    }
  }
});

Deno.test("BackoffPolicy.ended() notes no value, and no primitive", () => {
  const policy = new BackoffPolicy({ exceptions: "all" });
  const value = new Error("a value");
  policy.ended(100, "maxTries", { status: "fulfilled", value });
  policy.ended(100, "maxTries", { status: "rejected", reason: "down" });
  assertEquals([isExhausted(value), isExhausted("down")], [false, false]);
});

Deno.test("BackoffPolicy.ended() changes nothing when the budget throws, and the error is uncaught", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const clock = new TestClock();
  const boom = new Error("boom");
  const ended = () => {
    throw boom;
  };
  try {
    const backoff = new Backoff({
      exceptions: [],
      budget: { mayRetry: isTrue, ended },
      clock,
    });
    assertEquals(await clock.run(backoff.execute(() => "value")), "value");
    await clock.advance(0);
  } finally {
    stop();
  }
  assertEquals(uncaught, [boom]);
  clock.close();
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
  Deno.test(`Backoff.execute() rejects, with the error of the failure as the cause, when exceptions, giveup, pause or budget returns ${what}`, async () => {
    const budget = { began() {}, failed() {}, succeeded() {}, mayRetry: make };
    const each = [{ exceptions: make }, { giveup: make }, { pause: make }, { budget }];
    for (const options of each) {
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
