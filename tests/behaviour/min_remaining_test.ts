// The time that must be left until the deadline after a pause.

import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  type BackoffOptions,
  type Budget,
  retry,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { playExecution } from "../support/played_execution.ts";

const failure = new Error("down");
const fail = () => Promise.reject(failure);

/** Plays a function that always fails at once. */
const playFailures = (options: BackoffOptions) =>
  playExecution({ exceptions: "all", ...options }, fail);

Deno.test("Backoff.execute() fails at once when a pause of a minute meets a deadline of a second and minRemaining is 0", async () => {
  const { error, starts, endedAt, reason, statistic, events } = await playFailures({
    deadline: 1000,
    pause: 60_000,
    minRemaining: 0,
  });

  assertStrictEquals(error, failure);
  assertEquals([starts, endedAt, reason], [[0], 0, "deadline"]);
  assertEquals([statistic.errors, statistic.cancels, statistic.pauseTime], [1, 0, 0]);
  assertEquals(statistic.ends.deadline, 1);
  const told = events.flatMap((event) =>
    event.type === "failure" ? [event.pauseAfter] : []
  );
  assertEquals(told, [null]);
});

Deno.test("Backoff.execute() waits for the deadline, as the original does, without minRemaining", async () => {
  for (const minRemaining of [undefined, null]) {
    const { error, endedAt, reason } = await playFailures({
      deadline: 1000,
      pause: 60_000,
      minRemaining,
    });

    assertStrictEquals(error, failure);
    assertEquals([endedAt, reason], [1000, "deadline"]);
  }
});

Deno.test("Backoff.execute() ends at once when a pause would end exactly at the deadline and minRemaining is 0", async () => {
  const atDeadline = await playFailures({ deadline: 100, pause: 100, minRemaining: 0 });
  assertEquals([atDeadline.starts, atDeadline.endedAt], [[0], 0]);

  const before = await playFailures({ deadline: 100, pause: 99, minRemaining: 0 });
  assertEquals([before.starts, before.endedAt], [[0, 99], 99]);
});

Deno.test("Backoff.execute() retries when exactly minRemaining would be left after the pause, and ends with less", async () => {
  // The first pause leaves 60, and the second leaves 20.
  for (
    const [minRemaining, starts] of [
      [0, [0, 40, 80]],
      [20, [0, 40, 80]],
      [21, [0, 40]],
      [60, [0, 40]],
      [61, [0]],
      [1000, [0]],
    ] as const
  ) {
    const played = await playFailures({ deadline: 100, pause: 40, minRemaining });

    assertEquals(played.starts, starts, `${minRemaining}`);
    assertStrictEquals(played.error, failure);
    assertEquals([played.endedAt, played.reason], [starts.at(-1), "deadline"]);
  }
});

Deno.test("Backoff.execute() does not need minRemaining for its first attempt, or without a deadline", async () => {
  const first = await playExecution(
    { deadline: 100, exceptions: [], minRemaining: 1000 },
    (_, clock) => clock.sleep(50).then(() => "value"),
  );
  assertEquals(first.value, "value");

  const endless = await playFailures({ pause: 60_000, minRemaining: 1000, maxTries: 3 });
  assertEquals([endless.starts, endless.reason], [[0, 60_000, 120_000], "maxTries"]);
});

Deno.test("Backoff.execute() asks giveup and the pause before minRemaining, and the budget after it", async () => {
  const asked: string[] = [];
  const budget: Budget = {
    failed: () => void asked.push("failed"),
    mayRetry: () => asked.push("mayRetry") > 0,
  };
  const rules = {
    deadline: 100,
    minRemaining: 10,
    giveup: () => asked.push("giveup") < 0,
    pause: () => (asked.push("pause"), 91),
    budget,
  };

  await playFailures(rules);
  assertEquals(asked.splice(0), ["failed", "giveup", "pause"]);

  const last = await playFailures({ ...rules, maxTries: 1 });
  assertEquals([last.reason, asked.splice(0)], ["maxTries", ["failed"]]);

  const givenUp = await playFailures({ ...rules, giveup: () => true });
  assertEquals([givenUp.reason, asked], ["giveup", ["failed"]]);
});

Deno.test("Backoff.execute() ends with the timeout of an attempt when too little would be left", async () => {
  const hang = () => new Promise(() => {});
  const options = { attemptTimeout: 60, deadline: 100, exceptions: [], minRemaining: 50 };

  const { error, endedAt, reason } = await playExecution(options, hang);
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, endedAt, reason], ["attempt", 60, "deadline"]);

  // What is left counts from the end of the grace.
  const rules = { ...options, attemptTimeout: 40, grace: 20 };
  const graced = await playExecution(rules, hang);
  assertEquals([graced.starts, graced.endedAt, graced.reason], [[0], 60, "deadline"]);
});

Deno.test("Backoff.execute() does not count minRemaining for an error that is not retryable", async () => {
  const { reason } = await playFailures({
    exceptions: [RangeError],
    deadline: 100,
    pause: 1000,
    minRemaining: 0,
  });

  assertEquals(reason, "nonRetryable");
});

Deno.test("retry() fails at once when its pause would reach the deadline, unless minRemaining says otherwise", async () => {
  const clock = new TestClock();
  for (const minRemaining of [undefined, null, 0, 50]) {
    const beganAt = clock.now();
    const options = { deadline: 1000, pause: 60_000, minRemaining, clock };

    const error = await clock.run(retry(fail, options).catch((error) => error));

    assertStrictEquals(error, failure);
    assertEquals(clock.now() - beganAt, 0);
  }
  clock.close();
});
