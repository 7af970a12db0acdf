/**
 * Retries an async function and guarantees when it ends: an attempt timeout, a deadline over
 * all attempts, a pause between them, a bound on tries, a filter of exceptions and a `giveup`
 * predicate, all at the same time. All durations are milliseconds.
 *
 * @example A function that is retried
 * ```ts
 * import { asyncbackoff } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * // Each attempt takes at most 100 ms, all of them 5 s, with 10 ms between them.
 * let calls = 0;
 * const load = asyncbackoff(100, 5000, 10, TypeError)(async (id: number) => {
 *   calls += 1;
 *   if (calls === 1) throw new TypeError("connection reset"); // is retried
 *   if (calls === 2) await new Promise(() => {}); // times out, and is retried
 *   return `user ${id}`;
 * });
 *
 * assertEquals(await load(7), "user 7");
 * assertEquals(calls, 3);
 * ```
 *
 * @module
 */

export { asyncbackoff } from "./src/notation/asyncbackoff.ts";
export { asyncretry } from "./src/notation/asyncretry.ts";
export {
  Backoff,
  type ExecuteOptions,
  type NarrowingOptions,
} from "./src/notation/backoff.ts";
export { retry, type RetryCallOptions } from "./src/notation/retry.ts";
export type {
  AsyncDecorator,
  AsyncFunction,
  FunctionDecorator,
} from "./src/notation/decorator.ts";
export {
  type Attempt,
  currentAttempt,
  currentAttemptOrNull,
} from "./src/driver/attempt.ts";
export { detached, type ScopeOptions, within } from "./src/driver/nesting.ts";
export type { Ends, Statistic } from "./src/driver/statistic.ts";
export type { Limit } from "./src/engine/limit.ts";
export type { Failure, Reason, Reports } from "./src/engine/state.ts";
export { TimeoutError } from "./src/engine/timeout_error.ts";
export type { ErrorClass, Exceptions } from "./src/policy/error_classes.ts";
export type {
  AttemptEvent,
  BackoffEvent,
  DoneEvent,
  FailureEvent,
  LateEvent,
  ObservedEvent,
  OuterAttempt,
} from "./src/policy/events.ts";
export { nonRetryable } from "./src/policy/non_retryable.ts";
export { ResultError } from "./src/policy/result_error.ts";
export type { BackoffOptions, Pause, RetryOptions } from "./src/policy/options.ts";
export type { Clock } from "./src/time/clock.ts";
export type { MinimalSignal, Signal } from "./src/time/signal.ts";
export { sleep } from "./src/time/sleep.ts";
export { systemClock } from "./src/time/system_clock.ts";
export type { Budget } from "./src/budget/budget.ts";
export {
  decorrelated,
  type DecorrelatedOptions,
  exponential,
  type ExponentialOptions,
  type GrowingPause,
  type Jitter,
  linear,
  type LinearOptions,
  type PauseBasis,
} from "./src/pauses/growing.ts";
