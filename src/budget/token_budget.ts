/**
 * A retry budget as in gRPC: failures drain it, successes fill it.
 *
 * @module
 */

import type { Budget } from "./budget.ts";
import { type Aliases, checkKeys } from "./options.ts";
import { finiteNumber, integerOption } from "./validate.ts";

/** Options of a {@linkcode TokenBudget}. `null` and `undefined` mean absent. */
export interface TokenBudgetOptions {
  /**
   * How many tokens there are at first and at most: an integer >= 1.
   *
   * @default {10}
   */
  maxTokens?: number | null | undefined;
  /**
   * How many tokens a success gives: finite and >= 0.001. As published, decimal
   * places beyond the third are ignored.
   *
   * @default {0.1}
   */
  tokenRatio?: number | null | undefined;
}

const ALIASES: Aliases = {
  maxTokens: "max tokens capacity",
  tokenRatio: "ratio",
};

/** Tokens are counted in thousandths, so that sums are exact. */
const PARTS = 1000;

/**
 * A budget of tokens: each failure takes one, each success gives `tokenRatio`,
 * and a retry may be made while there are more than half of `maxTokens`. A retry
 * itself costs nothing.
 *
 * So while everything fails there are no retries at all but the first few, and
 * retries stop where there are more than `tokenRatio` failures for a success.
 * Time changes nothing.
 *
 * The rule is gRPC's retry throttling, and the defaults are its example:
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 *
 * @example Retries that stop where a server is down
 * ```ts
 * import { asyncretry, TokenBudget } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new TokenBudget({ maxTokens: 10, tokenRatio: 0.1 });
 * const retry = asyncretry(3, { budget });
 * const load = retry(() => Promise.reject(new Error("down")));
 * for (let index = 0; index < 100; index++) await load().catch(() => {});
 *
 * assertEquals(retry.statistic.attempts, 103); // three retries, and then none
 * assertEquals(budget.tokens, 0);
 * ```
 */
export class TokenBudget implements Budget {
  readonly #most: number;
  readonly #gain: number;
  #parts: number;

  /**
   * Makes a budget, which is full.
   *
   * @param options `maxTokens`: default 10. `tokenRatio`: default 0.1.
   * @throws {TypeError} If an option is of the wrong kind, or unknown.
   * @throws {RangeError} If an option is of the wrong value.
   */
  constructor(options?: TokenBudgetOptions | null) {
    checkKeys(options ?? {}, ["maxTokens", "tokenRatio"], ALIASES);
    const most = integerOption("maxTokens", options?.maxTokens ?? 10, 1);
    const ratio = finiteNumber("tokenRatio", options?.tokenRatio ?? 0.1, { least: 0.001 });
    this.#most = most * PARTS;
    this.#gain = Math.floor(ratio * PARTS + 1e-6); // 1.001 * 1000 is 1000.9999999999999
    this.#parts = this.#most;
  }

  /** How many tokens there are: from 0 to `maxTokens`. */
  get tokens(): number {
    return this.#parts / PARTS;
  }

  /**
   * Changes nothing: executions count by what becomes of them.
   *
   * @param _at The instant.
   */
  began(_at?: number): void {}

  /**
   * A failure takes a token.
   *
   * @param _at The instant, which changes nothing.
   */
  failed(_at?: number): void {
    this.#parts = Math.max(0, this.#parts - PARTS);
  }

  /**
   * A success gives `tokenRatio` tokens.
   *
   * @param _at The instant, which changes nothing.
   */
  succeeded(_at?: number): void {
    this.#parts = Math.min(this.#most, this.#parts + this.#gain);
  }

  /**
   * Whether a retry may be made.
   *
   * @param _at The instant, which changes nothing.
   * @returns Whether there are more than half of `maxTokens`.
   */
  mayRetry(_at?: number): boolean {
    return this.#parts > this.#most / 2;
  }
}
