/**
 * Counters of what a policy did.
 *
 * @module
 */

import type { Failure, State } from "./state.ts";

/**
 * What a `Backoff` has done so far, over all of its executions.
 *
 * @example Reading it
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const retry = asyncretry(3);
 * const load = retry(() => Promise.reject(new Error("down")));
 * await load().catch(() => {});
 *
 * assertEquals(retry.statistic.attempts, 3);
 * assertEquals(retry.statistic.errors, 3);
 * ```
 */
export class Statistic {
  /** Attempts that have begun. */
  attempts: number = 0;
  /** Attempts that have ended. */
  done: number = 0;
  /** Failures with an error that is listed (timeouts too), whether or not they were retried. */
  errors: number = 0;
  /** Attempts that were cut by the deadline or by the caller. */
  cancels: number = 0;
  /** Retries that the budget refused. */
  refused: number = 0;
  /**
   * Milliseconds from the start of each attempt to the start of the next, or to
   * the end of the execution: the pauses are in it.
   */
  sumTime: number = 0;
}

/**
 * Counts one step of an execution.
 *
 * @param statistic What counts.
 * @param before The state before it.
 * @param next The state after it.
 * @param failure The failure that was decided on, if there was one.
 */
export function count(
  statistic: Statistic,
  before: State,
  next: State,
  failure: Failure | null,
): void {
  if (next.phase === "stopping") return;
  const reason = next.phase === "done" ? next.reason : null;
  if (reason === "budget") statistic.refused++;
  if (before.phase !== "pausing") {
    statistic.done++;
    if (failure !== null) statistic.errors += reason === "unlisted" ? 0 : 1;
    else if (reason === "deadline" || reason === "aborted") statistic.cancels++;
  }
  if (next.phase === "pausing") return;
  if (before.tries > 0) statistic.sumTime += next.at - before.attemptAt;
  if (next.phase === "trying") statistic.attempts++;
}

/**
 * Counts the success of a running attempt, as {@linkcode count} does.
 *
 * @param statistic What counts.
 * @param before The state before it.
 * @param at The instant of the success.
 */
export function countSuccess(statistic: Statistic, before: State, at: number): void {
  statistic.done++;
  statistic.sumTime += at - before.attemptAt;
}
