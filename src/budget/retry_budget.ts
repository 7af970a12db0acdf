/**
 * A retry budget as in Finagle: retries are a share of executions.
 *
 * @module
 */

import type { Budget } from "./budget.ts";
import { show } from "./errors.ts";
import { type Aliases, checkKeys } from "./options.ts";
import { finiteNumber, numberOption } from "./validate.ts";

/** Options of a {@linkcode RetryBudget}. `null` and `undefined` mean absent. */
export interface RetryBudgetOptions {
  /**
   * For how long executions and retries count, in milliseconds: finite and > 0.
   *
   * @default {10_000}
   */
  window?: number | null | undefined;
  /**
   * How many retries an execution allows for: 0.2 is one for every five. Finite
   * and >= 0.
   *
   * @default {0.2}
   */
  share?: number | null | undefined;
  /**
   * How many retries a second there are all the same, for those who have just
   * begun, or have few executions: finite and >= 0.
   *
   * @default {10}
   */
  reserve?: number | null | undefined;
}

const ALIASES: Aliases = {
  window: "ttl interval",
  share: "percent percentcanretry budgetpercent ratio retryratio",
  reserve: "minretriespersec minretriespersecond minretryconcurrency minpersec",
};

/** A window is counted in so many slices, as in Finagle. */
const SLICES = 10;

/** What rounding takes from `share * executions`: 0.29 * 100 is 28.999999999999996. */
const ROUNDING = 1e-15;

/**
 * A budget that allows, over a sliding window, for a share of the executions and
 * a reserve a second: `retries <= share * executions + reserve * window / 1000`.
 * The fractions add up: nothing is truncated but the sum.
 *
 * So a server that fails everything has at most `1 + share` times the load, and
 * the reserve. Executions and retries count for nine to ten tenths of the window,
 * and are gone when it has passed. A clock that stands still, or goes backwards,
 * only means that nothing leaves the window.
 *
 * The rule and its defaults are those of Finagle's `RetryBudget`:
 * https://twitter.github.io/finagle/guide/Clients.html#retries
 *
 * @example Two policies that share a budget
 * ```ts
 * import { asyncretry, RetryBudget } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new RetryBudget({ share: 0.5, reserve: 0 });
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
  readonly #share: number;
  readonly #reserve: number;
  readonly #executions = new SlidingCount();
  readonly #retries = new SlidingCount();

  /**
   * Makes a budget.
   *
   * @param options `window`: default 10 s. `share`: default 0.2. `reserve`:
   * default 10 a second.
   * @throws {TypeError} If an option is of the wrong kind, or unknown.
   * @throws {RangeError} If an option is of the wrong value.
   */
  constructor(options?: RetryBudgetOptions | null) {
    checkKeys(options ?? {}, ["window", "share", "reserve"], ALIASES);
    this.#window = numberOption(
      "window",
      options?.window ?? 10_000,
      "a finite number of milliseconds > 0",
      (ms) => ms > 0 && ms < Infinity,
    );
    this.#share = finiteNumber("share", options?.share ?? 0.2);
    this.#reserve = finiteNumber("reserve", options?.reserve ?? 10) * this.#window / 1000;
  }

  /**
   * An execution begins, and adds to what is allowed for.
   *
   * @param at The instant, in milliseconds.
   * @throws {TypeError} If the instant is no finite number.
   */
  began(at: number): void {
    this.#moveTo(at);
    this.#executions.add();
  }

  /**
   * Changes nothing: what is allowed for does not depend on failures.
   *
   * @param _at The instant.
   */
  failed(_at?: number): void {}

  /**
   * Changes nothing: what is allowed for does not depend on successes.
   *
   * @param _at The instant.
   */
  succeeded(_at?: number): void {}

  /**
   * Whether a retry may be made; if so, it counts.
   *
   * @param at The instant, in milliseconds.
   * @returns Whether the balance was at least one.
   * @throws {TypeError} If the instant is no finite number.
   */
  mayRetry(at: number): boolean {
    if (this.balance(at) < 1) return false;
    this.#retries.add();
    return true;
  }

  /**
   * How many retries may be made.
   *
   * @param at The instant, in milliseconds.
   * @returns An integer >= 0.
   * @throws {TypeError} If the instant is no finite number.
   */
  balance(at: number): number {
    this.#moveTo(at);
    const allowed = (this.#share * this.#executions.sum + this.#reserve) * (1 + ROUNDING);
    return Math.max(0, Math.floor(allowed) - this.#retries.sum);
  }

  #moveTo(at: number): void {
    if (!Number.isFinite(at)) {
      throw new TypeError(
        `Cannot use the budget as 'at' must be a finite number: current value is ${
          show(at)
        }`,
      );
    }
    const slice = Math.floor(at * SLICES / this.#window);
    this.#executions.moveTo(slice);
    this.#retries.moveTo(slice);
  }
}

/** Counts over the latest slices: those that are left behind are forgotten. */
class SlidingCount {
  readonly #counts = new Map<number, number>();
  #slice = -Infinity;
  /** How many there are in the window. */
  sum = 0;

  /** Goes to a later slice; there is no way back. */
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
