/**
 * The fields with which servers tell when a rate limit is reset.
 *
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 *
 * @module
 */

import { wrongType } from "../check/values.ts";
import { retryAfter } from "./retry_after.ts";
import type { HeadersLike } from "./types.ts";

/** Headers of any client: an object with `get`, or a record whose names are in lower case. */
export type AnyHeaders = HeadersLike | {
  readonly [name: string]: string | readonly string[] | undefined;
};

/** The prefixes of the older fields `…-reset` and `…-remaining`. */
const PREFIXES = ["ratelimit", "x-ratelimit", "x-rate-limit"];

/** From here on a number of seconds is an instant (1985), and not 16 years of waiting. */
const FIRST_EPOCH = 5e8;

/**
 * Reads when a rate limit is reset: the IETF field `RateLimit` of any draft, `RateLimit-Reset`,
 * and `X-RateLimit-Reset`, which servers send as seconds from now or as an instant, in seconds
 * or milliseconds since 1970. A number from 500,000,000 on is an instant.
 *
 * An instant is measured against the answer's own `Date`, because the server's clock may
 * differ. If several limits are exhausted, the last reset counts. A limit of which something
 * remains asks for no wait.
 *
 * @param headers The headers of an answer: an object with `get`, or a record of names in lower
 * case.
 * @param now The present instant by the wall clock, in milliseconds since 1970, used if the
 * answer has no `Date`. Default: `Date.now()`.
 * @returns Milliseconds >= 0 until the reset; `null` if the fields are absent, not understood,
 * or say that something remains.
 * @throws {TypeError} If `headers` are not headers, or `now` is not a number.
 * @throws {RangeError} If `now` is not an instant that a date can be.
 *
 * @example Seconds from now, and an instant
 * ```ts
 * import { rateLimitReset } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const now = 1_800_000_000_000;
 * const reset = (name: string, value: string) => rateLimitReset(new Headers({ [name]: value }), now);
 *
 * assertEquals(reset("RateLimit", '"default";r=0;t=30'), 30_000);
 * assertEquals(reset("RateLimit", '"default";r=9;t=30'), null);
 * assertEquals(reset("X-RateLimit-Reset", "1800000060"), 60_000);
 * ```
 */
export function rateLimitReset(
  headers: AnyHeaders,
  now: number = Date.now(),
): number | null {
  const from = sentAt(headers, now);
  const field = headerOf(headers, "ratelimit");
  if (field !== null) return resetOf(field);
  for (const prefix of PREFIXES) {
    const reset = headerOf(headers, `${prefix}-reset`);
    if (reset === null) continue;
    const remaining = headerOf(headers, `${prefix}-remaining`);
    return remaining !== null && Number.parseFloat(remaining) > 0
      ? null
      : untilReset(reset, from);
  }
  return null;
}

/**
 * Reads the instant at which an answer was sent.
 *
 * @param headers The headers of the answer.
 * @param now The instant by the own clock.
 * @returns The instant of the header Date; without it, `now`.
 */
export function sentAt(headers: AnyHeaders, now: number): number {
  const date = headerOf(headers, "date") ?? "";
  // A date is measured against the beginning of time. A bare number would be seconds.
  const at = /^[A-Z]/.test(date) ? retryAfter(date, 0) : null;
  retryAfter(null, now); // checks it
  return at ?? now;
}

/**
 * Reads a header.
 *
 * @param headers The headers.
 * @param name The name, in lower case.
 * @returns The value; `null` if it is absent.
 */
export function headerOf(headers: AnyHeaders, name: string): string | null {
  if (typeof headers !== "object" || headers === null) {
    throw wrongType("read a rate limit: 'headers'", "headers of an answer", headers);
  }
  const value = typeof headers.get === "function"
    ? headers.get(name)
    : (headers as Record<string, unknown>)[name];
  return typeof value === "string" ? value.trim() : null;
}

/** No limit takes more, so no field takes long to read. */
const MAX_LENGTH = 1000;

/** The field `RateLimit`: `"name";r=0;t=30, …`, or `limit=10, remaining=0, reset=30` before. */
function resetOf(field: string): number | null {
  if (field.length > MAX_LENGTH) return null;
  const bare = field.replace(/"(?:\\.|[^"\\])*"/g, "");
  const number = (text: string, name: string) => {
    const found = new RegExp(`(?:^|[;,\\s])${name}=(\\d{1,15})(?![\\d.])`).exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  const isOld = number(bare, "reset") !== null;
  const [rest, until] = isOld ? ["remaining", "reset"] : ["r", "t"];
  const waits = (isOld ? [bare] : bare.split(",")).flatMap((limit) => {
    const seconds = number(limit, until as string);
    return seconds === null || (number(limit, rest as string) ?? 0) > 0 ? [] : [seconds];
  });
  return waits.length > 0 ? 1000 * Math.max(...waits) : null;
}

/** Seconds from now, an instant in seconds or milliseconds, or a date. */
function untilReset(value: string, from: number): number | null {
  const number = /^\d{1,20}(?:\.\d{0,9})?$/.test(value) ? Number(value) : 0;
  if (number >= FIRST_EPOCH) {
    const at = number >= 1000 * FIRST_EPOCH ? number : 1000 * number;
    return Math.max(0, Math.ceil(at - from));
  }
  if (/^\d{4}-\d\d-\d\dT[\d:.]{5,20}(?:Z|[+-]\d\d:?\d\d)$/.test(value)) {
    const at = Date.parse(value);
    return Number.isNaN(at) ? null : Math.max(0, at - from);
  }
  return retryAfter(value, from);
}
