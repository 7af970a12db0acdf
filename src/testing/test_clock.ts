/**
 * A clock for tests.
 *
 * @module
 */

import {
  checkDuration,
  checkFiniteDuration,
  checkInteger,
  checkNumber,
} from "../check/values.ts";
import { type Clock, sleepBy } from "../time/clock.ts";
import { isTurnFaked, nextTurn } from "../time/platform.ts";
import type { Signal } from "../time/signal.ts";
import { type QueuedTimer, TimerQueue } from "./timer_queue.ts";

/** The number of timers in a row, without time moving, that counts as an endless loop. */
const MAX_AT_ONE_INSTANT = 1_000_000;

/** The number of timers in one `run` that counts as an endless one, by default. */
const MAX_TIMERS = 2_000_000;

/** Instants are rounded to nanoseconds, so that durations such as 0.1 add up. */
const PER_MILLISECOND = 1e6;

/** Resolves when every promise that can settle has settled. */
function turn(): Promise<void> {
  return new Promise((resolve) => void nextTurn(resolve));
}

/** `[Symbol.dispose]`, if a project's library of types has the symbol. */
export type Disposing = SymbolConstructor extends
  { readonly dispose: infer D extends symbol } ? { [dispose in D]: () => void }
  : object;

/** The same as {@linkcode TestClock.close}, for `using`. */
export interface TestClock extends Disposing {}

/**
 * A clock for tests. Time stands still until {@linkcode TestClock.run} or
 * {@linkcode TestClock.advance} moves it from one timer to the next. Timers fire by instant,
 * and at one instant in the order in which they were set. Between two timers, every promise
 * that can settle has settled. Instants and ties are thus exact, and nothing waits.
 *
 * Work on real time, such as files and sockets, is not awaited. Replace it in the test by a
 * `sleep` on this clock.
 *
 * @example A deadline, to the millisecond
 * ```ts
 * import { Backoff, sleep, TimeoutError } from "@asyncbackoff/asyncbackoff";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const clock = new TestClock();
 * const backoff = new Backoff({ deadline: 500, clock });
 * const result = backoff.execute(({ signal }) => sleep(800, { clock, signal }));
 *
 * await assertRejects(() => clock.run(result), TimeoutError, "deadline of 500 ms");
 * assertEquals(clock.now(), 500);
 * assertEquals(clock.pending, 0); // the sleep was cancelled by its signal
 * ```
 */
export class TestClock implements Clock {
  readonly #timers = new TimerQueue();
  #now: number;
  #isMoving = false;
  #firedAt = -Infinity;
  #firedAtOnce = 0;

