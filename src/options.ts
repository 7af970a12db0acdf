/**
 * What a caller may ask for, and the check of it.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { Failure } from "./engine.ts";
import { show } from "./errors.ts";
import type { BackoffEvent } from "./observe.ts";

/** A class that `instanceof` works with; errors of it are retried. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => unknown;

/**
 * How long to wait between the end of an attempt and the start of the next, in
 * milliseconds: a finite number >= 0, or a function of the failure that returns one.
 */
export type Pause = number | ((failure: Failure) => number);

/** Every option but the two limits. `null` and `undefined` mean absent. */
export interface RetryOptions {
  /**
   * How many attempts there are at most, the first included: an integer >= 1.
   *
   * @default {Infinity}
   */
  maxTries?: number | null | undefined;
  /**
   * The classes whose errors are retried. `"all"` is everything that can be
   * thrown but errors named `"AbortError"`. Timeouts, which are all errors named
   * `"TimeoutError"`, are always retried.
   *
   * @default {[]} (of `asyncretry`: `"all"`)
   */
  exceptions?: readonly ErrorClass[] | "all" | null | undefined;
  /**
   * How long to wait between the end of an attempt and the start of the next,
   * in milliseconds: finite and >= 0, or a function of the failure that returns
   * such a number. A pause of 0 still lets the event loop come round. What the
   * function throws goes out, and ends the execution.
   *
   * @default {0}
   */
  pause?: Pause | null | undefined;
  /**
   * Asked after each failure that would be retried: `true` ends the execution
   * with that failure's error. It must answer at once: a promise is refused.
   * What it throws goes out instead.
   *
   * @default {null}
   */
  giveup?: ((error: unknown, failure: Failure) => boolean) | null | undefined;
  /**
   * How long an attempt that was cut by its own timeout is given to wind down
   * before the pause begins, in milliseconds >= 0. It ends as soon as the attempt
   * settles; a value that arrives in it is the result. With `Infinity` two
   * attempts never run at once; without a deadline that can wait for ever.
   *
   * @default {0}
   */
  grace?: number | null | undefined;
  /** Aborts every execution of this policy, in addition to the signal of `execute`. */
  signal?: AbortSignal | null | undefined;
  /** Told what happens, as it happens. It changes nothing, even if it throws. */
  observe?: ((event: BackoffEvent) => void) | null | undefined;
  /**
   * What tells the time and waits.
   *
   * @default {systemClock}
   */
  clock?: Clock | null | undefined;
}

/** Every option. `null` and `undefined` mean absent. */
export interface BackoffOptions extends RetryOptions {
  /**
   * How long one attempt may take, in milliseconds >= 0. An attempt that takes
   * longer is cut, and has failed with a `TimeoutError`, which is retried.
   *
   * @default {Infinity}
   */
  attemptTimeout?: number | null | undefined;
  /**
   * How long the whole execution may take, in milliseconds >= 0, whatever it is
   * doing. With 0 the function is never called.
   *
   * @default {Infinity}
   */
  deadline?: number | null | undefined;
}

/** The names of all options. */
export const OPTION_NAMES: readonly (keyof BackoffOptions)[] = [
  "attemptTimeout",
  "deadline",
  "pause",
  "exceptions",
  "maxTries",
  "giveup",
  "grace",
  "signal",
  "observe",
  "clock",
];

/** What other libraries call it, in lower case without separators. */
const ALIASES = new Map<string, string>([
  ["tries", "maxTries"],
  ["attempts", "maxTries"],
  ["maxattempts", "maxTries"],
  ["retries", "maxTries"],
  ["maxretries", "maxTries"],
  ["numofattempts", "maxTries"],
  ["timeout", "attemptTimeout"],
  ["pertrytimeout", "attemptTimeout"],
  ["totaltimeout", "deadline"],
  ["maxretrytime", "deadline"],
  ["maxelapsedtime", "deadline"],
  ["delay", "pause"],
  ["wait", "pause"],
  ["backoff", "pause"],
  ["interval", "pause"],
  ["mintimeout", "pause"],
  ["retryon", "exceptions"],
  ["errors", "exceptions"],
  ["shouldretry", "giveup"],
  ["retryif", "giveup"],
  ["isretriable", "giveup"],
  ["graceperiod", "grace"],
  ["abortsignal", "signal"],
  ["onretry", "observe"],
  ["onfailedattempt", "observe"],
]);

