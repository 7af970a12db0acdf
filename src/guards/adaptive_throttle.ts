/**
 * The driver of an adaptive throttle, and its options.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkCallback,
  checkNumber,
  checkString,
  holds,
  option,
  wrongType,
} from "../check/values.ts";
import { checkClock } from "../policy/policy.ts";
import type { Clock } from "../time/clock.ts";
import { systemClock } from "../time/system_clock.ts";
import {
  idleThrottle,
  probabilityOf,
  resumed,
  step,
  type ThrottleInput,
  type ThrottlePolicy,
  type ThrottleState,
} from "./adaptive_throttle_engine.ts";
import { ThrottledError } from "./errors.ts";
import {
  ask,
  checkPositive,
  copyOf,
  emit,
  type Guard,
  type GuardDecorator,
  guardDecorator,
  Instants,
  optionsOf,
  wrapBy,
} from "./guard.ts";
import { isWindow } from "./window.ts";

/** Options of {@linkcode adaptiveThrottle}. `null` and `undefined` mean absent. */
export interface AdaptiveThrottleOptions {
  /**
   * Tells whether an error says that the service is overloaded, such as status 429 or 503, or a
   * timeout. Only such a call counts as not accepted. For a call whose attempt is aborted, it is
   * asked about the reason of the abort. It must answer at once. An error that it throws rejects
   * the call.
   */
  isOverload: (error: unknown) => boolean;
  /**
   * Requests that are sent for each one that is accepted, before calls are refused: finite and
   * >= 1.5. With 2, an overloaded service gets at most about twice what it can accept.
   *
   * @default {2}
   */
  k?: number | null | undefined;
  /**
   * The time for which requests count, in milliseconds: finite and > 0. It must be much longer
   * than a call takes, because a request that is under way counts as not accepted yet.
   *
   * @default {120_000}
   */
  window?: number | null | undefined;
  /**
   * The source of random numbers. It returns a number from 0 to 1.
   *
   * @default {Math.random}
   */
  random?: (() => number) | null | undefined;
  /** A function that receives each event. It changes nothing, even if it throws. */
  observe?: ((event: ThrottleEvent) => void) | null | undefined;
  /**
   * The source of time. Only its `now` is used.
   *
   * @default {systemClock}
   */
  clock?: Clock | null | undefined;
  /**
   * The name for messages and events.
   *
   * @default {null} (the name of the function that is called)
   */
  name?: string | null | undefined;
  /**
   * The state to begin with: what `toJSON` of another throttle returned. If the clock is behind
   * it, as in a new process, the state goes on from the present instant.
   *
   * @default {null} (nothing seen)
   */
  state?: ThrottleState | null | undefined;
}

/** The counters of an adaptive throttle. */
export interface ThrottleStatistic {
  /** Calls that were admitted. */
  readonly calls: number;
  /** Calls that were refused. */
  readonly refused: number;
  /** Calls that were accepted: they ended, and not by overload. */
  readonly accepted: number;
  /** Calls that ended by overload. */
  readonly overloaded: number;
  /** Calls that ended after their attempt had been aborted. */
  readonly late: number;
}

/** An event that the option `observe` of an adaptive throttle receives. Frozen. */
export type ThrottleEvent =
  & {
    /** The instant, in milliseconds on the throttle's clock. */
    readonly at: number;
    /** The name of the function, or of the throttle. */
    readonly name: string;
  }
  & (
    /** A call was refused. */
    | { readonly type: "refused"; readonly probability: number }
    /** A call ended; `late` if its attempt had been aborted before. */
    | {
      readonly type: "accepted" | "overloaded" | "late";
      readonly outcome: PromiseSettledResult<unknown>;
    }
  );

/** The decorator that {@linkcode adaptiveThrottle} returns. */
export interface AdaptiveThrottle extends GuardDecorator {
  /** The present state, as plain data. */
  readonly state: ThrottleState;
  /** The probability with which a call is refused that begins now: from 0 to below 1. */
  readonly probability: number;
  /** Counters of what it has done so far. A copy of the present numbers. */
  readonly statistic: ThrottleStatistic;
  /**
   * The present state, for `JSON.stringify` and for the option `state`.
   *
   * @returns The state.
   */
  toJSON(): ThrottleState;
}

const ACTION = "make an adaptive throttle";
const USAGE = "adaptiveThrottle(options)";

const OPTION_NAMES = /* @__PURE__ */ namesOf<AdaptiveThrottleOptions>({
  isOverload: true,
  k: true,
  window: true,
  random: true,
  observe: true,
  clock: true,
  name: true,
  state: true,
});

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
  return guardDecorator(wrapBy(throttle), throttle.name, {
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
    checkKeys(ACTION, options, OPTION_NAMES);
    const subject = (name: keyof AdaptiveThrottleOptions) => option(ACTION, name);
    const { isOverload } = options;
    if (typeof isOverload !== "function") {
      throw wrongType(subject("isOverload"), "a function", isOverload);
    }
    this.#isOverload = isOverload;
    const rule =
      "a finite number >= 1.5 (below that, a few overloads refuse nearly all calls)";
    this.#policy = {
      k: checkNumber(subject("k"), options.k ?? 2, rule, (k) => k >= 1.5 && k < Infinity),
      window: checkPositive(subject("window"), options.window ?? 120_000),
    };
    this.#random = checkCallback(subject("random"), options.random) ??
      (() => Math.random());
    this.#observe = checkCallback(subject("observe"), options.observe);
    this.name = checkString(subject("name"), options.name ?? null);
    this.#instants = new Instants(
      checkClock(subject("clock"), options.clock ?? systemClock),
    );
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
    const isRefused = probability > 0 && draw(this.#random) < probability;
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

function draw(random: () => number): number {
  const number = random();
  if (typeof number === "number" && number >= 0 && number <= 1) return number;
  const Wrong = typeof number === "number" ? RangeError : TypeError;
  throw new Wrong(
    `Cannot throttle a call: 'random' must return a number from 0 to 1, got ${
      describe(number)
    }`,
  );
}

function checkState(subject: string, state: ThrottleState | null): ThrottleState | null {
  if (state === null) return null;
  if (holds(() => Number.isFinite(state.at) && isWindow(state.window))) return state;
  const rule = "a state that 'toJSON' of an adaptive throttle returned";
  throw wrongType(subject, rule, state);
}
