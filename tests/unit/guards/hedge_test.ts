// The driver of a hedge: the instants of its calls, its result, its losers, events and counters.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  Backoff,
  type Budget,
  type Clock,
  currentAttempt,
  sleep,
  systemClock,
} from "@asyncbackoff/asyncbackoff";
import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import {
  hedge,
  type HedgeEvent,
  type HedgeOptions,
  quantile,
  SupersededError,
} from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { HedgeRules } from "../../../src/guards/hedge_options.ts";
import { HedgedExecution } from "../../../src/guards/hedged_execution.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

class Busy extends Error {}
class Fatal extends Error {}

/** The plan of a call: after some milliseconds it returns its number, or throws an error. */
type Plan = [ms: number, error?: Error];

/** A hedge on a test clock, and a function behind it whose calls follow a plan. */
function fixture(options: Partial<HedgeOptions> = {}, ...plans: Plan[]) {
  const clock = new TestClock();
  const log: string[] = [];
  const signals: AbortSignal[] = [];
  const observe = (event: HedgeEvent) => {
    const detail = event.type === "done" ? `${event.calls} ${event.call}` : `${event.call}`;
    log.push(`${event.at} ${event.type} ${detail}`);
  };
  const hedged = hedge({
    after: 50,
    maxHedges: 3,
    exceptions: [Busy],
    clock,
    observe,
    ...options,
  });
  const service = {
    async load() {
      const { number, signal } = currentAttempt();
      signals[number] = signal;
      const [ms, error] = plans[number - 1] ?? [Infinity];
      await sleep(ms, { clock });
      if (error !== undefined) throw error;
      return number;
    },
  };
  const load = hedged(service.load);
  const run = () => clock.run(load().catch((error) => error));
  const reasonOf = (call: number) => signals[call]?.reason;
  return { clock, hedged, load, run, log, signals, reasonOf };
}

Deno.test("hedge() makes one call when that returns in time, and leaves no timer", async () => {
  const { clock, run, log, hedged } = fixture({}, [49]);
  assertEquals(await run(), 1);
  assertEquals([clock.now(), clock.pending], [49, 0]);
  assertEquals(log, ["0 call 1", "49 done 1 1"]);
  const { executions, calls, hedges, succeeded } = hedged.statistic;
  assertEquals([executions, calls, hedges, succeeded], [1, 1, 0, 1]);
});

Deno.test("hedge() makes no second call when the first returns at that very instant", async () => {
  const { run, log } = fixture({}, [50]);
  assertEquals(await run(), 1);
  assertEquals(log, ["0 call 1", "50 done 1 1"]);
});

Deno.test("hedge() makes the next call each time 'after' has passed", async () => {
  const { clock, load, log } = fixture();
  load();
  await clock.advance(1000);
  assertEquals(log, ["0 call 1", "50 call 2", "100 call 3", "150 call 4"]);
});

Deno.test("hedge() returns the first value, and aborts the others with a SupersededError", async () => {
  const { clock, run, log, signals, reasonOf, hedged } = fixture({}, [500], [500], [20]);
  assertEquals(await run(), 3);
  assertEquals(log, ["0 call 1", "50 call 2", "100 call 3", "120 done 3 3"]);
  for (const call of [1, 2]) {
    assertInstanceOf(reasonOf(call), SupersededError);
    assertEquals(
      reasonOf(call).message,
      "'load' is no longer needed: another call has decided the result",
    );
  }
  assertEquals(signals[3]?.aborted, false);
  await clock.advance(1000);
  assertEquals(log.slice(4), ["500 late 1", "550 late 2"]);
  const { calls, hedges, wins, late } = hedged.statistic;
  assertEquals([calls, hedges, wins, late], [3, 2, 1, 2]);
});

Deno.test("hedge() gives a tie to the earlier call", async () => {
  const { clock, run, log } = fixture({}, [120], [70], [20]);
  assertEquals(await run(), 1);
  await clock.advance(0);
  assertEquals(log.slice(3), ["120 done 3 1", "120 late 2", "120 late 3"]);
});

