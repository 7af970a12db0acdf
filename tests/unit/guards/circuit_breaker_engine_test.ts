// Each cell of the table of the circuit breaker, and what time does to each phase.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  closedCircuit,
  elapse,
  isHeld,
  resumed,
  retryIn,
  step,
} from "../../../src/guards/circuit_breaker_engine.ts";
import type {
  BreakerInput,
  BreakerPolicy,
  BreakerState,
  ClosedCircuit,
  HalfOpenCircuit,
  OpenCircuit,
} from "../../../src/guards/circuit_breaker_state.ts";
import { counted, emptyWindow } from "../../../src/guards/window.ts";

const policy: BreakerPolicy = {
  failureRatio: 0.5,
  window: 1000,
  minCalls: 4,
  consecutiveFailures: 3,
  trials: 2,
  openFor: (openings, before) => 100 * openings + before / 10,
};

const AT = 5000;

const closed: ClosedCircuit = { ...closedCircuit(AT, 6), failuresInRow: 1 };
const open: OpenCircuit = {
  phase: "open",
  at: AT,
  ticket: 7,
  openings: 2,
  openFor: 210,
  openUntil: AT + 210,
};
const halfOpen: HalfOpenCircuit = {
  phase: "half-open",
  at: AT,
  ticket: 8,
  openings: 2,
  openFor: 210,
  trials: [{ ticket: 8, beganAt: AT }],
  succeeded: 0,
};
const isolated: BreakerState = { phase: "isolated", at: AT, ticket: 7 };
const states = { closed, open, "half-open": halfOpen, isolated };

/** The event of each type, at an instant, with the ticket that the state gave last. */
function inputOf(type: BreakerInput["type"], state: BreakerState, at: number) {
  const { ticket } = state;
  return { type, at, ticket } as BreakerInput;
}

function next(state: BreakerState, type: BreakerInput["type"], at = AT + 10): BreakerState {
  return step(policy, Object.freeze(state), inputOf(type, state, at));
}

const nothing: Record<keyof typeof states, BreakerInput["type"][]> = {
  closed: ["called", "aborted", "closed"],
  open: ["called", "succeeded", "failed", "aborted"],
  "half-open": [],
  isolated: ["called", "succeeded", "failed", "aborted", "isolated"],
};

for (const [phase, types] of Object.entries(nothing)) {
  for (const type of types) {
    Deno.test(`step() returns the same state when a circuit that is ${phase} receives ${type}`, () => {
      const state = states[phase as keyof typeof states];
      assertStrictEquals(next(state, type), state);
    });
  }
}

Deno.test("step() counts a success when the circuit is closed, and the row of failures ends", () => {
  assertEquals(next(closed, "succeeded"), {
    ...closed,
    at: AT + 10,
    failuresInRow: 0,
    window: counted(emptyWindow(), 1000, AT + 10, 1, 0),
  });
});

Deno.test("step() counts a failure when the circuit is closed", () => {
  assertEquals(next(closed, "failed"), {
    ...closed,
    at: AT + 10,
    failuresInRow: 2,
    window: counted(emptyWindow(), 1000, AT + 10, 1, 1),
  });
});

Deno.test("step() opens a closed circuit when the last of the failures in a row ends", () => {
  assertEquals(next({ ...closed, failuresInRow: 2 }, "failed"), {
    phase: "open",
    at: AT + 10,
    ticket: 7,
    openings: 1,
    openFor: 100,
    openUntil: AT + 110,
  });
});

/** The phase after some calls in a window that counts these already. */
function phaseAfter(total: number, part: number, type: "succeeded" | "failed") {
  const window = counted(emptyWindow(), 1000, AT, total, part);
  return next({ ...closed, failuresInRow: 0, window }, type).phase;
}

Deno.test("step() opens a closed circuit when the calls in the window are enough and the share of failures is reached", () => {
  assertEquals(phaseAfter(2, 1, "failed"), "closed"); // three calls
  assertEquals(phaseAfter(3, 1, "failed"), "open"); // two of four
  assertEquals(phaseAfter(4, 1, "failed"), "closed"); // two of five
  assertEquals(phaseAfter(3, 2, "succeeded"), "open"); // two of four: a success completes them
  assertEquals(phaseAfter(3, 1, "succeeded"), "closed"); // one of four
});

Deno.test("step() takes the share of failures exactly when it is a decimal fraction", () => {
  for (const percent of [1, 7, 14, 28, 29, 55, 56, 57, 58, 99]) {
    const exact = { ...policy, failureRatio: percent / 100, minCalls: 100 };
    const window = (part: number) => counted(emptyWindow(), 1000, AT, 99, part);
    const phaseOf = (part: number) =>
      step(exact, { ...closed, window: window(part) }, inputOf("succeeded", closed, AT))
        .phase;
    assertEquals([phaseOf(percent), phaseOf(percent - 1)], ["open", "closed"]);
  }
});

Deno.test("step() leaves the window alone when no share of failures is given", () => {
  const row = { ...policy, failureRatio: Infinity };
  const after = step(row, closed, inputOf("failed", closed, AT)) as ClosedCircuit;
  assertStrictEquals(after.window, closed.window);
  assertEquals(after.failuresInRow, 2);
});

for (const phase of ["closed", "open", "half-open"] as const) {
  Deno.test(`step() isolates a circuit that is ${phase}`, () => {
    const { ticket } = states[phase];
    assertEquals(next(states[phase], "isolated"), {
      phase: "isolated",
      at: AT + 10,
      ticket,
    });
  });
}

