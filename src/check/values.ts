/**
 * Checks of single values. A value of the wrong type is a `TypeError`, a wrong value of the
 * right type a `RangeError`. Each message says what cannot be done, what must be, and what was
 * given: `Cannot make a policy: option 'grace' must be a number of milliseconds >= 0, got -1`.
 *
 * A `subject` is the first part of such a message, such as `make a policy: option 'grace'`.
 *
 * @module
 */

import { describe } from "./describe.ts";

/**
 * Makes the subject of a message about an option.
 *
 * @param action The action that needs the option, such as `make a policy`.
 * @param name The name of the option.
 * @returns The subject.
 */
export function option(action: string, name: string): string {
  return `${action}: option '${name}'`;
}

/**
 * Checks a number.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @param rule The rule in words, for the message.
 * @param isValid Whether a number satisfies the rule.
 * @returns The number.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it does not satisfy the rule.
 */
export function checkNumber(
  subject: string,
  value: unknown,
  rule: string,
  isValid: (number: number) => boolean,
): number {
  if (typeof value !== "number") throw wrongType(subject, rule, value);
  if (!isValid(value)) throw wrongValue(subject, rule, value);
  return value;
}

/**
 * Checks a duration, which may be infinite.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns The duration in milliseconds.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is negative or `NaN`.
 */
export function checkDuration(subject: string, value: unknown): number {
  const rule = "a number of milliseconds >= 0";
  return checkNumber(subject, value, rule, (ms) => ms >= 0);
}

/**
 * Checks a duration that must be finite.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @param rule The rule in words, for the message.
 * @returns The duration in milliseconds.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is negative, `NaN` or infinite.
 */
export function checkFiniteDuration(
  subject: string,
  value: unknown,
  rule: string = "a finite number of milliseconds >= 0",
): number {
  return checkNumber(subject, value, rule, (ms) => ms >= 0 && ms < Infinity);
}

/**
 * Checks a finite number.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @param min The smallest number that is valid.
 * @returns The number.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is smaller, `NaN` or infinite.
 */
export function checkFinite(subject: string, value: unknown, min: number): number {
  const rule = `a finite number >= ${min}`;
  return checkNumber(subject, value, rule, (number) => number >= min && number < Infinity);
}

/**
 * Checks an integer.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @param min The smallest integer that is valid.
 * @param note A note that follows the rule, such as ` (the first attempt counts)`.
 * @returns The integer.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not an integer, or smaller.
 */
export function checkInteger(
  subject: string,
  value: unknown,
  min: number,
  note: string = "",
): number {
  const isValid = (number: number) => Number.isInteger(number) && number >= min;
  return checkNumber(subject, value, `an integer >= ${min}${note}`, isValid);
}

/**
 * Draws a random number, and checks it.
 *
 * @param action The action that needs the number, such as `draw a pause`.
 * @param random The caller's source of random numbers.
 * @param options The `cause` of the error. Default: none.
 * @returns The number, from 0 to 1.
 * @throws {TypeError} If the source returns anything but a number.
 * @throws {RangeError} If the number is not from 0 to 1.
 */
export function draw(
  action: string,
  random: () => number,
  options: ErrorOptions = {},
): number {
  const number: unknown = random();
  if (typeof number === "number" && number >= 0 && number <= 1) return number;
  const Wrong = typeof number === "number" ? RangeError : TypeError;
  const rule = "'random' must return a number from 0 to 1";
  throw new Wrong(`Cannot ${action}: ${rule}, got ${describe(number)}`, options);
}

/**
 * Checks a flag.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns The flag.
 * @throws {TypeError} If it is neither `true` nor `false`.
 */
export function checkFlag(subject: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw wrongType(subject, "true or false", value);
}

/**
 * Checks a string that may be absent.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns The string, or `null`.
 * @throws {TypeError} If it is anything else.
 */
export function checkString(subject: string, value: string | null): string | null {
  if (value === null || typeof value === "string") return value;
  throw wrongType(subject, "a string", value);
}

/**
 * Checks a value that is one of a few words.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @param words The words that are valid.
 * @returns The word.
 * @throws {TypeError} If it is not a string.
 * @throws {RangeError} If it is not one of the words.
 */
export function checkWord<Word extends string>(
  subject: string,
  value: unknown,
  words: readonly Word[],
): Word {
  const rule = words.map((word) => `"${word}"`).join(" or ");
  if (typeof value !== "string") throw wrongType(subject, rule, value);
  const word = words.find((word) => word === value);
  if (word === undefined) throw wrongValue(subject, rule, value);
  return word;
}

/**
 * Checks a function that may be absent.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns The function; `null` if it is `null` or `undefined`.
 * @throws {TypeError} If it is anything else.
 */
export function checkCallback<F>(subject: string, value: F | null | undefined): F | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "function") return value;
  throw wrongType(subject, "a function", value);
}

/**
 * Determines whether a check succeeds. A check that throws, as on a revoked proxy, counts as
 * failed.
 *
 * @param check The check.
 * @returns Whether it returned `true`.
 */
export function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

/**
 * Makes the error of a value of the wrong type.
 *
 * @param subject The subject of the message.
 * @param rule The rule in words.
 * @param value The value that was given.
 * @param hint A hint that follows the message. Default: none.
 * @returns The error, to be thrown.
 */
export function wrongType(
  subject: string,
  rule: string,
  value: unknown,
  hint: string = "",
): TypeError {
  return new TypeError(message(subject, rule, value) + hint);
}

/**
 * Makes the error of a wrong value of the right type.
 *
 * @param subject The subject of the message.
 * @param rule The rule in words.
 * @param value The value that was given.
 * @returns The error, to be thrown.
 */
export function wrongValue(subject: string, rule: string, value: unknown): RangeError {
  return new RangeError(message(subject, rule, value));
}

function message(subject: string, rule: string, value: unknown): string {
  return `Cannot ${subject} must be ${rule}, got ${describe(value)}`;
}
