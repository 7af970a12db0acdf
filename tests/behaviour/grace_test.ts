// The grace: the time that an attempt gets to wind down after its timeout.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  Backoff,
  type BackoffOptions,
  type Reason,
  type Statistic,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const never = () => new Promise<never>(() => {});

interface Fixture {
  readonly clock: TestClock;
  readonly controller: AbortController;
}

/** The counters that these tests compare. */
function countsOf(statistic: Statistic) {
  const { attempts, done, errors, cancels, refused, sumTime } = statistic;
  return { attempts, done, errors, cancels, refused, sumTime };
}

/** Executes a function. Returns its outcome, its end, the reason, and its calls. */
async function run(
  options: BackoffOptions,
  body: (attempt: Attempt, fixture: Fixture) => unknown,
) {
  const clock = new TestClock();
  const controller = new AbortController();
  const calledAt: number[] = [];
  let reason: Reason | null = null;
  const backoff = new Backoff({
    exceptions: [],
    ...options,
    clock,
    observe: (event) => {
      if (event.type === "done") reason = event.reason;
    },
  });
  const result = await clock.run(
    backoff.execute((attempt) => {
      calledAt.push(clock.now());
      return body(attempt, { clock, controller });
    }, { signal: controller.signal }).then((value) => ({ value }), (error) => ({ error })),
  );
  const at = clock.now();
  // Attempts that were abandoned end later, and change nothing.
  const counts = countsOf(backoff.statistic);
  await clock.advance(10_000);
  assertEquals(countsOf(backoff.statistic), counts);
  clock.close();
  const error = "error" in result ? result.error : null;
  const value = "value" in result ? result.value : null;
  return {
    value,
    error,
    at,
    reason: reason as Reason | null,
    calledAt,
    statistic: backoff.statistic,
  };
}

function assertAttemptTimeout(error: unknown, ms: number): void {
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, error.ms], ["attempt", ms]);
}

Deno.test("Backoff.execute() pauses after the whole grace when an attempt does not wind down", async () => {
  const options = { attemptTimeout: 100, grace: 30, pause: 10, maxTries: 3 };
  const { error, at, reason, calledAt, statistic } = await run(options, never);
  assertAttemptTimeout(error, 100);
  assertEquals([calledAt, at, reason], [[0, 140, 280], 410, "maxTries"]);
  assertEquals(countsOf(statistic), {
    attempts: 3,
    done: 3,
    errors: 3,
    cancels: 0,
    refused: 0,
    sumTime: 410,
  });
});

Deno.test("Backoff.execute() aborts the signal at the attempt timeout, not at the end of the grace", async () => {
  const abortedAt: number[] = [];
  const reasons: unknown[] = [];
  const options = { attemptTimeout: 100, deadline: 150, grace: 80, pause: 10 };
  const { error } = await run(options, ({ signal }, { clock }) => {
    signal.addEventListener("abort", () => abortedAt.push(clock.now()));
    clock.after(149, () => reasons.push(signal.reason));
    clock.after(200, () => reasons.push(signal.reason));
    return never();
  });
  assertEquals(abortedAt, [100]);
  // The deadline is reached within the grace. It does not change the reason of the signal.
  assertStrictEquals(reasons[0], error);
  assertStrictEquals(reasons[1], error);
});

Deno.test("Backoff.execute() has no grace by default", async () => {
  const options = { attemptTimeout: 100, pause: 10, maxTries: 2 };
  const { error, at, calledAt } = await run(options, ({ signal }) =>
    // Even a value at the very instant of the timeout comes too late.
    new Promise((resolve) => signal.addEventListener("abort", () => resolve("value"))));
  assertAttemptTimeout(error, 100);
  assertEquals([calledAt, at], [[0, 110], 210]);
});

Deno.test("Backoff.execute() ends the grace with the timeout as soon as the attempt rejects", async () => {
  const options = { attemptTimeout: 100, grace: 1000, pause: 10, maxTries: 2 };
  // The error is not retryable, but the attempt fails with its timeout, which is retried.
  const { error, at, calledAt, statistic } = await run(options, async (_, { clock }) => {
    await clock.sleep(120);
    throw new RangeError("while winding down");
  });
  assertAttemptTimeout(error, 100);
  assertEquals([calledAt, at], [[0, 130], 250]);
  assertEquals(countsOf(statistic), {
    attempts: 2,
    done: 2,
    errors: 2,
    cancels: 0,
    refused: 0,
    sumTime: 250,
  });
});

Deno.test("Backoff.execute() ends the grace at once when the attempt rejects at the abort", async () => {
  const options = { attemptTimeout: 100, grace: Infinity, pause: 10, maxTries: 2 };
  const { error, at, calledAt } = await run(
    options,
    ({ signal }, { clock }) => clock.sleep(1000, { signal }),
  );
  assertAttemptTimeout(error, 100);
  assertEquals([calledAt, at], [[0, 110], 210]);
});

