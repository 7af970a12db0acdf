/**
 * The errors that a policy retries.
 *
 * @module
 */

import { inheritsFrom, isErrorMaker, isNative } from "../check/classes.ts";
import { holds, wrongType } from "../check/values.ts";

/** A class that works with `instanceof`. Its errors are retried. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => unknown;

/**
 * The errors to retry: those of some classes, `"all"` of them, or those for which a predicate
 * returns `true`.
 */
export type Exceptions = readonly ErrorClass[] | "all" | ((error: unknown) => boolean);

const RULE = 'an array of classes, a predicate, or "all"';

/**
 * Checks the errors to retry.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns A frozen copy of the classes, the predicate, `"all"`, or `null`.
 * @throws {TypeError} If it is anything else, or holds a value that does not work with
 * `instanceof`.
 */
export function checkExceptions(
  subject: string,
  value: Exceptions | null,
): Exceptions | null {
  if (value === "all" || value === null) return value;
  if (typeof value === "function") {
    if (!isErrorMaker(value)) return value;
    throw wrongType(subject, RULE, value, `; did you mean '[${String(nameOf(value))}]'?`);
  }
  if (!holds(() => Array.isArray(value))) throw wrongType(subject, RULE, value);
  const classes: ErrorClass[] = [...value];
  for (const each of classes) {
    if (!isErrorClass(each)) throw wrongType(subject, RULE, each);
  }
  return Object.freeze(classes);
}

/** An arrow function, for example, has no prototype to look for. */
function isErrorClass(value: unknown): boolean {
  return typeof value === "function" &&
    holds(() => typeof ({} instanceof value) === "boolean");
}

/**
 * Determines whether an error is of one of some classes. A built-in class also means the same
 * class of every other realm, such as that of a vm context.
 *
 * @param classes The classes.
 * @param error The thrown value.
 * @returns Whether it is of one of them.
 */
export function isOfClass(classes: readonly ErrorClass[], error: unknown): boolean {
  return classes.some((each) => error instanceof each || isOfSameKind(each, error));
}

/** The names of errors that `"all"` does not retry: aborts, and refusals by a guard. */
const NOT_IN_ALL = "AbortError CircuitOpenError ThrottledError";

/**
 * Tells whether `"all"` includes errors of a name. A refusal by a guard is recognised by its name, so
 * that every copy of the library sees it.
 *
 * @param name The name of the error, of any type.
 * @returns Whether it is neither an abort nor a refusal.
 */
export function isInAll(name: unknown): boolean {
  return !NOT_IN_ALL.split(" ").some((each) => each === name);
}

/** The built-in classes of errors that exist in every realm. */
const BUILT_IN =
  "Error AggregateError EvalError RangeError ReferenceError SuppressedError " +
  "SyntaxError TypeError URIError";

/**
 * Determines whether an error is of the same built-in class as one of another realm: by its brand
 * and by the native constructors in its prototype chain, never by its `name` alone.
 */
function isOfSameKind(errorClass: ErrorClass, error: unknown): boolean {
  return holds(() => {
    const { name } = errorClass;
    const brand = Object.prototype.toString.call(error);
    const isBranded = brand === "[object DOMException]";
    if (name === "DOMException") {
      // `DOMException` is not a native function in Node and Deno.
      return isBranded && inheritsFrom(error, "Error") && isDOMException(errorClass);
    }
    return BUILT_IN.split(" ").includes(name) && isNative(errorClass, name) &&
      (isBranded || brand === "[object Error]") && inheritsFrom(error, name);
  });
}

function isDOMException(errorClass: ErrorClass): boolean {
  return (errorClass.prototype as object)[Symbol.toStringTag as never] === "DOMException" &&
    inheritsFrom(errorClass.prototype, "Error");
}

/**
 * Reads the name of any value.
 *
 * @param value The value.
 * @returns Its name; `undefined` for `null`, and for an error whose name throws.
 */
export function nameOf(value: unknown): unknown {
  try {
    return (value as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
