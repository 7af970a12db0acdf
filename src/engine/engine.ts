/**
 * The rules of an execution as a pure reducer: no promise, no timer, no clock.
 *
 * It is told the instant of each event and answers with a state, which says all
 * there is to do: `trying`: the function runs; `stopping`: it was told to stop
 * and winds down in its grace; `pausing`: nothing is in flight; `done`: settle.
 * Whoever drives it wakes it at `state.wakeAt`, and needs no other timer.
 *
 * ```text
 * phase    | fulfilled | rejected   | woke                       | aborted, broke
 * trying   | done      | failed     | D done, else cut           | done
 * stopping | done      | failed (*) | D done (*), else failed (*)| done (*)
 * pausing  | -         | -          | D done, else trying        | done
 * done     | -         | -          | -                          | -
 *
 * D       at or after the deadline: done with the last failure's own error
 * cut     the attempt timeout is a failure: `stopping` if it has a grace, else failed
 * failed  policy.decide(failure, at): a pause -> pausing, a reason -> done, thrown -> done
 * (*)     the failure is the attempt timeout, whatever the function says now
 * -       the very same state
 * ```
 *
 * Two rules stand above the table. Ties: at one instant the deadline comes
 * first, then the attempt timeout, then the end of a pause; what an attempt comes
 * to is ordered by its delivery, but for one in its grace the deadline is first.
 * Too early: a wake before `wakeAt` changes nothing.
 *
 * @module
 */

import { TimeoutError } from "./errors.ts";
import type {
  Done,
  Event,
  Failure,
  Pausing,
  Policy,
  Progress,
  Reason,
  State,
  Trying,
  Waiting,
} from "./state.ts";

/**
 * The state before the first attempt: a pause of 0, whose end is due at once.
 *
 * @param at The instant at which the execution begins.
 * @param name The function's name, for messages.
 * @returns A state to step with `woke` at the same instant, or with `aborted`.
 */
export function begin(at: number, name: string): Pausing {
  return {
    phase: "pausing",
    name,
    beganAt: at,
    at,
    tries: 0,
    attemptAt: at,
    pause: 0,
    lastFailure: null,
    wakeAt: at,
  };
}

/**
 * `begin`, and the `woke` that is due at once, in one step: how nearly every
 * execution begins.
 *
 * @param policy The limits.
 * @param at The instant at which the execution begins.
 * @param name The function's name, for messages.
 * @returns The first attempt, or the end where there is no time for one.
 */
export function beginTrying(policy: Policy, at: number, name: string): State {
  const { attemptTimeout, deadline } = policy;
  if (deadline === 0) return step(policy, begin(at, name), { type: "woke", at });
  return {
    phase: "trying",
    name,
    beganAt: at,
    at,
    tries: 1,
    attemptAt: at,
    pause: 0,
    lastFailure: null,
    wakeAt: Math.min(at + attemptTimeout, at + deadline),
  };
}

/**
 * The next state: one cell of the table above.
 *
 * @param policy The limits, and who decides on a failure.
 * @param state The present state.
 * @param event What happened. Its instant is never before `state.at`.
 * @returns The next state, or `state` itself where the event changes nothing.
 */
export function step(policy: Policy, state: State, event: Event): State {
  if (state.phase === "done") return state;
  switch (event.type) {
    case "settled":
      return settled(policy, state, event.at, event.outcome);
    case "woke":
      return event.at < state.wakeAt ? state : woke(policy, state, event.at, event.error);
    case "aborted":
      return cancel(policy, state, event.at, "aborted", event.reason);
    case "broke":
      return cancel(policy, state, event.at, "thrown", event.reason);
  }
}

function settled(
  policy: Policy,
  state: Waiting,
  at: number,
  outcome: PromiseSettledResult<unknown>,
): State {
  if (state.phase === "pausing") return state;
  // In its grace an attempt has been cut already: at the deadline it is too late.
  if (state.phase === "stopping" && at === deadlineAt(policy, state)) {
    return endAtDeadline(policy, state, at, undefined);
  }
  if (outcome.status === "fulfilled") return end(state, at, "success", outcome);
  return failed(
    policy,
    state,
    at,
    state.phase === "stopping" ? state.error : outcome.reason,
  );
}

