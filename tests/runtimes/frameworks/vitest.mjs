// A test file of Vitest. It runs in three environments.

import { afterEach, expect, test, vi } from "vitest";
import { Backoff, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { fast, limits, makeUnreliable } from "./unreliable.js";

afterEach(() => {
  vi.useRealTimers();
});

test("the globals are those of the environment", () => {
  const found = typeof window === "undefined"
    ? "node"
    : "happyDOM" in window
    ? "happy-dom"
    : /jsdom/.exec(navigator.userAgent)?.[0];
  expect(found).toBe(expect.getState().environment);
});

test("retries on the real clock", async () => {
  const { load } = makeUnreliable();
  const backoff = new Backoff(fast);
  expect(await backoff.execute(load)).toBe("loaded");
  expect(backoff.statistic.toJSON()).toMatchObject({ attempts: 3, timeouts: 1, errors: 2 });
});

test("rejects with a TimeoutError at the deadline", async () => {
  const backoff = new Backoff({ deadline: 20 });
  await expect(backoff.execute(() => new Promise(() => {}))).rejects.toThrow(TimeoutError);
});

test("an AbortController of the environment ends an execution", async () => {
  const controller = new AbortController();
  const result = new Backoff({ pause: 60_000, exceptions: [RangeError] }).execute(() => {
    throw new RangeError("busy");
  }, { signal: controller.signal });
  controller.abort("enough");
  await expect(result).rejects.toBe("enough");
});

test("retries on a TestClock", async () => {
  const clock = new TestClock();
  const { calls, load } = makeUnreliable(() => clock.now());
  expect(await clock.run(new Backoff({ ...limits, clock }).execute(load))).toBe("loaded");
  expect(calls).toEqual([0, 1500, 2000]);
});

test("vi.useFakeTimers() drives limits and pauses", async () => {
  vi.useFakeTimers({ now: 0 });
  const { calls, load } = makeUnreliable();
  const result = new Backoff(limits).execute(load);
  await vi.advanceTimersByTimeAsync(1999);
  expect(calls).toEqual([0, 1500]);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toEqual([0, 1500, 2000]);
  expect(await result).toBe("loaded");
  expect(vi.getTimerCount()).toBe(0);
});
