// The driver of a circuit breaker: calls, refusals, ends, events and counters.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { exponential, nonRetryable } from "@asyncbackoff/asyncbackoff";
import {
  type BreakerEvent,
  circuitBreaker,
  type CircuitBreakerOptions,
  CircuitOpenError,
} from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenToUncaught } from "../../support/uncaught.ts";

const down = new Error("down");

/** A breaker on a test clock, and a function behind it that returns or throws what it is given. */
function fixture(options: Partial<CircuitBreakerOptions> = {}) {
  const clock = new TestClock();
  const events: string[] = [];
  const observe = (event: BreakerEvent) => {
    const { at, name } = event;
    const detail = event.type === "changed"
      ? ` ${event.from} -> ${event.to}`
      : event.type === "refused"
      ? ` ${event.retryIn}`
      : ` ${event.outcome.status}`;
    events.push(`${at} ${name} ${event.type}${detail}`);
  };
  const breaker = circuitBreaker({
    consecutiveFailures: 2,
    openFor: 100,
    clock,
    observe,
    ...options,
  });
  const calls: unknown[] = [];
  const service = {
    async load(outcome: unknown) {
      calls.push(outcome);
      if (outcome instanceof Error) throw outcome;
      return await outcome;
    },
  };
  const load = breaker(service.load);
  const fails = async (error: unknown = down) =>
    assertStrictEquals(await load(error).catch((thrown) => thrown), error);
  const open = async () => {
    await fails();
    await fails();
  };
  return { clock, breaker, events, calls, load, fails, open };
}

const refusalOf = async (call: Promise<unknown>) => {
  const error = await call.then(() => null, (error) => error);
  assert(error instanceof CircuitOpenError);
  return error.retryIn;
};

Deno.test("circuitBreaker() calls the function and passes its outcome on while it is closed", async () => {
  const { breaker, load, fails, calls } = fixture();
  const value = {};
  assertStrictEquals(await load(value), value);
  await fails();
  assertStrictEquals(await load("again"), "again");
  assertEquals([calls.length, breaker.state.phase], [3, "closed"]);
});

Deno.test("circuitBreaker() refuses calls without calling the function while it is open", async () => {
  const { breaker, clock, load, open, calls } = fixture();
  await open();
  assertEquals(breaker.state.phase, "open");
  await clock.advance(30);
  const error = await assertRejects(() => load("value"), CircuitOpenError);
  assertEquals(error.retryIn, 70);
  assertEquals(
    error.message,
    "'load' was not called: its circuit is open for another 70 ms",
  );
  assertEquals(calls.length, 2);
});

Deno.test("circuitBreaker() is half-open exactly when its time has passed, and closes after a trial", async () => {
  const { breaker, clock, load, open } = fixture();
  await open();
  await clock.advance(99);
  assertEquals([breaker.state.phase, await refusalOf(load(1))], ["open", 1]);
  await clock.advance(1);
  assertEquals(breaker.state.phase, "half-open");
  assertEquals(await load(1), 1);
  assertEquals(breaker.state.phase, "closed");
  assertEquals(breaker.statistic.opened, 1);
});

Deno.test("circuitBreaker() admits so many trials at once, and opens at the first failure", async () => {
  const { breaker, clock, load, open } = fixture({ trials: 2 });
  await open();
  await clock.advance(100);
  const trials = [clock.sleep(10).then(() => 1), clock.sleep(20).then(() => down)];
  const [first, second] = trials.map((trial) => load(trial));
  assertEquals(await refusalOf(load(3)), 100);
  await clock.advance(10);
  assertEquals(await first, 1);
  assertEquals(await refusalOf(load(3)), 90); // one has succeeded, one is pending
  await clock.advance(10);
  assertStrictEquals(await second, down); // a value, though it is an error
  assertEquals(breaker.state.phase, "closed");
});