function woke(
  policy: Policy,
  state: Waiting,
  at: number,
  error: TimeoutError | undefined,
): State {
  if (at >= deadlineAt(policy, state)) return endAtDeadline(policy, state, at, error);
  switch (state.phase) {
    case "pausing":
      return tryNext(policy, state, at);
    case "stopping":
      return failed(policy, state, at, state.error);
    case "trying":
      return cut(policy, state, at, error);
  }
}

/**
 * The error of the limit that is reached: the deadline's where both are.
 *
 * @param policy The limits.
 * @param state The present state.
 * @param at The instant of the wake.
 * @returns What the attempt is told, and what goes out where it is the failure.
 */
export function limitError(policy: Policy, state: Progress, at: number): TimeoutError {
  return at >= deadlineAt(policy, state)
    ? new TimeoutError("deadline", policy.deadline, state.name)
    : new TimeoutError("attempt", policy.attemptTimeout, state.name);
}

function tryNext(policy: Policy, state: Pausing, at: number): Trying {
  return {
    phase: "trying",
    name: state.name,
    beganAt: state.beganAt,
    at,
    tries: state.tries + 1,
    attemptAt: at,
    pause: state.pause,
    lastFailure: state.lastFailure,
    wakeAt: Math.min(at + policy.attemptTimeout, deadlineAt(policy, state)),
  };
}

function cut(
  policy: Policy,
  state: Trying,
  at: number,
  error: TimeoutError = limitError(policy, state, at),
): State {
  // An attempt that was given no time was never called: nothing winds down.
  if (policy.grace === 0 || state.wakeAt === state.at) {
    return failed(policy, state, at, error);
  }
  const wakeAt = Math.min(at + policy.grace, deadlineAt(policy, state));
  return { ...state, phase: "stopping", at, wakeAt, error };
}

function failed(
  policy: Policy,
  state: Exclude<Waiting, Pausing>,
  at: number,
  error: unknown,
): State {
  const lastFailure = failure(policy, state, at, error);
  let answer;
  try {
    answer = policy.decide(lastFailure, at);
  } catch (thrown) {
    return end({ ...state, lastFailure }, at, "thrown", rejected(thrown));
  }
  if (typeof answer === "string") {
    return end({ ...state, lastFailure }, at, answer, rejected(error));
  }
  // A failure that arrives after the deadline has no pause left to sit out.
  if (lastFailure.remaining === 0) {
    return end({ ...state, lastFailure }, at, "deadline", rejected(error));
  }
  return {
    phase: "pausing",
    name: state.name,
    beganAt: state.beganAt,
    at,
    tries: state.tries,
    attemptAt: state.attemptAt,
    pause: answer,
    lastFailure,
    wakeAt: Math.min(at + answer, deadlineAt(policy, state)),
  };
}

function endAtDeadline(
  policy: Policy,
  state: Waiting,
  at: number,
  error: TimeoutError | undefined,
): Done {
  const lastFailure = failureSoFar(policy, state, at);
  const outcome = rejected(
    lastFailure === null ? error ?? limitError(policy, state, at) : lastFailure.error,
  );
  return end({ ...state, lastFailure }, at, "deadline", outcome);
}

function cancel(
  policy: Policy,
  state: Waiting,
  at: number,
  reason: "aborted" | "thrown",
  error: unknown,
): Done {
  const lastFailure = failureSoFar(policy, state, at);
  return end({ ...state, lastFailure }, at, reason, rejected(error));
}

function end(
  state: Progress,
  at: number,
  reason: Reason,
  outcome: PromiseSettledResult<unknown>,
): Done {
  return {
    phase: "done",
    name: state.name,
    beganAt: state.beganAt,
    at,
    tries: state.tries,
    attemptAt: state.attemptAt,
    pause: state.pause,
    lastFailure: state.lastFailure,
    reason,
    outcome,
  };
}

/** The last failure, which is the timeout where an attempt is winding down. */
function failureSoFar(
  policy: Policy,
  state: Waiting,
  at: number,
): Failure | null {
  return state.phase === "stopping"
    ? failure(policy, state, at, state.error)
    : state.lastFailure;
}

function failure(
  policy: Policy,
  state: Progress,
  at: number,
  error: unknown,
): Failure {
  return Object.freeze({
    error,
    tries: state.tries,
    elapsed: at - state.beganAt,
    remaining: Math.max(0, deadlineAt(policy, state) - at),
    pause: state.pause,
  });
}

function deadlineAt(policy: Policy, state: Progress): number {
  return state.beganAt + policy.deadline;
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: "rejected", reason };
}
