/**
 * The errors that a policy retries.
 *
 * @module
 */

import { holds, wrongType } from "../check/values.ts";

/** A class that works with `instanceof`. Its errors are retried. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => unknown;

/** The errors to retry: those of some classes, or all of them. */
export type Exceptions = readonly ErrorClass[] | "all";

const RULE = 'an array of classes, or "all"';

/**
 * Checks the errors to retry.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns A frozen copy of the classes, or `"all"`.
 * @throws {TypeError} If it is anything else, or holds a value that does not work with
 * `instanceof`.
 */
export function checkExceptions(subject: string, value: Exceptions): Exceptions {
  if (value === "all") return value;
  if (!holds(() => Array.isArray(value))) {
    const hint = isErrorClass(value) ? `; did you mean '[${nameOf(value)}]'?` : "";
    throw wrongType(subject, RULE, value, hint);
  }
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
 * Tells whether an error is retried. Timeouts always are.
 *
 * @param exceptions The errors to retry.
 * @param error The thrown value.
 * @returns Whether it is retried.
 */
export function isRetryable(exceptions: Exceptions, error: unknown): boolean {
  const name = nameOf(error);
  if (name === "TimeoutError") return true;
  if (exceptions === "all") return name !== "AbortError";
  return exceptions.some((each) => error instanceof each);
}

/** The name of any value; `undefined` for `null`, and for an error whose name throws. */
function nameOf(error: unknown): unknown {
  try {
    return (error as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
