/**
 * A wait for a promise that may never settle.
 *
 * @module
 */

import type { Clock } from "../time/clock.ts";
import { Deferred, ignore, promiseOf, react } from "../time/promises.ts";
import { onAbort, type Signal } from "../time/signal.ts";
import { readInstant, startTimer } from "../time/timer.ts";

/** The bounds of a wait. */
export interface WaitBounds {
  /** The clock. If it fails, the wait ends. */
  readonly clock: Clock;
  /** The longest wait, in milliseconds. */
  readonly ms: number;
  /** The instant at which the wait ends at the latest. */
  readonly until: number;
  /** A signal that ends the wait. */
  readonly signal: Signal | null;
}

/**
 * Waits for a promise, but not for long.
 *
 * @param promise The promise, which does not reject.
 * @param bounds The bounds of the wait.
 * @returns A promise that resolves when the other one does, or when a bound is reached.
 */
export function waitAtMost(
  promise: Promise<unknown>,
  { clock, ms, until, signal }: WaitBounds,
): Promise<unknown> {
  if (ms === 0 || signal?.aborted) return promiseOf(undefined);
  const over = new Deferred();
  const resolve = () => over.resolve(undefined);
  const stops: (() => void)[] = [];
  try {
    if (signal !== null) stops.push(onAbort(signal, resolve));
    if (Math.min(ms, until) < Infinity) stops.push(startWait(clock, ms, until, resolve));
  } catch {
    resolve();
  }
  over.follow(promise);
  const stop = () => stops.forEach((stop) => stop());
  react(react(over.promise, stop, ignore), ignore, ignore); // a signal may throw
  return over.promise;
}

function startWait(
  clock: Clock,
  ms: number,
  until: number,
  wake: () => void,
): () => void {
  const listener = { due: wake, wake, clockFailed: wake, isLimit: () => false };
  const now = readInstant(clock);
  const wait = Math.max(0, Math.min(ms, until - now));
  const timer = startTimer(clock, wait, now + wait, listener, null);
  return () => timer.cancel();
}