Deno.test("circuitBreaker() opens again when a trial fails, and ignores what ends later", async () => {
  const { breaker, clock, events, load, open } = fixture({ trials: 2 });
  await open();
  await clock.advance(100);
  const late = load(clock.sleep(50));
  const failing = load(clock.sleep(10).then(() => Promise.reject(down)));
  failing.catch(() => {});
  await clock.advance(10);
  assertEquals(breaker.state.phase, "open");
  await clock.advance(40);
  await late;
  assertEquals(breaker.state.phase, "open");
  assertEquals(events.slice(-3), [
    "110 load failed rejected",
    "110 load changed half-open -> open",
    "150 load late fulfilled",
  ]);
});

Deno.test("circuitBreaker() takes a trial for failed when it is pending for as long as the circuit was open", async () => {
  const { breaker, clock, load, open } = fixture();
  await open();
  await clock.advance(100);
  load(clock.sleep(1000));
  await clock.advance(99);
  assertEquals([breaker.state.phase, await refusalOf(load(1))], ["half-open", 1]);
  await clock.advance(1);
  assertEquals([breaker.state.phase, await refusalOf(load(1))], ["open", 100]);
  await clock.advance(100);
  assertEquals(await load(1), 1);
  assertEquals([breaker.state.phase, breaker.statistic.opened], ["closed", 2]);
});

Deno.test("circuitBreaker() ignores the end of a call that began before the circuit opened", async () => {
  const { breaker, clock, load, open } = fixture();
  const early = load(clock.sleep(150).then(() => Promise.reject(down)));
  early.catch(() => {});
  await open();
  await clock.advance(100);
  assertEquals(await load(1), 1);
  await clock.advance(50);
  assertEquals([breaker.state.phase, breaker.statistic.late], ["closed", 1]);
});

Deno.test("circuitBreaker() is open for longer each time until it is well", async () => {
  const openFor = exponential({ initial: 100, jitter: "none" });
  const { breaker, clock, load, fails, open } = fixture({ openFor });
  await open();
  for (const ms of [100, 200, 400]) {
    assertEquals(await refusalOf(load(1)), ms);
    await clock.advance(ms);
    await fails();
  }
  await clock.advance(800);
  assertEquals(await load(1), 1);
  await open();
  assertEquals([breaker.state.phase, await refusalOf(load(1))], ["open", 100]);
});

Deno.test("circuitBreaker() opens by the share of failures in the window", async () => {
  const { breaker, clock, load, fails } = fixture({
    consecutiveFailures: null,
    failureRatio: 0.5,
    minCalls: 4,
    window: 1000,
  });
  await fails();
  await fails();
  await clock.advance(1000); // they leave the window
  await fails();
  await load(1);
  await fails();
  assertEquals(breaker.state.phase, "closed");
  await load(1);
  assertEquals(breaker.state.phase, "open");
});

Deno.test("circuitBreaker() counts what 'isFailure' returns false for as a success", async () => {
  const { breaker, fails, open, clock } = fixture({
    isFailure: (error) => error === down,
  });
  for (let call = 0; call < 5; call++) await fails(new Error("not found"));
  assertEquals([breaker.state.phase, breaker.statistic.succeeded], ["closed", 5]);
  await open();
  await clock.advance(100);
  await fails(new Error("not found"));
  assertEquals(breaker.state.phase, "closed");
});

Deno.test("circuitBreaker() counts every error for a failure by default, except those that are marked", async () => {
  for (
    const error of [down, new CircuitOpenError(1), new DOMException("late", "TimeoutError")]
  ) {
    const { breaker, fails } = fixture();
    await fails(error);
    await fails(error);
    assertEquals(breaker.state.phase, "open", `${error}`);
  }
  const { breaker, fails } = fixture();
  for (let call = 0; call < 5; call++) await fails(nonRetryable(new Error("no such user")));
  assertEquals([breaker.state.phase, breaker.statistic.succeeded], ["closed", 5]);
});

Deno.test("circuitBreaker() counts an AbortError for nothing, unless 'isFailure' returns true for it", async () => {
  const stop = new DOMException("stop", "AbortError");
  const { breaker, clock, fails, open, load } = fixture();
  await fails();
  await fails(stop);
  assertEquals(breaker.statistic.aborted, 1);
  await fails();
  assertEquals(breaker.state.phase, "open"); // two in a row
  await clock.advance(100);
  await fails(stop); // a trial that is free again
  assertEquals(breaker.state.phase, "half-open");
  assertEquals(await load(1), 1);
  await open();
  const strict = fixture({ isFailure: () => true });
  await strict.fails(stop);
  await strict.fails(stop);
  assertEquals(strict.breaker.state.phase, "open");
});

