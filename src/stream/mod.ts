/**
 * Streams that are retried and resume: server-sent events, answers of language models, pages of a
 * list, cursors of a database. Each item is delivered once.
 *
 * @example A list in pages
 * ```ts
 * import { stream } from "@asyncbackoff/asyncbackoff/stream";
 * import { assertEquals } from "@std/assert";
 *
 * const pages = [["a", "b"], ["c"]];
 * const limits = { attemptTimeout: 5000, idleTimeout: 5000, deadline: 60_000 };
 * const list = stream({ ...limits, exceptions: "all", pause: 100 }, async function* (attempt) {
 *   for (let page = Number(attempt.checkpoint ?? 0); page < pages.length; page++) {
 *     yield await Promise.resolve(pages[page]);
 *     attempt.progress(page + 1);
 *   }
 * });
 *
 * const all: string[] = [];
 * for await (const page of list) all.push(...page ?? []);
 * assertEquals(all, ["a", "b", "c"]);
 * ```
 *
 * @module
 */

export { stream, type StreamOptions } from "./stream.ts";
export type { ReadableLike, Streamed } from "./iterator.ts";
export type { StreamFunction } from "./producer.ts";
