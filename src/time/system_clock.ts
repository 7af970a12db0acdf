/**
 * The system's clock.
 *
 * @module
 */

import { checkDuration } from "../check/values.ts";
import { type Clock, NOISE, sleepBy, wholeMilliseconds } from "./clock.ts";
import { makeSystemTime } from "./fake_time.ts";
import { isRequestScoped } from "./platform.ts";
import { type HostTimer, LONGEST_TIMER, SharedTimers } from "./shared_timers.ts";
import type { Signal } from "./signal.ts";
import type { Timer, WakeListener } from "./timer_listener.ts";

/** A clock of the system, and its timers for a listener. */
export interface System {
  readonly clock: Required<Clock>;
  /**
   * Sets a shared timer.
   *
   * @typeParam Token The type of the token.
   * @param ms How long it lasts, in milliseconds; finite.
   * @param wakeAt The instant to wake at.
   * @param listener Receives the wake-up, in any async context.
   * @param token Says which timer woke.
   * @returns The timer; `null` where only `clock.after` works, such as under a fake.
   */
  setTimer<Token>(
    ms: number,
    wakeAt: number,
    listener: WakeListener<Token>,
    token: Token,
  ): Timer | null;
}

/** A listener whose token is the function to call. */
const caller: WakeListener<() => void> = {
  due: (callback) => callback(),
  isLimit: () => false,
};

/**
 * Makes a clock of the globals as they are now.
 *
 * @returns The clock, and its timers.
 */
export function makeSystem(): System {
  const { setTimeout, clearTimeout } = globalThis;
  const time = makeSystemTime();
  const { now, isFaked } = time;
  // Nothing is shared where the platform ties each timer to the request in which it was set.
  const areTimersShared = time.wasUnfaked && !isRequestScoped();
  const sharedTimers = new SharedTimers({
    now: time.realNow,
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
  });

  const setTimer: System["setTimer"] = (ms, wakeAt, listener, token) =>
    areTimersShared && !isFaked()
      ? sharedTimers.set(wholeMilliseconds(ms), time.realInstant(wakeAt), listener, token)
      : null;

  const after = (ms: number, wake: () => void): () => void => {
    if (checkDuration("wait: 'ms'", ms) === Infinity) return () => {};
    const wakeAt = now() + ms;
    const timer = setTimer(ms, wakeAt, caller, wake);
    return timer === null ? setAlone(ms, wakeAt, wake) : () => timer.cancel();
  };

  /** Timers overflow past `LONGEST_TIMER`, and real ones fire up to 1.5 ms early. */
  const setAlone = (ms: number, wakeAt: number, wake: () => void): () => void => {
    const wasFaked = isFaked();
    const { clearTimeout } = globalThis; // belongs to the same fake as the timer
    let timer: HostTimer;
    const arm = (rest: number) => {
      const part = Math.min(wholeMilliseconds(rest), LONGEST_TIMER);
      timer = globalThis.setTimeout(() => {
        // Trust a faked timer: it fires exactly when due, even if the faked `now` disagrees.
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
        // A fake that was removed meanwhile throws. Its timers are gone with it.
      }
    };
  };

  const sleep = (ms: number, options?: { signal?: Signal }): Promise<void> =>
    sleepBy(after, ms, options?.signal);
  return { clock: Object.freeze({ now, after, sleep }), setTimer };
}

/** The one system of this copy of the library. */
export const system: System = /* @__PURE__ */ makeSystem();

/**
 * The system's time. It is monotonic, so a change of the wall clock does not change it. It is
 * never early, and takes any finite duration; `Infinity` never ends.
 *
 * Where the timers are faked, as by `FakeTime` of `@std/testing`, `@sinonjs/fake-timers` or
 * `mock.timers` of `node:test`, it follows the fake. Install a fake before an execution begins
 * and restore it after the execution has ended: the timers of a restored fake never fire.
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
export const systemClock: Required<Clock> = /* @__PURE__ */ (() => system.clock)();