Deno.test("circuitBreaker() rejects with what 'isFailure' throws, and frees the trial", async () => {
  const bug = new Error("a bug");
  let isBroken = false;
  const { breaker, clock, load, open } = fixture({
    isFailure: () => {
      if (isBroken) throw bug;
      return true;
    },
  });
  await open();
  await clock.advance(100);
  isBroken = true;
  assertStrictEquals(await load(down).catch((error) => error), bug);
  assertEquals(breaker.state.phase, "half-open");
  assertEquals(await load(1), 1);
});

Deno.test("circuitBreaker() refuses a promise from 'isFailure'", async () => {
  // deno-lint-ignore no-explicit-any
  const isFailure: any = () => Promise.reject(new Error("nobody handles it"));
  const { load } = fixture({ isFailure });
  const error = await assertRejects(
    () => load(down),
    TypeError,
    "Cannot decide about an error: 'isFailure' must answer at once, got a promise",
  );
  assertStrictEquals(error.cause, down);
});

Deno.test("circuitBreaker() rejects with what 'openFor' throws, and stays closed", async () => {
  const { breaker, load, fails } = fixture({ openFor: () => NaN });
  await fails();
  await assertRejects(() => load(down), RangeError, "'openFor' must return");
  assertEquals(breaker.state.phase, "closed");
});

Deno.test("circuitBreaker.isolate() refuses everything until close() is called", async () => {
  const { breaker, clock, events, load, fails } = fixture();
  breaker.isolate();
  breaker.isolate();
  await clock.advance(1e9);
  assertEquals([breaker.state.phase, await refusalOf(load(1))], ["isolated", Infinity]);
  breaker.close();
  assertEquals(await load(1), 1);
  await fails();
  breaker.close(); // it is closed already, so nothing is forgotten
  await fails();
  assertEquals(breaker.state.phase, "open");
  breaker.close();
  assertEquals(await load(1), 1);
  assertEquals(events.filter((event) => event.includes("changed")), [
    "0  changed closed -> isolated",
    "1000000000  changed isolated -> closed",
    "1000000000 load changed closed -> open",
    "1000000000  changed open -> closed",
  ]);
});

Deno.test("circuitBreaker() observes every refusal, end and change, each frozen", async () => {
  const seen: BreakerEvent[] = [];
  const { clock, breaker, load, open } = fixture({
    observe: (event) => seen.push(event),
    name: "users",
  });
  await load(1);
  await open();
  await load(1).catch(() => {});
  await clock.advance(100);
  await load(2);
  assert(seen.every((event) => Object.isFrozen(event)));
  const common = { name: "users" };
  const failed = {
    ...common,
    type: "failed",
    at: 0,
    outcome: { status: "rejected", reason: down },
  };
  assertEquals(seen as unknown[], [
    { ...common, type: "succeeded", at: 0, outcome: { status: "fulfilled", value: 1 } },
    failed,
    failed,
    { ...common, type: "changed", at: 0, from: "closed", to: "open" },
    { ...common, type: "refused", at: 0, retryIn: 100 },
    { ...common, type: "changed", at: 100, from: "open", to: "half-open" },
    { ...common, type: "succeeded", at: 100, outcome: { status: "fulfilled", value: 2 } },
    { ...common, type: "changed", at: 100, from: "half-open", to: "closed" },
  ]);
  assertEquals(breaker.statistic, {
    calls: 4,
    refused: 1,
    succeeded: 2,
    failed: 2,
    aborted: 0,
    late: 0,
    opened: 1,
  });
});

Deno.test("circuitBreaker() makes what 'observe' throws an uncaught error, which changes nothing", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const bug = new Error("a bug");
  const { load } = fixture({
    observe: () => {
      throw bug;
    },
  });
  assertEquals(await load(1), 1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  stop();
  assertEquals(uncaught.map((error) => (error as Error).message.includes("a bug")), [true]);
});

