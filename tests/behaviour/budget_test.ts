// The calls that an execution makes to its budget, and the effect of the answers.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { delay } from "@std/async/delay";
import {
  asyncbackoff,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Budget,
  type Failure,
} from "@asyncbackoff/asyncbackoff";
import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenToUncaught } from "../support/uncaught.ts";

const error = new RangeError("down");
const down = () => Promise.reject(error);
const never = () => new Promise<never>(() => {});

/** A budget that records its calls, and allows a number of retries. */
function recorder(retries = Infinity): Budget & { log: string[] } {
  const log: string[] = [];
  return {
    log,
    began: (at) => void log.push(`began ${at}`),
    failed: (at) => void log.push(`failed ${at}`),
    succeeded: (at) => void log.push(`succeeded ${at}`),
    mayRetry: (at) => log.push(`mayRetry ${at}`) > 0 && retries-- > 0,
  };
}

interface Result {
  readonly log: string[];
  readonly at: number;
  readonly outcome: PromiseSettledResult<unknown>;
  readonly events: BackoffEvent[];
  readonly reason: string;
  readonly refused: number;
}

/** Runs one execution with a budget, and returns everything that can be observed of it. */
async function run(
  options: BackoffOptions,
  body: (attempt: Attempt, clock: TestClock, controller: AbortController) => unknown,
  budget: Budget & { log?: string[] } = recorder(),
): Promise<Result> {
  const clock = new TestClock();
  const controller = new AbortController();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => events.push(event);
  const backoff = new Backoff({
    exceptions: [RangeError],
    clock,
    observe,
    ...options,
    budget,
  });
  const { signal } = controller;
  const result = backoff.execute((attempt) => body(attempt, clock, controller), { signal });
  const [outcome] = await clock.run(Promise.allSettled([result]));
  const done = events.find((event) => event.type === "done");
  assert(done?.type === "done");
  assertEquals(clock.pending, 0);
  const { refused } = backoff.statistic;
  const { log = [] } = budget;
  return { log, at: clock.now(), outcome, events, reason: done.reason, refused };
}

Deno.test("Budget.began() and succeeded() are called when the first attempt succeeds", async () => {
  const { log } = await run({}, (_, clock) => clock.sleep(20));
  assertEquals(log, ["began 0", "succeeded 20"]);
});

Deno.test("Budget.succeeded() is called when there is no observer and no signal", async () => {
  const budget = recorder();

  const clock = new TestClock();
  await new Backoff({ exceptions: [], budget, clock }).execute(() => "value");

  assertEquals(budget.log, ["began 0", "succeeded 0"]);
});

Deno.test("Budget.failed() and mayRetry() are called at each failure, before the pause", async () => {
  const { log, at } = await run({ pause: 100 }, async ({ number }, clock) => {
    await clock.sleep(10);
    if (number < 3) throw error;
  });
  assertEquals(at, 230);
  const first = ["began 0", "failed 10", "mayRetry 10"];
  assertEquals(log, [...first, "failed 120", "mayRetry 120", "succeeded 230"]);
});

Deno.test("Budget.mayRetry() is called last, after giveup and pause", async () => {
  const budget = recorder(1);
  const { log } = budget;
  const pause = () => log.push("pause") - log.length;
  const giveup = () => log.push("giveup") < 0;
  await run({ pause, giveup }, down, budget);
  const each = ["failed 0", "giveup", "pause", "mayRetry 0"];
  assertEquals(log, ["began 0", ...each, ...each]);
});

Deno.test("Budget.failed() is not called when the error is not retryable", async () => {
  const { log, reason } = await run({ exceptions: [TypeError] }, down);
  assertEquals([log, reason], [["began 0"], "nonRetryable"]);
});

Deno.test("Budget.failed() is called without mayRetry() when no try is left", async () => {
  const { log, reason } = await run({ maxTries: 1 }, down);
  assertEquals([log, reason], [["began 0", "failed 0"], "maxTries"]);
});

Deno.test("Budget.failed() is called without mayRetry() when giveup returns true", async () => {
  const { log, reason } = await run({ giveup: () => true }, down);
  assertEquals([log, reason], [["began 0", "failed 0"], "giveup"]);
});

