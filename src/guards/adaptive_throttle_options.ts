/**
 * The options of an adaptive throttle, and what it shows.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import { checkNumber, holds, option, wrongType } from "../check/values.ts";
import type { Clock } from "../time/clock.ts";
import type { ThrottlePolicy, ThrottleState } from "./adaptive_throttle_engine.ts";
import { checkPositive, type GuardDecorator } from "./guard.ts";
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
    /** A call ended. It is `late` if its attempt had been aborted before. */
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

/** The action of an adaptive throttle's messages. */
export const ACTION = "make an adaptive throttle";

/** The names of all options. */
export const OPTION_NAMES: readonly (keyof AdaptiveThrottleOptions)[] =
  /* @__PURE__ */ namesOf<AdaptiveThrottleOptions>({
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
 * Checks the rules of an adaptive throttle.
 *
 * @param options The options as the caller gave them.
 * @returns The rules.
 * @throws {TypeError} If an option is of the wrong type, missing, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 */
export function policyOf(options: AdaptiveThrottleOptions): ThrottlePolicy {
  checkKeys(ACTION, options, OPTION_NAMES);
  const { isOverload, k, window } = options;
  if (typeof isOverload !== "function") {
    throw wrongType(option(ACTION, "isOverload"), "a function", isOverload);
  }
  const rule =
    "a finite number >= 1.5 (below that, a few overloads refuse nearly all calls)";
  const isValid = (k: number) => k >= 1.5 && k < Infinity;
  return {
    k: checkNumber(option(ACTION, "k"), k ?? 2, rule, isValid),
    window: checkPositive(option(ACTION, "window"), window ?? 120_000),
  };
}

/**
 * Checks a state that was read from JSON, so far that it cannot fail later.
 *
 * @param subject The subject of the message.
 * @param state The value to check.
 * @returns The state, or `null`.
 * @throws {TypeError} If it is not a state.
 */
export function checkState(
  subject: string,
  state: ThrottleState | null,
): ThrottleState | null {
  if (state === null) return null;
  if (holds(() => Number.isFinite(state.at) && isWindow(state.window))) return state;
  const rule = "a state that 'toJSON' of an adaptive throttle returned";
  throw wrongType(subject, rule, state);
}
