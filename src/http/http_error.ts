/**
 * An answer with a status that is no success, as an error.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import { checkInteger, checkString, holds, option, wrongType } from "../check/values.ts";
import { named } from "../engine/error_name.ts";
import { discard } from "./response.ts";
import type { FetchHeaders, FetchResponse } from "./types.ts";

/** The part of a request and of an answer that a `Response` does not tell. */
export interface HttpErrorDetails {
  /** The method of the request. */
  readonly method?: string | null | undefined;
  /** The address of the request, if the answer has none. */
  readonly url?: string | null | undefined;
  /** The beginning of the body. */
  readonly body?: string | null | undefined;
}

/**
 * An answer with a status that is no success. Its message has the method, the address without
 * its query, because queries hold secrets, and the status.
 *
 * @example An answer as an error
 * ```ts
 * import { HttpError } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const response = new Response("no such user", { status: 404, statusText: "Not Found" });
 * const error = new HttpError(response, { method: "GET", url: "https://a.example/users?id=7" });
 *
 * assertEquals(error.status, 404);
 * assertEquals(error.message, "GET https://a.example/users answered 404 Not Found");
 * ```
 */
export class HttpError extends Error {
  static readonly #named: void = /* @__PURE__ */ named(this, "HttpError");

  /** The status of the answer. */
  readonly status: number;
  /** The headers of the answer. */
  readonly headers: FetchHeaders;
  /** The address, after redirects; `""` if it is unknown. */
  readonly url: string;
  /** The method of the request; `null` if it is unknown. */
  readonly method: string | null;
  /** The beginning of the body, as far as it was asked for; otherwise `""`. */
  readonly body: string;

  /**
   * Makes an error of an answer. It does not touch the body of the answer.
   *
   * @param response The answer.
   * @param details `method`, `url` and `body`, as far as they are known.
   */
  constructor(response: FetchResponse, details: HttpErrorDetails = {}) {
    const { status, statusText, headers } = response;
    const method = details.method ?? null;
    const url = response.url || (details.url ?? "");
    const [place = ""] = url.split(/[?#]/);
    const subject = [method, place.replace(/\/\/[^/]*@/, "//")].filter(Boolean).join(" ");
    super(`${subject || "The server"} answered ${status} ${statusText}`.trim());
    this.status = status;
    this.headers = headers;
    this.url = url;
    this.method = method;
    this.body = details.body ?? "";
  }
}

/** Options of {@linkcode checked}. `null` and `undefined` mean absent. */
export interface CheckedOptions {
  /**
   * The number of characters of a bad answer's body that are read into `HttpError.body`: an
   * integer >= 0. The rest is cancelled.
   *
   * @default {0}
   */
  maxBody?: number | null | undefined;
  /**
   * The method of the request, for `HttpError.method`.
   *
   * @default {null}
   */
  method?: string | null | undefined;
}

/**
 * Returns a good answer, and throws an {@linkcode HttpError} for another. The body of a bad
 * answer is cancelled, so that its connection is free, or the beginning of it is read.
 *
 * Reading has no limit of its own: it ends when the signal of the request aborts. A body that
 * breaks off leaves the characters that have arrived.
 *
 * @param response The answer.
 * @param options `maxBody`: how many characters of a bad answer are read. `method`: the method
 * of the request.
 * @returns The answer, if its status is from 200 to 299.
 * @throws {HttpError} If its status is another.
 * @throws {TypeError} If an argument is of the wrong type, or an option is unknown.
 * @throws {RangeError} If `maxBody` has a wrong value.
 *
 * @example The body of an answer with status 200
 * ```ts
 * import { checked, HttpError } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const response = await checked(await fetch("data:,hello"));
 * assertEquals(await response.text(), "hello");
 *
 * const bad = new Response("no such user", { status: 404 });
 * const error: HttpError = await checked(bad, { maxBody: 7 }).catch((error) => error);
 * assertEquals([error.status, error.body], [404, "no such"]);
 * ```
 */
export async function checked(
  response: FetchResponse,
  options?: CheckedOptions | null,
): Promise<FetchResponse> {
  const action = "check an answer";
  checkKeys(
    action,
    options ?? {},
    namesOf<CheckedOptions>({ maxBody: true, method: true }),
  );
  const maxBody = checkInteger(option(action, "maxBody"), options?.maxBody ?? 0, 0);
  const method = checkString(option(action, "method"), options?.method ?? null);
  if (!holds(() => typeof response.status === "number" && "headers" in response)) {
    throw wrongType(`${action}: 'response'`, "a Response", response);
  }
  if (response.status >= 200 && response.status < 300) return response;
  const body = maxBody > 0 ? await beginningOf(response, maxBody) : "";
  discard(response);
  throw new HttpError(response, { method, body });
}

/** Reads up to so many characters of a body. */
async function beginningOf(response: FetchResponse, length: number): Promise<string> {
  let text = "";
  try {
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    while (reader && text.length < length) {
      const { done, value } = await reader.read();
      text += decoder.decode(value, { stream: !done });
      if (done) break;
    }
    reader?.cancel().catch(() => {});
  } catch {
    // What has arrived is enough for a message.
  }
  return text.slice(0, length);
}
