// One timer on any clock, and the checks of clocks that are wrong.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { type Clock, systemClock } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { readInstant, startTimer, type TimerListener } from "../../../src/time/timer.ts";

/** A listener that logs what it receives. */
function logging(clock: Clock) {
  const log: string[] = [];
  const listener: TimerListener<string> = {
    wake: (token) => void log.push(`${token} woke at ${clock.now()}`),
    due: (token) => void log.push(`${token} was due at ${clock.now()}`),
    isLimit: () => false,
    clockFailed: (token, error) => void log.push(`${token} failed: ${error}`),
  };
  return { log, listener };
}

/** A clock of `now` and `sleep` alone, on a test clock. */
function sleepingClock(time: TestClock, sleep: Clock["sleep"]): Clock {
  return { now: () => time.now(), sleep };
}

Deno.test("readInstant() returns the instant of the clock", () => {
  assertEquals(readInstant(new TestClock(-0.5)), -0.5);
});

Deno.test("readInstant() throws TypeError when the clock does not return a finite number", () => {
  const instants: [now: unknown, got: string][] = [
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    ["5", '"5"'],
    [undefined, "undefined"],
  ];
  for (const [now, got] of instants) {
    const clock = { now: () => now, sleep: () => Promise.resolve() } as Clock;
    const { message } = assertThrows(() => readInstant(clock), TypeError);
    const rule = "its 'now' must return a finite number";
    assertEquals(message, `Cannot read the clock: ${rule}, got ${got}`);
  }
});

Deno.test("startTimer() wakes the listener by the clock's after, or is cancelled", async () => {
  const clock = new TestClock(1000);
  const { log, listener } = logging(clock);
  startTimer(clock, 100, 1100, listener, "one");
  startTimer(clock, 50, 1050, listener, "two").cancel();
  await clock.advance(200);
  assertEquals(log, ["one woke at 1100"]);
  clock.close();
});

Deno.test("startTimer() wakes the listener by a shared timer on the system's clock", async () => {
  const wakeAt = systemClock.now() + 2;
  const cancelled = startTimer(systemClock, 1, wakeAt, logging(systemClock).listener, "");
  const token = {};
  const woken = await new Promise((resolve) => {
    const { listener } = logging(systemClock);
    startTimer(systemClock, 2, wakeAt, { ...listener, due: resolve }, token);
    cancelled.cancel();
  });
  assertStrictEquals(woken, token);
});

Deno.test("startTimer() wakes the listener, and not by a shared timer, when the system's time is faked", () => {
  const time = new FakeTime(0);
  try {
    const clock: Clock = { now: () => time.now, sleep: () => Promise.resolve() };
    const { log, listener } = logging(clock);
    const now = systemClock.now();
    startTimer(systemClock, 100, now + 100, listener, "one");
    startTimer(systemClock, 50, now + 50, listener, "two").cancel();
    time.tick(200);
    assertEquals(log, ["one woke at 100"]);
  } finally {
    time.restore();
  }
});

Deno.test("startTimer() throws TypeError when the clock's after does not return a function", () => {
  const after = (() => 7) as unknown as Clock["after"];
  const clock = {
    ...sleepingClock(new TestClock(), () => Promise.resolve()),
    after,
  } as Clock;
  const { listener } = logging(clock);
  const start = () => startTimer(clock, 10, 10, listener, "one");
  const { message } = assertThrows(start, TypeError);
  assertEquals(message, "Cannot wait: the clock's 'after' must return a function, got 7");
});

Deno.test("startTimer() sleeps where the clock has no after, and asks for the rest when that is early", async () => {
  const time = new TestClock();
  const asked: number[] = [];
  const clock = sleepingClock(time, (ms, options) => {
    asked.push(ms);
    return time.sleep(Math.max(1, ms / 4), options);
  });
  const { log, listener } = logging(clock);
  startTimer(clock, 99.5, 99.5, listener, "one");
  await time.advance(1000);
  // Whole milliseconds, and at least one.
  assertEquals(asked.slice(0, 3), [100, 75, 56]);
  assertEquals([asked.every(Number.isInteger), asked.at(-1)], [true, 1]);
  assertEquals([log.length, log[0]?.startsWith("one woke at ")], [1, true]);
  time.close();
});

Deno.test("startTimer() aborts the sleep when it is cancelled, and does not wake", async () => {
  const time = new TestClock();
  const clock = sleepingClock(time, (ms, options) => time.sleep(ms, options));
  const { log, listener } = logging(clock);
  const timer = startTimer(clock, 100, 100, listener, "one");
  await time.advance(50);
  timer.cancel();
  assertEquals(time.pending, 0);
  await time.advance(100);
  // Nor when the clock ignores its signal.
  const deaf = sleepingClock(time, (ms) => time.sleep(ms));
  startTimer(deaf, 100, 250, listener, "two").cancel();
  await time.advance(100);
  assertEquals(log, []);
  time.close();
});

Deno.test("startTimer() reports a sleep that rejects", async () => {
  const time = new TestClock();
  const clock = sleepingClock(time, () => Promise.reject(new Error("broken")));
  const { log, listener } = logging(clock);
  startTimer(clock, 100, 100, listener, "one");
  await time.advance(0);
  assertEquals(log, ["one failed: Error: broken"]);
});

Deno.test("startTimer() reports sleeps that end early a thousand times without time moving", async () => {
  const time = new TestClock();
  let sleeps = 0;
  const clock = sleepingClock(time, () => (sleeps++, Promise.resolve()));
  const { log, listener } = logging(clock);
  startTimer(clock, 100, 100, listener, "one");
  await time.advance(0);
  const rule = "the clock's 'sleep' must last until 100";
  const got = "1000 sleeps in a row that ended at 0";
  assertEquals(log, [`one failed: TypeError: Cannot wait: ${rule}, got ${got}`]);
  assertEquals(sleeps, 1000);
});

Deno.test("startTimer() reports a clock that fails while it sleeps, and an error of the wake", async () => {
  const time = new TestClock();
  let now: unknown = 0;
  const clock = { now: () => now, sleep: () => Promise.resolve() } as Clock;
  const { log, listener } = logging(time);
  startTimer(clock, 100, 100, listener, "one");
  now = NaN;
  await time.advance(0);
  const rule = "its 'now' must return a finite number";
  assertEquals(log, [`one failed: TypeError: Cannot read the clock: ${rule}, got NaN`]);

  now = 0;
  const wake = () => {
    throw new Error("by the wake");
  };
  startTimer(clock, 100, 100, { ...listener, wake }, "two");
  now = 100;
  await time.advance(0);
  assertEquals(log[1], "two failed: Error: by the wake");
});
