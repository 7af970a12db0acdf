/**
 * Retry, timeout and deadline for asynchronous functions, with a guaranteed
 * time: an attempt timeout, a deadline over all attempts, a pause between them,
 * a bound on tries, a filter of exceptions and a `giveup` predicate, all at the
 * same time. All durations are milliseconds.
 *
 * @example A guaranteed time for a function
 * ```ts
 * import { asyncbackoff, currentAttempt } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * // Each attempt takes at most 1 s, all of them 5 s, with 100 ms between them.
 * const load = asyncbackoff(1000, 5000, 100, TypeError)(async (url: string) => {
 *   const response = await fetch(url, { signal: currentAttempt().signal });
 *   return await response.text();
 * });
 *
 * assertEquals(await load("data:,hello"), "hello");
 * ```
 *
 * @module
 */

export { asyncbackoff } from "./src/asyncbackoff.ts";
export { asyncretry } from "./src/asyncretry.ts";
export { type Attempt, currentAttempt } from "./src/attempt.ts";
export { Backoff, type ExecuteOptions } from "./src/backoff.ts";
export type { Budget } from "./src/budget.ts";
export { type Clock, sleep, systemClock } from "./src/clock.ts";
export type { AsyncDecorator, AsyncFunction } from "./src/decorator.ts";
export type { Failure, Reason } from "./src/state.ts";
export { TimeoutError } from "./src/errors.ts";
export type {
  AttemptEvent,
  BackoffEvent,
  DoneEvent,
  FailureEvent,
  LateEvent,
  ObservedEvent,
} from "./src/observe.ts";
export type { BackoffOptions, ErrorClass, Pause, RetryOptions } from "./src/options.ts";
export type { MinimalSignal, Signal } from "./src/signal.ts";
export {
  decorrelated,
  type DecorrelatedOptions,
  exponential,
  type ExponentialOptions,
  type GrowingPause,
  type Jitter,
  linear,
  type LinearOptions,
} from "./src/pauses.ts";
export { type PausePreview, preview, type Spread } from "./src/preview.ts";
export { retryAfter } from "./src/retry_after.ts";
export { RetryBudget, type RetryBudgetOptions } from "./src/retry_budget.ts";
export { type Ends, Statistic } from "./src/statistic.ts";
export { type DrawingOptions, Timeline, type TimelineOptions } from "./src/timeline.ts";
export { TokenBudget, type TokenBudgetOptions } from "./src/token_budget.ts";
