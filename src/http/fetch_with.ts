/**
 * A fetch that is retried.
 *
 * @module
 */

import type { Attempt } from "../driver/attempt.ts";
import { TimeoutError } from "../engine/timeout_error.ts";
import type { Backoff } from "../notation/backoff.ts";
import type { BackoffEvent } from "../policy/events.ts";
import {
  type CheckedFetchOptions,
  checkFetchOptions,
  type FetchOptions,
  type FetchPolicy,
  makeFetchPolicy,
  type ReadingOptions,
} from "./fetch_options.ts";
import { reasonOf } from "../time/signal.ts";
import { HttpError } from "./http_error.ts";
import { OutgoingRequest } from "./request.ts";
import { sentOnce } from "./sent_once.ts";
import { abortable, buffered, discard } from "./response.ts";
import type { Fetch, FetchArguments } from "./types.ts";

/** A fetch by a policy: what all of its calls share. */
interface Fetcher extends CheckedFetchOptions {
  /** For requests that may be sent again. */
  readonly resent: Backoff;
  /** For all others. Timeouts are always retried, so it needs a bound. */
  readonly once: Backoff;
}

/** An answer whose body is open. */
interface Answer {
  readonly response: Response;
  readonly attempt: Attempt;
  /** Aborts its request after the attempt. */
  readonly controller: AbortController | null;
  /** The error that the attempt failed with, if its status is retried. */
  readonly error: HttpError | null;
}

/**
 * Makes a function of `fetch`'s own type that sends a request again where that is right, so
 * everything that takes a `fetch` can take it. Switch the retries of an SDK off.
 *
 * - **Failures.** Network errors and the statuses 408, 425, 429, 500, 502, 503 and 504 are
 *   retried, and timeouts. Any other answer is returned.
 * - **Permission.** Idempotent methods may be sent again, and requests with a header
 *   `Idempotency-Key`. Any other request is sent exactly once, and so is a body that is a
 *   stream. A `Request` that has a body is cloned for each attempt.
 * - **Pauses.** They grow, and are at least as long as the server asks for: see
 *   {@linkcode serverPause}.
 * - **The end.** An answer that is not retried is returned, whatever its status. When the
 *   policy decides to retry, the body of the answer is cancelled. If the deadline comes before
 *   the next answer, it rejects with an {@linkcode HttpError}. A network error is thrown as it
 *   is.
 * - **Limits.** They bound the time to the headers. With `buffer` or `read`, they also bound
 *   the body.
 * - **The caller's signal.** `init.signal` aborts at once, also the body of an answer that was
 *   returned. Its listener ends with the body.
 *
 * @typeParam T The type of the result of `read`.
 * @param policy The policy: options, or a `Backoff`, which is used with its own rules. Of a
 * `Backoff`, only `exceptions` are replaced, so give it a `serverPause()`.
 * @param options `read`: reads each answer within the limits. And those of the form below.
 * @returns The function. It resolves with the result of `read`.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example Reading within the limits
 * ```ts
 * import { checked, fetchWith } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const getJson = fetchWith({ deadline: 5000 }, {
 *   read: async (response) => (await checked(response)).json(),
 * });
 *
 * assertEquals(await getJson("data:application/json,[7]"), [7]);
 * ```
 */
export function fetchWith<T>(
  policy: Backoff | FetchPolicy | null | undefined,
  options: ReadingOptions<T>,
): (...args: FetchArguments) => Promise<T>;
/**
 * Makes a function of `fetch`'s own type that sends a request again where that is right.
 *
 * @param policy The policy: options, or a `Backoff`. Default: 4 attempts of 10 s at most, and
 * 30 s together.
 * @param options `statuses`, `methods`, `idempotencyKey`, `dns`: what is retried. `buffer`: reads
 * each body within the limits. `fetch`: sends a request.
 * @returns The function. It resolves with an answer, rejects with the last network error, with
 * an {@linkcode HttpError} or a `TimeoutError` at a limit, and with the reason of `init.signal`.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example A server that is down for a moment
 * ```ts
 * import { fetchWith } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const statuses = [503, 502, 200]; // of a server
 * const server = () => Promise.resolve(new Response(null, { status: statuses.shift() ?? 500 }));
 * const get = fetchWith({ pause: 1 }, { fetch: server });
 *
 * assertEquals((await get("https://service.example/")).status, 200);
 * ```
 */
