/**
 * One call of the function, and the view of it that the function gets.
 *
 * @module
 */

import type { Failure, Trying } from "../engine/state.ts";
import { realm, triesNow } from "../realm/realm.ts";
import type { Clock } from "../time/clock.ts";
import type { Signal } from "../time/signal.ts";
import { AttemptScope, type Scope } from "./nesting.ts";

/**
 * One call of the function. `execute` passes it to the function; a decorated function gets it
 * from {@linkcode currentAttempt}.
 *
 * @example Passing the signal of each attempt to fetch
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
  /**
   * Milliseconds until the nearest limit of the attempt, or of the attempt that it is nested in,
   * >= 0; `Infinity` without one.
   */
  readonly remaining: number;
  /** The number of attempts that may follow this one; `Infinity` without a bound. */
  readonly triesLeft: number;
  /** The failure of the attempt before; `null` for the first. */
  readonly lastFailure: Failure | null;
}

/** The part of a policy that an attempt shows. */
interface AttemptPolicy {
  readonly clock: Clock;
  readonly maxTries: number;
}

/** The attempt of an execution, with the means to abort it. */
export class RunningAttempt implements Attempt {
  readonly #state: Trying;
  readonly #policy: AttemptPolicy;
  readonly #execution: number;
  #controller: AbortController | null = null;
  #isAborted = false;
  #reason: unknown = undefined;
  #isSettled = false;
  #scope: AttemptScope | null = null;

  /**
   * Makes an attempt.
   *
   * @param state The state in which it begins.
   * @param policy The policy of its execution.
   * @param execution The number of its execution.
   */
  constructor(state: Trying, policy: AttemptPolicy, execution: number) {
    this.#state = state;
    this.#policy = policy;
    this.#execution = execution;
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
    return Math.max(0, this.#endsAt - this.#now());
  }

  get triesLeft(): number {
    return triesNow(this.#policy.maxTries) - this.#state.attempts;
  }

  get lastFailure(): Failure | null {
    return this.#state.lastFailure;
  }

  get #endsAt(): number {
    return Math.min(this.#state.wakeAt, this.#state.outerEndsAt);
  }

  /** The scope of what is nested in the attempt. Created on first access. */
  get "@asyncbackoff/asyncbackoff/scope/1"(): Scope {
    if (this.#scope === null) {
      const outer = { execution: this.#execution, attempt: this.number };
      this.#scope = new AttemptScope(this, outer, this.#policy.clock, this.#endsAt);
      if (this.#isAborted) this.#scope.abort(this.#reason);
      if (this.#isSettled) this.#scope.settle();
    }
    return this.#scope;
  }

  /** Never before the attempt began, even if the clock goes backwards. */
  #now(): number {
    return Math.max(this.#policy.clock.now(), this.#state.at);
  }

  /**
   * Ends an attempt from outside, once, and what is nested in it. Its signal is aborted by
   * `abort`. Static, because the function that holds the attempt must not be able to.
   *
   * @param attempt The attempt.
   * @param reason The reason for its signal.
   */
  static end(attempt: RunningAttempt, reason: unknown): void {
    if (!attempt.#isAborted) {
      attempt.#reason = reason;
      attempt.#isAborted = true;
    }
    attempt.#scope?.abort(attempt.#reason);
  }

  /**
   * Aborts the signal of an attempt, once, after everything nested in it knows of its end.
   *
   * @param attempt The attempt.
   * @param reason The reason for its signal, unless the attempt has been ended already.
   */
  static abort(attempt: RunningAttempt, reason: unknown): void {
    RunningAttempt.end(attempt, reason);
    attempt.#controller?.abort(attempt.#reason);
  }

  /**
   * Notes that the function has ended, so that its scope lets go of what is nested in it.
   *
   * @param attempt The attempt.
   */
  static settle(attempt: RunningAttempt): void {
    attempt.#isSettled = true;
    attempt.#scope?.settle();
  }

  /**
   * Returns the abort of an attempt, to keep while its outcome is awaited. It keeps nothing else
   * of the attempt.
   *
   * @param attempt The attempt, which was aborted.
   * @returns The reason, and the controller of its signal.
   */
  static abortionOf(attempt: RunningAttempt): Abortion {
    return {
      reason: attempt.#reason,
      controller: attempt.#controller,
      scope: attempt.#scope,
    };
  }
}

/** The abort of an attempt. */
export interface Abortion {
  readonly reason: unknown;
  readonly controller: AbortController | null;
  readonly scope: AttemptScope | null;
}

/**
 * Determines whether a rejection merely repeats the reason that the attempt was aborted with.
 *
 * @param abortion The abort of the attempt.
 * @param reason The reason of the rejection.
 * @returns Whether it is the same reason.
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
      "that is executed" +
      (realm.context === null
        ? ", before its first 'await'; or call 'followAttempts()' once at start"
        : ""),
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
  const { currentAttempt, context } = realm;
  if (currentAttempt !== null || context === null) {
    return (currentAttempt || null) as Attempt | null;
  }
  return (context.getStore() as Scope | null | undefined)?.attempt ?? null;
}
