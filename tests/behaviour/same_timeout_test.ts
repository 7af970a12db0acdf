// The same timeout twice: an error object that ended the attempt before is not a new timeout.

import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Attempt, BackoffOptions, Budget } from "@asyncbackoff/asyncbackoff";
import type { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { playExecution } from "../support/played_execution.ts";

/** The signal of `AbortSignal.timeout(ms)`, on a test clock. */
function timeoutSignal(ms: number, clock: TestClock): AbortSignal {
  const controller = new AbortController();
  const reason = new DOMException("Signal timed out.", "TimeoutError");
  clock.after(ms, () => controller.abort(reason));
  return controller.signal;
}

/** Plays a function that uses a caller's timeout signal in each attempt, as `fetch` does. */
async function playWithTimeoutSignal(options: BackoffOptions) {
  let signal: AbortSignal | undefined;
  const played = await playExecution(options, (_, clock) => {
    signal ??= timeoutSignal(100, clock);
    return clock.sleep(1000, { signal });
  });
  assertStrictEquals(played.error, signal?.reason);
  return played;
}

Deno.test("Backoff.execute() ends when a caller's AbortSignal.timeout that has fired fails each attempt", async () => {
  for (const exceptions of [[], "all", [RangeError], () => false] as const) {
    const { starts, endedAt, reason, statistic } = await playWithTimeoutSignal({
      exceptions,
      pause: 10,
    });

    assertEquals([starts, endedAt, reason], [[0, 110], 110, "nonRetryable"]);
    assertEquals([statistic.errors, statistic.done], [1, 2]);
  }
});

Deno.test("Backoff.execute() goes on with the same timeout when a class or the predicate lists it", async () => {
  for (const exceptions of [[DOMException], [Error], () => true]) {
    const { starts, reason } = await playWithTimeoutSignal({
      exceptions,
      pause: 10,
      maxTries: 4,
    });

    assertEquals([starts, reason], [[0, 110, 120, 130], "maxTries"]);
  }
});

Deno.test("Backoff.execute() calls no callback but a predicate about the same timeout again", async () => {
  const asked: string[] = [];
  const budget: Budget = {
    failed: () => void asked.push("failed"),
    mayRetry: () => asked.push("mayRetry") > 0,
  };
  await playWithTimeoutSignal({
    exceptions: () => asked.push("exceptions") < 0,
    giveup: () => asked.push("giveup") < 0,
    pause: () => asked.push("pause") - asked.length,
    budget,
  });

  assertEquals(asked, ["failed", "giveup", "pause", "mayRetry", "exceptions"]);
});

Deno.test("Backoff.execute() goes on when each attempt has a timeout of its own", async () => {
  const { starts, reason } = await playExecution(
    { exceptions: [], maxTries: 4 },
    (_, clock) => clock.sleep(1000, { signal: timeoutSignal(100, clock) }),
  );

  assertEquals([starts, reason], [[0, 100, 200, 300], "maxTries"]);
});

Deno.test("Backoff.execute() treats a timeout as new when another failure came in between", async () => {
  const timeout = new DOMException("Signal timed out.", "TimeoutError");
  const other = new DOMException("Signal timed out.", "TimeoutError");
  const thrown = [timeout, other, timeout, other, other];

  const { error, starts, reason } = await playExecution(
    { exceptions: [] },
    ({ number }) => Promise.reject(thrown[number - 1]),
  );

  assertStrictEquals(error, other);
  assertEquals([starts.length, reason], [5, "nonRetryable"]);
});

Deno.test("Backoff.execute() does not treat the timeout of the attempt before as new when the function throws it again", async () => {
  for (const exceptions of [[], "all"] as const) {
    const { starts, reason } = await playExecution(
      { attemptTimeout: 100, exceptions },
      ({ lastFailure }: Attempt) => {
        if (lastFailure === null) return new Promise(() => {});
        throw lastFailure.error;
      },
    );

    assertEquals([starts, reason], [[0, 100], "nonRetryable"]);
  }
});

Deno.test("Backoff.execute() retries the same error twice when it is not a timeout", async () => {
  for (const error of [new Error("down"), "down", undefined, { name: "Error" }]) {
    const { starts, reason } = await playExecution(
      { exceptions: "all", maxTries: 4 },
      () => Promise.reject(error),
    );

    assertEquals([starts.length, reason], [4, "maxTries"]);
  }
});

Deno.test("Backoff.execute() treats the same timeout as new in another execution", async () => {
  const timeout = new DOMException("Signal timed out.", "TimeoutError");
  for (let execution = 0; execution < 2; execution++) {
    const { starts } = await playExecution(
      { exceptions: [] },
      () => Promise.reject(timeout),
    );

    assertEquals(starts.length, 2);
  }
});