Deno.test("Backoff.execute() resolves and counts no error when a value arrives in the grace", async () => {
  for (const grace of [30, Infinity]) {
    let asked = 0;
    const giveup = () => ++asked > 0;
    const options = { attemptTimeout: 100, grace, maxTries: 1, giveup };
    const { value, at, reason, statistic } = await run(
      options,
      (_, { clock }) => clock.sleep(120).then(() => "value"),
    );
    assertEquals([value, at, reason, asked], ["value", 120, "success", 0]);
    assertEquals(countsOf(statistic), {
      attempts: 1,
      done: 1,
      errors: 0,
      cancels: 0,
      refused: 0,
      sumTime: 120,
    });
  }
});

Deno.test("Backoff.execute() resolves with a value that an abort listener returns in the grace", async () => {
  const options = { attemptTimeout: 100, grace: 1 };
  const { value, at } = await run(
    options,
    ({ signal }) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve("partial"))),
  );
  assertEquals([value, at], ["partial", 100]);
});

Deno.test("Backoff.execute() drops a value that arrives after the grace", async () => {
  const options = { attemptTimeout: 100, grace: 30, pause: 10, maxTries: 2 };
  const { error, at, statistic } = await run(
    options,
    (_, { clock }) => clock.sleep(135).then(() => "too late"),
  );
  assertAttemptTimeout(error, 100);
  assertEquals([at, statistic.errors], [270, 2]);
});

Deno.test("Backoff.execute() resolves when a value ties with the end of the grace and its timer was armed first", async () => {
  const options = { attemptTimeout: 100, grace: 30, maxTries: 1 };
  const early = await run(options, (_, { clock }) => clock.sleep(130).then(() => "value"));
  assertEquals([early.value, early.at], ["value", 130]);
  // Its timer is armed at 110, after that of the grace, so the grace ends first.
  const later = await run(options, async (_, { clock }) => {
    await clock.sleep(110);
    await clock.sleep(20);
    return "value";
  });
  assertAttemptTimeout(later.error, 100);
  assertEquals(later.at, 130);
});

Deno.test("Backoff.execute() never runs two attempts at once when the grace is Infinity", async () => {
  let running = 0;
  let max = 0;
  const options = { attemptTimeout: 100, grace: Infinity, pause: 10, maxTries: 4 };
  const { error, calledAt, at } = await run(options, async ({ number }, { clock }) => {
    max = Math.max(max, ++running);
    await clock.sleep(number * 1000);
    running--;
    throw new Error("wound down");
  });
  assertAttemptTimeout(error, 100);
  assertEquals([max, calledAt, at], [1, [0, 1010, 3020, 6030], 10_030]);
});

Deno.test("Backoff.execute() arms no timer when the grace is Infinity and there is no deadline", async () => {
  const clock = new TestClock();
  let finish = (_: string) => {};
  const backoff = new Backoff({ attemptTimeout: 100, grace: Infinity, clock });
  const result = backoff.execute(() => new Promise<string>((resolve) => finish = resolve));
  await clock.advance(10 ** 12);
  assertEquals([clock.pending, backoff.statistic.done], [0, 0]);
  finish("at last");
  assertEquals(await clock.run(result), "at last");
  clock.close();
});

Deno.test("Backoff.execute() rejects with the timeout when the deadline is reached in the grace", async () => {
  for (const grace of [60, Infinity]) {
    let asked = 0;
    const giveup = () => ++asked > 0;
    const options = { attemptTimeout: 100, deadline: 150, grace, giveup };
    const { error, at, reason, statistic } = await run(options, never);
    assertAttemptTimeout(error, 100);
    assertEquals([at, reason, asked], [150, "deadline", 0]);
    assertEquals(countsOf(statistic), {
      attempts: 1,
      done: 1,
      errors: 1,
      cancels: 0,
      refused: 0,
      sumTime: 150,
    });
  }
});

Deno.test("Backoff.execute() prefers the timeout to an earlier failure when the deadline is reached in the grace", async () => {
  const options = {
    attemptTimeout: 100,
    deadline: 150,
    grace: Infinity,
    exceptions: [RangeError],
  };
  const { error, at, statistic } = await run(options, ({ number }) => {
    if (number === 1) throw new RangeError("before");
    return never();
  });
  assertAttemptTimeout(error, 100);
  assertEquals([at, statistic.errors, statistic.cancels], [150, 2, 0]);
});

Deno.test("Backoff.execute() ends by its deadline when that ties with the end of the grace or with the timeout", async () => {
  let asked = 0;
  const giveup = () => ++asked > 0;
  const options = { attemptTimeout: 100, grace: 50, giveup };
  const atEnd = await run({ ...options, deadline: 150 }, never);
  assertAttemptTimeout(atEnd.error, 100);
  assertEquals([atEnd.at, atEnd.reason, asked], [150, "deadline", 0]);

  const atTimeout = await run({ ...options, deadline: 100 }, never);
  assertInstanceOf(atTimeout.error, TimeoutError);
  assertEquals([atTimeout.error.limit, atTimeout.at], ["deadline", 100]);
  assertEquals([atTimeout.statistic.errors, atTimeout.statistic.cancels], [0, 1]);
});

