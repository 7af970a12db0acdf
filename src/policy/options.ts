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
import type { ErrorClass } from "./error_classes.ts";
import type { BackoffEvent } from "./events.ts";

/**
 * The time between the end of an attempt and the start of the next, in milliseconds: a finite
 * number >= 0, or a function of the failure that returns one.
 */
export type Pause = number | ((failure: Failure) => number);

/** Every option except the two limits. `null` and `undefined` mean absent. */
export interface RetryOptions {
  /**
   * The maximum number of attempts, including the first: an integer >= 1.
   *
   * @default {Infinity}
   */
  maxTries?: number | null | undefined;
  /**
   * The classes whose errors are retried. `"all"` is everything that can be thrown, except
   * errors named `"AbortError"`. Timeouts, which are all errors named `"TimeoutError"`, are
   * always retried.
   *
   * @default {[]} (of `asyncretry`: `"all"`)
   */
  exceptions?: readonly ErrorClass[] | "all" | null | undefined;
  /**
   * The time between the end of an attempt and the start of the next, in milliseconds: finite
   * and >= 0, or a function of the failure that returns such a number. A pause of 0 still
   * yields to the event loop. An error that the function throws ends the execution, which
   * rejects with it.
   *
   * @default {0}
   */
  pause?: Pause | null | undefined;
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
   * `RetryBudget`, `TokenBudget`, or your own. It is asked last, before the pause. If it
   * refuses, the execution ends with the failure's own error. It never refuses first attempts.
   *
   * @default {null}
   */
  budget?: Budget | null | undefined;
  /**
   * The time that an attempt gets to wind down after its own timeout, before the pause begins,
   * in milliseconds >= 0. It ends as soon as the attempt settles. A value that arrives within
   * it is the result. With `Infinity`, two attempts never run at once; without a deadline,
   * that can wait for ever.
   *
   * @default {0}
   */
  grace?: number | null | undefined;
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
  exceptions: true,
  maxTries: true,
  giveup: true,
  budget: true,
  grace: true,
  signal: true,
  observe: true,
  clock: true,
});
