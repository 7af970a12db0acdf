// The API of async-retry, made of this package's own.

const { exponential, retry } = require("@asyncbackoff/asyncbackoff");

module.exports = async (fn, options = {}) => {
  const { retries = 10, minTimeout = 1000, randomize = true, onRetry } = options;
  const controller = new AbortController();
  const bail = (error) => controller.abort(error ?? new Error("Aborted"));
  return await retry(({ number }) => fn(bail, number), {
    maxTries: options.forever ? Infinity : retries + 1,
    exceptions: () => true,
    giveup: (error, { elapsed }) =>
      error.bail || elapsed >= (options.maxRetryTime ?? Infinity),
    pause: exponential({
      initial: randomize ? 2 * minTimeout : minTimeout,
      factor: options.factor,
      max: options.maxTimeout ?? Infinity,
      jitter: randomize ? "equal" : "none",
    }),
    signal: controller.signal,
    observe: ({ pauseAfter, attempt, failure }) => {
      if (typeof pauseAfter === "number") onRetry?.(failure.error, attempt);
    },
  });
};
