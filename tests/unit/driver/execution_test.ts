// The driver on signals and clocks that throw, its fast path, and the functions of the caller
// that it calls.

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Clock,
  currentAttemptOrNull,
  type Reason,
  sleep,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { CONTROL, type RunningAttempt } from "../../../src/driver/attempt.ts";

const boom = new Error("boom");

function throwBoom(): never {
  throw boom;
}

/** A test clock in which some functions are replaced. */
function clockWith(time: TestClock, changes: Partial<Clock>): Clock {
  return {
    now: () => time.now(),
    sleep: (ms, options) => time.sleep(ms, options),
    after: (ms, wake) => time.after(ms, wake),
    ...changes,
  };
}

/** A signal that throws when a listener is removed. */
function stickySignal(): AbortSignal {
  return Object.assign(new AbortController().signal, { removeEventListener: throwBoom });
}

Deno.test("Backoff.execute() settles as usual when a signal throws on removing the listener", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ deadline: 100, clock });
  const signal = stickySignal();

  assertEquals(await clock.run(backoff.execute(() => "value", { signal })), "value");
  clock.close();
});

Deno.test("Backoff.execute() rejects with the error of its clock when its signal throws as well", async () => {
  const time = new TestClock();
  const events: BackoffEvent[] = [];
  const clock = clockWith(time, { after: throwBoom });
  const backoff = new Backoff({
    deadline: 100,
    clock,
    observe: (event) => events.push(event),
  });

  const result = backoff.execute(() => "value", { signal: stickySignal() });

  assertStrictEquals(await result.catch((error) => error), boom);
  const last = events.at(-1);
  assertEquals(last?.type === "done" && last.reason, "callbackError");
  assertEquals(events.filter(({ type }) => type === "done").length, 1);
  time.close();
});

Deno.test("Backoff.execute() rejects with the error of its clock when a timer cannot be cancelled", async () => {
  const time = new TestClock();
  const clock = clockWith(time, { after: () => throwBoom });
  const backoff = new Backoff({ deadline: 100, clock });

  assertStrictEquals(await backoff.execute(() => "value").catch((error) => error), boom);
  const { attempts, done, errors, cancels, refused, sumTime } = backoff.statistic;
  assertEquals([attempts, done, errors, cancels, refused, sumTime], [1, 1, 0, 0, 0, 0]);
});

Deno.test("Backoff.execute() rejects with the error of its clock when the pause after a timeout cannot begin", async () => {
  const time = new TestClock();
  let waits = 0;
  const clock = clockWith(time, {
    after: (ms, wake) => ++waits === 1 ? time.after(ms, wake) : throwBoom(),
  });
  const backoff = new Backoff({ attemptTimeout: 100, clock });
  let signal: AbortSignal | undefined;

  const result = backoff.execute((attempt) => {
    signal = attempt.signal;
    return new Promise(() => {});
  });

  assertStrictEquals(await time.run(result.catch((error) => error)), boom);
  assertEquals(time.now(), 100);
  assertEquals(signal?.aborted, true);
  assertEquals([backoff.statistic.done, backoff.statistic.errors], [1, 1]);
  time.close();
});

Deno.test("observe() receives a late event at the last known instant when the clock has failed meanwhile", async () => {
  const time = new TestClock();
  const events: BackoffEvent[] = [];
  let isBroken = false;
  const clock = clockWith(time, { now: () => isBroken ? throwBoom() : time.now() });
  const backoff = new Backoff({
    deadline: 100,
    clock,
    observe: (event) => events.push(event),
  });

  const result = backoff.execute(() => time.sleep(150).then(() => "late"));
  await assertRejects(() => time.run(result), Error, "deadline of 100 ms");
  isBroken = true;
  await time.advance(50);

  const last = events.at(-1);
  assertEquals(last?.type, "late");
  assertEquals(last?.at, 100);
  time.close();
});

