/**
 * The parts that all guards share: a function that is wrapped by one, the end of its calls, and
 * the observer.
 *
 * @module
 */

import { isOptions } from "../check/keys.ts";
import {
  checkCallback,
  checkNumber,
  checkString,
  holds,
  option,
  wrongType,
} from "../check/values.ts";
import { currentAttemptOrNull } from "../driver/attempt.ts";
import { refuseUncalled } from "../notation/arguments.ts";
import type { FunctionDecorator, Wrap } from "../notation/decorator.ts";
import { checkClock } from "../policy/policy.ts";
import type { Clock } from "../time/clock.ts";
import { onAbort, reasonOf, type Signal } from "../time/signal.ts";
import { systemClock } from "../time/system_clock.ts";
import { readInstant } from "../time/timer.ts";

/**
 * A decorator of functions and methods. Call it with a function to wrap the function, or put it
 * before a method as a standard or legacy decorator. The wrapped function keeps its type, `this`,
 * `name`, `length`, and what others put on it.
 *
 * @example A function and a method behind one breaker
 * ```ts
 * import { circuitBreaker, type GuardDecorator } from "@asyncbackoff/asyncbackoff/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const guard: GuardDecorator = circuitBreaker({ consecutiveFailures: 5 });
 * const load = guard(async (id: number) => await `user ${id}`);
 *
 * class Users {
 *   @guard
 *   async load(id: number) {
 *     return await `user ${id}`;
 *   }
 * }
 *
 * assertEquals(await load(1), await new Users().load(1));
 * ```
 */
export type GuardDecorator = FunctionDecorator;

/**
 * Reads the only argument of a guard.
 *
 * @typeParam Options The type of the options.
 * @param usage The notation, for messages.
 * @param args The arguments.
 * @param names The names of the options.
 * @returns The options. Their values are not checked.
 * @throws {TypeError} If the guard is used without its call, or given anything but options.
 */
export function optionsOf<Options>(
  usage: string,
  args: readonly unknown[],
  names: readonly string[],
): Options {
  refuseUncalled(usage, args);
  const [options] = args;
  if (isOptions(options, names)) return options as Options;
  throw wrongType(`call '${usage}': the argument`, "an object of options", options);
}

/** The options that all guards have. */
interface CommonOptions<Event> {
  readonly observe?: ((event: Event) => void) | null | undefined;
  readonly name?: string | null | undefined;
  readonly clock?: Clock | null | undefined;
}

/**
 * Checks the options that all guards have.
 *
 * @typeParam Event The type of the events.
 * @param action The action that needs them, for messages.
 * @param options The options of a guard.
 * @returns Their values, with their defaults.
 * @throws {TypeError} If one is of the wrong type.
 */
export function commonOf<Event>(action: string, options: CommonOptions<Event>) {
  return {
    observe: checkCallback(option(action, "observe"), options.observe),
    name: checkString(option(action, "name"), options.name ?? null),
    clock: checkClock(option(action, "clock"), options.clock ?? systemClock),
  };
}

/**
 * Tells whether a duration is finite and above 0.
 *
 * @param ms Milliseconds.
 * @returns Whether it is.
 */
export function isPositive(ms: number): boolean {
  return ms > 0 && ms < Infinity;
}

/**
 * Checks a duration that must be finite and above 0.
 *
 * @param subject The subject of the message.
 * @param value The value to check.
 * @returns The duration in milliseconds.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not finite, or not above 0.
 */
export function checkPositive(subject: string, value: unknown): number {
  return checkNumber(subject, value, "a finite number of milliseconds > 0", isPositive);
}

/** Receives the calls of a function. `Ticket` tells one call from others. */
export interface Guard<Ticket> {
  /** Admits a call. To refuse it, it throws. */
  admit(name: string): Ticket;
  /** The call returned a value. */
  returned(ticket: Ticket, name: string, value: unknown): void;
  /** The call threw an error. */
  threw(ticket: Ticket, name: string, error: unknown): void;
  /** The attempt that the call belongs to was aborted before the call has ended. */
  aborted(ticket: Ticket, name: string, reason: unknown): void;
  /** The call ended after its attempt was aborted. */
  late(name: string, outcome: PromiseSettledResult<unknown>): void;
}

/**
 * Wraps a function by a guard. The function is called once or not at all, at once, and with the
 * current attempt that the wrapped one has.
 *
 * @param guard The guard.
 * @returns A function that wraps.
 */
export function wrapBy<Ticket>(guard: Guard<Ticket>): Wrap {
  return (fn, name) => {
    const { wrapped } = {
      async wrapped(this: unknown, ...args: unknown[]): Promise<unknown> {
        const ticket = guard.admit(name);
        const signal = currentAttemptOrNull()?.signal;
        const abort = signal === undefined ? null : new Abort(signal, (reason) => {
          guard.aborted(ticket, name, reason);
        });
        let value;
        try {
          value = await Reflect.apply(fn, this, args);
        } catch (error) {
          if (abort === null || !abort.stop()) guard.threw(ticket, name, error);
          else if (!Object.is(error, abort.reason)) {
            guard.late(name, { status: "rejected", reason: error });
          }
          throw error;
        }
        if (abort === null || !abort.stop()) guard.returned(ticket, name, value);
        else guard.late(name, { status: "fulfilled", value });
        return value;
      },
    };
    return wrapped;
  };
}

/** The abort of a signal, for as long as it matters. */
class Abort {
  /** The reason, once the signal has been aborted. */
  reason: unknown = undefined;
  readonly #unlisten: () => void;
  #hasHappened = false;

  /** Calls back when the signal is aborted. One that is aborted already says nothing. */
  constructor(signal: Signal, callback: (reason: unknown) => void) {
    this.#unlisten = signal.aborted ? () => {} : onAbort(signal, () => {
      this.#hasHappened = true;
      this.reason = reasonOf(signal);
      callback(this.reason);
    });
  }

  /** Stops listening. Returns whether the signal was aborted before. */
  stop(): boolean {
    this.#unlisten();
    return this.#hasHappened;
  }
}

/** A clock that never goes backwards. */
export class Instants {
  readonly #clock: Clock;
  #last: number;

  /**
   * Begins at the present instant.
   *
   * @param clock The clock.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = readInstant(clock);
  }

  /**
   * Reads the present instant.
   *
   * @returns Milliseconds, never fewer than before.
   */
  now(): number {
    const at = readInstant(this.#clock);
    return at > this.#last ? this.#last = at : this.#last;
  }
}

/**
 * Copies plain data, so that nobody can change the state of a guard from outside.
 *
 * @param data The data. Its numbers are finite.
 * @returns A copy.
 */
export function copyOf<T>(data: T): T {
  return JSON.parse(JSON.stringify(data));
}

/**
 * Calls a predicate of an error. A promise is refused, because it is truthy.
 *
 * @param name The name of the predicate, for messages.
 * @param predicate The predicate.
 * @param error The error.
 * @returns Its answer.
 * @throws {TypeError} If it returns a promise. Its `cause` is the error.
 */
export function ask<T>(name: string, predicate: (error: unknown) => T, error: unknown): T {
  const answer = predicate(error);
  const isPromise = holds(() => typeof (answer as { then?: unknown }).then === "function");
  if (!isPromise) return answer;
  Promise.resolve(answer).catch(() => {}); // it is refused, so nobody else handles it
  throw new TypeError(
    `Cannot decide about an error: '${name}' must answer at once, got a promise`,
    { cause: error },
  );
}
