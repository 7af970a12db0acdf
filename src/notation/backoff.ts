/**
 * A policy, ready to execute functions.
 *
 * @module
 */

import { checkKeys, namesOf, plain } from "../check/keys.ts";
import { wrongType } from "../check/values.ts";
import type { Attempt } from "../driver/attempt.ts";
import { execute } from "../driver/execution.ts";
import { Counters, Statistic } from "../driver/statistic.ts";
import { OPTION_HINTS } from "../policy/option_hints.ts";
import { type BackoffOptions, OPTION_NAMES } from "../policy/options.ts";
import { BackoffPolicy, checkSignal } from "../policy/policy.ts";
import type { Signal } from "../time/signal.ts";
import { type AsyncDecorator, type AsyncFunction, decorator } from "./decorator.ts";

/** Options of a single execution. `null` and `undefined` mean absent. */
export interface ExecuteOptions {
  /** A signal that aborts this execution alone, besides the policy's own signal. */
  signal?: Signal | null | undefined;
}

const EXECUTE_OPTIONS = /* @__PURE__ */ namesOf<ExecuteOptions>({ signal: true });

/**
 * A policy, ready to execute functions. All of its rules hold at the same time: the attempt
 * timeout, the deadline, the pause, the bound on tries, and `giveup`. Any number of executions
 * may share it at once.
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
  /** Counters of what its executions have done so far. */
  readonly statistic: Statistic;
  /** A decorator that wraps functions and methods. It may be detached from the object. */
  readonly wrap: AsyncDecorator;
  readonly #policy: BackoffPolicy;
  readonly #counters = new Counters();

  /**
   * Makes a policy. Its options are read and checked here, once.
   *
   * @param options Its rules. Without any, only timeouts are retried, without end.
   * @throws {TypeError} If an option is of the wrong type, or unknown.
   * @throws {RangeError} If an option has a wrong value.
   */
  constructor(options?: BackoffOptions | null) {
    this.#policy = new BackoffPolicy(options ?? {});
    this.statistic = new Statistic(this.#counters);
    this.wrap = decorator((fn) => this.#wrap(fn), this.statistic);
  }

  /**
   * Executes a function by the policy.
   *
   * @typeParam T The type of the function's result.
   * @param fn The function. It receives its attempt, and may return a value or a promise.
   * @param options `signal`: aborts this execution.
   * @returns The value of the first attempt that returns one in time. It rejects with the last
   * failure's own error, with a `TimeoutError` at the deadline if nothing failed before, or
   * with the reason of the signal that was aborted.
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
      if (typeof fn !== "function") throw wrongType("execute: 'fn'", "a function", fn);
      const signal = options === null || options === undefined ? null : signalOf(options);
      return execute(this.#policy, this.#counters, {
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
    const counters = this.#counters;
    const name = functionName(fn);
    // A method in shorthand has a `this`, and cannot be called with `new`.
    const { wrapped } = {
      wrapped(this: unknown, ...args: unknown[]): Promise<unknown> {
        return execute(policy, counters, { name, fn, self: this, args, signal: null });
      },
    };
    // What others put on the function (metadata, properties, its tag) shows on the wrapped one.
    Object.setPrototypeOf(wrapped, fn);
    return Object.defineProperties(wrapped, {
      name: { value: fn.name, configurable: true },
      length: { value: fn.length, configurable: true },
    }) as unknown as F;
  }
}

/** Checks the options of an execution. */
function signalOf(options: ExecuteOptions): Signal | null {
  const key = (name: string) => {
    if (plain(name) === "abortsignal") return "did you mean 'signal'?";
    const isOfPolicy = OPTION_NAMES.some((each) => each === name);
    return isOfPolicy ? `it is an option of the policy: 'new Backoff({ ${name} })'` : null;
  };
  checkKeys("execute", options, EXECUTE_OPTIONS, { ...OPTION_HINTS, key });
  return checkSignal("execute: option 'signal'", options.signal ?? null);
}

/** The `name` of a class may be a static member of any type. */
// deno-lint-ignore ban-types
function functionName(fn: Function): string {
  return typeof fn.name === "string" ? fn.name : "";
}
