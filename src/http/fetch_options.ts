/**
 * The options of `fetchWith`.
 *
 * @module
 */

import { checkKeys, type Hints, namesOf } from "../check/keys.ts";
import { checkCallback, checkFlag, holds, option, wrongType } from "../check/values.ts";
import { Backoff } from "../notation/backoff.ts";
import { OPTION_HINTS } from "../policy/option_hints.ts";
import { type BackoffOptions, OPTION_NAMES } from "../policy/options.ts";
import { HttpError } from "./http_error.ts";
import { isNetworkError } from "./network_error.ts";
import { serverPause } from "./server_pause.ts";
import type { Fetch, FetchResponse } from "./types.ts";

/**
 * The policy of {@linkcode fetchWith}: all options of a policy but `exceptions`, with other
 * defaults. `null` and `undefined` mean absent.
 */
export interface FetchPolicy extends Omit<BackoffOptions, "exceptions"> {
  /**
   * The longest that one attempt may take, in milliseconds >= 0.
   *
   * @default {10_000}
   */
  attemptTimeout?: number | null | undefined;
  /**
   * The longest that all attempts and pauses together may take, in milliseconds >= 0.
   *
   * @default {30_000}
   */
  deadline?: number | null | undefined;
  /**
   * The maximum number of attempts, including the first: an integer >= 1.
   *
   * @default {4}
   */
  maxTries?: number | null | undefined;
  /**
   * The pause where the server asks for none. Where it does, the longer one counts: it is the
   * option `otherwise` of {@linkcode serverPause}.
   *
   * @default {exponential({ initial: 200, jitter: "equal" })}
   */
  pause?: BackoffOptions["pause"];
  /**
   * The time that must be left until the deadline after a pause, in milliseconds >= 0.
   *
   * @default {0}
   */
  minRemaining?: number | null | undefined;
}

/** Options of {@linkcode fetchWith}. `null` and `undefined` mean absent. */
export interface FetchOptions {
  /**
   * The statuses that are retried.
   *
   * @default {[408, 425, 429, 500, 502, 503, 504]}
   */
  statuses?: readonly number[] | null | undefined;
  /**
   * The methods that may be sent again. Any other request is sent once, unless it has a header
   * `Idempotency-Key`.
   *
   * @default {["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]}
   */
  methods?: readonly string[] | null | undefined;
  /**
   * Whether a request with another method gets a header `Idempotency-Key`, which is the same in
   * all attempts of an execution. Only for servers that know this header: others do the work
   * twice.
   *
   * @default {false}
   */
  idempotencyKey?: boolean | null | undefined;
  /**
   * Whether a host that is not found is retried.
   *
   * @default {false}
   */
  dns?: boolean | null | undefined;
  /**
   * Whether the body is read into memory within the limits, so that one that breaks off or
   * stalls is requested again.
   *
   * @default {false}
   */
  buffer?: boolean | null | undefined;
  /**
   * The function that sends a request.
   *
   * @default {fetch} (the global one, looked up at each call)
   */
  fetch?: Fetch | null | undefined;
}

/** Options of {@linkcode fetchWith} with a function that reads each answer. */
export interface ReadingOptions<T> extends FetchOptions {
  /**
   * Reads an answer within the limits. It receives answers with other statuses than `statuses`,
   * and the last answer of any status. If it rejects with a network error, the request is sent
   * again. Whatever it leaves of the body is cancelled.
   */
  read: (response: FetchResponse) => T | PromiseLike<T>;
}

/** Checked options. */
export interface CheckedFetchOptions {
  readonly statuses: readonly number[];
  readonly methods: readonly string[];
  readonly idempotencyKey: boolean;
  readonly dns: boolean;
  readonly buffer: boolean;
  /** `null`: the global one. */
  readonly fetch: Fetch | null;
  /** `null`: the answer is returned. */
  readonly read: ((response: FetchResponse) => unknown) | null;
}

const ACTION = "make a fetch";

const NAMES = /* @__PURE__ */ namesOf<ReadingOptions<unknown>>({
  statuses: true,
  methods: true,
  idempotencyKey: true,
  dns: true,
  buffer: true,
  fetch: true,
  read: true,
});