Deno.test("Budget.failed() is called when an attempt times out", async () => {
  const { log } = await run({ attemptTimeout: 50, pause: 10, maxTries: 2 }, never);
  assertEquals(log, ["began 0", "failed 50", "mayRetry 50", "failed 110"]);
});

Deno.test("Budget.failed() is called at the end of the grace when an attempt times out", async () => {
  const options = { attemptTimeout: 50, grace: 30, maxTries: 2 };
  const { log } = await run(options, never);
  assertEquals(log, ["began 0", "failed 80", "mayRetry 80", "failed 160"]);
  const inGrace = await run(options, (_, clock) => clock.sleep(60));
  assertEquals(inGrace.log, ["began 0", "succeeded 60"]);
});

Deno.test("Budget.succeeded() is not called when a value in the grace ties with the deadline", async () => {
  const options = { attemptTimeout: 50, grace: 50, deadline: 100 };
  const { log, reason } = await run(options, (_, clock) => clock.sleep(100));
  assertEquals([log, reason], [["began 0"], "deadline"]);
});

Deno.test("Budget.failed() and succeeded() are not called when the deadline or the caller ends an attempt", async () => {
  const atDeadline = await run({ deadline: 100 }, never);
  assertEquals([atDeadline.log, atDeadline.reason], [["began 0"], "deadline"]);
  const aborted = await run({}, async (_, clock, controller) => {
    await clock.sleep(40);
    controller.abort("enough");
    throw error;
  });
  assertEquals([aborted.log, aborted.reason], [["began 0"], "aborted"]);
});

Deno.test("Budget is not called when an execution makes no attempt", async () => {
  for (const options of [{ deadline: 0 }, { signal: AbortSignal.abort() }]) {
    const { log } = await run(options, () => "never called");
    assertEquals(log, []);
  }
});

Deno.test("Budget is called when the attempts are given no time", async () => {
  const { log } = await run({ attemptTimeout: 0, maxTries: 2 }, () => "never called");
  assertEquals(log, ["began 0", "failed 0", "mayRetry 0", "failed 0"]);
});

Deno.test("Budget is not charged when a failure is noticed after the deadline", async () => {
  let now = 0;
  const budget = recorder(0);
  const clock = { now: () => now, sleep: never };
  const backoff = new Backoff({ exceptions: "all", deadline: 100, clock, budget });
  const result = backoff.execute(() => {
    now = 150; // like a long synchronous stretch: no timer fires
    throw error;
  });
  assertStrictEquals(await result.catch((error) => error), error);
  assertEquals(budget.log, ["began 0", "failed 150"]);
  assertEquals(backoff.statistic.refused, 0);
});

Deno.test("Budget ends the execution at once with the failure's own error when it refuses", async () => {
  const { outcome, at, reason, refused, events } = await run(
    { pause: 100, deadline: 1000 },
    async (_, clock) => {
      await clock.sleep(10);
      throw error;
    },
    recorder(2),
  );
  assert(outcome.status === "rejected");
  assertStrictEquals(outcome.reason, error);
  assertEquals([at, reason, refused], [230, "budget", 1]);
  const lines = events.map((event) =>
    `${event.type} ${
      event.type === "failure" ? `${event.attempt} ${event.pauseAfter} ` : ""
    }${event.at}`
  );
  assertEquals(lines, [
    "attempt 0",
    "failure 1 100 10",
    "attempt 110",
    "failure 2 100 120",
    "attempt 220",
    "failure 3 null 230",
    "done 230",
  ]);
});

Deno.test("Budget never refuses a first attempt", async () => {
  const backoff = new Backoff({ exceptions: "all", budget: recorder(0) });
  for (let index = 0; index < 10; index++) await backoff.execute(down).catch(() => {});
  assertEquals(await backoff.execute(() => "value"), "value");
  const { attempts, errors, refused } = backoff.statistic;
  assertEquals([attempts, errors, refused], [11, 10, 10]);
});

Deno.test("Statistic.refused counts the executions that the budget ended, and no others", async () => {
  const rows: [BackoffOptions, number, string][] = [
    [{ maxTries: 2 }, Infinity, "maxTries"],
    [{ maxTries: 2 }, 1, "maxTries"],
    [{ maxTries: 3 }, 1, "budget"],
    [{ giveup: () => true }, 0, "giveup"],
    [{ exceptions: [TypeError] }, 0, "nonRetryable"],
  ];
  for (const [options, retries, expected] of rows) {
    const { reason, refused } = await run(options, down, recorder(retries));
    assertEquals([reason, refused], [expected, expected === "budget" ? 1 : 0]);
  }
});

