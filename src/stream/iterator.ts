/**
 * Everything that a stream accepts as a source of items, as one kind of iterator.
 *
 * @module
 */

import { wrongType } from "../check/values.ts";
import { nonRetryable } from "../policy/non_retryable.ts";

/** A web stream, as far as a producer needs it. */
export interface ReadableLike<T> {
  /** Locks the stream, and returns its reader. */
  getReader(): {
    // The types of items are not taken from here, because a platform's reader has several.
    read(): Promise<{ readonly done: boolean; readonly value?: NoInfer<T> | undefined }>;
    cancel(reason?: unknown): Promise<unknown>;
    releaseLock(): void;
  };
  /** Tells the type of the items. It is not called. */
  pipeTo(destination: { getWriter(): { write(item?: T): unknown } }): unknown;
}

/** Anything that produces items: an async generator, a web stream, or a Node stream. */
export type Streamed<T> = AsyncIterable<T> | ReadableLike<T>;

/**
 * Tells whether a value is a source of items. It is recognised by its shape, because it may
 * come from another realm.
 *
 * @param value Any value.
 * @returns Whether it is an async iterable or a web stream.
 */
export function isStreamed<T>(value: unknown): value is Streamed<T> {
  return typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || "getReader" in value);
}

/**
 * The iterator of a source of items.
 *
 * @param streamed An async iterable or a web stream.
 * @returns Its iterator.
 * @throws {TypeError} If it is neither. No policy retries this error.
 */
export function iteratorOf<T>(streamed: unknown): AsyncIterator<T> {
  if (!isStreamed<T>(streamed)) {
    const rule = "an async iterable, a readable stream, or a promise of one";
    throw nonRetryable(wrongType("stream: the result of 'fn'", rule, streamed));
  }
  // A web stream is read by its reader, since not every platform can iterate over it.
  return "getReader" in streamed ? readerOf(streamed) : streamed[Symbol.asyncIterator]();
}

function readerOf<T>(stream: ReadableLike<T>): AsyncIterator<T> {
  const reader = stream.getReader();
  let isCancelled = false;
  return {
    async next() {
      const result = await reader.read();
      // The end of a read that was cancelled is not the end of the items.
      if (isCancelled) return new Promise(() => {});
      if (result.done) reader.releaseLock();
      return result as IteratorResult<T>;
    },
    async return() {
      isCancelled = true;
      try {
        await reader.cancel();
      } finally {
        reader.releaseLock();
      }
      return { done: true, value: undefined };
    },
  };
}

/**
 * Checks the result of an iterator, as a `for await` loop does.
 *
 * @param result The result of `next`.
 * @returns The same result.
 * @throws {TypeError} If it is not an object. No policy retries this error.
 */
export function checkResult<T>(result: unknown): IteratorResult<T> {
  if (typeof result === "object" && result !== null) return result as IteratorResult<T>;
  throw nonRetryable(wrongType("stream: the result of 'next'", "an object", result));
}
