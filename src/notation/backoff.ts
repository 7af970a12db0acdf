/**
 * A policy, ready to execute by.
 *
 * @module
 */

import type { Attempt } from "./attempt.ts";
import { type AsyncDecorator, type AsyncFunction, decorator } from "./decorator.ts";
import { show } from "./errors.ts";
import { execute } from "./execution.ts";
import { type BackoffOptions, checkKeys } from "./options.ts";
import { BackoffPolicy } from "./policy.ts";
import { Statistic } from "./statistic.ts";
import { abortSignal } from "./validate.ts";
import type { Signal } from "./signal.ts";

/** Options of a single execution. */
export interface ExecuteOptions {
  /** Aborts this execution alone, in addition to the policy's own signal. */
  signal?: Signal | null | undefined;
}

/**
 * A policy, ready to execute by. All of its rules hold at the same time: the
 * attempt timeout, the deadline, the pause, the bound on tries, and `giveup`.
 * It may be shared by any number of executions at once.
 *
 * @example Executing a function
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const backoff = new Backoff({
 *   attemptTimeout: 1000,
 *   deadline: 5000,
 *   pause: 10,
 *   exceptions: [TypeError],
 * });
 * let calls = 0;
 * const value = await backoff.execute(() => {
 *   calls += 1;
 *   if (calls < 3) throw new TypeError("not yet");
 *   return "ready";
 * });
 *
 * assertEquals(value, "ready");
 * assertEquals(backoff.statistic.errors, 2);
 * ```
 */
export class Backoff {
  /** What its executions have done so far. */
  readonly statistic: Statistic = new Statistic();
  /** Wraps functions and decorates methods; it may be detached from the object. */
  readonly wrap: AsyncDecorator;
  readonly #policy: BackoffPolicy;

  /**
   * Makes a policy. Its options are read and checked here, once.
   *
   * @param options Its rules; without any, only timeouts are retried, without end.
   * @throws {TypeError} If an option is of the wrong kind, or unknown.
   * @throws {RangeError} If an option is of the wrong value.
   */
  constructor(options?: BackoffOptions | null) {
    this.#policy = new BackoffPolicy(options ?? {});
    this.wrap = decorator((fn) => this.#wrap(fn), this.statistic);
  }

  /**
   * Executes a function by the policy.
   *
   * @typeParam T What the function returns.
   * @param fn The function; it is given its attempt, and may return a value or a promise.
   * @param options `signal`: aborts this execution.
   * @returns The value of the first attempt that returns one in time. It rejects
   * with the last failure's own error, with a `TimeoutError` at the deadline if
   * nothing failed before, or with the reason of the signal that was aborted.
   *
   * @example Cancelling by a signal
   * ```ts
   * import { Backoff } from "@asyncbackoff/asyncbackoff";
   * import { assertStrictEquals } from "@std/assert";
   *
   * const backoff = new Backoff({ exceptions: [Error], pause: 60_000 });
   * const controller = new AbortController();
   * const { signal } = controller;
   * const result = backoff.execute(() => Promise.reject(new Error("down")), { signal });
   * controller.abort("no longer needed");
   *
   * assertStrictEquals(await result.catch((reason) => reason), "no longer needed");
   * ```
   */
  execute<T>(
    fn: (attempt: Attempt) => T | PromiseLike<T>,
    options?: ExecuteOptions | null,
  ): Promise<T> {
    try {
      if (typeof fn !== "function") {
        throw new TypeError(
          `Cannot execute as a function is needed: current value is ${show(fn)}`,
        );
      }
      if (options !== null && options !== undefined) checkKeys(options, ["signal"]);
      const signal = abortSignal(options?.signal);
      return execute(this.#policy, this.statistic, {
        name: functionName(fn),
        fn,
        self: undefined,
        args: null,
        signal,
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #wrap<F extends AsyncFunction>(fn: F): F {
    const policy = this.#policy;
    const statistic = this.statistic;
    const name = functionName(fn);
    // A method's shorthand: it has a `this`, and cannot be called with `new`.
    const { wrapped } = {
      wrapped(this: unknown, ...args: unknown[]): Promise<unknown> {
        return execute(policy, statistic, { name, fn, self: this, args, signal: null });
      },
    };
    return Object.defineProperties(wrapped, {
      name: { value: fn.name, configurable: true },
      length: { value: fn.length, configurable: true },
    }) as F;
  }
}

/** A class may have a static member of that name, which is anything. */
// deno-lint-ignore ban-types
function functionName(fn: Function): string {
  return typeof fn.name === "string" ? fn.name : "";
}
