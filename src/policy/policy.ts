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
  checkNumber,
  holds,
  option,
  wrongType,
} from "../check/values.ts";
import type { Failure, Policy, Refusal } from "../engine/state.ts";
import type { Clock } from "../time/clock.ts";
import { isSignal } from "../time/signal.ts";
import { systemClock } from "../time/system_clock.ts";
import { checkExceptions, type Exceptions, isRetryable } from "./error_classes.ts";
import type { BackoffEvent } from "./events.ts";
import { OPTION_HINTS } from "./option_hints.ts";
import { type BackoffOptions, OPTION_NAMES, type Pause } from "./options.ts";

const ACTION = "make a policy";

/** Every option has a field of its own: an option that is added has to be read here. */
type OptionFields = { readonly [name in keyof BackoffOptions]-?: unknown };

/** Checked options. Unaffected by later changes to the caller's object. */
export class BackoffPolicy implements Policy, OptionFields {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly maxTries: number;
  readonly exceptions: Exceptions;
  readonly pause: Pause;
  readonly giveup: ((error: unknown, failure: Failure) => boolean) | null;
  readonly budget: Budget | null;
  readonly signal: AbortSignal | null;
  readonly observe: ((event: BackoffEvent) => void) | null;
  readonly clock: Clock;

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
    this.attemptTimeout = checkDuration(
      subject("attemptTimeout"),
      options.attemptTimeout ?? Infinity,
    );
    this.deadline = checkDuration(subject("deadline"), options.deadline ?? Infinity);
    this.grace = checkDuration(subject("grace"), options.grace ?? 0);
    this.maxTries = checkMaxTries(subject("maxTries"), options.maxTries ?? Infinity);
    this.exceptions = checkExceptions(subject("exceptions"), options.exceptions ?? []);
    this.pause = checkPause(subject("pause"), options.pause ?? 0);
    this.giveup = checkCallback(subject("giveup"), options.giveup);
    this.budget = checkBudget(subject("budget"), options.budget ?? null);
    this.signal = checkSignal(subject("signal"), options.signal ?? null);
    this.observe = checkCallback(subject("observe"), options.observe);
    this.clock = checkClock(subject("clock"), options.clock ?? systemClock);
    Object.freeze(this);
  }

  /** The order of the questions is a rule: exceptions, `maxTries`, `giveup`, `budget`, pause. */
  decide(failure: Failure, at: number): number | Refusal {
    if (!isRetryable(this.exceptions, failure.error)) return "nonRetryable";
    this.budget?.failed(at);
    if (failure.attempt >= this.maxTries) return "maxTries";
    const { giveup } = this;
    if (giveup !== null && answer("giveup", giveup(failure.error, failure), failure)) {
      return "giveup";
    }
    if (!this.#isAffordable(failure, at)) return "budget";
    return this.#pauseAfter(failure);
  }

  /**
   * Tells the budget that the first attempt of an execution begins.
   *
   * @param at The instant.
   */
  began(at: number): void {
    this.budget?.began(at);
  }

  /**
   * Tells the budget that an execution succeeded.
   *
   * @param at The instant.
   */
  succeeded(at: number): void {
    this.budget?.succeeded(at);
  }

  #pauseAfter(failure: Failure): number {
    const { pause } = this;
    if (typeof pause === "number") return pause;
    const ms = answer("pause", pause(failure), failure);
    if (typeof ms === "number" && ms >= 0 && ms < Infinity) return ms;
    const Wrong = typeof ms === "number" ? RangeError : TypeError;
    throw new Wrong(
      "Cannot pause after a failure: 'pause' must return a finite number of milliseconds " +
        `>= 0, got ${describe(ms)}`,
      { cause: failure.error },
    );
  }

  /** If no time remains, there is no retry to charge for. */
  #isAffordable(failure: Failure, at: number): boolean {
    const { budget } = this;
    if (budget === null || failure.remaining === 0) return true;
    return answer("budget", budget.mayRetry(at), failure);
  }
}

function checkPause(subject: string, value: Pause): Pause {
  if (typeof value === "function") return value;
  const rule = "a finite number of milliseconds >= 0, or a function that returns one";
  return checkFiniteDuration(subject, value, rule);
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

function checkClock(subject: string, clock: Clock): Clock {
  const isClock = holds(() =>
    typeof clock.now === "function" && typeof clock.sleep === "function" &&
    ["undefined", "function"].includes(typeof clock.after)
  );
  if (isClock) return clock;
  throw wrongType(subject, "an object with the functions 'now' and 'sleep'", clock);
}

function checkBudget(subject: string, budget: Budget | null): Budget | null {
  if (budget === null) return null;
  const names = ["began", "failed", "succeeded", "mayRetry"] as const;
  if (holds(() => names.every((name) => typeof budget[name] === "function"))) return budget;
  const rule = `an object with the functions ${
    names.map((name) => `'${name}'`).join(", ")
  }`;
  throw wrongType(subject, rule, budget);
}

/** Refuses promises: a promise is truthy, so an async `giveup` would always give up. */
function answer<T>(name: string, value: T, failure: Failure): T {
  const then = (value as { then?: unknown } | null | undefined)?.then;
  if (typeof then !== "function") return value;
  Promise.resolve(value).catch(() => {}); // it is refused, so nobody else handles it
  throw new TypeError(
    `Cannot decide about a failure: '${name}' must answer at once, got a promise`,
    { cause: failure.error },
  );
}
