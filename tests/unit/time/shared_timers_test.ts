// The timers behind the system's clock, in front of a host that the test is.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import {
  type Host,
  type HostTimer,
  SharedTimers,
} from "../../../src/time/shared_timers.ts";
import { loadCopy } from "../../support/fresh_copy.ts";

type Wake = (token: string) => void;

/** A turn of the event loop, on which what was set is looked at. */
const turn = () => new TestClock().advance(0);

/** Timers on a host whose time and timers the test moves. */
function scene() {
  const armed: { callback: () => void; ms: number }[] = [];
  const cleared: unknown[] = [];
  const woke: string[] = [];
  const self = { now: 1000 };
  const timers = new SharedTimers({
    now: () => self.now,
    setTimeout: (callback, ms) => armed.push({ callback, ms }) as unknown as HostTimer,
    clearTimeout: (timer) => cleared.push(timer),
  });
  const sleeper = { wake: (token: string) => void woke.push(`${token} at ${self.now}`) };
  const set = (ms: number, token: string, wake?: Wake) =>
    timers.set(ms, self.now + ms, wake === undefined ? sleeper : { wake }, token);
  const fire = (index: number, now: number) => {
    self.now = now;
    armed[index]?.callback();
  };
  return { self, set, fire, woke, cleared, delays: () => armed.map(({ ms }) => ms) };
}

Deno.test("SharedTimers sets no timer of the host when all are cancelled before the look", async () => {
  const { set, delays, cleared } = scene();
  const timers = Array.from({ length: 1000 }, () => set(5000, "never"));
  timers.forEach((timer) => timer.cancel());
  await turn();
  assertEquals([delays(), cleared], [[], []]);
});

Deno.test("SharedTimers sets one timer of the host for each duration, and wakes all in order", async () => {
  const { self, set, fire, woke, delays } = scene();
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

Deno.test("SharedTimers is never early when the host is: it sets a timer for the rest", async () => {
  const { set, fire, woke, delays } = scene();
  set(10, "a");
  await turn();
  fire(0, 1008.5);
  assertEquals([woke, delays()], [[], [10, 2]]);
  fire(1, 1009.999);
  assertEquals([woke, delays()], [[], [10, 2, 1]]);
  fire(2, 1010.5);
  assertEquals([woke, delays().length], [["a at 1010.5"], 3]);
});

Deno.test("SharedTimers waits in parts when the host cannot wait that long", async () => {
  const { set, fire, woke, delays } = scene();
  const longest = 2 ** 31 - 1;
  set(longest + 10, "a");
  await turn();
  fire(0, 1000 + longest);
  assertEquals([woke, delays()], [[], [longest, 10]]);
  fire(1, 1010 + longest);
  assertEquals(woke.length, 1);
});

Deno.test("SharedTimers lets go of the host's timer when a queue has run empty", async () => {
  const { set, delays, cleared } = scene();
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

Deno.test("SharedTimers sets one timer for a duration when an earlier queue of it was emptied and ended", async () => {
  const { set, fire, cleared, delays } = scene();
  const first = set(10, "a");
  await turn();
  first.cancel();
  fire(0, 1010); // finds nothing, before the look that would have let go of it
  set(10, "b");
  await turn();
  set(10, "c");
  await turn();
  assertEquals([delays(), cleared], [[10, 10], []]);
});

Deno.test("SharedTimers keeps the host's timer when a queue fills again before the look", async () => {
  const { self, set, fire, woke, delays, cleared } = scene();
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

Deno.test("SharedTimers fires timers of 0 at one look, and what they set at the next", async () => {
  const { set, woke, delays } = scene();
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

Deno.test("SharedTimers fires what is due at the look when the turn was long", async () => {
  const { self, set, woke, delays } = scene();
  set(10, "a");
  set(300, "b");
  self.now = 1200;
  await turn();
  assertEquals([woke, delays()], [["a at 1200"], [100]]);
});

Deno.test("SharedTimers lets a wake cancel others that are due with it", async () => {
  const { set, fire, woke } = scene();
  set(0, "early").cancel();
  const cut = set(0, "first", () => late.cancel());
  const late = set(0, "late");
  set(0, "kept");
  await turn();
  cut.cancel(); // too late, and twice
  cut.cancel();
  assertEquals(woke, ["kept at 1000"]);

  set(10, "one", () => queued.cancel());
  const queued = set(10, "two");
  set(10, "three");
  await turn();
  fire(0, 1010);
  assertEquals(woke, ["kept at 1000", "three at 1010"]);
});

Deno.test("SharedTimers goes on when a wake throws, and the error surfaces by itself", async () => {
  const woke: string[] = [];
  const error = new Error("by the wake");
  const surfaced: unknown[] = [];
  const { queueMicrotask } = globalThis;
  globalThis.queueMicrotask = (callback) => {
    try {
      callback();
    } catch (thrown) {
      surfaced.push(thrown);
    }
  };
  try {
    const { SharedTimers: Copy } = await loadCopy<{ SharedTimers: typeof SharedTimers }>(
      "shared_timers",
    );
    const setTimeout = () => 0 as unknown as HostTimer;
    const host: Host = { now: () => 0, setTimeout, clearTimeout: () => {} };
    const timers = new Copy(host);
    const sleeper = { wake: (token: string) => void woke.push(token) };
    timers.set(0, 0, {
      wake: () => {
        throw error;
      },
    }, "bad");
    timers.set(0, 0, sleeper, "good");
    await turn();
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
  assertEquals(woke, ["good"]);
  assertStrictEquals(surfaced[0], error);
});
