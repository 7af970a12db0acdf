/**
 * Faults in the functions that a test calls.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkCallback,
  checkFiniteDuration,
  checkNumber,
  option,
  wrongType,
  wrongValue,
} from "../check/values.ts";
import type { Attempt } from "../driver/attempt.ts";
import { realm } from "../realm/realm.ts";
import type { Clock } from "../time/clock.ts";
import { systemClock } from "../time/system_clock.ts";
import { seeded } from "./seeded.ts";

/** The fate of a call: its function is called, it fails, hangs, or is called later. */
export type Fault = "none" | "fail" | "hang" | "slow";

/** Options of {@linkcode faults}. `null` and `undefined` mean absent. */
export interface FaultOptions {
  /**
   * The seed, an integer. The same seed gives the same faults in each runtime.
   *
   * @default {1}
   */
  seed?: number | null | undefined;
  /**
   * The share of calls that fail, from 0 to 1. Their function is not called.
   *
   * @default {0}
   */
  fail?: number | null | undefined;
  /**
   * The share of calls that get no answer, from 0 to 1. Their function is not called.
   *
   * @default {0}
   */
  hang?: number | null | undefined;
  /**
   * The share of calls whose function is called later, from 0 to 1.
   *
   * @default {0}
   */
  slow?: number | null | undefined;
  /**
   * The delay of a slow call, in milliseconds: finite and >= 0.
   *
   * @default {1000}
   */
  slowBy?: number | null | undefined;
  /**
   * A function that makes the error of a call that fails. It receives the number of the call,
   * from 1.
   *
   * @default {(call) => new Error(`fault in call ${call}`)}
   */
  error?: ((call: number) => unknown) | null | undefined;
  /**
   * The clock on which slow calls wait.
   *
   * @default {systemClock}
   */
  clock?: Clock | null | undefined;
}

/** Wraps functions, and logs what became of their calls. */
export interface Faults {
  /**
   * Wraps a function. All functions that it wraps draw from one source.
   *
   * @param fn The function.
   * @returns A function that calls `fn` unless the call fails or hangs.
   */
  <Args extends unknown[], T>(
    fn: (...args: Args) => T | PromiseLike<T>,
  ): (...args: Args) => Promise<T>;
  /** The fate of each call so far. */
  readonly log: readonly Fault[];
}

const ACTION = "make faults";
const subject = (name: keyof FaultOptions) => option(ACTION, name);
const NAMES = /* @__PURE__ */ namesOf<FaultOptions>({
  seed: true,
  fail: true,
  hang: true,
  slow: true,
  slowBy: true,
  error: true,
  clock: true,
});

/**
 * Makes functions fail, hang and answer late, at random by a seed. A test thus shows how code
 * behaves when what it calls is unreliable. The same seed gives the same log in each runtime.
 *
 * A call that hangs or is slow rejects with the reason of its attempt's signal when that
 * aborts, as `fetch` does. Outside of an execution, a call that hangs never settles.
 *
 * @param options `seed`, the shares `fail`, `hang` and `slow`, `slowBy`, `error` and `clock`.
 * @returns A function that wraps functions.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value, or if the shares add up to more than 1.
 *
 * @example A client gets through
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { faults, TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new TestClock();
 * const unreliable = faults({ seed: 5, fail: 0.4, hang: 0.2, clock });
 * const load = unreliable((id: number) => `user ${id}`);
 * const backoff = new Backoff({ attemptTimeout: 1000, exceptions: "all", clock });
 *
 * for (let id = 0; id < 20; id++) {
 *   assertEquals(await clock.run(backoff.execute(() => load(id))), `user ${id}`);
 * }
 * assertEquals(unreliable.log.filter((fault) => fault === "none").length, 20);
 * ```
 */
export function faults(options?: FaultOptions | null): Faults {
  checkKeys(ACTION, options ?? {}, NAMES);
  const given = options ?? {};
  const seed = checkNumber(
    subject("seed"),
    given.seed ?? 1,
    "an integer",
    Number.isInteger,
  );
  const fail = checkShare("fail", given.fail ?? 0);
  const hang = checkShare("hang", given.hang ?? 0);
  const slow = checkShare("slow", given.slow ?? 0);
  const sum = fail + hang + slow;
  if (sum > 1 + 1e-9) {
    throw wrongValue(`${ACTION}: the sum of 'fail', 'hang' and 'slow'`, "at most 1", sum);
  }
  const slowBy = checkFiniteDuration(subject("slowBy"), given.slowBy ?? 1000);
  const makeError = checkCallback(subject("error"), given.error) ??
    ((call: number) => new Error(`fault in call ${call}`));
  const clock = given.clock ?? systemClock;

  const random = seeded(seed);
  const log: Fault[] = [];
  const draw = (): Fault => {
    const drawn = random();
    if (drawn < fail) return "fail";
    if (drawn < fail + hang) return "hang";
    return drawn < sum ? "slow" : "none";
  };
  const wrap = <Args extends unknown[], T>(
    fn: (...args: Args) => T | PromiseLike<T>,
  ) => {
    if (typeof fn !== "function") throw wrongType("add faults: 'fn'", "a function", fn);
    return async function (this: unknown, ...args: Args): Promise<T> {
      const fault = draw();
      const call = log.push(fault);
      if (fault === "fail") throw makeError(call);
      if (fault !== "none") {
        // `false` inside the callbacks of a policy.
        const attempt = realm.currentAttempt as Attempt | null | false;
        const until = attempt ? { signal: attempt.signal } : {};
        await clock.sleep(fault === "hang" ? Infinity : slowBy, until);
      }
      return await Reflect.apply(fn, this, args);
    };
  };
  return Object.assign(wrap, { log });
}

function checkShare(name: keyof FaultOptions, value: unknown): number {
  return checkNumber(
    subject(name),
    value,
    "a number from 0 to 1",
    (share) => share >= 0 && share <= 1,
  );
}
