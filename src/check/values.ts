/**
 * The check of each option's value: the wrong kind is a `TypeError`, the wrong
 * value a `RangeError`, and either says which option, what it must be, and what
 * it was.
 *
 * @module
 */

import type { Budget } from "./budget.ts";
import type { Clock } from "./clock.ts";
import { show } from "./errors.ts";
import type { ErrorClass, RetryOptions } from "./options.ts";
import { isSignal } from "./signal.ts";

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
  const rule = "a number of milliseconds >= 0";
  return numberOption(name, value ?? absent, rule, (number) => number >= 0);
}

/**
 * Checks an option that is a number.
 *
 * @param name The option's name.
 * @param value What the caller gave, or else the default.
 * @param rule What it must be, for the message.
 * @param isRight Whether a number is so.
 * @returns The number.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is not as the rule says.
 */
export function numberOption(
  name: string,
  value: unknown,
  rule: string,
  isRight: (number: number) => boolean,
): number {
  if (typeof value !== "number") throw wrongKind(name, rule, value);
  if (!isRight(value)) throw wrongValue(name, rule, value);
  return value;
}

/**
 * Checks an option that is an integer.
 *
 * @param name The option's name.
 * @param value What the caller gave, or else the default.
 * @param least The least that it may be.
 * @returns The number.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is no integer, or less.
 */
export function integerOption(name: string, value: unknown, least: number): number {
  const isRight = (number: number) => Number.isInteger(number) && number >= least;
  return numberOption(name, value, `an integer >= ${least}`, isRight);
}

/**
 * Checks an option that is `true` or `false`.
 *
 * @param name The option's name.
 * @param value What the caller gave.
 * @returns Whether it is `true`; `null` and `undefined` are `false`.
 * @throws {TypeError} If it is anything else.
 */
export function flagOption(name: string, value: unknown): boolean {
  const isSet = value ?? false;
  if (typeof isSet === "boolean") return isSet;
  throw wrongKind(name, "true or false", value);
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
  return finiteNumber("pause", value, { rule });
}

/**
 * Checks an option that is a finite number.
 *
 * @param name The option's name.
 * @param value What the caller gave, or else the default.
 * @param options `least`: the least that it may be; default 0. `rule`: what it
 * must be, for the message.
 * @returns The number.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is less, `NaN` or not finite.
 */
export function finiteNumber(
  name: string,
  value: unknown,
  { least = 0, rule = `a finite number >= ${least}` }: { least?: number; rule?: string } =
    {},
): number {
  return numberOption(name, value, rule, (number) => number >= least && number < Infinity);
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
  const rule = "an integer >= 1, the first try included";
  return numberOption(
    "maxTries",
    value ?? Infinity,
    rule,
    (count) => count === Infinity || (Number.isInteger(count) && count >= 1),
  );
}

/**
 * Checks an option that is one of a few words.
 *
 * @param name The option's name.
 * @param value What the caller gave, or else the default.
 * @param words What it may be.
 * @returns The word.
 * @throws {TypeError} If it is no string.
 * @throws {RangeError} If it is none of the words.
 */
export function wordOption<Word extends string>(
  name: string,
  value: unknown,
  words: readonly Word[],
): Word {
  const rule = words.map((word) => `"${word}"`).join(" or ");
  if (typeof value !== "string") throw wrongKind(name, rule, value);
  const word = words.find((word) => word === value);
  if (word === undefined) throw wrongValue(name, rule, value);
  return word;
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
 * Checks a signal.
 *
 * @param value What the caller gave.
 * @returns The signal, or `null`.
 * @throws {TypeError} If it is anything else.
 */
export function abortSignal(value: AbortSignal | null | undefined): AbortSignal | null {
  if (value === null || value === undefined) return null;
  if (isSignal(value)) return value;
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
    typeof clock.now === "function" && typeof clock.sleep === "function" &&
    ["undefined", "function"].includes(typeof clock.after)
  );
  if (isClock) return clock;
  throw wrongKind("clock", "an object with the functions 'now' and 'sleep'", value);
}

/**
 * Checks a budget.
 *
 * @param value What the caller gave.
 * @returns The budget, or `null`.
 * @throws {TypeError} If it lacks one of its functions.
 */
export function budgetOption(value: Budget | null | undefined): Budget | null {
  if (value === null || value === undefined) return null;
  const names = ["began", "failed", "succeeded", "mayRetry"] as const;
  if (isSo(() => names.every((name) => typeof value[name] === "function"))) return value;
  const rule = `an object with the functions ${
    names.map((name) => `'${name}'`).join(", ")
  }`;
  throw wrongKind("budget", rule, value);
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
  return `Cannot use the options as '${name}' must be ${rule}: current value is ${
    show(value)
  }`;
}
