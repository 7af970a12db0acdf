/**
 * A retry budget like gRPC's: failures drain it, successes fill it.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import { checkFinite, checkInteger, option } from "../check/values.ts";
import type { Budget } from "./budget.ts";

/** Options of a {@linkcode TokenBudget}. `null` and `undefined` mean absent. */
export interface TokenBudgetOptions {
  /**
   * The number of tokens in a full budget: an integer >= 1. A new budget is full.
   *
   * @default {10}
   */
  maxTokens?: number | null | undefined;
  /**
   * The number of tokens that a success adds: finite and >= 0.001. As published, decimal places
   * beyond the third are ignored.
   *
   * @default {0.1}
   */
  tokenRatio?: number | null | undefined;
}

const ACTION = "make a token budget";

const OPTION_NAMES = /* @__PURE__ */ namesOf<TokenBudgetOptions>({
  maxTokens: true,
  tokenRatio: true,
});

/** Tokens are counted in thousandths, so that sums are exact. */
const PARTS = 1000;

/**
 * A budget of tokens: each failure takes one, each success adds `tokenRatio`, and a retry may
 * be made while there are more than half of `maxTokens`. A retry itself costs nothing.
 *
 * While everything fails, there are thus only a few retries and then none. Retries stop when
 * there are more than `tokenRatio` failures per success. Time changes nothing.
 *
 * The rule is gRPC's retry throttling, and the defaults are its example:
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 *
 * @example Retries that stop while a server is down
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
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
  readonly #maxParts: number;
  readonly #partsPerSuccess: number;
  #parts: number;

  /**
   * Makes a full budget.
   *
   * @param options `maxTokens`: default 10. `tokenRatio`: default 0.1.
   * @throws {TypeError} If an option is of the wrong type, or unknown.
   * @throws {RangeError} If an option has a wrong value.
   */
  constructor(options?: TokenBudgetOptions | null) {
    checkKeys(ACTION, options ?? {}, OPTION_NAMES);
    const max = checkInteger(option(ACTION, "maxTokens"), options?.maxTokens ?? 10, 1);
    const ratio = options?.tokenRatio ?? 0.1;
    const perSuccess = checkFinite(option(ACTION, "tokenRatio"), ratio, 0.001);
    this.#maxParts = max * PARTS;
    this.#partsPerSuccess = Math.floor(perSuccess * PARTS + 1e-6); // 1.001 * 1000 is 1000.9999999999999
    this.#parts = this.#maxParts;
  }

  /** The number of tokens, from 0 to `maxTokens`. */
  get tokens(): number {
    return this.#parts / PARTS;
  }

  /**
   * Changes nothing, because an execution counts when it fails or succeeds.
   *
   * @param _at The instant.
   */
  began(_at?: number): void {}

  /**
   * Takes a token for a failure.
   *
   * @param _at The instant. It changes nothing.
   */
  failed(_at?: number): void {
    this.#parts = Math.max(0, this.#parts - PARTS);
  }

  /**
   * Adds `tokenRatio` tokens for a success.
   *
   * @param _at The instant. It changes nothing.
   */
  succeeded(_at?: number): void {
    this.#parts = Math.min(this.#maxParts, this.#parts + this.#partsPerSuccess);
  }

  /**
   * Determines whether a retry may be made.
   *
   * @param _at The instant. It changes nothing.
   * @returns Whether there are more than half of `maxTokens`.
   */
  mayRetry(_at?: number): boolean {
    return this.#parts > this.#maxParts / 2;
  }
}