Deno.test("hedge() gives a tie to the earlier call also when the later value is delivered first", async () => {
  const clock = new TestClock();
  const ends: ((value: number) => void)[] = [];
  const events: string[] = [];
  const observe = ({ type }: HedgeEvent) => events.push(type);
  const hedged = hedge({ after: 50, maxHedges: 2, clock, observe });
  const load = hedged(() => new Promise<number>((resolve) => ends.push(resolve)));
  const result = load();
  await clock.advance(100);
  for (const call of [3, 2, 1]) ends[call - 1]?.(call);
  assertEquals(await result, 1);
  await null;
  assertEquals(events.slice(3), ["done", "late", "late"]);
  const other = load();
  await clock.advance(100);
  ends[5]?.(6);
  ends[4]?.(5);
  assertEquals(await other, 5); // the first call still runs
});

Deno.test("hedge() lets a value win over a failure that is delivered after it in the same moment", async () => {
  const clock = new TestClock();
  const ends: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  const load = hedge({ after: 50, clock })(() =>
    new Promise<number>((resolve, reject) => ends.push({ resolve, reject }))
  );
  const result = load();
  await clock.advance(50);
  ends[1]?.resolve(2);
  ends[0]?.reject(new Fatal());
  assertEquals(await result, 2);
});

Deno.test("hedge() makes the next call at once after a failure that is listed", async () => {
  const { run, log } = fixture({}, [10, new Busy()], [20, new Busy()], [500], [30]);
  assertEquals(await run(), 4);
  assertEquals(log, [
    "0 call 1",
    "10 failure 1",
    "10 call 2",
    "30 failure 2",
    "30 call 3",
    "80 call 4",
    "110 done 4 4",
  ]);
});

Deno.test("hedge() is ended by another failure, which cancels the calls that run", async () => {
  const fatal = new Fatal();
  const { run, log, reasonOf, hedged } = fixture({}, [500], [20, fatal]);
  assertStrictEquals(await run(), fatal);
  assertEquals(log, ["0 call 1", "50 call 2", "70 failure 2", "70 done 2 null"]);
  assertInstanceOf(reasonOf(1), SupersededError);
  assertEquals(hedged.statistic.failed, 1);
});

Deno.test("hedge() rejects with the last error when all calls fail", async () => {
  const errors = [1, 2, 3, 4].map((number) => new Busy(`${number}`));
  const plans = errors.map((error, index): Plan => [index === 0 ? 500 : 10, error]);
  const { clock, run, log } = fixture({}, ...plans);
  assertStrictEquals(await run(), errors[0]);
  assertEquals([clock.now(), log.at(-1)], [500, "500 done 4 null"]);
});

Deno.test("hedge() waits for a pushback, and makes no other call after a negative one", async () => {
  const pushback = (error: unknown) => Number((error as Error).message);
  const delayed = fixture({ pushback }, [10, new Busy("200")], [500], [500]);
  delayed.load();
  await delayed.clock.advance(300);
  const calls = delayed.log.filter((line) => line.includes("call"));
  assertEquals(calls, ["0 call 1", "210 call 2", "260 call 3"]);
  const stopped = fixture({ pushback }, [70, new Busy("-1")], [100]);
  assertEquals(await stopped.run(), 2);
  assertEquals(stopped.log, [
    "0 call 1",
    "50 call 2",
    "70 failure 1",
    "150 done 2 2",
  ]);
  const alone = fixture({ pushback }, [10, new Busy("-1")]);
  assertEquals((await alone.run() as Error).message, "-1");
});

Deno.test("hedge() makes another call only after a failure when 'after' is Infinity", async () => {
  const { clock, run, log } = fixture({ after: Infinity }, [900, new Busy()], [10]);
  assertEquals(await run(), 2);
  assertEquals([clock.now(), log.length], [910, 4]);
});