Deno.test("Backoff.execute() has the same result on the fast path and without it", async () => {
  const fixtures: ((time: TestClock) => () => unknown)[] = [
    () => () => "at once",
    (time) => () => sleep(8, { clock: time }).then(() => "in time"),
    (time) => () => sleep(10, { clock: time }).then(() => "at the limit"),
    (time) => {
      let calls = 0;
      return () => ++calls < 3 ? sleep(20, { clock: time }) : "after two timeouts";
    },
    () => throwBoom,
  ];
  const options = [
    {},
    { observe: () => {} },
    { signal: new AbortController().signal },
    { budget: { began() {}, failed() {}, succeeded() {}, mayRetry: () => true } },
    { budget: { mayRetry: () => true } },
    { until: () => true },
  ];
  for (const fixture of fixtures) {
    const ends = options.map(async (options) => {
      const clock = new TestClock();
      const limits = { attemptTimeout: 10, deadline: 100, pause: 5, exceptions: [] };
      const backoff = new Backoff({ ...limits, ...options, clock });
      const outcome = await clock.run(backoff.execute(fixture(clock)).catch(String));
      return { outcome, at: clock.now(), statistic: backoff.statistic.toJSON() };
    });
    const [fast, ...others] = await Promise.all(ends);
    for (const each of others) assertEquals(each, fast);
  }
});

Deno.test("Backoff.execute() rejects with the error of its clock at the end of an attempt", async () => {
  const time = new TestClock();
  let isBroken = false;
  const broken: Partial<Clock>[] = [
    { now: () => isBroken ? throwBoom() : time.now() },
    { after: (ms, wake) => (time.after(ms, wake), throwBoom) },
  ];
  for (const changes of broken) {
    isBroken = false;
    const backoff = new Backoff({ deadline: 100, clock: clockWith(time, changes) });
    const result = backoff.execute(() => {
      isBroken = true;
      return "never returned";
    });
    assertStrictEquals(await result.catch((error) => error), boom);
    assertEquals(backoff.statistic.ends.callbackError, 1);
    assertEquals(backoff.statistic.ends.success, 0);
  }
});

Deno.test("Backoff.execute() settles when its clock can neither be read nor cancel a timer", async () => {
  const time = new TestClock();
  let isBroken = false;
  const clock = clockWith(time, {
    now: () => isBroken ? throwBoom() : time.now(),
    after: () => () => {
      throw "cannot cancel";
    },
  });
  const backoff = new Backoff({ deadline: 100, clock });

  const result = backoff.execute(() => void (isBroken = true));

  assertEquals(await result.catch((error) => error), "cannot cancel");
  assertEquals(backoff.statistic.ends.callbackError, 1);
});

// The hooks of a budget.

/** A budget that notes its calls, with their instants. */
function notingBudget() {
  const log: string[] = [];
  const note = (what: string) => (at: number) => log.push(`${what} ${at}`) > 0;
  const budget = { began: note("began"), ended: note("ended"), mayRetry: () => true };
  return { log, budget };
}

const ends: [
  reason: Reason,
  endsAt: number,
  options: BackoffOptions,
  body: (attempt: Attempt, clock: TestClock, stop: () => void) => unknown,
][] = [
  ["success", 10, {}, (_, clock) => clock.sleep(10)],
  ["nonRetryable", 0, { exceptions: [] }, () => throwBoom()],
  ["maxTries", 7, { exceptions: "all", maxTries: 2, pause: 7 }, () => throwBoom()],
  ["giveup", 0, { exceptions: "all", giveup: () => true }, () => throwBoom()],
  ["deadline", 50, { deadline: 50 }, () => new Promise(() => {})],
  ["deadline", 50, { deadline: 50, exceptions: "all", pause: 70 }, () => throwBoom()],
  [
    "deadline",
    0,
    { deadline: 50, exceptions: "all", pause: 70, minRemaining: 0 },
    () => throwBoom(),
  ],
  ["aborted", 20, {}, (_, clock, stop) => (clock.after(20, stop), new Promise(() => {}))],
  ["aborted", 20, { exceptions: "all", pause: 70 }, (_, clock, stop) => {
    clock.after(20, stop);
    throwBoom();
  }],
  ["callbackError", 0, { until: throwBoom }, () => "value"],
  ["callbackError", 0, { exceptions: throwBoom }, () => throwBoom()],
];

for (const [index, [reason, endsAt, options, body]] of ends.entries()) {
  Deno.test(`Backoff.execute() tells the budget of the end of an execution once (${index}: ${reason})`, async () => {
    const clock = new TestClock(1000);
    const controller = new AbortController();
    const { log, budget } = notingBudget();
    const backoff = new Backoff({ exceptions: [], ...options, budget, clock });
    const fn = (attempt: Attempt) => body(attempt, clock, () => controller.abort("stop"));
    const result = backoff.execute(fn, { signal: controller.signal });
    await clock.run(result.catch(() => {}));
    assertEquals(log, ["began 1000", `ended ${1000 + endsAt}`]);
    assertEquals(backoff.statistic.ends[reason], 1);
    clock.close();
  });
}