  /**
   * Makes a clock.
   *
   * @param start The first instant, in milliseconds. Default: 0.
   * @throws {TypeError} If `start` is not a number.
   * @throws {RangeError} If `start` is not finite.
   */
  constructor(start?: number | null) {
    this.#now = checkNumber(
      "make a test clock: 'start'",
      start ?? 0,
      "a finite number",
      Number.isFinite,
    );
    // Defined here, because not every platform has the symbol.
    const { dispose } = Symbol as { dispose?: symbol };
    if (dispose !== undefined) {
      Object.defineProperty(this, dispose, { value: () => this.close() });
    }
  }

  /** The number of timers that are set. A wait of `Infinity` sets none. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Reads the present instant.
   *
   * @returns Milliseconds.
   */
  now(): number {
    return this.#now;
  }

  /**
   * Waits on this clock.
   *
   * @param ms How long, in milliseconds >= 0. `Infinity` waits for the signal alone.
   * @param options `signal`: ends the wait early.
   * @returns A promise that resolves after `ms`, or rejects with the signal's reason.
   */
  sleep(ms: number, options?: { signal?: Signal }): Promise<void> {
    return sleepBy((ms, wake) => this.after(ms, wake), ms, options?.signal);
  }

  /**
   * Calls `wake` once after `ms`.
   *
   * @param ms How long, in milliseconds >= 0. `Infinity` never ends.
   * @param wake The function to call. An error that it throws rejects the `run` or `advance`
   * under way.
   * @returns A function that cancels the call.
   * @throws {TypeError} If `ms` is not a number.
   * @throws {RangeError} If `ms` is negative or `NaN`.
   */
  after(ms: number, wake: () => void): () => void {
    if (checkDuration("wait: 'ms'", ms) === Infinity) return () => {};
    const timer = this.#timers.add(sum(this.#now, ms), wake);
    return () => this.#timers.remove(timer);
  }

  /**
   * Moves time by `ms`, and fires the timers that become due.
   *
   * @param ms How far, in milliseconds: a finite number >= 0.
   * @returns A promise that resolves when time has moved and everything has settled. It
   * rejects with the error of a timer's `wake`, and if another `run` or `advance` is under way.
   *
   * @example The state between two instants
   * ```ts
   * import { sleep } from "@asyncbackoff/asyncbackoff";
   * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const clock = new TestClock();
   * let isAwake = false;
   * sleep(100, { clock }).then(() => isAwake = true);
   *
   * await clock.advance(99);
   * assertEquals(isAwake, false);
   * await clock.advance(1);
   * assertEquals(isAwake, true);
   * ```
   */
  async advance(ms: number): Promise<void> {
    const until = sum(this.#now, checkFiniteDuration("advance: 'ms'", ms));
    await this.#move(() => {
      const { first } = this.#timers;
      return first !== undefined && first.at <= until ? first : null;
    });
    this.#now = until;
  }

  /**
   * Skips time, from timer to timer, until a promise settles. Then time stands still again, and
   * the timers that are left stay set.
   *
   * @typeParam T The type of the promise's value.
   * @param promise The promise to wait for.
   * @param options `maxTimers`: the number of timers that may fire before the promise settles;
   * default 2,000,000. A heartbeat and a promise that is not on this clock would run for ever.
   * @returns A promise that settles as the given one does. It also rejects with the error of a
   * timer's `wake`, if no timer is left though the promise is pending, if too many timers have
   * fired, and if another `run` or `advance` is under way.
   *
   * @example A test of a day that takes no time
   * ```ts
   * import { sleep } from "@asyncbackoff/asyncbackoff";
   * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const clock = new TestClock();
   * const day = 24 * 60 * 60 * 1000;
   *
   * assertEquals(await clock.run(sleep(day, { clock }).then(() => "awake")), "awake");
   * assertEquals(clock.now(), day);
   * ```
   */
  async run<T>(
    promise: PromiseLike<T>,
    options?: { maxTimers?: number | null | undefined } | null,
  ): Promise<T> {
    if (typeof promise === "function") {
      throw new TypeError(
        "Cannot run: 'promise' must be a promise, got a function; pass what it returns",
      );
    }
    const maxTimers = checkInteger(
      "run: option 'maxTimers'",
      options?.maxTimers ?? MAX_TIMERS,
      1,
    );
    let fired = 0;
    let isSettled = false;
    const settle = () => isSettled = true;
    const result = Promise.resolve(promise);
    result.then(settle, settle);
    await this.#move(() => {
      if (isSettled) return null;
      const { first } = this.#timers;
      if (fired++ >= maxTimers) {
        throw new Error(
          `Cannot run: the promise must settle within ${maxTimers} timers, got more at ` +
            `${this.#now}; it waits for something that is not on this clock, or 'maxTimers' ` +
            "is too low",
        );
      }
      if (first !== undefined) return first;
      throw new Error(
        `Cannot run: a timer must be left at ${this.#now}, got none; the promise waits for ` +
          "something that is not on this clock",
      );
    });
    return result;
  }

  /**
   * Ends the test's use of the clock. `using` also calls it.
   *
   * @throws {Error} If a timer is left, because something was not cancelled.
   */
  close(): void {
    const { first } = this.#timers;
    if (first === undefined) return;
    throw new Error(
      `Cannot close the test clock at ${this.#now}: no timer must be left, got ` +
        `${this.pending}, the first due at ${first.at}`,
    );
  }

  /** Fires one timer after the other, as long as there is a next one. */
  async #move(next: () => QueuedTimer | null): Promise<void> {
    if (this.#isMoving) {
      throw new Error(
        "Cannot move time: another 'run' or 'advance' is under way, and must end first",
      );
    }
    if (isTurnFaked()) {
      throw new Error(
        "Cannot move time: the platform's timers must not be faked when the library is " +
          "loaded, got faked ones; load it first, or use the fake in place of this clock",
      );
    }
    this.#isMoving = true;
    try {
      await turn();
      for (let timer = next(); timer !== null; timer = next()) {
        this.#fire(timer);
        await turn();
      }
    } finally {
      this.#isMoving = false;
    }
  }

  #fire(timer: QueuedTimer): void {
    this.#firedAtOnce = timer.at > this.#firedAt ? 0 : this.#firedAtOnce + 1;
    this.#firedAt = timer.at;
    if (this.#firedAtOnce >= MAX_AT_ONE_INSTANT) {
      throw new Error(
        `Cannot move time past ${timer.at}: timers of 0 ms must stop, got ` +
          `${MAX_AT_ONE_INSTANT} in a row`,
      );
    }
    this.#timers.remove(timer);
    this.#now = timer.at;
    timer.wake();
  }
}

/** An instant after another. Beyond about 100 days from 0, it is as exact as a number is. */
function sum(at: number, ms: number): number {
  const units = (at + ms) * PER_MILLISECOND;
  return Math.abs(units) < Number.MAX_SAFE_INTEGER
    ? Math.round(units) / PER_MILLISECOND
    : at + ms;
}
