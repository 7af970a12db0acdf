// Events that observers receive: the complete list of an execution.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Clock,
  type Failure,
  type Limit,
  type Reason,
  ResultError,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenToUncaught } from "../../support/uncaught.ts";

const error = new Error("down");
const down = () => Promise.reject(error);
const never = () => new Promise<never>(() => {});

/** A timeout as the lists below have it, because each error has a stack of its own. */
const timeout = (limit: Limit, ms: number) => `${limit} of ${ms} ms`;
const plain = (error: unknown) =>
  error instanceof TimeoutError ? timeout(error.limit, error.ms) : error;
const timedOut = (ms: number) =>
  ({ error: timeout("attempt", ms), limit: "attempt" }) as const;
const fulfilled = (value: unknown) => ({ status: "fulfilled", value });
const rejected = (reason: unknown) => ({ status: "rejected", reason });

/** The name of the function that `play` executes. */
const name = "fn";
const attempt = (at: number, attempt: number) => ({ type: "attempt", name, at, attempt });
const late = (at: number, attempt: number, outcome: unknown) => ({
  type: "late",
  name,
  at,
  attempt,
  outcome,
});
const failed = (
  at: number,
  pauseAfter: number | null,
  failure: Partial<Failure> & { error: unknown; duration: number },
) => {
  const whole = {
    name,
    attempt: 1,
    streak: failure.attempt ?? 1,
    limit: null,
    elapsed: at,
    remaining: Infinity,
    pauseBefore: 0,
    ...failure,
  };
  return { type: "failure", name, at, attempt: whole.attempt, failure: whole, pauseAfter };
};
const done = (at: number, attempts: number, reason: Reason, outcome: unknown) => ({
  type: "done",
  name,
  at,
  attempts,
  elapsed: at,
  outcome,
  reason,
});

interface Fixture {
  readonly clock: TestClock;
  readonly controller: AbortController;
}

/** Executes a function, and returns all events until nothing is left to happen. */
async function play(
  options: BackoffOptions,
  body: (attempt: Attempt, fixture: Fixture) => unknown,
): Promise<unknown[]> {
  const clock = new TestClock();
  const controller = new AbortController();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => events.push(event);
  const backoff = new Backoff({ ...options, clock, observe });
  const { signal } = controller;
  const fn = (attempt: Attempt) => body(attempt, { clock, controller });
  const outcome = await clock.run(Promise.allSettled([backoff.execute(fn, { signal })]));
  const last = events.at(-1);
  assert(last?.type === "done");
  assertEquals([last.outcome, last.at], [outcome[0], clock.now()]);
  await clock.advance(1000);
  clock.close();
  return events.map(({ execution, ...event }) => {
    assertEquals(execution, last.execution);
    if (event.type === "failure") {
      return { ...event, failure: { ...event.failure, error: plain(event.failure.error) } };
    }
    if (event.type === "attempt" || event.outcome.status === "fulfilled") return event;
    return { ...event, outcome: rejected(plain(event.outcome.reason)) };
  });
}

Deno.test("observe() receives an attempt and the end when the function succeeds at once", async () => {
  assertEquals(await play({}, () => "value"), [
    attempt(0, 1),
    done(0, 1, "success", fulfilled("value")),
  ]);
});

Deno.test("observe() receives each attempt and failure when the function succeeds in the end", async () => {
  const options = {
    deadline: 500,
    exceptions: [Error],
    pause: ({ attempt }: Failure) => attempt * 10,
  };
  const events = await play(options, async ({ number }, { clock }) => {
    await clock.sleep(100);
    return number < 3 ? await down() : "value";
  });
  assertEquals(events, [
    attempt(0, 1),
    failed(100, 10, { error, duration: 100, remaining: 400 }),
    attempt(110, 2),
    failed(210, 20, { error, duration: 100, attempt: 2, remaining: 290, pauseBefore: 10 }),
    attempt(230, 3),
    done(330, 3, "success", fulfilled("value")),
  ]);
});

Deno.test("observe() receives a failure without a pause when its error is not retried", async () => {
  assertEquals(await play({ exceptions: [TypeError], pause: 10 }, down), [
    attempt(0, 1),
    failed(0, null, { error, duration: 0 }),
    done(0, 1, "nonRetryable", rejected(error)),
  ]);
});