Deno.test("Backoff.execute() tells the budget of no end when the function is never called", async () => {
  const clock = new TestClock();
  const { log, budget } = notingBudget();
  const rules = { exceptions: [], budget, clock };
  await new Backoff({ ...rules, deadline: 0 }).execute(() => {}).catch(() => {});
  const signal = AbortSignal.abort("before");
  await new Backoff(rules).execute(() => {}, { signal }).catch(() => {});
  assertEquals(log, []);
  clock.close();
});

Deno.test("Backoff.execute() tells the budget of no end when the clock fails before it began", async () => {
  const time = new TestClock();
  const { log, budget } = notingBudget();
  const clock = clockWith(time, { after: throwBoom });
  const backoff = new Backoff({ deadline: 100, exceptions: [], budget, clock });
  assertStrictEquals(await backoff.execute(() => {}).catch((error) => error), boom);
  assertEquals(log, []);
  time.close();
});

Deno.test("Backoff.execute() tells the budget of the end before the observer, and before it settles", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const backoff = new Backoff({
    exceptions: [],
    budget: { mayRetry: () => true, ended: () => void log.push("ended") },
    observe: ({ type }) => void log.push(type),
    clock,
  });
  await clock.run(backoff.execute(() => "value").then((value) => log.push(value)));
  assertEquals(log, ["attempt", "ended", "done", "value"]);
  clock.close();
});

// Results that are refused.

Deno.test("Backoff.execute() has no current attempt while it asks until and exceptions", async () => {
  const clock = new TestClock();
  const seen: unknown[] = [];
  const backoff = new Backoff({
    until: () => seen.push(currentAttemptOrNull()) > 1,
    exceptions: () => seen.push(currentAttemptOrNull()) > 0,
    clock,
  });
  const value = await clock.run(backoff.execute(({ number }) => {
    if (number === 1) throwBoom();
    return number;
  }));
  assertEquals([value, seen], [2, [null, null]]);
  clock.close();
});

Deno.test("Backoff.execute() ends by the abort when until aborts the signal, whatever it answers", async () => {
  for (const isAccepted of [true, false]) {
    const clock = new TestClock();
    const controller = new AbortController();
    const types: string[] = [];
    const backoff = new Backoff({
      until: () => (controller.abort("stop"), isAccepted),
      observe: ({ type }) => void types.push(type),
      clock,
    });
    const { signal } = controller;
    const result = backoff.execute(() => "value", { signal });
    assertEquals(await clock.run(result.catch((reason) => reason)), "stop");
    const failure = isAccepted ? [] : ["failure"];
    assertEquals(types, ["attempt", ...failure, "done"]);
    assertEquals(backoff.statistic.ends.aborted, 1);
    clock.close();
  }
});

// Items of a stream, which a consumer holds.

/** Opens a stream, and holds an item of it, or asks for the next one, at some instants. */
function holdAt(attempt: Attempt, clock: TestClock, instants: Record<number, boolean>) {
  const control = (attempt as RunningAttempt)[CONTROL];
  if (Object.keys(instants).length > 0) control.report("open", true);
  for (const [at, isHeld] of Object.entries(instants)) {
    const hold = () => void control.report(isHeld ? "item" : "ask", true);
    if (at === "0") hold();
    else clock.after(Number(at), hold);
  }
}

/** The limit that ends an attempt, and the instant. */
async function endOf(options: BackoffOptions, instants: Record<number, boolean>) {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: [], maxTries: 1, ...options, clock });
  const result = backoff.execute((attempt) => {
    holdAt(attempt, clock, instants);
    return sleep(1000, { clock });
  });
  const end = await clock.run(result.then(() => "value", (error) => error.limit));
  const at = clock.now();
  await clock.advance(1000);
  clock.close(); // throws if a timer is left
  return [end, at, backoff.statistic.progress];
}

Deno.test("AttemptControl.report() ends the attempt timeout, and stops the idle timeout while an item is held", async () => {
  const limits = { attemptTimeout: 100, idleTimeout: 50 };
  assertEquals(await endOf(limits, {}), ["idle", 50, 0]);
  assertEquals(await endOf(limits, { 40: true }), ["value", 1000, 1]);
  assertEquals(await endOf(limits, { 40: true, 300: false }), ["idle", 350, 1]);
  const both = { 40: true, 300: false, 340: true, 600: false };
  assertEquals(await endOf(limits, both), ["idle", 650, 1]); // the first item is progress
  assertEquals(await endOf({ attemptTimeout: 100 }, { 0: true }), ["value", 1000, 1]);
  assertEquals(await endOf({ attemptTimeout: 100 }, { 100: true }), ["attempt", 100, 0]);
  assertEquals(await endOf({ idleTimeout: 50 }, { 0: true, 10: false }), ["idle", 60, 1]);
  assertEquals(await endOf({}, { 10: true, 20: false }), ["value", 1000, 1]);
});

