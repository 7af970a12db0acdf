/**
 * The arguments of the two notations.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { checkKeys } from "../check/keys.ts";
import { OPTION_HINTS } from "../policy/option_hints.ts";
import { type BackoffOptions, OPTION_NAMES } from "../policy/options.ts";

/**
 * Merges options by position with options by name. Each is read once.
 *
 * @param usage The notation, for messages.
 * @param given The options by position.
 * @param named The options by name.
 * @returns All of them.
 * @throws {TypeError} If one is unknown, or given twice.
 */
export function mergeOptions(
  usage: string,
  given: Readonly<Record<string, unknown>>,
  named: unknown,
): BackoffOptions {
  checkKeys("make a policy", named, OPTION_NAMES, OPTION_HINTS);
  const merged: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) {
    const byPosition = given[name] ?? null;
    const byName = (named as Record<string, unknown>)[name] ?? null;
    if (byPosition !== null && byName !== null) {
      throw misplaced(
        usage,
        `'${name}' must be given once, got it by position and by name`,
      );
    }
    merged[name] = byPosition ?? byName;
  }
  return merged;
}

/**
 * Makes the error of an argument in a wrong place.
 *
 * @param usage The notation.
 * @param message The rule, and the given value.
 * @returns The error, to be thrown.
 */
export function misplaced(usage: string, message: string): TypeError {
  return new TypeError(`Cannot call '${usage}': ${message}`);
}

/**
 * Refuses a function in place of the arguments of a notation, or the method that a legacy
 * decorator receives.
 *
 * @param usage The notation.
 * @param args The arguments.
 * @throws {TypeError} If the notation is used as a decorator without its call.
 */
export function refuseUncalled(usage: string, args: readonly unknown[]): void {
  const [first, key] = args;
  const isMethod = typeof first === "object" && ["string", "symbol"].includes(typeof key);
  if (typeof first === "function" || isMethod) throw uncalled(usage, first);
}

/**
 * Makes the error of a function that was passed in place of the options.
 *
 * @param usage The notation.
 * @param value The function.
 * @returns The error, to be thrown.
 */
export function uncalled(usage: string, value: unknown): TypeError {
  const [name] = usage.split("(");
  return misplaced(
    usage,
    `it must be called before it wraps a function, got ${describe(value)}; ` +
      `write '${name}(…)(fn)', or '@${name}(…)' before a method`,
  );
}

/**
 * Refuses a generator function. It starts nothing when it is called, so it cannot be retried.
 *
 * @param action The action, for the message.
 * @param fn The function.
 * @throws {TypeError} If it is a generator function.
 */
export function refuseGenerator(action: string, fn: object): void {
  const tag: unknown = fn[Symbol.toStringTag as never];
  if (tag !== "GeneratorFunction" && tag !== "AsyncGeneratorFunction") return;
  throw new TypeError(
    `Cannot ${action} ${describe(fn)}: it must return a promise, got a generator ` +
      "function; 'stream' retries one, as docs/streams.md shows",
  );
}