/**
 * Checks that options are an object whose every key is known.
 *
 * @param options What the caller gave.
 * @param known The names that are options here.
 * @throws {TypeError} If it is no such object; the message names the likely option.
 */
export function checkKeys(options: unknown, known: readonly string[]): void {
  if (!isOptions(options)) {
    throw new TypeError(
      `Cannot read the options as they must be an object: current value is ${
        show(options)
      }`,
    );
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw unknownOption(key, options, known);
  }
}

/**
 * Whether a value may be the options: a plain object, or one that has an option.
 * Anything else, as a signal or a Map, has no key to be unknown, and would lose
 * a limit in silence.
 *
 * @param value Any value.
 * @returns Whether it is.
 */
export function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null ||
    OPTION_NAMES.some((name) => name in value);
}

/**
 * Options by position and by name, together; each is read once.
 *
 * @param usage How the arguments are written, for messages.
 * @param given What was given by position.
 * @param named What was given by name.
 * @returns All of them.
 * @throws {TypeError} If one is unknown, or given twice.
 */
export function mergeOptions(
  usage: string,
  given: Readonly<Record<string, unknown>>,
  named: Readonly<Record<string, unknown>>,
): BackoffOptions {
  checkKeys(named, OPTION_NAMES);
  const merged: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) {
    const [byPosition, byName] = [given[name] ?? null, named[name] ?? null];
    if (byPosition !== null && byName !== null) {
      throw misplaced(usage, `'${name}' is given twice: by position and by name`);
    }
    merged[name] = byPosition ?? byName;
  }
  return merged;
}

/**
 * The error of an argument that does not stand where it must.
 *
 * @param usage How the arguments are written.
 * @param what What is wrong.
 * @returns The error, to be thrown.
 */
export function misplaced(usage: string, what: string): TypeError {
  return new TypeError(`Cannot read the arguments of '${usage}' as ${what}`);
}

function unknownOption(
  key: string,
  options: Record<string, unknown>,
  known: readonly string[],
): TypeError {
  const bare = key.toLowerCase().replace(/[^a-z]/g, "");
  const likely = known.find((name) => name.toLowerCase() === bare) ??
    ALIASES.get(bare);
  const hint = likely === undefined || !known.includes(likely)
    ? `the options are ${known.join(", ")}`
    : `did you mean ${suggestion(bare, likely, options[key])}?`;
  return new TypeError(`Cannot read the options as '${key}' is none of them: ${hint}`);
}

/** The likely option, with its value where the other name counts otherwise. */
function suggestion(bare: string, likely: string, value: unknown): string {
  if (likely === "giveup" && bare !== "giveup") {
    return "'giveup', which says when to stop";
  }
  if (likely === "maxTries" && typeof value === "number") {
    const tries = bare.endsWith("retries") ? value + 1 : value;
    return `'maxTries: ${tries}', in which the first try counts`;
  }
  return `'${likely}'`;
}

/**
 * Checks an option that is a duration.
 *
 * @param name The option's name.
 * @param value What the caller gave, or a function returned.
 * @param absent What `null` and `undefined` stand for.
 * @returns The duration in milliseconds.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is negative or `NaN`.
 */
export function duration(name: string, value: unknown, absent: number): number {
  const number = value ?? absent;
  const rule = "a number of milliseconds >= 0";
  if (typeof number !== "number") throw wrongKind(name, rule, value);
  if (!(number >= 0)) throw wrongValue(name, rule, value);
  return number;
}

/**
 * Checks a pause.
 *
 * @param value What the caller gave, or a function of the failure returned.
 * @returns The pause in milliseconds.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is negative, `NaN` or not finite.
 */
