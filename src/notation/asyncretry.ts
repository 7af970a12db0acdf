/**
 * The shortcut that bounds the number of attempts and retries everything.
 *
 * @module
 */

import { Tally } from "../driver/statistic.ts";
import type { BackoffOptions } from "../policy/options.ts";
import { BackoffPolicy } from "../policy/policy.ts";
import { mergeOptions, misplaced, refuseUncalled, uncalled } from "./arguments.ts";
import type { AsyncDecorator } from "./decorator.ts";
import { policyDecorator } from "./policy_decorator.ts";

const USAGE = "asyncretry(maxTries, options?)";

/**
 * Retries a function after any error, up to a number of attempts: a shortcut of
 * `asyncbackoff({ maxTries, exceptions: "all" })`. Only an error named `"AbortError"` is not
 * retried, unless `exceptions` lists it.
 *
 * It takes every option of `asyncbackoff`, including the limits. Leave them on.
 *
 * @param maxTries The maximum number of attempts, including the first: an integer >= 1; `null`
 * for no bound.
 * @param options The other rules, by name.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
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
  refuseUncalled(USAGE, args);
  if (maxTries === undefined) {
    throw misplaced(
      USAGE,
      "'maxTries' must be an integer >= 1, or null, got undefined",
    );
  }
  if (typeof options === "function") throw uncalled(USAGE, options);
  if (args.length > 2) {
    throw misplaced(USAGE, `it takes at most two arguments, got ${args.length}`);
  }
  const { exceptions, ...rules } = mergeOptions(USAGE, { maxTries }, options ?? {});
  const policy = new BackoffPolicy({ ...rules, exceptions: exceptions ?? "all" });
  const tally = new Tally();
  return policyDecorator(policy, () => tally);
}
