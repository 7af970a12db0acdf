/**
 * What an observer is told of an execution.
 *
 * @module
 */

import type { Attempt } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import type { Done, Failure, Reason, State, Trying } from "./state.ts";
import { readInstant } from "./timer.ts";

/** What each event tells, whatever it is. */
export interface ObservedEvent {
  /** Which execution: a number of its own in this process, from 1 on. */
  readonly execution: number;
  /** The instant, in milliseconds on the policy's clock. */
  readonly at: number;
}

/** An attempt begins; the function is called next. */
export interface AttemptEvent extends ObservedEvent {
  /** Tells the events apart. */
  readonly type: "attempt";
  /** Which attempt it is, from 1 on. */
  readonly attempt: number;
}

/** An attempt failed, and was decided on. With a grace, it is told when that has ended. */
export interface FailureEvent extends ObservedEvent {
  /** Tells the events apart. */
  readonly type: "failure";
  /** Which attempt it was, from 1 on. */
  readonly attempt: number;
  /** The failure, as `giveup` and `pause` are shown it. */
  readonly failure: Failure;
  /** The pause that follows, in milliseconds; `null` if the execution ends here. */
  readonly pause: number | null;
}

/** An attempt that was abandoned ended after all. It changes nothing. */
export interface LateEvent extends ObservedEvent {
  /** Tells the events apart. */
  readonly type: "late";
  /** Which attempt it was, from 1 on. */
  readonly attempt: number;
  /** What it came to. A rejection with its signal's own reason is not told. */
  readonly outcome: PromiseSettledResult<unknown>;
}

/** The execution ended; its promise settles next. */
export interface DoneEvent extends ObservedEvent {
  /** Tells the events apart. */
  readonly type: "done";
  /** How many attempts there were; 0 if the function was never called. */
  readonly tries: number;
  /** Milliseconds since the execution began. */
  readonly elapsed: number;
  /** What the promise settles with. */
  readonly outcome: PromiseSettledResult<unknown>;
  /** Why it ended. */
  readonly reason: Reason;
}

/**
 * What `observe` is told, in the order in which it happens: for each attempt an
 * `attempt`, and a `failure` if it failed; then one `done`. After `done` there
 * is nothing but `late`. An execution that never calls the function tells
 * `done` alone. An attempt cut by the deadline or the caller is no failure.
 *
 * @example Logging each failure
 * ```ts
 * import { Backoff, type BackoffEvent } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const log: string[] = [];
 * const observe = (event: BackoffEvent) => {
 *   if (event.type === "failure") {
 *     log.push(`${event.attempt}: ${event.failure.error}, pause ${event.pause}`);
 *   }
 * };
 * const backoff = new Backoff({ exceptions: [Error], maxTries: 2, observe });
 * await backoff.execute(() => {
 *   throw new Error("busy");
 * }).catch(() => {});
 *
 * assertEquals(log, ["1: Error: busy, pause 0", "2: Error: busy, pause null"]);
 * ```
 */
export type BackoffEvent = AttemptEvent | FailureEvent | LateEvent | DoneEvent;

/** As it was at load: fakes of time may take it along, and an error must not wait for them. */
const { queueMicrotask } = globalThis;

let executions = 0;

/** Tells one execution's events to the caller's observer, which can change nothing. */
export class Observer {
  readonly #observe: (event: BackoffEvent) => void;
  readonly #clock: Clock;
  readonly #execution = ++executions;

  constructor(observe: (event: BackoffEvent) => void, clock: Clock) {
    this.#observe = observe;
    this.#clock = clock;
  }

  attempt({ at, tries }: Trying): void {
    const execution = this.#execution;
    this.#tell({ type: "attempt", execution, at, attempt: tries });
  }

  failure(next: State, failure: Failure): void {
    this.#tell({
      type: "failure",
      execution: this.#execution,
      at: next.at,
      attempt: failure.tries,
      failure,
      pause: next.phase === "pausing" ? next.pause : null,
    });
  }

  late(attempt: Attempt, outcome: PromiseSettledResult<unknown>, state: State): void {
    this.#tell({
      type: "late",
      execution: this.#execution,
      at: this.#instantAfter(state),
      attempt: attempt.number,
      outcome,
    });
  }

  done({ at, beganAt, tries, outcome, reason }: Done): void {
    this.#tell({
      type: "done",
      execution: this.#execution,
      at,
      tries,
      elapsed: at - beganAt,
      outcome,
      reason,
    });
  }

  /** A clock that broke meanwhile is no reason to keep quiet. */
  #instantAfter(state: State): number {
    try {
      return Math.max(readInstant(this.#clock), state.at);
    } catch {
      return state.at;
    }
  }

  /** What the observer throws surfaces as an uncaught error, from a turn of its own. */
  #tell(event: BackoffEvent): void {
    if ("outcome" in event) Object.freeze(event.outcome);
    const observe = this.#observe;
    try {
      observe(Object.freeze(event));
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
