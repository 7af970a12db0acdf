// Every state that the engine can reach within a few attempts, and every step between them.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertStrictEquals,
} from "@std/assert";
import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import { begin, isHeldAlready, limitError, step } from "../../src/engine/engine.ts";
import type {
  Done,
  Event,
  Failure,
  Policy,
  Refusal,
  State,
  Trying,
  Waiting,
} from "../../src/engine/state.ts";

const BEGAN_AT = 1000;

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

/** The errors of an exploration with reports, which has enough other events. */
const fewErrors = [errors.retryable];

/** The values of the function, by the name of the step that each causes. */
const values = { fulfilled: "value", refused: "a value to refuse", unjudged: "buggy" };

const decisions = new Map<unknown, string>(
  Object.entries(values).map(([how, value]) => [value, how]),
);

interface Rules {
  attemptTimeout: number;
  deadline: number;
  grace: number;
  idleTimeout: number;
  resetAfter: number;
  pause: number;
  maxTries: number;
  /** Milliseconds until the end of the outer attempt; absent without one. */
  outer?: number;
  /** The number of the attempt that reports, and of its reports; the others are silent. */
  reportsIn: number;
  maxReports: number;
  /** The number of attempts after which the exploration ends. */
  maxAttempts: number;
}

class ExploredPolicy implements Policy {
  readonly attemptTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly idleTimeout: number;
  readonly resetAfter: number;
  readonly rules: Rules;
  readonly asked: [failure: Failure, previous: Failure | null, isRefusal: boolean][] = [];
  readonly judged: unknown[] = [];

  constructor(rules: Rules) {
    this.attemptTimeout = rules.attemptTimeout;
    this.deadline = rules.deadline;
    this.grace = rules.grace;
    this.idleTimeout = rules.idleTimeout;
    this.resetAfter = rules.resetAfter;
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
    if (failure.streak >= this.rules.maxTries) return "maxTries";
    if (failure.error === errors.hopeless) return "giveup";
    if (failure.error === errors.untimely) return "deadline";
    if (failure.error === errors.buggy) throw bug;
    return this.rules.pause;
  }
}

/** The instant of the latest event that the state knows of. Time does not go backwards. */
function latestAt(policy: Policy, state: State): number {
  const reportedAt = state.reports?.latestAt ?? state.at;
  const heldUntil = state.phase === "trying" && state.idleAt < Infinity
    ? state.idleAt - policy.idleTimeout
    : state.at;
  return Math.max(state.at, reportedAt, heldUntil);
}

/**
 * The interesting instants: around the wake, around the limits, and now. After the end, they
 * make no difference.
 */
function instants(policy: Policy, state: State): number[] {
  const now = latestAt(policy, state);
  if (state.phase === "done") return [now, now + 1];
  const deadlineAt = BEGAN_AT + policy.deadline;
  const { wakeAt } = state;
  const idleAt = state.phase === "trying" ? state.idleAt : wakeAt;
  const all = [now, now + 1, wakeAt - 1, wakeAt, wakeAt + 1, deadlineAt - 1, deadlineAt]
    .concat(deadlineAt + 1, idleAt - 1, idleAt, idleAt + 1);
  return [...new Set(all)].filter((at) => at >= now && at < Infinity);
}

function eventsAt(policy: ExploredPolicy, state: State, at: number): Event[] {
  const { maxReports, reportsIn } = policy.rules;
  const reasons = maxReports === 0 ? Object.values(errors) : fewErrors;
  const rejections = reasons.map((reason): Event => ({
    type: "settled",
    at,
    outcome: { status: "rejected", reason },
  }));
  const error = state.phase === "trying" ? { error: limitError(policy, state, at) } : {};
  const returned = maxReports === 0 ? Object.values(values) : [values.fulfilled];
  const fulfillments = returned.map((value): Event => ({
    type: "settled",
    at,
    outcome: { status: "fulfilled", value },
  }));
  const reports = state.attempts === reportsIn ? reportsAt(policy, state, at) : [];
  return [
    { type: "woke", at, ...error },
    ...fulfillments,
    ...rejections,
    ...reports,
    { type: "aborted", at, reason },
    { type: "faulted", at, reason: bug },
  ];
}