/** The likely mistake is an option that belongs to the other argument. */
const hints = (others: readonly string[], form: (name: string) => string): Hints => ({
  ...OPTION_HINTS,
  key: (key, value) =>
    others.includes(key)
      ? `it belongs in the other argument: '${form(key)}'`
      : OPTION_HINTS.key?.(key, value) ?? null,
});

/**
 * Checks the options.
 *
 * @param given The options as the caller gave them.
 * @returns The options.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 */
export function checkFetchOptions(
  given: FetchOptions | null | undefined,
): CheckedFetchOptions {
  const options: Partial<ReadingOptions<unknown>> = given ?? {};
  checkKeys(
    ACTION,
    options,
    NAMES,
    hints(OPTION_NAMES, (name) => `fetchWith({ ${name} })`),
  );
  const subject = (name: keyof ReadingOptions<unknown>) => option(ACTION, name);
  const flag = (name: "idempotencyKey" | "dns" | "buffer") =>
    checkFlag(subject(name), options[name] ?? false);
  const checked: CheckedFetchOptions = {
    statuses: checkList(
      subject("statuses"),
      options.statuses ?? [408, 425, 429, 500, 502, 503, 504],
      "an array of integers from 100 to 599",
      (each) => Number.isInteger(each) && Number(each) >= 100 && Number(each) <= 599,
    ),
    methods: checkList(
      subject("methods"),
      options.methods ?? ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"],
      'an array of methods, such as "POST"',
      (each) => typeof each === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(each),
    ).map((method) => method.toUpperCase()),
    idempotencyKey: flag("idempotencyKey"),
    dns: flag("dns"),
    buffer: flag("buffer"),
    fetch: checkCallback(subject("fetch"), options.fetch),
    read: checkCallback(subject("read"), options.read),
  };
  if (checked.buffer && checked.read !== null) {
    throw new TypeError(
      `Cannot ${ACTION}: 'buffer' and 'read' must not be given together, because 'read' reads`,
    );
  }
  return checked;
}

function checkList<T>(
  subject: string,
  value: readonly T[],
  rule: string,
  isValid: (each: unknown) => boolean,
): readonly T[] {
  if (!holds(() => Array.isArray(value))) throw wrongType(subject, rule, value);
  const wrong = value.findIndex((each) => !isValid(each));
  if (wrong >= 0) throw wrongType(subject, rule, value[wrong]);
  return [...value];
}

/**
 * Makes the policy that retries what may pass.
 *
 * @param policy The policy of the caller.
 * @param options The statuses that are retried, and whether unknown hosts are.
 * @returns The policy.
 * @throws {TypeError} If it is no policy, or an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 */
export function makeFetchPolicy(
  policy: Backoff | FetchPolicy | null | undefined,
  { statuses, dns }: CheckedFetchOptions,
): Backoff {
  const exceptions = (error: unknown) =>
    error instanceof HttpError
      ? statuses.includes(error.status)
      : isNetworkError(error, { dns });
  if (isBackoff(policy)) return policy.with({ exceptions });
  const given: BackoffOptions = policy ?? {};
  checkKeys(
    ACTION,
    given,
    OPTION_NAMES,
    hints(NAMES, (name) => `fetchWith(policy, { ${name} })`),
  );
  if ((given.exceptions ?? null) !== null) {
    throw new TypeError(
      `Cannot ${ACTION}: option 'exceptions' must be absent, because network errors and ` +
        "'statuses' are retried; 'giveup' stops at some of them",
    );
  }
  const pause = serverPause({ otherwise: given.pause });
  return new Backoff({
    ...given,
    attemptTimeout: given.attemptTimeout ?? 10_000,
    deadline: given.deadline ?? 30_000,
    maxTries: given.maxTries ?? 4,
    minRemaining: given.minRemaining ?? 0,
    exceptions,
    pause,
  });
}

/** By its shape, because a program may hold several copies of the library. */
function isBackoff(value: unknown): value is Backoff {
  return holds(() => {
    const { execute, with: change } = value as Backoff;
    return typeof execute === "function" && typeof change === "function";
  });
}