Deno.test("observe() receives the last failure without a pause when maxTries is reached", async () => {
  assertEquals(await play({ exceptions: [Error], pause: 10, maxTries: 2 }, down), [
    attempt(0, 1),
    failed(0, 10, { error, duration: 0 }),
    attempt(10, 2),
    failed(10, null, { error, duration: 0, attempt: 2, pauseBefore: 10 }),
    done(10, 2, "maxTries", rejected(error)),
  ]);
});

Deno.test("observe() receives the last failure without a pause when giveup returns true", async () => {
  const giveup = (_: unknown, { attempt }: Failure) => attempt === 2;
  assertEquals(await play({ exceptions: [Error], pause: 10, giveup }, down), [
    attempt(0, 1),
    failed(0, 10, { error, duration: 0 }),
    attempt(10, 2),
    failed(10, null, { error, duration: 0, attempt: 2, pauseBefore: 10 }),
    done(10, 2, "giveup", rejected(error)),
  ]);
});

Deno.test("observe() receives no failure when the deadline ends the first attempt", async () => {
  assertEquals(await play({ deadline: 100 }, never), [
    attempt(0, 1),
    done(100, 1, "deadline", rejected(timeout("deadline", 100))),
  ]);
});

Deno.test("observe() receives the last failure's error when the deadline ends a later attempt", async () => {
  const options = { deadline: 100, exceptions: [Error], pause: 30 };
  assertEquals(await play(options, ({ number }) => number === 1 ? down() : never()), [
    attempt(0, 1),
    failed(0, 30, { error, duration: 0, remaining: 100 }),
    attempt(30, 2),
    done(100, 2, "deadline", rejected(error)),
  ]);
});

Deno.test("observe() receives the whole pause when the deadline shortens it", async () => {
  assertEquals(await play({ deadline: 100, exceptions: [Error], pause: 300 }, down), [
    attempt(0, 1),
    failed(0, 300, { error, duration: 0, remaining: 100 }),
    done(100, 1, "deadline", rejected(error)),
  ]);
});

Deno.test("observe() receives each attempt timeout as a failure", async () => {
  const options = { attemptTimeout: 50, deadline: 100, pause: 10, exceptions: [] };
  assertEquals(await play(options, never), [
    attempt(0, 1),
    failed(50, 10, { ...timedOut(50), duration: 50, remaining: 50 }),
    attempt(60, 2),
    done(100, 2, "deadline", rejected(timeout("attempt", 50))),
  ]);
});

Deno.test("observe() receives no failure when the caller aborts an attempt", async () => {
  const events = await play({ exceptions: [Error] }, (_, { clock, controller }) => {
    clock.after(40, () => controller.abort("stop"));
    return never();
  });
  assertEquals(events, [attempt(0, 1), done(40, 1, "aborted", rejected("stop"))]);
});

Deno.test("observe() receives the end at its instant when the caller aborts a pause", async () => {
  const options = { exceptions: [Error], pause: 100 };
  const events = await play(options, (_, { clock, controller }) => {
    clock.after(40, () => controller.abort("stop"));
    return down();
  });
  assertEquals(events, [
    attempt(0, 1),
    failed(0, 100, { error, duration: 0 }),
    done(40, 1, "aborted", rejected("stop")),
  ]);
});

Deno.test("observe() receives the failure, then an aborted end, when giveup aborts the signal", async () => {
  const controller = new AbortController();
  const giveup = () => {
    controller.abort("stop");
    return false;
  };
  const options = { exceptions: [Error], giveup, pause: 10, signal: controller.signal };
  assertEquals(await play(options, down), [
    attempt(0, 1),
    failed(0, null, { error, duration: 0 }),
    done(0, 1, "aborted", rejected("stop")),
  ]);
});

Deno.test("observe() receives the failure, then the error, when giveup or pause throws", async () => {
  const broken = new Error("broken");
  const throwing = () => {
    throw broken;
  };
  for (const option of ["giveup", "pause"]) {
    assertEquals(await play({ exceptions: [Error], [option]: throwing }, down), [
      attempt(0, 1),
      failed(0, null, { error, duration: 0 }),
      done(0, 1, "callbackError", rejected(broken)),
    ]);
  }
});

Deno.test("observe() receives the end alone when the function is never called", async () => {
  assertEquals(await play({ deadline: 0 }, down), [
    done(0, 0, "deadline", rejected(timeout("deadline", 0))),
  ]);
  assertEquals(await play({ signal: AbortSignal.abort("before") }, down), [
    done(0, 0, "aborted", rejected("before")),
  ]);
});

