/**
 * A clock for tests: time moves only when the test says so, timer by timer.
 *
 * @example Testing a function that retries
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new TestClock();
 * const backoff = new Backoff({ pause: 60_000, exceptions: [Error], clock });
 * let calls = 0;
 * const value = await clock.run(backoff.execute(() => {
 *   calls += 1;
 *   if (calls < 3) throw new Error("not yet");
 *   return "ready";
 * }));
 *
 * assertEquals(value, "ready");
 * assertEquals(clock.now(), 120_000); // two pauses of a minute, in no time
 * clock.close();
 * ```
 *
 * @module
 */

import { checkDuration, type Clock, sleepBy } from "./clock.ts";
import { show } from "./errors.ts";
import { type QueuedTimer, TimerQueue } from "./timer_queue.ts";
import type { Signal } from "./signal.ts";
import { nextTurn } from "./turn.ts";

/** So many timers in a row without time moving are taken for an endless loop. */
const MOST_AT_ONE_INSTANT = 1_000_000;

/** Resolves when every promise that can settle has settled. */
function turn(): Promise<void> {
  return new Promise((resolve) => void nextTurn(resolve));
}

/** `[Symbol.dispose]`, where a project's library of types has the symbol. */
export type Disposing = SymbolConstructor extends
  { readonly dispose: infer D extends symbol } ? { [dispose in D]: () => void }
  : object;

/** As {@linkcode TestClock.close}, for `using`. */
export interface TestClock extends Disposing {}

/**
 * A clock for tests. Time stands still until {@linkcode TestClock.run} or
 * {@linkcode TestClock.advance} moves it, from one timer to the next in the order
 * of (instant, order of arming), and between two timers every promise that can
 * settle has settled. So instants and ties are exact, and nothing waits.
 *
 * Work on real time (files, sockets) is not waited for: replace it in the test
 * by a `sleep` on this clock.
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
   * @param start The instant at which it stands at first, in milliseconds. Default: 0.
   * @throws {TypeError} If `start` is no number.
   * @throws {RangeError} If `start` is not finite.
   */
  constructor(start?: number | null) {
    const now = start ?? 0;
    if (!Number.isFinite(now)) {
      const Wrong = typeof now === "number" ? RangeError : TypeError;
      throw new Wrong(
        `Cannot make a test clock as 'start' must be a finite number: current value is ${
          show(now)
        }`,
      );
    }
    this.#now = now;
    // Not a member by syntax, since not every platform has the symbol.
    const { dispose } = Symbol as { dispose?: symbol };
    if (dispose !== undefined) {
      Object.defineProperty(this, dispose, { value: () => this.close() });
    }
  }

  /** How many timers are set. A wait of `Infinity` sets none. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * The present instant.
   *
   * @returns Milliseconds.
   */
  now(): number {
    return this.#now;
  }

  /**
   * Waits on this clock.
   *
   * @param ms How long, in milliseconds >= 0; `Infinity` waits for the signal alone.
   * @param options `signal`: ends the wait early.
   * @returns A promise that resolves after `ms`, or rejects with the signal's reason.
   */
  sleep(ms: number, options?: { signal?: Signal }): Promise<void> {
    return sleepBy((ms, wake) => this.after(ms, wake), ms, options?.signal);
  }

  /**
   * Calls `wake` once after `ms`.
   *
   * @param ms How long, in milliseconds >= 0; `Infinity` is never.
   * @param wake What to call. What it throws rejects the `run` or `advance` under way.
   * @returns A function that cancels the call.
   * @throws {TypeError} If `ms` is no number.
   * @throws {RangeError} If `ms` is negative or `NaN`.
   */
  after(ms: number, wake: () => void): () => void {
    if (checkDuration(ms) === Infinity) return () => {};
    const timer = this.#timers.add(this.#now + ms, wake);
    return () => this.#timers.remove(timer);
  }

  /**
   * Moves time by `ms`, and fires what is due on the way.
   *
   * @param ms How far, in milliseconds: a finite number >= 0.
   * @returns A promise that resolves when time has moved and all has settled. It
   * rejects with what a timer's `wake` throws, and while another `run` or
   * `advance` is under way.
   *
   * @example Looking at what happens on the way
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
    if (checkDuration(ms, "advance") === Infinity) {
      throw new RangeError(
        "Cannot advance as 'ms' must be finite: current value is Infinity",
      );
    }
    const until = this.#now + ms;
    await this.#move(() => {
      const { first } = this.#timers;
      return first !== undefined && first.at <= until ? first : null;
    });
    this.#now = until;
  }

  /**
   * Skips time, from timer to timer, until a promise settles; then time stands
   * still again, and the timers that are left stay set.
   *
   * @typeParam T What the promise resolves with.
   * @param promise What to wait for.
   * @returns What the promise comes to. It rejects if nothing is left to wake
   * though the promise is pending, with what a timer's `wake` throws, and while
   * another `run` or `advance` is under way.
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
  async run<T>(promise: PromiseLike<T>): Promise<T> {
    if (typeof promise === "function") {
      throw new TypeError(
        "Cannot run as a promise is needed: call the function, and give what it returns",
      );
    }
    let isSettled = false;
    const settle = () => isSettled = true;
    const result = Promise.resolve(promise);
    result.then(settle, settle);
    await this.#move(() => {
      if (isSettled) return null;
      const { first } = this.#timers;
      if (first !== undefined) return first;
      throw new Error(
        `Cannot run on as nothing is left to wake at ${this.#now}: the promise waits for ` +
          "something that is not on this clock",
      );
    });
    return result;
  }

  /**
   * Ends the test's use of the clock; also called by `using`, where the platform has it.
   *
   * @throws {Error} If a timer is left: something was not cancelled.
   */
  close(): void {
    const { first } = this.#timers;
    if (first === undefined) return;
    throw new Error(
      `Cannot close the test clock as ${this.pending} of its timers are left: the first is ` +
        `due at ${first.at}, and it is ${this.#now}`,
    );
  }

  /** Fires one timer after the other, as long as there is a next one. */
  async #move(next: () => QueuedTimer | null): Promise<void> {
    if (this.#isMoving) {
      throw new Error("Cannot move time as another 'run' or 'advance' is under way");
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
    if (this.#firedAtOnce >= MOST_AT_ONE_INSTANT) {
      throw new Error(
        `Cannot move time as ${MOST_AT_ONE_INSTANT} timers in a row were due at ${timer.at}: ` +
          "something sets timers of 0 ms without end",
      );
    }
    this.#timers.remove(timer);
    this.#now = timer.at;
    timer.wake();
  }
}
