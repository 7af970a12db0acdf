/**
 * A quantile of durations over a sliding window. It keeps counts and no durations, so it needs
 * a bounded memory whatever it has seen.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkFiniteDuration,
  checkInteger,
  checkNumber,
  holds,
  option,
} from "../check/values.ts";
import { checkPositive } from "./guard.ts";

/** Options of {@linkcode quantile}. `null` and `undefined` mean absent. */
export interface QuantileOptions {
  /**
   * The shortest delay, in milliseconds: finite and >= 0.
   *
   * @default {1}
   */
  min?: number | null | undefined;
  /**
   * The number of calls that must have been seen within the window: an integer >= 1. With
   * fewer, no time is known, so no hedge is sent because of time.
   *
   * @default {100}
   */
  minCalls?: number | null | undefined;
  /**
   * The time for which a call counts, in milliseconds: finite and > 0. It is counted in ten
   * slices, so a call counts for nine to ten tenths of it.
   *
   * @default {60_000}
   */
  window?: number | null | undefined;
}

/** The durations that a quantile has seen, as plain data. */
export interface QuantileState {
  /** The instant of the latest one. */
  readonly at: number;
  /** The slices of the window: their numbers, and pairs of a bin and its count. */
  readonly slices: readonly (readonly [
    number: number,
    bins: readonly (readonly [bin: number, count: number])[],
  ])[];
}

/** The number of slices of a window. */
const SLICES = 10;
/** The bins of each factor of two: a bin is 1.1 % wide. */
const BINS = 64;
/** The exponent of two of the shortest duration that has a bin of its own: a microsecond. */
const LOWEST = -10;
/** The number of bins: up to seven weeks, which is 42 times twice as long. */
const COUNT = 42 * 64;

/** The quantile is computed again when one of so many durations is new. */
const REFRESH = 64;

/**
 * A quantile of how long calls take. Each hedge needs one of its own.
 *
 * @example Seen durations
 * ```ts
 * import { quantile } from "@asyncbackoff/asyncbackoff/guards";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const p95 = quantile(0.95, { minCalls: 100 });
 * for (let ms = 1; ms < 100; ms++) p95.record(0, ms);
 * assertEquals(p95.delayAt(0), null); // too few
 * p95.record(0, 100);
 *
 * assertAlmostEquals(p95.delayAt(0) ?? 0, 95, 1);
 * ```
 */
export class Quantile {
  readonly #q: number;
  readonly #min: number;
  readonly #minCalls: number;
  readonly #window: number;
  readonly #slices = new Map<number, Map<number, number>>();
  #totals: Float64Array | null = null;
  #count = 0;
  #slice = -Infinity;
  #at = -1e300; // finite, for JSON
  #delay: number | null = null;
  #isStale = false;
  #fresh = 0;

  /**
   * Makes a quantile. Use {@linkcode quantile}.
   *
   * @param q The share of calls that take less: above 0, below 1.
   * @param options Its options.
   * @throws {TypeError} If an argument is of the wrong type, or unknown.
   * @throws {RangeError} If an argument has a wrong value.
   */
  constructor(q: number, options?: QuantileOptions | null) {
    const action = "make a quantile";
    const isShare = (q: number) => q > 0 && q < 1;
    this.#q = checkNumber(`${action}: 'q'`, q, "a number above 0 and below 1", isShare);
    checkKeys(action, options ?? {}, OPTION_NAMES);
    this.#min = checkFiniteDuration(option(action, "min"), options?.min ?? 1);
    const minCalls = options?.minCalls ?? 100;
    this.#minCalls = checkInteger(option(action, "minCalls"), minCalls, 1);
    this.#window = checkPositive(option(action, "window"), options?.window ?? 60_000);
  }

  /**
   * Counts a call.
   *
   * @param at The instant at which it ended, in milliseconds.
   * @param ms How long it took, in milliseconds.
   */
  record(at: number, ms: number): void {
    this.#moveTo(at);
    this.#add(this.#slice, binOf(ms), 1);
    this.#fresh++;
    if (REFRESH * this.#fresh >= this.#count) this.#isStale = true;
  }

