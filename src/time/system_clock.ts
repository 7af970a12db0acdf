/**
 * Time as the library sees it: an interface to inject, and the system's own.
 *
 * @module
 */

import { show } from "./errors.ts";
import {
  type HostTimer,
  LONGEST_TIMER,
  SharedTimers,
  type Sleeper,
} from "./shared_timers.ts";
import { isSignal, type Signal } from "./signal.ts";
import { isCloudflare, isGenuine } from "./turn.ts";

/**
 * What an execution needs to know of time. `now` and `sleep` are enough, so
 * `{ now: () => Date.now(), sleep: delay }` with `delay` of `@std/async` is a
 * clock. With `after`, an execution takes less time and memory.
 *
 * @example A clock made of `@std/async`
 * ```ts
 * import { Backoff, type Clock } from "@asyncbackoff/asyncbackoff";
 * import { delay } from "@std/async/delay";
 * import { assertEquals } from "@std/assert";
 *
 * const clock: Clock = { now: () => performance.now(), sleep: delay };
 * const backoff = new Backoff({ deadline: 1000, clock });
 *
 * assertEquals(await backoff.execute(() => "in time"), "in time");
 * ```
 */
export interface Clock {
  /**
   * The present instant.
   *
   * @returns Milliseconds since a point of the clock's own choice. Must be
   * finite: an execution whose clock answers with anything else ends with a
   * `TypeError`. Where it goes backwards, it counts as standing still.
   */
  now(): number;
  /**
   * Waits.
   *
   * @param ms How long, in milliseconds; executions ask for whole ones.
   * @param options `signal` ends the wait early: the promise then rejects.
   * @returns A promise that resolves after `ms`. If it resolves early, the
   * execution asks for the rest; if that happens a thousand times in a row while
   * `now` stands still, it ends with a `TypeError`.
   */
  sleep(ms: number, options?: { signal?: Signal }): Promise<void>;
  /**
   * Calls `wake` once after `ms`, and never early: the call counts as that
   * instant even if `now` lags behind it. Optional.
   *
   * @param ms How long, in milliseconds: any number from 0 on.
   * @param wake What to call; in any async context.
   * @returns A function that cancels the call; harmless when it is too late.
   */
  after?(ms: number, wake: () => void): () => void;
}

/**
 * Rounds up, since timers round down and would have to be asked again; but what
 * is left of adding instants is no time to wait for.
 *
 * @param ms A duration in milliseconds.
 * @returns The duration in whole milliseconds.
 */
export function wholeMilliseconds(ms: number): number {
  return Math.max(0, Math.ceil(ms - NOISE));
}

/** A rest below a nanosecond is the noise of adding instants, no time to wait for. */
const NOISE = 1e-6;

/** The platform's, as they were when this module was loaded. */
const { setTimeout, clearTimeout } = globalThis;
const isUnfaked = isGenuine(setTimeout, "setTimeout");
const loaded = { now: globalThis.performance.now, Date: globalThis.Date };
const realNow = loaded.now.bind(globalThis.performance);

/** Whether timers are faked now. A faked `Date` alone is no faked time. */
function isFaked(): boolean {
  const present = globalThis.setTimeout;
  return isUnfaked
    ? present !== setTimeout || "clock" in present
    : !isGenuine(present, "setTimeout");
}

const readPerformance = (): number => globalThis.performance.now();
const readDate = (): number => globalThis.Date.now();

/** What counts time now: the fake that moves together with the faked timers, if they are. */
function source(): () => number {
  if (!isFaked()) return isUnfaked ? realNow : readPerformance;
  const { performance, Date } = globalThis;
  const isOwn = performance.now === loaded.now && performance.now.name === "now";
  const isDateFaked = Date !== loaded.Date ||
    !/^function Date\(/.test(Function.prototype.toString.call(Date));
  return isOwn && isDateFaked ? readDate : readPerformance;
}

let read: () => number = isUnfaked ? realNow : readPerformance;
let offset = 0;
let lastRead = 0;

function now(): number {
  return isFaked() || read !== realNow ? nowAcross() : offset + realNow();
}

/**
 * Goes on from the last instant where the source of time changes or jumps back,
 * so that a fake that comes or goes is no jump in time for what is under way.
 */
function nowAcross(): number {
  if (read === realNow) lastRead = realNow();
  const current = source();
  const value = current();
  if (current !== read || value < lastRead) {
    offset = Math.ceil(offset + lastRead) - value;
    read = current;
  }
  lastRead = value;
  return offset + value;
}

/** Not where the platform ties each timer to the request in which it was set. */
const areTimersShared = isUnfaked && !isCloudflare();

const sharedTimers = new SharedTimers({
  now: realNow,
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer),
});

/**
 * A timer of the system's clock, made as cheaply as it can be.
 *
 * @param ms How long it is to last, in milliseconds; finite.
 * @param wakeAt The instant to wake at.
 * @param sleeper Who is woken, in any async context.
 * @param token What it is told.
 * @returns The timer; `null` where only `systemClock.after` will do, as under a fake.
 */
