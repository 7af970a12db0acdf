/**
 * The options of a policy.
 *
 * @module
 */

import type { Budget } from "../budget/budget.ts";
import { namesOf } from "../check/keys.ts";
import type { Failure } from "../engine/state.ts";
import type { Clock } from "../time/clock.ts";
import type { Signal } from "../time/signal.ts";
import type { Exceptions } from "./error_classes.ts";
import type { BackoffEvent } from "./events.ts";

/**
 * The time between the end of an attempt and the start of the next, in milliseconds: a finite
 * number >= 0, a list of them, or a function of the failure that returns one.
 */
export type Pause = number | readonly number[] | ((failure: Failure) => number);

/**
 * Every option except the attempt timeout and the deadline. `null` and `undefined` mean absent.
 */
export interface RetryOptions {
  /**
   * The maximum number of attempts, including the first: an integer >= 1. With `resetAfter`, the
   * maximum number of failures in a row.
   *
   * @default {Infinity}
   */
  maxTries?: number | null | undefined;
  /**
   * The errors that are retried: those of some classes, those for which a predicate returns
   * `true`, or `"all"`, which is everything that can be thrown except errors named
   * `"AbortError"`, and refusals by a guard: `"CircuitOpenError"` and `"ThrottledError"`. A
   * built-in class also means the same class of other realms. The predicate must answer at once.
   * Errors named `"TimeoutError"` are always retried, except the very object that ended the
   * attempt before.
   *
   * @default {[]} (of `asyncretry` and `retry`: `"all"`)
   */
  exceptions?: Exceptions | null | undefined;
  /**
   * A predicate of the function's result. A result for which it returns `false` is a failure
   * with a `ResultError`, which is always retryable. It must answer at once. An error that it
   * throws ends the execution, which rejects with it.
   *
   * @default {null}
   */
  // deno-lint-ignore no-explicit-any
  until?: ((value: any) => boolean) | null | undefined;
  /**
   * The time between the end of an attempt and the start of the next, in milliseconds: finite
   * and >= 0, a list of such numbers, of which the last one is repeated, or a function of the
   * failure that returns one. A pause of 0 still yields to the event loop. If the function
   * throws the failure's own error, the execution gives up. Any other error that it throws ends
   * the execution, which rejects with it.
   *
   * @default {0}
   */
  pause?: Pause | null | undefined;
  /**
   * The time that must be left until the deadline after a pause, in milliseconds: finite and
   * >= 0. If less than that, or nothing, would be left, the execution ends at once with the failure's own
   * error. Without it, the execution waits for the deadline, like aiomisc.
   *
   * @default {null} (of `retry`: 0)
   */
  minRemaining?: number | null | undefined;
  /**
   * A predicate that is called after each failure that would be retried. If it returns `true`,
   * the execution ends with that failure's error. It must answer at once, so a promise is
   * refused. An error that it throws ends the execution, which rejects with it.
   *
   * @default {null}
   */
  giveup?: ((error: unknown, failure: Failure) => boolean) | null | undefined;
  /**
   * A bound on the retries of all executions that share it, over any number of policies:
   * `RetryBudget`, `TokenBudget`, or your own. It is asked last. If it refuses, the execution
   * ends with the failure's own error. It never refuses first attempts.
   *
   * @default {null}
   */
  budget?: Budget | null | undefined;
  /**
   * The longest that an attempt may go on without progress, in milliseconds >= 0. An attempt
   * reports progress by `attempt.progress()`. One that is silent for longer is aborted and fails
   * with a `TimeoutError`, which is retried.
   *
   * @default {Infinity}
   */
  idleTimeout?: number | null | undefined;
  /**
   * The time after which an attempt counts as healthy, in milliseconds >= 0. One that fails at
   * least so long after its first report of progress begins a new streak of failures: `maxTries`
   * and growing pauses count from there.
   *
   * @default {Infinity} (never)
   */
  resetAfter?: number | null | undefined;
  /**
   * The time that an attempt gets to wind down after its own timeout, before the pause begins,
   * in milliseconds >= 0. It ends as soon as the attempt settles. A value that arrives within
   * it is the result. With `Infinity`, two attempts never run at once. Without a
   * deadline, an execution then waits for ever if its function never settles.
   *
   * @default {0}
   */
  grace?: number | null | undefined;
  /**
   * Whether to retry an error with which another execution has ended after its own retries. With
   * `false`, calls that are nested in five layers of three tries each make 3 attempts, and not
   * 243. The error is also found as a cause, at most ten deep. A thrown primitive is not
   * recognised.
   *
   * @default {true}
   */
  retryExhausted?: boolean | null | undefined;
  /** A signal that aborts every execution of this policy, besides the signal of `execute`. */
  signal?: Signal | null | undefined;
  /** A function that receives each event. It changes nothing, even if it throws. */
  observe?: ((event: BackoffEvent) => void) | null | undefined;
  /**
   * The source of time.
   *
   * @default {systemClock}
   */
  clock?: Clock | null | undefined;
  /**
   * The name of the executions, for messages, events and failures.
   *
   * @default {null} (the name of the function)
   */
  name?: string | null | undefined;
}

/** Every option. `null` and `undefined` mean absent. */
export interface BackoffOptions extends RetryOptions {
  /**
   * The longest that one attempt may take, in milliseconds >= 0. An attempt that takes longer
   * is aborted and fails with a `TimeoutError`, which is retried.
   *
   * @default {Infinity}
   */
  attemptTimeout?: number | null | undefined;
  /**
   * The longest that the whole execution may take, in milliseconds >= 0, whatever it is doing.
   * With 0, the function is never called.
   *
   * @default {Infinity}
   */
  deadline?: number | null | undefined;
}

/** The names of all options. */
export const OPTION_NAMES: readonly (keyof BackoffOptions)[] = /* @__PURE__ */ namesOf<
  BackoffOptions
>({
  attemptTimeout: true,
  deadline: true,
  pause: true,
  minRemaining: true,
  exceptions: true,
  until: true,
  maxTries: true,
  giveup: true,
  budget: true,
  retryExhausted: true,
  idleTimeout: true,
  resetAfter: true,
  grace: true,
  signal: true,
  observe: true,
  clock: true,
  name: true,
});
