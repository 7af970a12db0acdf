/**
 * Errors that are not retried, whatever a policy lists.
 *
 * @module
 */

import { wrongType } from "../check/values.ts";
import { realm } from "../realm/realm.ts";

/**
 * Marks an error. No policy retries a marked error, even if it lists the error or all errors,
 * and even if the error is a timeout. The execution rejects with the error itself, and its
 * reason is `nonRetryable`.
 *
 * The mark changes nothing on the object, works on frozen errors, and is seen by every copy of
 * the library in the realm. An error that wraps a marked one is not marked. Never mark an error
 * that is shared, such as a constant: every later use of it would be marked too.
 *
 * @typeParam E The type of the error.
 * @param error An object.
 * @returns The same object.
 * @throws {TypeError} If it is a primitive.
 *
 * @example A request that will never succeed
 * ```ts
 * import { asyncretry, nonRetryable } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * let calls = 0;
 * const load = asyncretry(5)(() => {
 *   calls += 1;
 *   return Promise.reject(nonRetryable(new Error("no such user")));
 * });
 * await load().catch(() => {});
 *
 * assertEquals(calls, 1);
 * ```
 */
export function nonRetryable<E extends object>(error: E): E {
  if (!isObject(error)) throw wrongType("mark an error: 'error'", "an object", error);
  realm.nonRetryable.add(error);
  return error;
}

/**
 * Determines whether an error is marked.
 *
 * @param error The thrown value.
 * @returns Whether {@linkcode nonRetryable} marked it.
 */
export function isNonRetryable(error: unknown): boolean {
  return isObject(error) && realm.nonRetryable.has(error);
}

/**
 * Notes the error with which an execution ended after its retries.
 *
 * @param error The error.
 */
export function markExhausted(error: unknown): void {
  if (isObject(error)) realm.exhausted.add(error);
}

/** The longest chain of causes that is followed. */
const MAX_CAUSES = 10;

/**
 * Determines whether another execution has ended with an error after its retries. The error may be
 * one of its causes, at most ten deep.
 *
 * @param error The thrown value.
 * @returns Whether it was retried already.
 */
export function isExhausted(error: unknown): boolean {
  let each = error;
  for (let depth = 0; depth <= MAX_CAUSES && isObject(each); depth++) {
    if (realm.exhausted.has(each)) return true;
    each = causeOf(each);
  }
  return false;
}

function causeOf(error: object): unknown {
  try {
    return (error as { cause?: unknown }).cause;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
