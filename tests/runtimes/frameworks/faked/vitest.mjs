// A test file of Vitest, whose setup file fakes the timers before it is loaded.

import { expect, test, vi } from "vitest";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { limits, makeUnreliable } from "./unreliable.js";

test("the timers are faked", () => {
  expect(vi.isFakeTimers()).toBe(true);
});

test("TestClock.run() settles", async () => {
  const clock = new TestClock();
  const { load } = makeUnreliable(() => clock.now());
  expect(await clock.run(new Backoff({ ...limits, clock }).execute(load))).toBe("loaded");
});

test("TestClock.run() rejects if the promise is not on the clock", async () => {
  const result = new TestClock().run(new Promise(() => {}));
  await expect(result).rejects.toThrow("a timer must be left");
});

test("the fake drives limits and pauses", async () => {
  const { load } = makeUnreliable();
  const result = new Backoff(limits).execute(load);
  await vi.advanceTimersByTimeAsync(2000);
  expect(await result).toBe("loaded");
});
