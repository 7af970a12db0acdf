// Results that `until` refuses: failures that are retried like timeouts.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  Backoff,
  type BackoffOptions,
  type Budget,
  currentAttemptOrNull,
  type Failure,
  ResultError,
  retry,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import type { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { playExecution } from "../support/played_execution.ts";

interface Job {
  readonly state: "queued" | "running" | "done";
}

const states = ["queued", "running", "done"] as const;
const isDone = ({ state }: Job) => state === "done";

Deno.test("Backoff.execute() polls until its predicate 'until' returns true", async () => {
  const asked: unknown[] = [];
  const jobs = states.map((state): Job => ({ state }));
  const until = (job: Job) => asked.push(job) > 0 && isDone(job);

  const { value, starts, reason, events, statistic } = await playExecution(
    { until, pause: 100 },
    ({ number }) => Promise.resolve(jobs[number - 1]),
  );

  assertStrictEquals(value, jobs[2]);
  assertEquals([starts, reason], [[0, 100, 200], "success"]);
  assertEquals([statistic.errors, statistic.done, statistic.pauseTime], [2, 3, 200]);
  for (const [index, each] of asked.entries()) assertStrictEquals(each, jobs[index]);
  const failures = events.flatMap((event) =>
    event.type === "failure" ? [event.failure] : []
  );
  assertEquals(failures.map(({ attempt, limit }) => [attempt, limit]), [[1, null], [
    2,
    null,
  ]]);
  for (const [index, { error }] of failures.entries()) {
    assertInstanceOf(error, ResultError);
    assertStrictEquals(error.value, jobs[index]);
  }
  assert(failures[0]?.error !== failures[1]?.error);
});

Deno.test("Backoff.execute() rejects with the ResultError of the last result that is refused", async () => {
  const jobs: Job[] = [{ state: "queued" }, { state: "running" }];
  async function loadJob({ number }: { number: number }) {
    return await jobs[number - 1];
  }
  const backoff = new Backoff({ until: isDone, maxTries: 2 });

  const error = await backoff.execute(loadJob).catch((error) => error);

  assertInstanceOf(error, ResultError);
  assertStrictEquals(error.value, jobs[1]);
  assertEquals(error.name, "ResultError");
  assertEquals(
    error.message,
    "'until' refused the result of 'loadJob': an object (Object)",
  );
  assertEquals(backoff.statistic.ends.maxTries, 1);
});

Deno.test("Backoff.execute() rejects with the last ResultError when the deadline ends a later attempt", async () => {
  const { error, endedAt, reason } = await playExecution(
    { until: () => false, deadline: 250, pause: 100 },
    ({ number }) => number < 3 ? number : new Promise(() => {}),
  );

  assertInstanceOf(error, ResultError);
  assertEquals([error.value, endedAt, reason], [2, 250, "deadline"]);
});

Deno.test("Backoff.execute() retries a refused result whatever 'exceptions' says, and does not ask it", async () => {
  let asked = 0;
  for (const exceptions of [null, [], [RangeError], "all", () => ++asked < 0] as const) {
    const { starts, reason } = await playExecution(
      { until: () => false, exceptions, maxTries: 3 },
      () => "value",
    );

    assertEquals([starts.length, reason], [3, "maxTries"]);
  }
  assertEquals(asked, 0);
});

Deno.test("Backoff.execute() passes refused results to giveup, the pause and the budget", async () => {
  const told: string[] = [];
  const note = (name: string, { error, attempt }: Failure) => {
    assertInstanceOf(error, ResultError);
    told.push(`${name} ${attempt}: ${error.value}`);
  };
  const budget: Budget = {
    failed: () => void told.push("failed"),
    succeeded: () => void told.push("succeeded"),
    mayRetry: (_, failure) => (note("mayRetry", failure!), true),
  };
  const { value } = await playExecution({
    until: (value) => value === 2,
    giveup: (_, failure) => (note("giveup", failure), false),
    pause: (failure) => (note("pause", failure), 10),
    budget,
  }, ({ number }) => number);

  assertEquals(value, 2);
  assertEquals(told, ["failed", "giveup 1: 1", "pause 1: 1", "mayRetry 1: 1", "succeeded"]);
});

Deno.test("Backoff.execute() gives up on a refused result when giveup returns true", async () => {
  const { error, starts, reason } = await playExecution({
    until: () => false,
    giveup: (error) => error instanceof ResultError && error.value === "failed",
  }, ({ number }) => number === 3 ? "failed" : "running");

  assertInstanceOf(error, ResultError);
  assertEquals([error.value, starts.length, reason], ["failed", 3, "giveup"]);
});

Deno.test("Backoff.execute() ends when the budget refuses to retry a refused result", async () => {
  const { error, reason } = await playExecution(
    { until: () => false, budget: { mayRetry: () => false } },
    () => "value",
  );

  assertInstanceOf(error, ResultError);
  assertEquals(reason, "budget");
});

Deno.test("Backoff.execute() treats a ResultError that the function throws as an error like any other", async () => {
  const thrown = new ResultError("value");
  const rows: [BackoffOptions, string][] = [
    [{ until: () => true }, "nonRetryable"],
    [{ until: () => true, exceptions: [] }, "nonRetryable"],
    [{ until: () => true, exceptions: "all" }, "maxTries"],
    [{ until: () => true, exceptions: [ResultError] }, "maxTries"],
  ];
  for (const [options, expected] of rows) {
    const { error, reason } = await playExecution(
      { ...options, maxTries: 2 },
      () => Promise.reject(thrown),
    );

    assertStrictEquals(error, thrown);
    assertEquals(reason, expected);
  }
  // Such as that of an execution inside: only its own policy's refusals are retried.
  const { starts, reason } = await playExecution(
    { until: () => false, maxTries: 2 },
    (_, clock) =>
      new Backoff({ until: () => false, maxTries: 2, clock }).execute(() => "value"),
  );
  assertEquals([starts.length, reason], [1, "nonRetryable"]);
});

Deno.test("Backoff.execute() asks 'until' about any value, after it has been awaited", async () => {
  const values = [undefined, null, 0, "", false, NaN, new Error("a value"), () => {}];
  for (const value of values) {
    for (const give of [() => value, () => Promise.resolve(value)]) {
      const asked: unknown[] = [];
      const until = (value: unknown) => asked.push(value) > 0;

      const played = await playExecution({ until }, give);

      assertStrictEquals(played.value, value);
      assertEquals(asked.length, 1);
      assertStrictEquals(asked[0], value);
    }
  }
});

Deno.test("Backoff.execute() treats a truthy answer of 'until' as true, and no answer as false", async () => {
  for (const [answer, calls] of [[1, 1], ["yes", 1], [undefined, 2], [null, 2], [0, 2]]) {
    const until = () => answer as unknown as boolean;

    const { starts } = await playExecution({ until, maxTries: 2 }, () => "value");

    assertEquals(starts.length, calls, String(answer));
  }
});

Deno.test("Backoff.execute() rejects with the error that 'until' throws", async () => {
  for (const bug of [new Error("a bug of the predicate"), undefined]) {
    const until = () => {
      throw bug;
    };

    const { error, starts, reason, events, statistic } = await playExecution(
      { until, exceptions: "all" },
      () => "value",
    );

    assertStrictEquals(error, bug);
    assertEquals([starts.length, reason], [1, "callbackError"]);
    assertEquals(events.map(({ type }) => type), ["attempt", "done"]);
    assertEquals([statistic.done, statistic.errors, statistic.cancels], [1, 0, 0]);
  }
});

Deno.test("Backoff.execute() rejects with a TypeError when 'until' returns a promise", async () => {
  for (const answer of [() => Promise.resolve(true), () => Promise.reject("unheard")]) {
    const until = answer as unknown as () => boolean;

    const { error, reason } = await playExecution({ until }, () => "value");

    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "'until' must answer at once, got a promise");
    assertEquals([reason, "cause" in error], ["callbackError", false]);
  }
});

