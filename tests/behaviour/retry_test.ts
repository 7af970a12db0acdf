// A single call that is retried.

import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  type BackoffEvent,
  type BackoffOptions,
  nonRetryable,
  ResultError,
  retry,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const failure = new Error("down");
const fail = () => Promise.reject(failure);

/** The error that a promise rejects with. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no error", (error) => error);
}

/** Plays a call on a test clock. */
async function play(fn: (attempt: Attempt) => unknown, options: BackoffOptions) {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => void events.push(event);
  const [outcome] = await clock.run(
    Promise.allSettled([retry(fn, { observe, ...options, clock })]),
  );
  const endedAt = clock.now();
  clock.close();
  const done = events.find((event) => event.type === "done");
  return {
    value: outcome.status === "fulfilled" ? outcome.value : undefined,
    error: outcome.status === "rejected" ? outcome.reason : null,
    attempts: done?.type === "done" ? done.attempts : NaN,
    reason: done?.type === "done" ? done.reason : null,
    endedAt,
  };
}

Deno.test("retry() returns the value of the first attempt that returns one", async () => {
  const { value, attempts, endedAt } = await play(
    ({ number }) => number < 3 ? fail() : `value ${number}`,
    { maxTries: 5, pause: [10, 20] },
  );

  assertEquals([value, attempts, endedAt], ["value 3", 3, 30]);
});

Deno.test("retry() retries everything that can be thrown, except an AbortError", async () => {
  const abort = new DOMException("Aborted.", "AbortError");
  for (const thrown of [failure, "down", undefined, null, {}, new TypeError()]) {
    const { error, attempts } = await play(() => Promise.reject(thrown), { maxTries: 2 });
    assertStrictEquals(error, thrown);
    assertEquals(attempts, 2);
  }
  const { error, reason } = await play(() => Promise.reject(abort), { maxTries: 2 });
  assertStrictEquals(error, abort);
  assertEquals(reason, "nonRetryable");
});

Deno.test("retry() retries what 'exceptions' says when that is given", async () => {
  for (
    const [exceptions, attempts] of [
      [null, 2],
      [undefined, 2],
      ["all", 2],
      [[Error], 2],
      [[RangeError], 1],
      [[], 1],
      [() => false, 1],
    ] as const
  ) {
    const played = await play(fail, { maxTries: 2, exceptions });
    assertEquals(played.attempts, attempts);
  }
});

Deno.test("retry() rejects with a TypeError when neither maxTries nor deadline is given", async () => {
  for (
    const options of [
      {},
      { pause: 10 },
      { maxTries: null, deadline: undefined },
      { attemptTimeout: 1000, exceptions: "all" as const },
    ]
  ) {
    let calls = 0;
    const error = await errorOf(retry(() => ++calls, options));
    assertInstanceOf(error, TypeError);
    assertEquals(
      error.message,
      "Cannot retry: 'maxTries' or 'deadline' must be given, got neither; " +
        "'maxTries: Infinity' retries without a bound",
    );
    assertEquals(calls, 0);
  }
});

Deno.test("retry() has no bound when maxTries is Infinity, or beside a deadline", async () => {
  const patient = await play(
    ({ number }) => number < 1000 ? fail() : number,
    { maxTries: Infinity },
  );
  assertEquals([patient.value, patient.attempts], [1000, 1000]);

  const bounded = await play(fail, { deadline: 95, pause: 10 });
  assertEquals([bounded.attempts, bounded.endedAt, bounded.reason], [10, 90, "deadline"]);
});

Deno.test("retry() ends at once when no time would be left after the pause", async () => {
  const { error, endedAt, reason } = await play(fail, { deadline: 1000, pause: 1000 });

  assertStrictEquals(error, failure);
  assertEquals([endedAt, reason], [0, "deadline"]);
});

Deno.test("retry() takes every option of a policy", async () => {
  const hang = () => new Promise<never>(() => {});
  const timedOut = await play(hang, { attemptTimeout: 50, grace: 10, maxTries: 2 });
  assertInstanceOf(timedOut.error, TimeoutError);
  assertEquals([timedOut.endedAt, timedOut.reason], [120, "maxTries"]);

  const aborted = await play(hang, { deadline: 50, signal: AbortSignal.abort("enough") });
  assertEquals([aborted.error, aborted.reason], ["enough", "aborted"]);

  const givenUp = await play(fail, {
    maxTries: 9,
    giveup: (_, { attempt }) => attempt === 2,
  });
  assertEquals([givenUp.attempts, givenUp.reason], [2, "giveup"]);

  const refused = await play(() => "value", { maxTries: 2, until: () => false });
  assertInstanceOf(refused.error, ResultError);
  assertEquals([refused.error.value, refused.attempts], ["value", 2]);

  const poor = await play(fail, { maxTries: 9, budget: { mayRetry: () => false } });
  assertEquals([poor.attempts, poor.reason], [1, "budget"]);

  const marked = await play(() => Promise.reject(nonRetryable(new Error())), {
    maxTries: 9,
  });
  assertEquals([marked.attempts, marked.reason], [1, "nonRetryable"]);
});

Deno.test("retry() names the function, unless it is given a name", async () => {
  async function loadUser() {
    await new Promise(() => {});
  }
  for (const [name, expected] of [[null, "loadUser"], ["users", "users"]] as const) {
    const { error } = await play(loadUser, { deadline: 50, name });
    assertInstanceOf(error, TimeoutError);
    assertEquals(error.message, `'${expected}' reached its deadline of 50 ms`);
  }
});

Deno.test("retry() passes the function its attempt", async () => {
  const seen: unknown[] = [];
  await play(({ number, triesLeft, remaining, lastFailure }) => {
    seen.push([number, triesLeft, remaining, lastFailure?.error]);
    return number < 2 ? fail() : "value";
  }, { maxTries: 3, deadline: 100, pause: 10 });

  assertEquals(seen, [[1, 2, 100, undefined], [2, 1, 90, failure]]);
});

Deno.test("retry() never throws synchronously when an argument is wrong", async () => {
  const wrong: [fn: unknown, options: unknown, message: RegExp][] = [
    [fail, undefined, /^Cannot retry: the options must be an object, got undefined/],
    [fail, null, /^Cannot retry: the options must be an object, got null/],
    [fail, 3, /^Cannot retry: the options must be an object, got 3/],
    [
      fail,
      { retries: 3 },
      /^Cannot retry: unknown option 'retries', did you mean 'maxTries: 4'/,
    ],
    [fail, { maxTries: 0 }, /option 'maxTries' must be an integer >= 1/],
    [fail, { deadline: -1 }, /option 'deadline' must be a number of milliseconds >= 0/],
    ["not a function", { maxTries: 3 }, /'fn' must be a function, got "not a function"/],
    [undefined, { maxTries: 3 }, /'fn' must be a function, got undefined/],
  ];
  for (const [fn, options, message] of wrong) {
    const promise = retry(fn as () => unknown, options as BackoffOptions);

    const error = await errorOf(promise);
    const isClear = error instanceof Error && message.test(error.message);
    assertEquals(isClear, true, `${error}`);
  }
});
