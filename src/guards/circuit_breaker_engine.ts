/**
 * The rules of a circuit breaker as a pure reducer: no promise, no timer, no clock. A state is
 * plain data, so it can be written as JSON and read again at any time.
 *
 * ```text
 * phase     | called       | succeeded     | failed       | aborted  | isolated | closed
 * closed    | -            | counts (*)    | counts (*)   | -        | isolated | -
 * open      | -            | -             | -            | -        | isolated | closed
 * half-open | a trial, T   | a success, S  | open         | freed    | isolated | closed
 * isolated  | -            | -             | -            | -        | -        | closed
 *
 * (*)  then open, if the calls that ended in the window are at least `minCalls`, of which
 *      `failureRatio` failed, or if `consecutiveFailures` in a row failed
 * T    while the trials that are pending or have succeeded are fewer than `trials`; else -
 * S    if `trials` have succeeded: closed
 * -    the same state object
 * ```
 *
 * Time comes before each event: an open circuit is half-open when `openFor` has passed, and a
 * trial that has been pending for `openFor` has failed at that instant.
 *
 * A call that is admitted gets the ticket of the state, and its end brings it back. A ticket of
 * an earlier state changes nothing: its result says nothing about the present one.
 *
 * @module
 */

import type {
  BreakerInput,
  BreakerPhase,
  BreakerPolicy,
  BreakerState,
  ClosedCircuit,
  Ended,
  HalfOpenCircuit,
  IsolatedCircuit,
  OpenCircuit,
  OpenedCircuit,
} from "./circuit_breaker_state.ts";
import { counted, emptyWindow, shifted } from "./window.ts";

type StateOf<Phase extends BreakerPhase> = BreakerState & { readonly phase: Phase };
type InputOf<Type extends BreakerInput["type"]> = BreakerInput & { readonly type: Type };
type Table = {
  readonly [Phase in BreakerPhase]: {
    readonly [Type in BreakerInput["type"]]: (
      policy: BreakerPolicy,
      state: StateOf<Phase>,
      input: InputOf<Type>,
    ) => BreakerState;
  };
};

const same = (_policy: BreakerPolicy, state: BreakerState) => state;

/** The table above, by which a phase or an event that is added must have its cells. */
const TABLE: Table = {
  closed: {
    called: same,
    succeeded: count,
    failed: count,
    aborted: same,
    isolated: isolate,
    closed: same,
  },
  open: {
    called: same,
    succeeded: same,
    failed: same,
    aborted: same,
    isolated: isolate,
    closed: close,
  },
  "half-open": {
    called: tryOnce,
    succeeded: trialSucceeded,
    failed: trialFailed,
    aborted: freeTrial,
    isolated: isolate,
    closed: close,
  },
  isolated: {
    called: same,
    succeeded: same,
    failed: same,
    aborted: same,
    isolated: same,
    closed: close,
  },
};

/**
 * The state of a new circuit breaker, which is closed.
 *
 * @param at The instant.
 * @param ticket The ticket that was given last. Default: 0.
 * @returns The state.
 */
export function closedCircuit(at: number, ticket: number = 0): ClosedCircuit {
  return {
    phase: "closed",
    at,
    ticket: ticket + 1,
    failuresInRow: 0,
    window: emptyWindow(),
  };
}

/**
 * The next state: time first, and then one cell of the table above.
 *
 * @param policy The rules.
 * @param state The present state.
 * @param input The event.
 * @returns The next state, or `state` itself if nothing changes.
 */
export function step(
  policy: BreakerPolicy,
  state: BreakerState,
  input: BreakerInput,
): BreakerState {
  let present = state;
  for (;;) {
    const next = elapse(policy, present, input.at);
    if (next === present) break;
    present = next;
  }
  if (isEnd(input) && !isHeld(present, input.ticket)) return present;
  const cell = TABLE[present.phase][input.type] as Table["closed"]["called"];
  return cell(policy, present as ClosedCircuit, input as InputOf<"called">);
}

function isEnd(input: BreakerInput): input is InputOf<"succeeded" | "failed" | "aborted"> {
  return input.type === "succeeded" || input.type === "failed" || input.type === "aborted";
}

/**
 * The next change that time alone makes.
 *
 * @param policy The rules.
 * @param state The present state.
 * @param at The instant.
 * @returns The next state; `state` itself if time has changed nothing by then.
 */
export function elapse(
  policy: BreakerPolicy,
  state: BreakerState,
  at: number,
): BreakerState {
  if (state.phase === "open" && at >= state.openUntil) {
    const { ticket, openings, openFor, openUntil } = state;
    return {
      phase: "half-open",
      at: openUntil,
      ticket,
      openings,
      openFor,
      trials: [],
      succeeded: 0,
    };
  }
  const expiresAt = state.phase === "half-open" ? expiryOf(state) : Infinity;
  return at >= expiresAt ? open(policy, state, expiresAt) : state;
}

