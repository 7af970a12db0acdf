// Every state that the engine can reach within a few attempts, and every step between them.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertStrictEquals,
} from "@std/assert";
import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import { begin, limitError, step } from "../../src/engine/engine.ts";
import type {
  Done,
  Event,
  Failure,
  Policy,
  Refusal,
  State,
} from "../../src/engine/state.ts";

const BEGAN_AT = 1000;
const MAX_ATTEMPTS = 3;

/** The errors of the function. The policy's decision depends on which one it is. */
const errors = {
  retryable: new Error("retryable"),
  nonRetryable: new Error("nonRetryable"),
  exhausted: new Error("exhausted"),
  hopeless: new Error("hopeless"),
  untimely: new Error("untimely"),
  buggy: new Error("buggy"),
};
const refusal = new Error("refused");
const bug = new Error("a bug of the policy");
const reason = new Error("the caller's reason");

/** The values of the function, by the name of the step that each causes. */
const values = { fulfilled: "value", refused: "a value to refuse", unjudged: "buggy" };

const decisions = new Map<unknown, string>(
  Object.entries(values).map(([how, value]) => [value, how]),
);

interface Rules {
  attemptTimeout: number;
  deadline: number;
  grace: number;
  pause: number;
  maxTries: number;
  /** Milliseconds until the end of the outer attempt; absent without one. */
  outer?: number;
}

class ExploredPolicy implements Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly rules: Rules;
  readonly asked: [failure: Failure, previous: Failure | null, isRefusal: boolean][] = [];
  readonly judged: unknown[] = [];

  constructor(rules: Rules) {
    this.attemptTimeout = rules.attemptTimeout;
    this.deadline = rules.deadline;
    this.grace = rules.grace;
    this.rules = rules;
  }

  refusalOf(value: unknown, name: string): Error | null {
    this.judged.push(value);
    assertStrictEquals(name, "load");
    if (value === values.unjudged) throw bug;
    return value === values.refused ? refusal : null;
  }

  decide(
    failure: Failure,
    at: number,
    previous: Failure | null,
    isRefusal: boolean,
  ): number | Refusal {
    this.asked.push([failure, previous, isRefusal]);
    assertStrictEquals(at, BEGAN_AT + failure.elapsed);
    if (failure.error === errors.nonRetryable) return "nonRetryable";
    if (failure.error === errors.exhausted) return "exhausted";
    if (failure.attempt >= this.rules.maxTries) return "maxTries";
    if (failure.error === errors.hopeless) return "giveup";
    if (failure.error === errors.untimely) return "deadline";
    if (failure.error === errors.buggy) throw bug;
    return this.rules.pause;
  }
}

/**
 * The interesting instants: around the wake, around the deadline, and now. After the end, they
 * make no difference.
 */
function instants(policy: Policy, state: State): number[] {
  if (state.phase === "done") return [state.at, state.at + 1];
  const deadlineAt = BEGAN_AT + policy.deadline;
  const { wakeAt } = state;
  const all = [state.at, state.at + 1, wakeAt - 1, wakeAt, wakeAt + 1, deadlineAt - 1]
    .concat(deadlineAt, deadlineAt + 1);
  return [...new Set(all)].filter((at) => at >= state.at && at < Infinity);
}

function eventsAt(policy: Policy, state: State, at: number): Event[] {
  const rejections = Object.values(errors).map((reason): Event => ({
    type: "settled",
    at,
    outcome: { status: "rejected", reason },
  }));
  const error = state.phase === "trying" ? { error: limitError(policy, state, at) } : {};
  const fulfillments = Object.values(values).map((value): Event => ({
    type: "settled",
    at,
    outcome: { status: "fulfilled", value },
  }));
  return [
    { type: "woke", at, ...error },
    ...fulfillments,
    ...rejections,
    { type: "aborted", at, reason },
    { type: "faulted", at, reason: bug },
  ];
}

/**
 * A state as text. Errors and `Infinity`, which are not plain data, are written by name. A
 * number distinguishes errors that have the same message.
 */
function write(state: unknown, named = new Map<string, unknown>()): string {
  return JSON.stringify(state, (_key, part) => {
    if (part !== Infinity && !(part instanceof Error)) return part;
    const known = [...named.values()].indexOf(part);
    const name = `<${known < 0 ? named.size : known}: ${part}>`;
    named.set(name, part);
    return name;
  });
}

/** The same information in a text that cannot be read back, and takes a third of the time. */
function keyOf(part: unknown, errors: unknown[] = []): string {
  if (typeof part !== "object" || part === null) return String(part);
  if (part instanceof Error) {
    if (!errors.includes(part)) errors.push(part);
    return `<${errors.indexOf(part)} ${part.message}>`;
  }
  let key = "";
  for (const name in part) {
    key += `${name}=${keyOf(part[name as keyof typeof part], errors)},`;
  }
  return key;
}

