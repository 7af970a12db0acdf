/**
 * The decorator that retries a function and guarantees when it ends, with its rules by name or
 * by position.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { isClass } from "../check/classes.ts";
import { isOptions } from "../check/keys.ts";
import { Tally } from "../driver/statistic.ts";
import type { ErrorClass } from "../policy/error_classes.ts";
import {
  type BackoffOptions,
  OPTION_NAMES,
  type Pause,
  type RetryOptions,
} from "../policy/options.ts";
import { BackoffPolicy } from "../policy/policy.ts";
import { mergeOptions, misplaced, refuseUncalled } from "./arguments.ts";
import type { AsyncDecorator } from "./decorator.ts";
import { policyDecorator } from "./policy_decorator.ts";

const USAGE = "asyncbackoff(attemptTimeout, deadline, pause?, ...exceptions, options?)";

/**
 * Retries an async function and guarantees when it ends: an attempt timeout, a deadline over
 * all attempts, a pause between them, a bound on tries, a filter of exceptions and a `giveup`
 * predicate, all at the same time.
 *
 * Without `exceptions`, only timeouts are retried.
 *
 * @param options The rules, by name.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
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
 * let calls = 0;
 * const load = guaranteed(async (id: number) => {
 *   calls += 1;
 *   if (calls < 3) throw new TypeError("connection reset");
 *   return await `user ${id}`;
 * });
 *
 * assertEquals(await load(7), "user 7");
 * assertEquals(calls, 3);
 * ```
 */
export function asyncbackoff(options: BackoffOptions): AsyncDecorator;
/**
 * Retries an async function and guarantees when it ends, in the positional notation of
 * aiomisc: the attempt timeout, the deadline, the pause, then the classes that are retried.
 *
 * @param attemptTimeout The longest that one attempt may take, in ms; `null` for no limit.
 * @param deadline The longest that the execution may take, in ms; `null` for no limit.
 * @param pause Milliseconds between attempts, a list of them, of which the last one is repeated,
 * or a function of the failure. Default: 0.
 * @param exceptions The classes whose errors are retried. Timeouts always are.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an argument is of the wrong type, missing or misplaced.
 * @throws {RangeError} If an argument has a wrong value.
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
 * Retries an async function and guarantees when it ends, in the positional notation. The other
 * options follow in an object, like Python's keyword arguments.
 *
 * @param attemptTimeout The longest that one attempt may take, in ms; `null` for no limit.
 * @param deadline The longest that the execution may take, in ms; `null` for no limit.
 * @param rest The pause (a number, a list or a function), the classes that are retried, and the
 * options at the end.
 * @returns A decorator of functions and methods.
 * @throws {TypeError} If an argument is of the wrong type, missing, misplaced or given twice.
 * @throws {RangeError} If an argument has a wrong value.
 *
 * @example By position, followed by options
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
    | [pause: Pause | null, options: Omit<RetryOptions, "pause">]
    | [
      pause: Pause | null,
      ...exceptions: [ErrorClass, ...ErrorClass[]],
      options: Omit<RetryOptions, "pause" | "exceptions">,
    ]
): AsyncDecorator;
export function asyncbackoff(...args: readonly unknown[]): AsyncDecorator {
  refuseUncalled(USAGE, args);
  const [first] = args;
  const isNamed = args.length === 1 && isOptions(first, OPTION_NAMES);
  const options = isNamed ? mergeOptions(USAGE, {}, first) : positional(args);
  // Like aiomisc, it retries timeouts alone unless classes are given.
  const policy = new BackoffPolicy({ ...options, exceptions: options.exceptions ?? [] });
  const tally = new Tally();
  return policyDecorator(policy, () => tally);
}

/** Reads the positional notation as options. The policy checks the values. */
function positional(args: readonly unknown[]): BackoffOptions {
  const last = args.at(-1);
  const isNamed = args.length > 2 && isOptions(last, OPTION_NAMES);
  const [attemptTimeout, deadline, pause, ...rest] = isNamed ? args.slice(0, -1) : args;
  checkLimit("attemptTimeout", attemptTimeout);
  checkLimit("deadline", deadline);
  if (typeof pause === "function" && isClass(pause)) {
    throw misplaced(
      USAGE,
      `the pause must come before the classes, got ${describe(pause)}`,
    );
  }
  const classes = rest.filter((each) => each !== null);
  for (const each of classes) {
    if (typeof each === "function") continue;
    const rule = "only classes, and the options at the end, may follow the pause";
    throw misplaced(USAGE, `${rule}, got ${describe(each)}`);
  }
  const exceptions = classes.length === 0 ? null : classes;
  const given = { attemptTimeout, deadline, pause, exceptions };
  return mergeOptions(USAGE, given, isNamed ? last : {});
}

function checkLimit(name: string, value: unknown): void {
  if (value === null || typeof value === "number") return;
  const rule = `'${name}' must be a number of milliseconds, or null`;
  throw misplaced(USAGE, `${rule}, got ${describe(value)}`);
}
