// asyncretry(): what it retries, and its arguments.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  type Failure,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { playOnTestClock } from "../../support/played_decorator.ts";

type Arguments = readonly unknown[];

/** asyncretry() as a caller without types may call it. */
const retryBy = asyncretry as (...args: Arguments) => AsyncDecorator;

const never = () => new Promise<never>(() => {});

type RetryArguments = [maxTries: unknown, options?: Record<string, unknown>];

/** The number of attempts and the end of a function that always fails with one value. */
const retried = (error: unknown, ...args: RetryArguments) =>
  retriedAnew(() => error, ...args);

/** The same, where each attempt makes its error. */
async function retriedAnew(make: () => unknown, ...[maxTries, options]: RetryArguments) {
  const clock = new TestClock();
  const wrap = retryBy(maxTries, { ...options, clock });
  let error: unknown;
  const result = wrap(() => Promise.reject(error = make()))();
  const settled = await clock.run(Promise.allSettled([result]));
  assertEquals(settled, [{ status: "rejected", reason: error }]);
  clock.close();
  return [wrap.statistic.attempts, clock.now()];
}

const timeoutError = () => new DOMException("late", "TimeoutError");
const abortError = () => Object.assign(new Error("stop"), { name: "AbortError" });

Deno.test("asyncretry() retries whatever is thrown, up to maxTries", async () => {
  for (const error of [new Error("down"), "down", 0, null, undefined, Symbol()]) {
    const row = `throws ${String(error)}`;
    assertEquals(await retried(error, 3, { pause: 100 }), [3, 200], row);
    assertEquals(await retried(error, 1, { pause: 100 }), [1, 0], row);
  }
  assertEquals(await retriedAnew(timeoutError, 3, { pause: 100 }), [3, 200]);
  assertEquals(await retriedAnew(timeoutError, 1, { pause: 100 }), [1, 0]);
});

Deno.test("asyncretry() retries the same timeout once, unless a class includes it", async () => {
  assertEquals(await retried(timeoutError(), 4, { pause: 100 }), [2, 100]);
  assertEquals(await retried(timeoutError(), 4, { exceptions: [] }), [2, 0]);
  assertEquals(await retried(timeoutError(), 4, { exceptions: [Error] }), [4, 0]);
  // Every other attempt fails with the same timeout, which is then new each time.
  const [one, other] = [timeoutError(), timeoutError()];
  let calls = 0;
  const inTurns = () => ++calls % 2 === 1 ? one : other;
  assertEquals(await retriedAnew(inTurns, 4, { pause: 100 }), [4, 300]);
});

Deno.test("asyncretry() does not retry an AbortError, unless a class includes it", async () => {
  for (const error of [abortError(), new DOMException("stop", "AbortError")]) {
    for (const exceptions of [undefined, null, "all", [TypeError], []]) {
      const observed = await retried(error, 3, { pause: 100, exceptions });
      assertEquals(observed, [1, 0], `${exceptions}`);
    }
  }
  assertEquals(await retried(abortError(), 3, { exceptions: [Error] }), [3, 0]);
});

Deno.test("asyncretry() retries only its classes and timeouts when there are classes", async () => {
  for (const exceptions of [[TypeError], []]) {
    assertEquals(await retried(new RangeError(), 3, { exceptions }), [1, 0]);
    assertEquals(await retriedAnew(timeoutError, 3, { exceptions }), [3, 0]);
  }
  assertEquals(await retried(new TypeError(), 3, { exceptions: [TypeError] }), [3, 0]);
});

Deno.test("asyncretry() treats null and Infinity as no bound", async () => {
  for (const maxTries of [null, Infinity]) {
    const giveup = (_: unknown, { attempt }: Failure) => attempt === 50;
    const observed = await retried("down", maxTries, { pause: 100, giveup });
    assertEquals(observed, [50, 4900], `${maxTries}`);
  }
  assertEquals(await retried("down", null, { maxTries: 2 }), [2, 0]);
});

Deno.test("asyncretry() obeys every option of asyncbackoff(), including the limits", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const retry = asyncretry(9, {
    attemptTimeout: 1000,
    deadline: 5000,
    pause: 500,
    grace: 100,
    giveup: () => log.push("giveup") < 0,
    observe: ({ type }) => log.push(type),
    clock,
  });
  const result = retry(never)();
  // Each attempt times out after 1000, with a grace of 100 and a pause of 500. The deadline
  // ends the fourth, which begins at 4800.
  const error = await assertRejects(() => clock.run(result), TimeoutError);
  assertEquals([error.limit, clock.now()], ["attempt", 5000]);
  const { attempts, done, errors, cancels, refused, sumTime } = retry.statistic;
  assertEquals([attempts, done, errors, cancels, refused], [4, 4, 3, 1, 0]);
  assertEquals(sumTime, 5000);
  const failed = ["attempt", "giveup", "failure"];
  assertEquals(log, [...failed, ...failed, ...failed, "attempt", "done"]);
  clock.close();
});

