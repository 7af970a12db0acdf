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

/**
 * Receives wake-ups of shared timers. The token says which timer woke, so no closure is needed
 * per timer.
 */
export interface WakeListener<Token> {
  /**
   * The instant of the timer has come. It is called in a turn of the event loop of its own, in
   * any async context.
   */
  due(token: Token): void;
  /**
   * Tells whether the timer is a limit on work that may have ended in time, though its outcome
   * is still on its way when the timer fires late.
   */
  isLimit(token: Token): boolean;
}

/** Receives wake-ups of any clock. For each timer at most one of the methods is called. */
export interface TimerListener<Token> extends WakeListener<Token> {
  /** The instant of the timer has come, even if the clock lags behind. In any async context. */
  wake(token: Token): void;
  /** The clock does not keep its promises. */
  clockFailed(token: Token, error: unknown): void;
}