Deno.test("AttemptControl.report() leaves the deadline and the abort of a signal as they are", async () => {
  const limits = { attemptTimeout: 100, idleTimeout: 50, deadline: 400 };
  assertEquals(await endOf(limits, { 10: true }), ["deadline", 400, 1]);
  assertEquals(await endOf(limits, { 10: true, 370: false }), ["deadline", 400, 1]);
  const clock = new TestClock();
  const controller = new AbortController();
  clock.after(300, () => controller.abort("stop"));
  const { signal } = controller;
  const backoff = new Backoff({ ...limits, exceptions: [], signal, clock });
  const result = backoff.execute((attempt) => {
    holdAt(attempt, clock, { 10: true });
    return new Promise(() => {});
  });
  assertEquals(await clock.run(result.catch((error) => error)), "stop");
  assertEquals(clock.now(), 300);
  clock.close();
});

Deno.test("AttemptControl.report() holds for its attempt alone, and changes nothing after it", async () => {
  const clock = new TestClock();
  const limits = { attemptTimeout: 100, maxTries: 2, exceptions: [Error] };
  const backoff = new Backoff({ ...limits, clock });
  const attempts: Attempt[] = [];
  const result = backoff.execute(async (attempt) => {
    attempts.push(attempt);
    for (const each of attempts.slice(0, 1)) holdAt(each, clock, { 0: true, 5: true });
    if (attempt.number === 1) {
      throw await sleep(200, { clock }).then(() => new Error("down"));
    }
    return await new Promise(() => {});
  });
  const error = await clock.run(result.then(null, (error) => error));
  assertEquals([error.limit, clock.now(), backoff.statistic.progress], ["attempt", 300, 1]);
  clock.close();
});

Deno.test("AttemptControl.report() sets no timer of a negative time when the deadline is late", async () => {
  const time = new TestClock();
  const asked: number[] = [];
  let ahead = 0;
  const clock = clockWith(time, {
    now: () => time.now() + ahead,
    after: (ms, wake) => (asked.push(ms), time.after(ms, wake)),
  });
  const backoff = new Backoff({
    attemptTimeout: 100,
    deadline: 200,
    exceptions: [],
    clock,
  });
  const result = backoff.execute(async (attempt) => {
    await sleep(10, { clock: time });
    ahead = 500; // the deadline has passed, and no timer has fired yet
    holdAt(attempt, time, { 0: true });
    await new Promise(() => {});
  });
  const error = await time.run(result.catch((error) => error));
  assertEquals([error.limit, asked], ["deadline", [100, 0]]);
  time.close();
});

Deno.test("AttemptControl.report() calls the function once when a clock wakes for a timer that was cancelled", async () => {
  const time = new TestClock();
  const clock = clockWith(time, { after: (ms, wake) => (time.after(ms, wake), () => {}) });
  const limits = { attemptTimeout: 100, deadline: 300, exceptions: [] };
  const backoff = new Backoff({ ...limits, clock });
  let calls = 0;
  const result = backoff.execute((attempt) => {
    calls++;
    holdAt(attempt, time, { 50: true });
    return new Promise(() => {});
  });
  const error = await time.run(result.then(null, (error) => error));
  assertEquals([error.limit, time.now(), calls], ["deadline", 300, 1]);
});

Deno.test("AttemptControl.report() ends the execution when the clock fails as it arms the deadline anew", async () => {
  const time = new TestClock();
  let arms = 0;
  const after = (ms: number, wake: () => void) =>
    ++arms === 2 ? throwBoom() : time.after(ms, wake);
  const clock = clockWith(time, { after });
  const backoff = new Backoff({
    attemptTimeout: 100,
    deadline: 300,
    exceptions: [],
    clock,
  });
  const result = backoff.execute((attempt) => {
    holdAt(attempt, time, { 50: true });
    return new Promise(() => {});
  });
  const end = Promise.race([
    result.then(null, (error) => error),
    sleep(1000, { clock: time }).then(() => "it hangs"),
  ]);
  assertStrictEquals(await time.run(end), boom);
  assertEquals(time.now(), 50);
});
