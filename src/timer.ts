/**
 * One timer on any clock, and what is done about clocks that are wrong.
 *
 * @module
 */

import { type Clock, wholeMilliseconds } from "./clock.ts";
import { show } from "./errors.ts";

/** A sleep that returns early so often in a row, without time moving, is refused. */
const MOST_IDLE_SLEEPS = 1000;

/** Who is told of a timer: one of the two, at most once. */
export interface Waker {
  /** The instant has come; `at` is never before it. */
  readonly woke: (at: number) => void;
  /** The clock does not keep its promises. */
  readonly broke: (error: unknown) => void;
}

/**
 * Reads a clock.
 *
 * @param clock The clock.
 * @returns The present instant.
 * @throws {TypeError} If it is no finite number.
 */
export function readInstant(clock: Clock): number {
  const now = clock.now();
  if (Number.isFinite(now)) return now;
  throw new TypeError(
    `Cannot tell the time as the clock's 'now' must return a finite number: it returned ${
      show(now)
    }`,
  );
}

/**
 * Starts a timer: by the clock's `after`, or else by its `sleep`. A wake by
 * `sleep` arrives in the async context of whoever started the timer.
 *
 * @param clock The clock.
 * @param ms How long to wait, in milliseconds; finite.
 * @param wakeAt The instant to wake at, which a wake by `after` counts as.
 * @param waker Who is told.
 * @returns A function that stops the timer.
 */
export function startTimer(
  clock: Clock,
  ms: number,
  wakeAt: number,
  waker: Waker,
): () => void {
  if (clock.after === undefined) return startSleep(clock, ms, wakeAt, waker);
  const cancel: unknown = clock.after(ms, () => {
    try {
      waker.woke(Math.max(readInstant(clock), wakeAt));
    } catch (error) {
      waker.broke(error);
    }
  });
  if (typeof cancel === "function") return cancel as () => void;
  throw new TypeError(
    `Cannot wait as the clock's 'after' must return a function: it returned ${
      show(cancel)
    }`,
  );
}

/** A sleep may end early, and is asked for the rest: whole milliseconds, so at least one. */
function startSleep(
  clock: Clock,
  ms: number,
  wakeAt: number,
  waker: Waker,
): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  let idleSleeps = 0;
  const wait = (ms: number) => {
    const asleepAt = readInstant(clock);
    Promise.resolve(clock.sleep(ms, { signal })).then(
      () => wake(asleepAt),
      (error) => signal.aborted || waker.broke(error),
    );
  };
  const wake = (asleepAt: number) => {
    if (signal.aborted) return;
    try {
      const at = readInstant(clock);
      if (at >= wakeAt) return waker.woke(at);
      idleSleeps = at > asleepAt ? 0 : idleSleeps + 1;
      if (idleSleeps < MOST_IDLE_SLEEPS) {
        return wait(Math.max(1, wholeMilliseconds(wakeAt - at)));
      }
      throw new TypeError(
        `Cannot wait as the clock's 'sleep' must last: it ended ${MOST_IDLE_SLEEPS} times ` +
          `in a row at ${at}, and was to end at ${wakeAt}`,
      );
    } catch (error) {
      waker.broke(error);
    }
  };
  wait(wholeMilliseconds(ms));
  return () => controller.abort();
}
