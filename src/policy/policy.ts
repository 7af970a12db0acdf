/**
 * Options, checked once, as an immutable policy that decides about each failure.
 *
 * @module
 */

import type { Budget } from "../budget/budget.ts";
import { describe } from "../check/describe.ts";
import { checkKeys } from "../check/keys.ts";
import {
  checkCallback,
  checkDuration,
  checkFiniteDuration,
  checkFlag,
  checkNumber,
  checkString,
  holds,
  option,
  wrongType,
} from "../check/values.ts";
import type { Failure, Policy, Reason, Refusal } from "../engine/state.ts";
import { realm, triesNow } from "../realm/realm.ts";
import type { Clock } from "../time/clock.ts";
import { throwLater } from "../time/platform.ts";
import { isSignal } from "../time/signal.ts";
import { systemClock } from "../time/system_clock.ts";
import {
  checkExceptions,
  type Exceptions,
  isInAll,
  isOfClass,
  nameOf,
} from "./error_classes.ts";
import type { BackoffEvent } from "./events.ts";
import { isExhausted, isNonRetryable, markExhausted } from "./non_retryable.ts";
import { OPTION_HINTS } from "./option_hints.ts";
import { type BackoffOptions, OPTION_NAMES } from "./options.ts";
import { ResultError } from "./result_error.ts";

const ACTION = "make a policy";

/** A field for each option, so that an option that is added must be read here. */
type OptionFields = { readonly [name in keyof BackoffOptions]-?: unknown };

type PauseFunction = (failure: Failure) => number;
type Until = (value: unknown) => boolean;
type Observe = (event: BackoffEvent) => void;

/** The options of one execution that change its policy. */
export interface ExecutionChanges {
  readonly until: Until | null;
  readonly observe: Observe | null;
  readonly name: string | null;
}

/** Checked options. Unaffected by later changes to the caller's object. */
export class BackoffPolicy implements Policy, OptionFields {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly idleTimeout: number;
  readonly resetAfter: number;
  readonly maxTries: number;
  /** `null` if the policy does not name the errors to retry: it then retries timeouts alone. */
  readonly exceptions: Exceptions | null;
  readonly until: Until | null;
  readonly pause: number | PauseFunction;
  readonly minRemaining: number | null;
  readonly giveup: ((error: unknown, failure: Failure) => boolean) | null;
  readonly budget: Budget | null;
  readonly retryExhausted: boolean;
  readonly signal: AbortSignal | null;
  readonly observe: Observe | null;
  readonly clock: Clock;
  readonly name: string | null;

  /**
   * Checks options.
   *
   * @param options The options as the caller gave them.
   * @throws {TypeError} If an option is of the wrong type, or unknown.
   * @throws {RangeError} If an option has a wrong value.
   */
  constructor(options: BackoffOptions) {
    checkKeys(ACTION, options, OPTION_NAMES, OPTION_HINTS);
    const subject = (name: keyof BackoffOptions) => option(ACTION, name);
    const duration = (name: keyof BackoffOptions, absent: number) =>
      checkDuration(subject(name), options[name] ?? absent);
    this.attemptTimeout = duration("attemptTimeout", Infinity);
    this.deadline = duration("deadline", Infinity);
    this.grace = duration("grace", 0);
    this.idleTimeout = duration("idleTimeout", Infinity);
    this.resetAfter = duration("resetAfter", Infinity);
    this.maxTries = checkMaxTries(subject("maxTries"), options.maxTries ?? Infinity);
    this.exceptions = checkExceptions(subject("exceptions"), options.exceptions ?? null);
    this.until = checkCallback(subject("until"), options.until);
    this.pause = checkPause(subject("pause"), options.pause ?? 0);
    const { minRemaining } = options;
    this.minRemaining = minRemaining === null || minRemaining === undefined
      ? null
      : checkFiniteDuration(subject("minRemaining"), minRemaining);
    this.giveup = checkCallback(subject("giveup"), options.giveup);
    this.budget = checkBudget(subject("budget"), options.budget ?? null);
    this.retryExhausted = checkFlag(
      subject("retryExhausted"),
      options.retryExhausted ?? true,
    );
    this.signal = checkSignal(subject("signal"), options.signal ?? null);
    this.observe = checkCallback(subject("observe"), options.observe);
    this.clock = checkClock(subject("clock"), options.clock ?? systemClock);
    this.name = checkString(subject("name"), options.name ?? null);
    Object.freeze(this);
  }

