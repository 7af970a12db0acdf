/**
 * The events that `observe` receives.
 *
 * @module
 */

import type { Failure, Reason, Reports } from "../engine/state.ts";

/** The attempt that an execution is nested in. */
export interface OuterAttempt {
  /** The number of the outer execution. */
  readonly execution: number;
  /** The number of the outer attempt, starting at 1. */
  readonly attempt: number;
}

/** The fields of every event. */
export interface ObservedEvent {
  /** The number of the execution, unique in this process, starting at 1. */
  readonly execution: number;
  /** The name of the execution: the option `name`, or else the function's name. */
  readonly name: string;
  /** The attempt that the execution is nested in. Absent without one. */
  readonly outer?: OuterAttempt;
  /** The instant of the event, in milliseconds on the policy's clock. */
  readonly at: number;
}

/** An attempt begins. The function is called next. */
export interface AttemptEvent extends ObservedEvent {
  /** The type of the event. */
  readonly type: "attempt";
  /** The number of the attempt, starting at 1. */
  readonly attempt: number;
}

/** An attempt failed and the policy has decided. With a `grace`, emitted when the grace ends. */
export interface FailureEvent extends ObservedEvent {
  /** The type of the event. */
  readonly type: "failure";
  /** The number of the attempt, starting at 1. */
  readonly attempt: number;
  /** The failure that `giveup` and `pause` received. */
  readonly failure: Failure;
  /** Milliseconds of the pause that follows; `null` if the execution ends here. */
  readonly pauseAfter: number | null;
  /** The progress that the attempt reported. Absent without any. */
  readonly reports?: Reports;
}

/** An abandoned attempt ended. Its outcome changes nothing. */
export interface LateEvent extends ObservedEvent {
  /** The type of the event. */
  readonly type: "late";
  /** The number of the attempt, starting at 1. */
  readonly attempt: number;
  /** The outcome. A rejection with the reason of the attempt's own signal emits no event. */
  readonly outcome: PromiseSettledResult<unknown>;
}

/** The execution ended. Its promise settles next. */
export interface DoneEvent extends ObservedEvent {
  /** The type of the event. */
  readonly type: "done";
  /** The number of attempts; 0 if the function was never called. */
  readonly attempts: number;
  /** Milliseconds since the execution began. */
  readonly elapsed: number;
  /** The outcome that the promise settles with. */
  readonly outcome: PromiseSettledResult<unknown>;
  /** The reason why it ended. */
  readonly reason: Reason;
  /** The progress that the latest attempt reported. Absent without any. */
  readonly reports?: Reports;
}

/**
 * An event that `observe` receives. Each attempt emits `attempt`, and `failure` if it failed.
 * Then the execution emits one `done`, and nothing but `late` after it. An execution that
 * never calls the function emits `done` alone. An attempt that the deadline or the caller ends
 * is not a failure.
 *
 * @example Logging each failure
 * ```ts
 * import { Backoff, type BackoffEvent } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const log: string[] = [];
 * const observe = (event: BackoffEvent) => {
 *   if (event.type === "failure") {
 *     log.push(`${event.attempt}: ${event.failure.error}, pause ${event.pauseAfter}`);
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
