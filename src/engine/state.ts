/**
 * The vocabulary of the engine: its states, the events between them, and the policy that it
 * asks. All of it is plain, immutable data.
 *
 * @module
 */

import type { Limit } from "./limit.ts";
import type { TimeoutError } from "./timeout_error.ts";

/** The reason why an execution ended. */
export type Reason =
  /** An attempt returned a value. */
  | "success"
  /** The policy does not retry the error. */
  | "nonRetryable"
  /** Another execution has retried the error already, and the policy does not retry it again. */
  | "exhausted"
  /** The last of `maxTries` attempts failed. */
  | "maxTries"
  /** `giveup` returned `true`, or `pause` threw the failure's own error. */
  | "giveup"
  /** The `budget` refused a retry. */
  | "budget"
  /** The deadline was reached, or a pause would leave less than `minRemaining` until it. */
  | "deadline"
  /** A signal was aborted. */
  | "aborted"
  /** A callback or the clock threw an error, or gave a wrong answer. */
  | "callbackError";

/** A failed attempt, given to `giveup`, `pause` and `observe`. Frozen. */
export interface Failure {
  /**
   * The thrown value itself, whatever it is. A `TimeoutError` after an attempt timeout, a
   * `ResultError` if `until` refused the result.
   */
  readonly error: unknown;
  /** The name of the execution: the option `name`, or else the function's name. */
  readonly name: string;
  /** The number of the attempt, starting at 1. */
  readonly attempt: number;
  /**
   * The number of failures in a row, starting at 1: the number of the attempt, unless an attempt
   * before or this one began a new streak by the option `resetAfter`.
   */
  readonly streak: number;
  /** The limit that ended the attempt; `null` if the attempt failed by itself. */
  readonly limit: Limit | null;
  /** Milliseconds that the attempt took, including its grace. */
  readonly duration: number;
  /** Milliseconds since the execution began. */
  readonly elapsed: number;
  /**
   * Milliseconds until the deadline of the execution, or until the end of the attempt that it is
   * nested in, if that is sooner; >= 0, `Infinity` without both.
   */
  readonly remaining: number;
  /** Milliseconds of the pause before this attempt; 0 before the first of a streak. */
  readonly pauseBefore: number;
}

/** A reason why a policy makes no other attempt after a failure. */
export type Refusal = Extract<
  Reason,
  "nonRetryable" | "exhausted" | "maxTries" | "giveup" | "deadline" | "budget"
>;

/** The part of a policy that the engine needs. "No limit" is `Infinity`. */
export interface Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly idleTimeout: number;
  readonly resetAfter: number;
  /**
   * Decides about the value of an attempt.
   *
   * @param value The value.
   * @param name The name of the execution.
   * @returns `null` to accept it, or the error of its refusal.
   */
  refusalOf(value: unknown, name: string): unknown;
  /**
   * Decides about a failure. Called once for each.
   *
   * @param failure The failure.
   * @param at The instant.
   * @param previous The failure before it, if there was one.
   * @param isRefusal Whether it is a value that `refusalOf` refused.
   * @returns The pause before the next attempt, or the reason why there is none.
   */
  decide(
    failure: Failure,
    at: number,
    previous: Failure | null,
    isRefusal: boolean,
  ): number | Refusal;
}

/** An event, and its instant. */
export type Event =
  /** The attempt returned a value or failed. */
  | {
    readonly type: "settled";
    readonly at: number;
    readonly outcome: PromiseSettledResult<unknown>;
  }
  /** The instant at which the state wakes has come. */
  | {
    readonly type: "woke";
    readonly at: number;
    /** The error that the attempt's signal was aborted with; see {@linkcode limitError}. */
    readonly error?: TimeoutError | undefined;
  }
  /** The attempt reported progress. With `undefined`, the checkpoint stays. */
  | { readonly type: "progressed"; readonly at: number; readonly checkpoint: unknown }
  /** A stream is opened, its consumer holds an item that was delivered, or asks for the next. */
  | {
    readonly type: "held";
    readonly at: number;
    readonly step: "open" | "item" | "ask";
    /** Whether the item may be delivered again by a next attempt. */
    readonly mayRepeat: boolean;
  }
  /** A signal of the caller was aborted. */
  | { readonly type: "aborted"; readonly at: number; readonly reason: unknown }
  /** Something that the execution depends on, such as its clock, does not work. */
  | { readonly type: "faulted"; readonly at: number; readonly reason: unknown };

/** The progress that an attempt has reported. */
export interface Reports {
  /** The number of reports. */
  readonly count: number;
  /** The instant of the first report. */
  readonly firstAt: number;
  /** The instant of the latest report. */
  readonly latestAt: number;
}

/** The items of a stream that an attempt has delivered. `null` if it is no stream. */
export type Delivery =
  | null
  /** None yet. */
  | "none"
  /** Some, which a next attempt may deliver again, or which a checkpoint has covered. */
  | "repeatable"
  /** Some that must not be delivered again, so a failure is not retried. */
  | "unrepeatable";

/** The fields of every state. */
export interface Progress {
  /** The function's name, for messages. */
  readonly name: string;
  /** The instant at which the execution began. */
  readonly beganAt: number;
  /**
   * The instant at which the outer attempt ends that the execution is nested in; `Infinity`
   * without one. It bounds `remaining` alone: the outer execution ends this one.
   */
  readonly outerEndsAt: number;
  /** The instant at which this phase was entered. */
  readonly at: number;
  /** The number of attempts that have begun. */
  readonly attempts: number;
  /** The instant at which the latest attempt began; before the first, the execution. */
  readonly attemptAt: number;
  /** Milliseconds of the pause before the latest attempt, or of the one under way. */
  readonly pause: number;
  /** The latest failure; `null` if nothing has failed. */
  readonly lastFailure: Failure | null;
  /** The latest checkpoint that an attempt has reported; `undefined` without one. */
  readonly checkpoint: unknown;
  /** The progress of the latest attempt; `null` if it has reported none. */
  readonly reports: Reports | null;
}

/** An attempt is running. */
export interface Trying extends Progress {
  readonly phase: "trying";
  readonly wakeAt: number;
  /** The instant of the idle timeout, which each report of progress moves. */
  readonly idleAt: number;
  /**
   * The items that were delivered. The attempt timeout bounds the wait for the first one, and the
   * idle timeout the wait for each later one.
   */
  readonly delivery: Delivery;
}

/** An attempt has timed out, and winds down within its grace. */
export interface Stopping extends Progress {
  readonly phase: "stopping";
  readonly wakeAt: number;
  /** The limit that ended the attempt. */
  readonly limit: Limit;
  /** The timeout that the attempt fails with, unless it still returns a value. */
  readonly error: TimeoutError;
  /** The items that were delivered. */
  readonly delivery: Delivery;
}

/** A pause between two attempts. Also the state before the first attempt. */
export interface Pausing extends Progress {
  readonly phase: "pausing";
  readonly wakeAt: number;
}

/** The execution has ended. */
export interface Done extends Progress {
  readonly phase: "done";
  readonly reason: Reason;
  readonly outcome: PromiseSettledResult<unknown>;
}

/** A state that waits for an event. */
export type Waiting = Trying | Stopping | Pausing;

/** The complete state of an execution at an instant. Immutable. */
export type State = Waiting | Done;