Deno.test("Budget can be shared by every notation and any number of concurrent executions", async () => {
  const clock = new TestClock();
  const budget = recorder(3);
  const shared = { budget, clock, pause: 10 };
  const policies = [
    asyncretry(9, shared),
    asyncbackoff(null, null, 10, RangeError, { budget, clock }),
    asyncbackoff({ ...shared, exceptions: "all" }),
    new Backoff({ ...shared, exceptions: "all" }).wrap,
  ];
  await clock.run(Promise.allSettled(policies.map((policy) => policy(down)())));
  const sum = (name: "attempts" | "refused") =>
    policies.reduce((sum, { statistic }) => sum + statistic[name], 0);
  assertEquals([sum("attempts"), sum("refused")], [7, 4]);
});

for (const method of ["began", "failed", "succeeded", "mayRetry"] as const) {
  Deno.test(`Budget ends the execution with its own error when ${method} throws`, async () => {
    const bug = new Error("a bug of the budget");
    const budget = {
      ...recorder(),
      [method]: () => {
        throw bug;
      },
    };
    const options = { pause: 10, attemptTimeout: 100, deadline: 1000 };
    const body = ({ number }: Attempt) => number === 1 ? down() : "value";
    const { outcome, reason, events, at } = await run(options, body, budget);
    assert(outcome.status === "rejected");
    assertStrictEquals(outcome.reason, bug);
    assertEquals([reason, at], ["callbackError", method === "succeeded" ? 10 : 0]);
    assertEquals(events[0]?.type, "attempt");
  });
}

Deno.test("Budget.mayRetry() ends the execution with a TypeError when it returns a promise", async () => {
  const budget = { ...recorder(), mayRetry: () => Promise.reject(false) };
  const { outcome, reason } = await run({}, down, budget as unknown as Budget);
  assert(outcome.status === "rejected" && reason === "callbackError");
  assertInstanceOf(outcome.reason, TypeError);
  assertStringIncludes(outcome.reason.message, "'budget' must answer at once");
  assertStrictEquals(outcome.reason.cause, error);
});

Deno.test("Budget.mayRetry() has no effect when it aborts the execution", async () => {
  let abort = () => {};
  const budget = { ...recorder(), mayRetry: () => (abort(), true) };
  const { outcome, reason } = await run({ pause: 10 }, (_, __, controller) => {
    abort = () => controller.abort("enough");
    return down();
  }, budget);
  assertEquals(outcome, { status: "rejected", reason: "enough" });
  assertEquals(reason, "aborted");
});

Deno.test("Budget has its methods called on itself", async () => {
  class Counting implements Budget {
    calls = 0;
    began = () => {};
    failed(): void {
      this.calls += 1;
    }
    succeeded(): void {
      this.calls += 10;
    }
    mayRetry(): boolean {
      return (this.calls += 100) > 0;
    }
  }
  const budget = new Counting();
  await run({}, ({ number }) => number === 1 ? down() : "value", budget);
  assertEquals(budget.calls, 111);
});

Deno.test("Budget needs no function but mayRetry()", async () => {
  const budget = { mayRetry: () => true };
  const rows: [options: BackoffOptions, reason: string][] = [
    [{}, "success"],
    [{ maxTries: 1 }, "maxTries"],
    [{ exceptions: [] }, "nonRetryable"],
    [{ deadline: 20, pause: 30 }, "deadline"],
  ];
  for (const [options, expected] of rows) {
    const body = async ({ number }: Attempt, clock: TestClock) => {
      await clock.sleep(10);
      return await (number === 1 ? down() : "value");
    };
    const { reason } = await run(options, body, budget);
    assertEquals(reason, expected);
  }
});

Deno.test("Budget may have any of its functions alone", async () => {
  for (const name of ["began", "failed", "succeeded", "ended"] as const) {
    let calls = 0;
    const budget = { mayRetry: () => true, [name]: () => void (calls += 1) };
    const body = ({ number }: Attempt) => number === 1 ? down() : "value";
    const { reason } = await run({}, body, budget);
    assertEquals([reason, calls], ["success", 1]);
  }
});

