/**
 * The driver of an adaptive throttle.
 *
 * @module
 */

import { checkCallback, draw, option } from "../check/values.ts";
import { emit } from "../driver/observer.ts";
import { decorator } from "../notation/decorator.ts";
import {
  idleThrottle,
  probabilityOf,
  resumed,
  step,
  type ThrottleInput,
  type ThrottlePolicy,
  type ThrottleState,
} from "./adaptive_throttle_engine.ts";
import {
  ACTION,
  type AdaptiveThrottle,
  type AdaptiveThrottleOptions,
  checkState,
  OPTION_NAMES,
  policyOf,
  type ThrottleEvent,
  type ThrottleStatistic,
} from "./adaptive_throttle_options.ts";
import { ThrottledError } from "./errors.ts";
import { ask, commonOf, copyOf, type Guard, Instants, optionsOf, wrapBy } from "./guard.ts";

const USAGE = "adaptiveThrottle(options)";

/**
 * Refuses a part of the calls while a service is overloaded: the larger the part that the
 * service does not accept, the larger the part that is not sent. It admits some calls at all
 * times, so it notices by itself when the service is well.
 *
 * A call is refused with probability `max(0, (requests - k * accepts) / (requests + 1))`, over a
 * sliding window. A request counts when it begins. An error that is not an overload is an
 * accepted request: the service has worked on it. The rule is that of "Handling Overload" in
 * Google's book "Site Reliability Engineering": https://sre.google/sre-book/handling-overload/
 *
 * @param options `isOverload`: tells an overload from other errors. `k`: default 2. `window`:
 * default 2 minutes.
 * @returns A decorator of functions and methods, with its state.
 * @throws {TypeError} If an option is of the wrong type, missing, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example A client that backs off together with all others
 * ```ts
 * import { adaptiveThrottle } from "@asyncbackoff/asyncbackoff/guards";
 * import { assertEquals } from "@std/assert";
 *
 * class HttpError extends Error {
 *   status = 503;
 * }
 * const throttle = adaptiveThrottle({
 *   isOverload: (error) => error instanceof HttpError && [429, 503].includes(error.status),
 * });
 * const load = throttle(async (id: number) => await `user ${id}`);
 *
 * assertEquals(await load(7), "user 7");
 * assertEquals(throttle.probability, 0);
 * ```
 */
export function adaptiveThrottle(options: AdaptiveThrottleOptions): AdaptiveThrottle;
export function adaptiveThrottle(...args: readonly unknown[]): AdaptiveThrottle {
  const options = optionsOf<AdaptiveThrottleOptions>(USAGE, args, OPTION_NAMES);
  const throttle = new Throttle(options);
  return decorator(wrapBy(throttle), throttle.name, {
    state: { get: () => throttle.state, enumerable: true },
    probability: { get: () => throttle.probability, enumerable: true },
    statistic: { get: () => throttle.statistic, enumerable: true },
    toJSON: { value: () => throttle.state },
  });
}

class Throttle implements Guard<void> {
  readonly name: string | null;
  readonly #policy: ThrottlePolicy;
  readonly #isOverload: (error: unknown) => boolean;
  readonly #random: () => number;
  readonly #observe: ((event: ThrottleEvent) => void) | null;
  readonly #instants: Instants;
  #state: ThrottleState;
  readonly #counters = { calls: 0, refused: 0, accepted: 0, overloaded: 0, late: 0 };

  constructor(options: AdaptiveThrottleOptions) {
    this.#policy = policyOf(options);
    this.#isOverload = options.isOverload;
    const subject = (name: keyof AdaptiveThrottleOptions) => option(ACTION, name);
    this.#random = checkCallback(subject("random"), options.random) ??
      (() => Math.random());
    const { observe, name, clock } = commonOf(ACTION, options);
    this.#observe = observe;
    this.name = name;
    this.#instants = new Instants(clock);
    const at = this.#instants.now();
    const state = checkState(subject("state"), options.state ?? null);
    this.#state = state === null
      ? idleThrottle(at)
      : resumed(this.#policy, copyOf(state), at);
  }

  get state(): ThrottleState {
    return copyOf(this.#state);
  }

  get probability(): number {
    return probabilityOf(this.#policy, this.#state, this.#instants.now());
  }

  get statistic(): ThrottleStatistic {
    return { ...this.#counters };
  }

  admit(name: string): void {
    const at = this.#instants.now();
    const probability = probabilityOf(this.#policy, this.#state, at);
    const isRefused = probability > 0 &&
      draw("throttle a call", this.#random) < probability;
    this.#apply({ type: "called", at });
    if (!isRefused) {
      this.#counters.calls++;
      return;
    }
    this.#counters.refused++;
    emit(this.#observe, { type: "refused", name, at, probability });
    throw new ThrottledError(probability, name);
  }

  returned(_ticket: void, name: string, value: unknown): void {
    this.#end("accepted", name, { status: "fulfilled", value });
  }

  threw(_ticket: void, name: string, reason: unknown): void {
    const outcome = { status: "rejected", reason } as const;
    let isOverload = false;
    try {
      isOverload = ask("isOverload", this.#isOverload, reason);
    } finally {
      this.#end(isOverload ? "overloaded" : "accepted", name, outcome);
    }
  }

  aborted(ticket: void, name: string, reason: unknown): void {
    this.threw(ticket, name, reason);
  }

  late(name: string, outcome: PromiseSettledResult<unknown>): void {
    this.#counters.late++;
    if (this.#observe === null) return;
    emit(this.#observe, { type: "late", name, at: this.#instants.now(), outcome });
  }

  #end(
    type: "accepted" | "overloaded",
    name: string,
    outcome: PromiseSettledResult<unknown>,
  ): void {
    const at = this.#instants.now();
    this.#counters[type]++;
    this.#apply({ type, at });
    if (this.#observe !== null) emit(this.#observe, { type, name, at, outcome });
  }

  #apply(input: ThrottleInput): void {
    this.#state = step(this.#policy, this.#state, input);
  }
}
