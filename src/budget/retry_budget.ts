/**
 * A retry budget like Finagle's: retries are a ratio of executions.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { checkKeys, namesOf } from "../check/keys.ts";
import { checkFinite, checkNumber, option } from "../check/values.ts";
import type { Budget } from "./budget.ts";

/** Options of a {@linkcode RetryBudget}. `null` and `undefined` mean absent. */
export interface RetryBudgetOptions {
  /**
   * The time for which executions and retries count, in milliseconds: finite and > 0.
   *
   * @default {10_000}
   */
  window?: number | null | undefined;
  /**
   * The number of retries that each execution allows: 0.2 is one retry for every five
   * executions. From 0 to 2.
   *
   * @default {0.2}
   */
  retryRatio?: number | null | undefined;
  /**
   * Retries per second that are always allowed, for clients that are new or rarely call:
   * finite and >= 0.
   *
   * @default {10}
   */
  minRetriesPerSecond?: number | null | undefined;
}

const ACTION = "make a retry budget";

const OPTION_NAMES = /* @__PURE__ */ namesOf<RetryBudgetOptions>({
  window: true,
  retryRatio: true,
  minRetriesPerSecond: true,
});

/** The number of slices in which a window is counted; the same as in Finagle. */
const SLICES = 10;

/** Exceeds the rounding error of `retryRatio * executions`: 0.29 * 100 is 28.999999999999996. */
const ROUNDING = 1e-15;

/**
 * A budget that allows, over a sliding window, a ratio of the executions and a minimum per
 * second: `retries <= retryRatio * executions + minRetriesPerSecond * window / 1000`.
 * Fractions add up: only the sum is truncated.
 *
 * A server that fails everything thus receives at most `1 + retryRatio` times the load, and the
 * minimum. Executions and retries count for nine to ten tenths of the window. If a clock stands
 * still or goes backwards, nothing leaves the window.
 *
 * The rule and its defaults are those of Finagle's `RetryBudget`:
 * https://twitter.github.io/finagle/guide/Clients.html#retries
 *
 * @example Two policies that share a budget
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new RetryBudget({ retryRatio: 0.5, minRetriesPerSecond: 0 });
 * const read = asyncretry(3, { budget });
 * const write = asyncretry(3, { budget });
 * const down = () => Promise.reject(new Error("down"));
 * for (let index = 0; index < 10; index++) {
 *   await read(down)().catch(() => {});
 *   await write(down)().catch(() => {});
 * }
 *
 * // 20 first attempts, and half as many retries.
 * assertEquals(read.statistic.attempts + write.statistic.attempts, 30);
 * ```
 */
export class RetryBudget implements Budget {
  readonly #window: number;
  readonly #retryRatio: number;
  readonly #minRetries: number;
  readonly #executions = new SlidingCount();
  readonly #retries = new SlidingCount();

  /**
   * Makes a budget.
   *
   * @param options `window`: default 10 s. `retryRatio`: default 0.2. `minRetriesPerSecond`:
   * default 10.
   * @throws {TypeError} If an option is of the wrong type, or unknown.
   * @throws {RangeError} If an option has a wrong value.
   */
  constructor(options?: RetryBudgetOptions | null) {
    checkKeys(ACTION, options ?? {}, OPTION_NAMES);
    this.#window = checkNumber(
      option(ACTION, "window"),
      options?.window ?? 10_000,
      "a finite number of milliseconds > 0",
      (ms) => ms > 0 && ms < Infinity,
    );
    this.#retryRatio = checkNumber(
      option(ACTION, "retryRatio"),
      options?.retryRatio ?? 0.2,
      "a number from 0 to 2 (20 % is 0.2)",
      (ratio) => ratio >= 0 && ratio <= 2,
    );
    const minimum = options?.minRetriesPerSecond ?? 10;
    const perSecond = checkFinite(option(ACTION, "minRetriesPerSecond"), minimum, 0);
    this.#minRetries = perSecond * this.#window / 1000;
  }

  /**
   * Counts an execution, which allows more retries.
   *
   * @param at The instant, in milliseconds.
   * @throws {TypeError} If the instant is not a finite number.
   */
  began(at: number): void {
    this.#moveTo(at);
    this.#executions.add();
  }

  /**
   * Changes nothing, because the number of retries does not depend on failures.
   *
   * @param _at The instant.
   */
  failed(_at?: number): void {}

  /**
   * Changes nothing, because the number of retries does not depend on successes.
   *
   * @param _at The instant.
   */
  succeeded(_at?: number): void {}

  /**
   * Determines whether a retry may be made. If so, counts it.
   *
   * @param at The instant, in milliseconds.
   * @returns Whether the balance was at least one.
   * @throws {TypeError} If the instant is not a finite number.
   */
  mayRetry(at: number): boolean {
    if (this.balance(at) < 1) return false;
    this.#retries.add();
    return true;
  }

  /**
   * Returns the number of retries that may be made at an instant.
   *
   * @param at The instant, in milliseconds.
   * @returns An integer >= 0.
   * @throws {TypeError} If the instant is not a finite number.
   */
  balance(at: number): number {
    this.#moveTo(at);
    const allowed = (this.#retryRatio * this.#executions.sum + this.#minRetries) *
      (1 + ROUNDING);
    return Math.max(0, Math.floor(allowed) - this.#retries.sum);
  }

  #moveTo(at: number): void {
    if (!Number.isFinite(at)) {
      throw new TypeError(
        `Cannot ask the budget: 'at' must be a finite number, got ${describe(at)}`,
      );
    }
    const slice = Math.floor(at * SLICES / this.#window);
    this.#executions.moveTo(slice);
    this.#retries.moveTo(slice);
  }
}

/** A count over the latest slices. Older slices are forgotten. */
class SlidingCount {
  readonly #counts = new Map<number, number>();
  #slice = -Infinity;
  /** The count over the whole window. */
  sum = 0;

  /** Moves to a later slice. An earlier one changes nothing. */
  moveTo(slice: number): void {
    if (slice <= this.#slice) return;
    this.#slice = slice;
    for (const [each, count] of this.#counts) {
      if (each > slice - SLICES) continue;
      this.#counts.delete(each);
      this.sum -= count;
    }
  }

  add(): void {
    this.#counts.set(this.#slice, (this.#counts.get(this.#slice) ?? 0) + 1);
    this.sum += 1;
  }
}