Deno.test("hedge() makes all calls at the first instant when 'after' is 0", async () => {
  const { run, log } = fixture({ after: 0 }, [500], [500], [20]);
  assertEquals(await run(), 3);
  assertEquals(log.slice(0, 4), ["0 call 1", "0 call 2", "0 call 3", "0 call 4"]);
});

Deno.test("hedge() asks its budget before each call but the first, and sends no more when it refuses", async () => {
  const asked: unknown[] = [];
  const budget: Budget = {
    began: (at) => void asked.push(`began ${at}`),
    failed: (at) => void asked.push(`failed ${at}`),
    succeeded: (at) => void asked.push(`succeeded ${at}`),
    ended: (at) => void asked.push(`ended ${at}`),
    mayRetry: (at, failure) => asked.push(`may ${at} ${failure}`) < 4,
  };
  const { run, log, hedged } = fixture({ budget }, [500], [10, new Busy()], [
    10,
    new Busy(),
  ]);
  assertEquals(await run(), 1);
  assertEquals(asked, [
    "began 0",
    "may 50 null",
    "failed 60",
    "may 60 null",
    "succeeded 500",
    "ended 500",
  ]);
  assertEquals(log.filter((line) => line.includes("call")).length, 2);
  assertEquals(hedged.statistic.refused, 1);
});

Deno.test("hedge() is bounded by the budgets for retries", async () => {
  const budget = new RetryBudget({ retryRatio: 0.1, minRetriesPerSecond: 0 });
  const { clock, load, hedged } = fixture({ budget }, [500], [500]);
  const all = Array.from({ length: 100 }, () => load());
  await clock.run(Promise.all(all));
  assertEquals(hedged.statistic.hedges, 10);
  const tokens = new TokenBudget({ maxTokens: 4 });
  const failing = fixture({ budget: tokens }, [10, new Busy()], [10, new Busy()]);
  await failing.run();
  assertEquals(failing.hedged.statistic.hedges, 1); // two failures leave half of the tokens
});

Deno.test("hedge() rejects with what a callback throws, and cancels its calls", async () => {
  const bug = new Error("a bug");
  const fail = () => {
    throw bug;
  };
  const callbacks: Partial<HedgeOptions>[] = [
    { exceptions: fail },
    { pushback: fail },
    { budget: { mayRetry: fail } },
    { budget: { mayRetry: () => true, failed: fail } },
  ];
  for (const [index, options] of callbacks.entries()) {
    const { clock, run, reasonOf, hedged } = fixture(options, [500], [10, new Busy()]);
    assertStrictEquals(await run(), bug, `row ${index}`);
    assertStrictEquals(reasonOf(1), bug, `row ${index}`);
    assertEquals([clock.now() <= 60, hedged.statistic.aborted], [true, 1]);
  }
  const began = fixture({ budget: { mayRetry: () => true, began: fail } });
  assertStrictEquals(await began.run(), bug);
  assertEquals(began.hedged.statistic.calls, 0);
  const succeeded = fixture({ budget: { mayRetry: () => true, succeeded: fail } }, [10]);
  assertStrictEquals(await succeeded.run(), bug);
  const promised = fixture({
    // deno-lint-ignore no-explicit-any
    budget: { mayRetry: (() => Promise.resolve(true)) as any },
  });
  assertInstanceOf(await promised.run(), TypeError);
});

Deno.test("hedge() makes what 'ended' and 'observe' throw uncaught errors, which change nothing", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const fail = () => {
    throw new Error("a bug");
  };
  const { run } = fixture({
    budget: { mayRetry: () => true, ended: fail },
    observe: fail,
  }, [10]);
  assertEquals(await run(), 1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  stop();
  assertEquals(uncaught.length, 3); // call, done, ended
});

