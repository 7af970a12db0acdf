/**
 * A fetch that is retried right, and its parts: which failures may pass, and what servers ask
 * for.
 *
 * @example A fetch by a policy
 * ```ts
 * import { fetchWith } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * const get = fetchWith({ attemptTimeout: 5000, deadline: 20_000 });
 *
 * assertEquals(await (await get("data:,hello")).text(), "hello");
 * ```
 *
 * @module
 */

export { fetchWith } from "./fetch_with.ts";
export type { FetchOptions, FetchPolicy, ReadingOptions } from "./fetch_options.ts";
export {
  checked,
  type CheckedOptions,
  HttpError,
  type HttpErrorDetails,
} from "./http_error.ts";
export { isNetworkError, type NetworkErrorOptions } from "./network_error.ts";
export { type AnyHeaders, rateLimitReset } from "./rate_limit_reset.ts";
export { retryAfter } from "./retry_after.ts";
export { serverPause, type ServerPauseOptions } from "./server_pause.ts";
export type {
  Fetch,
  FetchArguments,
  FetchHeaders,
  FetchResponse,
  HeadersLike,
} from "./types.ts";
