/**
 * The services of a simulated world: a script, and a model.
 *
 * @module
 */

import type { Signal } from "../time/signal.ts";
import type { TestClock } from "../testing/test_clock.ts";
import type { Answer, CheckedWorld, ServiceCall } from "./world.ts";

/** A service answers a call by a value, an error or a promise. */
export type Service = (call: ServiceCall) => unknown;

/**
 * Makes the service of a world.
 *
 * @param world The world.
 * @returns Its script, its own service, or its model.
 */
export function serviceOf(world: CheckedWorld): Service {
  const { script, service } = world;
  if (service !== null) return service;
  if (script !== null) return scripted(script);
  return modelled(world);
}

function scripted(script: readonly Answer[]): Service {
  return ({ attempt, clock }) => {
    const answer = script[Math.min(attempt.number, script.length) - 1] as Answer;
    const signal = answer.ignoresSignal ? null : attempt.signal;
    const { error, value } = answer;
    return after(clock, answer.latency ?? 0, signal, () => {
      if (error !== undefined && error !== null) throw error;
      return value;
    });
  };
}

/** A call that is answered at once sets no timer. */
function after<T>(
  clock: TestClock,
  ms: number,
  signal: Signal | null,
  end: () => T,
): T | Promise<T> {
  if (ms === 0) return end();
  return clock.sleep(ms, signal === null ? {} : { signal }).then(end);
}

/**
 * A queue that a service with a capacity works through, one call after the other. It cannot know
 * that a client has given up, so it still works on that call.
 */
class Queue {
  readonly #work: number;
  #freeAt = 0;

  constructor(capacity: number) {
    this.#work = 1000 / capacity;
  }

  /** Adds a call, and returns the milliseconds until its work is done. */
  add(at: number): number {
    this.#freeAt = Math.max(this.#freeAt, at) + this.#work;
    return this.#freeAt - at;
  }
}

/** Counts calls in windows that follow each other. */
class Windows {
  readonly #calls: number;
  readonly #window: number;
  #current = 0;
  #count = 0;

  constructor(calls: number, window: number) {
    this.#calls = calls;
    this.#window = window;
  }

  /** Adds a call, and returns 0 or, if it is refused, the milliseconds to the next window. */
  add(at: number): number {
    const current = Math.floor(at / this.#window);
    if (current !== this.#current) this.#count = 0;
    this.#current = current;
    this.#count += 1;
    return this.#count <= this.#calls ? 0 : (current + 1) * this.#window - at;
  }
}

/** Every call draws the same numbers, whatever becomes of it. */
function modelled(world: CheckedWorld): Service {
  const { latency, failureRate, hangRate, outages, rateLimit, error } = world;
  const queue = new Queue(world.capacity);
  const windows = rateLimit === null
    ? null
    : new Windows(rateLimit.calls, rateLimit.window);
  return ({ attempt, clock, random }) => {
    const at = clock.now();
    const isFailure = random() < failureRate;
    const isHang = random() < hangRate;
    const ms = typeof latency === "function" ? latency(random) : latency;
    const retryAfter = windows?.add(at) ?? 0;
    if (retryAfter > 0) throw tooManyCalls(retryAfter);
    const outage = outages.find(({ from, to }) => at >= from && at < to);
    const hangs = isHang || outage?.hangs === true;
    // A call that fails in an outage does not reach the queue.
    const wait = hangs ? Infinity : ms + (outage === undefined ? queue.add(at) : 0);
    return after(clock, wait, attempt.signal, () => {
      if (isFailure || outage !== undefined) throw error();
    });
  };
}

function tooManyCalls(retryAfter: number): Error {
  return Object.assign(new Error("too many calls"), { status: 429, retryAfter });
}
