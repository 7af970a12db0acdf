// How late timers are, on the clock that the library itself uses; early is a broken promise.

import { performance } from "node:perf_hooks";

/** How late a timer that ends now is, in milliseconds. */
export function lateness(beganAt: number, ms: number): number {
  const now = performance.now();
  // Compared as the library does it: a difference of two instants has noise of its own.
  if (now >= beganAt + ms) return Math.max(0, now - beganAt - ms);
  throw new Error(`a timer of ${ms} ms was early by ${beganAt + ms - now} ms`);
}

/** A distribution of lateness, in words. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(2);
  return `${at(0)} ms at least, ${at(0.5)} median, ${at(0.99)} 99 %, ` +
    `${at(0.999)} 99.9 %, ${at(1)} at most`;
}

/** A number between two others. */
export function between(random: () => number, least: number, most: number): number {
  return least + random() * (most - least);
}
