// Every state that a circuit breaker can reach in a few steps, and every step between them.

import { assert, assertEquals, assertGreater, assertStrictEquals } from "@std/assert";
import {
  closedCircuit,
  isHeld,
  retryIn,
  step,
} from "../../src/guards/circuit_breaker_engine.ts";
import type {
  BreakerInput,
  BreakerPolicy,
  BreakerState,
} from "../../src/guards/circuit_breaker_state.ts";

const rules = {
  failureRatio: 0.5,
  window: 100,
  minCalls: 2,
  consecutiveFailures: 3,
  trials: 2,
  openFor: 20,
};

const policyOf = ({ openFor, ...rest }: typeof rules): BreakerPolicy => ({
  ...rest,
  openFor: (openings, before) => {
    assertEquals(before, openings === 1 ? 0 : openFor * (openings - 1));
    return openFor * openings;
  },
});

/** The interesting instants: now, around the next change by time, and after several of them. */
function instantsOf(state: BreakerState): number[] {
  const ends = state.phase === "open"
    ? [state.openUntil]
    : state.phase === "half-open"
    ? state.trials.map(({ beganAt }) => beganAt + state.openFor)
    : [state.at + 100];
  const all = ends.flatMap((end) => [end - 1, end]).concat(state.at, state.at + 5000);
  return [...new Set(all)].filter((at) => at >= state.at);
}

function inputsOf(state: BreakerState): BreakerInput[] {
  const trials = state.phase === "half-open" ? state.trials : [];
  const tickets = [...new Set([state.ticket, ...trials.map(({ ticket }) => ticket), 0])];
  return instantsOf(state).flatMap((at): BreakerInput[] => [
    { type: "called", at },
    { type: "isolated", at },
    { type: "closed", at },
    ...(["succeeded", "failed", "aborted"] as const).flatMap((type) =>
      tickets.map((ticket) => ({ type, at, ticket }))
    ),
  ]);
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));

class Exploration {
  readonly policy: BreakerPolicy;
  readonly moves = new Set<string>();
  readonly #seen = new Set<string>();

  constructor(policy: BreakerPolicy) {
    this.policy = policy;
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Follows every step, breadth first. */
  run(depth: number): this {
    let states: BreakerState[] = [freeze(closedCircuit(1000))];
    for (let steps = 0; steps < depth; steps++) {
      states = states.flatMap((state) => this.#follow(state));
    }
    return this;
  }

  #follow(state: BreakerState): BreakerState[] {
    const found: BreakerState[] = [];
    for (const input of inputsOf(state)) {
      const next = freeze(step(this.policy, state, freeze(input)));
      try {
        assertEquals(step(this.policy, copy(state), copy(input)), next);
        assertEquals(copy(next), next, "plain data");
        this.#checkStep(state, input, next);
        this.#checkState(next, input.at);
      } catch (error) {
        const steps = [state, input, next].map((each) => JSON.stringify(each));
        throw new Error(steps.join("\n"), { cause: error });
      }
      const text = JSON.stringify(next);
      if (this.#seen.has(text)) continue;
      this.#seen.add(text);
      found.push(next);
    }
    return found;
  }

  #checkStep(state: BreakerState, input: BreakerInput, next: BreakerState): void {
    const change = next === state ? "-" : next.phase;
    this.moves.add(`${state.phase} ${input.type} ${change}`);
    assert(next.at >= state.at && next.at <= input.at, "instants never go backwards");
    assert(next.ticket >= state.ticket);
    if (input.type === "isolated") assertEquals(next.phase, "isolated");
    if (input.type === "closed") assertEquals(next.phase, "closed");
    // Nothing but a trial that succeeds closes a circuit by itself.
    if (next.phase === "closed" && state.phase !== "closed") {
      assert(input.type === "closed" || input.type === "succeeded");
      assertEquals(next, closedCircuit(next.at, next.ticket - 1));
    }
    if (state.phase === "isolated" && input.type !== "closed") {
      assertStrictEquals(next, state);
    }
    // A ticket of an earlier state does no more than time does.
    if ("ticket" in input && !isHeld(state, input.ticket)) {
      const waited = step(this.policy, state, { ...input, ticket: -1 });
      assertEquals(next, waited);
    }
    // A call is admitted exactly if the state before it, at that instant, has room.
    if (input.type === "called") {
      const waited = step(this.policy, state, {
        type: "aborted",
        at: input.at,
        ticket: -1,
      });
      const isAdmitted = retryIn(this.policy, waited, input.at) === null;
      const isTrial = next.ticket > state.ticket;
      assertEquals(isAdmitted, isTrial || next.phase === "closed");
      if (isTrial) assert(isHeld(next, next.ticket));
    }
  }

  #checkState(state: BreakerState, at: number): void {
    const { policy } = this;
    const wait = retryIn(policy, state, at);
    switch (state.phase) {
      case "closed": {
        const { failuresInRow, window: { total, part } } = state;
        assertEquals(wait, null);
        assert(failuresInRow < policy.consecutiveFailures);
        assert(total < policy.minCalls || part / total < policy.failureRatio);
        return;
      }
      case "open":
        assertEquals(state.openFor, 20 * state.openings);
        assertEquals(state.openUntil, state.at + state.openFor);
        assert(wait !== null && wait > 0 && wait <= state.openFor);
        return;
      case "half-open": {
        const { trials, succeeded } = state;
        assert(succeeded < policy.trials);
        assert(trials.length + succeeded <= policy.trials);
        assert(trials.every(({ beganAt }) => at < beganAt + state.openFor));
        assertEquals(wait === null, trials.length + succeeded < policy.trials);
        return;
      }
      case "isolated":
        assertEquals(wait, Infinity);
    }
  }
}

