/**
 * The shortcut that bounds the tries and retries everything.
 *
 * @module
 */

import { merge } from "./asyncbackoff.ts";
import { Backoff } from "./backoff.ts";
import type { AsyncDecorator } from "./decorator.ts";
import { show } from "./errors.ts";
import { type BackoffOptions, isOptions } from "./options.ts";

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
  const named = options ?? {};
  if (maxTries === undefined || args.length > 2 || !isOptions(named)) {
    throw new TypeError(
      "Cannot read the arguments of 'asyncretry(maxTries, options?)': 'maxTries' must be an " +
        `integer >= 1, or null, and the options an object: given are (${
          args.map(show).join(", ")
        })`,
    );
  }
  const { exceptions } = named as BackoffOptions;
  const rules = { ...named, exceptions: exceptions ?? "all" } as BackoffOptions;
  return new Backoff(merge({ maxTries: maxTries as number }, rules)).wrap;
}
