/**
 * A wait for a promise that may never settle.
 *
 * @module
 */

import type { Clock } from "../time/clock.ts";
import { Deferred, ignore, promiseOf, react } from "../time/promises.ts";
import { readInstant, startTimer } from "../time/timer.ts";

/**
 * Waits for a promise, but not for long. A clock that fails ends the wait.
 *
 * @param clock The clock.
 * @param ms The longest wait, in milliseconds.
 * @param until The instant at which the wait ends at the latest.
 * @param promise The promise, which does not reject.
 * @returns A promise that resolves when the other one does, or the time is over.
 */
export function waitAtMost(
  clock: Clock,
  ms: number,
  until: number,
  promise: Promise<unknown>,
): Promise<unknown> {
  if (ms === 0) return promiseOf(undefined);
  if (ms === Infinity && until === Infinity) return promise;
  const over = new Deferred();
  const resolve = () => over.resolve(undefined);
  const listener = {
    due: resolve,
    wake: resolve,
    clockFailed: resolve,
    isLimit: () => false,
  };
  try {
    const now = readInstant(clock);
    const wait = Math.max(0, Math.min(ms, until - now));
    const timer = startTimer(clock, wait, now + wait, listener, null);
    react(promise, () => timer.cancel(), ignore);
    over.follow(promise);
  } catch {
    resolve();
  }
  return over.promise;
}
