// The lateness of timers, on the clock that the library uses. A timer must never be early.

import { performance } from "node:perf_hooks";

/**
 * The lateness of a timer that ends now, in milliseconds.
 *
 * @throws {Error} If it is early.
 */
export function lateness(beganAt: number, ms: number): number {
  const now = performance.now();
  // The same comparison as in the library: the difference of two instants has a rounding
  // error.
  if (now >= beganAt + ms) return Math.max(0, now - beganAt - ms);
  throw new Error(`a timer of ${ms} ms was early by ${beganAt + ms - now} ms`);
}

/** A distribution of lateness, as text. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(2);
  return `${at(0)} ms (min), ${at(0.5)} (median), ${at(0.99)} (99 %), ` +
    `${at(0.999)} (99.9 %), ${at(1)} (max)`;
}

/** A number between two others. */
export function between(random: () => number, min: number, max: number): number {
  return min + random() * (max - min);
}
