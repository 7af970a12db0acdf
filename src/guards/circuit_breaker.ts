/**
 * The driver of a circuit breaker: it carries out what the states of its engine say.
 *
 * @module
 */

import { checkCallback, option } from "../check/values.ts";
import { nameOf } from "../policy/error_classes.ts";
import { isNonRetryable } from "../policy/non_retryable.ts";
import { emit } from "../driver/observer.ts";
import { decorator } from "../notation/decorator.ts";
import {
  closedCircuit,
  count,
  elapse,
  isHeld,
  resumed,
  retryIn,
  step,
} from "./circuit_breaker_engine.ts";
import {
  ACTION,
  type BreakerEvent,
  type BreakerStatistic,
  checkState,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  OPTION_NAMES,
  policyOf,
} from "./circuit_breaker_options.ts";
import type { BreakerInput, BreakerPolicy, BreakerState } from "./circuit_breaker_state.ts";
import { CircuitOpenError } from "./errors.ts";
import { ask, commonOf, copyOf, type Guard, Instants, optionsOf, wrapBy } from "./guard.ts";

const USAGE = "circuitBreaker(options)";

/**
 * Refuses calls while what they call is down. It opens when too many calls fail, refuses calls
 * for a while, and then admits a few as trials. When these succeed, it closes.
 *
 * Put it under the decorator that retries, so that each attempt counts. All functions that one
 * breaker wraps share its state, so make one for each service that can fail by itself.
 *
 * It has no timers: time is read when a call begins or ends. A call that is aborted with a
 * `TimeoutError` has failed, so a service that hangs opens the circuit. Any other abort counts
 * for nothing. A call that ends after the circuit has changed counts for nothing either.
 *
 * @param options `failureRatio`, `consecutiveFailures`, or both: when it opens.
 * @returns A decorator of functions and methods, with its state.
 * @throws {TypeError} If an option is of the wrong type, or unknown, or if none says when it
 * opens.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example Retries over a breaker
 * ```ts
 * import { asyncbackoff } from "@asyncbackoff/asyncbackoff";
 * import { circuitBreaker } from "@asyncbackoff/asyncbackoff/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const breaker = circuitBreaker({ failureRatio: 0.5, minCalls: 20, openFor: 5000 });
 *
 * class Users {
 *   @asyncbackoff(1000, 5000, 100, TypeError) // outermost: retries
 *   @breaker
 *   async load(id: number) {
 *     return await `user ${id}`;
 *   }
 * }
 *
 * assertEquals(await new Users().load(7), "user 7");
 * assertEquals(breaker.state.phase, "closed");
 * ```
 */
export function circuitBreaker(options: CircuitBreakerOptions): CircuitBreaker;
export function circuitBreaker(...args: readonly unknown[]): CircuitBreaker {
  const options = optionsOf<CircuitBreakerOptions>(USAGE, args, OPTION_NAMES);
  const breaker = new Breaker(options);
  return decorator(wrapBy(breaker), breaker.name, {
    state: { get: () => breaker.state, enumerable: true },
    statistic: { get: () => breaker.statistic, enumerable: true },
    isolate: { value: () => breaker.set("isolated") },
    close: { value: () => breaker.set("closed") },
    toJSON: { value: () => breaker.state },
  });
}

/** The ends of calls that count. */
type End = "succeeded" | "failed" | "aborted";

