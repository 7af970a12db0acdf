// A budget as executions tell and ask it (rows B2 to B4).

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

/** A budget that writes down what it is told and asked, and allows for so many retries. */
function recorder(retries = Infinity): Budget & { log: string[] } {
  const log: string[] = [];
  return {
    log,
    began: (at) => void log.push(`began ${at}`),
    failed: (at) => void log.push(`failed ${at}`),
    succeeded: (at) => void log.push(`succeeded ${at}`),
    mayRetry: (at) => log.push(`asked ${at}`) > 0 && retries-- > 0,
  };
}

interface Played {
  readonly log: string[];
  readonly at: number;
  readonly outcome: PromiseSettledResult<unknown>;
  readonly events: BackoffEvent[];
  readonly reason: string;
  readonly refused: number;
}

/** One execution with a budget, and all that there is to see of it. */
async function play(
  options: BackoffOptions,
  body: (attempt: Attempt, clock: TestClock, controller: AbortController) => unknown,
  budget: Budget & { log?: string[] } = recorder(),
): Promise<Played> {
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

Deno.test("Budget is told of the start and the success when an execution succeeds at once", async () => {
  const { log } = await play({}, (_, clock) => clock.sleep(20));
  assertEquals(log, ["began 0", "succeeded 20"]);
});

Deno.test("Budget is told of a success when nobody else looks on", async () => {
  const budget = recorder();

  await new Backoff({ budget, clock: new TestClock() }).execute(() => "value");

  assertEquals(budget.log, ["began 0", "succeeded 0"]);
});

Deno.test("Budget is told of each failure, and asked at it, before the pause", async () => {
  const { log, at } = await play({ pause: 100 }, async ({ number }, clock) => {
    await clock.sleep(10);
    if (number < 3) throw error;
  });
  assertEquals(at, 230);
  const first = ["began 0", "failed 10", "asked 10"];
  assertEquals(log, [...first, "failed 120", "asked 120", "succeeded 230"]);
});

Deno.test("Budget is asked before the pause is, and after giveup", async () => {
  const budget = recorder(1);
  const { log } = budget;
  const pause = () => log.push("pause") - log.length;
  const giveup = () => log.push("giveup") < 0;
  await play({ pause, giveup }, down, budget);
  const first = ["began 0", "failed 0", "giveup", "asked 0", "pause"];
  assertEquals(log, [...first, "failed 0", "giveup", "asked 0"]);
});

Deno.test("Budget is not told of a failure that is not listed", async () => {
  const { log, reason } = await play({ exceptions: [TypeError] }, down);
  assertEquals([log, reason], [["began 0"], "nonRetryable"]);
});

Deno.test("Budget is told of the last failure, and not asked, when there is no try left", async () => {
  const { log, reason } = await play({ maxTries: 1 }, down);
  assertEquals([log, reason], [["began 0", "failed 0"], "maxTries"]);
});

Deno.test("Budget is told of a failure, and not asked, when giveup ends it", async () => {
  const { log, reason } = await play({ giveup: () => true }, down);
  assertEquals([log, reason], [["began 0", "failed 0"], "giveup"]);
});

Deno.test("Budget is told of an attempt timeout as of any failure", async () => {
  const { log } = await play({ attemptTimeout: 50, pause: 10, maxTries: 2 }, never);
  assertEquals(log, ["began 0", "failed 50", "asked 50", "failed 110"]);
});

Deno.test("Budget is told of an attempt timeout when its grace has ended", async () => {
  const options = { attemptTimeout: 50, grace: 30, maxTries: 2 };
  const { log } = await play(options, never);
  assertEquals(log, ["began 0", "failed 80", "asked 80", "failed 160"]);
  const inGrace = await play(options, (_, clock) => clock.sleep(60));
  assertEquals(inGrace.log, ["began 0", "succeeded 60"]);
});

Deno.test("Budget is told of no success when the value arrives in a grace at the deadline", async () => {
  const options = { attemptTimeout: 50, grace: 50, deadline: 100 };
  const { log, reason } = await play(options, (_, clock) => clock.sleep(100));
  assertEquals([log, reason], [["began 0"], "deadline"]);
});

Deno.test("Budget is told neither failure nor success when the deadline or the caller cuts", async () => {
  const atDeadline = await play({ deadline: 100 }, never);
  assertEquals([atDeadline.log, atDeadline.reason], [["began 0"], "deadline"]);
  const aborted = await play({}, async (_, clock, controller) => {
    await clock.sleep(40);
    controller.abort("enough");
    throw error;
  });
  assertEquals([aborted.log, aborted.reason], [["began 0"], "aborted"]);
});

Deno.test("Budget is not told of an execution that never calls its function", async () => {
  for (const options of [{ deadline: 0 }, { signal: AbortSignal.abort() }]) {
    const { log } = await play(options, () => "never called");
    assertEquals(log, []);
  }
});

Deno.test("Budget is told of an execution whose attempts are given no time", async () => {
  const { log } = await play({ attemptTimeout: 0, maxTries: 2 }, () => "never called");
  assertEquals(log, ["began 0", "failed 0", "asked 0", "failed 0"]);
});

Deno.test("Budget is not charged when a failure arrives after the deadline", async () => {
  let now = 0;
  const budget = recorder(0);
  const clock = { now: () => now, sleep: never };
  const backoff = new Backoff({ exceptions: "all", deadline: 100, clock, budget });
  const result = backoff.execute(() => {
    now = 150; // as a long synchronous stretch: no timer fires
    throw error;
  });
  assertStrictEquals(await result.catch((error) => error), error);
  assertEquals(budget.log, ["began 0", "failed 150"]);
  assertEquals(backoff.statistic.refused, 0);
});

Deno.test("Budget lets the real error out at once when it refuses", async () => {
  const { outcome, at, reason, refused, events } = await play(
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
  const told = events.map((event) =>
    `${event.type} ${
      event.type === "failure" ? `${event.attempt} ${event.pause} ` : ""
    }${event.at}`
  );
  assertEquals(told, [
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

Deno.test("Statistic counts as refused what the budget ends, and nothing else", async () => {
  const rows: [BackoffOptions, number, string][] = [
    [{ maxTries: 2 }, Infinity, "maxTries"],
    [{ maxTries: 2 }, 1, "maxTries"],
    [{ maxTries: 3 }, 1, "budget"],
    [{ giveup: () => true }, 0, "giveup"],
    [{ exceptions: [TypeError] }, 0, "nonRetryable"],
  ];
  for (const [options, retries, expected] of rows) {
    const { reason, refused } = await play(options, down, recorder(retries));
    assertEquals([reason, refused], [expected, expected === "budget" ? 1 : 0]);
  }
});

Deno.test("Budget is shared by every notation and any number of executions at once", async () => {
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
  Deno.test(`Budget ends the execution with what it throws when ${method} does`, async () => {
    const bug = new Error("a bug of the budget");
    const budget = {
      ...recorder(),
      [method]: () => {
        throw bug;
      },
    };
    const options = { pause: 10, attemptTimeout: 100, deadline: 1000 };
    const body = ({ number }: Attempt) => number === 1 ? down() : "value";
    const { outcome, reason, events, at } = await play(options, body, budget);
    assert(outcome.status === "rejected");
    assertStrictEquals(outcome.reason, bug);
    assertEquals([reason, at], ["callbackError", method === "succeeded" ? 10 : 0]);
    assertEquals(events[0]?.type, "attempt");
  });
}

Deno.test("Budget is refused when it answers with a promise", async () => {
  const budget = { ...recorder(), mayRetry: () => Promise.reject(false) };
  const { outcome, reason } = await play({}, down, budget as unknown as Budget);
  assert(outcome.status === "rejected" && reason === "callbackError");
  assertInstanceOf(outcome.reason, TypeError);
  assertStringIncludes(outcome.reason.message, "'budget' must answer at once");
  assertStrictEquals((outcome.reason.cause as { error: unknown }).error, error);
});

Deno.test("Budget loses to an abort from within its answer", async () => {
  let abort = () => {};
  const budget = { ...recorder(), mayRetry: () => (abort(), true) };
  const { outcome, reason } = await play({ pause: 10 }, (_, __, controller) => {
    abort = () => controller.abort("enough");
    return down();
  }, budget);
  assertEquals(outcome, { status: "rejected", reason: "enough" });
  assertEquals(reason, "aborted");
});

Deno.test("Budget is called as a method", async () => {
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
  await play({}, ({ number }) => number === 1 ? down() : "value", budget);
  assertEquals(budget.calls, 111);
});

// A share of executions through the engine, on the injected clock. The published vectors of
// both budgets (row B3) are in reproduce_test.ts.

Deno.test("RetryBudget runs on the policy's clock", async () => {
  const clock = new TestClock(1_000_000);
  const budget = new RetryBudget({ window: 1000, share: 0, reserve: 1 });
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

Deno.test("RetryBudget is charged at the failure, so that retries that wait are not free", async () => {
  const clock = new TestClock();
  const budget = new RetryBudget({ share: 0, reserve: 0.5 }); // five in the window
  const retry = asyncretry(2, { budget, clock, pause: 5000 });
  const calls = Array.from({ length: 20 }, () => retry(down)());
  const results = Promise.allSettled(calls);
  await clock.advance(0);
  assertEquals([retry.statistic.refused, clock.pending], [15, 5]);
  await clock.run(results);
  assertEquals(retry.statistic.attempts, 25);
});

for (const share of [0.4, 0.7, 0.75, 0.99]) {
  Deno.test(`RetryBudget truncates nothing through the engine when its share is ${share}`, async () => {
    const clock = new TestClock();
    const budget = new RetryBudget({ share, reserve: 0 });
    const retry = asyncretry(2, { budget, clock });
    const fail = retry(down);
    const calls = Array.from({ length: 1000 }, () => fail().catch(() => {}));
    await clock.run(Promise.all(calls)); // all at once
    assertEquals(retry.statistic.attempts, 1000 + Math.round(1000 * share));
  });
}