/** The reports of an attempt, and the steps of a stream in their order. */
function reportsAt(policy: ExploredPolicy, state: State, at: number): Event[] {
  const idleAt = state.phase === "trying" ? state.idleAt : at;
  const now = latestAt(policy, state);
  const mayReport = [now, idleAt - 1, idleAt].includes(at) &&
    (state.reports?.count ?? 0) < policy.rules.maxReports;
  const progress: Event[] = mayReport
    ? [undefined, "half"].map((checkpoint) => ({ type: "progressed", at, checkpoint }))
    : [];
  const held = (step: "open" | "item" | "ask", mayRepeat: boolean): Event[] => [
    { type: "held", at, step, mayRepeat },
  ];
  if (state.phase !== "trying") return [...progress, ...held("item", false)];
  if (state.delivery === null) {
    return [...progress, ...at === now ? held("open", true) : []];
  }
  const isHeld = state.delivery !== "none" && idleAt === Infinity;
  if (isHeld) return [...progress, ...at === now ? held("ask", true) : []];
  const items = mayReport || (state.delivery !== "none" && at === now)
    ? [...held("item", true), ...held("item", false)]
    : [];
  return [...progress, ...items];
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
  const read = JSON.parse(text, (_key, part) => named.get(part) ?? part);
  return { checkpoint: undefined, ...read }; // JSON leaves out what is undefined
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
        const isNew = next !== state && next.attempts <= this.#policy.rules.maxAttempts;
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
    const dueAt = Math.min(
      state.wakeAt,
      state.phase === "trying" ? state.idleAt : Infinity,
    );
    if (event.type === "woke") {
      if (event.at < dueAt) assertStrictEquals(next, state);
      else assert(next !== state, "a wake that is due has an effect");
      if (event.at >= deadlineAt) assertStrictEquals(next.phase, "done");
    }
    if (event.type === "aborted" || event.type === "faulted") {
      assertStrictEquals(next.phase, "done");
    }
    if (event.type === "progressed" || event.type === "held") {
      this.#checkReport(state, event, next);
    }
    const isSettled = event.type === "settled" && state.phase !== "pausing" &&
      !(state.phase === "stopping" && event.at === deadlineAt);
    const how = howOf(event);
    const isJudged = isSettled && how !== "rejected";
    assertStrictEquals(this.#policy.judged.length, isJudged ? 1 : 0);
    if (isJudged) assertStrictEquals(this.#policy.judged[0], valueOf(event));
    const isFailure = event.type === "settled"
      ? isSettled && (how === "rejected" || how === "refused")
      : event.type === "woke" && event.at >= dueAt && event.at < deadlineAt &&
        state.phase !== "pausing" && next.phase !== "stopping";
    const isFinal = isFailure && state.phase !== "pausing" &&
      state.delivery === "unrepeatable";
    assertStrictEquals(asked.length, isFailure && !isFinal ? 1 : 0);
    if (isFinal) assertEquals(next.phase === "done" && next.reason, "nonRetryable");
    if (next.phase === "trying") this.#checkStream(next);
    if (asked[0] === undefined) return;
    const [failure, previous, isRefusal] = asked[0];
    assertStrictEquals(next.lastFailure, failure);
    assertStrictEquals(previous, state.lastFailure);
    // In the grace, the failure is the timeout, whatever the value is.
    assertStrictEquals(isRefusal, how === "refused" && state.phase === "trying");
    if (isRefusal) assertStrictEquals(failure.error, refusal);
  }

  /** The limits that hold for a stream. */
  #checkStream({ delivery, idleAt, wakeAt, attemptAt }: Trying): void {
    const { attemptTimeout, deadline, idleTimeout } = this.#policy;
    const isBegun = delivery !== null && delivery !== "none";
    const attemptEndsAt = isBegun ? Infinity : attemptAt + attemptTimeout;
    assertEquals(wakeAt, Math.min(BEGAN_AT + deadline, attemptEndsAt));
    if (delivery === "none") assertEquals(idleAt, Infinity);
    if (delivery === null) assert(idleAt >= attemptAt + idleTimeout);
  }

  /** A report changes nothing but the fields that are named here. */
  #checkReport(
    state: Waiting,
    event: Event & { type: "progressed" | "held" },
    next: State,
  ): void {
    const { at } = event;
    if (state.phase === "pausing") return assertStrictEquals(next, state);
    const { count, firstAt } = state.reports ?? { count: 0, firstAt: at };
    const reports = { count: count + 1, firstAt, latestAt: at };
    if (event.type === "progressed") {
      const { checkpoint } = event;
      const noted = {
        checkpoint: checkpoint ?? state.checkpoint,
        delivery: checkpoint !== undefined && state.delivery === "unrepeatable"
          ? "repeatable" as const
          : state.delivery,
      };
      if (state.phase === "stopping") return assertEquals(next, { ...state, ...noted });
      const standsStill = state.delivery !== null && state.idleAt === Infinity;
      const idleAt = standsStill ? Infinity : at + this.#policy.idleTimeout;
      return assertEquals<State>(next, { ...state, ...noted, reports, idleAt });
    }
    if (state.phase === "stopping") return assertStrictEquals(next, state);
    const { step, mayRepeat } = event;
    if (isHeldAlready(this.#policy, state, step, mayRepeat)) {
      assertStrictEquals(next, state);
    }
    switch (step) {
      case "open":
        return assertEquals<State>(next, { ...state, idleAt: Infinity, delivery: "none" });
      case "ask":
        return assertEquals<State>(next, {
          ...state,
          idleAt: at + this.#policy.idleTimeout,
        });
      case "item":
        return assertEquals<State>(next, {
          ...state,
          idleAt: Infinity,
          wakeAt: BEGAN_AT + this.#policy.deadline,
          delivery: mayRepeat ? "repeatable" : "unrepeatable",
          reports: state.delivery === "none" ? reports : state.reports,
        });
    }
  }

  #checkChange(state: State, event: Event, next: State): void {
    if (event.type === "progressed" || event.type === "held") return;
    const { attemptTimeout, deadline, grace, idleTimeout, resetAfter, rules } =
      this.#policy;
    const deadlineAt = BEGAN_AT + deadline;
    assertStrictEquals(next.at, event.at);
    assertStrictEquals(next.beganAt, BEGAN_AT);
    assertStrictEquals(next.name, "load");
    assertStrictEquals(next.outerEndsAt, this.#outerEndsAt);
    assert(next.at >= state.at);
    assert(next.attempts <= rules.maxTries || resetAfter < Infinity);
    assert((next.lastFailure?.streak ?? 0) <= rules.maxTries);
    assertStrictEquals(next.checkpoint, state.checkpoint);
    assertStrictEquals(next.reports, next.phase === "trying" ? null : state.reports);
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
      next.phase !== "stopping" || (attemptTimeout > 0 && idleTimeout > 0),
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
      const limit = this.#limitOf(state, event.at);
      assertEquals([next.limit, next.error.limit], [limit, limit]);
      assertEquals(next.error.ms, limit === "idle" ? idleTimeout : attemptTimeout);
      assertEquals(next.delivery, state.delivery);
    }
    if (next.phase === "trying") {
      assertEquals(state.phase, "pausing");
      assertEquals([next.idleAt, next.delivery], [next.at + idleTimeout, null]);
      const endedAt = BEGAN_AT + (state.lastFailure?.elapsed ?? 0);
      assert(next.at >= endedAt + next.pause, "the pause is never shortened");
    }
  }

  /** The limit that a wake has reached, when the deadline is not reached. */
  #limitOf(state: Trying, at: number): "attempt" | "idle" {
    const isAttempt = (state.delivery === null || state.delivery === "none") &&
      at >= state.attemptAt + this.#policy.attemptTimeout;
    return isAttempt ? "attempt" : "idle";
  }

  #checkFailure(state: State, event: Event, next: State): void {
    const failure = next.lastFailure;
    const deadlineAt = BEGAN_AT + this.#policy.deadline;
    assert(state.phase === "trying" || state.phase === "stopping");
    assert(failure !== null && Object.isFrozen(failure));
    const { reports, lastFailure } = state;
    const isReset = reports !== null &&
      next.at >= reports.firstAt + this.#policy.resetAfter;
    if (isReset && lastFailure !== null) this.ends.add("a new streak");
    assertStrictEquals(failure.attempt, state.attempts);
    assertStrictEquals(failure.streak, isReset ? 1 : 1 + (lastFailure?.streak ?? 0));
    assertStrictEquals(failure.pauseBefore, isReset ? 0 : state.pause);
    const isByItself = state.phase === "trying" && event.type === "settled";
    const limit = state.phase === "trying" ? this.#limitOf(state, event.at) : state.limit;
    assertStrictEquals(failure.limit, isByItself ? null : limit);
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

