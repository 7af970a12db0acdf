/**
 * One call of the function, and how the function can look at it.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { Failure, Trying } from "./state.ts";
import type { Signal } from "./signal.ts";

/**
 * One call of the function, as the function can look at it: handed over by
 * `execute`, and by {@linkcode currentAttempt} in a decorated function.
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
  /** Which attempt of its execution it is, from 1 on. */
  readonly number: number;
  /**
   * Aborts when the attempt is cut: by its timeout or the deadline, with a
   * `TimeoutError`, or by the caller, with the caller's own reason. It is this
   * attempt's alone, and stays quiet where the attempt ends by itself.
   */
  readonly signal: Signal;
  /** Milliseconds since the attempt began. */
  readonly elapsed: number;
  /** Milliseconds until its nearest limit, never negative; `Infinity` without one. */
  readonly remaining: number;
  /** Why the attempt before it failed; `null` for the first. */
  readonly lastFailure: Failure | null;
}

/** The attempt as its execution makes it, and cuts it. */
export class RunningAttempt implements Attempt {
  readonly #state: Trying;
  readonly #clock: Clock;
  #controller: AbortController | null = null;
  #isCut = false;
  #reason: unknown = undefined;

  constructor(state: Trying, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  get number(): number {
    return this.#state.tries;
  }

  /** Made when it is first looked at: most functions never do, and it is dear. */
  get signal(): Signal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isCut) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get elapsed(): number {
    return this.#now() - this.#state.at;
  }

  get remaining(): number {
    return Math.max(0, this.#state.wakeAt - this.#now());
  }

  get lastFailure(): Failure | null {
    return this.#state.lastFailure;
  }

  /** Never before it began, even if the clock goes backwards. */
  #now(): number {
    return Math.max(this.#clock.now(), this.#state.at);
  }

  /** Aborts an attempt's signal, once. Static, since the function that has the attempt must not. */
  static cut(attempt: RunningAttempt, reason: unknown): void {
    if (attempt.#isCut) return;
    attempt.#isCut = true;
    attempt.#reason = reason;
    attempt.#controller?.abort(reason);
  }

  /** Whether the outcome of an attempt that was cut says no more than that. */
  static isEcho(attempt: RunningAttempt, outcome: PromiseSettledResult<unknown>): boolean {
    if (outcome.status === "fulfilled") return false;
    const { reason } = outcome;
    const controller = attempt.#controller;
    // A signal that is aborted with undefined makes a reason of its own.
    return Object.is(reason, attempt.#reason) ||
      (controller !== null && Object.is(reason, controller.signal.reason));
  }
}

let current: Attempt | null = null;

/**
 * The attempt that is calling the decorated function: how it reaches its signal
 * without a parameter of its own. Inside nested executions it is the innermost.
 *
 * @returns The attempt under way.
 * @throws {Error} Anywhere but in the function itself, before its first
 * `await`: keep the attempt in a variable to use it later.
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
  if (current === null) {
    throw new Error(
      "Cannot tell the current attempt here: call 'currentAttempt()' inside the " +
        "function that is executed, before its first 'await'",
    );
  }
  return current;
}

/**
 * Sets what {@linkcode currentAttempt} answers.
 *
 * @param attempt The attempt whose function is about to run, or `null` for none.
 * @returns What it was before, to be set again.
 */
export function setCurrentAttempt(attempt: Attempt | null): Attempt | null {
  const before = current;
  current = attempt;
  return before;
}
