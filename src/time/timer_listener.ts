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
   * Called when the instant of the timer has come, in a turn of the event loop of its own and in
   * any async context.
   */
  due(token: Token): void;
  /**
   * Determines whether the timer is a limit on work that may have ended in time, though its outcome
   * is still on its way when the timer fires late.
   */
  isLimit(token: Token): boolean;
}

/** Receives wake-ups of any clock. For each timer at most one of the methods is called. */
export interface TimerListener<Token> extends WakeListener<Token> {
  /** Called in any async context when the instant of the timer has come, even if `now` lags. */
  wake(token: Token): void;
  /** Called when the clock throws, rejects or gives a wrong answer. */
  clockFailed(token: Token, error: unknown): void;
}