Deno.test("circuitBreaker() counts a success the same with and without an observer", async () => {
  const rules = { consecutiveFailures: null, failureRatio: 0.9, minCalls: 100 };
  const seen = fixture(rules);
  const unseen = fixture({ ...rules, observe: null });
  for (const { load, fails, clock } of [seen, unseen]) {
    await load(1);
    await clock.advance(10);
    await fails();
    await load(1);
  }
  assertEquals(seen.breaker.state, unseen.breaker.state);
  assertEquals(seen.breaker.statistic, unseen.breaker.statistic);
  const row = fixture({ observe: null });
  await row.load(1);
  await row.fails();
  await row.load(1);
  await row.fails();
  assertEquals(row.breaker.state.phase, "closed");
});

Deno.test("circuitBreaker() goes on from the JSON of another", async () => {
  const one = fixture({ trials: 2 });
  await one.open();
  await one.clock.advance(40);
  const state = JSON.parse(JSON.stringify(one.breaker));
  assertEquals(state, one.breaker.state);
  // On the same clock, at the same instant.
  const same = fixture({ trials: 2, state, clock: one.clock });
  assertEquals(await refusalOf(same.load(1)), 60);
  // On a clock that began anew.
  const anew = fixture({ trials: 2, state: { ...state, at: 0 } });
  assertEquals(await refusalOf(anew.load(1)), 100);
  const later = fixture({
    trials: 2,
    state: { ...state, at: 1e6, openUntil: 1e6 + 60 },
  });
  assertEquals(await refusalOf(later.load(1)), 60);
});

Deno.test("circuitBreaker() counts a clock that goes backwards as standing still", async () => {
  let now = 1000;
  const clock = { now: () => now, sleep: () => Promise.reject(new Error("no timers")) };
  const { breaker, load, open } = fixture({ clock });
  await open();
  now = 0;
  assertEquals(await refusalOf(load(1)), 100);
  now = 1100;
  assertEquals(breaker.state.phase, "half-open");
});

Deno.test("circuitBreaker() rejects when the clock does not work, and is refused when it never does", async () => {
  let now = 0;
  const clock = { now: () => now, sleep: () => Promise.resolve() };
  const { load } = fixture({ clock });
  now = NaN;
  await assertRejects(() => load(1), TypeError, "its 'now' must return a finite number");
  assertThrows(() => fixture({ clock }), TypeError, "Cannot read the clock");
});

Deno.test("circuitBreaker() refuses options of the wrong type", () => {
  // deno-lint-ignore no-explicit-any
  const wrong: [any, string][] = [
    [{ isFailure: 5 }, "option 'isFailure' must be a function, got 5"],
    [{ observe: {} }, "option 'observe' must be a function, got an object (Object)"],
    [{ clock: 5 }, "option 'clock' must be an object with the functions 'now' and 'sleep'"],
    [{ name: 5 }, "option 'name' must be a string, got 5"],
    [{ state: "closed" }, "option 'state' must be a state that 'toJSON'"],
  ];
  for (const [options, message] of wrong) {
    const make = () => circuitBreaker({ consecutiveFailures: 1, ...options });
    assertThrows(make, TypeError, `Cannot make a circuit breaker: ${message}`);
  }
});

Deno.test("circuitBreaker() says how it is called when it is not", () => {
  // deno-lint-ignore no-explicit-any
  const untyped: any = circuitBreaker;
  assertThrows(
    () => untyped(async () => {}),
    TypeError,
    "Cannot call 'circuitBreaker(options)': it must be called before it wraps a function",
  );
  for (const value of [undefined, null, 5, "5"]) {
    assertThrows(
      () => untyped(value),
      TypeError,
      "Cannot call 'circuitBreaker(options)': the argument must be an object of options",
    );
  }
});

Deno.test("circuitBreaker() works on systemClock by default", async () => {
  const breaker = circuitBreaker({ consecutiveFailures: 1, openFor: 1e6 });
  const load = breaker(() => Promise.reject(down));
  await load().catch(() => {});
  const wait = await refusalOf(load());
  assert(wait > 1e6 - 1000 && wait <= 1e6);
});