/**
 * Tells whether a state admits a call, after time has been taken into account.
 *
 * @param policy The rules.
 * @param state The state.
 * @param at The instant.
 * @returns `null` if it does. If it does not: milliseconds until time changes the state.
 */
export function retryIn(
  policy: BreakerPolicy,
  state: BreakerState,
  at: number,
): number | null {
  switch (state.phase) {
    case "closed":
      return null;
    case "open":
      return state.openUntil - at;
    case "half-open":
      return hasRoom(policy, state) ? null : expiryOf(state) - at;
    case "isolated":
      return Infinity;
  }
}

/**
 * Tells whether a ticket belongs to the present state.
 *
 * @param state The state.
 * @param ticket The ticket.
 * @returns Whether the end of its call counts.
 */
export function isHeld(state: BreakerState, ticket: number): boolean {
  if (state.phase === "closed") return ticket === state.ticket;
  return state.phase === "half-open" &&
    state.trials.some((each) => each.ticket === ticket);
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
  policy: BreakerPolicy,
  state: BreakerState,
  at: number,
): BreakerState {
  const by = at - state.at;
  if (by >= 0) return state;
  switch (state.phase) {
    case "closed":
      return { ...state, at, window: shifted(state.window, policy.window, by) };
    case "open":
      return { ...state, at, openUntil: state.openUntil + by };
    case "half-open": {
      const trials = state.trials.map(({ ticket, beganAt }) => ({
        ticket,
        beganAt: beganAt + by,
      }));
      return { ...state, at, trials };
    }
    case "isolated":
      return { ...state, at };
  }
}

/** The instant at which the first of the pending trials counts as failed. */
function expiryOf({ trials, openFor }: HalfOpenCircuit): number {
  return (trials[0]?.beganAt ?? Infinity) + openFor;
}

function hasRoom(policy: BreakerPolicy, { trials, succeeded }: HalfOpenCircuit): boolean {
  return trials.length === 0 || trials.length + succeeded < policy.trials;
}

/**
 * The end of a call in a closed circuit: two cells of the table.
 *
 * @param policy The rules.
 * @param state The present state.
 * @param input The end. Its ticket must be that of the state.
 * @returns The next state.
 */
export function count(
  policy: BreakerPolicy,
  state: ClosedCircuit,
  { type, at }: Pick<InputOf<"succeeded" | "failed">, "type" | "at">,
): BreakerState {
  const failures = type === "failed" ? 1 : 0;
  const failuresInRow = failures * (state.failuresInRow + 1);
  const window = policy.failureRatio === Infinity
    ? state.window
    : counted(state.window, policy.window, at, 1, failures);
  const isOpened = failuresInRow >= policy.consecutiveFailures ||
    (window.total >= policy.minCalls && window.part / window.total >= policy.failureRatio);
  if (isOpened) return open(policy, state, at);
  return { phase: "closed", at, ticket: state.ticket, failuresInRow, window };
}

function open(policy: BreakerPolicy, state: BreakerState, at: number): OpenCircuit {
  const before = state as Partial<OpenedCircuit>;
  const openings = (before.openings ?? 0) + 1;
  const openFor = policy.openFor(openings, before.openFor ?? 0);
  const { ticket } = state;
  return { phase: "open", at, ticket, openings, openFor, openUntil: at + openFor };
}

function tryOnce(
  policy: BreakerPolicy,
  state: HalfOpenCircuit,
  { at }: InputOf<"called">,
): BreakerState {
  if (!hasRoom(policy, state)) return state;
  const ticket = state.ticket + 1;
  return { ...state, at, ticket, trials: [...state.trials, { ticket, beganAt: at }] };
}

function trialSucceeded(
  policy: BreakerPolicy,
  state: HalfOpenCircuit,
  input: InputOf<"succeeded">,
): BreakerState {
  const succeeded = state.succeeded + 1;
  return succeeded >= policy.trials
    ? close(policy, state, input)
    : { ...freeTrial(policy, state, input), succeeded };
}

function trialFailed(
  policy: BreakerPolicy,
  state: HalfOpenCircuit,
  { at }: InputOf<"failed">,
): BreakerState {
  return open(policy, state, at);
}

function freeTrial(
  _policy: BreakerPolicy,
  state: HalfOpenCircuit,
  { at, ticket }: Ended,
): HalfOpenCircuit {
  const trials = state.trials.filter((each) => each.ticket !== ticket);
  return { ...state, at, trials };
}

function isolate(
  _policy: BreakerPolicy,
  { ticket }: BreakerState,
  { at }: { readonly at: number },
): IsolatedCircuit {
  return { phase: "isolated", at, ticket };
}

function close(
  _policy: BreakerPolicy,
  { ticket }: BreakerState,
  { at }: { readonly at: number },
): ClosedCircuit {
  return closedCircuit(at, ticket);
}
