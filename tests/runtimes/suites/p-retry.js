// The API of p-retry, made of this package's own.

import { exponential, retry } from "@asyncbackoff/asyncbackoff";
import isNetworkError from "is-network-error";

export class AbortError extends Error {
  name = "AbortError";

  constructor(cause) {
    const originalError = cause instanceof Error ? cause : new Error(cause);
    super(originalError.message);
    this.originalError = originalError;
  }
}

/** A clock whose timers do not keep the process alive. */
const unreferenced = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => unreferenced.after(ms, resolve)),
  after(ms, wake) {
    const timer = setTimeout(wake, ms);
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};

/** Only errors can be retried, and no mistakes of the program. */
const toError = (thrown) =>
  thrown instanceof Error ? thrown : new TypeError(`Non-error was thrown: ${thrown}`);
const isRetryable = (error) => !(error instanceof TypeError) || isNetworkError(error);

export default async function pRetry(input, options = {}) {
  const { retries = 10, minTimeout = 1000, maxRetryTime = Infinity, randomize } = options;
  if ("forever" in options) throw new Error("'forever' is no longer supported");
  if (maxRetryTime < 0) throw new RangeError("'maxRetryTime' must be >= 0");
  const growing = exponential({
    initial: randomize ? 2 * minTimeout : minTimeout,
    factor: options.factor === 0 ? 1 : options.factor,
    max: options.maxTimeout ?? Infinity,
    jitter: randomize ? "equal" : "none",
  });
  // The callbacks may be async, so they are called by the function that is retried.
  let isFinal = false;
  const attempt = async ({ number, triesLeft }) => {
    try {
      return await input(number);
    } catch (thrown) {
      isFinal = true;
      if (thrown instanceof AbortError) throw thrown.originalError;
      const error = toError(thrown);
      if (!isRetryable(error)) throw error;
      const context = { error, attemptNumber: number, retriesLeft: triesLeft };
      await options.onFailedAttempt?.(Object.freeze(context));
      if (triesLeft > 0) isFinal = !(await options.shouldRetry?.(context) ?? true);
      throw error;
    }
  };
  const pause = (failure) => {
    if (failure.elapsed >= maxRetryTime) throw failure.error;
    return Math.min(growing(failure), maxRetryTime - failure.elapsed);
  };
  return await retry(attempt, {
    maxTries: retries + 1,
    exceptions: () => true,
    giveup: () => isFinal,
    pause,
    signal: options.signal,
    clock: options.unref ? unreferenced : null,
  });
}

export const makeRetriable = (fn, options) =>
  function (...args) {
    return pRetry(() => fn.apply(this, args), options);
  };
