/**
 * The options of a hedge, and what it shows.
 *
 * @module
 */

import type { Budget } from "../budget/budget.ts";
import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkCallback,
  checkDuration,
  checkInteger,
  holds,
  option,
  wrongType,
} from "../check/values.ts";
import {
  checkExceptions,
  type Exceptions,
  isInAll,
  isOfClass,
  nameOf,
} from "../policy/error_classes.ts";
import { isNonRetryable } from "../policy/non_retryable.ts";
import { checkBudget } from "../policy/policy.ts";
import type { Clock } from "../time/clock.ts";
import { ask, commonOf, type GuardDecorator } from "./guard.ts";
import { isQuantileState, type Quantile, type QuantileState } from "./quantile.ts";

/** Options of {@linkcode hedge}. `null` and `undefined` mean absent. */
export interface HedgeOptions {
  /**
   * The time after which another call is sent if none has returned a value, in milliseconds
   * >= 0, or a `quantile` of how long calls have taken so far. With `Infinity`, another call is
   * sent only after a failure.
   */
  after: number | Quantile;
  /**
   * The maximum number of calls after the first: an integer >= 1.
   *
   * @default {1}
   */
  maxHedges?: number | null | undefined;
  /**
   * The errors after which the next call is sent at once: those of some classes, those for which
   * a predicate returns `true`, or `"all"`. Timeouts always are. Any other error ends the
   * execution, which rejects with it.
   *
   * @default {[]}
   */
  exceptions?: Exceptions | null | undefined;
  /**
   * A bound on the calls after the first, over all executions that share it: `RetryBudget`,
   * `TokenBudget`, or your own. It is asked before each such call, without a failure. If it
   * refuses, the execution sends no more.
   *
   * @default {null}
   */
  budget?: Budget | null | undefined;
  /**
   * The wait that the service asks for by an error after which the next call would be sent: it
   * returns milliseconds >= 0, or a negative number to send no more calls, or `null` for neither.
   * It must answer at once. An error that it throws rejects the execution.
   *
   * @default {null}
   */
  pushback?: ((error: unknown) => number | null | undefined) | null | undefined;
  /** A function that receives each event. It changes nothing, even if it throws. */
  observe?: ((event: HedgeEvent) => void) | null | undefined;
  /**
   * The source of time.
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
   * The state to begin with: what `toJSON` of another hedge returned. Only a `quantile` has one.
   *
   * @default {null} (nothing seen)
   */
  state?: HedgeState | null | undefined;
}

/** The state of a hedge over all executions, as plain data. */
export interface HedgeState {
  /** The present delay in milliseconds; `null` if no time is known, or it is `Infinity`. */
  readonly after: number | null;
  /** The durations that its `quantile` has seen; `null` if its delay is a number. */
  readonly durations: QuantileState | null;
}

/** The counters of a hedge. */
export interface HedgeStatistic {
  /** Executions that have begun. */
  readonly executions: number;
  /** Calls of the function, first ones included. */
  readonly calls: number;
  /** Calls after the first. */
  readonly hedges: number;
  /** Executions that ended with the value of a call after the first. */
  readonly wins: number;
  /** Executions that ended with a value. */
  readonly succeeded: number;
  /** Executions that ended with an error of the function. */
  readonly failed: number;
  /** Executions that were aborted, or that ended by an error of a callback. */
  readonly aborted: number;
  /** Calls after the first that the budget refused. */
  readonly refused: number;
  /** Calls that ended after their execution, except those that only report the abort. */
  readonly late: number;
}

/** An event that the option `observe` of a hedge receives. Frozen. */
export type HedgeEvent =
  & {
    /** The instant, in milliseconds on the hedge's clock. */
    readonly at: number;
    /** The name of the function, or of the hedge. */
    readonly name: string;
  }
  & (
    /** A call begins. */
    | { readonly type: "call"; readonly call: number }
    /** A call failed. It is `late` if it ended, in any way, after its execution. */
    | {
      readonly type: "failure" | "late";
      readonly call: number;
      readonly outcome: PromiseSettledResult<unknown>;
    }
    /** The execution ended. `call` is the one that returned the value, or else `null`. */
    | {
      readonly type: "done";
      readonly calls: number;
      readonly call: number | null;
      readonly outcome: PromiseSettledResult<unknown>;
    }
  );

