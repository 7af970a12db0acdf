/**
 * A pause that servers have a say in.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkCallback,
  checkDuration,
  checkFinite,
  checkFiniteDuration,
  holds,
  option,
  wrongType,
} from "../check/values.ts";
import type { Failure } from "../engine/state.ts";
import type { Pause } from "../policy/options.ts";
import { type AnyHeaders, headerOf, rateLimitReset, sentAt } from "./rate_limit_reset.ts";
import { retryAfter } from "./retry_after.ts";

/** Options of {@linkcode serverPause}. `null` and `undefined` mean absent. */
export interface ServerPauseOptions {
  /**
   * The pause where the server asks for none, and the shortest pause where it does: a number of
   * milliseconds, a list of them, or a function of the failure.
   *
   * @default {exponential({ initial: 200, jitter: "equal" })}
   */
  otherwise?: Pause | null | undefined;
  /**
   * The share by which a wait that the server asks for is lengthened at random, so that clients
   * that received the same wait do not come back together: finite and >= 0.
   *
   * @default {0.2}
   */
  spread?: number | null | undefined;
  /**
   * The longest pause that is accepted, in milliseconds >= 0. If the server asks for a longer
   * one, the execution ends at once with the failure's own error.
   *
   * @default {Infinity}
   */
  max?: number | null | undefined;
  /**
   * The source of random numbers from 0 to 1.
   *
   * @default {Math.random}
   */
  random?: (() => number) | null | undefined;
}

/**
 * Makes a pause that is as long as the server asks for, and at least as long as `otherwise`
 * says. A server that asks for 0, or for an instant that has passed, is thus asked again as
 * seldom as one that asks for nothing.
 *
 * The wait is read from the error of the failure: from its `headers`, as an `HttpError` has
 * them, or from those of its `response`, as errors of other clients do. In this order:
 * `retry-after-ms`, `Retry-After`, and {@linkcode rateLimitReset}. A date is measured against
 * the answer's own `Date`.
 *
 * If the pause would be longer than `max`, or would leave nothing of the deadline, the execution
 * ends at once with the failure's own error. Its reason is `giveup`.
 *
 * @param options `otherwise`: the own pause. `spread`: default 0.2. `max`: default no bound.
 * @returns A function for the option `pause`.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example A server that asks for a second
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { checked, HttpError, serverPause } from "@asyncbackoff/asyncbackoff/http";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assert } from "@std/assert";
 *
 * const clock = new TestClock();
 * const pause = serverPause({ otherwise: 100, max: 60_000 });
 * const backoff = new Backoff({ exceptions: [HttpError], maxTries: 2, pause, clock });
 * const busy = () => new Response(null, { status: 503, headers: { "retry-after": "1" } });
 * await clock.run(backoff.execute(() => checked(busy())).catch(() => {}));
 *
 * assert(clock.now() >= 1000 && clock.now() <= 1200);
 * ```
 */
export function serverPause(
  options?: ServerPauseOptions | null,
): (failure: Failure, random?: () => number) => number {
  const action = "make a server's pause";
  if (holds(() => "attempt" in Object(options) && "error" in Object(options))) {
    throw new TypeError(
      `Cannot ${action}: it must be called before it is the option 'pause', got a failure; ` +
        "write 'pause: serverPause()'",
    );
  }
  const names = namesOf<ServerPauseOptions>({
    otherwise: true,
    spread: true,
    max: true,
    random: true,
  });
  checkKeys(action, options ?? {}, names);
  const own = pauseOf(option(action, "otherwise"), options?.otherwise);
  const spread = checkFinite(option(action, "spread"), options?.spread ?? 0.2, 0);
  const max = checkDuration(option(action, "max"), options?.max ?? Infinity);
  const random = checkCallback(option(action, "random"), options?.random) ??
    (() => Math.random());
  return (failure, source = random) => {
    const { error, remaining } = failure;
    const otherwise = own(failure, source);
    const asked = askedFor(error) ?? 0;
    const longer = Math.max(asked, otherwise);
    if (longer > max || longer >= remaining) throw error;
    // The range is shortened, and not each draw, so that clients are spread there too.
    const longest = Math.min(asked * (1 + spread), max, remaining);
    return Math.max(otherwise, asked + (longest - asked) * source());
  };
}

/** The wait that a server asks for in an answer, or in the error of one. */
function askedFor(error: unknown): number | null {
  try {
    const { headers, response } = error as {
      headers?: AnyHeaders;
      response?: { headers?: AnyHeaders };
    };
    const sent = headers ?? response?.headers;
    return sent === undefined ? null : waitIn(sent);
  } catch {
    return null; // a thrown value of any kind
  }
}

function waitIn(headers: AnyHeaders): number | null {
  const now = Date.now();
  const ms = headerOf(headers, "retry-after-ms") ?? "";
  if (/^\d{1,15}(\.\d*)?$/.test(ms)) return Math.ceil(Number(ms));
  const value = headerOf(headers, "retry-after");
  return retryAfter(value, sentAt(headers, now)) ?? rateLimitReset(headers, now);
}

/** The same as `exponential({ initial: 200, jitter: "equal" })`, in a line. */
function growing({ attempt }: Failure, random: () => number): number {
  return Math.min(30_000, 200 * 2 ** (attempt - 1)) * (0.5 + 0.5 * random());
}

/** A pause in any form, as a function. */
function pauseOf(
  subject: string,
  pause: Pause | null | undefined,
): (failure: Failure, random: () => number) => number {
  if (pause === null || pause === undefined) return growing;
  if (typeof pause === "function") return pause;
  const rule = "a finite number of milliseconds >= 0, a list of them, or a function that " +
    "returns one";
  const list: readonly number[] = Array.isArray(pause) ? [...pause] : [pause];
  if (list.length === 0) throw wrongType(subject, rule, pause);
  for (const each of list) checkFiniteDuration(subject, each, rule);
  return ({ attempt }) => list[Math.min(attempt, list.length) - 1] as number;
}
