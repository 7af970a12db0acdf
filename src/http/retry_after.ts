/**
 * The header Retry-After, with which a server asks a client to wait.
 *
 * The grammar is that of RFC 9110, 10.2.3 (Retry-After) and 5.6.7 (dates):
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 *
 * @module
 */

import { describe } from "../check/describe.ts";

const MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";
const TIME = "(?<hour>\\d{1,2}):(?<minute>\\d\\d):(?<second>\\d\\d)";
const DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun";
const LONG_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday";
/** The names that servers give to the time zone of the standard. */
const ZONE = "(?:GMT|UTC|UT|Z|[+-]0000)";

/**
 * Sun, 06 Nov 1994 08:49:37 GMT · Sunday, 06-Nov-94 08:49:37 GMT · Sun Nov  6 08:49:37 1994.
 * Days and hours may have one digit.
 */
const FORMS = /* @__PURE__ */ (() => [
  `(?:(?:${DAYS}), )?(?<day>\\d{1,2}) (?<month>${MONTHS}) (?<year>\\d{4}) ${TIME} ${ZONE}`,
  `(?:${LONG_DAYS}), (?<day>\\d{1,2})-(?<month>${MONTHS})-(?<year>\\d\\d) ${TIME} ${ZONE}`,
  `(?:${DAYS}) (?<month>${MONTHS}) {1,2}(?<day>\\d{1,2}) ${TIME} (?<year>\\d{4})`,
])();

/** A longer value is read as a number or not at all, so that no value takes long to read. */
const MAX_LENGTH = 200;

/**
 * Reads the header Retry-After: the time that a server asks a client to wait, in seconds or as
 * an HTTP date in any of the three forms. It also understands what servers send beside the
 * standard: fractions of a second, which are rounded up to milliseconds, surrounding spaces, the
 * same value repeated, and dates with `UTC` or `+0000`. Anything ambiguous is `null`.
 *
 * The result is a lower bound. A server that asks for 0, or for an instant that has passed, does
 * not permit a request at once: wait for the larger of it and a pause of your own.
 *
 * An instant that has passed is 0. A year of two digits means the latest year with these digits
 * that is at most 50 years ahead. If the seconds are too many for a number of milliseconds, the
 * result is the largest number, which is still a valid pause.
 *
 * @param value The header's value, such as `headers.get("retry-after")`.
 * @param now The present instant by the wall clock, in milliseconds since 1970. A date is
 * measured against it. Default: `Date.now()`.
 * @returns Milliseconds >= 0; `null` if the value is absent or anything else.
 * @throws {TypeError} If `now` is not a number.
 * @throws {RangeError} If `now` is not an instant that a date can be.
 *
 * @example Seconds and dates
 * ```ts
 * import { retryAfter } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const now = Date.UTC(1994, 10, 6, 8, 49, 30);
 *
 * assertEquals(retryAfter("120", now), 120_000);
 * assertEquals(retryAfter("Sun, 06 Nov 1994 08:49:37 GMT", now), 7000);
 * assertEquals(retryAfter("soon", now), null);
 * ```
 */
export function retryAfter(
  value: string | null | undefined,
  now: number = Date.now(),
): number | null {
  const today = instantOf(now);
  if (typeof value !== "string") return null;
  if (value.length > MAX_LENGTH) {
    return /^\d+$/.test(value) ? Number.MAX_VALUE : null;
  }
  const waits = new Set(valuesIn(value).map((each) => waitOf(each, today, now)));
  const [wait = null] = waits;
  return waits.size === 1 ? wait : null;
}

/** A header that was sent twice has both values, joined by a comma. A date has one of its own. */
function valuesIn(value: string): string[] {
  const parts = value.split(",").map((part) => part.trim());
  const isDate = parts.length % 2 === 0 &&
    parts.every((part, index) => /^[A-Za-z]/.test(part) === (index % 2 === 0));
  if (!isDate) return parts;
  return parts.flatMap((part, index) =>
    index % 2 === 0 ? [`${part}, ${parts[index + 1]}`] : []
  );
}

/** One value: a number of seconds, or a date. */
function waitOf(value: string, today: Date, now: number): number | null {
  if (/^\d+(\.\d*)?$/.test(value)) {
    return Math.min(millisecondsOf(value), Number.MAX_VALUE);
  }
  const at = dateOf(value, today);
  return at === null ? null : Math.max(0, at - now);
}

/** Seconds with decimals, rounded up to milliseconds. Digits are moved, so nothing is rounded twice. */
function millisecondsOf(seconds: string): number {
  const [whole = "", decimals = ""] = seconds.split(".");
  const isRest = /[1-9]/.test(decimals.slice(3));
  return Number(whole + decimals.slice(0, 3).padEnd(3, "0")) + (isRest ? 1 : 0);
}

function instantOf(now: number): Date {
  const date = new Date(now);
  if (typeof now === "number" && !Number.isNaN(date.getTime())) return date;
  const Wrong = typeof now === "number" ? RangeError : TypeError;
  throw new Wrong(
    `Cannot read Retry-After: 'now' must be milliseconds since 1970, got ${describe(now)}`,
  );
}

/** The instant of an HTTP date; `null` if it is not one, such as the 31st of February. */
function dateOf(value: string, today: Date): number | null {
  const parts = FORMS.map((form) => new RegExp(`^${form}$`).exec(value)?.groups)
    .find((groups) => groups);
  if (parts === undefined) return null;
  const { day, month = "", year = "", hour, minute, second } = parts;
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)];
  if (hours > 23 || minutes > 59 || seconds > 60) return null; // 60 is a leap second
  const at = (year: number) => {
    const date = new Date(0);
    date.setUTCFullYear(year, MONTHS.split("|").indexOf(month), Number(day));
    return date.getUTCDate() === Number(day)
      ? date.setUTCHours(hours, minutes, seconds)
      : null;
  };
  return year.length === 2 ? inCentury(Number(year), today, at) : at(Number(year));
}

/** The instant in the latest year with two given last digits that is at most 50 years ahead. */
function inCentury(
  digits: number,
  today: Date,
  at: (year: number) => number | null,
): number | null {
  const ahead = new Date(today);
  const horizon = ahead.setUTCFullYear(today.getUTCFullYear() + 50);
  const year = digits + 100 * Math.floor((ahead.getUTCFullYear() - digits) / 100);
  const latest = at(year);
  return latest !== null && latest > horizon ? at(year - 100) : latest;
}