for (const phase of ["open", "half-open", "isolated"] as const) {
  Deno.test(`step() closes a circuit that is ${phase}, with a new ticket and nothing counted`, () => {
    const { ticket } = states[phase];
    assertEquals(next(states[phase], "closed"), closedCircuit(AT + 10, ticket));
  });
}

Deno.test("step() begins a trial when a half-open circuit has room", () => {
  assertEquals(next(halfOpen, "called"), {
    ...halfOpen,
    at: AT + 10,
    ticket: 9,
    trials: [{ ticket: 8, beganAt: AT }, { ticket: 9, beganAt: AT + 10 }],
  });
});

Deno.test("step() begins no trial when those that are pending or have succeeded are enough", () => {
  const succeeded = { ...halfOpen, succeeded: 1 };
  assertStrictEquals(next(succeeded, "called"), succeeded);
  const pending = next(halfOpen, "called");
  assertStrictEquals(next(pending, "called", AT + 20), pending);
});

Deno.test("step() counts the success of a trial, and closes the circuit after the last one", () => {
  const both = next(halfOpen, "called") as HalfOpenCircuit;
  const one = step(policy, both, { type: "succeeded", at: AT + 20, ticket: 8 });
  assertEquals(one, {
    ...both,
    at: AT + 20,
    trials: [{ ticket: 9, beganAt: AT + 10 }],
    succeeded: 1,
  });
  assertEquals(
    step(policy, one, { type: "succeeded", at: AT + 30, ticket: 9 }),
    closedCircuit(AT + 30, 9),
  );
});

Deno.test("step() opens the circuit for longer when a trial fails", () => {
  assertEquals(next(halfOpen, "failed"), {
    phase: "open",
    at: AT + 10,
    ticket: 8,
    openings: 3,
    openFor: 321,
    openUntil: AT + 331,
  });
});

Deno.test("step() frees a trial when it is aborted", () => {
  const freed = next(halfOpen, "aborted");
  assertEquals(freed, { ...halfOpen, at: AT + 10, trials: [] });
  assertEquals(retryIn(policy, freed, AT + 10), null);
});

Deno.test("step() ignores the end of a call of an earlier state", () => {
  for (const state of Object.values(states)) {
    for (const type of ["succeeded", "failed", "aborted"] as const) {
      for (const ticket of [0, state.ticket - 1, state.ticket + 1]) {
        assertStrictEquals(step(policy, state, { type, at: AT + 10, ticket }), state);
        assert(!isHeld(state, ticket));
      }
    }
  }
  assert(isHeld(closed, 7) && isHeld(halfOpen, 8));
  assert(!isHeld(open, 7) && !isHeld(isolated, 7));
});

Deno.test("elapse() makes an open circuit half-open when its time has passed", () => {
  assertStrictEquals(elapse(policy, open, AT + 209), open);
  for (const at of [AT + 210, AT + 9999]) {
    const expected = { ...halfOpen, at: AT + 210, ticket: 7, trials: [], succeeded: 0 };
    assertEquals(elapse(policy, open, at), expected);
  }
});

Deno.test("elapse() opens a half-open circuit when its first trial has been pending for too long", () => {
  assertStrictEquals(elapse(policy, halfOpen, AT + 209), halfOpen);
  assertEquals(elapse(policy, halfOpen, AT + 9999), {
    phase: "open",
    at: AT + 210,
    ticket: 8,
    openings: 3,
    openFor: 321,
    openUntil: AT + 531,
  });
  const idle = { ...halfOpen, trials: [] };
  assertStrictEquals(elapse(policy, idle, AT + 9999), idle);
});

Deno.test("step() makes every change of time before its event", () => {
  // The trial expired at 210, and the circuit has been half-open again since 531.
  const state = step(policy, halfOpen, { type: "succeeded", at: AT + 600, ticket: 8 });
  assertEquals([state.phase, state.at], ["half-open", AT + 531]);
  const trial = step(policy, open, { type: "called", at: AT + 300 }) as HalfOpenCircuit;
  assertEquals(trial.trials, [{ ticket: 8, beganAt: AT + 300 }]);
});

Deno.test("retryIn() is null when a call is admitted, and else the time until something changes", () => {
  assertEquals(retryIn(policy, closed, AT + 10), null);
  assertEquals(retryIn(policy, open, AT + 10), 200);
  assertEquals(retryIn(policy, halfOpen, AT + 10), null);
  assertEquals(retryIn(policy, { ...halfOpen, succeeded: 1 }, AT + 10), 200);
  assertEquals(retryIn(policy, isolated, AT + 10), Infinity);
  // A state of other options, in which nothing is pending, must not refuse for ever.
  assertEquals(
    retryIn(policy, { ...halfOpen, trials: [], succeeded: 5 }, AT + 10),
    null,
  );
});

Deno.test("resumed() moves a state back when the clock began anew", () => {
  const window = counted(emptyWindow(), 1000, AT, 2, 1);
  const by = AT - 10;
  const moved = resumed(policy, { ...closed, window }, 10) as ClosedCircuit;
  assertEquals([moved.at, moved.window.slice, moved.window.total], [10, 0, 2]);
  assertEquals(resumed(policy, open, 10), { ...open, at: 10, openUntil: 220 });
  const trials = [{ ticket: 8, beganAt: AT - by }];
  assertEquals(resumed(policy, halfOpen, 10), { ...halfOpen, at: 10, trials });
  assertEquals(resumed(policy, isolated, 10), { ...isolated, at: 10 });
  for (const state of Object.values(states)) {
    for (const at of [AT, AT + 1]) assertStrictEquals(resumed(policy, state, at), state);
  }
});
