/**
 * Guards: decorators that refuse calls, or repeat them, to protect a service and its callers.
 *
 * @example A circuit breaker under retries
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { circuitBreaker } from "@asyncbackoff/asyncbackoff/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const breaker = circuitBreaker({ consecutiveFailures: 5, openFor: 5000 });
 * const load = asyncretry(3)(breaker(async (id: number) => await `user ${id}`));
 *
 * assertEquals(await load(7), "user 7");
 * ```
 *
 * @module
 */

export { adaptiveThrottle } from "./adaptive_throttle.ts";
export type {
  AdaptiveThrottle,
  AdaptiveThrottleOptions,
  ThrottleEvent,
  ThrottleStatistic,
} from "./adaptive_throttle_options.ts";
export type { ThrottleState } from "./adaptive_throttle_engine.ts";
export { circuitBreaker } from "./circuit_breaker.ts";
export type {
  BreakerEvent,
  BreakerStatistic,
  CircuitBreaker,
  CircuitBreakerOptions,
} from "./circuit_breaker_options.ts";
export type {
  BreakerPhase,
  BreakerState,
  CircuitProgress,
  ClosedCircuit,
  HalfOpenCircuit,
  IsolatedCircuit,
  OpenCircuit,
  OpenedCircuit,
  Trial,
} from "./circuit_breaker_state.ts";
export { CircuitOpenError, SupersededError, ThrottledError } from "./errors.ts";
export { hedge } from "./hedge.ts";
export type {
  Hedge,
  HedgeEvent,
  HedgeOptions,
  HedgeState,
  HedgeStatistic,
} from "./hedge_options.ts";
export {
  type Quantile,
  quantile,
  type QuantileOptions,
  type QuantileState,
} from "./quantile.ts";
export type { GuardDecorator } from "./guard.ts";
export type { Slice, SlidingWindow } from "./window.ts";
