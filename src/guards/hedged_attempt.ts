/**
 * The attempts of a hedge: each call has its own, which its function sees as the current one.
 *
 * @module
 */

import { type Attempt, RunningAttempt } from "../driver/attempt.ts";
import { callAs } from "../driver/nesting.ts";
import { begin } from "../engine/engine.ts";
import type { Clock } from "../time/clock.ts";
import { promiseOf, rejectionOf } from "../time/promises.ts";

/**
 * Makes the attempt of a call.
 *
 * @param number The number of the call, from 1.
 * @param maxCalls The maximum number of calls.
 * @param at The instant at which it begins.
 * @param clock The clock.
 * @param outer The attempt that the hedge was called in.
 * @returns The attempt. Its limits and its last failure are those of the outer one.
 */
export function hedgedAttempt(
  number: number,
  maxCalls: number,
  at: number,
  clock: Clock,
  outer: Attempt | null,
): RunningAttempt {
  const state = {
    ...begin(at, ""),
    phase: "trying",
    attempts: number,
    lastFailure: outer?.lastFailure ?? null,
    checkpoint: outer?.checkpoint,
    wakeAt: at + (outer?.remaining ?? Infinity),
    idleAt: Infinity,
    delivery: null,
  } as const;
  const triesLeft = maxCalls - number;
  const maxTries = triesLeft + (outer?.lastFailure?.streak ?? 0) + 1;
  const policy = { clock, maxTries, grace: 0, deadline: Infinity };
  const listener = {
    /** Progress of a call is progress of the outer attempt. */
    progressed: (checkpoint: unknown) => {
      outer?.progress(checkpoint);
      return true;
    },
    held: () => true,
  };
  return new RunningAttempt(state, policy, 0, listener);
}

/**
 * Calls a function in an attempt.
 *
 * @param attempt The attempt, which is the current one while the function runs.
 * @param fn The function.
 * @param self The value of `this` in it.
 * @param args Its arguments.
 * @returns The promise of its result. What the function throws is a rejection.
 */
export function callIn(
  attempt: Attempt,
  fn: (...args: never[]) => unknown,
  self: unknown,
  args: readonly unknown[],
): Promise<unknown> {
  try {
    return promiseOf(callAs(attempt, () => Reflect.apply(fn, self, args)));
  } catch (error) {
    return rejectionOf(error);
  }
}
