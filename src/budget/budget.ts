/**
 * A bound on the retries of many executions together.
 *
 * @module
 */

import type { Failure } from "../engine/state.ts";

/**
 * A bound on the retries of all executions that share it, over any number of policies.
 *
 * Why a budget, and not a maximum of tries? When a server fails everything, each execution
 * makes its maximum of tries, so retries multiply the load that made the server fail. A budget
 * bounds the retries of all executions together. First attempts are never refused.
 *
 * Two published budgets are ready: `RetryBudget`, a ratio of executions over a sliding window,
 * and `TokenBudget`, which failures drain and successes fill.
 *
 * All functions but `mayRetry` may be absent. A budget has no clock of its own: the instants are
 * those of the policy's clock, so policies that share a budget should share their clock too. An
 * error that a function other than `ended` throws ends the execution, which rejects with it.
 *
 * @example A budget of your own: ten retries, ever
 * ```ts
 * import { Backoff, type Budget } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * let left = 10;
 * const budget: Budget = { mayRetry: () => left-- > 0 };
 * const backoff = new Backoff({ exceptions: [Error], budget });
 * await backoff.execute(() => Promise.reject(new Error("down"))).catch(() => {});
 *
 * assertEquals(backoff.statistic.attempts, 11);
 * ```
 */
export interface Budget {
  /**
   * Called when the first attempt of an execution begins. It is not called for an execution
   * that never calls its function, such as one whose signal is aborted beforehand.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   */
  began?(at: number): void;
  /**
   * Called when an attempt failed with a retryable error, whether or not it is retried. It is
   * not called for an attempt that the deadline or the caller ends, even within its grace.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   */
  failed?(at: number): void;
  /**
   * Called when an execution succeeded.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   */
  succeeded?(at: number): void;
  /**
   * Called when an execution that had `began` has ended, whatever its outcome. An error that it
   * throws is uncaught and changes nothing.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   */
  ended?(at: number): void;
  /**
   * Called before the pause of a retry that everything else allows. Returning `true` charges
   * the budget for the retry, whatever happens to it.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   * @param failure The failure that would be retried.
   * @returns Whether the retry may be made. `false` ends the execution with the failure's own
   * error. It must answer at once, so a promise is refused.
   */
  mayRetry(at: number, failure: Failure | null): boolean;
}
