/**
 * The rules of an execution as a pure reducer: no promise, no timer, no clock.
 *
 * Each event carries its instant. The reply is the next state, which says everything the
 * driver has to do: in `trying`, the function runs; in `stopping`, the attempt was aborted and
 * winds down within its grace; in `pausing`, nothing is in flight; in `done`, the promise
 * settles. The driver sends `woke` at `state.wakeAt`, and needs no other timer.
 *
 * ```text
 * phase    | settled: value | settled: error | woke                       | aborted, faulted
 * trying   | done, R failed | failed         | D done, A timed out        | done
 * stopping | done, R (*)    | failed (*)     | D done (*), else failed (*)| done (*)
 * pausing  | -              | -              | D done, else trying        | done
 * done     | -              | -              | -                          | -
 *
 * D          the deadline is reached: done with the error of the last failure
 * A          the attempt timeout is reached
 * R          the policy refuses the value
 * timed out  the timeout is a failure: `stopping` if the policy has a grace, else failed
 * failed     policy.decide(failure, at): a pause -> pausing, a reason -> done,
 *            an error that it throws -> done
 * (*)        the failure is the timeout, whatever the function throws now
 * -          the same state object
 * ```
 *
 * Two rules hold for the whole table. Ties: at one instant the deadline comes first, then the
 * attempt timeout, then the end of a pause. An attempt's outcome takes effect in the order in
 * which it is delivered; within a grace, the deadline wins a tie with it. Early wakes: a
 * `woke` before `wakeAt` changes nothing.
 *
 * @module
 */

import { type Limit, LIMITS } from "./limit.ts";
import { TimeoutError } from "./timeout_error.ts";
import type {
  Done,
  Event,
  Failure,
  Pausing,
  Policy,
  Progress,
  Reason,
  State,
  Stopping,
  Trying,
  Waiting,
} from "./state.ts";

/**
 * The state before the first attempt: a pause of 0, whose end is due at once.
 *
 * @param at The instant at which the execution begins.
 * @param name The function's name, for messages.
 * @param outerEndsAt The instant at which the attempt ends that the execution is nested in.
 * Default: `Infinity`.
 * @returns A state to step with `woke` or `aborted` at the same instant.
 */
export function begin(
  at: number,
  name: string,
  outerEndsAt: number = Infinity,
): Pausing {
  return {
    phase: "pausing",
    name,
    beganAt: at,
    outerEndsAt,
    at,
    attempts: 0,
    attemptAt: at,
    pause: 0,
    lastFailure: null,
    wakeAt: at,
  };
}

/**
 * Does `begin` and the `woke` that is due at once, in one step. Nearly every execution begins
 * this way.
 *
 * @param policy The limits.
 * @param at The instant at which the execution begins.
 * @param name The function's name, for messages.
 * @returns The first attempt, or the end if there is no time for one.
 */
export function beginTrying(policy: Policy, at: number, name: string): State {
  if (policy.deadline === 0) return step(policy, begin(at, name), { type: "woke", at });
  return {
    phase: "trying",
    name,
    beganAt: at,
    outerEndsAt: Infinity,
    at,
    attempts: 1,
    attemptAt: at,
    pause: 0,
    lastFailure: null,
    wakeAt: wakeAtIn(policy, "trying", at, at, Infinity),
  };
}

/**
 * The next state: one cell of the table above.
 *
 * @param policy The limits, and the decision about a failure.
 * @param state The present state.
 * @param event The event. Its instant is never before `state.at`.
 * @returns The next state, or `state` itself if the event changes nothing.
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
    case "faulted":
      return cancel(policy, state, event.at, "callbackError", event.reason);
  }
}

function settled(
  policy: Policy,
  state: Waiting,
  at: number,
  outcome: PromiseSettledResult<unknown>,
): State {
  switch (state.phase) {
    case "pausing":
      return state;
    case "trying":
      if (outcome.status === "fulfilled") return returned(policy, state, at, outcome);
      return failed(policy, state, at, outcome.reason, null);
    case "stopping":
      // The attempt has timed out already, so the deadline wins a tie with its outcome.
      if (at === deadlineAt(policy, state.beganAt)) {
        return endAtDeadline(policy, state, at, undefined);
      }
      if (outcome.status === "fulfilled") return returned(policy, state, at, outcome);
      return failed(policy, state, at, state.error, state.limit);
  }
}

/** The attempt returned a value, which the policy may refuse. */
function returned(
  policy: Policy,
  state: Trying | Stopping,
  at: number,
  outcome: PromiseFulfilledResult<unknown>,
): State {
  let refusal;
  try {
    refusal = policy.refusalOf(outcome.value, state.name);
  } catch (thrown) {
    return end(state, at, "callbackError", rejected(thrown));
  }
  if (refusal === null) return end(state, at, "success", outcome);
  return state.phase === "stopping"
    ? failed(policy, state, at, state.error, state.limit)
    : failed(policy, state, at, refusal, null, true);
}

function woke(
  policy: Policy,
  state: Waiting,
  at: number,
  error: TimeoutError | undefined,
): State {
  const limit = limitReached(policy, state, at);
  if (limit === "deadline") return endAtDeadline(policy, state, at, error);
  switch (state.phase) {
    case "pausing":
      return tryNext(policy, state, at);
    case "stopping":
      return failed(policy, state, at, state.error, state.limit);
    case "trying":
      // An attempt waits for limits alone, so the wake has reached one.
      return timedOut(policy, state, at, limit as Limit, error);
  }
}

/**
 * The one place that knows what each limit means: the instant at which it is reached in a
 * phase, or `Infinity` if it does not hold there.
 */
