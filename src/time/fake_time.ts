/**
 * The system's time, which follows faked timers: a fake may be installed and removed while
 * the program runs.
 *
 * @module
 */

import { isGenuine } from "./platform.ts";

/** The system's time, real or faked. */
export interface SystemTime {
  /** Whether the timers were the platform's own when this was made. */
  readonly wasUnfaked: boolean;
  /** Tells whether timers are faked now. A faked `Date` alone is not faked time. */
  isFaked(): boolean;
  /** Reads the present instant in milliseconds. It never goes backwards. */
  now(): number;
  /** Reads the platform's own time, which fakes do not change. */
  realNow(): number;
  /** Converts an instant of `now` to one of `realNow`. Only for time that is not faked. */
  realInstant(at: number): number;
}

/**
 * Makes the system's time of the globals as they are now.
 *
 * @returns The system's time.
 */
export function makeSystemTime(): SystemTime {
  const { setTimeout, performance, Date } = globalThis;
  const wasUnfaked = isGenuine(setTimeout, "setTimeout");
  const loadedNow = performance.now;
  const realNow = loadedNow.bind(performance);

  const isFaked = (): boolean => {
    const present = globalThis.setTimeout;
    return wasUnfaked
      ? present !== setTimeout || "clock" in present
      : !isGenuine(present, "setTimeout");
  };

  const readPerformance = (): number => globalThis.performance.now();
  const readDate = (): number => globalThis.Date.now();

  /**
   * The function to read time from: the faked clock that advances with the faked timers, if
   * timers are faked.
   */
  const source = (): () => number => {
    if (!isFaked()) return wasUnfaked ? realNow : readPerformance;
    const { now } = globalThis.performance;
    const isOwn = now === loadedNow && now.name === "now";
    const isDateFaked = globalThis.Date !== Date ||
      !/^function Date\(/.test(Function.prototype.toString.call(Date));
    return isOwn && isDateFaked ? readDate : readPerformance;
  };

  let read: () => number = wasUnfaked ? realNow : readPerformance;
  let offset = 0;
  let lastRead = 0;

  /**
   * Continues from the last instant when the time source changes or goes backwards, so
   * installing or removing a fake is not a jump for running executions.
   */
  const nowAcross = (): number => {
    if (read === realNow) lastRead = realNow();
    const current = source();
    const value = current();
    if (current !== read || value < lastRead) {
      offset = Math.ceil(offset + lastRead) - value;
      read = current;
    }
    lastRead = value;
    return offset + value;
  };

  const now = (): number =>
    isFaked() || read !== realNow ? nowAcross() : offset + realNow();

  const realInstant = (at: number): number => {
    if (read !== realNow) now(); // a fake was removed, and its offset with it
    return at - offset;
  };

  return { wasUnfaked, isFaked, now, realNow, realInstant };
}
