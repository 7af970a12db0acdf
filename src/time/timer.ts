/**
 * One timer on any clock, and what is done about clocks that are wrong.
 *
 * @module
 */

import { type Clock, setSystemTimer, systemClock, wholeMilliseconds } from "./clock.ts";
import { show } from "./errors.ts";
import type { Waiting } from "./state.ts";

/** A sleep that returns early so often in a row, without time moving, is refused. */
const MOST_IDLE_SLEEPS = 1000;

/** Who is told of a timer: one of the two, unless it was cancelled before. */
export interface Waker {
  /** The instant that the state waits for has come, even if the clock lags behind. */
  wake(state: Waiting): void;
  /** The clock does not keep its promises. */
  break(state: Waiting, error: unknown): void;
}

/** A timer that is set. */
export interface Timer {
  cancel(): void;
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
 * @param state Waits until its `wakeAt`.
 * @param waker Who is told.
 * @returns The timer.
 */
export function startTimer(
  clock: Clock,
  ms: number,
  state: Waiting,
  waker: Waker,
): Timer {
  if (clock === systemClock) {
    const timer = setSystemTimer(ms, state.wakeAt, waker, state);
    if (timer !== null) return timer;
  }
  if (clock.after === undefined) return startSleep(clock, ms, state, waker);
  const cancel: unknown = clock.after(ms, () => waker.wake(state));
  if (typeof cancel === "function") return { cancel: cancel as () => void };
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
  state: Waiting,
  waker: Waker,
): Timer {
  const controller = new AbortController();
  const { signal } = controller;
  const { wakeAt } = state;
  let idleSleeps = 0;
  const wait = (ms: number) => {
    const asleepAt = readInstant(clock);
    Promise.resolve(clock.sleep(ms, { signal })).then(
      () => wake(asleepAt),
      (error) => signal.aborted || waker.break(state, error),
    );
  };
  const wake = (asleepAt: number) => {
    if (signal.aborted) return;
    try {
      const at = readInstant(clock);
      if (at >= wakeAt) return waker.wake(state);
      idleSleeps = at > asleepAt ? 0 : idleSleeps + 1;
      if (idleSleeps < MOST_IDLE_SLEEPS) {
        return wait(Math.max(1, wholeMilliseconds(wakeAt - at)));
      }
      throw new TypeError(
        `Cannot wait as the clock's 'sleep' must last: it ended ${MOST_IDLE_SLEEPS} times ` +
          `in a row at ${at}, and was to end at ${wakeAt}`,
      );
    } catch (error) {
      waker.break(state, error);
    }
  };
  wait(wholeMilliseconds(ms));
  return { cancel: () => controller.abort() };
}
