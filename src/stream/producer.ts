/**
 * The producer of one attempt.
 *
 * @module
 */

import { wrongType } from "../check/values.ts";
import { type Attempt, type AttemptControl, CONTROL } from "../driver/attempt.ts";
import { callAs } from "../driver/nesting.ts";
import { nonRetryable } from "../policy/non_retryable.ts";
import { Deferred, ignore, promiseOf, react, soon } from "../time/promises.ts";
import { startTimer } from "../time/timer.ts";

/** A web stream, as far as a producer needs it. */
export interface ReadableLike<T> {
  /** Locks the stream, and returns its reader. */
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: T | undefined }>;
    cancel(reason?: unknown): Promise<unknown>;
    releaseLock(): void;
  };
}

/** Anything that produces items: an async generator, a web stream, or a Node stream. */
export type Streamed<T> = AsyncIterable<T> | ReadableLike<T>;

/** The function of a stream. */
export type StreamFunction<T> = (
  attempt: Attempt,
) => Streamed<T> | PromiseLike<Streamed<T>>;

/** Receives what a producer does. */
export interface ProducerListener<T> {
  /** It has produced an item, which the consumer holds from now on. */
  produced(producer: Producer<T>, value: T): void;
  /** It has ended, failed, or been abandoned. */
  ended(producer: Producer<T>): void;
}

/** The producer of one attempt. It is asked for one item at a time. */
export class Producer<T> {
  /** The end of the attempt. */
  readonly #end = new Deferred<void>();
  readonly #attempt: Attempt;
  readonly #control: AttemptControl;
  readonly #mayRepeat: boolean;
  readonly #listener: ProducerListener<T>;
  /** `null` until the function has returned it. */
  #iterator: AsyncIterator<T> | null = null;
  #closed: Promise<unknown> | null = null;

  /**
   * Makes the producer of an attempt.
   *
   * @param attempt The attempt.
   * @param mayRepeat Whether items may be delivered again by a next attempt.
   * @param listener Receives what it does.
   */
  constructor(attempt: Attempt, mayRepeat: boolean, listener: ProducerListener<T>) {
    this.#attempt = attempt;
    this.#mayRepeat = mayRepeat;
    this.#listener = listener;
    this.#control = (attempt as unknown as { [CONTROL]: AttemptControl })[CONTROL];
    this.#control.onAbandon(() => {
      listener.ended(this);
      soon(() => this.#close()); // the driver must not wait for it
    });
  }

  /**
   * Calls the function, and asks for the first item.
   *
   * @param fn The function.
   * @returns The end of the attempt.
   */
  run(fn: StreamFunction<T>): Promise<void> {
    this.#control.report("open", this.#mayRepeat);
    try {
      const streamed = fn(this.#attempt);
      if (isStreamed<T>(streamed)) this.#open(streamed);
      else {
        react(
          promiseOf(streamed),
          (streamed) => this.#open(streamed as Streamed<T>),
          (error) => this.#fail(error),
        );
      }
    } catch (error) {
      this.#fail(error);
    }
    return this.#end.promise;
  }

  #open(streamed: Streamed<T>): void {
    try {
      this.#iterator = callAs(this.#attempt, () => iteratorOf(streamed));
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#closed === null) this.#step();
    else this.#return();
  }

  /** The consumer asks for the next item. */
  ask(): void {
    if (this.#control.report("ask", this.#mayRepeat)) this.#step();
  }

  #step(): void {
    const iterator = this.#iterator as AsyncIterator<T>;
    try {
      react(
        promiseOf(callAs(this.#attempt, () => iterator.next())),
        (result) => this.#stepped(result as IteratorResult<T>),
        (error) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #stepped(result: IteratorResult<T>): void {
    try {
      if (result.done) return this.#finish();
      const { value } = result;
      if (this.#control.report("item", this.#mayRepeat)) {
        return this.#listener.produced(this, value);
      }
    } catch (error) {
      return this.#fail(error);
    }
    // A limit or an abort came first, so the item is not delivered.
    this.#close();
    this.#fail(this.#attempt.signal.reason);
  }

  #finish(): void {
    this.#closed ??= promiseOf(undefined);
    this.#listener.ended(this);
    this.#end.resolve();
  }

  #fail(error: unknown): void {
    this.#listener.ended(this);
    this.#end.reject(error);
  }

  /** Lets the producer clean up. It is called once, and may never end. */
  #close(): Promise<unknown> {
    return this.#closed ??= this.#return();
  }

  #return(): Promise<unknown> {
    const iterator = this.#iterator;
    if (iterator === null) return promiseOf(undefined);
    try {
      const returned = callAs(this.#attempt, () => iterator.return?.());
      return react(promiseOf(returned), ignore, ignore);
    } catch {
      return promiseOf(undefined);
    }
  }

  /**
   * Ends the attempt as a success, because the consumer wants no more.
   *
   * @param reason The reason for the attempt's signal.
   * @returns A promise that resolves when the producer has cleaned up, or its grace has passed.
   */
  stop(reason: unknown): Promise<unknown> {
    const { clock, grace } = this.#control;
    this.#control.abort(reason);
    const closed = this.#close();
    this.#end.resolve();
    if (grace === 0) return promiseOf(undefined);
    if (grace === Infinity) return closed;
    const over = new Deferred<unknown>();
    const resolve = () => over.resolve(undefined);
    const listener = {
      due: resolve,
      wake: resolve,
      clockFailed: resolve,
      isLimit: () => false,
    };
    const timer = startTimer(clock, grace, clock.now() + grace, listener, null);
    react(closed, () => timer.cancel(), ignore);
    over.follow(closed);
    return over.promise;
  }
}

function isStreamed<T>(value: unknown): value is Streamed<T> {
  return typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || "getReader" in value);
}

/** A web stream is read by its reader, since not every platform can iterate over it. */
function iteratorOf<T>(streamed: Streamed<T>): AsyncIterator<T> {
  if (!isStreamed(streamed)) {
    const rule = "an async iterable, a readable stream, or a promise of one";
    throw nonRetryable(wrongType("stream: the result of the function", rule, streamed));
  }
  if (!("getReader" in streamed)) {
    return streamed[Symbol.asyncIterator]() as AsyncIterator<T>;
  }
  const reader = streamed.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<T>>,
    return: async () => {
      await reader.cancel();
      reader.releaseLock();
      return { done: true, value: undefined };
    },
  };
}
