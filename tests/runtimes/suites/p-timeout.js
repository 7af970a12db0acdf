// The API of p-timeout, made of this package's own.

import { retry, TimeoutError } from "@asyncbackoff/asyncbackoff";

export { TimeoutError };

/** A clock of the caller's timers. */
function clockOf({ setTimeout, clearTimeout }) {
  const after = (ms, wake) => {
    const timer = setTimeout(wake, ms);
    return () => clearTimeout(timer);
  };
  const sleep = (ms) => new Promise((resolve) => after(ms, resolve));
  return { now: () => performance.now(), sleep, after };
}

export default async function pTimeout(promise, options) {
  const { milliseconds, message, fallback, signal, customTimers } = options;
  let reason;
  try {
    return await retry(() => promise, {
      deadline: milliseconds,
      maxTries: 1,
      signal,
      clock: customTimers && clockOf(customTimers),
      observe: (event) => reason ??= event.reason,
    });
  } catch (error) {
    if (reason !== "deadline") throw error;
    promise.cancel?.();
    if (fallback) return await fallback();
    if (message === false) return undefined;
    if (message instanceof Error) throw message;
    if (message !== undefined) error.message = message;
    throw error;
  }
}
