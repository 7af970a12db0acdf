/**
 * The rules of an execution as a pure reducer: no promise, no timer, no clock.
 *
 * Each event carries its instant. The reply is the next state, which says everything the
 * driver has to do: in `trying`, the function runs; in `stopping`, the attempt was aborted and
 * winds down within its grace; in `pausing`, nothing is in flight; in `done`, the promise
 * settles. The driver sends `woke` at `state.wakeAt`, and in `trying` at `state.idleAt`.
 *
 * ```text
 * phase    | settled: value | settled: error | woke                  | progressed | held | else
 * trying   | done, R failed | failed         | D done, A I timed out | P          | H    | done
 * stopping | done, R (*)    | failed (*)     | D done (*), (*)       | C          | -    | done (*)
 * pausing  | -              | -              | D done, trying        | -          | -    | done
 * done     | -              | -              | -                     | -          | -    | -
 *
 * else       aborted, faulted
 * D          the deadline is reached: done with the error of the last failure
 * A          the attempt timeout is reached
 * I          the idle timeout is reached
 * P          trying: the idle timeout begins anew unless it stands still, and the checkpoint is noted
 * C          stopping: the checkpoint is noted
 * H          trying: a stream is opened, and waits for its first item without an idle timeout;
 *            an item was delivered, so the attempt timeout is over, and the idle timeout stands
 *            still; the next item is asked for, so the idle timeout begins anew
 * R          the policy refuses the value
 * timed out  the timeout is a failure: `stopping` if the policy has a grace, else failed
 * failed     policy.decide(failure, at): a pause -> pausing, a reason -> done,
 *            an error that it throws -> done. It is not asked if an item was delivered that
 *            must not be delivered again: then done
 * (*)        failed: the failure is the timeout, whatever the function throws now
 * -          the same state object
 * ```
 *
 * Two rules hold for the whole table. Ties: at one instant the deadline comes first, then the
 * attempt timeout, then the idle timeout, then the end of a pause. An attempt's outcome takes
 * effect in the order in which it is delivered; within a grace, the deadline wins a tie with it.
 * Early wakes: a `woke` before `wakeAt` and `idleAt` changes nothing.
 *
 * @module
 */

import { type Limit, LIMITS } from "./limit.ts";
import { TimeoutError } from "./timeout_error.ts";
import type {
  Delivery,
  Done,
  Event,
  Failure,
  Pausing,
  Policy,
  Progress,
  Reason,
  Reports,
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
    checkpoint: undefined,
    reports: null,
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
    checkpoint: undefined,
    reports: null,
    wakeAt: attemptEndsAt(policy, at, at),
    idleAt: at + policy.idleTimeout,
    delivery: null,
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
      return event.at < Math.min(state.wakeAt, idleAtOf(state))
        ? state
        : woke(policy, state, event.at, event.error);
    case "progressed":
      return progressed(policy, state, event.at, event.checkpoint);
    case "held":
      return state.phase === "trying" ? held(policy, state, event) : state;
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
    return end(state, state.lastFailure, at, "callbackError", rejected(thrown));
  }
  if (refusal === null) return end(state, state.lastFailure, at, "success", outcome);
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

function progressed(
  policy: Policy,
  state: Waiting,
  at: number,
  given: unknown,
): Waiting {
  if (state.phase === "pausing") return state;
  const checkpoint = given === undefined ? state.checkpoint : given;
  // A checkpoint covers the items that were delivered before it.
  const isCovered = given !== undefined && state.delivery === "unrepeatable";
  const delivery = isCovered ? "repeatable" : state.delivery;
  if (state.phase === "stopping") return { ...state, checkpoint, delivery };
  // While a stream waits for its first item, or an item is held, the idle timeout stands still.
  const idleAt = state.idleAt === Infinity ? Infinity : at + policy.idleTimeout;
  return moved(state, state.wakeAt, idleAt, delivery, checkpoint, reported(state, at));
}

function reported({ reports }: Trying, at: number): Reports {
  return reports === null
    ? { count: 1, firstAt: at, latestAt: at }
    : { count: reports.count + 1, firstAt: reports.firstAt, latestAt: at };
}

/** While the consumer holds an item, only the deadline runs. The first item is progress. */
function held(policy: Policy, state: Trying, event: Event & { type: "held" }): Trying {
  const { at, step, mayRepeat } = event;
  if (isHeldAlready(policy, state, step, mayRepeat)) return state;
  const { checkpoint, reports, wakeAt } = state;
  switch (step) {
    case "open":
      return moved(state, wakeAt, Infinity, "none", checkpoint, reports);
    case "ask":
      return moved(
        state,
        wakeAt,
        at + policy.idleTimeout,
        state.delivery,
        checkpoint,
        reports,
      );
    case "item":
      return moved(
        state,
        deadlineAt(policy, state.beganAt),
        Infinity,
        mayRepeat ? "repeatable" : "unrepeatable",
        checkpoint,
        state.delivery === "none" ? reported(state, at) : reports,
      );
  }
}

/**
 * Tells whether a step of a stream changes nothing.
 *
 * @param policy The limits.
 * @param state The present state.
 * @param step The step.
 * @param mayRepeat Whether the item may be delivered again.
 * @returns Whether `step` returns the same state.
 */
export function isHeldAlready(
  policy: Policy,
  state: State,
  step: (Event & { type: "held" })["step"],
  mayRepeat: boolean,
): boolean {
  if (state.phase !== "trying" || state.idleAt < Infinity) return false;
  if (step === "ask") return policy.idleTimeout === Infinity;
  return step === "item" && state.delivery === (mayRepeat ? "repeatable" : "unrepeatable");
}

