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
  /** Determines whether timers are faked now. A faked `Date` alone is not faked time. */
  isFaked(): boolean;
  /** Reads the present instant in milliseconds. It never goes backwards. */
  now(): number;
  /** Reads the platform's own time, which fakes do not change. */
  realNow(): number;
  /** Converts an instant of `now` to one of `realNow`. Only for time that is not faked. */
  realInstant(at: number): number;
}

type SetTimeout = typeof globalThis.setTimeout;

/** The longest delay that every platform's timers support, for a timer that is cleared at once. */
const LONGEST = 2_147_483_647;

/**
 * Fakes mark themselves by a property, or by their name, like those of Deno and Node. The
 * platform's own, bound by a program, is not one.
 */
function isMarked(timer: SetTimeout): boolean {
  return "clock" in timer || "_isMockFunction" in timer ||
    /^fake|^bound (?!setTimeout$)|#/.test(timer.name);
}

function isDateGenuine(): boolean {
  return /^function Date\(/.test(Function.prototype.toString.call(globalThis.Date));
}

/** Angular's zones. In `fakeAsync`, the zone of a call decides whether a timer is faked. */
interface Zone {
  readonly current: { get(key: string): unknown };
}

/**
 * Makes the system's time of the globals as they are now.
 *
 * @returns The system's time.
 */
export function makeSystemTime(): SystemTime {
  const { setTimeout, clearTimeout, Date } = globalThis;
  // In the few realms without `performance`, the wall clock gives the time.
  const { performance } = globalThis as { performance?: Performance };
  // Monitoring tools may have wrapped the platform's own by now. Fakes are marked, or have
  // replaced `Date` too.
  const wasUnfaked = isGenuine(setTimeout, "setTimeout") ||
    (!isMarked(setTimeout) && isDateGenuine());
  const loadedNow = performance?.now;
  const realNow = loadedNow === undefined ? () => Date.now() : loadedNow.bind(performance);

  const isTimeReplaced = (): boolean =>
    globalThis.Date !== Date || globalThis.performance?.now !== loadedNow;

  /**
   * Determines whether a function that replaced the platform's `setTimeout` sets the platform's own
   * timers: then it is instrumented, and not a fake. It is tried once, with timers that are
   * cleared at once. Its timer is an object of the platform's own class, or else the platform's
   * own gives the next but one number after it.
   */
  const isInstrumented = (present: SetTimeout): boolean => {
    const before = setTimeout(() => {}, LONGEST);
    try {
      const other: unknown = present(() => {}, LONGEST);
      const after = setTimeout(() => {}, LONGEST);
      clearTimeout(after);
      globalThis.clearTimeout(other as number);
      return typeof before === "object" && typeof other === "object"
        ? (other as object | null)?.constructor === (before as object).constructor
        : Number(after) - Number(before) === 2;
    } catch {
      return false;
    } finally {
      clearTimeout(before);
    }
  };

  let judged: SetTimeout = setTimeout;
  let isJudgedFaked = !wasUnfaked;
  let zone = (globalThis as { Zone?: Zone }).Zone;

  const judge = (present: SetTimeout): void => {
    judged = present;
    zone = (globalThis as { Zone?: Zone }).Zone;
    if (present === setTimeout) isJudgedFaked = !wasUnfaked;
    else {
      isJudgedFaked = wasUnfaked
        ? isMarked(present) || isTimeReplaced() || !isInstrumented(present)
        : !isGenuine(present, "setTimeout");
    }
  };

  const isFaked = (): boolean => {
    const present = globalThis.setTimeout;
    if (present !== judged) judge(present);
    return isJudgedFaked || "clock" in present ||
      zone?.current.get("FakeAsyncTestZoneSpec") !== undefined;
  };

  const readPerformance = (): number => globalThis.performance?.now() ?? readDate();
  const readDate = (): number => globalThis.Date.now();

  /**
   * The function to read time from: the faked clock that advances with the faked timers, if
   * timers are faked.
   */
  const source = (): () => number => {
    if (!isFaked()) return wasUnfaked ? realNow : readPerformance;
    const now = globalThis.performance?.now;
    const isOwn = now === loadedNow && (now === undefined || now.name === "now");
    const isDateFaked = globalThis.Date !== Date || !isDateGenuine();
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
