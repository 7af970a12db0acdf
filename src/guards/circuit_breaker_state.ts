/**
 * The vocabulary of a circuit breaker: its states, the events between them, and its rules.
 *
 * @module
 */

import type { SlidingWindow } from "./window.ts";

/** The phase of a circuit. */
export type BreakerPhase = "closed" | "open" | "half-open" | "isolated";

/** The fields of every state. */
export interface CircuitProgress {
  /** The instant of the latest change. */
  readonly at: number;
  /** The ticket that was given last. */
  readonly ticket: number;
}

/** Calls are admitted, and their ends are counted. */
export interface ClosedCircuit extends CircuitProgress {
  /** The phase. */
  readonly phase: "closed";
  /** The failures in a row. */
  readonly failuresInRow: number;
  /** The calls that ended, and those of them that failed. */
  readonly window: SlidingWindow;
}

/** The fields of a circuit that has opened. */
export interface OpenedCircuit extends CircuitProgress {
  /** The number of times that it has opened since it was last closed. */
  readonly openings: number;
  /** Milliseconds for which it is open, and for which a trial may be pending. */
  readonly openFor: number;
}

/** Calls are refused. */
export interface OpenCircuit extends OpenedCircuit {
  /** The phase. */
  readonly phase: "open";
  /** The instant at which it will be half-open. */
  readonly openUntil: number;
}

/** A call that tries whether the circuit can be closed. */
export interface Trial {
  /** Its ticket. */
  readonly ticket: number;
  /** The instant at which it began. */
  readonly beganAt: number;
}

/** A few calls are admitted as trials. */
export interface HalfOpenCircuit extends OpenedCircuit {
  /** The phase. */
  readonly phase: "half-open";
  /** The trials that are pending, in the order in which they began. */
  readonly trials: readonly Trial[];
  /** The number of trials that have succeeded. */
  readonly succeeded: number;
}

/** Calls are refused until the circuit is closed by hand. */
export interface IsolatedCircuit extends CircuitProgress {
  /** The phase. */
  readonly phase: "isolated";
}

/** The state of a circuit breaker: plain data. Immutable. */
export type BreakerState = ClosedCircuit | OpenCircuit | HalfOpenCircuit | IsolatedCircuit;

/** The end of a call, and its ticket. */
export interface Ended {
  readonly at: number;
  readonly ticket: number;
}

/** An event, and its instant, which is never before that of the state. */
export type BreakerInput =
  /** A call wants to begin. It is admitted if `retryIn` returns `null`. */
  | { readonly type: "called"; readonly at: number }
  | { readonly type: "succeeded" } & Ended
  | { readonly type: "failed" } & Ended
  /** The call was aborted, which says nothing about what it calls. */
  | { readonly type: "aborted" } & Ended
  /** By hand. */
  | { readonly type: "isolated" | "closed"; readonly at: number };

/** The rules of a circuit breaker. A rule that does not apply is `Infinity`. */
export interface BreakerPolicy {
  readonly failureRatio: number;
  readonly window: number;
  readonly minCalls: number;
  readonly consecutiveFailures: number;
  readonly trials: number;
  /**
   * Decides how long a circuit is open.
   *
   * @param openings How often it has opened since it was last closed, this time included.
   * @param before How long it was open the time before, in milliseconds; 0 the first time.
   * @returns Milliseconds.
   */
  openFor(openings: number, before: number): number;
}