function limitAt(
  policy: Policy,
  limit: Limit,
  phase: Waiting["phase"],
  beganAt: number,
  attemptAt: number,
): number {
  switch (limit) {
    case "deadline":
      return deadlineAt(policy, beganAt);
    case "attempt":
      return phase === "trying" ? attemptAt + policy.attemptTimeout : Infinity;
  }
}

/** The length of a limit in milliseconds. */
function lengthOf(policy: Policy, limit: Limit): number {
  switch (limit) {
    case "deadline":
      return policy.deadline;
    case "attempt":
      return policy.attemptTimeout;
  }
}

function deadlineAt(policy: Policy, beganAt: number): number {
  return beganAt + policy.deadline;
}

/** The instant to wake at: the end of the phase itself, or a limit that comes before it. */
function wakeAtIn(
  policy: Policy,
  phase: Waiting["phase"],
  beganAt: number,
  attemptAt: number,
  end: number,
): number {
  let wakeAt = end;
  for (const limit of LIMITS) {
    wakeAt = Math.min(wakeAt, limitAt(policy, limit, phase, beganAt, attemptAt));
  }
  return wakeAt;
}

/** The limit that is reached by an instant, if there is one. The order of `LIMITS` decides. */
function limitReached(policy: Policy, state: Waiting, at: number): Limit | null {
  const { phase, beganAt, attemptAt } = state;
  for (const limit of LIMITS) {
    if (at >= limitAt(policy, limit, phase, beganAt, attemptAt)) return limit;
  }
  return null;
}

/**
 * The error of the limit that a wake reaches. The driver aborts the attempt's signal with it
 * and hands it to the engine with the wake, so that both use one error.
 *
 * @param policy The limits.
 * @param state The present state.
 * @param at The instant of the wake.
 * @returns The error; `undefined` if the wake reaches no limit.
 */
export function limitError(
  policy: Policy,
  state: Waiting,
  at: number,
): TimeoutError | undefined {
  const limit = limitReached(policy, state, at);
  return limit === null ? undefined : errorOf(policy, state, limit);
}

function errorOf(policy: Policy, state: Progress, limit: Limit): TimeoutError {
  return new TimeoutError(limit, lengthOf(policy, limit), state.name);
}

function tryNext(policy: Policy, state: Pausing, at: number): Trying {
  const { name, beganAt, outerEndsAt, pause, lastFailure } = state;
  return {
    phase: "trying",
    name,
    beganAt,
    outerEndsAt,
    at,
    attempts: state.attempts + 1,
    attemptAt: at,
    pause,
    lastFailure,
    wakeAt: wakeAtIn(policy, "trying", beganAt, at, Infinity),
  };
}

function timedOut(
  policy: Policy,
  state: Trying,
  at: number,
  limit: Limit,
  error: TimeoutError = errorOf(policy, state, limit),
): State {
  // The function of an attempt without time was never called, so nothing winds down.
  if (policy.grace === 0 || state.wakeAt === state.at) {
    return failed(policy, state, at, error, limit);
  }
  const { beganAt, attemptAt } = state;
  const wakeAt = wakeAtIn(policy, "stopping", beganAt, attemptAt, at + policy.grace);
  return { ...state, phase: "stopping", at, wakeAt, limit, error };
}

function failed(
  policy: Policy,
  state: Trying | Stopping,
  at: number,
  error: unknown,
  limit: Limit | null,
  isRefusal: boolean = false,
): State {
  const lastFailure = failureOf(policy, state, at, error, limit);
  let decision;
  try {
    decision = policy.decide(lastFailure, at, state.lastFailure, isRefusal);
  } catch (thrown) {
    return end({ ...state, lastFailure }, at, "callbackError", rejected(thrown));
  }
  if (typeof decision === "string") {
    return end({ ...state, lastFailure }, at, decision, rejected(error));
  }
  // A failure that is noticed after the deadline has no time left for a pause.
  if (at >= deadlineAt(policy, state.beganAt)) {
    return end({ ...state, lastFailure }, at, "deadline", rejected(error));
  }
  const { name, beganAt, outerEndsAt, attempts, attemptAt } = state;
  return {
    phase: "pausing",
    name,
    beganAt,
    outerEndsAt,
    at,
    attempts,
    attemptAt,
    pause: decision,
    lastFailure,
    wakeAt: wakeAtIn(policy, "pausing", beganAt, attemptAt, at + decision),
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
    lastFailure === null ? error ?? errorOf(policy, state, "deadline") : lastFailure.error,
  );
  return end({ ...state, lastFailure }, at, "deadline", outcome);
}

function cancel(
  policy: Policy,
  state: Waiting,
  at: number,
  reason: "aborted" | "callbackError",
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
  const { name, beganAt, outerEndsAt, attempts, attemptAt, pause, lastFailure } = state;
  return {
    phase: "done",
    name,
    beganAt,
    outerEndsAt,
    at,
    attempts,
    attemptAt,
    pause,
    lastFailure,
    reason,
    outcome,
  };
}

/** The last failure: of an attempt that winds down, its timeout. */
function failureSoFar(policy: Policy, state: Waiting, at: number): Failure | null {
  return state.phase === "stopping"
    ? failureOf(policy, state, at, state.error, state.limit)
    : state.lastFailure;
}

function failureOf(
  policy: Policy,
  state: Progress,
  at: number,
  error: unknown,
  limit: Limit | null,
): Failure {
  return Object.freeze({
    error,
    name: state.name,
    attempt: state.attempts,
    limit,
    duration: at - state.attemptAt,
    elapsed: at - state.beganAt,
    remaining: Math.max(
      0,
      Math.min(deadlineAt(policy, state.beganAt), state.outerEndsAt) - at,
    ),
    pauseBefore: state.pause,
  });
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: "rejected", reason };
}
