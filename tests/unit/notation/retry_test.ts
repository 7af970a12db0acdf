// retry(): its defaults, its bound, and its arguments.

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  type BackoffEvent,
  type BackoffOptions,
  nonRetryable,
  ResultError,
  retry,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** retry() as a caller without types may call it. */
const untyped = retry as (...args: readonly unknown[]) => Promise<unknown>;

/** The instants of the attempts of a function that always fails, and the end. */
async function play(options: BackoffOptions, error: unknown = "down") {
  const clock = new TestClock();
  const starts: number[] = [];
  let reason: unknown;
  const observe = (event: BackoffEvent) => {
    if (event.type === "done") reason = event.reason;
  };
  const result = retry(() => {
    starts.push(clock.now());
    return Promise.reject(error);
  }, { ...options, observe, clock });
  assertStrictEquals(await clock.run(result.catch((error) => error)), error);
  clock.close();
  return { starts, endedAt: clock.now(), reason };
}

Deno.test("retry() returns the value of the first attempt that succeeds", async () => {
  const clock = new TestClock();
  const numbers: number[] = [];
  const value = await clock.run(
    retry(async ({ number, triesLeft, signal }: Attempt) => {
      numbers.push(number);
      assertEquals([triesLeft, signal.aborted], [5 - number, false]);
      await sleep(10, { clock });
      if (number < 3) throw new Error("not yet");
      return "ready";
    }, { maxTries: 5, pause: [10, 20], clock }),
  );
  assertEquals([value, numbers, clock.now()], ["ready", [1, 2, 3], 60]);
  clock.close();
});

Deno.test("retry() retries every error but one named AbortError, unless 'exceptions' is given", async () => {
  const rules = { maxTries: 2, pause: 100 };
  const once = { starts: [0], endedAt: 0, reason: "nonRetryable" };
  const twice = { starts: [0, 100], endedAt: 100, reason: "maxTries" };
  for (const exceptions of [undefined, null, "all"] as const) {
    for (const error of [new Error("down"), "down", undefined, { code: 7 }]) {
      assertEquals(await play({ ...rules, exceptions }, error), twice);
    }
    const abort = new DOMException("stop", "AbortError");
    assertEquals(await play({ ...rules, exceptions }, abort), once);
    assertEquals(await play({ ...rules, exceptions }, nonRetryable(new Error())), once);
  }
  assertEquals(await play({ ...rules, exceptions: [TypeError] }, new RangeError()), once);
  assertEquals(await play({ ...rules, exceptions: [TypeError] }, new TypeError()), twice);
  assertEquals(await play({ ...rules, exceptions: [] }), once);
  assertEquals(await play({ ...rules, exceptions: () => true }), twice);
});

Deno.test("retry() ends early when the deadline leaves no time for another attempt, by default", async () => {
  const rules = { deadline: 250, pause: 100 };
  const early = { starts: [0, 100, 200], endedAt: 200, reason: "deadline" };
  for (const minRemaining of [undefined, null, 0, 50]) {
    assertEquals(await play({ ...rules, minRemaining }), early, `${minRemaining}`);
  }
  const earlier = { starts: [0, 100], endedAt: 100, reason: "deadline" };
  assertEquals(await play({ ...rules, minRemaining: 51 }), earlier);
  assertEquals(await play({ ...rules, deadline: 200 }), earlier);
});

Deno.test("retry() takes every option of a policy", async () => {
  const limited = retry(() => new Promise(() => {}), {
    attemptTimeout: 5,
    maxTries: 2,
    name: "own",
  });
  const { message } = await assertRejects(() => limited, TimeoutError);
  assertEquals(message, "'own' reached its attempt timeout of 5 ms");

  const until = (value: number) => value === 2;
  assertEquals(await retry(({ number }) => number, { maxTries: 3, until }), 2);
  const refused = retry(({ number }) => number, { maxTries: 1, until });
  assertEquals((await assertRejects(() => refused, ResultError)).value, 1);

  const signal = AbortSignal.abort("stop");
  const aborted = retry(() => "never called", { maxTries: 2, signal });
  assertEquals(await aborted.catch((reason) => reason), "stop");

  const giveup = () => true;
  const budget = { mayRetry: () => false };
  const reasons = [{ giveup }, { budget }, { retryExhausted: false }].map(async (each) =>
    (await play({ ...each, maxTries: 2 }, new Error())).reason
  );
  assertEquals(await Promise.all(reasons), ["giveup", "budget", "maxTries"]);
});

Deno.test("retry() has no bound when maxTries is Infinity", async () => {
  const giveup = (_: unknown, { attempt }: { attempt: number }) => attempt === 50;
  const played = await play({ maxTries: Infinity, giveup });
  assertEquals([played.starts.length, played.reason], [50, "giveup"]);
});

