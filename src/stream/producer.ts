/**
 * The producer of one attempt.
 *
 * @module
 */

import { type Attempt, type AttemptControl, CONTROL } from "../driver/attempt.ts";
import { callAs } from "../driver/nesting.ts";
import { Deferred, ignore, promiseOf, react, soon } from "../time/promises.ts";
import type { Signal } from "../time/signal.ts";
import { waitAtMost } from "./bounded_wait.ts";
import { checkResult, isStreamed, iteratorOf, type Streamed } from "./iterator.ts";

/** The function of a stream. */
export type StreamFunction<T> = (
  attempt: Attempt,
) => Streamed<T> | PromiseLike<Streamed<T>>;

/** Receives what a producer does. */
export interface ProducerListener<T> {
  /** It has produced an item, which the consumer holds from now on. */
  produced(value: T): void;
  /** It has ended or failed by itself. */
  ended(producer: Producer<T>): void;
  /** The execution goes on without it. */
  abandoned(producer: Producer<T>): void;
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
  // Made once, and not for each item.
  readonly #next = () => (this.#iterator as AsyncIterator<T>).next();
  readonly #stepped = (result: unknown) => this.#receive(result);
  readonly #failed = (error: unknown) => this.#fail(error);

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
      listener.abandoned(this);
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
      else react(promiseOf(streamed), (late) => this.#open(late), this.#failed);
    } catch (error) {
      this.#fail(error);
    }
    return this.#end.promise;
  }

  #open(streamed: unknown): void {
    try {
      this.#iterator = callAs(this.#attempt, () => iteratorOf<T>(streamed));
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#control.report("open", this.#mayRepeat)) this.#step();
    else this.#refuse();
  }

  /** The consumer asks for the next item. */
  ask(): void {
    if (this.#control.report("ask", this.#mayRepeat)) this.#step();
  }

  #step(): void {
    try {
      react(promiseOf(callAs(this.#attempt, this.#next)), this.#stepped, this.#failed);
    } catch (error) {
      this.#fail(error);
    }
  }

  #receive(given: unknown): void {
    try {
      const result = checkResult<T>(given);
      if (result.done) return this.#finish();
      const { value } = result;
      if (this.#control.report("item", this.#mayRepeat)) this.#listener.produced(value);
      else this.#refuse();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A limit or an abort came first, so nothing is delivered any more. */
  #refuse(): void {
    this.#close();
    this.#fail(this.#attempt.signal.reason);
  }

  #finish(): void {
    this.#closed ??= promiseOf(undefined);
    this.#listener.ended(this);
    this.#end.resolve();
  }

  #fail(error: unknown): void {
    this.#closed ??= promiseOf(undefined); // an iterator that fails is not closed
    this.#listener.ended(this);
    this.#end.reject(error);
  }

  /**
   * Lets the producer clean up, once. This may never end. A producer that is yet to come is
   * closed when it comes.
   */
  #close(): Promise<unknown> {
    const iterator = this.#iterator;
    if (iterator === null) return promiseOf(undefined);
    return this.#closed ??= this.#return(iterator);
  }

  #return(iterator: AsyncIterator<T>): Promise<unknown> {
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
   * @param signal A signal that ends the wait for the producer.
   * @returns A promise that resolves when the producer has cleaned up, or its grace or the
   * deadline has passed.
   */
  stop(reason: unknown, signal: Signal | null): Promise<unknown> {
    const { clock, grace, deadlineAt } = this.#control;
    this.#control.abort(reason);
    const closed = this.#close();
    this.#end.resolve();
    return waitAtMost(closed, { clock, ms: grace, until: deadlineAt, signal });
  }
}
