/**
 * Failures of a request that may pass, told from all others by their codes and by the words of
 * each runtime. `deno task errors` records what the runtimes throw. A test holds the words here
 * to that table.
 *
 * @module
 */

/** Codes of Node, its fetch and its HTTP/2, of Bun, and of clients that wrap them. */
const CODES = "ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT " +
  "EHOSTUNREACH ENETUNREACH ENETDOWN ENETRESET ERR_NETWORK " +
  "ERR_STREAM_PREMATURE_CLOSE UND_ERR_SOCKET UND_ERR_CONNECT_TIMEOUT " +
  "UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT UND_ERR_RES_CONTENT_LENGTH_MISMATCH " +
  "HPE_INVALID_EOF_STATE ERR_HTTP2_STREAM_ERROR ERR_HTTP2_SESSION_ERROR " +
  "ERR_HTTP2_GOAWAY_SESSION ConnectionRefused ConnectionClosed";

/** Codes of a host that is not found. */
const DNS_CODES = "ENOTFOUND EAI_AGAIN EAI_NODATA EAI_NONAME";

/** The words of Deno, then of Cloudflare's runtime, Chromium, Firefox, Safari, React Native. */
const WORDS =
  /tcp connect error|connection (reset|closed)|broken pipe|error reading a body|handshake eof|^network connection lost|^failed to fetch( \(|$)|^network error$|^networkerror when|^error in (input|body) stream|^load failed|^the network connection was|^could not connect to|^network request failed/i;

/** The longest chain of causes that is followed. */
const MAX_CAUSES = 10;

/** Options of {@linkcode isNetworkError}. */
export interface NetworkErrorOptions {
  /**
   * Whether a host that is not found counts as well. A name that is misspelt never passes.
   *
   * @default {false}
   */
  dns?: boolean | null | undefined;
}

/**
 * Tells whether a request failed in a way that may pass: the connection was refused, reset or
 * closed before the answer was complete, the network was unreachable, or a layer below timed
 * out. It reads the codes and words of Node, Deno, Bun, Cloudflare's runtime and browsers, also
 * through `cause`, at most ten deep.
 *
 * A wrong URL or option, a programming error, an abort, a failed certificate, an answer that is
 * no HTTP, and a refused redirect are none. Neither is the `TimeoutError` of a limit, which a
 * policy retries by itself.
 *
 * Browsers throw the same error for a refused connection, a failed certificate, an unknown host
 * and an answer that CORS forbids, so all of these count there. Bun 1.1 throws the same error
 * for a refused connection and an unknown host.
 *
 * @param error The thrown value.
 * @param options `dns`: whether a host that is not found counts as well. Default: `false`.
 * @returns Whether it is a network error.
 * @throws {TypeError} If `dns` is not a flag.
 *
 * @example A connection that is refused
 * ```ts
 * import { isNetworkError } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const refused = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });
 *
 * assertEquals(isNetworkError(new TypeError("fetch failed", { cause: refused })), true);
 * assertEquals(isNetworkError(new TypeError("Invalid URL: 'nowhere'")), false);
 * ```
 */
export function isNetworkError(
  error: unknown,
  options?: NetworkErrorOptions | null,
): boolean {
  const isDnsOne = options?.dns ?? false;
  // The checks of src/check would double the size of this function, which may be used alone.
  if (typeof isDnsOne !== "boolean") {
    throw new TypeError("Cannot look at an error: option 'dns' must be true or false");
  }
  const codes = ` ${CODES} ${isDnsOne ? DNS_CODES : ""} `;
  let each = error;
  try {
    // Told by its type, because it may be of another realm.
    for (let depth = 0; depth <= MAX_CAUSES && typeof each === "object" && each; depth++) {
      const { name, code, message, cause } = each as Record<string, unknown>;
      if (name === "AbortError" || name === "TimeoutError") return false;
      if (typeof code === "string" && codes.includes(` ${code} `)) return true;
      if (typeof message === "string") {
        if (/\bdns error\b/.test(message)) return isDnsOne;
        if (WORDS.test(message)) return true;
      }
      each = cause;
    }
  } catch {
    // A value whose members throw is no error of a runtime.
  }
  return false;
}