const NO_BOUND = "Cannot retry: 'maxTries' or 'deadline' must be given, got neither; " +
  "'maxTries: Infinity' retries without a bound";

const options = "Cannot retry: the options must be an object";
const fn = () => "value";
const ofFunction =
  "a function is executed by 'execute', or wrapped by the decorator that " +
  "is returned";
const maxTries = "an integer >= 1 (the first attempt counts)";

const wrong: [
  args: readonly unknown[],
  errorType: typeof TypeError,
  message: string,
][] = [
  [[fn, {}], TypeError, NO_BOUND],
  [[fn, { maxTries: null }], TypeError, NO_BOUND],
  [[fn, { maxTries: undefined, deadline: null }], TypeError, NO_BOUND],
  [[fn, { attemptTimeout: 100, pause: 10, exceptions: "all" }], TypeError, NO_BOUND],
  [[fn], TypeError, `${options}, got undefined`],
  [[fn, null], TypeError, `${options}, got null`],
  [[fn, 3], TypeError, `${options}, got 3`],
  [[fn, [3]], TypeError, `${options}, got an array of 1`],
  [[fn, new TypeError()], TypeError, `${options}, got an object (TypeError)`],
  [[{ maxTries: 3 }, fn], TypeError, `${options}, got function fn; ${ofFunction}`],
  [
    [fn, { retries: 3 }],
    TypeError,
    "Cannot retry: unknown option 'retries', did you mean 'maxTries: 4' (the first attempt " +
    "counts)?",
  ],
  [
    [fn, { maxTries: 3, factor: 2 }],
    TypeError,
    "Cannot retry: unknown option 'factor', did you mean 'pause: exponential({ factor: 2 })'?",
  ],
  [
    [fn, { maxTries: 0 }],
    RangeError,
    `Cannot make a policy: option 'maxTries' must be ${maxTries}, got 0`,
  ],
  [
    [fn, { maxTries: "3" }],
    TypeError,
    `Cannot make a policy: option 'maxTries' must be ${maxTries}, got "3"`,
  ],
  [
    [fn, { maxTries: 3, minRemaining: -1 }],
    RangeError,
    "Cannot make a policy: option 'minRemaining' must be a finite number of milliseconds " +
    ">= 0, got -1",
  ],
  [
    [undefined, { maxTries: 3 }],
    TypeError,
    "Cannot execute: 'fn' must be a function, got undefined",
  ],
  [
    [Promise.resolve(), { maxTries: 3 }],
    TypeError,
    "Cannot execute: 'fn' must be a function, got an object (Promise)",
  ],
];

for (const [index, [args, errorType, message]] of wrong.entries()) {
  const types = args.map((each) => typeof each).join(", ");
  Deno.test(`retry() rejects, and does not throw, when its arguments are wrong (${index}: ${types})`, async () => {
    const calls: string[] = [];
    const given = args.map((each) => each === fn ? spy : each);
    function spy() {
      calls.push("called");
    }
    Object.defineProperty(spy, "name", { value: "fn" });
    const result = untyped(...given); // a synchronous throw fails the test here
    const error = await assertRejects(() => result, errorType);
    assertEquals([error.message, calls], [message, []]);
  });
}

Deno.test("retry() suggests { signal } when it receives a signal in place of its options", async () => {
  const { signal } = new AbortController(); // not in the table: a worker makes none at load
  const { message } = await assertRejects(() => untyped(fn, signal), TypeError);
  const got = "got an object (AbortSignal); did you mean '{ signal }'?";
  assertEquals(message, `${options}, ${got}`);
});

Deno.test("retry() reads each option once, and also those that an object inherits", async () => {
  const values: Required<BackoffOptions> = {
    attemptTimeout: null,
    deadline: 100,
    pause: 70,
    minRemaining: 10,
    exceptions: [TypeError],
    until: () => true,
    maxTries: null,
    giveup: () => false,
    budget: { mayRetry: () => true },
    retryExhausted: true,
    idleTimeout: null,
    resetAfter: null,
    grace: null,
    signal: null,
    observe: () => {},
    clock: new TestClock(),
    name: "load",
  };
  const reads: string[] = [];
  for (const isInherited of [false, true]) {
    const settings = {};
    for (const [name, value] of Object.entries(values)) {
      const get = () => (reads.push(name), value);
      Object.defineProperty(settings, name, { get, enumerable: true });
    }
    reads.length = 0;
    const given = isInherited ? Object.create(settings) : settings;
    assertEquals(await retry(() => "value", given), "value");
    assertEquals(reads.sort(), Object.keys(values).sort());
  }
});

Deno.test("retry() rejects with the very error that a getter of its options throws", async () => {
  const boom = new Error("boom");
  const hostile = Object.defineProperty({}, "maxTries", {
    get: () => {
      throw boom;
    },
  });
  assertStrictEquals(await retry(fn, hostile).catch((error) => error), boom);
});