export function fetchWith(
  policy?: Backoff | FetchPolicy | null,
  options?: FetchOptions | null,
): Fetch;
export function fetchWith(
  policy?: Backoff | FetchPolicy | null,
  options?: FetchOptions | null,
): unknown {
  const checked = checkFetchOptions(options);
  const resent = makeFetchPolicy(policy, checked);
  const read = checked.read ?? (checked.buffer ? buffered : null);
  const fetcher: Fetcher = {
    ...checked,
    read,
    resent,
    once: resent.with({ maxTries: 1 }),
  };
  const fetched = async (input: RequestInfo | URL, init?: RequestInit | null) =>
    await new Call(fetcher, new OutgoingRequest(input, init, fetcher)).run();
  // What a platform puts on its fetch, such as Bun's `preconnect`, shows on this one.
  return Object.setPrototypeOf(fetched, checked.fetch ?? globalThis.fetch ?? null);
}

/** One call of the function: an execution. */
class Call {
  readonly #fetcher: Fetcher;
  readonly #request: OutgoingRequest;
  #answer: Answer | null = null;

  constructor(fetcher: Fetcher, request: OutgoingRequest) {
    this.#fetcher = fetcher;
    this.#request = request;
  }

  async run(): Promise<unknown> {
    const { resent, once } = this.#fetcher;
    const { isResendable, signal } = this.#request;
    const observe = (event: BackoffEvent) => {
      // The policy has decided to send the request again, so the answer is of no use.
      if (event.type === "failure" && event.pauseAfter !== null) this.#discard();
    };
    const fetch = (attempt: Attempt) => this.#try(attempt);
    try {
      return await (isResendable ? resent : once).execute(fetch, { signal, observe });
    } catch (error) {
      // Tries are used up, or the policy gave up.
      if (error instanceof HttpError && error === this.#answer?.error) {
        return await this.#last(this.#answer, error);
      }
      this.#discard();
      throw error;
    } finally {
      const { cloned } = this.#request;
      if (cloned !== null) discard(cloned);
    }
  }

  async #try(attempt: Attempt): Promise<unknown> {
    const { fetch, read, statuses } = this.#fetcher;
    const { isResendable, method, url, signal } = this.#request;
    const { signal: limits } = attempt;
    // Without a signal of the caller's, nothing aborts an answer that was returned.
    const controller = signal === null && read === null ? null : following(limits);
    const [input, init] = this.#request.send(controller?.signal ?? limits);
    const send = (init: RequestInit) => (fetch ?? globalThis.fetch)(input, init);
    const response = await (isResendable ? send(init) : sentOnce(init, send));
    if (limits.aborted) {
      discard(response); // it came too late
      throw limits.reason;
    }
    const error = statuses.includes(response.status)
      ? new HttpError(response, { method, url })
      : null;
    this.#answer = { response, attempt, controller, error };
    if (error !== null) throw error;
    return read === null ? this.#open(this.#answer) : await readBy(read, response);
  }

  /** From here on, no limit ends the body; the caller's signal does. */
  #open(answer: Answer): Response {
    const { signal } = this.#request;
    const { response, controller } = answer;
    if (signal === null || controller === null) return response;
    const opened = abortable(response, signal, controller);
    this.#answer = { ...answer, response: opened };
    return opened;
  }

  /** Returns the last answer, or reads it within what is left of the limits of its attempt. */
  async #last(answer: Answer, error: HttpError): Promise<unknown> {
    const { read } = this.#fetcher;
    const { signal } = this.#request;
    const { attempt, controller, response } = answer;
    if (signal?.aborted) { // at the very end of the execution
      this.#discard();
      throw reasonOf(signal);
    }
    if (read === null) return this.#open(answer);
    const rest = this.#fetcher.once.with({
      attemptTimeout: Infinity,
      deadline: attempt.remaining,
      until: null,
      budget: null,
      observe: null,
    });
    const fetch = ({ signal }: Attempt) => {
      following(signal, controller);
      return readBy(read, response);
    };
    return await rest.execute(fetch, { signal }).catch((reason) => {
      throw reason instanceof TimeoutError && reason.limit === "deadline" ? error : reason;
    });
  }

  #discard(): void {
    const answer = this.#answer;
    this.#answer = null;
    if (answer !== null) discard(answer.response);
  }
}

/** Reads an answer. What is left of the body is cancelled. */
async function readBy(
  read: (response: Response) => unknown,
  response: Response,
): Promise<unknown> {
  try {
    return await read(response);
  } finally {
    if (!response.bodyUsed) discard(response);
  }
}

/** Makes a controller abort with a signal. It can also be aborted after it. */
function following(
  signal: AbortSignal,
  controller: AbortController | null = null,
): AbortController {
  const follower = controller ?? new AbortController();
  signal.addEventListener("abort", () => follower.abort(signal.reason));
  return follower;
}
