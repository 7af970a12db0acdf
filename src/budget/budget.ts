/**
 * What bounds the retries of many executions together.
 *
 * @module
 */

/**
 * A bound on the retries of all executions that share it, over any number of
 * policies: where everything fails, retries multiply the load that made it fail.
 * It is told what happens, and asked before a retry. First attempts are never
 * refused.
 *
 * Two are published and ready: `RetryBudget`, a share of executions over a
 * sliding window, and `TokenBudget`, which failures drain and successes fill.
 *
 * A budget has no clock of its own: the instants are those of the policy's
 * clock, so policies that share a budget should share their clock too. What a
 * method throws goes out, and ends the execution.
 *
 * @example A budget of one's own: ten retries, ever
 * ```ts
 * import { Backoff, type Budget } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * let left = 10;
 * const budget: Budget = {
 *   began: () => {},
 *   failed: () => {},
 *   succeeded: () => {},
 *   mayRetry: () => left-- > 0,
 * };
 * const backoff = new Backoff({ exceptions: [Error], budget });
 * await backoff.execute(() => Promise.reject(new Error("down"))).catch(() => {});
 *
 * assertEquals(backoff.statistic.attempts, 11);
 * ```
 */
export interface Budget {
  /**
   * The first attempt of an execution begins. An execution that never calls its
   * function, as one whose signal is aborted beforehand, is not told.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   */
  began(at: number): void;
  /**
   * An attempt failed with an error that is listed, whether or not it is retried.
   * One that the deadline or the caller cuts is not told, also in its grace.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   */
  failed(at: number): void;
  /**
   * An execution succeeded.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   */
  succeeded(at: number): void;
  /**
   * Whether a retry may be made. Asked last, when nothing else stands against
   * it, and before the pause: `true` is the charge for the retry, whatever comes
   * of it.
   *
   * @param at The instant, in milliseconds on the policy's clock.
   * @returns `false` ends the execution with the failure's own error. It must
   * answer at once: a promise is refused.
   */
  mayRetry(at: number): boolean;
}