/** A copy of a state that is read from its text. It is equal if the state is plain data. */
function copy(state: State): unknown {
  const named = new Map<string, unknown>();
  const text = write(state, named);
  return JSON.parse(text, (_key, part) => named.get(part) ?? part);
}

/** Freezes a state, so that a step that modifies it throws. */
function freeze(state: State): State {
  if (state.phase === "done") Object.freeze(state.outcome);
  return Object.freeze(state);
}

class Exploration {
  readonly #policy: ExploredPolicy;
  readonly #seen = new Set<string>();
  readonly moves = new Set<string>();
  readonly ends = new Set<string>();

  constructor(rules: Rules) {
    this.#policy = new ExploredPolicy(rules);
  }

  get size(): number {
    return this.#seen.size;
  }

  /** The outer attempt bounds what remains, and nothing else. */
  get #outerEndsAt(): number {
    return BEGAN_AT + (this.#policy.rules.outer ?? Infinity);
  }

  /** Visits each state once, breadth first. */
  run(): this {
    let states = this.#add([], begin(BEGAN_AT, "load", this.#outerEndsAt));
    while (states.length > 0) states = states.flatMap((state) => this.#follow(state));
    return this;
  }

  #add(states: State[], state: State): State[] {
    const key = keyOf(state);
    if (this.#seen.has(key)) return states;
    this.#seen.add(key);
    assertEquals(copy(state), state, key);
    states.push(freeze(state));
    return states;
  }

  /** The new states that are one step away. */
  #follow(state: State): State[] {
    const states: State[] = [];
    for (const at of instants(this.#policy, state)) {
      for (const event of eventsAt(this.#policy, state, at)) {
        const next = this.#step(state, Object.freeze(event));
        // Without `maxTries`, a policy goes on for ever. The exploration must not.
        const isNew = next !== state && next.attempts <= MAX_ATTEMPTS;
        if (isNew) this.#add(states, next);
      }
    }
    return states;
  }

  #step(state: State, event: Event): State {
    const { asked, judged } = this.#policy;
    asked.length = 0;
    judged.length = 0;
    const next = step(this.#policy, state, event);
    const how = howOf(event);
    this.moves.add(`${state.phase} ${how} ${next === state ? "-" : next.phase}`);
    try {
      this.#checkAnyStep(state, event, next);
      if (next !== state) this.#checkChange(state, event, next);
      if (next.phase === "done" && next !== state) this.#checkEnd(state, event, next);
    } catch (error) {
      const steps = [state, event, next].map((each) => write(each));
      throw new Error(steps.join("\n"), { cause: error });
    }
    return next;
  }

  #checkAnyStep(state: State, event: Event, next: State): void {
    const deadlineAt = BEGAN_AT + this.#policy.deadline;
    const { asked } = this.#policy;
    if (state.phase === "done") return assertStrictEquals(next, state);
    if (event.type === "woke") {
      if (event.at < state.wakeAt) assertStrictEquals(next, state);
      else assert(next !== state, "a wake that is due has an effect");
      if (event.at >= deadlineAt) assertStrictEquals(next.phase, "done");
    }
    if (event.type === "aborted" || event.type === "faulted") {
      assertStrictEquals(next.phase, "done");
    }
    const isSettled = event.type === "settled" && state.phase !== "pausing" &&
      !(state.phase === "stopping" && event.at === deadlineAt);
    const how = howOf(event);
    const isJudged = isSettled && how !== "rejected";
    assertStrictEquals(this.#policy.judged.length, isJudged ? 1 : 0);
    if (isJudged) assertStrictEquals(this.#policy.judged[0], valueOf(event));
    const isFailure = event.type === "settled"
      ? isSettled && (how === "rejected" || how === "refused")
      : event.type === "woke" && event.at >= state.wakeAt && event.at < deadlineAt &&
        state.phase !== "pausing" && next.phase !== "stopping";
    assertStrictEquals(asked.length, isFailure ? 1 : 0);
    if (asked[0] === undefined) return;
    const [failure, previous, isRefusal] = asked[0];
    assertStrictEquals(next.lastFailure, failure);
    assertStrictEquals(previous, state.lastFailure);
    // In the grace, the failure is the timeout, whatever the value is.
    assertStrictEquals(isRefusal, how === "refused" && state.phase === "trying");
    if (isRefusal) assertStrictEquals(failure.error, refusal);
  }

  #checkChange(state: State, event: Event, next: State): void {
    const { attemptTimeout, deadline, grace, rules } = this.#policy;
    const deadlineAt = BEGAN_AT + deadline;
    assertStrictEquals(next.at, event.at);
    assertStrictEquals(next.beganAt, BEGAN_AT);
    assertStrictEquals(next.name, "load");
    assertStrictEquals(next.outerEndsAt, this.#outerEndsAt);
    assert(next.at >= state.at);
    assert(next.attempts <= rules.maxTries);
    assertStrictEquals(next.attempts, state.attempts + (next.phase === "trying" ? 1 : 0));
    assertStrictEquals(next.attemptAt, next.phase === "trying" ? next.at : state.attemptAt);
    assertStrictEquals(next.pause, next.phase === "pausing" ? rules.pause : state.pause);
    if (next.lastFailure !== state.lastFailure) this.#checkFailure(state, event, next);
    else {
      assert(
        state.phase !== "stopping" || (next as Done).reason === "success" ||
          howOf(event) === "unjudged",
      );
    }
    if (next.phase === "done") return;
    assert(next.wakeAt >= next.at && next.wakeAt <= deadlineAt);
    assert(next.at < deadlineAt, "at the deadline it is done");
    assert(
      next.phase !== "stopping" || attemptTimeout > 0,
      "an attempt that was never called has no grace",
    );
    const wait = {
      trying: attemptTimeout,
      stopping: grace,
      pausing: rules.pause,
    }[next.phase];
    assertStrictEquals(next.wakeAt, Math.min(next.at + wait, deadlineAt));
    if (next.phase === "stopping") {
      assert(state.phase === "trying" && event.type === "woke");
      assertStrictEquals(next.limit, "attempt");
      assertStrictEquals(next.error.limit, "attempt");
      assertStrictEquals(next.error.ms, attemptTimeout);
    }
    if (next.phase === "trying") {
      assertStrictEquals(state.phase, "pausing");
      const endedAt = BEGAN_AT + (state.lastFailure?.elapsed ?? 0);
      assert(next.at >= endedAt + next.pause, "the pause is never shortened");
    }
  }

  #checkFailure(state: State, event: Event, next: State): void {
    const failure = next.lastFailure;
    const deadlineAt = BEGAN_AT + this.#policy.deadline;
    assert(state.phase === "trying" || state.phase === "stopping");
    assert(failure !== null && Object.isFrozen(failure));
    assertStrictEquals(failure.attempt, state.attempts);
    assertStrictEquals(failure.pauseBefore, state.pause);
    const isByItself = state.phase === "trying" && event.type === "settled";
    assertStrictEquals(failure.limit, isByItself ? null : "attempt");
    assertStrictEquals(failure.duration, next.at - state.attemptAt);
    assertStrictEquals(failure.elapsed, next.at - BEGAN_AT);
    const endsAt = Math.min(deadlineAt, this.#outerEndsAt);
    assertStrictEquals(failure.remaining, Math.max(0, endsAt - next.at));
    if (state.phase === "stopping") assertStrictEquals(failure.error, state.error);
  }

  #checkEnd(state: State, event: Event, next: Done): void {
    const { outcome } = next;
    this.ends.add(`${next.attempts} ${next.reason}`);
    assertStrictEquals("wakeAt" in next || "error" in next || "limit" in next, false);
    assertStrictEquals(outcome.status === "fulfilled", next.reason === "success");
    assertStrictEquals(event.type === "aborted", next.reason === "aborted");
    if (outcome.status === "fulfilled") {
      assert(event.type === "settled" && state.phase !== "pausing");
      return assertStrictEquals(outcome, event.outcome);
    }
    if (next.reason === "aborted") return assertStrictEquals(outcome.reason, reason);
    if (next.reason === "callbackError") return assertStrictEquals(outcome.reason, bug);
    if (next.lastFailure !== null) {
      return assertStrictEquals(outcome.reason, next.lastFailure.error);
    }
    assertStrictEquals(next.reason, "deadline");
    assert(outcome.reason instanceof TimeoutError);
    assertStrictEquals(outcome.reason.limit, "deadline");
    assertStrictEquals(outcome.reason.ms, this.#policy.deadline);
  }
}

/** The value of an attempt. */
function valueOf(event: Event): unknown {
  return event.type === "settled" && event.outcome.status === "fulfilled"
    ? event.outcome.value
    : undefined;
}

/** The kind of an event: its type, or the decision about the outcome. */
function howOf(event: Event): string {
  if (event.type !== "settled") return event.type;
  if (event.outcome.status === "rejected") return "rejected";
  return decisions.get(valueOf(event)) ?? "";
}

/** Each exploration runs once, in the first test that needs it. */
const explorations = new Map<Rules, Exploration>();

function explore(rules: Rules): Exploration {
  const exploration = explorations.get(rules) ?? new Exploration(rules).run();
  explorations.set(rules, exploration);
  return exploration;
}

const bounded = { attemptTimeout: 10, deadline: 80, grace: 5, pause: 10, maxTries: 3 };
const graceless = { ...bounded, grace: 0 };

/**
 * The rules to explore, and a minimum of states, because an empty exploration proves
 * nothing.
 */
const explored: Record<string, [rules: Rules, min: number]> = {
  "with every rule": [bounded, 9000],
  "without a grace": [graceless, 3500],
  "with an infinite grace": [{ ...bounded, grace: Infinity }, 5000],
  "with a pause of 0": [{ ...bounded, pause: 0 }, 8000],
  "without a deadline": [{ ...bounded, deadline: Infinity }, 5000],
  "with a deadline in the second grace": [{ ...bounded, deadline: 38 }, 2500],
  "with a deadline at the end of a pause": [{ ...bounded, deadline: 25 }, 1500],
  "with a deadline at the end of a grace": [{ ...bounded, deadline: 15 }, 500],
  "with a deadline at the attempt timeout": [{ ...bounded, deadline: 10 }, 100],
  "with a deadline of 0": [{ ...bounded, deadline: 0 }, 5],
  "with an attempt timeout of 0": [{ ...bounded, attemptTimeout: 0 }, 1000],
  "without an attempt timeout": [{ ...bounded, attemptTimeout: Infinity }, 500],
  "in an outer attempt": [{ ...bounded, outer: 30 }, 9000],
  "in an outer attempt that ends after the deadline": [{ ...bounded, outer: 100 }, 9000],
  "in an outer attempt without limits": [{
    attemptTimeout: Infinity,
    deadline: Infinity,
    grace: 0,
    pause: 0,
    maxTries: 3,
    outer: 0,
  }, 200],
  "with two tries": [{ ...bounded, maxTries: 2 }, 900],
  "without a maximum of tries": [{ ...bounded, deadline: 38, maxTries: Infinity }, 2500],
  "without any limit": [
    { attemptTimeout: Infinity, deadline: Infinity, grace: 0, pause: 0, maxTries: 3 },
    200,
  ],
};

for (const [how, [rules, min]] of Object.entries(explored)) {
  Deno.test(`step() keeps every invariant in every reachable state ${how}`, () => {
    assertGreaterOrEqual(explore(rules).size, min);
  });
}

Deno.test("step() makes exactly the transitions of the table", () => {
  const moves = new Set([bounded, graceless].flatMap((rules) => [...explore(rules).moves]));
  assertEquals([...moves].sort(), [
    "done aborted -",
    "done faulted -",
    "done fulfilled -",
    "done refused -",
    "done rejected -",
    "done unjudged -",
    "done woke -",
    "pausing aborted done",
    "pausing faulted done",
    "pausing fulfilled -",
    "pausing refused -",
    "pausing rejected -",
    "pausing unjudged -",
    "pausing woke -", // too early
    "pausing woke done",
    "pausing woke trying",
    "stopping aborted done",
    "stopping faulted done",
    "stopping fulfilled done",
    "stopping refused done",
    "stopping refused pausing",
    "stopping rejected done",
    "stopping rejected pausing",
    "stopping unjudged done",
    "stopping woke -", // too early
    "stopping woke done",
    "stopping woke pausing",
    "trying aborted done",
    "trying faulted done",
    "trying fulfilled done",
    "trying refused done",
    "trying refused pausing",
    "trying rejected done",
    "trying rejected pausing",
    "trying unjudged done",
    "trying woke -", // too early
    "trying woke done",
    "trying woke pausing", // without a grace
    "trying woke stopping",
  ]);
});

Deno.test("step() can end for every reason after each number of attempts that allows it", () => {
  assertEquals([...explore(bounded).ends].sort(), [
    "0 aborted",
    "0 callbackError",
    "0 deadline", // the first wake is late
    "1 aborted",
    "1 callbackError",
    "1 deadline",
    "1 exhausted",
    "1 giveup",
    "1 nonRetryable",
    "1 success",
    "2 aborted",
    "2 callbackError",
    "2 deadline",
    "2 exhausted",
    "2 giveup",
    "2 nonRetryable",
    "2 success",
    "3 aborted",
    "3 callbackError",
    "3 deadline",
    "3 exhausted",
    "3 maxTries",
    "3 nonRetryable",
    "3 success",
  ]);
});
