// Plays the log of an execution again, through the pure engine alone.

import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import { begin, step } from "../../src/engine/engine.ts";
import type { Event, Failure, Policy, State } from "../../src/engine/state.ts";
import type { LoggedEvent } from "./runner.ts";
import type { PolicyScript } from "./script.ts";

/** What was decided, as it was logged: the engine asks for it in the same order. */
class LoggedPolicy implements Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly #pauses: (number | null)[] = [];
  #reason = "";
  #label = "";

  constructor(policy: PolicyScript, log: readonly LoggedEvent[]) {
    this.attemptTimeout = policy.attemptTimeout ?? Infinity;
    this.deadline = policy.deadline ?? Infinity;
    this.grace = policy.grace ?? 0;
    for (const event of log) {
      if (event.type === "decided") this.#pauses.push(event.pause);
      if (event.type !== "ended") continue;
      this.#reason = event.reason;
      this.#label = event.label;
    }
  }

  decide(_: Failure): ReturnType<Policy["decide"]> {
    const pause = this.#pauses.shift() ?? null;
    if (pause !== null) return pause;
    if (this.#reason === "callbackError") throw this.#label;
    // What the deadline or an abort ended needs no more than to go on.
    const isEndedHere = this.#reason !== "deadline" && this.#reason !== "aborted";
    return isEndedHere ? this.#reason as "giveup" : 0;
  }
}

/** The states of an execution, from the first on. */
export function replay(policy: PolicyScript, log: readonly LoggedEvent[]): State[] {
  const logged = new LoggedPolicy(policy, log);
  let state: State = begin(0, "");
  const states: State[] = [state];
  const on = (event: Event) => {
    const next = step(logged, state, event);
    if (next !== state) states.push(next);
    state = next;
    // An attempt that is given no time is over when it begins.
    if (next.phase === "trying" && next.wakeAt === next.at) {
      on({ type: "woke", at: next.at });
    }
  };
  for (const event of log) {
    if (event.type === "decided" || event.type === "ended") continue;
    if (event.type === "settled" && event.attempt !== state.tries) continue;
    on(eventOf(event));
  }
  return states;
}

function eventOf(event: Exclude<LoggedEvent, { type: "decided" | "ended" }>): Event {
  const { at } = event;
  if (event.type === "aborted") return { type: "aborted", at, reason: event.label };
  if (event.type !== "settled") return { type: "woke", at };
  const outcome: PromiseSettledResult<unknown> = event.status === "fulfilled"
    ? { status: "fulfilled", value: event.label }
    : { status: "rejected", reason: event.label };
  return { type: "settled", at, outcome };
}

/** What an observer would be told of the states, in the words of the traces. */
export function told(states: readonly State[]): string[] {
  return states.flatMap((state, index) => {
    const before = states[index - 1];
    return before === undefined ? [] : toldOfStep(before, state);
  });
}

function toldOfStep(before: State, { at, ...state }: State): string[] {
  const lines: string[] = [];
  const { lastFailure, tries } = state;
  if (lastFailure !== null && lastFailure !== before.lastFailure) {
    const next = state.phase === "pausing" ? state.pause : null;
    const { error, elapsed, remaining, pause } = lastFailure;
    const facts =
      `tries ${tries}, elapsed ${elapsed}, remaining ${remaining}, pause ${pause}`;
    lines.push(`${at} told failure ${labelOf(error, tries)}, ${facts}, then ${next}`);
  }
  if (state.phase === "trying") lines.push(`${at} told attempt ${tries}`);
  if (state.phase !== "done") return lines;
  const { reason, outcome } = state;
  const end = outcome.status === "fulfilled"
    ? `fulfilled with ${labelOf(outcome.value, tries)}`
    : `rejected with ${labelOf(outcome.reason, tries)}`;
  return [...lines, `${at} told done by ${reason}: ${end}, tries ${tries}, elapsed ${at}`];
}

/** The attempt of a timeout is the one at which it is first seen. */
const firstSeen = new WeakMap<TimeoutError, number>();

function labelOf(thing: unknown, tries: number): string {
  if (!(thing instanceof TimeoutError)) return String(thing);
  if (!firstSeen.has(thing)) firstSeen.set(thing, tries);
  return thing.limit === "attempt"
    ? `attempt timeout of ${thing.ms} (${firstSeen.get(thing)})`
    : `deadline of ${thing.ms}`;
}