export function pauseDuration(value: unknown): number {
  const rule = "a finite number of milliseconds >= 0, or a function that returns one";
  if (typeof value !== "number") throw wrongKind("pause", rule, value);
  if (!(value >= 0 && value < Infinity)) throw wrongValue("pause", rule, value);
  return value;
}

/**
 * Checks the bound on tries.
 *
 * @param value What the caller gave.
 * @returns The bound; `Infinity` for none.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is no integer >= 1.
 */
export function tryCount(value: unknown): number {
  const count = value ?? Infinity;
  const rule = "an integer >= 1, the first try included";
  if (typeof count !== "number") throw wrongKind("maxTries", rule, value);
  if (count !== Infinity && !(Number.isInteger(count) && count >= 1)) {
    throw wrongValue("maxTries", rule, value);
  }
  return count;
}

/**
 * Checks an option that is a function, or absent.
 *
 * @param name The option's name.
 * @param value What the caller gave.
 * @returns The function, or `null`.
 * @throws {TypeError} If it is anything else.
 */
export function callback<F>(name: string, value: F | null | undefined): F | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "function") return value;
  throw wrongKind(name, "a function", value);
}

/**
 * Checks the classes to retry.
 *
 * @param value What the caller gave.
 * @param absent What `null` and `undefined` stand for.
 * @returns A copy of the classes, or `"all"`.
 * @throws {TypeError} If anything in it does not work with `instanceof`.
 */
export function errorClasses(
  value: RetryOptions["exceptions"],
  absent: readonly ErrorClass[] | "all",
): readonly ErrorClass[] | "all" {
  const classes = value ?? absent;
  if (classes === "all") return classes;
  const rule = 'an array of classes, or "all"';
  if (!isSo(() => Array.isArray(classes))) throw wrongKind("exceptions", rule, value);
  const copy: ErrorClass[] = [...classes];
  for (const each of copy) {
    if (!isClassLike(each)) throw wrongKind("exceptions", rule, each);
  }
  return Object.freeze(copy);
}

/** As an arrow function is not: it has no prototype to look for. */
function isClassLike(value: unknown): boolean {
  return typeof value === "function" &&
    isSo(() => typeof ({} instanceof value) === "boolean");
}

/**
 * Checks a signal. It is told by its shape, since it may be of another realm.
 *
 * @param value What the caller gave.
 * @returns The signal, or `null`.
 * @throws {TypeError} If it is anything else.
 */
export function abortSignal(value: AbortSignal | null | undefined): AbortSignal | null {
  if (value === null || value === undefined) return null;
  const isSignal = isSo(() =>
    typeof value === "object" && typeof value.aborted === "boolean" &&
    typeof value.addEventListener === "function" &&
    typeof value.removeEventListener === "function"
  );
  if (isSignal) return value;
  throw wrongKind("signal", "an AbortSignal", value);
}

/**
 * Checks a clock.
 *
 * @param value What the caller gave.
 * @param absent What `null` and `undefined` stand for.
 * @returns The clock.
 * @throws {TypeError} If it has no `now` or `sleep`, or an `after` that is no function.
 */
export function clockOption(value: Clock | null | undefined, absent: Clock): Clock {
  const clock = value ?? absent;
  const isClock = isSo(() =>
    typeof clock === "object" && typeof clock.now === "function" &&
    typeof clock.sleep === "function" &&
    ["undefined", "function"].includes(typeof clock.after)
  );
  if (isClock) return clock;
  throw wrongKind("clock", "an object with the functions 'now' and 'sleep'", value);
}

/** A look at a value that throws, as at a revoked proxy, tells that it is not so. */
function isSo(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}

function wrongKind(name: string, rule: string, value: unknown): TypeError {
  return new TypeError(complaint(name, rule, value));
}

function wrongValue(name: string, rule: string, value: unknown): RangeError {
  return new RangeError(complaint(name, rule, value));
}

function complaint(name: string, rule: string, value: unknown): string {
  return `Cannot make a policy as '${name}' must be ${rule}: current value is ${
    show(value)
  }`;
}