/** The same attempt with other limits. Field by field, because a spread is slow. */
function moved(
  state: Trying,
  wakeAt: number,
  idleAt: number,
  delivery: Delivery,
  checkpoint: unknown,
  reports: Reports | null,
): Trying {
  return {
    phase: "trying",
    name: state.name,
    beganAt: state.beganAt,
    outerEndsAt: state.outerEndsAt,
    at: state.at,
    attempts: state.attempts,
    attemptAt: state.attemptAt,
    pause: state.pause,
    lastFailure: state.lastFailure,
    checkpoint,
    reports,
    wakeAt,
    idleAt,
    delivery,
  };
}

/**
 * The one place that knows what each limit means: the instant at which it is reached in a
 * state, or `Infinity` if it does not hold there.
 */
function limitAt(policy: Policy, limit: Limit, state: Waiting): number {
  switch (limit) {
    case "deadline":
      return deadlineAt(policy, state.beganAt);
    case "attempt":
      return state.phase === "trying" && (state.delivery ?? "none") === "none"
        ? state.attemptAt + policy.attemptTimeout
        : Infinity;
    case "idle":
      return idleAtOf(state);
  }
}

/** The instant of the idle timeout, which holds while the function runs. */
function idleAtOf(state: Waiting): number {
  return state.phase === "trying" ? state.idleAt : Infinity;
}

/** The length of a limit in milliseconds. */
function lengthOf(policy: Policy, limit: Limit): number {
  switch (limit) {
    case "deadline":
      return policy.deadline;
    case "attempt":
      return policy.attemptTimeout;
    case "idle":
      return policy.idleTimeout;
  }
}

function deadlineAt(policy: Policy, beganAt: number): number {
  return beganAt + policy.deadline;
}

/** The instant at which an attempt ends at the latest. The idle timeout has its own timer. */
function attemptEndsAt(policy: Policy, beganAt: number, attemptAt: number): number {
  return Math.min(deadlineAt(policy, beganAt), attemptAt + policy.attemptTimeout);
}

/** The limit that is reached by an instant, if there is one. The order of `LIMITS` decides. */
function limitReached(policy: Policy, state: Waiting, at: number): Limit | null {
  for (const limit of LIMITS) if (at >= limitAt(policy, limit, state)) return limit;
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
  const { name, beganAt, outerEndsAt, pause, lastFailure, checkpoint } = state;
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
    checkpoint,
    reports: null,
    wakeAt: attemptEndsAt(policy, beganAt, at),
    idleAt: at + policy.idleTimeout,
    delivery: null,
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
  if (policy.grace === 0 || isGivenNoTime(state)) {
    return failed(policy, state, at, error, limit);
  }
  const wakeAt = Math.min(deadlineAt(policy, state.beganAt), at + policy.grace);
  const { idleAt: _, ...rest } = state; // the function is no longer waited for
  return { ...rest, phase: "stopping", at, wakeAt, limit, error };
}

/**
 * Tells whether an attempt is given no time, so that its function is not called.
 *
 * @param state The state in which the attempt begins.
 * @returns Whether a limit is reached at once.
 */
export function isGivenNoTime(state: Trying): boolean {
  return Math.min(state.wakeAt, state.idleAt) <= state.at;
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
  if (state.delivery === "unrepeatable") {
    return end(state, lastFailure, at, "nonRetryable", rejected(error));
  }
  let decision;
  try {
    decision = policy.decide(lastFailure, at, state.lastFailure, isRefusal);
  } catch (thrown) {
    return end(state, lastFailure, at, "callbackError", rejected(thrown));
  }
  if (typeof decision === "string") {
    return end(state, lastFailure, at, decision, rejected(error));
  }
  // A failure that is noticed after the deadline has no time left for a pause.
  if (at >= deadlineAt(policy, state.beganAt)) {
    return end(state, lastFailure, at, "deadline", rejected(error));
  }
  return {
    phase: "pausing",
    name: state.name,
    beganAt: state.beganAt,
    outerEndsAt: state.outerEndsAt,
    at,
    attempts: state.attempts,
    attemptAt: state.attemptAt,
    pause: decision,
    lastFailure,
    checkpoint: state.checkpoint,
    reports: state.reports,
    wakeAt: Math.min(deadlineAt(policy, state.beganAt), at + decision),
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
  return end(state, lastFailure, at, "deadline", outcome);
}

function cancel(
  policy: Policy,
  state: Waiting,
  at: number,
  reason: "aborted" | "callbackError",
  error: unknown,
): Done {
  const lastFailure = failureSoFar(policy, state, at);
  return end(state, lastFailure, at, reason, rejected(error));
}

function end(
  state: Progress,
  lastFailure: Failure | null,
  at: number,
  reason: Reason,
  outcome: PromiseSettledResult<unknown>,
): Done {
  return {
    phase: "done",
    name: state.name,
    beganAt: state.beganAt,
    outerEndsAt: state.outerEndsAt,
    at,
    attempts: state.attempts,
    attemptAt: state.attemptAt,
    pause: state.pause,
    lastFailure,
    checkpoint: state.checkpoint,
    reports: state.reports,
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
  const { reports } = state;
  const isReset = reports !== null && at - reports.firstAt >= policy.resetAfter;
  return Object.freeze({
    error,
    name: state.name,
    attempt: state.attempts,
    streak: isReset ? 1 : (state.lastFailure?.streak ?? 0) + 1,
    limit,
    duration: at - state.attemptAt,
    elapsed: at - state.beganAt,
    remaining: Math.max(
      0,
      Math.min(deadlineAt(policy, state.beganAt), state.outerEndsAt) - at,
    ),
    pauseBefore: isReset ? 0 : state.pause,
  });
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: "rejected", reason };
}