  refusalOf(value: unknown, name: string): ResultError | null {
    const { until } = this;
    if (until === null || askUntil(until, value)) return null;
    return new ResultError(value, name);
  }

  /**
   * The order of the questions is a rule: marked, exhausted, retryable, `maxTries`, `giveup`,
   * the pause, `minRemaining`, `budget`.
   */
  decide(
    failure: Failure,
    at: number,
    previous: Failure | null,
    isRefusal: boolean,
  ): number | Refusal {
    const { error, remaining } = failure;
    const { budget, giveup } = this;
    if (isNonRetryable(error)) return "nonRetryable";
    if (!this.retryExhausted && isExhausted(error)) return "exhausted";
    if (!isRefusal && !isRetryable(this.exceptions, failure, previous)) {
      return "nonRetryable";
    }
    budget?.failed?.(at);
    if (failure.streak >= triesNow(this.maxTries)) return "maxTries";
    if (giveup !== null && answer("giveup", giveup(error, failure), failure)) {
      return "giveup";
    }
    const asked = pauseAfter(this.pause, failure);
    if (asked === "giveup") return asked;
    const pause = realm.withoutWaits === null ? asked : 0;
    const rest = remaining - pause;
    if (this.minRemaining !== null && (rest <= 0 || rest < this.minRemaining)) {
      return "deadline";
    }
    const isCharged = budget !== null && rest > 0;
    return isCharged && !answer("budget", budget.mayRetry(at, failure), failure)
      ? "budget"
      : pause;
  }

  /**
   * Reports to the budget that the first attempt of an execution begins.
   *
   * @param at The instant.
   */
  began(at: number): void {
    this.budget?.began?.(at);
  }

  /**
   * Reports to the budget that an execution succeeded.
   *
   * @param at The instant.
   */
  succeeded(at: number): void {
    this.budget?.succeeded?.(at);
  }

  /**
   * Reports to the budget that an execution has ended, and notes its error if the execution
   * ended after its retries.
   *
   * @param at The instant.
   * @param reason The reason why it ended.
   * @param outcome Its outcome.
   */
  ended(at: number, reason: Reason, outcome: PromiseSettledResult<unknown>): void {
    if (outcome.status === "rejected" && this.maxTries > 1 && ENDS_RETRIES[reason]) {
      markExhausted(outcome.reason);
    }
    try {
      this.budget?.ended?.(at);
    } catch (error) {
      throwLater(error);
    }
  }
}

/**
 * Makes the policy of one execution, with options of its own.
 *
 * @param policy The policy. Its `until` and `observe` come first.
 * @param changes The options.
 * @returns The policy of the execution.
 */
export function policyWith(
  policy: BackoffPolicy,
  { until, observe, name }: ExecutionChanges,
): BackoffPolicy {
  const { until: own, observe: ownObserve } = policy;
  const changes = {
    until: own === null || until === null
      ? own ?? until
      : (value: unknown) => askUntil(own, value) && until(value),
    observe: ownObserve === null || observe === null
      ? ownObserve ?? observe
      : both(ownObserve, observe),
    name: name ?? policy.name,
  };
  return Object.freeze(
    Object.assign(Object.create(BackoffPolicy.prototype), policy, changes),
  );
}

/** Whether an execution that might have retried ends with an error that needs no more retries. */
const ENDS_RETRIES: { readonly [reason in Reason]: boolean } = {
  success: false,
  nonRetryable: false,
  exhausted: false,
  maxTries: true,
  giveup: true,
  budget: true,
  deadline: true,
  aborted: false,
  callbackError: false,
};

function isRetryable(
  exceptions: Exceptions | null,
  failure: Failure,
  previous: Failure | null,
): boolean {
  const { error } = failure;
  const name = nameOf(error);
  // The same error object as before is not a new timeout.
  const isTimeout = name === "TimeoutError" &&
    (previous === null || !Object.is(previous.error, error));
  if (isTimeout) return true;
  if (exceptions === null) return false;
  if (exceptions === "all") return name !== "TimeoutError" && isInAll(name);
  if (typeof exceptions === "function") {
    return answer("exceptions", exceptions(error), failure);
  }
  return isOfClass(exceptions, error);
}

