/**
 * Options, read once, as an immutable policy that decides on each failure.
 *
 * @module
 */

import type { Budget } from "./budget.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Failure, Policy, Refusal } from "./state.ts";
import type { BackoffEvent } from "./observe.ts";
import {
  type BackoffOptions,
  checkKeys,
  type ErrorClass,
  OPTION_NAMES,
  type Pause,
} from "./options.ts";
import {
  abortSignal,
  budgetOption,
  callback,
  clockOption,
  duration,
  errorClasses,
  pauseDuration,
  tryCount,
} from "./validate.ts";

/** Parsed options. A later change of what the caller gave changes nothing here. */
export class BackoffPolicy implements Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly maxTries: number;
  readonly exceptions: readonly ErrorClass[] | "all";
  readonly pause: Pause;
  readonly giveup: ((error: unknown, failure: Failure) => boolean) | null;
  readonly budget: Budget | null;
  readonly signal: AbortSignal | null;
  readonly observe: ((event: BackoffEvent) => void) | null;
  readonly clock: Clock;

  constructor(options: BackoffOptions) {
    checkKeys(options, OPTION_NAMES);
    this.attemptTimeout = duration("attemptTimeout", options.attemptTimeout, Infinity);
    this.deadline = duration("deadline", options.deadline, Infinity);
    this.grace = duration("grace", options.grace, 0);
    this.maxTries = tryCount(options.maxTries);
    this.exceptions = errorClasses(options.exceptions, []);
    const pause = options.pause ?? 0;
    this.pause = typeof pause === "function" ? pause : pauseDuration(pause);
    this.giveup = callback("giveup", options.giveup);
    this.budget = budgetOption(options.budget);
    this.signal = abortSignal(options.signal);
    this.observe = callback("observe", options.observe);
    this.clock = clockOption(options.clock, systemClock);
    Object.freeze(this);
  }

  /** The order of the questions is a rule: listed, `maxTries`, `giveup`, `budget`, pause. */
  decide(failure: Failure, at: number): number | Refusal {
    if (!this.#isListed(failure.error)) return "unlisted";
    this.budget?.failed(at);
    if (failure.tries >= this.maxTries) return "maxTries";
    const { giveup, pause } = this;
    if (giveup !== null && answerOf("giveup", giveup(failure.error, failure), failure)) {
      return "giveup";
    }
    if (!this.#isAffordable(failure, at)) return "budget";
    if (typeof pause === "number") return pause;
    return pauseDuration(answerOf("pause", pause(failure), failure));
  }

  /** Where no time remains there is no retry to be charged for. */
  #isAffordable(failure: Failure, at: number): boolean {
    const { budget } = this;
    if (budget === null || failure.remaining === 0) return true;
    return answerOf("budget", budget.mayRetry(at), failure);
  }

  #isListed(error: unknown): boolean {
    const name = nameOf(error);
    if (name === "TimeoutError") return true;
    if (this.exceptions === "all") return name !== "AbortError";
    return this.exceptions.some((each) => error instanceof each);
  }
}

/** The name of whatever was thrown; `null` has none, nor has an error whose name throws. */
function nameOf(error: unknown): unknown {
  try {
    return (error as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}

/** A promise is no answer: it is always true, and would give up without a word. */
function answerOf<T>(option: string, answer: T, failure: Failure): T {
  const then = (answer as { then?: unknown } | null | undefined)?.then;
  if (typeof then !== "function") return answer;
  Promise.resolve(answer).catch(() => {}); // it is refused, whatever it comes to
  throw new TypeError(
    `Cannot decide on a failure as '${option}' must answer at once: it returned a promise`,
    { cause: failure },
  );
}