Deno.test("Backoff.execute() rejects at once when it is aborted in the grace", async () => {
  for (const grace of [60, Infinity]) {
    const options = { attemptTimeout: 100, deadline: 1000, grace, pause: 10 };
    const { error, at, reason, statistic } = await run(options, (_, fixture) => {
      fixture.clock.after(120, () => fixture.controller.abort("stop"));
      return never();
    });
    assertEquals([error, at, reason], ["stop", 120, "aborted"]);
    assertEquals(countsOf(statistic), {
      attempts: 1,
      done: 1,
      errors: 1,
      cancels: 0,
      refused: 0,
      sumTime: 120,
    });
  }
});

Deno.test("Backoff.execute() rejects with the reason when it is aborted in the grace before a value arrives", async () => {
  const options = { attemptTimeout: 100, grace: Infinity };
  const { error, reason } = await run(
    options,
    (_, { clock, controller }) =>
      new Promise((resolve) =>
        clock.after(120, () => {
          controller.abort("stop");
          resolve("value");
        })
      ),
  );
  assertEquals([error, reason], ["stop", "aborted"]);
});

Deno.test("Backoff.execute() calls giveup with the timeout at the end of the grace", async () => {
  const asked: unknown[] = [];
  const options = {
    attemptTimeout: 100,
    deadline: 1000,
    grace: 30,
    pause: 10,
    giveup: (error: unknown, failure: { elapsed: number; remaining: number }) => {
      assert(error instanceof TimeoutError);
      asked.push([failure.elapsed, failure.remaining]);
      return asked.length === 2;
    },
  };
  const { at, reason } = await run(options, never);
  assertEquals([asked, at, reason], [[[130, 870], [270, 730]], 270, "giveup"]);
});

Deno.test("Backoff.execute() gives the last attempt its grace", async () => {
  const options = { attemptTimeout: 100, grace: 30, maxTries: 1 };
  const { error, at, reason } = await run(options, never);
  assertAttemptTimeout(error, 100);
  assertEquals([at, reason], [130, "maxTries"]);
});

Deno.test("Backoff.execute() gives no grace to an attempt that fails by itself", async () => {
  const options = {
    attemptTimeout: 100,
    grace: 30,
    pause: 10,
    maxTries: 2,
    exceptions: [Error],
  };
  const { at, calledAt } = await run(options, () => Promise.reject(new Error("down")));
  assertEquals([calledAt, at], [[0, 10], 10]);
});

Deno.test("Backoff.execute() gives no grace to an attempt that the deadline or the caller ends", async () => {
  const late = await run({ deadline: 100, grace: 30 }, never);
  assertEquals([late.at, late.reason], [100, "deadline"]);
  const aborted = await run({ attemptTimeout: 100, grace: 30 }, (_, fixture) => {
    fixture.clock.after(50, () => fixture.controller.abort("stop"));
    return never();
  });
  assertEquals([aborted.at, aborted.reason], [50, "aborted"]);
});

Deno.test("Backoff.execute() gives no grace when the attempt timeout is 0", async () => {
  const options = { attemptTimeout: 0, grace: Infinity, pause: 10, maxTries: 3 };
  const { error, at, calledAt, statistic } = await run(options, never);
  assertAttemptTimeout(error, 0);
  assertEquals([calledAt, at, statistic.attempts], [[], 20, 3]);
});

Deno.test("Backoff.execute() ends by its deadline when that ties with a value in the grace", async () => {
  const clock = new TestClock();
  const reasons: string[] = [];
  const backoff = new Backoff({
    attemptTimeout: 100,
    deadline: 150,
    grace: Infinity,
    observe: (event) => event.type === "done" && reasons.push(event.reason),
    clock,
  });

  const result = backoff.execute(() => clock.sleep(150).then(() => "value"));

  const error = await clock.run(result.catch((error) => error));
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, clock.now(), reasons], ["attempt", 150, ["deadline"]]);
  assertEquals([backoff.statistic.errors, backoff.statistic.cancels], [1, 0]);
  clock.close();
});

Deno.test("Backoff.execute() ends by its deadline when that ties with a value in the grace and nobody observes", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ attemptTimeout: 100, deadline: 150, grace: 100, clock });

  const result = backoff.execute(() => clock.sleep(150).then(() => "value"));

  const error = await clock.run(result.catch((error) => error));
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, clock.now()], ["attempt", 150]);
  clock.close();
});

Deno.test("Attempt.signal has the timeout as its reason when it is first read after an abort in the grace", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const backoff = new Backoff({ attemptTimeout: 100, grace: 100, clock });
  let reason: unknown;
  clock.after(150, () => controller.abort("stop"));

  const result = backoff.execute(async (attempt) => {
    await clock.sleep(160);
    reason = attempt.signal.reason;
  }, controller);

  assertEquals(await clock.run(result.catch((error) => error)), "stop");
  await clock.advance(10);
  assertInstanceOf(reason, TimeoutError);
  clock.close();
});
