// Waits for promises that may never settle.

import { assertEquals } from "@std/assert";
import { type Clock, sleep, systemClock } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { CountedSignal } from "../../support/counted_signal.ts";
import { waitAtMost } from "../../../src/stream/bounded_wait.ts";

const never = new Promise<never>(() => {});
const bounds = { ms: 50, until: Infinity, signal: null };

Deno.test("waitAtMost() resolves with the promise, after the time, or at the instant, whichever is first", async () => {
  const rows: [ms: number, until: number, settlesAfter: number, expected: number][] = [
    [50, Infinity, 20, 20],
    [50, Infinity, 80, 50],
    [Infinity, 130, 20, 20],
    [Infinity, 130, 80, 30],
    [50, 130, 80, 30],
    [20, 130, 80, 20],
    [50, 90, 80, 0], // the instant is over
    [0, Infinity, 80, 0],
    [Infinity, Infinity, 80, 80],
  ];
  for (const [ms, until, settlesAfter, expected] of rows) {
    const clock = new TestClock(100);
    const promise = sleep(settlesAfter, { clock });
    const wait = waitAtMost(promise, { clock, ms, until, signal: null }).then(() =>
      clock.now() - 100
    );
    assertEquals(await clock.run(wait), expected);
    await clock.advance(100);
    clock.close();
  }
});

Deno.test("waitAtMost() cancels its timer when the promise has resolved", async () => {
  const clock = new TestClock();
  await clock.run(waitAtMost(Promise.resolve(), { ...bounds, clock }));
  clock.close();
});

Deno.test("waitAtMost() ends on the system clock, also when the event loop was blocked", async () => {
  const waits = [1, 2].map((ms) =>
    waitAtMost(never, { ...bounds, clock: systemClock, ms })
  );
  const until = systemClock.now() + 12;
  while (systemClock.now() < until);
  assertEquals(await Promise.all(waits), [undefined, undefined]);
});

Deno.test("waitAtMost() ends when its signal is aborted, and listens no longer than it waits", async () => {
  const clock = new TestClock();
  const controller = new CountedSignal();
  const { signal } = controller;
  const long = { clock, ms: Infinity, until: Infinity, signal };
  await clock.run(waitAtMost(sleep(5, { clock }), long));
  assertEquals(controller.listeners, 0);
  const wait = waitAtMost(never, { ...long, ms: 50 });
  assertEquals(controller.listeners, 1);
  controller.abort();
  await wait;
  await waitAtMost(never, long); // it was aborted before
  assertEquals(controller.listeners, 0);
  clock.close();
});

Deno.test("waitAtMost() ends as usual when its signal throws on removing the listener", async () => {
  const { signal } = new AbortController();
  const removeEventListener = () => {
    throw new Error("sticky");
  };
  Object.assign(signal, { removeEventListener });
  const clock = new TestClock();
  await waitAtMost(Promise.resolve(), { clock, ms: 50, until: Infinity, signal });
  await clock.advance(100);
});

Deno.test("waitAtMost() ends when the clock fails", async () => {
  const fail = () => {
    throw new Error("no clock");
  };
  const sleepFails = { now: () => 0, sleep: () => Promise.reject(new Error("no clock")) };
  const clocks: Clock[] = [
    { now: fail, sleep: fail },
    { now: () => NaN, sleep: fail },
    { now: () => 0, sleep: fail, after: fail },
    sleepFails,
  ];
  for (const clock of clocks) {
    assertEquals(await waitAtMost(never, { ...bounds, clock }), undefined);
  }
});
