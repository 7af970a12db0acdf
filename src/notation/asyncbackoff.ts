/**
 * The decorator with a guaranteed time, by name or by position.
 *
 * @module
 */

import { Backoff } from "./backoff.ts";
import { type AsyncDecorator, isClass } from "./decorator.ts";
import { show } from "./errors.ts";
import {
  type BackoffOptions,
  type ErrorClass,
  isOptions,
  mergeOptions,
  misplaced,
  type Pause,
  type RetryOptions,
} from "./options.ts";

const USAGE = "asyncbackoff(attemptTimeout, deadline, pause?, ...exceptions, options?)";

/**
 * Guarantees a time to a function: an attempt timeout, a deadline over all
 * attempts, a pause between them, a bound on tries, a filter of exceptions and a
 * `giveup` predicate, all at the same time.
 *
 * Without `exceptions`, only timeouts are retried.
 *
 * @param options The rules, by name.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an option is of the wrong kind, or unknown.
 * @throws {RangeError} If an option is of the wrong value.
 *
 * @example By name
 * ```ts
 * import { asyncbackoff } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const guaranteed = asyncbackoff({
 *   attemptTimeout: 500,
 *   deadline: 2000,
 *   pause: 100,
 *   exceptions: [TypeError],
 *   maxTries: 5,
 * });
 * const load = guaranteed(async (id: number) => await `user ${id}`);
 *
 * assertEquals(await load(7), "user 7");
 * ```
 */
export function asyncbackoff(options: BackoffOptions): AsyncDecorator;
/**
 * Guarantees a time to a function, in the positional notation of aiomisc: the
 * attempt timeout, the deadline, the pause, then the classes that are retried.
 *
 * @param attemptTimeout How long one attempt may take, in milliseconds; `null` for no limit.
 * @param deadline How long the whole execution may take, in milliseconds; `null` for no limit.
 * @param pause Milliseconds between attempts, or a function of the failure. Default: 0.
 * @param exceptions The classes whose errors are retried. Timeouts always are.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an argument is of the wrong kind, missing or misplaced.
 * @throws {RangeError} If an argument is of the wrong value.
 *
 * @example By position
 * ```ts
 * import { asyncbackoff } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * class Users {
 *   @asyncbackoff(500, 2000, 100, TypeError)
 *   async load(id: number) {
 *     return await `user ${id}`;
 *   }
 * }
 *
 * assertEquals(await new Users().load(7), "user 7");
 * ```
 */
export function asyncbackoff(
  attemptTimeout: number | null,
  deadline: number | null,
  pause?: Pause | null,
  ...exceptions: ErrorClass[]
): AsyncDecorator;
/**
 * Guarantees a time to a function, in the positional notation with the other
 * options behind it, as Python's keyword arguments.
 *
 * @param attemptTimeout How long one attempt may take, in milliseconds; `null` for no limit.
 * @param deadline How long the whole execution may take, in milliseconds; `null` for no limit.
 * @param rest The pause, the classes that are retried, and the options at the end.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an argument is of the wrong kind, missing, misplaced or given twice.
 * @throws {RangeError} If an argument is of the wrong value.
 *
 * @example By position, with options behind it
 * ```ts
 * import { asyncbackoff } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const guaranteed = asyncbackoff(500, 2000, 100, TypeError, { maxTries: 5 });
 * const load = guaranteed(async (id: number) => await `user ${id}`);
 *
 * assertEquals(await load(7), "user 7");
 * ```
 */
export function asyncbackoff(
  attemptTimeout: number | null,
  deadline: number | null,
  ...rest:
    | [options: RetryOptions]
    | [pause: Pause | null, ...exceptions: ErrorClass[], options: RetryOptions]
): AsyncDecorator;
export function asyncbackoff(...args: readonly unknown[]): AsyncDecorator {
  const options = args.length === 1 && isOptions(args[0]) ? args[0] : positional(args);
  return new Backoff(options).wrap;
}

/** The positional notation as options. What is left to check, the policy does. */
function positional(args: readonly unknown[]): BackoffOptions {
  const last = args.at(-1);
  const isNamed = args.length > 2 && isOptions(last);
  const [attemptTimeout, deadline, pause, ...rest] = isNamed ? args.slice(0, -1) : args;
  checkLimit("attemptTimeout", attemptTimeout);
  checkLimit("deadline", deadline);
  if (typeof pause === "function" && isClass(pause)) {
    throw misplaced(USAGE, `the pause comes before the classes, but it is ${show(pause)}`);
  }
  const classes = rest.filter((each) => each !== null);
  for (const each of classes) {
    if (typeof each === "function") continue;
    throw misplaced(USAGE, `only classes come after the pause, but there is ${show(each)}`);
  }
  const exceptions = classes.length === 0 ? null : classes;
  const given = { attemptTimeout, deadline, pause, exceptions };
  return mergeOptions(USAGE, given, isNamed ? last : {});
}

function checkLimit(name: string, value: unknown): void {
  if (value === null || typeof value === "number") return;
  throw misplaced(
    USAGE,
    `'${name}' must be a number of milliseconds, or null: it is ${show(value)}`,
  );
}
