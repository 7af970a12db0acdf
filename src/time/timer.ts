/**
 * One timer on any clock, with the checks of clocks that are wrong.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { type Clock, wholeMilliseconds } from "./clock.ts";
import { promiseOf, react } from "./promises.ts";
import { LONGEST_TIMER } from "./shared_timers.ts";
import { system, systemClock } from "./system_clock.ts";
import type { Timer, TimerListener } from "./timer_listener.ts";

export type { Timer, TimerListener };

/** The number of sleeps in a row that may end early without time moving. */
const MAX_IDLE_SLEEPS = 1000;

/**
 * Reads a clock.
 *
 * @param clock The clock.
 * @returns The present instant.
 * @throws {TypeError} If it is not a finite number.
 */
export function readInstant(clock: Clock): number {
  const now = clock.now();
  if (Number.isFinite(now)) return now;
  throw new TypeError(
    `Cannot read the clock: its 'now' must return a finite number, got ${describe(now)}`,
  );
}

/**
 * Starts a timer: by the clock's `after`, or else by its `sleep`. A wake-up by `sleep` arrives
 * in the async context of the code that started the timer.
 *
 * @typeParam Token The type of the token.
 * @param clock The clock.
 * @param ms How long to wait, in milliseconds; finite.
 * @param wakeAt The instant to wake at.
 * @param listener Receives the wake-up.
 * @param token Says which timer woke.
 * @returns The timer.
 */
export function startTimer<Token>(
  clock: Clock,
  ms: number,
  wakeAt: number,
  listener: TimerListener<Token>,
  token: Token,
): Timer {
  if (clock === systemClock) {
    const timer = system.setTimer(ms, wakeAt, listener, token);
    if (timer !== null) return timer;
  }
  if (clock.after === undefined) return startSleep(clock, ms, wakeAt, listener, token);
  const cancel: unknown = clock.after(ms, () => listener.wake(token));
  if (typeof cancel === "function") return { cancel: cancel as () => void };
  throw new TypeError(
    `Cannot wait: the clock's 'after' must return a function, got ${describe(cancel)}`,
  );
}

/**
 * Waits by the clock's `sleep`. If a sleep ends early, it is asked for the rest, in whole
 * milliseconds. A long wait is split into parts that every platform supports.
 */
function startSleep<Token>(
  clock: Clock,
  ms: number,
  wakeAt: number,
  listener: TimerListener<Token>,
  token: Token,
): Timer {
  const controller = new AbortController();
  const { signal } = controller;
  let idleSleeps = 0;
  const wait = (ms: number) => {
    const asleepAt = readInstant(clock);
    react(
      promiseOf(clock.sleep(Math.min(ms, LONGEST_TIMER), { signal })),
      () => wake(asleepAt),
      (error) => signal.aborted || listener.clockFailed(token, error),
    );
  };
  const wake = (asleepAt: number) => {
    if (signal.aborted) return;
    try {
      const at = readInstant(clock);
      if (at >= wakeAt) return listener.wake(token);
      idleSleeps = at > asleepAt ? 0 : idleSleeps + 1;
      if (idleSleeps < MAX_IDLE_SLEEPS) {
        return wait(Math.max(1, wholeMilliseconds(wakeAt - at)));
      }
      throw new TypeError(
        `Cannot wait: the clock's 'sleep' must last until ${wakeAt}, got ` +
          `${MAX_IDLE_SLEEPS} sleeps in a row that ended at ${at}`,
      );
    } catch (error) {
      listener.clockFailed(token, error);
    }
  };
  wait(wholeMilliseconds(ms));
  return { cancel: () => controller.abort() };
}
