/**
 * Helpers for requests over HTTP.
 *
 * @example The wait that a server asks for
 * ```ts
 * import { retryAfter } from "@asyncbackoff/asyncbackoff/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(retryAfter("120"), 120_000);
 * ```
 *
 * @module
 */

export { retryAfter } from "./retry_after.ts";