/** The pause after a failure, or `giveup` if `pause` throws the failure's own error. */
function pauseAfter(
  pause: number | PauseFunction,
  failure: Failure,
): number | "giveup" {
  if (typeof pause === "number") return pause;
  let ms;
  try {
    ms = pause(failure);
  } catch (error) {
    if (Object.is(error, failure.error)) return "giveup";
    throw error;
  }
  answer("pause", ms, failure);
  if (typeof ms === "number" && ms >= 0 && ms < Infinity) return ms;
  const Wrong = typeof ms === "number" ? RangeError : TypeError;
  throw new Wrong(
    "Cannot pause after a failure: 'pause' must return a finite number of milliseconds " +
      `>= 0, got ${describe(ms)}`,
    { cause: failure.error },
  );
}

function askUntil(until: Until, value: unknown): boolean {
  return answer("until", until(value), null);
}

/** Calls both, whatever the first one throws. */
function both(first: Observe, second: Observe): Observe {
  return (event) => {
    try {
      first(event);
    } catch (error) {
      throwLater(error);
    }
    second(event);
  };
}

function checkPause(
  subject: string,
  value: number | readonly number[] | PauseFunction,
): number | PauseFunction {
  if (typeof value === "function") return value;
  const rule = "a finite number of milliseconds >= 0, a list of them, or a function that " +
    "returns one";
  if (!holds(() => Array.isArray(value))) return checkFiniteDuration(subject, value, rule);
  const list = [...value as readonly number[]];
  if (list.length === 0) throw wrongType(subject, rule, value);
  for (const each of list) checkFiniteDuration(subject, each, rule);
  return ({ streak }) => list[Math.min(streak, list.length) - 1] as number;
}

function checkMaxTries(subject: string, value: number): number {
  const isValid = (tries: number) =>
    tries === Infinity || (Number.isInteger(tries) && tries >= 1);
  return checkNumber(subject, value, "an integer >= 1 (the first attempt counts)", isValid);
}

/**
 * Checks a signal.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns The signal, or `null`.
 * @throws {TypeError} If it is anything else.
 */
export function checkSignal(
  subject: string,
  value: AbortSignal | null,
): AbortSignal | null {
  if (value === null || isSignal(value)) return value;
  throw wrongType(subject, "an AbortSignal", value);
}

/**
 * Checks a clock.
 *
 * @param subject The subject of the message.
 * @param clock The value to check.
 * @returns The clock.
 * @throws {TypeError} If it is anything else.
 */
export function checkClock(subject: string, clock: Clock): Clock {
  const isClock = holds(() =>
    typeof clock.now === "function" && typeof clock.sleep === "function" &&
    ["undefined", "function"].includes(typeof clock.after)
  );
  if (isClock) return clock;
  throw wrongType(subject, "an object with the functions 'now' and 'sleep'", clock);
}

/** The functions of a budget that may be absent. */
const HOOKS = ["began", "failed", "succeeded", "ended"] as const;

/**
 * Checks a budget.
 *
 * @param subject The subject of the message.
 * @param budget The value to check.
 * @returns The budget, or `null`.
 * @throws {TypeError} If it is anything else.
 */
export function checkBudget(subject: string, budget: Budget | null): Budget | null {
  if (budget === null) return null;
  const isBudget = holds(() =>
    typeof budget.mayRetry === "function" &&
    HOOKS.every((name) => typeof (budget[name] ?? holds) === "function")
  );
  if (isBudget) return budget;
  const rule = "an object with the function 'mayRetry', and perhaps " +
    HOOKS.map((name) => `'${name}'`).join(", ");
  throw wrongType(subject, rule, budget);
}

/** Refuses promises: a promise is truthy, so an async `giveup` would always give up. */
function answer<T>(name: string, value: T, failure: Failure | null): T {
  const then = (value as { then?: unknown } | null | undefined)?.then;
  if (typeof then !== "function") return value;
  Promise.resolve(value).catch(() => {}); // a rejection of a refused promise is not unhandled
  throw new TypeError(
    `Cannot decide about ${failure === null ? "a result" : "a failure"}: '${name}' must ` +
      "answer at once, got a promise",
    failure === null ? {} : { cause: failure.error },
  );
}