  /**
   * Estimates the quantile, to about 1 %.
   *
   * @param at The instant, in milliseconds.
   * @returns Milliseconds, at least the option `min`; `null` if fewer than `minCalls` were seen
   * within the window.
   */
  delayAt(at: number): number | null {
    this.#moveTo(at);
    if (this.#count < this.#minCalls) return null;
    if (this.#isStale) {
      this.#delay = Math.max(this.#min, this.#estimate());
      this.#isStale = false;
      this.#fresh = 0;
    }
    return this.#delay;
  }

  /**
   * The durations as plain data.
   *
   * @returns The state, for {@linkcode Quantile.restore}.
   */
  toJSON(): QuantileState {
    const slices = [...this.#slices].map(([number, bins]) => [number, [...bins]] as const);
    return { at: this.#at, slices };
  }

  /**
   * Adds the durations of another quantile. If the clock is behind them, as in a new process,
   * they count from the present instant.
   *
   * @param state The state that `toJSON` of the other one returned.
   * @param at The present instant, in milliseconds.
   */
  restore(state: QuantileState, at: number): void {
    const by = Math.min(0, at - state.at);
    const shift = Math.floor(by * SLICES / this.#window);
    this.#moveTo(Math.max(this.#at, state.at + by));
    for (const [number, bins] of state.slices) {
      for (const [bin, count] of bins) this.#add(number + shift, bin, count);
    }
    this.#isStale = true;
  }

  #add(slice: number, bin: number, count: number): void {
    this.#totals ??= new Float64Array(COUNT);
    const bins = this.#slices.get(slice) ?? new Map<number, number>();
    this.#slices.set(slice, bins);
    bins.set(bin, (bins.get(bin) ?? 0) + count);
    (this.#totals[bin] as number) += count;
    this.#count += count;
  }

  /** Moves on to an instant. An earlier one changes nothing. */
  #moveTo(at: number): void {
    this.#at = Math.max(this.#at, at);
    const slice = Math.floor(this.#at * SLICES / this.#window);
    if (slice === this.#slice) return;
    this.#slice = slice;
    this.#isStale = true;
    for (const [each, bins] of this.#slices) {
      if (each > slice - SLICES) continue;
      this.#slices.delete(each);
      for (const [bin, count] of bins) {
        ((this.#totals as Float64Array)[bin] as number) -= count;
        this.#count -= count;
      }
    }
  }

  /** Walks down from the longest durations, and interpolates within the last bin. */
  #estimate(): number {
    const totals = this.#totals as Float64Array;
    // The number of durations that are longer. A share such as 0.9 is not exact.
    let above = this.#count - Math.ceil(this.#q * this.#count - 1e-6);
    let bin = COUNT - 1;
    for (; (totals[bin] as number) <= above; bin--) above -= totals[bin] as number;
    const share = above / (totals[bin] as number);
    return startOf(bin + 1) - share * (startOf(bin + 1) - startOf(bin));
  }
}

/**
 * Tells whether a value that was read from JSON is the state of a quantile. A check that throws
 * counts as failed.
 *
 * @param value Any value.
 * @returns Whether it is.
 */
export function isQuantileState(value: unknown): value is QuantileState {
  return holds(() => {
    const { at, slices } = value as QuantileState;
    return Number.isFinite(at) &&
      slices.every(([number, bins]) =>
        bins.every(([bin, count]) =>
          Number.isInteger(number) && Number.isInteger(bin) && bin >= 0 && bin < COUNT &&
          count > 0
        )
      );
  });
}

function binOf(ms: number): number {
  const bin = Math.floor((Math.log2(ms) - LOWEST) * BINS);
  return Math.max(0, Math.min(COUNT - 1, bin));
}

function startOf(bin: number): number {
  return 2 ** (bin / BINS + LOWEST);
}

const OPTION_NAMES = /* @__PURE__ */ namesOf<QuantileOptions>({
  min: true,
  minCalls: true,
  window: true,
});

/**
 * Makes a delay for the option `after` of a hedge: the time within which a share of the calls
 * have ended so far. With 0.95, about one call in twenty is hedged, however long calls take.
 *
 * @param q The share of calls that take less: above 0, below 1.
 * @param options `min`: default 1 ms. `minCalls`: default 100. `window`: default a minute.
 * @returns The quantile. Each hedge needs one of its own.
 * @throws {TypeError} If an argument is of the wrong type, or unknown.
 * @throws {RangeError} If an argument has a wrong value.
 *
 * @example A second call after the 95th percentile
 * ```ts
 * import { hedge, quantile } from "@asyncbackoff/asyncbackoff/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const load = hedge({ after: quantile(0.95, { min: 5 }) })(
 *   async (id: number) => await `user ${id}`,
 * );
 *
 * assertEquals(await load(7), "user 7");
 * ```
 */
export function quantile(q: number, options?: QuantileOptions | null): Quantile {
  return new Quantile(q, options);
}
