/**
 * The rules of an adaptive throttle as a pure reducer: no promise, no timer, no clock. A state
 * is plain data, so it can be written as JSON and read again at any time.
 *
 * ```text
 * event       | requests | accepts
 * called      | + 1      |          a call begins, whether it is admitted or refused
 * accepted    |          | + 1      it ended, and not by overload
 * overloaded  |          |          it ended by overload: the same state object
 *
 * a call is refused with probability max(0, (requests - k * accepts) / (requests + 1))
 * ```
 *
 * The rule is the client side of "Handling Overload" in Google's book "Site Reliability
 * Engineering": https://sre.google/sre-book/handling-overload/
 *
 * @module
 */

import { counted, emptyWindow, shifted, slid, type SlidingWindow } from "./window.ts";

/** The state of an adaptive throttle: plain data. Immutable. */
export interface ThrottleState {
  /** The instant of the latest event. */
  readonly at: number;
  /** Its `total` counts requests, its `part` those that were accepted. */
  readonly window: SlidingWindow;
}

/** An event, and its instant, which is never before that of the state. */
export interface ThrottleInput {
  /** The type of the event. */
  readonly type: "called" | "accepted" | "overloaded";
  /** The instant. */
  readonly at: number;
}

/** The rules of an adaptive throttle. */
export interface ThrottlePolicy {
  /** Requests for each accepted one: >= 1. */
  readonly k: number;
  /** The time for which an event counts, in milliseconds. */
  readonly window: number;
}

/** The table above: what each event adds to requests and accepts. */
const TABLE: {
  readonly [Type in ThrottleInput["type"]]: readonly [requests: number, accepts: number];
} = {
  called: [1, 0],
  accepted: [0, 1],
  overloaded: [0, 0],
};

/**
 * The state of a new throttle, which has seen nothing.
 *
 * @param at The instant.
 * @returns The state.
 */
export function idleThrottle(at: number): ThrottleState {
  return { at, window: emptyWindow() };
}

/**
 * The next state.
 *
 * @param policy The rules.
 * @param state The present state.
 * @param input The event.
 * @returns The next state, or `state` itself if nothing changes.
 */
export function step(
  policy: ThrottlePolicy,
  state: ThrottleState,
  { type, at }: ThrottleInput,
): ThrottleState {
  const [requests, accepts] = TABLE[type];
  if (requests + accepts === 0) return state;
  return { at, window: counted(state.window, policy.window, at, requests, accepts) };
}

/**
 * The probability with which a call is refused that begins at an instant.
 *
 * @param policy The rules.
 * @param state The state before the call.
 * @param at The instant.
 * @returns A number from 0 to below 1.
 */
export function probabilityOf(
  policy: ThrottlePolicy,
  state: ThrottleState,
  at: number,
): number {
  const { total: requests, part: accepts } = slid(state.window, policy.window, at);
  return Math.max(0, (requests - policy.k * accepts) / (requests + 1));
}

/**
 * Moves a state back to the present of a clock that began anew, such as that of another process.
 *
 * @param policy The rules.
 * @param state The state.
 * @param at The present instant.
 * @returns The state; the same one if the clock goes on from there.
 */
export function resumed(
  policy: ThrottlePolicy,
  state: ThrottleState,
  at: number,
): ThrottleState {
  const by = at - state.at;
  if (by >= 0) return state;
  return { at, window: shifted(state.window, policy.window, by) };
}
