/**
 * The rules of a hedged execution as a pure reducer: no promise, no timer, no clock. A state is
 * plain data. It says which calls run, and when the next one is to begin.
 *
 * ```text
 * phase   | woke | returned | failed, fatal | failed, not fatal | aborted
 * racing  | W    | decided  | decided       | F                 | decided
 * decided | -    | -        | -             | -                 | -
 *
 * W  when `hedgeAt` has come: next
 * F  without a pushback: next. With one >= 0: racing, and next when it has passed. With a
 *    negative one: no other call
 * -  the same state object
 *
 * next           one more call, if one is left and `mayHedge` allows it; else no other call
 * no other call  racing while a call runs; else decided by the last error
 * ```
 *
 * After each call that it begins, the next one is due after `after`. These are the rules of
 * hedging in gRPC: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 *
 * @module
 */

/** Calls are running, or will. */
export interface Racing {
  readonly phase: "racing";
  /** The instant at which this state was entered. */
  readonly at: number;
  /** The instant at which the first call began. */
  readonly beganAt: number;
  /** Milliseconds after which the next call is due; `null` if no time is known. */
  readonly after: number | null;
  /** The number of calls that have begun. They are numbered from 1. */
  readonly calls: number;
  /** The calls that are running, in the order in which they began. */
  readonly running: readonly number[];
  /** The number of calls that may still begin. */
  readonly left: number;
  /** The instant at which the next call is due; `null` if none is by time. */
  readonly hedgeAt: number | null;
}

/** The result is known. */
export interface Decided {
  readonly phase: "decided";
  /** The instant. */
  readonly at: number;
  /** The instant at which the first call began. */
  readonly beganAt: number;
  /** The number of calls that have begun. */
  readonly calls: number;
  /** The calls that are running, and no longer needed. */
  readonly running: readonly number[];
  /** By a value, by the last error, or by an abort. */
  readonly by: "returned" | "failed" | "aborted";
  /** The call that returned the value; `null` if none did. */
  readonly call: number | null;
}

/** The state of an execution: plain data. Immutable. */
export type HedgedState = Racing | Decided;

/** An event, and its instant, which is never before that of the state. */
export type HedgedInput =
  /** The instant that the state waits for has come. */
  | { readonly type: "woke"; readonly at: number }
  | { readonly type: "returned"; readonly at: number; readonly call: number }
  | {
    readonly type: "failed";
    readonly at: number;
    readonly call: number;
    /** Whether the error ends the execution. */
    readonly isFatal: boolean;
    /** Milliseconds that the service asks to wait; negative to send no more; `null` for neither. */
    readonly pushback: number | null;
  }
  | { readonly type: "aborted"; readonly at: number };

/** The rules that depend on others than this execution. */
export interface HedgedPolicy {
  /**
   * Decides about a call after the first. Called once for each.
   *
   * @param at The instant.
   * @returns Whether the call may begin.
   */
  mayHedge(at: number): boolean;
}

/**
 * The state in which the first call begins.
 *
 * @param at The instant.
 * @param after Milliseconds after which the next call is due; `null` if no time is known.
 * @param maxHedges The maximum number of calls after the first.
 * @returns The state.
 */
export function beginHedged(at: number, after: number | null, maxHedges: number): Racing {
  return {
    phase: "racing",
    at,
    beganAt: at,
    after,
    calls: 1,
    running: [1],
    left: maxHedges,
    hedgeAt: dueAt(at, after, maxHedges),
  };
}

/**
 * The next state: one cell of the table above.
 *
 * @param policy The rules that depend on others.
 * @param state The present state.
 * @param input The event.
 * @returns The next state, or `state` itself if nothing changes.
 */
export function step(
  policy: HedgedPolicy,
  state: HedgedState,
  input: HedgedInput,
): HedgedState {
  if (state.phase === "decided") return state;
  const { at } = input;
  switch (input.type) {
    case "woke":
      return state.hedgeAt === null || at < state.hedgeAt ? state : next(policy, state, at);
    case "returned":
      return has(state, input.call)
        ? decided(without(state, input.call), at, "returned", input.call)
        : state;
    case "failed":
      return has(state, input.call)
        ? failed(policy, without(state, input.call), input)
        : state;
    case "aborted":
      return decided(state, at, "aborted", null);
  }
}

function failed(
  policy: HedgedPolicy,
  state: Racing,
  { at, isFatal, pushback }: HedgedInput & { readonly type: "failed" },
): HedgedState {
  if (isFatal) return decided(state, at, "failed", null);
  if (pushback === null) return next(policy, state, at);
  if (pushback < 0 || state.left === 0) return noOther(state, at);
  return { ...state, at, hedgeAt: at + pushback };
}

function next(policy: HedgedPolicy, state: Racing, at: number): HedgedState {
  if (state.left === 0 || !policy.mayHedge(at)) return noOther(state, at);
  const [calls, left] = [state.calls + 1, state.left - 1];
  const running = [...state.running, calls];
  return { ...state, at, calls, left, running, hedgeAt: dueAt(at, state.after, left) };
}

function noOther(state: Racing, at: number): HedgedState {
  return state.running.length === 0
    ? decided(state, at, "failed", null)
    : { ...state, at, left: 0, hedgeAt: null };
}

function decided(
  { beganAt, calls, running }: Racing,
  at: number,
  by: Decided["by"],
  call: number | null,
): Decided {
  return { phase: "decided", at, beganAt, calls, running, by, call };
}

function has({ running }: Racing, call: number): boolean {
  return running.includes(call);
}

function without(state: Racing, call: number): Racing {
  return { ...state, running: state.running.filter((each) => each !== call) };
}

function dueAt(at: number, after: number | null, left: number): number | null {
  return after === null || left === 0 ? null : at + after;
}