class Breaker implements Guard<number> {
  readonly name: string | null;
  readonly #policy: BreakerPolicy;
  readonly #isFailure: (error: unknown) => boolean;
  readonly #observe: ((event: BreakerEvent) => void) | null;
  readonly #instants: Instants;
  #state: BreakerState;
  readonly #counters = {
    calls: 0,
    refused: 0,
    succeeded: 0,
    failed: 0,
    aborted: 0,
    late: 0,
    opened: 0,
  };

  constructor(options: CircuitBreakerOptions) {
    this.#policy = policyOf(options);
    const subject = (name: keyof CircuitBreakerOptions) => option(ACTION, name);
    this.#isFailure = checkCallback(subject("isFailure"), options.isFailure) ?? isFailure;
    const { observe, name, clock } = commonOf(ACTION, options);
    this.#observe = observe;
    this.name = name;
    this.#instants = new Instants(clock);
    const at = this.#instants.now();
    const state = checkState(subject("state"), options.state ?? null);
    this.#state = state === null
      ? closedCircuit(at)
      : resumed(this.#policy, copyOf(state), at);
  }

  get state(): BreakerState {
    this.#now(this.name ?? "");
    return copyOf(this.#state);
  }

  get statistic(): BreakerStatistic {
    return { ...this.#counters };
  }

  set(type: "isolated" | "closed"): void {
    const name = this.name ?? "";
    this.#apply({ type, at: this.#now(name) }, name);
  }

  admit(name: string): number {
    // Fast path: a closed circuit needs no time.
    if (this.#state.phase !== "closed") this.#try(name);
    this.#counters.calls++;
    return this.#state.ticket;
  }

  #try(name: string): void {
    const at = this.#now(name);
    const wait = retryIn(this.#policy, this.#state, at);
    if (wait === null) return this.#apply({ type: "called", at }, name);
    this.#counters.refused++;
    emit(this.#observe, { type: "refused", name, at, retryIn: wait });
    throw new CircuitOpenError(wait, name);
  }

  returned(ticket: number, name: string, value: unknown): void {
    const state = this.#state;
    // Fast path: a success of a closed circuit that nobody observes cannot depend on time, but
    // for its place in the window. Saves about 100 ns a call.
    if (state.phase === "closed" && state.ticket === ticket && this.#observe === null) {
      this.#counters.succeeded++;
      if (state.failuresInRow === 0 && this.#policy.failureRatio === Infinity) return;
      const at = this.#instants.now();
      return this.#enter(count(this.#policy, state, { type: "succeeded", at }), name);
    }
    this.#end("succeeded", ticket, name, { status: "fulfilled", value });
  }

  threw(ticket: number, name: string, reason: unknown): void {
    const outcome = { status: "rejected", reason } as const;
    let hasFailed;
    try {
      hasFailed = ask("isFailure", this.#isFailure, reason);
    } catch (error) {
      this.#end("aborted", ticket, name, outcome);
      throw error;
    }
    const otherwise = nameOf(reason) === "AbortError" ? "aborted" : "succeeded";
    this.#end(hasFailed ? "failed" : otherwise, ticket, name, outcome);
  }

  aborted(ticket: number, name: string, reason: unknown): void {
    const end = nameOf(reason) === "TimeoutError" ? "failed" : "aborted";
    this.#end(end, ticket, name, { status: "rejected", reason });
  }

  late(name: string, outcome: PromiseSettledResult<unknown>): void {
    this.#counters.late++;
    if (this.#observe === null) return;
    emit(this.#observe, { type: "late", name, at: this.#instants.now(), outcome });
  }

  #end(
    type: End,
    ticket: number,
    name: string,
    outcome: PromiseSettledResult<unknown>,
  ): void {
    const at = this.#now(name);
    if (!isHeld(this.#state, ticket)) return this.late(name, outcome);
    this.#counters[type]++;
    if (this.#observe !== null) emit(this.#observe, { type, name, at, outcome });
    this.#apply({ type, at, ticket }, name);
  }

  /** Makes each change of time, and reads the instant. */
  #now(name: string): number {
    const at = this.#instants.now();
    for (;;) {
      const next = elapse(this.#policy, this.#state, at);
      if (next === this.#state) return at;
      this.#enter(next, name);
    }
  }

  #apply(input: BreakerInput, name: string): void {
    this.#enter(step(this.#policy, this.#state, input), name);
  }

  #enter(next: BreakerState, name: string): void {
    const from = this.#state.phase;
    const { phase: to, at } = next;
    this.#state = next;
    if (to === from) return;
    if (to === "open") this.#counters.opened++;
    emit(this.#observe, { type: "changed", name, at, from, to });
  }
}

/** A failure, unless the options say otherwise. */
function isFailure(error: unknown): boolean {
  return !isNonRetryable(error) && nameOf(error) !== "AbortError";
}
