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
  hopeless: new Error("hopeless"),
  buggy: new Error("buggy"),
};
const bug = new Error("a bug of the policy");
const reason = new Error("the caller's reason");
const value = "value";

interface Rules {
  attemptTimeout: number;
  deadline: number;
  grace: number;
  pause: number;
  maxTries: number;
}

class ExploredPolicy implements Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly rules: Rules;
  readonly asked: Failure[] = [];

  constructor(rules: Rules) {
    this.attemptTimeout = rules.attemptTimeout;
    this.deadline = rules.deadline;
    this.grace = rules.grace;
    this.rules = rules;
  }

  decide(failure: Failure): number | Refusal {
    this.asked.push(failure);
    if (failure.error === errors.nonRetryable) return "nonRetryable";
    if (failure.attempt >= this.rules.maxTries) return "maxTries";
    if (failure.error === errors.hopeless) return "giveup";
    if (failure.error === errors.buggy) throw bug;
    return this.rules.pause;
  }
}

/** The interesting instants: around the wake, around the deadline, and now. */
function instants(policy: Policy, state: State): number[] {
  const deadlineAt = BEGAN_AT + policy.deadline;
  const wakeAt = state.phase === "done" ? state.at : state.wakeAt;
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
  return [
    { type: "woke", at, ...error },
    { type: "settled", at, outcome: { status: "fulfilled", value } },
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

  /** Visits each state once, breadth first. */
  run(): this {
    let states = this.#add([], begin(BEGAN_AT, "load"));
    while (states.length > 0) states = states.flatMap((state) => this.#follow(state));
    return this;
  }

  #add(states: State[], state: State): State[] {
    const text = write(state);
    if (this.#seen.has(text)) return states;
    this.#seen.add(text);
    assertEquals(copy(state), state, text);
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
        if (next.attempts <= MAX_ATTEMPTS) this.#add(states, next);
      }
    }
    return states;
  }

  #step(state: State, event: Event): State {
    const { asked } = this.#policy;
    asked.length = 0;
    const next = step(this.#policy, state, event);
    const how = event.type === "settled" ? event.outcome.status : event.type;
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
      if (event.at >= deadlineAt) assertEquals(next.phase, "done");
    }
    if (event.type === "aborted" || event.type === "faulted") {
      assertEquals(next.phase, "done");
    }
    const isFailure = event.type === "settled"
      ? event.outcome.status === "rejected" && state.phase !== "pausing" &&
        !(state.phase === "stopping" && event.at === deadlineAt)
      : event.type === "woke" && event.at >= state.wakeAt && event.at < deadlineAt &&
        state.phase !== "pausing" && next.phase !== "stopping";
    assertEquals(asked.length, isFailure ? 1 : 0);
    if (isFailure) assertStrictEquals(next.lastFailure, asked[0]);
  }

  #checkChange(state: State, event: Event, next: State): void {
    const { attemptTimeout, deadline, grace, rules } = this.#policy;
    const deadlineAt = BEGAN_AT + deadline;
    assertEquals([next.at, next.beganAt, next.name], [event.at, BEGAN_AT, "load"]);
    assert(next.at >= state.at);
    assert(next.attempts <= rules.maxTries);
    assertEquals(next.attempts, state.attempts + (next.phase === "trying" ? 1 : 0));
    assertEquals(next.attemptAt, next.phase === "trying" ? next.at : state.attemptAt);
    assertEquals(next.pause, next.phase === "pausing" ? rules.pause : state.pause);
    if (next.lastFailure !== state.lastFailure) this.#checkFailure(state, event, next);
    else assert(state.phase !== "stopping" || (next as Done).reason === "success");
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
    assertEquals(next.wakeAt, Math.min(next.at + wait, deadlineAt));
    if (next.phase === "stopping") {
      assert(state.phase === "trying" && event.type === "woke");
      assertEquals([next.limit, next.error.limit], ["attempt", "attempt"]);
      assertEquals(next.error.ms, attemptTimeout);
    }
    if (next.phase === "trying") {
      assertEquals(state.phase, "pausing");
      const endedAt = BEGAN_AT + (state.lastFailure?.elapsed ?? 0);
      assert(next.at >= endedAt + next.pause, "the pause is never shortened");
    }
  }

  #checkFailure(state: State, event: Event, next: State): void {
    const failure = next.lastFailure;
    const deadlineAt = BEGAN_AT + this.#policy.deadline;
    assert(state.phase === "trying" || state.phase === "stopping");
    assert(failure !== null && Object.isFrozen(failure));
    assertEquals([failure.attempt, failure.pauseBefore], [state.attempts, state.pause]);
    const isByItself = state.phase === "trying" && event.type === "settled";
    assertEquals(failure.limit, isByItself ? null : "attempt");
    assertEquals(failure.duration, next.at - state.attemptAt);
    assertEquals(failure.elapsed, next.at - BEGAN_AT);
    assertEquals(failure.remaining, Math.max(0, deadlineAt - next.at));
    if (state.phase === "stopping") assertStrictEquals(failure.error, state.error);
  }

  #checkEnd(state: State, event: Event, next: Done): void {
    const { outcome } = next;
    this.ends.add(`${next.attempts} ${next.reason}`);
    assertEquals("wakeAt" in next || "error" in next || "limit" in next, false);
    assertEquals(outcome.status === "fulfilled", next.reason === "success");
    assertEquals(event.type === "aborted", next.reason === "aborted");
    if (outcome.status === "fulfilled") {
      assert(event.type === "settled" && state.phase !== "pausing");
      return assertStrictEquals(outcome, event.outcome);
    }
    if (next.reason === "aborted") return assertStrictEquals(outcome.reason, reason);
    if (next.reason === "callbackError") return assertStrictEquals(outcome.reason, bug);
    if (next.lastFailure !== null) {
      return assertStrictEquals(outcome.reason, next.lastFailure.error);
    }
    assertEquals(next.reason, "deadline");
    assert(outcome.reason instanceof TimeoutError);
    assertEquals([outcome.reason.limit, outcome.reason.ms], [
      "deadline",
      this.#policy.deadline,
    ]);
  }
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
    "done rejected -",
    "done woke -",
    "pausing aborted done",
    "pausing faulted done",
    "pausing fulfilled -",
    "pausing rejected -",
    "pausing woke -", // too early
    "pausing woke done",
    "pausing woke trying",
    "stopping aborted done",
    "stopping faulted done",
    "stopping fulfilled done",
    "stopping rejected done",
    "stopping rejected pausing",
    "stopping woke -", // too early
    "stopping woke done",
    "stopping woke pausing",
    "trying aborted done",
    "trying faulted done",
    "trying fulfilled done",
    "trying rejected done",
    "trying rejected pausing",
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
    "1 giveup",
    "1 nonRetryable",
    "1 success",
    "2 aborted",
    "2 callbackError",
    "2 deadline",
    "2 giveup",
    "2 nonRetryable",
    "2 success",
    "3 aborted",
    "3 callbackError",
    "3 deadline",
    "3 maxTries",
    "3 nonRetryable",
    "3 success",
  ]);
});
