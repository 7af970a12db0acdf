/**
 * The consumer's side of a stream: an async generator over the items of all attempts.
 *
 * @module
 */

import type { Attempt } from "../driver/attempt.ts";
import { Deferred, promiseOf, react, rejectionOf } from "../time/promises.ts";
import { abortError, type Signal } from "../time/signal.ts";
import { Producer, type ProducerListener, type StreamFunction } from "./producer.ts";

/** Executes the attempts of a stream. */
export type Begin = (
  run: (attempt: Attempt) => Promise<void>,
  controller: AbortController,
) => Promise<void>;

/** A call of `next`. */
type Request<T> = Deferred<IteratorResult<T, void>>;

/** One execution of a stream, which begins when the consumer asks for the first item. */
export class StreamExecution<T>
  implements AsyncIterator<T, void, undefined>, ProducerListener<T> {
  readonly #begin: Begin;
  readonly #fn: StreamFunction<T>;
  readonly #mayRepeat: boolean;
  readonly #signal: Signal | null;
  /** The request of the consumer that the producer serves. */
  #request: Request<T> | null = null;
  /** The requests after it, in their order. Apart, since most consumers wait for each item. */
  readonly #waiting: Request<T>[] = [];
  /** Ends the execution in a pause, where no attempt can be stopped. */
  #controller: AbortController | null = null;
  /** The producer of the attempt that runs. */
  #producer: Producer<T> | null = null;
  #isOver = false;
  /** The error that the consumer has yet to receive. */
  #failure: { readonly error: unknown } | null = null;

  /**
   * Makes an execution.
   *
   * @param begin Executes the attempts.
   * @param fn The function of the stream.
   * @param mayRepeat Whether items may be delivered again by a next attempt.
   * @param signal The signal of the caller.
   */
  constructor(
    begin: Begin,
    fn: StreamFunction<T>,
    mayRepeat: boolean,
    signal: Signal | null,
  ) {
    this.#begin = begin;
    this.#fn = fn;
    this.#mayRepeat = mayRepeat;
    this.#signal = signal;
  }

  next(): Promise<IteratorResult<T, void>> {
    if (this.#isOver) return this.#last();
    const request: Request<T> = new Deferred();
    if (this.#request !== null) this.#waiting.push(request);
    else {
      this.#request = request;
      this.#serve();
    }
    return request.promise;
  }

  return(value?: void | PromiseLike<void>): Promise<IteratorResult<T, void>> {
    return react(
      this.#stop(),
      async () => ({ done: true, value: await value }),
      rejectionOf,
    ) as Promise<IteratorResult<T, void>>;
  }

  throw(error: unknown): Promise<IteratorResult<T, void>> {
    return react(this.#stop(), () => rejectionOf(error), rejectionOf) as Promise<never>;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #serve(): void {
    if (this.#controller === null) this.#start();
    else this.#producer?.ask();
  }

  #start(): void {
    const controller = this.#controller = new AbortController();
    const run = (attempt: Attempt): Promise<void> => {
      const producer = new Producer(attempt, this.#mayRepeat, this);
      this.#producer = producer;
      return producer.run(this.#fn);
    };
    react(
      this.#begin(run, controller),
      () => this.#end(null),
      (error) => this.#end({ error }),
    );
  }

  produced(value: T): void {
    const request = this.#request;
    this.#request = this.#waiting.length === 0 ? null : this.#waiting.shift() as Request<T>;
    request?.resolve({ done: false, value });
    if (this.#request !== null) this.#serve();
  }

  ended(producer: Producer<T>): void {
    if (this.#producer === producer) this.#producer = null;
  }

  abandoned(producer: Producer<T>): void {
    this.ended(producer);
    // A limit that was noticed before the consumer stopped must not lead to another attempt.
    if (this.#isOver) this.#controller?.abort(stopped());
  }

  #end(failure: { readonly error: unknown } | null): void {
    if (this.#isOver) return; // the consumer has stopped
    this.#isOver = true;
    this.#failure = failure;
    const requests = [this.#request, ...this.#waiting.splice(0)];
    this.#request = null;
    for (const request of requests) request?.resolve(this.#last() as never);
  }

  #last(): Promise<IteratorResult<T, void>> {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) return rejectionOf(failure.error);
    return promiseOf({ done: true, value: undefined }) as Promise<IteratorResult<T, void>>;
  }

  /** The consumer wants no more. */
  #stop(): Promise<unknown> {
    const producer = this.#producer;
    const isRunning = !this.#isOver && this.#controller !== null;
    this.#end(null);
    this.#failure = null;
    this.#producer = null;
    if (!isRunning) return promiseOf(undefined);
    const reason = stopped();
    if (producer !== null) return producer.stop(reason, this.#signal);
    this.#controller?.abort(reason);
    return promiseOf(undefined);
  }
}

function stopped(): Error {
  return abortError("The consumer of the stream has stopped");
}
