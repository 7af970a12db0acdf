// Errors that are marked as not retryable.

import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asyncretry,
  type BackoffOptions,
  type Budget,
  nonRetryable,
  retry,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { playExecution } from "../support/played_execution.ts";

const policies: Readonly<Record<string, BackoffOptions>> = {
  "lists everything": { exceptions: "all" },
  "lists its class": { exceptions: [Error] },
  "has a predicate that returns true": { exceptions: () => true },
  "retries refused results": { exceptions: "all", until: () => false },
};

for (const [how, options] of Object.entries(policies)) {
  Deno.test(`Backoff.execute() does not retry a marked error when its policy ${how}`, async () => {
    const error = nonRetryable(new Error("no such user"));

    const played = await playExecution(
      { ...options, pause: 10 },
      () => Promise.reject(error),
    );

    assertStrictEquals(played.error, error);
    assertEquals([played.starts, played.reason], [[0], "nonRetryable"]);
    assertEquals([played.statistic.errors, played.statistic.ends.nonRetryable], [0, 1]);
  });
}

Deno.test("Backoff.execute() does not retry a timeout that is marked", async () => {
  for (
    const error of [
      nonRetryable(new DOMException("Signal timed out.", "TimeoutError")),
      nonRetryable(new TimeoutError("attempt", 100)),
      nonRetryable({ name: "TimeoutError" }),
    ]
  ) {
    const { starts, reason } = await playExecution(
      { exceptions: "all" },
      () => Promise.reject(error),
    );

    assertEquals([starts, reason], [[0], "nonRetryable"]);
  }
});

Deno.test("Backoff.execute() ends at the first marked error, after any number of others", async () => {
  const { starts, reason, statistic } = await playExecution(
    { exceptions: "all", pause: 10 },
    ({ number }) => {
      const error = new Error("down");
      throw number < 3 ? error : nonRetryable(error);
    },
  );

  assertEquals([starts, reason], [[0, 10, 20], "nonRetryable"]);
  assertEquals([statistic.errors, statistic.done], [2, 3]);
});

Deno.test("Backoff.execute() calls no callback about a marked error", async () => {
  const asked: string[] = [];
  const ask = (name: string) => () => asked.push(name) > 0;
  const budget: Budget = { failed: ask("failed"), mayRetry: ask("mayRetry") };

  await playExecution({
    exceptions: ask("exceptions"),
    giveup: ask("giveup"),
    pause: () => asked.push("pause"),
    budget,
  }, () => Promise.reject(nonRetryable(new Error("no such user"))));

  assertEquals(asked, []);
});

Deno.test("Backoff.execute() counts a marked error as nonRetryable when it is the last try", async () => {
  const { reason } = await playExecution(
    { exceptions: "all", maxTries: 1 },
    () => Promise.reject(nonRetryable(new Error("no such user"))),
  );

  assertEquals(reason, "nonRetryable");
});

Deno.test("Backoff.execute() fails with the timeout when a marked error arrives in the grace", async () => {
  const { error, starts, reason } = await playExecution(
    { attemptTimeout: 100, grace: 50, exceptions: "all", maxTries: 2 },
    async (_, clock) => {
      await clock.sleep(120);
      throw nonRetryable(new Error("while winding down"));
    },
  );

  assertInstanceOf(error, TimeoutError);
  assertEquals([starts, reason], [[0, 120], "maxTries"]);
});

Deno.test("nonRetryable() returns the same object, and changes nothing on it", () => {
  const plain = new Error("down");
  const before = Object.getOwnPropertyDescriptors(plain);
  const values = [
    plain,
    Object.freeze(new Error("down")),
    {},
    Object.create(null),
    () => {},
  ];
  for (const each of [...values, Object.preventExtensions(new TypeError())]) {
    assertStrictEquals(nonRetryable(each), each);
    assertStrictEquals(nonRetryable(each), each); // a second mark changes nothing
  }
  assertEquals(Object.getOwnPropertyDescriptors(plain), before);
});

Deno.test("Backoff.execute() does not retry a marked error that is frozen, or is not an Error", async () => {
  for (
    const error of [Object.freeze(new Error("down")), {}, Object.create(null), () => {}]
  ) {
    nonRetryable(error);

    const played = await playExecution({ exceptions: "all" }, () => {
      throw error;
    });

    assertStrictEquals(played.error, error);
    assertEquals(played.reason, "nonRetryable");
  }
});

Deno.test("nonRetryable() refuses primitives with a TypeError", () => {
  for (const value of [undefined, null, "text", 0, 1n, true, Symbol("s")]) {
    assertThrows(
      () => nonRetryable(value as unknown as object),
      TypeError,
      "Cannot mark an error: 'error' must be an object, got",
    );
  }
});

Deno.test("Backoff.execute() retries an error that wraps a marked one", async () => {
  const cause = nonRetryable(new Error("no such user"));
  for (
    const makeError of [
      () => new Error("wrapped", { cause }),
      () => new AggregateError([cause]),
    ]
  ) {
    const { starts, reason } = await playExecution(
      { exceptions: "all", maxTries: 2 },
      () => Promise.reject(makeError()),
    );

    assertEquals([starts.length, reason], [2, "maxTries"]);
  }
});

Deno.test("Executions in each other do not retry an error that the innermost marked", async () => {
  let calls = 0;
  const innermost = asyncretry(3)(() => {
    calls += 1;
    return Promise.reject(nonRetryable(new Error("no such user")));
  });
  const outer = asyncretry(3);
  const outermost = asyncretry(3);

  await outermost(outer(innermost))().catch(() => {});

  assertEquals(calls, 1);
  assertEquals(outer.statistic.ends.nonRetryable, 1);
  assertEquals(outermost.statistic.ends.nonRetryable, 1);
});

Deno.test("nonRetryable() can be used inside a predicate, a call of retry() and a decorated function", async () => {
  let calls = 0;
  const error = await retry(({ number }) => {
    calls += 1;
    const failure = new Error(`status ${number === 1 ? 503 : 404}`);
    throw number === 1 ? failure : nonRetryable(failure);
  }, { maxTries: 5 }).catch((error) => error);
  assertEquals([error.message, calls], ["status 404", 2]);

  // The mark is read before the predicate is asked, so it counts from the next failure on.
  const down = new Error("down");
  const exceptions = (error: unknown) => nonRetryable(error as Error) === error;
  const played = await playExecution({ exceptions }, () => Promise.reject(down));
  assertEquals([played.starts.length, played.reason], [2, "nonRetryable"]);
});