Deno.test("Budget.mayRetry() receives the failure that giveup and the pause received", async () => {
  const told: [who: string, failure: Failure | null][] = [];
  const budget: Budget = {
    mayRetry: (_, failure) => told.push(["budget", failure]) < 6,
  };
  await run(
    {
      giveup: (_, failure) => told.push(["giveup", failure]) < 0,
      pause: (failure) => told.push(["pause", failure]),
    },
    down,
    budget,
  );
  assertEquals(
    told.map(([who, failure]) => `${who} ${failure?.attempt}`),
    ["giveup 1", "pause 1", "budget 1", "giveup 2", "pause 2", "budget 2"],
  );
  for (const index of [2, 5]) {
    const failure = told[index]?.[1] ?? null;
    assert(failure !== null && Object.isFrozen(failure));
    assertStrictEquals(failure, told[index - 1]?.[1]);
    assertStrictEquals(failure.error, error);
  }
});

Deno.test("Budget.mayRetry() can refuse by the error", async () => {
  const budget: Budget = {
    mayRetry: (_, failure) => (failure?.error as { status?: number }).status !== 503,
  };
  const { events, reason } = await run({ exceptions: "all" }, ({ number }) => {
    throw { status: number < 3 ? 500 : 503 };
  }, budget);
  const attempts = events.filter(({ type }) => type === "attempt").length;
  assertEquals([attempts, reason], [3, "budget"]);
});

Deno.test("Budget.mayRetry() is called only when the pause ends before the deadline", async () => {
  for (
    const [pause, calls, reason, at] of [
      [99, 1, "deadline", 100],
      [100, 0, "deadline", 100],
      [101, 0, "deadline", 100],
      [60_000, 0, "deadline", 100],
    ] as const
  ) {
    const budget = recorder();
    const body = ({ number }: Attempt) => number === 1 ? down() : never();
    const result = await run({ deadline: 100, pause }, body, budget);
    const asked = result.log.filter((line) => line.startsWith("mayRetry")).length;
    assertEquals([asked, result.reason, result.at, result.refused], [calls, reason, at, 0]);
  }
});

Deno.test("Budget.ended() is called once when an execution that has begun ends, for any reason", async () => {
  const controller = new AbortController();
  const rows: [
    reason: string,
    options: BackoffOptions,
    fn: (attempt: Attempt) => unknown,
  ][] = [
    ["success", {}, () => "value"],
    ["nonRetryable", { exceptions: [TypeError] }, down],
    ["maxTries", { maxTries: 3 }, down],
    ["giveup", { giveup: () => true }, down],
    ["budget", {}, down],
    ["deadline", { deadline: 50 }, never],
    ["deadline", { deadline: 50, pause: 100 }, down],
    ["deadline", { deadline: 50, pause: 100, minRemaining: 0 }, down],
    ["callbackError", { pause: () => NaN }, down],
    ["callbackError", { until: () => JSON.parse("{") }, () => "value"],
    ["maxTries", { attemptTimeout: 0, maxTries: 2 }, () => "never called"],
    ["aborted", { signal: controller.signal }, () => {
      controller.abort();
      return never();
    }],
  ];
  for (const [reason, options, fn] of rows) {
    const ends: number[] = [];
    const budget: Budget = {
      mayRetry: (_, failure) => reason !== "budget" || failure!.attempt < 3,
      ended: (at) => void ends.push(at),
    };
    const result = await run(options, fn, budget);
    assertEquals([result.reason, ends], [reason, [result.at]]);
  }
});

Deno.test("Budget.ended() is called after succeeded(), and for as many executions as began()", async () => {
  const log: string[] = [];
  const budget: Budget = {
    began: () => void log.push("began"),
    succeeded: () => void log.push("succeeded"),
    ended: () => void log.push("ended"),
    mayRetry: () => true,
  };
  await run({}, () => "value", budget);
  assertEquals(log.splice(0), ["began", "succeeded", "ended"]);

  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: "all", maxTries: 2, budget, clock });
  const calls: (() => unknown)[] = [down, () => "value", down, () => clock.sleep(10)];
  await clock.run(Promise.allSettled(calls.map((fn) => backoff.execute(fn))));
  const counts = ["began", "succeeded", "ended"].map((each) =>
    log.filter((line) => line === each).length
  );
  assertEquals(counts, [4, 2, 4]);
});