Deno.test("observe() receives attempts and failures when the attempt timeout is 0", async () => {
  const options = { attemptTimeout: 0, grace: 50, pause: 10, maxTries: 2, exceptions: [] };
  assertEquals(await play(options, down), [
    attempt(0, 1),
    failed(0, 10, { ...timedOut(0), duration: 0 }),
    attempt(10, 2),
    failed(10, null, { ...timedOut(0), duration: 0, attempt: 2, pauseBefore: 10 }),
    done(10, 2, "maxTries", rejected(timeout("attempt", 0))),
  ]);
});

Deno.test("observe() may abort in the event of an attempt, whose function is then not called", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const events: string[] = [];
  let calls = 0;
  const observe = ({ type }: BackoffEvent) => {
    events.push(type);
    controller.abort("stop");
  };
  const backoff = new Backoff({ deadline: 100, clock, observe });
  const result = backoff.execute(() => calls++, { signal: controller.signal });
  assertEquals(await clock.run(result.catch((reason) => reason)), "stop");
  assertEquals([calls, events], [0, ["attempt", "done"]]);
  clock.close();
});

Deno.test("observe() receives a success and no failure when a value arrives in the grace", async () => {
  const options = { attemptTimeout: 50, grace: 100, maxTries: 2, exceptions: [] };
  assertEquals(await play(options, (_, { clock }) => clock.sleep(80).then(() => "value")), [
    attempt(0, 1),
    done(80, 1, "success", fulfilled("value")),
  ]);
});

Deno.test("observe() receives the timeout when a rejection ends the grace, also of the last attempt", async () => {
  const rules = { pause: 10, maxTries: 2, exceptions: [] };
  const options = { attemptTimeout: 50, grace: 100, ...rules };
  assertEquals(await play(options, (_, { clock }) => clock.sleep(80).then(down)), [
    attempt(0, 1),
    failed(80, 10, { ...timedOut(50), duration: 80 }),
    attempt(90, 2),
    failed(170, null, { ...timedOut(50), duration: 80, attempt: 2, pauseBefore: 10 }),
    done(170, 2, "maxTries", rejected(timeout("attempt", 50))),
  ]);
});

Deno.test("observe() receives the timeout when the grace has passed, and then late ends", async () => {
  const rules = { pause: 10, maxTries: 2, exceptions: [] };
  const options = { attemptTimeout: 50, grace: 20, ...rules };
  assertEquals(await play(options, (_, { clock }) => clock.sleep(85).then(down)), [
    attempt(0, 1),
    failed(70, 10, { ...timedOut(50), duration: 70 }),
    attempt(80, 2),
    late(85, 1, rejected(error)),
    failed(150, null, { ...timedOut(50), duration: 70, attempt: 2, pauseBefore: 10 }),
    done(150, 2, "maxTries", rejected(timeout("attempt", 50))),
    late(165, 2, rejected(error)),
  ]);
});

Deno.test("observe() receives the timeout as a failure when the deadline ends the grace", async () => {
  assertEquals(await play({ attemptTimeout: 50, deadline: 100, grace: Infinity }, never), [
    attempt(0, 1),
    failed(100, null, { ...timedOut(50), duration: 100, remaining: 0 }),
    done(100, 1, "deadline", rejected(timeout("attempt", 50))),
  ]);
});

Deno.test("observe() receives the timeout as a failure when the caller aborts the grace", async () => {
  const options = { attemptTimeout: 50, grace: Infinity };
  const events = await play(options, (_, { clock, controller }) => {
    clock.after(70, () => controller.abort("stop"));
    return never();
  });
  assertEquals(events, [
    attempt(0, 1),
    failed(70, null, { ...timedOut(50), duration: 70 }),
    done(70, 1, "aborted", rejected("stop")),
  ]);
});

