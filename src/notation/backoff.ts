/**
 * A policy, ready to execute functions.
 *
 * @module
 */

import { checkKeys, namesOf, plain } from "../check/keys.ts";
import {
  checkCallback,
  checkFlag,
  checkString,
  option,
  wrongType,
} from "../check/values.ts";
import type { Attempt } from "../driver/attempt.ts";
import { execute } from "../driver/execution.ts";
import { presentScope, type Scope, scopeOf } from "../driver/nesting.ts";
import { type Statistic, Tally } from "../driver/statistic.ts";
import type { BackoffEvent } from "../policy/events.ts";
import { OPTION_HINTS } from "../policy/option_hints.ts";
import { type BackoffOptions, OPTION_NAMES } from "../policy/options.ts";
import { BackoffPolicy, checkSignal, policyWith } from "../policy/policy.ts";
import { rejectionOf } from "../time/promises.ts";
import type { Signal } from "../time/signal.ts";
import { refuseGenerator } from "./arguments.ts";
import { type AsyncDecorator, functionName } from "./decorator.ts";
import { policyDecorator } from "./policy_decorator.ts";

/** Options of a single execution. `null` and `undefined` mean absent. */
export interface ExecuteOptions {
  /** A signal that aborts this execution alone, besides the policy's own signal. */
  signal?: Signal | null | undefined;
  /** A function that receives each event of this execution, after the policy's own. */
  observe?: ((event: BackoffEvent) => void) | null | undefined;
  /**
   * A predicate of the result, asked after the policy's own. A result for which it returns
   * `false` is a failure with a `ResultError`, which is always retryable.
   */
  // deno-lint-ignore no-explicit-any
  until?: ((value: any) => boolean) | null | undefined;
  /** The name of this execution, for messages, events and failures. */
  name?: string | null | undefined;
  /**
   * The attempt that this execution is nested in. When that is ended by a limit or an abort, this
   * execution ends in the same turn with the same reason. `remaining` is bounded by its end.
   *
   * @default {null} (the current attempt, if attempts are followed)
   */
  within?: Attempt | null | undefined;
  /**
   * Whether this execution is nested in nothing, for work that shall outlive the attempt in which
   * it is begun.
   *
   * @default {false}
   */
  detached?: boolean | null | undefined;
}

/** Options of a single execution whose `until` narrows the type of the result. */
export interface NarrowingOptions<T, S extends T> extends ExecuteOptions {
  /** A predicate of the result that narrows its type. */
  until: (value: T) => value is S;
}

