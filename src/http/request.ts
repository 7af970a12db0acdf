/**
 * A request that can be sent again: what it is sent with, and whether it may be.
 *
 * @module
 */

import type { Signal } from "../time/signal.ts";

/** The header by which a server recognises a request that it has received before. */
const KEY = "idempotency-key";

/** Which requests may be sent again. */
export interface ResendRules {
  /** The methods that may be sent again, in upper case. */
  readonly methods: readonly string[];
  /** Whether other requests get a header `Idempotency-Key`. */
  readonly idempotencyKey: boolean;
}

/** A request of the caller's. */
export class OutgoingRequest {
  readonly method: string;
  /** The address, for messages. */
  readonly url: string;
  readonly signal: Signal | null;
  /** Whether the request may be sent again, and its body can be. */
  readonly isResendable: boolean;
  readonly #input: RequestInfo | URL;
  readonly #init: RequestInit;
  /** The request that is cloned for each attempt, because it has a body. */
  readonly #source: Request | null;

  /**
   * Reads the arguments of `fetch`.
   *
   * @param input The first argument.
   * @param given The second argument.
   * @param rules Which requests may be sent again.
   */
  constructor(
    input: RequestInfo | URL,
    given: RequestInit | null | undefined,
    { methods, idempotencyKey }: ResendRules,
  ) {
    const [request, init] = isRequest(given)
      ? [new Request(input, given), {}]
      : [isRequest(input) ? input : null, copyOf(given)];
    this.method = `${init.method ?? request?.method ?? "GET"}`.toUpperCase();
    this.url = request?.url ?? String(input);
    this.signal = (init.signal === undefined ? request?.signal : init.signal) ?? null;
    const isIdempotent = methods.includes(this.method);
    let isKeyed = false;
    if (!isIdempotent) {
      const headers = new Headers(init.headers ?? request?.headers);
      if (idempotencyKey && !headers.has(KEY)) {
        headers.set(KEY, randomKey());
        init.headers = headers;
      }
      isKeyed = headers.has(KEY);
    }
    const { body } = init;
    const hasOwnBody = body !== null && body !== undefined;
    // Firefox does not tell whether a request has a body.
    this.#source = request !== null && !hasOwnBody && request.body !== null &&
        !["GET", "HEAD"].includes(this.method)
      ? request
      : null;
    this.isResendable = (isIdempotent || isKeyed) && canBeSentAgain(body);
    this.#input = request ?? input;
    this.#init = init;
  }

  /**
   * Returns the arguments of `fetch` for an attempt.
   *
   * @param signal The signal of the attempt.
   * @returns The arguments.
   */
  send(signal: Signal): [input: RequestInfo | URL, init: RequestInit] {
    const input = this.isResendable ? this.#source?.clone() : this.#source;
    return [input ?? this.#input, { ...this.#init, signal }];
  }

  /** The body that was cloned for each attempt; `null` if there is none. */
  get cloned(): Request | null {
    return this.isResendable ? this.#source : null;
  }
}

/** Members that are inherited count as well: an `AbortController` may be the options. */
function copyOf(given: RequestInit | null | undefined): RequestInit {
  const copy: Record<string, unknown> = {};
  for (const name in given) copy[name] = given[name as keyof RequestInit];
  return copy;
}

function isRequest(value: unknown): value is Request {
  return typeof value === "object" && value !== null && "headers" in value &&
    typeof (value as { clone?: unknown }).clone === "function";
}

/** Bodies that fetch reads without changing them, of any realm. */
const LASTING =
  /\[object (ArrayBuffer|SharedArrayBuffer|Blob|File|FormData|URLSearchParams)\]/;

/** A stream can be read once. Any other body that is unknown here may be one. */
function canBeSentAgain(body: unknown): boolean {
  return typeof body !== "object" || body === null || ArrayBuffer.isView(body) ||
    LASTING.test(Object.prototype.toString.call(body));
}

/** `crypto.randomUUID` is missing in pages that are not served by HTTPS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
