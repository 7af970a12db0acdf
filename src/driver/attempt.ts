/**
 * One call of the function, and the view of it that the function gets.
 *
 * @module
 */

import type { Failure, Trying } from "../engine/state.ts";
import { realm, triesNow } from "../realm/realm.ts";
import type { Clock } from "../time/clock.ts";
import type { Signal } from "../time/signal.ts";

/**
 * One call of the function. `execute` passes it to the function; a decorated function gets it
 * from {@linkcode currentAttempt}.
 *
 * @example Giving each attempt's signal to what it calls
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const backoff = new Backoff({ attemptTimeout: 5000, deadline: 10_000 });
 * const answer = await backoff.execute(async (attempt) => {
 *   const response = await fetch("data:,hello", { signal: attempt.signal });
 *   return response.text();
 * });
 *
 * assertEquals(answer, "hello");
 * ```
 */
export interface Attempt {
  /** The number of the attempt in its execution, starting at 1. */
  readonly number: number;
  /**
   * Aborts when the attempt is ended from outside: by its timeout or the deadline, with a
   * `TimeoutError`, or by the caller, with the caller's own reason. Each attempt has a signal
   * of its own. It does not abort if the attempt ends by itself.
   */
  readonly signal: Signal;
  /** Milliseconds since the attempt began. */
  readonly elapsed: number;
  /** Milliseconds until the nearest limit of the attempt, >= 0; `Infinity` without one. */
  readonly remaining: number;
  /** The number of attempts that may follow this one; `Infinity` without a bound. */
  readonly triesLeft: number;
  /** The failure of the attempt before; `null` for the first. */
  readonly lastFailure: Failure | null;
}

/** The part of a policy that an attempt tells of. */
interface AttemptPolicy {
  readonly clock: Clock;
  readonly maxTries: number;
}

/** The attempt of an execution, with the means to abort it. */
export class RunningAttempt implements Attempt {
  readonly #state: Trying;
  readonly #policy: AttemptPolicy;
  #controller: AbortController | null = null;
  #isAborted = false;
  #reason: unknown = undefined;

  /**
   * Makes an attempt.
   *
   * @param state The state in which it begins.
   * @param policy The policy of its execution.
   */
  constructor(state: Trying, policy: AttemptPolicy) {
    this.#state = state;
    this.#policy = policy;
  }

  get number(): number {
    return this.#state.attempts;
  }

  /** Created on first access: it is expensive, and most functions never use it. */
  get signal(): Signal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get elapsed(): number {
    return this.#now() - this.#state.at;
  }

  get remaining(): number {
    return Math.max(0, this.#state.wakeAt - this.#now());
  }

  get triesLeft(): number {
    return triesNow(this.#policy.maxTries) - this.#state.attempts;
  }

  get lastFailure(): Failure | null {
    return this.#state.lastFailure;
  }

  /** Never before the attempt began, even if the clock goes backwards. */
  #now(): number {
    return Math.max(this.#policy.clock.now(), this.#state.at);
  }

  /**
   * Aborts the signal of an attempt, once. Static, because the function that holds the attempt
   * must not be able to.
   *
   * @param attempt The attempt.
   * @param reason The reason for its signal.
   */
  static abort(attempt: RunningAttempt, reason: unknown): void {
    if (attempt.#isAborted) return;
    attempt.#isAborted = true;
    attempt.#reason = reason;
    attempt.#controller?.abort(reason);
  }

  /**
   * Tells by what an attempt was aborted, for as long as its outcome is awaited. It keeps
   * nothing else of the attempt.
   *
   * @param attempt The attempt, which was aborted.
   * @returns The reason, and the controller of its signal.
   */
  static abortionOf(attempt: RunningAttempt): Abortion {
    return { reason: attempt.#reason, controller: attempt.#controller };
  }
}

/** The abort of an attempt. */
export interface Abortion {
  readonly reason: unknown;
  readonly controller: AbortController | null;
}

/**
 * Tells whether a rejection merely repeats the reason that the attempt was aborted with.
 *
 * @param abortion The abort of the attempt.
 * @param reason The reason of the rejection.
 * @returns Whether the rejection says no more than that.
 */
export function isEcho({ reason: own, controller }: Abortion, reason: unknown): boolean {
  // A signal that is aborted with undefined makes a reason of its own.
  return Object.is(reason, own) ||
    (controller !== null && Object.is(reason, controller.signal.reason));
}

/**
 * Returns the attempt that is calling the decorated function, so that the function reaches its
 * signal without a parameter. Inside nested executions it is the innermost attempt.
 *
 * @returns The current attempt.
 * @throws {Error} Outside of the function, and after its first `await`. Keep the attempt in a
 * variable to use it later.
 *
 * @example A decorated function that can be cancelled
 * ```ts
 * import { asyncbackoff, currentAttempt } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const get = asyncbackoff(5000, 10_000)(async (url: string) => {
 *   const { signal } = currentAttempt();
 *   const response = await fetch(url, { signal });
 *   return response.text();
 * });
 *
 * assertEquals(await get("data:,hello"), "hello");
 * ```
 */
export function currentAttempt(): Attempt {
  const current = currentAttemptOrNull();
  if (current !== null) return current;
  throw new Error(
    "Cannot get the current attempt: 'currentAttempt()' must be called inside the function " +
      "that is executed, before its first 'await'",
  );
}

/**
 * Returns the attempt that is calling the decorated function, for helpers that may also be
 * called outside of an attempt.
 *
 * @returns The current attempt; `null` where {@linkcode currentAttempt} throws.
 *
 * @example A helper that works with and without an attempt
 * ```ts
 * import { currentAttemptOrNull } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const get = (url: string) => fetch(url, { signal: currentAttemptOrNull()?.signal ?? null });
 *
 * assertEquals(await (await get("data:,hello")).text(), "hello");
 * ```
 */
export function currentAttemptOrNull(): Attempt | null {
  return realm.currentAttempt as Attempt | null;
}
