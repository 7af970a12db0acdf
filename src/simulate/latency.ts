/**
 * The time that a simulated service takes to answer.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import { checkFinite, checkNumber, option } from "../check/values.ts";

/**
 * Milliseconds until an answer: a number >= 0, or a function that draws one. It receives a
 * source of random numbers from 0 to below 1.
 */
export type Latency = number | ((random: () => number) => number);

/** The quantiles of a lognormal distribution. */
export interface LognormalOptions {
  /** The latency that half of the answers stay below, in milliseconds: finite and > 0. */
  median: number;
  /** The latency that 99 % of the answers stay below, in milliseconds: finite, >= `median`. */
  p99: number;
}

const ACTION = "make a latency";
const NAMES = /* @__PURE__ */ namesOf<LognormalOptions>({ median: true, p99: true });

/** The 99th percentile of the standard normal distribution. */
const Z99 = 2.3263478740408408;

/**
 * Makes latencies with a long tail, as those of most services: their logarithms are normally
 * distributed. Numbers are drawn by the method of Box and Muller, two for each latency.
 *
 * @param options `median` and `p99`, in milliseconds.
 * @returns A function that draws a latency.
 * @throws {TypeError} If an option is missing, of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example A service with a slow tail
 * ```ts
 * import { lognormal, simulate } from "@asyncbackoff/asyncbackoff/simulate";
 * import { assert } from "@std/assert";
 *
 * const latency = lognormal({ median: 50, p99: 900 });
 * const result = await simulate({}, { executions: 1000, latency });
 *
 * assert(result.percentile(0.5) < 60 && result.percentile(0.99) > 600);
 * ```
 */
export function lognormal(options: LognormalOptions): (random: () => number) => number {
  checkKeys(ACTION, options, NAMES);
  const { median, p99 } = options;
  checkNumber(
    option(ACTION, "median"),
    median,
    "a finite number of milliseconds > 0",
    (ms) => ms > 0 && ms < Infinity,
  );
  checkFinite(option(ACTION, "p99"), p99, median);
  const deviation = Math.log(p99 / median) / Z99;
  return (random) => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return median * Math.exp(deviation * radius * Math.cos(2 * Math.PI * random()));
  };
}
