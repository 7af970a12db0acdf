/**
 * The system's time, which follows faked timers: a fake may be installed and removed while
 * the program runs.
 *
 * @module
 */

import { isGenuine } from "./platform.ts";

/** The platform's own, taken when this module was loaded. */
const { setTimeout } = globalThis;
const loaded = { now: globalThis.performance.now, Date: globalThis.Date };
const realNow = loaded.now.bind(globalThis.performance);

/** Whether the timers were the platform's own when this module was loaded. */
export const wasUnfaked: boolean = isGenuine(setTimeout, "setTimeout");

/**
 * Tells whether timers are faked now. A faked `Date` alone is not faked time.
 *
 * @returns Whether they are.
 */
export function isFaked(): boolean {
  const present = globalThis.setTimeout;
  return wasUnfaked
    ? present !== setTimeout || "clock" in present
    : !isGenuine(present, "setTimeout");
}

const readPerformance = (): number => globalThis.performance.now();
const readDate = (): number => globalThis.Date.now();

/**
 * The function to read time from: the faked clock that advances with the faked timers, if
 * timers are faked.
 */
function source(): () => number {
  if (!isFaked()) return wasUnfaked ? realNow : readPerformance;
  const { performance, Date } = globalThis;
  const isOwn = performance.now === loaded.now && performance.now.name === "now";
  const isDateFaked = Date !== loaded.Date ||
    !/^function Date\(/.test(Function.prototype.toString.call(Date));
  return isOwn && isDateFaked ? readDate : readPerformance;
}

let read: () => number = wasUnfaked ? realNow : readPerformance;
let offset = 0;
let lastRead = 0;

/**
 * Reads the present instant.
 *
 * @returns Milliseconds since a point of this clock's own choice. It never goes backwards.
 */
export function now(): number {
  return isFaked() || read !== realNow ? nowAcross() : offset + realNow();
}

/**
 * Continues from the last instant when the time source changes or goes backwards, so
 * installing or removing a fake is not a jump for running executions.
 */
function nowAcross(): number {
  if (read === realNow) lastRead = realNow();
  const current = source();
  const value = current();
  if (current !== read || value < lastRead) {
    offset = Math.ceil(offset + lastRead) - value;
    read = current;
  }
  lastRead = value;
  return offset + value;
}

/**
 * Converts an instant to the platform's own time, which fakes do not change. Call it only
 * while timers are not faked.
 *
 * @param at An instant of {@linkcode now}.
 * @returns The same instant by {@linkcode realNow}.
 */
export function realInstant(at: number): number {
  if (read !== realNow) now(); // a fake was removed, and its offset with it
  return at - offset;
}

export { realNow };