Deno.test("Backoff.execute() has no current attempt inside 'until'", async () => {
  const seen: unknown[] = [];
  const until = () => seen.push(currentAttemptOrNull()) > 1;

  await playExecution({ until }, () => "value", { until });

  assertEquals(seen, [null, null, null]);
});

Deno.test("Backoff.execute() fails with the timeout when a result is refused in the grace", async () => {
  const asked: unknown[] = [];
  const told: unknown[] = [];
  const { error, starts, reason, statistic } = await playExecution({
    attemptTimeout: 100,
    grace: 50,
    pause: 10,
    maxTries: 2,
    until: (value) => asked.push(value) < 0,
    giveup: (error) => told.push(error) < 0,
  }, (_, clock) => clock.sleep(120).then(() => "partial"));

  assertInstanceOf(error, TimeoutError);
  assertEquals(error.limit, "attempt");
  assertEquals([starts, reason, asked], [[0, 130], "maxTries", ["partial", "partial"]]);
  assertEquals([statistic.errors, statistic.timeouts], [2, 2]);
  assert(told[0] instanceof TimeoutError);
});

Deno.test("Backoff.execute() resolves with a result that is accepted in the grace", async () => {
  const { value, endedAt, reason, statistic } = await playExecution(
    { attemptTimeout: 100, grace: 50, until: () => true },
    (_, clock) => clock.sleep(120).then(() => "whole"),
  );

  assertEquals([value, endedAt, reason], ["whole", 120, "success"]);
  assertEquals([statistic.errors, statistic.timeouts], [0, 1]);
});

