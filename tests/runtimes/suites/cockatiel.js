// The retry policy, the timeout policy and the exponential pauses of cockatiel, made of this
// package's own. They stand in the place of its own modules, and the rest of cockatiel uses
// them.

import {
  Backoff,
  decorrelated,
  exponential,
  ResultError,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { setTimeout as delay } from "node:timers/promises";
import * as generators from "./backoff/ExponentialBackoffGenerators.js";
import { EventEmitter } from "./common/Event.js";
import { TaskCancelledError } from "./errors/TaskCancelledError.js";

/** A clock whose timers do not keep the process alive. */
const unreferenced = {
  now: () => performance.now(),
  sleep: (ms, options) => delay(ms, undefined, { ...options, ref: false }),
};

const reasonOf = (error) =>
  error instanceof ResultError ? { value: error.value } : { error };

export class RetryPolicy {
  #retry = new EventEmitter();
  #giveUp = new EventEmitter();
  onRetry = this.#retry.addListener;
  onGiveUp = this.#giveUp.addListener;
  #options;
  #filters;

  constructor(options, filters) {
    this.#options = options;
    this.#filters = filters;
    this.onSuccess = filters.onSuccess;
    this.onFailure = filters.onFailure;
  }

  dangerouslyUnref() {
    return new RetryPolicy({ ...this.#options, unref: true }, this.#filters);
  }

  async execute(fn, signal) {
    const { maxAttempts, unref } = this.#options;
    let { backoff } = this.#options;
    const policy = new Backoff({
      maxTries: maxAttempts + 1,
      exceptions: (error) => this.#filters.errorFilter(error),
      until: (value) => !this.#filters.resultFilter(value),
      pause: ({ attempt, error }) => {
        backoff = backoff.next({ attempt, signal, result: reasonOf(error) });
        return backoff.duration;
      },
      observe: (event) => this.#observe(event),
      clock: unref ? unreferenced : null,
      signal,
    });
    try {
      return await policy.execute(({ number, signal }) =>
        fn({ attempt: number - 1, signal })
      );
    } catch (error) {
      if (error instanceof ResultError) return error.value;
      throw error;
    }
  }

  #observe({ type, attempt, failure, pauseAfter, reason, outcome }) {
    if (type === "failure" && pauseAfter !== null) {
      this.#retry.emit({ ...reasonOf(failure.error), attempt, delay: pauseAfter });
    } else if (type === "done" && reason === "maxTries") {
      this.#giveUp.emit(reasonOf(outcome.reason));
    }
  }
}

export const TimeoutStrategy = { Cooperative: "optimistic", Aggressive: "aggressive" };

export class TimeoutPolicy {
  #success = new EventEmitter();
  #failure = new EventEmitter();
  #timeout = new EventEmitter();
  onSuccess = this.#success.addListener;
  onFailure = this.#failure.addListener;
  onTimeout = this.#timeout.addListener;
  #args;

  constructor(...args) {
    this.#args = args;
  }

  dangerouslyUnref() {
    const [ms, options, executor] = this.#args;
    return new TimeoutPolicy(ms, options, executor, true);
  }

  async execute(fn, signal) {
    const [attemptTimeout, { strategy }, , unref] = this.#args;
    const isCooperative = strategy === TimeoutStrategy.Cooperative;
    const policy = new Backoff({
      attemptTimeout,
      maxTries: 1,
      grace: isCooperative ? Infinity : 0,
      exceptions: "all",
      signal,
      clock: unref ? unreferenced : null,
    });
    const startedAt = performance.now();
    const duration = () => performance.now() - startedAt;
    try {
      const value = await policy.execute(({ signal }) => {
        signal.addEventListener("abort", () => {
          if (signal.reason instanceof TimeoutError) this.#timeout.emit();
        });
        return fn({ signal }, signal);
      });
      this.#success.emit({ duration: duration() });
      return value;
    } catch (error) {
      const reason = { error };
      this.#failure.emit({ duration: duration(), handled: false, reason });
      if (!(error instanceof TimeoutError)) throw error;
      throw new TaskCancelledError(`Operation timed out after ${error.ms}ms`);
    }
  }
}

/** The pauses that have the same rule. */
const jitters = new Map([
  [generators.noJitterGenerator, "none"],
  [generators.halfJitterGenerator, "equal"],
  [generators.fullJitterGenerator, "full"],
]);

export class ExponentialBackoff {
  #pause;

  constructor({ generator, initialDelay = 128, maxDelay = 30_000, exponent = 2 } = {}) {
    const limits = { initial: initialDelay, max: maxDelay };
    const jitter = jitters.get(generator);
    this.#pause = jitter === undefined
      ? decorrelated(limits)
      : exponential({ ...limits, factor: exponent, jitter });
  }

  next() {
    return this.#afterAttempt(1, 0);
  }

  #afterAttempt(attempt, pauseBefore) {
    const duration = this.#pause({ attempt, pauseBefore });
    return { duration, next: () => this.#afterAttempt(attempt + 1, duration) };
  }
}