const bounded: Rules = {
  attemptTimeout: 10,
  deadline: 80,
  grace: 5,
  idleTimeout: Infinity,
  resetAfter: Infinity,
  pause: 10,
  maxTries: 3,
  reportsIn: 0,
  maxReports: 0,
  maxAttempts: 3,
};
const graceless = { ...bounded, grace: 0 };

/** Attempts that report. The idle timeout is the nearest limit, and may be moved twice. */
const idle: Rules = {
  ...bounded,
  ...{
    deadline: 38,
    idleTimeout: 8,
    resetAfter: 9,
    maxTries: 2,
    reportsIn: 1,
    maxReports: 1,
    maxAttempts: 1,
  },
};
const gracelessIdle = { ...idle, grace: 0, deadline: Infinity, maxReports: 2 };
const secondReports = { ...gracelessIdle, reportsIn: 2, maxReports: 1, maxAttempts: 2 };

/**
 * The rules to explore, and a minimum of states, because an empty exploration proves
 * nothing.
 */
const explored: Record<string, [rules: Rules, min: number]> = {
  "with every rule": [bounded, 9000],
  "without a grace": [graceless, 3500],
  "with an infinite grace": [{ ...bounded, grace: Infinity }, 5000],
  "with a pause of 0": [{ ...bounded, pause: 0, maxTries: 2 }, 800],
  "without a deadline": [{ ...bounded, deadline: Infinity }, 5000],
  "with a deadline in the second grace": [{ ...bounded, deadline: 38 }, 2500],
  "with a deadline at the end of a pause": [{ ...bounded, deadline: 25 }, 1500],
  "with a deadline at the end of a grace": [{ ...bounded, deadline: 15 }, 500],
  "with a deadline at the attempt timeout": [{ ...bounded, deadline: 10 }, 100],
  "with a deadline of 0": [{ ...bounded, deadline: 0 }, 5],
  "with an attempt timeout of 0": [{ ...bounded, attemptTimeout: 0 }, 1000],
  "without an attempt timeout": [{ ...bounded, attemptTimeout: Infinity }, 500],
  "in an outer attempt": [{ ...bounded, maxTries: 2, outer: 15 }, 900],
  "in an outer attempt that ends after the deadline": [
    { ...bounded, maxTries: 2, outer: 100 },
    900,
  ],
  "in an outer attempt without limits": [{
    ...bounded,
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
    { ...graceless, attemptTimeout: Infinity, deadline: Infinity, pause: 0 },
    200,
  ],
  "with reports": [idle, 7500],
  "with reports and without a grace": [gracelessIdle, 7500],
  "with reports and without a deadline": [{ ...idle, deadline: Infinity }, 4000],
  "with reports and without an attempt timeout": [
    { ...idle, attemptTimeout: Infinity },
    4500,
  ],
  "with reports and without an idle timeout": [{ ...idle, idleTimeout: Infinity }, 2000],
  "with an idle timeout at the attempt timeout": [{ ...idle, idleTimeout: 10 }, 6500],
  "with every limit at one instant": [{ ...idle, idleTimeout: 10, deadline: 10 }, 800],
  "with an idle timeout of 0": [{ ...idle, idleTimeout: 0, reportsIn: 0 }, 500],
  "with a report of the second attempt": [secondReports, 10_000],
  "with a new streak at the first report": [{ ...idle, resetAfter: 0 }, 7500],
};

for (const [how, [rules, min]] of Object.entries(explored)) {
  Deno.test(`step() keeps every invariant in every reachable state ${how}`, () => {
    assertGreaterOrEqual(explore(rules).size, min);
  });
}

Deno.test("step() makes exactly the transitions of the table", () => {
  const moves = new Set(
    [bounded, graceless, idle, gracelessIdle].flatMap((rules) => [...explore(rules).moves]),
  );
  assertEquals([...moves].sort(), [
    "done aborted -",
    "done faulted -",
    "done fulfilled -",
    "done held -",
    "done progressed -",
    "done refused -",
    "done rejected -",
    "done unjudged -",
    "done woke -",
    "pausing aborted done",
    "pausing faulted done",
    "pausing fulfilled -",
    "pausing held -",
    "pausing progressed -",
    "pausing refused -",
    "pausing rejected -",
    "pausing unjudged -",
    "pausing woke -", // too early
    "pausing woke done",
    "pausing woke trying",
    "stopping aborted done",
    "stopping faulted done",
    "stopping fulfilled done",
    "stopping held -",
    "stopping progressed stopping",
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
    "trying held trying",
    "trying progressed trying",
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

Deno.test("step() begins new streaks in an exploration with reports, and only there", () => {
  assertEquals(explore(secondReports).ends.has("a new streak"), true);
  assertEquals(explore(idle).ends.has("a new streak"), false); // the first has none before
});