Deno.test("asyncretry() makes the same policy as asyncbackoff() with 'maxTries' and all exceptions", async () => {
  const limits = { attemptTimeout: 1000, deadline: 8000, pause: 500 };
  const short = await playOnTestClock((clock) => asyncretry(4, { ...limits, clock }));
  const long = await playOnTestClock((clock) =>
    asyncbackoff({ ...limits, maxTries: 4, exceptions: "all", clock })
  );
  assertEquals(short, long);
  assertEquals(short.starts, [0, 1500, 2000, 2500]);
  assertEquals([short.outcome, short.endedAt], ["TimeoutError (attempt)", 3500]);
});

Deno.test("asyncretry() works without options", async () => {
  for (const args of [[2], [2, null], [2, undefined], [2, {}]]) {
    const wrap = retryBy(...args);
    assertEquals(await wrap(() => Promise.resolve("value"))(), "value");
    assertEquals(wrap.statistic.attempts, 1);
  }
});

const call = "Cannot call 'asyncretry(maxTries, options?)'";
const first = `${call}: it must be called before it wraps a function`;
const hint = "write 'asyncretry(…)(fn)', or '@asyncretry(…)' before a method";
const load = () => Promise.resolve("value");
const policy = "Cannot make a policy";
const maxTries = "option 'maxTries' must be an integer >= 1 (the first attempt counts)";
const minRemaining = "option 'minRemaining' must be a finite number of milliseconds >= 0";
const exceptions = `option 'exceptions' must be an array of classes, a predicate, or "all"`;

const refused: [args: Arguments, message: string][] = [
  [[], `${call}: 'maxTries' must be an integer >= 1, or null, got undefined`],
  [[undefined, {}], `${call}: 'maxTries' must be an integer >= 1, or null, got undefined`],
  [[load], `${first}, got function load; ${hint}`],
  [[load, { maxTries: 3 }], `${first}, got function load; ${hint}`],
  [[3, load], `${first}, got function load; ${hint}`],
  [[3, TypeError], `${first}, got function TypeError; ${hint}`],
  [[3, {}, TypeError], `${call}: it takes at most two arguments, got 3`],
  [[3, {}, undefined], `${call}: it takes at most two arguments, got 3`],
  [
    [3, { maxTries: 4 }],
    `${call}: 'maxTries' must be given once, got it by position and by name`,
  ],
  [
    [3, { maxTries: 3 }],
    `${call}: 'maxTries' must be given once, got it by position and by name`,
  ],
  [[3, 100], `${policy}: the options must be an object, got 100`],
  [[3, [TypeError]], `${policy}: the options must be an object, got an array of 1`],
  [[{ maxTries: 3 }], `${policy}: ${maxTries}, got an object (Object)`],
  [["3"], `${policy}: ${maxTries}, got "3"`],
  [[3n], `${policy}: ${maxTries}, got 3n`],
  [
    [3, { retries: 4 }],
    `${policy}: unknown option 'retries', did you mean 'maxTries: 5' (the first attempt counts)?`,
  ],
  [
    [3, { timeout: 1000 }],
    `${policy}: unknown option 'timeout', did you mean 'attemptTimeout'?`,
  ],
  [
    [3, { factor: 3 }],
    `${policy}: unknown option 'factor', did you mean 'pause: exponential({ factor: 3 })'?`,
  ],
  [
    [3, { exceptions: TypeError }],
    `${policy}: ${exceptions}, got function TypeError; did you mean '[TypeError]'?`,
  ],
  [[3, { exceptions: "" }], `${policy}: ${exceptions}, got ""`],
  [[3, { minRemaining: "0" }], `${policy}: ${minRemaining}, got "0"`],
];

for (const [index, [args, message]] of refused.entries()) {
  const types = args.map((each) => typeof each).join(", ");
  Deno.test(`asyncretry() throws TypeError when its arguments do not fit (${index}: ${types})`, () => {
    assertEquals(assertThrows(() => retryBy(...args), TypeError).message, message);
  });
}

Deno.test("asyncretry() says that it must be called first when it decorates without its call", () => {
  const bare = asyncretry as unknown as <F>(fn: F, context: unknown) => F;
  const define = () =>
    class {
      @bare
      load() {}
    };
  const { message } = assertThrows(define, TypeError);
  assertEquals(message, `${first}, got function load; ${hint}`);
});

Deno.test("asyncretry() throws RangeError when maxTries is not an integer of at least 1", () => {
  for (const number of [0, -1, 2.5, NaN, -Infinity]) {
    const { message } = assertThrows(() => asyncretry(number), RangeError);
    assertEquals(message, `${policy}: ${maxTries}, got ${number}`);
  }
});