const EXECUTE_OPTIONS = /* @__PURE__ */ namesOf<ExecuteOptions>({
  signal: true,
  observe: true,
  until: true,
  name: true,
  within: true,
  detached: true,
});

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
  /** A decorator that wraps functions and methods. It may be detached from the object. */
  readonly wrap: AsyncDecorator;
  readonly #policy: BackoffPolicy;
  #tally = new Tally();

  /**
   * Makes a policy. Its options are read and checked here, once.
   *
   * @param options Its rules. A policy that has rules for retries must name the errors that it
   * retries in `exceptions`, or refuse results by `until`. Without options, it retries timeouts
   * only, and without a bound.
   * @throws {TypeError} If an option is of the wrong type, or unknown, or if the errors to retry
   * are missing.
   * @throws {RangeError} If an option has a wrong value.
   */
  constructor(options?: BackoffOptions | null) {
    this.#policy = new BackoffPolicy(options ?? {});
    checkSaysWhatToRetry(this.#policy);
    this.wrap = policyDecorator(this.#policy, () => this.#tally);
  }

  /** The counters of its executions so far. */
  get statistic(): Statistic {
    return this.#tally.statistic;
  }

  /**
   * Makes a policy with some options replaced. Both count in the same statistic.
   *
   * @param options The options to replace. `undefined` keeps an option, `null` restores its
   * default.
   * @returns A policy of its own.
   * @throws {TypeError} If an option is of the wrong type, or unknown.
   * @throws {RangeError} If an option has a wrong value.
   *
   * @example A longer deadline for one kind of call
   * ```ts
   * import { Backoff } from "@asyncbackoff/asyncbackoff";
   * import { assertEquals } from "@std/assert";
   *
   * const backoff = new Backoff({ deadline: 1000, exceptions: "all" });
   * const patient = backoff.with({ deadline: 60_000 });
   *
   * assertEquals(await patient.execute(() => "done"), "done");
   * assertEquals(backoff.statistic.attempts, 1);
   * ```
   */
  with(options: BackoffOptions): Backoff {
    checkKeys("make a policy", options, OPTION_NAMES, OPTION_HINTS);
    const replaced = OPTION_NAMES.map((name) => [name, options[name]] as const)
      .filter(([, value]) => value !== undefined);
    const other = new Backoff({ ...this.#policy, ...Object.fromEntries(replaced) });
    other.#tally = this.#tally;
    return other;
  }

  /**
   * Executes a function by the policy.
   *
   * @typeParam T The type of the function's result.
   * @param fn The function. It receives its attempt, and may return a value or a promise.
   * @param options `signal`: aborts this execution. `observe`: receives its events. `until`:
   * decides about its results. `name`: its name. `within`: the attempt that it is nested in.
   * `detached`: whether it is nested in nothing.
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
  execute<T, S extends T>(
    fn: (attempt: Attempt) => T | PromiseLike<T>,
    options: NarrowingOptions<T, S>,
  ): Promise<S>;
  /**
   * Executes a function by the policy.
   *
   * @typeParam T The type of the function's result.
   * @param fn The function. It receives its attempt, and may return a value or a promise.
   * @param options `signal`: aborts this execution. `observe`: receives its events. `until`:
   * decides about its results. `name`: its name. `within`: the attempt that it is nested in.
   * `detached`: whether it is nested in nothing.
   * @returns The value of the first attempt that returns one in time. It rejects as in the form
   * above.
   */
  execute<T>(
    fn: (attempt: Attempt) => T | PromiseLike<T>,
    options?: ExecuteOptions | null,
  ): Promise<T>;
  execute<T>(
    fn: (attempt: Attempt) => T | PromiseLike<T>,
    options?: ExecuteOptions | null,
  ): Promise<T> {
    try {
      if (typeof fn !== "function") throw wrongType("execute: 'fn'", "a function", fn);
      refuseGenerator("execute", fn);
      const { policy, signal, scope } = withOptions(this.#policy, options ?? null);
      const name = policy.name ?? functionName(fn);
      const task = { name, fn, self: undefined, args: null, signal, scope };
      return execute(policy, this.#tally.counters, task);
    } catch (error) {
      return rejectionOf(error);
    }
  }
}

/** Rules for retries without a word about the errors to retry are nearly always a mistake. */
function checkSaysWhatToRetry(policy: BackoffPolicy): void {
  const { exceptions, maxTries, pause, giveup, budget, minRemaining, until } = policy;
  if (until !== null || exceptions !== null) return;
  const isBounded = maxTries !== Infinity && maxTries !== 1;
  const hasRules = pause !== 0 || giveup !== null || budget !== null ||
    minRemaining !== null;
  if (!isBounded && !hasRules) return;
  throw new TypeError(
    "Cannot make a policy: it must say what it retries; list the errors in 'exceptions', or " +
      '"all"; [] retries timeouts only',
  );
}

/** The policy, the signal and the scope of an execution that has options of its own. */
function withOptions(
  policy: BackoffPolicy,
  options: ExecuteOptions | null,
): { policy: BackoffPolicy; signal: Signal | null; scope: Scope | null } {
  if (options === null) return { policy, signal: null, scope: presentScope() };
  checkKeys("execute", options, EXECUTE_OPTIONS, { ...OPTION_HINTS, key: hintAt });
  const subject = (name: keyof ExecuteOptions) => option("execute", name);
  const signal = checkSignal(subject("signal"), options.signal ?? null);
  const until = checkCallback(subject("until"), options.until);
  const observe = checkCallback(subject("observe"), options.observe);
  const name = checkString(subject("name"), options.name ?? null);
  const scope = scopeFrom(subject, options);
  const isPlain = until === null && observe === null && name === null;
  if (isPlain) return { policy, signal, scope };
  return { policy: policyWith(policy, { until, observe, name }), signal, scope };
}

/** An attempt that is given replaces the one that is followed. */
function scopeFrom(
  subject: (name: keyof ExecuteOptions) => string,
  { within, detached }: ExecuteOptions,
): Scope | null {
  const isDetached = checkFlag(subject("detached"), detached ?? false);
  if (within === null || within === undefined) return isDetached ? null : presentScope();
  if (!isDetached) return scopeOf(subject("within"), within);
  throw new TypeError(
    "Cannot execute: 'within' and 'detached' exclude each other, got both",
  );
}

function hintAt(name: string): string | null {
  if (plain(name) === "abortsignal") return "did you mean 'signal'?";
  const isOfPolicy = OPTION_NAMES.some((each) => each === name);
  return isOfPolicy ? `it is an option of the policy: 'new Backoff({ ${name} })'` : null;
}
