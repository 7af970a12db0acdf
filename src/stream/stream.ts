/**
 * Streams whose attempts are retried.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkCallback,
  checkFlag,
  checkString,
  option,
  wrongType,
} from "../check/values.ts";
import { callIn, presentScope, scopeOf } from "../driver/nesting.ts";
import { Backoff, type ExecuteOptions } from "../notation/backoff.ts";
import type { BackoffOptions } from "../policy/options.ts";
import { checkSignal } from "../policy/policy.ts";
import { ignore, react, rejectionOf } from "../time/promises.ts";
import { onAbort, reasonOf } from "../time/signal.ts";
import type { StreamFunction } from "./producer.ts";
import { type Begin, StreamExecution } from "./stream_execution.ts";

/** Options of a stream. `null` and `undefined` mean absent. */
export interface StreamOptions extends Omit<ExecuteOptions, "until"> {
  /**
   * Whether an attempt may deliver items again that one before has delivered since the latest
   * checkpoint.
   *
   * @default {false}
   */
  replay?: boolean | null | undefined;
}

const STREAM_OPTIONS = /* @__PURE__ */ namesOf<StreamOptions>({
  signal: true,
  observe: true,
  name: true,
  within: true,
  detached: true,
  replay: true,
});

/**
 * Retries a stream: the items of all attempts as one async generator, each item once.
 *
 * It is lazy. Nothing is called before the consumer asks for the first item, and the producer is
 * asked for an item when the consumer asks. The limits of the policy hold so:
 *
 * - `attemptTimeout` bounds the wait for the first item of an attempt.
 * - `idleTimeout` bounds the wait for each later item. `attempt.progress()` restarts it.
 * - `deadline` bounds everything. While the consumer holds an item, it alone runs.
 *
 * A failure is retried if nothing was delivered since the latest checkpoint, or since the start.
 * Otherwise a next attempt would deliver items twice, so the error goes to the consumer, unless
 * `replay` allows it. A generator gives a checkpoint after its `yield`, when the consumer has
 * come back: `attempt.progress(id)`. The next attempt resumes from `attempt.checkpoint`.
 *
 * When the consumer stops early, by `break`, `return` or an error of its own, the signal of the
 * attempt is aborted, the producer is closed, and the execution ends as a success. The consumer
 * waits for the producer no longer than the policy's `grace`.
 *
 * @typeParam T The type of the items.
 * @param policy A policy, or the options of one.
 * @param fn Produces the items of an attempt: an async generator function, or a function that
 * returns an async iterable, a web stream, or a promise of one. It receives its attempt.
 * @param options `signal`, `observe`, `name`, `within` and `detached`, as of `execute`. `replay`:
 * whether items may be delivered again.
 * @returns The items. Its `next` rejects as an execution does: with the last failure's own error,
 * with a `TimeoutError` at the deadline if nothing failed before, or with the reason of the
 * signal that was aborted.
 * @throws {TypeError} If an argument is of the wrong type, or an option is unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example A feed that resumes after a broken connection
 * ```ts
 * import type { Attempt } from "@asyncbackoff/asyncbackoff";
 * import { stream } from "@asyncbackoff/asyncbackoff/stream";
 * import { assertEquals } from "@std/assert";
 *
 * async function* feed(attempt: Attempt) {
 *   for (let id = Number(attempt.checkpoint ?? 0); id < 4; id++) {
 *     if (id === 2 && attempt.number === 1) throw new Error("connection lost");
 *     yield await Promise.resolve(id);
 *     attempt.progress(id + 1); // the consumer has come back, so it has the item
 *   }
 * }
 *
 * const items: number[] = [];
 * for await (const id of stream({ exceptions: [Error], maxTries: 3 }, feed)) items.push(id);
 *
 * assertEquals(items, [0, 1, 2, 3]);
 * ```
 */
export function stream<T>(
  policy: Backoff | BackoffOptions,
  fn: StreamFunction<T>,
  options?: StreamOptions | null,
): AsyncGenerator<T, void, undefined> {
  if (typeof fn !== "function") throw wrongType("stream: 'fn'", "a function", fn);
  const { replay, signal, ...rest } = checkOptions(options ?? {});
  const backoff = isBackoff(policy) ? policy : new Backoff(policy);
  const scope = presentScope();
  const name = { value: fn.name };
  const begin: Begin = (run, controller) => {
    try {
      Object.defineProperty(run, "name", name);
      const unlink = signal === null ? ignore : link(signal, controller);
      const execute = () => backoff.execute(run, { ...rest, signal: controller.signal });
      const result = scope === null ? execute() : callIn(scope, execute);
      react(react(result, unlink, unlink), ignore, ignore); // a signal may throw
      return result;
    } catch (error) {
      return rejectionOf(error);
    }
  };
  return disposable(new StreamExecution(begin, fn, replay, signal));
}

/** Checks the options when the stream is made, and not when it begins. */
function checkOptions(options: StreamOptions) {
  checkKeys("stream", options, STREAM_OPTIONS);
  const { replay, signal, ...rest } = options;
  const subject = (name: keyof StreamOptions) => option("stream", name);
  const { observe, name, within, detached } = rest;
  checkCallback(subject("observe"), observe);
  checkString(subject("name"), name ?? null);
  checkFlag(subject("detached"), detached ?? false);
  if (within !== null && within !== undefined) scopeOf(subject("within"), within);
  return {
    ...rest,
    replay: checkFlag(subject("replay"), replay ?? false),
    signal: checkSignal(subject("signal"), signal ?? null),
  };
}

/** A policy of another copy of the library is one too. */
function isBackoff(policy: Backoff | BackoffOptions): policy is Backoff {
  return typeof (policy as Partial<Backoff> | null)?.execute === "function";
}

/** Aborts a controller with a signal, and returns a function that stops this. */
function link(signal: AbortSignal, controller: AbortController): () => void {
  if (!signal.aborted) return onAbort(signal, () => controller.abort(reasonOf(signal)));
  controller.abort(reasonOf(signal));
  return ignore;
}

/** `await using` closes the stream, on platforms that have the symbol. */
function disposable<T>(
  execution: StreamExecution<T>,
): AsyncGenerator<T, void, undefined> {
  const { asyncDispose } = Symbol as { asyncDispose?: symbol };
  if (asyncDispose !== undefined) {
    const value = () => execution.return();
    Object.defineProperty(execution, asyncDispose, { value });
  }
  return execution as unknown as AsyncGenerator<T, void, undefined>;
}