let explored: Exploration | null = null;
const explore = () => explored ??= new Exploration(policyOf(rules)).run(6);

Deno.test("step() of a circuit breaker keeps every invariant, from JSON too, in every state of six steps", () => {
  assertGreater(explore().size, 5000);
});

Deno.test("step() of a circuit breaker keeps every invariant when it has one rule and one trial", () => {
  const row = { ...rules, failureRatio: Infinity, consecutiveFailures: 2, trials: 1 };
  const share = { ...rules, consecutiveFailures: Infinity, trials: 3 };
  assertGreater(new Exploration(policyOf(row)).run(5).size, 200);
  assertGreater(new Exploration(policyOf(share)).run(5).size, 1000);
});

Deno.test("step() of a circuit breaker makes exactly the changes of its table", () => {
  const byTime = [
    "half-open aborted open", // another trial has been pending for too long
    "half-open called open",
    "half-open succeeded open",
    "open aborted half-open",
    "open failed half-open",
    "open succeeded half-open",
  ];
  const expected = [
    ...byTime,
    "closed aborted -",
    "closed called -",
    "closed closed -",
    "closed failed -", // a ticket of an earlier state, here and below
    "closed failed closed",
    "closed failed open",
    "closed isolated isolated",
    "closed succeeded -",
    "closed succeeded closed",
    "closed succeeded open", // it completes `minCalls`
    "half-open aborted -",
    "half-open aborted half-open",
    "half-open called -",
    "half-open called half-open",
    "half-open closed closed",
    "half-open failed -",
    "half-open failed half-open", // it is open, and half-open again, by time alone
    "half-open failed open",
    "half-open isolated isolated",
    "half-open succeeded -",
    "half-open succeeded closed",
    "half-open succeeded half-open",
    "isolated aborted -",
    "isolated called -",
    "isolated closed closed",
    "isolated failed -",
    "isolated isolated -",
    "isolated succeeded -",
    "open aborted -",
    "open called -",
    "open called half-open",
    "open closed closed",
    "open failed -",
    "open isolated isolated",
    "open succeeded -",
  ];
  assertEquals([...explore().moves].sort(), expected.sort());
});
