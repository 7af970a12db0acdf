/**
 * A timer, and the listener that it wakes.
 *
 * @module
 */

/** A timer that is set. */
export interface Timer {
  /** Cancels the timer. It is harmless when it comes too late. */
  cancel(): void;
}

/** Receives wake-ups. The token says which timer woke, so no closure is needed per timer. */
export interface WakeListener<Token> {
  /** The instant of the timer has come, even if the clock lags behind. */
  wake(token: Token): void;
}

/** Receives wake-ups of any clock. For each timer at most one of the two methods is called. */
export interface TimerListener<Token> extends WakeListener<Token> {
  /** The clock does not keep its promises. */
  clockFailed(token: Token, error: unknown): void;
}
