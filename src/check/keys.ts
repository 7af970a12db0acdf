/**
 * Checks that options are an object whose every key is known. If a misspelt option were ignored,
 * its limit would be lost without notice.
 *
 * @module
 */

import { describe } from "./describe.ts";

/**
 * Lists the names of options. The record makes the compiler refuse a list that misses one.
 *
 * @typeParam Options The type of the options.
 * @param names Each name, with `true`.
 * @returns The names, in their order.
 */
export function namesOf<Options>(
  names: { readonly [name in keyof Options]-?: true },
): readonly (keyof Options & string)[] {
  return Object.keys(names) as (keyof Options & string)[];
}

/** Hints that follow a message. Each returns `null` where it has none. */
export interface Hints {
  /** A hint about a value that was passed in place of the options. */
  readonly options?: (value: unknown) => string | null;
  /** A hint about a key that is unknown. */
  readonly key?: (key: string, value: unknown) => string | null;
}

/**
 * Checks that options are an object whose every key is known.
 *
 * @param action The action that needs the options, such as `make a policy`.
 * @param options The options as the caller gave them.
 * @param known The names of the options.
 * @param hints Hints for the messages. Default: none.
 * @throws {TypeError} If it is not such an object. The message names the likely option, or
 * all of them.
 */
export function checkKeys(
  action: string,
  options: unknown,
  known: readonly string[],
  hints: Hints = {},
): void {
  if (!isOptions(options, known)) {
    const hint = hints.options?.(options) ?? null;
    throw new TypeError(
      `Cannot ${action}: the options must be an object, got ${describe(options)}` +
        (hint === null ? "" : `; ${hint}`),
    );
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const hint = hints.key?.(key, options[key]) ?? hintAt(key, known);
    throw new TypeError(`Cannot ${action}: unknown option '${key}', ${hint}`);
  }
}

/** Finds a name that differs only in case or separators, and otherwise lists all names. */
function hintAt(key: string, known: readonly string[]): string {
  const name = known.find((name) => plain(name) === plain(key));
  return name === undefined
    ? `the options are ${known.join(", ")}`
    : `did you mean '${name}'?`;
}

/**
 * Reduces a name to its letters in lower case, so that `max_tries` is found as `maxTries`.
 *
 * @param name A name of an option.
 * @returns Its letters in lower case.
 */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, "");
}

/**
 * Determines whether a value may be the options: a plain object, or one that has an option. Any
 * other object, such as a signal or a Map, has no keys to check, so a limit would be lost without
 * notice.
 *
 * @param value Any value.
 * @param known The names of the options.
 * @returns Whether the value may be the options.
 */
export function isOptions(
  value: unknown,
  known: readonly string[],
): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  // An error, for example, has a `name` too.
  return prototype === null || Object.getPrototypeOf(prototype) === null ||
    known.some((name) => name !== "name" && name in value);
}
