/**
 * The error of a limit that was reached.
 *
 * @module
 */

import { named } from "./error_name.ts";
import { type Limit, LIMIT_NAMES } from "./limit.ts";

/**
 * The error of a limit that was reached: the attempt timeout, the idle timeout, or the deadline
 * of the execution.
 *
 * Its `name` is `"TimeoutError"`, like that of the platform's own timeouts, and every policy
 * retries errors of that name. If an attempt failed before the deadline, the execution rejects
 * with that attempt's own error instead.
 *
 * @example Telling the limits apart
 * ```ts
 * import { Backoff, TimeoutError } from "@asyncbackoff/asyncbackoff";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const backoff = new Backoff({ deadline: 0 });
 * const error = await backoff.execute(() => "never called").catch((e) => e);
 *
 * assert(error instanceof TimeoutError);
 * assertEquals(error.limit, "deadline");
 * assertEquals(error.ms, 0);
 * ```
 */
export class TimeoutError extends Error {
  static readonly #named: void = /* @__PURE__ */ named(this, "TimeoutError");

  /** The limit that was reached. */
  readonly limit: Limit;
  /** The length of the limit, in milliseconds. */
  readonly ms: number;

  /**
   * Makes the error of a limit that was reached.
   *
   * @param limit The limit that was reached.
   * @param ms The length of the limit, in milliseconds.
   * @param name The name of the function that reached it, for the message. Default: none.
   */
  constructor(limit: Limit, ms: number, name: string = "") {
    const subject = name === "" ? "An anonymous function" : `'${name}'`;
    super(`${subject} reached its ${LIMIT_NAMES[limit]} of ${ms} ms`);
    this.limit = limit;
    this.ms = ms;
  }
}