Deno.test("observe() receives late values and late rejections in every phase", async () => {
  const options = { attemptTimeout: 50, pause: 30, maxTries: 3, exceptions: [] };
  const events = await play(options, ({ number }, { clock }) => {
    // In the pause that follows, in the next attempt, and after the end.
    const ms = [60, 100, 200][number - 1] ?? 0;
    return clock.sleep(ms).then(() => number === 2 ? down() : number);
  });
  assertEquals(events, [
    attempt(0, 1),
    failed(50, 30, { ...timedOut(50), duration: 50 }),
    late(60, 1, fulfilled(1)),
    attempt(80, 2),
    failed(130, 30, { ...timedOut(50), duration: 50, attempt: 2, pauseBefore: 30 }),
    attempt(160, 3),
    late(180, 2, rejected(error)),
    failed(210, null, { ...timedOut(50), duration: 50, attempt: 3, pauseBefore: 30 }),
    done(210, 3, "maxTries", rejected(timeout("attempt", 50))),
    late(360, 3, fulfilled(3)),
  ]);
});

Deno.test("observe() receives late ends after the deadline and after an abort", async () => {
  const afterDeadline = await play({ deadline: 100 }, (_, { clock }) => clock.sleep(130));
  assertEquals(afterDeadline.at(-1), late(130, 1, fulfilled(undefined)));
  const afterAbort = await play({}, (_, { clock, controller }) => {
    clock.after(40, () => controller.abort("stop"));
    return clock.sleep(130).then(down);
  });
  assertEquals(afterAbort.slice(1), [
    done(40, 1, "aborted", rejected("stop")),
    late(130, 1, rejected(error)),
  ]);
});

Deno.test("observe() does not receive a late rejection that repeats the signal's reason", async () => {
  const stop = ({ signal }: Attempt, { clock }: Fixture) => clock.sleep(500, { signal });
  const events = await play({ attemptTimeout: 50, maxTries: 1 }, stop);
  assertEquals(events.length, 3);
  assertEquals((await play({ deadline: 100 }, stop)).length, 2);
  // Also after a while. Another error is reported.
  const slowly = (reason?: unknown) => ({ signal }: Attempt, { clock }: Fixture) =>
    clock.sleep(200).then(() => Promise.reject(reason ?? signal.reason));
  assertEquals((await play({ deadline: 100 }, slowly())).length, 2);
  assertEquals((await play({ deadline: 100 }, slowly("else"))).length, 3);
});

Deno.test("observe() receives the number of the execution, which distinguishes concurrent ones", async () => {
  const clock = new TestClock(5000);
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => events.push(event);
  const first = new Backoff({
    exceptions: [Error],
    pause: 10,
    maxTries: 2,
    clock,
    observe,
  });
  const second = new Backoff({ clock, observe });
  await clock.run(Promise.allSettled([
    first.execute(down),
    first.execute(down),
    second.execute(() => "value"),
  ]));
  const byExecution = new Map<number, string[]>();
  for (const { execution, type, at } of events) {
    byExecution.set(execution, [...byExecution.get(execution) ?? [], `${type}@${at}`]);
  }
  const twice = [
    "attempt@5000",
    "failure@5000",
    "attempt@5010",
    "failure@5010",
    "done@5010",
  ];
  assertEquals([...byExecution.values()], [twice, twice, ["attempt@5000", "done@5000"]]);
  clock.close();
});

Deno.test("observe() receives the name of the execution in each event and failure", async () => {
  const names: [option: string | null, ownOption: string | null, expected: string][] = [
    [null, null, "load"],
    ["policy", null, "policy"],
    [null, "own", "own"],
    ["policy", "own", "own"],
    ["policy", "", ""],
    ["", null, ""],
  ];
  for (const [name, ownName, expected] of names) {
    const clock = new TestClock();
    const seen: string[] = [];
    const observe = (event: BackoffEvent) => {
      seen.push(event.name);
      if (event.type === "failure") seen.push(event.failure.name);
    };
    const rules = { attemptTimeout: 50, exceptions: [Error], maxTries: 2 };
    const backoff = new Backoff({ ...rules, name, clock, observe });
    const load = async ({ number }: Attempt) => {
      await clock.sleep(number === 1 ? 60 : 10);
      throw error;
    };
    await clock.run(backoff.execute(load, { name: ownName }).catch(() => {}));
    // Two attempts with a failure each, a late end, and the end.
    assertEquals(seen, Array(8).fill(expected));
    clock.close();
  }
});

