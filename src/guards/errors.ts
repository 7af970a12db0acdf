/**
 * The errors of guards. The core recognises refusals by their names.
 *
 * @module
 */

import { named } from "../engine/error_name.ts";

/** The start of a message about a function. */
function subjectOf(name: string): string {
  return name === "" ? "An anonymous function" : `'${name}'`;
}

/**
 * The error of a call that a circuit breaker refused. The function was not called. The
 * exceptions `"all"` do not include it, so it is retried only if a class or a predicate lists
 * it. A `pause` may then wait for `retryIn`.
 *
 * @example Waiting until the circuit admits calls again
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { circuitBreaker, CircuitOpenError } from "@asyncbackoff/asyncbackoff/guards";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new TestClock();
 * const breaker = circuitBreaker({ consecutiveFailures: 1, openFor: 5000, clock });
 * let calls = 0;
 * const load = breaker(async () => {
 *   calls += 1;
 *   return calls === 1 ? await Promise.reject(new Error("down")) : "up";
 * });
 * const backoff = new Backoff({
 *   exceptions: [Error],
 *   pause: ({ error }) => error instanceof CircuitOpenError ? error.retryIn : 100,
 *   clock,
 * });
 *
 * assertEquals(await clock.run(backoff.execute(load)), "up");
 * assertEquals(clock.now(), 5000); // one failure, one refusal, one trial
 * ```
 */
export class CircuitOpenError extends Error {
  static readonly #named: void = /* @__PURE__ */ named(this, "CircuitOpenError");

  /**
   * Milliseconds until the circuit changes by itself, >= 0. `Infinity` while it is isolated.
   * While all trials of a half-open circuit are taken, the time until the first of them counts
   * as failed.
   */
  readonly retryIn: number;

  /**
   * Makes the error of a call that was refused.
   *
   * @param retryIn Milliseconds until the circuit changes by itself.
   * @param name The name of the function that was not called, for the message. Default: none.
   */
  constructor(retryIn: number, name: string = "") {
    const wait = retryIn === Infinity ? "until it is closed" : `for another ${retryIn} ms`;
    super(`${subjectOf(name)} was not called: its circuit is open ${wait}`);
    this.retryIn = retryIn;
  }
}

/**
 * The error of a call that an adaptive throttle refused. The function was not called. The
 * exceptions `"all"` do not include it, so it is retried only if a class or a predicate lists
 * it.
 *
 * @example Telling a refusal from an error of the service
 * ```ts
 * import { ThrottledError } from "@asyncbackoff/asyncbackoff/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const messageFor = (error: unknown) =>
 *   error instanceof ThrottledError ? "busy, try later" : "failed";
 *
 * assertEquals(messageFor(new ThrottledError(0.5, "load")), "busy, try later");
 * ```
 */
export class ThrottledError extends Error {
  static readonly #named: void = /* @__PURE__ */ named(this, "ThrottledError");

  /** The probability with which the call was refused, from 0 to 1. */
  readonly probability: number;

  /**
   * Makes the error of a call that was refused.
   *
   * @param probability The probability with which it was refused.
   * @param name The name of the function that was not called, for the message. Default: none.
   */
  constructor(probability: number, name: string = "") {
    const share = (100 * probability).toFixed(0);
    super(`${subjectOf(name)} was not called: ${share} % of its calls are throttled`);
    this.probability = probability;
  }
}

/**
 * The reason with which a hedge aborts the signals of calls whose result it no longer needs.
 *
 * @example Telling it from other reasons
 * ```ts
 * import { SupersededError } from "@asyncbackoff/asyncbackoff/guards";
 * import { assert } from "@std/assert";
 *
 * const signal = AbortSignal.abort(new SupersededError("load"));
 *
 * assert(signal.reason instanceof SupersededError);
 * ```
 */
export class SupersededError extends Error {
  static readonly #named: void = /* @__PURE__ */ named(this, "SupersededError");

  /**
   * Makes the reason.
   *
   * @param name The name of the function, for the message. Default: none.
   */
  constructor(name: string = "") {
    super(`${subjectOf(name)} is no longer needed: another call has decided the result`);
  }
}
