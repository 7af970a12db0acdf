/**
 * The shortcut that bounds the tries and retries everything.
 *
 * @module
 */

import { Backoff } from "./backoff.ts";
import type { AsyncDecorator } from "./decorator.ts";
import { type BackoffOptions, mergeOptions, misplaced } from "./options.ts";

const USAGE = "asyncretry(maxTries, options?)";

/**
 * Retries a function after whatever it throws, at most so many tries: a
 * shortcut of `asyncbackoff({ maxTries, exceptions: "all" })`. Only an error
 * named `"AbortError"` is not retried, unless `exceptions` says so.
 *
 * It takes every option of `asyncbackoff`, limits too: leave them on.
 *
 * @param maxTries How many attempts there are at most, the first included: an
 * integer >= 1; `null` for no bound.
 * @param options The other rules, by name.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an option is of the wrong kind, or unknown.
 * @throws {RangeError} If an option is of the wrong value.
 *
 * @example Three tries
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * let calls = 0;
 * const load = asyncretry(3, { deadline: 5000 })(async () => {
 *   calls += 1;
 *   if (calls < 3) throw new Error("not yet");
 *   return await "ready";
 * });
 *
 * assertEquals(await load(), "ready");
 * ```
 */
export function asyncretry(
  maxTries: number | null,
  options?: Omit<BackoffOptions, "maxTries"> | null,
): AsyncDecorator;
export function asyncretry(...args: readonly unknown[]): AsyncDecorator {
  const [maxTries, options] = args;
  if (maxTries === undefined) {
    throw misplaced(USAGE, "'maxTries' must be an integer >= 1, or null: it is undefined");
  }
  if (args.length > 2) {
    throw misplaced(USAGE, `there are at most two: there are ${args.length}`);
  }
  const { exceptions, ...rules } = mergeOptions(
    USAGE,
    { maxTries },
    (options ?? {}) as Record<string, unknown>,
  );
  return new Backoff({ ...rules, exceptions: exceptions ?? "all" }).wrap;
}
