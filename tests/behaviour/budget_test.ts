// The calls that an execution makes to its budget, and the effect of the answers.

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
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Budget,
} from "@asyncbackoff/asyncbackoff";
import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

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
