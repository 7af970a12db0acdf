/**
 * A wait on any clock.
 *
 * @module
 */

import { wrongType } from "../check/values.ts";
import type { Clock } from "./clock.ts";
import { isSignal, type Signal } from "./signal.ts";
import { systemClock } from "./system_clock.ts";

/**
 * Waits on a clock: `clock.sleep(ms)`, on the system's clock by default.
 *
 * @param ms How long, in milliseconds >= 0. `Infinity` waits for the signal alone.
 * @param options `clock`: default {@linkcode systemClock}. `signal`: ends the wait early.
 * @returns A promise that resolves after `ms`. It rejects at once with the signal's own reason
 * when that is aborted. It rejects with a `TypeError` if an argument is of the wrong type, and
 * with a `RangeError` if `ms` is negative or `NaN`.
 *
 * @example Waiting on a given clock
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
    throw wrongType("wait: 'signal'", "an AbortSignal", signal);
  }
  await clock.sleep(ms, signal === null ? {} : { signal });
}