Deno.test("hedge() emits nothing late for a call that only reports its abort", async () => {
  const clock = new TestClock();
  const types: string[] = [];
  const hedged = hedge({
    after: 10,
    clock,
    observe: ({ type }) => types.push(type),
  });
  const load = hedged(async () => {
    const { number, signal } = currentAttempt();
    await sleep(number === 1 ? 100 : 5, { clock, signal });
    return number;
  });
  assertEquals(await clock.run(load()), 2);
  await clock.advance(100);
  assertEquals(types, ["call", "call", "done"]);
  assertEquals([hedged.statistic.late, clock.pending], [0, 0]);
});

Deno.test("hedge() passes what observers receive: frozen events with their outcomes", async () => {
  const events: HedgeEvent[] = [];
  const busy = new Busy();
  const { run } = fixture({ observe: (event) => events.push(event), name: "users" }, [
    10,
    busy,
  ], [20]);
  await run();
  assert(events.every((event) => Object.isFrozen(event)));
  const common = { name: "users" };
  assertEquals(events as unknown[], [
    { ...common, type: "call", at: 0, call: 1 },
    {
      ...common,
      type: "failure",
      at: 10,
      call: 1,
      outcome: { status: "rejected", reason: busy },
    },
    { ...common, type: "call", at: 10, call: 2 },
    {
      ...common,
      type: "done",
      at: 30,
      calls: 2,
      call: 2,
      outcome: { status: "fulfilled", value: 2 },
    },
  ]);
  const unseen = fixture({ observe: null }, [60], [500]);
  assertEquals(await unseen.run(), 1);
});

Deno.test("hedge() takes its delay from a quantile of what first calls took", async () => {
  const clock = new TestClock();
  let ms = 100;
  const calls: number[] = [];
  const hedged = hedge({
    after: quantile(0.5, { minCalls: 10, window: 1e6 }),
    clock,
  });
  const load = hedged(async () => {
    const { number } = currentAttempt();
    calls.push(clock.now());
    await sleep(number === 1 ? ms : 1, { clock });
  });
  for (let call = 0; call < 10; call++) {
    assertEquals(hedged.state.after, null);
    await clock.run(load()); // no time is known, so none is hedged
  }
  const { after } = hedged.state;
  assertAlmostEquals(after ?? 0, 100, 1.1);
  assertEquals(calls.length, 10);
  ms = 500;
  const start = clock.now();
  await clock.run(load());
  assertEquals(calls.length, 12);
  assertAlmostEquals(clock.now() - start, (after ?? 0) + 1, 1e-5);
  // The call that was overtaken counts as one that took longer.
  for (let call = 0; call < 20; call++) await clock.run(load());
  assert((hedged.state.after ?? 0) > (after ?? 0));
});

Deno.test("hedge() goes on from the JSON of another", async () => {
  const one = fixture({ after: quantile(0.5, { minCalls: 1, window: 1000 }) }, [80]);
  await one.run();
  const state = JSON.parse(JSON.stringify(one.hedged));
  assertEquals(state, one.hedged.state);
  const { hedged } = fixture({
    after: quantile(0.5, { minCalls: 1, window: 1000 }),
    state,
  });
  assertEquals(hedged.state.after, state.after);
  assertEquals(fixture({ state }).hedged.state, { after: 50, durations: null });
});

Deno.test("hedge() does not record calls that fail, or that are aborted before any hedge", async () => {
  const failing = fixture({ after: quantile(0.5, { minCalls: 1 }) }, [10, new Fatal()]);
  await failing.run();
  assertEquals(failing.hedged.state.durations?.slices, []);
});