/** The decorator that {@linkcode hedge} returns. */
export interface Hedge extends GuardDecorator {
  /** The present delay, and what it is computed from. */
  readonly state: HedgeState;
  /** Counters of what it has done so far. A copy of the present numbers. */
  readonly statistic: HedgeStatistic;
  /**
   * The present state, for `JSON.stringify` and for the option `state`.
   *
   * @returns The state.
   */
  toJSON(): HedgeState;
}

const ACTION = "make a hedge";

/** The names of all options. */
export const OPTION_NAMES: readonly (keyof HedgeOptions)[] = /* @__PURE__ */ namesOf<
  HedgeOptions
>({
  after: true,
  maxHedges: true,
  exceptions: true,
  budget: true,
  pushback: true,
  observe: true,
  clock: true,
  name: true,
  state: true,
});

/** The checked options of a hedge. */
export class HedgeRules {
  readonly after: number | Quantile;
  readonly maxHedges: number;
  readonly budget: Budget | null;
  readonly observe: ((event: HedgeEvent) => void) | null;
  readonly clock: Clock;
  readonly name: string | null;
  readonly state: HedgeState | null;
  readonly #exceptions: Exceptions | null;
  readonly #pushback: ((error: unknown) => unknown) | null;

  /**
   * Checks options.
   *
   * @param options The options as the caller gave them.
   * @throws {TypeError} If an option is of the wrong type, missing, or unknown.
   * @throws {RangeError} If an option has a wrong value.
   */
  constructor(options: HedgeOptions) {
    checkKeys(ACTION, options, OPTION_NAMES);
    const subject = (name: keyof HedgeOptions) => option(ACTION, name);
    this.after = checkAfter(subject("after"), options.after);
    this.maxHedges = checkInteger(subject("maxHedges"), options.maxHedges ?? 1, 1);
    this.#exceptions = checkExceptions(subject("exceptions"), options.exceptions ?? null);
    this.budget = checkBudget(subject("budget"), options.budget ?? null);
    this.#pushback = checkCallback(subject("pushback"), options.pushback);
    const { observe, clock, name } = commonOf(ACTION, options);
    this.observe = observe;
    this.clock = clock;
    this.name = name;
    this.state = checkState(subject("state"), options.state ?? null);
  }

  /**
   * Tells whether an error ends the execution.
   *
   * @param error The error.
   * @returns Whether it is neither listed nor a timeout.
   */
  isFatal(error: unknown): boolean {
    const exceptions = this.#exceptions;
    const name = nameOf(error);
    if (isNonRetryable(error)) return true;
    if (name === "TimeoutError") return false;
    if (exceptions === null) return true;
    if (exceptions === "all") return !isInAll(name);
    return typeof exceptions === "function"
      ? !ask("exceptions", exceptions, error)
      : !isOfClass(exceptions, error);
  }

  /**
   * Reads the wait that the service asks for.
   *
   * @param error The error.
   * @returns Milliseconds; negative to send no more calls; `null` if it asks for nothing.
   * @throws {TypeError} If `pushback` returns anything else.
   */
  pushbackOf(error: unknown): number | null {
    if (this.#pushback === null) return null;
    const ms = ask("pushback", this.#pushback, error) ?? null;
    if (ms === null || (typeof ms === "number" && ms < Infinity)) return ms;
    throw wrongType("wait: 'pushback'", "a finite number of milliseconds, or null", ms);
  }
}

function checkAfter(subject: string, after: unknown): number | Quantile {
  if (typeof after === "number") return checkDuration(subject, after);
  // By its shape, because it may be of another copy of the library.
  const isQuantile = holds(() =>
    ["record", "delayAt", "restore", "toJSON"].every((name) =>
      typeof (after as Record<string, unknown>)[name] === "function"
    )
  );
  if (isQuantile) return after as Quantile;
  throw wrongType(subject, "a number of milliseconds >= 0, or 'quantile(…)'", after);
}

function checkState(subject: string, state: HedgeState | null): HedgeState | null {
  const isState = state === null ||
    holds(() => state.durations === null || isQuantileState(state.durations));
  if (isState) return state;
  throw wrongType(subject, "a state that 'toJSON' of a hedge returned", state);
}
