// Replays the log of an execution through the pure engine alone.

import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import { begin, isGivenNoTime, step } from "../../src/engine/engine.ts";
import type { Event, Failure, Policy, State } from "../../src/engine/state.ts";
import { factsOf, type LoggedEvent, reportsText } from "./runner.ts";
import { nameOf, type PolicyScript, type Script } from "./script.ts";

/** A policy that repeats the logged decisions, which the engine asks for in order. */
class LoggedPolicy implements Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly idleTimeout: number;
  readonly resetAfter: number;
  readonly #pauses: (number | null)[] = [];
  readonly #refusals: (string | null)[] = [];
  #reason = "";
  #label = "";

  constructor(policy: PolicyScript, log: readonly LoggedEvent[]) {
    this.attemptTimeout = policy.attemptTimeout ?? Infinity;
    this.deadline = policy.deadline ?? Infinity;
    this.grace = policy.grace ?? 0;
    this.idleTimeout = policy.idleTimeout ?? Infinity;
    this.resetAfter = policy.resetAfter ?? Infinity;
    for (const event of log) {
      if (event.type === "decided") this.#pauses.push(event.pauseAfter);
      if (event.type === "judged") this.#refusals.push(event.refusal);
      if (event.type !== "ended") continue;
      this.#reason = event.reason;
      this.#label = event.label;
    }
  }

  refusalOf(): string | null {
    const refusal = this.#refusals.shift() ?? null;
    if (refusal === "thrown") throw this.#label;
    return refusal;
  }

  decide(_: Failure): ReturnType<Policy["decide"]> {
    const pause = this.#pauses.shift() ?? null;
    if (pause !== null) return pause;
    if (this.#reason === "callbackError") throw this.#label;
    // If an abort ended the execution, this decision did not.
    return this.#reason === "aborted" ? 0 : this.#reason as "giveup";
  }
}

/** All states of an execution, in order. */
export function replay(script: Script, log: readonly LoggedEvent[]): State[] {
  const logged = new LoggedPolicy(script.policy, log);
  let state: State = begin(0, nameOf(script));
  const states: State[] = [state];
  const apply = (event: Event) => {
    const before = state;
    const next = step(logged, before, event);
    if (next !== before) states.push(next);
    state = next;
    // An attempt that is given no time ends as it begins.
    if (next !== before && next.phase === "trying" && isGivenNoTime(next)) {
      apply({ type: "woke", at: next.at });
    }
  };
  for (const event of log) {
    if (isDecision(event)) continue;
    if ("attempt" in event && event.attempt !== state.attempts) continue;
    apply(eventOf(event));
  }
  return states;
}

type LoggedDecision = Extract<LoggedEvent, { type: "judged" | "decided" | "ended" }>;

function isDecision(event: LoggedEvent): event is LoggedDecision {
  return event.type === "judged" || event.type === "decided" || event.type === "ended";
}

function eventOf(event: Exclude<LoggedEvent, LoggedDecision>): Event {
  const { at } = event;
  if (event.type === "aborted") return { type: "aborted", at, reason: event.label };
  if (event.type === "progressed") return { ...event, type: "progressed" };
  if (event.type !== "settled") return { type: "woke", at };
  const outcome: PromiseSettledResult<unknown> = event.status === "fulfilled"
    ? { status: "fulfilled", value: event.label }
    : { status: "rejected", reason: event.label };
  return { type: "settled", at, outcome };
}

/** The events that an observer would receive, as lines of a trace. */
export function observed(states: readonly State[]): string[] {
  return states.flatMap((state, index) => {
    const before = states[index - 1];
    return before === undefined ? [] : observedInStep(before, state);
  });
}

function observedInStep(before: State, { at, ...state }: State): string[] {
  const lines: string[] = [];
  const { lastFailure, attempts } = state;
  if (lastFailure !== null && lastFailure !== before.lastFailure) {
    const pauseAfter = state.phase === "pausing" ? state.pause : null;
    const label = labelOf(lastFailure.error, attempts);
    lines.push(
      `${at} observed failure ${factsOf(lastFailure, label)}, then ${pauseAfter}${
        reportsText(state, 0)
      }`,
    );
  }
  if (state.phase === "trying" && before.phase !== "trying") {
    lines.push(`${at} observed attempt ${attempts}`);
  }
  if (state.phase !== "done") return lines;
  const { reason, outcome } = state;
  const end = outcome.status === "fulfilled"
    ? `fulfilled with ${labelOf(outcome.value, attempts)}`
    : `rejected with ${labelOf(outcome.reason, attempts)}`;
  const facts = `attempts ${attempts}, elapsed ${at}`;
  return [
    ...lines,
    `${at} observed done by ${reason}: ${end}, ${facts}${reportsText(state, 0)}`,
  ];
}

/** The attempt in which a timeout was first seen, by which it is labelled. */
const firstSeen = new WeakMap<TimeoutError, number>();

function labelOf(value: unknown, attempt: number): string {
  if (!(value instanceof TimeoutError)) return String(value);
  if (!firstSeen.has(value)) firstSeen.set(value, attempt);
  return value.limit === "deadline"
    ? `deadline of ${value.ms}`
    : `${value.limit} timeout of ${value.ms} (${firstSeen.get(value)})`;
}