Deno.test("Backoff.execute() rejects with the error that 'until' throws in the grace", async () => {
  const bug = new Error("a bug of the predicate");
  const until = () => {
    throw bug;
  };
  const { error, endedAt, reason } = await playExecution(
    { attemptTimeout: 100, grace: 50, until },
    (_, clock) => clock.sleep(120).then(() => "value"),
  );

  assertStrictEquals(error, bug);
  assertEquals([endedAt, reason], [120, "callbackError"]);
});

Deno.test("Backoff.execute() does not ask 'until' about a result that comes too late", async () => {
  const asked: unknown[] = [];
  const until = (value: unknown) => asked.push(value) > 0;
  const late = (_: unknown, clock: TestClock) => clock.sleep(150).then(() => "late");

  const inGrace = { attemptTimeout: 100, grace: 50, deadline: 150, until };
  const tie = await playExecution(inGrace, late);
  const atDeadline = await playExecution({ deadline: 100, until }, late);
  const abandoned = await playExecution({ attemptTimeout: 100, maxTries: 1, until }, late);

  assertEquals([tie.reason, atDeadline.reason], ["deadline", "deadline"]);
  assertEquals([abandoned.reason, asked], ["maxTries", []]);
  const late2 = abandoned.events.filter(({ type }) => type === "late");
  assertEquals(late2.length, 1);
});

Deno.test("Backoff.execute() rejects with the reason when 'until' aborts it, whatever it answers", async () => {
  const answers: (() => boolean)[] = [
    () => true,
    () => false,
    () => {
      throw new Error("a bug");
    },
  ];
  for (const answer of answers) {
    const controller = new AbortController();
    const until = () => {
      controller.abort("enough");
      return answer();
    };

    const { error, starts, reason, statistic } = await playExecution(
      { until, signal: controller.signal },
      () => "value",
    );

    assertEquals([error, reason, starts], ["enough", "aborted", [0]]);
    assertEquals([statistic.done, statistic.ends.aborted], [1, 1]);
  }
});

Deno.test("Backoff.execute() asks the policy's 'until' first, and that of the execution only if it accepts", async () => {
  const asked: string[] = [];
  const { value } = await playExecution(
    { until: (value) => asked.push(`policy: ${value}`) > 0 && value > 1 },
    ({ number }) => number,
    { until: (value) => asked.push(`execution: ${value}`) > 0 && value > 2 },
  );

  assertEquals(value, 3);
  assertEquals(asked, [
    "policy: 1",
    "policy: 2",
    "execution: 2",
    "policy: 3",
    "execution: 3",
  ]);
});

Deno.test("Backoff.execute() retries a result that its own 'until' refuses, with a policy that has none", async () => {
  for (const exceptions of [null, []]) {
    const { value, starts, statistic } = await playExecution(
      { exceptions },
      ({ number }) => number,
      { until: (value) => value === 3 },
    );

    assertEquals([value, starts.length, statistic.errors], [3, 3, 2]);
  }
});

Deno.test("Backoff.execute() applies its own 'until' to that execution alone", async () => {
  const backoff = new Backoff({ exceptions: [], maxTries: 2 });

  const refused = await backoff.execute(() => 1, { until: () => false }).catch((e) => e);

  assertInstanceOf(refused, ResultError);
  assertEquals(await backoff.execute(() => 1), 1);
});

Deno.test("Backoff.execute() has the type to which its own 'until' narrows the result", async () => {
  const backoff = new Backoff();
  type Loaded = { user: string } | { error: number };
  const load = (): Promise<Loaded> => Promise.resolve({ user: "Ada" });

  const loaded = await backoff.execute(load, {
    until: (value): value is { user: string } => "user" in value,
  });
  const name: string = loaded.user;
  assertEquals(name, "Ada");

  const until = (value: Loaded): boolean => "user" in value;
  const whole = await backoff.execute(load, { until });
  // @ts-expect-error a predicate that does not narrow leaves the type as it is
  assertEquals(whole.user, "Ada");
  await backoff.execute(load, {
    // @ts-expect-error the result cannot have this type
    until: (value): value is number => value !== undefined,
  });
});

Deno.test("Every notation takes 'until'", async () => {
  const until = (value: number) => value > 2;
  const options = { until, maxTries: 5 };
  const policies = [
    new Backoff(options).wrap,
    asyncbackoff(options),
    asyncbackoff(null, null, 0, options),
    asyncretry(5, { until }),
  ];
  for (const decorate of policies) {
    let calls = 0;
    assertEquals(await decorate(() => Promise.resolve(++calls))(), 3);
    assertEquals(decorate.statistic.errors, 2);
  }
  assertEquals(await retry(({ number }) => number, options), 3);
});