Deno.test("hedge() rejects when the clock does not work", async () => {
  let now = 0;
  const clock: Clock = { now: () => now, sleep: () => new Promise(() => {}) };
  const events: string[] = [];
  const hedged = hedge({ after: 5, clock, observe: ({ type }) => events.push(type) });
  let end = () => {};
  const load = hedged(() => new Promise<void>((resolve) => end = resolve));
  const pending = load();
  now = NaN;
  end();
  await assertRejects(() => pending, TypeError, "its 'now' must return a finite number");
  await assertRejects(() => load(), TypeError, "its 'now' must return a finite number");
  assertEquals(events, ["call", "done", "done"]);
  const broken: Clock = { now: () => 0, sleep: () => Promise.reject(new Error("broken")) };
  const other = hedge({ after: 5, clock: broken })(() => new Promise(() => {}));
  await assertRejects(() => other(), Error, "broken");
  const early: Clock = { now: () => 0, sleep: () => Promise.resolve() };
  const never = hedge({ after: 5, clock: early })(() => new Promise(() => {}));
  await assertRejects(() => never(), TypeError, "'sleep' must last until 5");
});

Deno.test("hedge() counts a clock that goes backwards as standing still", async () => {
  const clock = new TestClock(1000);
  let back = 0;
  const wrong: Clock = {
    now: () => clock.now() - back,
    sleep: (ms, options) => clock.sleep(ms, options),
    after: (ms, wake) => clock.after(ms, wake),
  };
  const instants: number[] = [];
  const load = hedge({
    after: 50,
    clock: wrong,
    observe: ({ at }) => instants.push(at),
  })(() => sleep(70, { clock }).then(() => 1));
  const result = load();
  back = 500;
  assertEquals(await clock.run(result), 1);
  assertEquals(instants, [1000, 1050, 1050]);
});

Deno.test("hedge() makes an error of a timer's cancel uncaught", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const clock: Clock = {
    now: () => 0,
    sleep: () => Promise.resolve(),
    after: () => () => {
      throw new Error("cannot cancel");
    },
  };
  const load = hedge({ after: 5, clock })(() => Promise.resolve("value"));
  assertEquals(await load(), "value");
  await new Promise((resolve) => setTimeout(resolve, 0));
  stop();
  assertEquals(uncaught.length, 1);
});

Deno.test("hedge() works on systemClock by default", async () => {
  const load = hedge({ after: 5 })(async () => {
    const { number, signal } = currentAttempt();
    if (number === 1) await sleep(10_000, { signal });
    return number;
  });
  const start = systemClock.now();
  assertEquals(await load(), 2);
  assert(systemClock.now() - start >= 5);
});

Deno.test("hedge() begins no call when a value and its timer come in the same moment", async () => {
  const wakes: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: () => Promise.resolve(),
    after: (_ms, wake) => {
      wakes.push(wake);
      return () => {};
    },
  };
  const ends: ((value: number) => void)[] = [];
  const load = hedge({ after: 5, maxHedges: 5, clock })(() =>
    new Promise<number>((resolve) => ends.push(resolve))
  );
  const result = load();
  wakes[0]?.();
  for (let turn = 0; turn < 5; turn++) await null;
  assertEquals([ends.length, wakes.length], [2, 2]);
  ends[1]?.(2);
  wakes[1]?.();
  assertEquals(await result, 2);
  wakes[1]?.(); // too late
  await null;
  assertEquals(ends.length, 2);
});

Deno.test("hedge() keeps its first end when a callback aborts it and throws", async () => {
  const controller = new AbortController();
  const budget: Budget = {
    mayRetry: () => true,
    succeeded: () => {
      controller.abort("stop");
      throw new Error("too late");
    },
  };
  const load = hedge({ after: 5, budget })(() => Promise.resolve(1));
  const backoff = new Backoff({ signal: controller.signal });
  let result: Promise<unknown> | undefined;
  await backoff.execute(() => result = load()).catch(() => {});
  assertEquals(await result?.catch((reason) => reason), "stop");
});

Deno.test("HedgedExecution.isLimit() lets values that are on their way come before a late timer", () => {
  const rules = new HedgeRules({ after: 5 });
  const { statistic } = hedge({ after: 5 });
  const task = { name: "", fn: () => {}, self: undefined, args: [] };
  assertEquals(new HedgedExecution(rules, { ...statistic }, task).isLimit(), true);
});
