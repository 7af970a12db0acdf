/**
 * The source of time, as an interface to inject.
 *
 * @module
 */

import { Deferred } from "./promises.ts";
import { onAbort, reasonOf, type Signal } from "./signal.ts";

/**
 * A source of time. `now` and `sleep` are enough, so `{ now: () => Date.now(), sleep: delay }`
 * with `delay` of `@std/async` is a clock. With `after`, an execution takes less time and
 * memory.
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
   * Reads the present instant.
   *
   * @returns Milliseconds since a point of the clock's own choice. Must be finite: if it is
   * not, the execution ends with a `TypeError`. If it goes backwards, time counts as
   * standing still.
   */
  now(): number;
  /**
   * Waits.
   *
   * @param ms How long, in milliseconds. Executions ask for whole milliseconds.
   * @param options `signal` ends the wait early; the promise then rejects.
   * @returns A promise that resolves after `ms`. If it resolves early, the execution asks for
   * the rest. If that happens a thousand times in a row while `now` stands still, the
   * execution ends with a `TypeError`.
   */
  sleep(ms: number, options?: { signal?: Signal }): Promise<void>;
  /**
   * Calls `wake` once after `ms`, and never early. The call counts as that instant even if
   * `now` lags behind it. Optional.
   *
   * @param ms How long, in milliseconds >= 0.
   * @param wake The function to call, in any async context.
   * @returns A function that cancels the call. It is harmless when it comes too late.
   */
  after?(ms: number, wake: () => void): () => void;
}

/**
 * Makes a promise-based sleep of an `after`.
 *
 * @param after The clock's `after`.
 * @param ms How long, in milliseconds.
 * @param signal Ends the wait early.
 * @returns A promise that resolves after `ms`, or rejects with the signal's reason.
 */
export function sleepBy(
  after: Required<Clock>["after"],
  ms: number,
  signal: Signal | null | undefined,
): Promise<void> {
  const sleep = new Deferred<void>();
  if (signal?.aborted) {
    sleep.reject(reasonOf(signal));
    return sleep.promise;
  }
  let cancel = (): void => {}; // `after` may call back before it returns
  const unlisten = signal && onAbort(signal, () => {
    cancel();
    sleep.reject(reasonOf(signal));
  });
  try {
    cancel = after(ms, () => {
      unlisten?.();
      sleep.resolve();
    });
  } catch (error) {
    unlisten?.();
    sleep.reject(error);
  }
  return sleep.promise;
}

/**
 * Rounds up, because timers truncate and would fire early. Floating-point residue below
 * `NOISE` counts as zero.
 *
 * @param ms A duration in milliseconds.
 * @returns The duration in whole milliseconds.
 */
export function wholeMilliseconds(ms: number): number {
  return Math.max(0, Math.ceil(ms - NOISE));
}

/** A nanosecond. Any smaller duration is a residue of adding instants. */
export const NOISE = 1e-6;
