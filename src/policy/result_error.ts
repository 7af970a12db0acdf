/**
 * The error of a result that `until` refused.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { named } from "../engine/error_name.ts";

/**
 * The error of a result that the option `until` refused. The policy that refused the result
 * retries it. The execution rejects with it if it is the last failure.
 *
 * @example Polling until a job is done
 * ```ts
 * import { Backoff, ResultError } from "@asyncbackoff/asyncbackoff";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const polling = new Backoff({ until: (job) => job.isDone, maxTries: 2 });
 * const error = await polling.execute(() => ({ isDone: false })).catch((e) => e);
 *
 * assert(error instanceof ResultError);
 * assertEquals(error.value, { isDone: false });
 * ```
 */
export class ResultError extends Error {
  static readonly #named: void = /* @__PURE__ */ named(this, "ResultError");

  /** The value that was refused. */
  readonly value: unknown;

  /**
   * Makes the error of a result that was refused.
   *
   * @param value The value that was refused.
   * @param name The name of the function that returned it, for the message. Default: none.
   */
  constructor(value: unknown, name: string = "") {
    const subject = name === "" ? "an anonymous function" : `'${name}'`;
    super(`'until' refused the result of ${subject}: ${describe(value)}`);
    this.value = value;
  }
}