Deno.test("Budget.ended() is not called when an execution makes no attempt", async () => {
  for (const options of [{ deadline: 0 }, { signal: AbortSignal.abort() }]) {
    let calls = 0;
    const budget = { mayRetry: () => true, ended: () => void (calls += 1) };
    await run(options, () => "never called", budget);
    assertEquals(calls, 0);
  }
});

Deno.test("Budget.ended() is called when another function of the budget throws, except began()", async () => {
  for (const method of ["began", "failed", "succeeded", "mayRetry"] as const) {
    let ends = 0;
    const budget = {
      ...recorder(),
      ended: () => void (ends += 1),
      [method]: () => {
        throw new Error("a bug of the budget");
      },
    };
    const body = ({ number }: Attempt) => number === 1 ? down() : "value";
    const { reason } = await run({}, body, budget);
    assertEquals([reason, ends], ["callbackError", method === "began" ? 0 : 1]);
  }
});

Deno.test("Budget.ended() changes nothing when it throws, and each of its errors is uncaught", async () => {
  const thrown: unknown[] = [];
  const uncaught: unknown[] = [];
  const budget: Budget = {
    mayRetry: () => false,
    ended: () => {
      thrown.push(new Error("a bug of the budget"));
      throw thrown.at(-1);
    },
  };
  const stop = listenToUncaught((error) => uncaught.push(error));
  try {
    const succeeded = await run({}, () => "value", budget);
    assertEquals(succeeded.outcome, { status: "fulfilled", value: "value" });
    assertEquals(succeeded.reason, "success");

    const failed = await run({}, down, budget);
    assertEquals(failed.outcome, { status: "rejected", reason: error });
    assertEquals(failed.reason, "budget");

    // Without an observer and a signal, too.
    const backoff = new Backoff({ exceptions: [], budget });
    assertEquals(await backoff.execute(() => "value"), "value");
    assertEquals(backoff.statistic.ends.success, 1);
    await delay(1);
  } finally {
    stop();
  }
  assertEquals([thrown.length, uncaught.length], [3, 3]);
  for (const each of thrown) assert(uncaught.includes(each));
});

// Retry budgets on the injected clock, through the engine. The published vectors of both
// budgets are in tests/published.

Deno.test("RetryBudget uses the policy's clock", async () => {
  const clock = new TestClock(1_000_000);
  const budget = new RetryBudget({ window: 1000, retryRatio: 0, minRetriesPerSecond: 1 });
  const retry = asyncretry(2, { budget, clock });
  const attemptsOf = async () => {
    const before = retry.statistic.attempts;
    await clock.run(retry(down)().catch(() => {}));
    return retry.statistic.attempts - before;
  };
  assertEquals([await attemptsOf(), await attemptsOf()], [2, 1]);
  await clock.advance(999);
  assertEquals(await attemptsOf(), 1);
  await clock.advance(1);
  assertEquals([await attemptsOf(), await attemptsOf()], [2, 1]);
  assertEquals(retry.statistic.refused, 3);
});

Deno.test("RetryBudget is charged at the failure, before the pause", async () => {
  const clock = new TestClock();
  // Five retries in the window.
  const budget = new RetryBudget({ retryRatio: 0, minRetriesPerSecond: 0.5 });
  const retry = asyncretry(2, { budget, clock, pause: 5000 });
  const calls = Array.from({ length: 20 }, () => retry(down)());
  const results = Promise.allSettled(calls);
  await clock.advance(0);
  assertEquals([retry.statistic.refused, clock.pending], [15, 5]);
  await clock.run(results);
  assertEquals(retry.statistic.attempts, 25);
});

for (const retryRatio of [0.4, 0.7, 0.75, 0.99]) {
  Deno.test(`RetryBudget loses no fraction of a retry when its ratio is ${retryRatio}`, async () => {
    const clock = new TestClock();
    const budget = new RetryBudget({ retryRatio, minRetriesPerSecond: 0 });
    const retry = asyncretry(2, { budget, clock });
    const fail = retry(down);
    const calls = Array.from({ length: 1000 }, () => fail().catch(() => {}));
    await clock.run(Promise.all(calls)); // all at once
    assertEquals(retry.statistic.attempts, 1000 + Math.round(1000 * retryRatio));
  });
}
