/**
 * What the engine speaks of: its states, the events between them, and the policy
 * that it asks. All of it is plain, immutable data.
 *
 * @module
 */

import type { TimeoutError } from "./errors.ts";

/** Why an execution ended. */
export type Reason =
  /** An attempt returned a value. */
  | "success"
  /** An error that the policy does not retry. */
  | "unlisted"
  /** The last of `maxTries` attempts failed. */
  | "maxTries"
  /** `giveup` said so. */
  | "giveup"
  /** The `budget` had no retry left. */
  | "budget"
  /** The deadline was reached. */
  | "deadline"
  /** A signal was aborted. */
  | "aborted"
  /** The caller's own `giveup`, `budget`, `pause` or clock threw. */
  | "thrown";

/** A failed attempt, as `giveup`, `pause` and `observe` are shown it. Frozen. */
export interface Failure {
  /** What was thrown: the very value, whatever it is. A `TimeoutError` after an attempt timeout. */
  readonly error: unknown;
  /** How many attempts have begun, the failed one included. */
  readonly tries: number;
  /** Milliseconds since the execution began. */
  readonly elapsed: number;
  /** Milliseconds until the deadline, never negative; `Infinity` without one. */
  readonly remaining: number;
  /** The pause before this attempt, in milliseconds; 0 before the first. */
  readonly pause: number;
}

/** Why a policy makes no other attempt after a failure. */
export type Refusal = Extract<Reason, "unlisted" | "maxTries" | "giveup" | "budget">;

/** What the engine needs to know of a policy. "No limit" is `Infinity`. */
export interface Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  /** The pause before the next attempt, or the reason why there is none. Asked once a failure. */
  decide(failure: Failure, at: number): number | Refusal;
}

/** What happened, and when. */
export type Event =
  | {
    readonly type: "settled";
    readonly at: number;
    readonly outcome: PromiseSettledResult<unknown>;
  }
  | {
    readonly type: "woke";
    readonly at: number;
    /** What an attempt that is cut by this wake was told: see {@linkcode limitError}. */
    readonly error?: TimeoutError | undefined;
  }
  | { readonly type: "aborted"; readonly at: number; readonly reason: unknown }
  /** What the execution depends on, as its clock, does not work. */
  | { readonly type: "broke"; readonly at: number; readonly reason: unknown };

/** What every state tells. */
export interface Progress {
  /** The function's name, for messages. */
  readonly name: string;
  /** When the execution began. */
  readonly beganAt: number;
  /** When this phase was entered. */
  readonly at: number;
  /** How many attempts have begun. */
  readonly tries: number;
  /** When the latest attempt began; when the execution did, before the first. */
  readonly attemptAt: number;
  /** The pause before the latest attempt, or the one under way. */
  readonly pause: number;
  /** The latest failure, if there was one. */
  readonly lastFailure: Failure | null;
}

/** An attempt is running. */
export interface Trying extends Progress {
  readonly phase: "trying";
  readonly wakeAt: number;
}

/** An attempt was cut by its timeout, and is given its grace to wind down. */
export interface Stopping extends Progress {
  readonly phase: "stopping";
  readonly wakeAt: number;
  /** What the attempt has failed with, unless it returns a value yet. */
  readonly error: TimeoutError;
}

/** The pause between two attempts; also the state before the first one. */
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

/** A state that is left by an event. */
export type Waiting = Trying | Stopping | Pausing;

/** All there is to know of an execution at an instant. Immutable. */
export type State = Waiting | Done;