Deno.test("observe() receives a refused result as a failure, and then its end", async () => {
  const until = (value: unknown) => value === 2;
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => void events.push(event);
  const backoff = new Backoff({ until, pause: 10, clock, observe });
  assertEquals(await clock.run(backoff.execute(({ number }) => number)), 2);
  const [, failure] = events;
  assert(failure?.type === "failure");
  assertEquals([failure.pauseAfter, failure.failure.limit], [10, null]);
  assert(failure.failure.error instanceof ResultError);
  assertEquals(failure.failure.error.value, 1);
  const types = events.map(({ type }) => type);
  assertEquals(types, ["attempt", "failure", "attempt", "done"]);
  clock.close();
});

Deno.test("observe() receives frozen events, with frozen failures and outcomes", async () => {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const value = { own: "object" };
  const backoff = new Backoff({
    attemptTimeout: 50,
    pause: 10,
    exceptions: [],
    clock,
    observe: (event) => events.push(event),
  });
  const result = backoff.execute<unknown>(({ number }) =>
    number === 1 ? clock.sleep(55) : value
  );
  assertStrictEquals(await clock.run(result), value);
  assertEquals(events.map(({ type }) => type), [
    "attempt",
    "failure",
    "late",
    "attempt",
    "done",
  ]);
  for (const event of events) {
    assert(Object.isFrozen(event), event.type);
    if ("outcome" in event) assert(Object.isFrozen(event.outcome), event.type);
    if ("failure" in event) assert(Object.isFrozen(event.failure), event.type);
  }
  // The caller's own value is not frozen.
  assert(!Object.isFrozen(value));
  clock.close();
});

Deno.test("Backoff.execute() aborts the signal, then calls observe, then settles, when a limit is reached", async () => {
  const time = new TestClock();
  const now = () => time.now();
  const sleep: Clock["sleep"] = (ms, options) => time.sleep(ms, options);
  for (const limit of ["attemptTimeout", "deadline"] as const) {
    for (const clock of [time, { now, sleep }]) {
      const beganAt = time.now();
      const log: string[] = [];
      const note = (what: string) => log.push(`${what}@${time.now() - beganAt}`);
      const observe = ({ type }: BackoffEvent) => note(type);
      const backoff = new Backoff({ [limit]: 100, maxTries: 1, clock, observe });
      const result = backoff.execute(({ signal }) => {
        signal.addEventListener("abort", () => note("signal"));
        return never();
      });
      await time.run(result.catch(() => note("settled")));
      const failure = limit === "attemptTimeout" ? ["failure@100"] : [];
      assertEquals(log, ["attempt@0", "signal@100", ...failure, "done@100", "settled@100"]);
    }
  }
  time.close();
});

Deno.test("Backoff.execute() stays with a limit when an abort listener aborts the caller's signal", async () => {
  for (const limit of ["attemptTimeout", "deadline"] as const) {
    const options = { [limit]: 100, pause: 10, exceptions: [] };
    const events = await play(options, ({ signal }, { controller }) => {
      signal.addEventListener("abort", () => controller.abort("stop"));
      return never();
    });
    const ends = {
      deadline: [done(100, 1, "deadline", rejected(timeout("deadline", 100)))],
      // The failure is reported, and the abort ends the pause that follows.
      attemptTimeout: [
        failed(100, 10, { ...timedOut(100), duration: 100 }),
        done(100, 1, "aborted", rejected("stop")),
      ],
    };
    assertEquals(events, [attempt(0, 1), ...ends[limit]]);
  }
});

Deno.test("observe() changes nothing when it throws, and its errors are uncaught", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const clock = new TestClock();
  const observe = ({ type }: BackoffEvent) => {
    throw type;
  };
  const backoff = new Backoff({ exceptions: [Error], pause: 10, clock, observe });
  try {
    const result = backoff.execute(({ number }) => number === 1 ? down() : "value");
    assertEquals(await clock.run(result), "value");
    await clock.advance(0);
  } finally {
    stop();
  }
  assertEquals(uncaught, ["attempt", "failure", "attempt", "done"]);
  assertEquals([backoff.statistic.attempts, clock.now()], [2, 10]);
  clock.close();
});

Deno.test("observe() receives the end before the promise settles", async () => {
  const clock = new TestClock();
  const log: unknown[] = [];
  const observe = ({ type }: BackoffEvent) => log.push(type);
  const backoff = new Backoff({ clock, observe });
  await clock.run(backoff.execute(() => "value").then((value) => log.push(value)));
  assertEquals(log, ["attempt", "done", "value"]);
  clock.close();
});