export function setSystemTimer<T>(
  ms: number,
  wakeAt: number,
  sleeper: Sleeper<T>,
  token: T,
): { cancel(): void } | null {
  if (!areTimersShared || isFaked()) return null;
  if (read !== realNow) now(); // a fake has gone: its offset with it
  return sharedTimers.set(wholeMilliseconds(ms), wakeAt - offset, sleeper, token);
}

/** Who is woken by calling it. */
const caller: Sleeper<() => void> = { wake: (callback) => callback() };

function after(ms: number, wake: () => void): () => void {
  if (checkDuration(ms) === Infinity) return () => {};
  const wakeAt = now() + ms;
  const timer = setSystemTimer(ms, wakeAt, caller, wake);
  return timer === null ? setAlone(ms, wakeAt, wake) : () => timer.cancel();
}

/** Timers overflow past `LONGEST_TIMER`, and real ones fire up to 1.5 ms early. */
function setAlone(ms: number, wakeAt: number, wake: () => void): () => void {
  const wasFaked = isFaked();
  const { clearTimeout } = globalThis; // of whoever sets the timer
  let timer: HostTimer;
  const arm = (rest: number) => {
    const part = Math.min(wholeMilliseconds(rest), LONGEST_TIMER);
    timer = globalThis.setTimeout(() => {
      // A fake is exact by its own account, and is never early, whatever its time says.
      const byFake = wasFaked || isFaked() ? rest - part - NOISE : Infinity;
      const left = Math.min(wakeAt - now(), byFake);
      if (left > 0) arm(left);
      else wake();
    }, part);
  };
  arm(ms);
  return () => {
    try {
      clearTimeout(timer);
    } catch {
      // A fake that was taken away meanwhile refuses; its timers went with it.
    }
  };
}

/**
 * The system's time: monotonic (a change of the wall clock is no change of it),
 * never early, and good for any finite duration; `Infinity` never comes.
 *
 * Where the timers are faked, as by `FakeTime` of `@std/testing`,
 * `@sinonjs/fake-timers` or `mock.timers` of `node:test`, it follows the fake.
 * A fake should be installed before an execution begins and restored after it
 * has ended: what a restored fake had armed never fires.
 *
 * @example Measuring and waiting
 * ```ts
 * import { sleep, systemClock } from "@asyncbackoff/asyncbackoff";
 * import { assert } from "@std/assert";
 *
 * const start = systemClock.now();
 * await sleep(5);
 *
 * assert(systemClock.now() - start >= 5);
 * ```
 */
export const systemClock: Required<Clock> = Object.freeze({
  now,
  after,
  sleep: (ms: number, options?: { signal?: Signal }): Promise<void> =>
    sleepBy(after, ms, options?.signal),
});

/**
 * Waits on a clock. It is what `await clock.sleep(ms)` is, on the system's
 * clock unless told otherwise.
 *
 * @param ms How long, in milliseconds: a number from 0 on; `Infinity` waits for the signal alone.
 * @param options `clock`: default {@linkcode systemClock}. `signal`: ends the wait early.
 * @returns A promise that resolves after `ms`. It rejects with the signal's own
 * reason, at once, when that is aborted; with a `TypeError` if an argument is of
 * the wrong kind; and with a `RangeError` if `ms` is negative or `NaN`.
 *
 * @example Waiting on a clock that is given
 * ```ts
 * import { sleep } from "@asyncbackoff/asyncbackoff";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new TestClock();
 * await clock.run(sleep(60_000, { clock }));
 *
 * assertEquals(clock.now(), 60_000);
 * ```
 */
export async function sleep(
  ms: number,
  options?:
    | { clock?: Clock | null | undefined; signal?: Signal | null | undefined }
    | null,
): Promise<void> {
  const clock = options?.clock ?? systemClock;
  const signal = options?.signal ?? null;
  if (signal !== null && !isSignal(signal)) {
    throw new TypeError(
      `Cannot wait as 'signal' must be an AbortSignal: current value is ${show(signal)}`,
    );
  }
  await clock.sleep(ms, signal === null ? {} : { signal });
}

/**
 * A promise-based sleep made of an `after`, for clocks that have one.
 *
 * @param after The clock's callback timer.
 * @param ms How long, in milliseconds.
 * @param signal Ends the wait early.
 * @returns A promise that resolves after `ms`, or rejects with the signal's reason.
 */
export function sleepBy(
  after: Required<Clock>["after"],
  ms: number,
  signal: Signal | null | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = after(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Checks a duration that is no option.
 *
 * @param ms A duration in milliseconds.
 * @param what What cannot be done with a wrong one.
 * @returns The same duration.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is negative or `NaN`.
 */
export function checkDuration(ms: number, what: string = "wait"): number {
  if (ms >= 0 && typeof ms === "number") return ms;
  const Wrong = typeof ms === "number" ? RangeError : TypeError;
  throw new Wrong(
    `Cannot ${what} as 'ms' must be a number >= 0: current value is ${show(ms)}`,
  );
}
