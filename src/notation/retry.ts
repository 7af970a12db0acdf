/**
 * A single call that is retried.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import type { Attempt } from "../driver/attempt.ts";
import { OPTION_HINTS } from "../policy/option_hints.ts";
import { type BackoffOptions, OPTION_NAMES } from "../policy/options.ts";
import { rejectionOf } from "../time/promises.ts";
import { Backoff, type ExecuteOptions } from "./backoff.ts";

/** Every option of a single call: those of a policy, and those of an execution. */
export interface RetryCallOptions
  extends BackoffOptions, Omit<ExecuteOptions, keyof BackoffOptions> {}

const RETRY_OPTIONS: readonly string[] = /* @__PURE__ */ namesOf<
  Omit<ExecuteOptions, keyof BackoffOptions>
>({
  within: true,
  detached: true,
});

/**
 * Executes a function once, with retries: `new Backoff(options).execute(fn)` with other
 * defaults. Every error is retried unless `exceptions` says otherwise, and the execution ends
 * early if the deadline leaves no time for another attempt (`minRemaining: 0`).
 *
 * One of `maxTries` and `deadline` must be given. `maxTries: Infinity` says that there is no
 * bound.
 *
 * @typeParam T The type of the function's result.
 * @param fn The function. It receives its attempt, and may return a value or a promise.
 * @param options All options of a policy and of `execute`.
 * @returns The value of the first attempt that returns one in time. It rejects with the last
 * failure's own error, with a `TimeoutError` at the deadline if nothing failed before, or with
 * the reason of the signal that was aborted. It rejects with a `TypeError` or a `RangeError` if
 * an argument is wrong.
 *
 * @example One call
 * ```ts
 * import { retry } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * let calls = 0;
 * const value = await retry(() => {
 *   calls += 1;
 *   if (calls < 3) throw new Error("not yet");
 *   return "ready";
 * }, { maxTries: 5, pause: [10, 20] });
 *
 * assertEquals(value, "ready");
 * ```
 */
export function retry<T>(
  fn: (attempt: Attempt) => T | PromiseLike<T>,
  options: RetryCallOptions,
): Promise<T> {
  try {
    checkKeys("retry", options, [...OPTION_NAMES, ...RETRY_OPTIONS], OPTION_HINTS);
    const { within, detached } = options;
    const rules = Object.fromEntries(OPTION_NAMES.map((name) => [name, options[name]]));
    return makeBackoff(rules).execute(fn, { within, detached });
  } catch (error) {
    return rejectionOf(error);
  }
}

function makeBackoff(options: BackoffOptions): Backoff {
  const { maxTries, deadline, exceptions, minRemaining } = options;
  if ((maxTries ?? deadline ?? null) === null) {
    throw new TypeError(
      "Cannot retry: 'maxTries' or 'deadline' must be given, got neither; " +
        "'maxTries: Infinity' retries without a bound",
    );
  }
  return new Backoff({
    ...options,
    exceptions: exceptions ?? "all",
    minRemaining: minRemaining ?? 0,
  });
}
