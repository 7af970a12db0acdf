// The timers behind the system's clock, on a host that the test plays.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { type HostTimer, SharedTimers } from "../../../src/time/shared_timers.ts";
import type { TimerListener } from "../../../src/time/timer_listener.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

type Wake = (token: string) => void;

/** One turn of the event loop, in which the nursery is swept. */
const turn = () => new TestClock().advance(0);

/** A listener without a clock that can fail. */
const listenerOf = (wake: Wake): TimerListener<string> => ({ wake, clockFailed: () => {} });

/** Timers on a host whose time and timers the test moves. */
function fixture() {
  const armed: { callback: () => void; ms: number }[] = [];
  const cleared: unknown[] = [];
  const woke: string[] = [];
  const self = { now: 1000 };
  const timers = new SharedTimers({
    now: () => self.now,
    setTimeout: (callback, ms) => armed.push({ callback, ms }) as unknown as HostTimer,
    clearTimeout: (timer) => cleared.push(timer),
  });
  const note = (token: string) => void woke.push(`${token} at ${self.now}`);
  const set = (ms: number, token: string, wake: Wake = note) =>
    timers.set(ms, self.now + ms, listenerOf(wake), token);
  const fire = (index: number, now: number) => {
    self.now = now;
    armed[index]?.callback();
  };
  return { self, set, fire, woke, cleared, delays: () => armed.map(({ ms }) => ms) };
}

Deno.test("SharedTimers sets no host timer when all timers are cancelled before the sweep", async () => {
  const { set, delays, cleared } = fixture();
  const timers = Array.from({ length: 1000 }, () => set(5000, "never"));
  timers.forEach((timer) => timer.cancel());
  await turn();
  assertEquals([delays(), cleared], [[], []]);
});

Deno.test("SharedTimers sets one host timer per duration, and wakes all timers in order", async () => {
  const { self, set, fire, woke, delays } = fixture();
  set(10, "a");
  set(20, "b");
  self.now = 1002;
  set(10, "c");
  await turn();
  assertEquals(delays(), [8, 18]);
  fire(0, 1010);
  assertEquals([woke, delays()], [["a at 1010"], [8, 18, 2]]);
  fire(2, 1012);
  fire(1, 1020);
  assertEquals([woke, delays().length], [["a at 1010", "c at 1012", "b at 1020"], 3]);
});

Deno.test("SharedTimers sets a host timer for the rest when the host is early", async () => {
  const { set, fire, woke, delays } = fixture();
  set(10, "a");
  await turn();
  fire(0, 1008.5);
  assertEquals([woke, delays()], [[], [10, 2]]);
  fire(1, 1009.999);
  assertEquals([woke, delays()], [[], [10, 2, 1]]);
  fire(2, 1010.5);
  assertEquals([woke, delays().length], [["a at 1010.5"], 3]);
});

Deno.test("SharedTimers waits in parts when a duration is too long for the host", async () => {
  const { set, fire, woke, delays } = fixture();
  const longest = 2 ** 31 - 1;
  set(longest + 10, "a");
  await turn();
  fire(0, 1000 + longest);
  assertEquals([woke, delays()], [[], [longest, 10]]);
  fire(1, 1010 + longest);
  assertEquals(woke.length, 1);
});

Deno.test("SharedTimers clears the host timer of a queue that stays empty", async () => {
  const { set, delays, cleared } = fixture();
  const timers = [set(10, "a"), set(10, "b")];
  await turn();
  timers.forEach((timer) => timer.cancel());
  assertEquals(cleared, []);
  await turn();
  assertEquals([delays(), cleared], [[10], [1]]);
  set(10, "c");
  await turn();
  assertEquals([delays(), cleared], [[10, 10], [1]]);
});

Deno.test("SharedTimers sets one host timer for a duration whose earlier queue was emptied and ended", async () => {
  const { set, fire, cleared, delays } = fixture();
  const first = set(10, "a");
  await turn();
  first.cancel();
  fire(0, 1010); // finds nothing, before the sweep that would have cleared it
  set(10, "b");
  await turn();
  set(10, "c");
  await turn();
  assertEquals([delays(), cleared], [[10, 10], []]);
});

Deno.test("SharedTimers keeps the host timer when a queue fills again before the sweep", async () => {
  const { self, set, fire, woke, delays, cleared } = fixture();
  for (let i = 0; i < 100; i++) {
    const timer = set(10, "never");
    await turn();
    timer.cancel();
  }
  set(10, "last");
  await turn();
  assertEquals([delays(), cleared], [[10], []]);
  self.now = 1010;
  fire(0, 1010);
  assertEquals(woke, ["last at 1010"]);
});

Deno.test("SharedTimers fires timers of 0 in one sweep, and those that they set in the next", async () => {
  const { set, woke, delays } = fixture();
  const log: string[] = [];
  const again = (token: string) => {
    log.push(token);
    if (token.length < 3) set(0, `${token}'`, again);
  };
  set(0, "a", again);
  set(0, "b", again);
  await turn();
  assertEquals(log, ["a", "b"]);
  await turn();
  assertEquals(log, ["a", "b", "a'", "b'"]);
  await turn();
  assertEquals([log.length, woke, delays()], [6, [], []]);
});

Deno.test("SharedTimers fires timers that are already due at the sweep, after a long turn", async () => {
  const { self, set, woke, delays } = fixture();
  set(10, "a");
  set(300, "b");
  self.now = 1200;
  await turn();
  assertEquals([woke, delays()], [["a at 1200"], [100]]);
});

Deno.test("SharedTimers lets a wake cancel other timers that are due with it", async () => {
  const { set, fire, woke } = fixture();
  set(0, "early").cancel();
  const first = set(0, "first", () => late.cancel());
  const late = set(0, "late");
  set(0, "kept");
  await turn();
  first.cancel(); // too late, and twice
  first.cancel();
  assertEquals(woke, ["kept at 1000"]);

  set(10, "one", () => queued.cancel());
  const queued = set(10, "two");
  set(10, "three");
  await turn();
  fire(0, 1010);
  assertEquals(woke, ["kept at 1000", "three at 1010"]);
});

Deno.test("SharedTimers fires the other timers when a wake throws, whose error is uncaught", async () => {
  const error = new Error("by the wake");
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const { set, woke } = fixture();
  try {
    set(0, "bad", () => {
      throw error;
    });
    set(0, "good");
    await turn();
  } finally {
    stop();
  }
  assertEquals([woke, uncaught.length], [["good at 1000"], 1]);
  assertStrictEquals(uncaught[0], error);
});
