// Each cell of the table of the hedge, and every state of three hedges.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  beginHedged,
  type Decided,
  type HedgedInput,
  type HedgedState,
  type Racing,
  step,
} from "../../../src/guards/hedge_engine.ts";

const AT = 1000;
const yes = { mayHedge: () => true };
const no = { mayHedge: () => false };

const racing: Racing = {
  phase: "racing",
  at: AT,
  beganAt: AT - 50,
  after: 50,
  calls: 2,
  running: [1, 2],
  left: 1,
  hedgeAt: AT + 50,
};
const decided: Decided = {
  phase: "decided",
  at: AT,
  beganAt: AT - 50,
  calls: 2,
  running: [2],
  by: "returned",
  call: 1,
};

const failed = (call: number, isFatal = false, pushback: number | null = null) =>
  ({ type: "failed", at: AT + 10, call, isFatal, pushback }) as const;

Deno.test("beginHedged() begins with one call, and waits for the next one", () => {
  assertEquals(beginHedged(AT, 50, 3), {
    ...racing,
    beganAt: AT,
    calls: 1,
    running: [1],
    left: 3,
  });
  assertEquals(beginHedged(AT, null, 3).hedgeAt, null);
});

Deno.test("step() begins the next call when its instant has come", () => {
  for (const at of [AT + 50, AT + 70]) {
    assertEquals(step(yes, racing, { type: "woke", at }), {
      ...racing,
      at,
      calls: 3,
      running: [1, 2, 3],
      left: 0,
      hedgeAt: null,
    });
  }
  const more = step(yes, { ...racing, left: 2 }, { type: "woke", at: AT + 60 }) as Racing;
  assertEquals([more.left, more.hedgeAt], [1, AT + 110]);
});

Deno.test("step() returns the same state when it wakes too early, or waits for no time", () => {
  assertStrictEquals(step(yes, racing, { type: "woke", at: AT + 49 }), racing);
  const timeless = { ...racing, hedgeAt: null };
  assertStrictEquals(step(yes, timeless, { type: "woke", at: AT + 999 }), timeless);
});

Deno.test("step() begins no other call when the next one is not allowed", () => {
  const expected = { ...racing, at: AT + 50, left: 0, hedgeAt: null };
  assertEquals(step(no, racing, { type: "woke", at: AT + 50 }), expected);
  const waiting = { ...racing, running: [] };
  assertEquals(step(no, waiting, { type: "woke", at: AT + 50 }), {
    ...decided,
    at: AT + 50,
    running: [],
    by: "failed",
    call: null,
  });
});

Deno.test("step() is decided by the first value", () => {
  const next = step(yes, racing, { type: "returned", at: AT + 10, call: 2 });
  assertEquals(next, { ...decided, at: AT + 10, running: [1], call: 2 });
});

Deno.test("step() is decided by a fatal failure", () => {
  const expected = { ...decided, at: AT + 10, by: "failed", call: null };
  assertEquals(step(yes, racing, failed(1, true)), expected as Decided);
});

Deno.test("step() begins the next call at once after a failure that is not fatal", () => {
  assertEquals(step(yes, { ...racing, left: 2 }, failed(1)), {
    ...racing,
    at: AT + 10,
    calls: 3,
    running: [2, 3],
    left: 1,
    hedgeAt: AT + 60,
  });
});

Deno.test("step() goes on with the calls that run when no other may begin after a failure", () => {
  const expected = { ...racing, at: AT + 10, running: [2], left: 0, hedgeAt: null };
  assertEquals(step(no, racing, failed(1)), expected);
  assertEquals(step(yes, { ...racing, left: 0, hedgeAt: null }, failed(1)), expected);
  assertEquals(step(yes, racing, failed(1, false, -1)), expected);
  assertEquals(
    step(yes, { ...racing, left: 0, hedgeAt: null }, failed(1, false, 5)),
    expected,
  );
});

Deno.test("step() waits for a pushback before the next call, also when none runs", () => {
  const expected = { ...racing, at: AT + 10, running: [2], hedgeAt: AT + 210 };
  assertEquals(step(yes, racing, failed(1, false, 200)), expected);
  const last = { ...racing, running: [1] };
  assertEquals(step(yes, last, failed(1, false, 0)), {
    ...racing,
    at: AT + 10,
    running: [],
    hedgeAt: AT + 10,
  });
});

Deno.test("step() is decided by the last failure when none runs and no other may begin", () => {
  const last = { ...racing, running: [2], left: 0, hedgeAt: null };
  const expected = { ...decided, at: AT + 10, running: [], by: "failed", call: null };
  assertEquals(step(yes, last, failed(2)), expected as Decided);
  assertEquals(
    step(yes, { ...racing, running: [2] }, failed(2, false, -1)),
    expected as Decided,
  );
});

Deno.test("step() is decided by an abort", () => {
  const expected = { ...decided, at: AT + 10, running: [1, 2], by: "aborted", call: null };
  assertEquals(step(yes, racing, { type: "aborted", at: AT + 10 }), expected as Decided);
});

Deno.test("step() returns the same state when a call ends that does not run, and once it is decided", () => {
  const inputs: HedgedInput[] = [
    { type: "returned", at: AT + 10, call: 3 },
    failed(3),
    failed(0, true),
  ];
  for (const input of inputs) assertStrictEquals(step(yes, racing, input), racing);
  const all: HedgedInput[] = [
    { type: "woke", at: AT + 99 },
    { type: "returned", at: AT + 10, call: 2 },
    failed(2),
    { type: "aborted", at: AT + 10 },
  ];
  for (const input of all) assertStrictEquals(step(yes, decided, input), decided);
});

Deno.test("step() keeps every invariant, from JSON too, in every state of up to three hedges", () => {
  const seen = new Set<string>();
  const moves = new Set<string>();
  let asked = 0;
  const visit = (state: HedgedState, allow: boolean) => {
    const text = JSON.stringify([state, allow]);
    if (seen.has(text)) return;
    seen.add(text);
    const policy = {
      mayHedge: () => {
        asked += 1;
        return allow;
      },
    };
    const instants = state.phase === "racing"
      ? [state.at, (state.hedgeAt ?? state.at + 50) - 1, state.hedgeAt ?? state.at + 50]
      : [state.at];
    for (const at of new Set(instants)) {
      const ends = [1, 2, 3, 4].flatMap((call): HedgedInput[] => [
        { type: "returned", at, call },
        ...[true, false].flatMap((isFatal) =>
          [null, -1, 0, 70].map((pushback) =>
            ({ type: "failed", at, call, isFatal, pushback }) as const
          )
        ),
      ]);
      for (
        const input of [{ type: "woke", at }, { type: "aborted", at }, ...ends] as const
      ) {
        asked = 0;
        const next = step(policy, Object.freeze(state), input);
        const times = asked;
        assertEquals(step(policy, JSON.parse(JSON.stringify(state)), input), next);
        moves.add(`${state.phase} ${input.type} ${next === state ? "-" : next.phase}`);
        if (state.phase === "decided") {
          assertStrictEquals(next, state);
          continue;
        }
        const begun = next.calls - state.calls;
        assert(begun === 0 || begun === 1);
        assertEquals(times, begun === 1 || (allow === false && times === 1) ? 1 : 0);
        if (begun === 1) assert(allow && input.type !== "returned");
        assert(next.running.length <= state.running.length + begun);
        if (next.phase === "decided") {
          const isReturned = input.type === "returned";
          assertEquals(next.by === "returned", isReturned);
          assertEquals(next.call, isReturned ? input.call : null);
          if (next.by === "failed" && input.type === "failed" && !input.isFatal) {
            assertEquals(next.running, []);
          }
        } else {
          assert(next.calls + next.left <= 4, "never more calls than allowed");
          assert(next.running.length > 0 || next.hedgeAt !== null, "something will happen");
          assert(next.hedgeAt === null || (next.left > 0 && next.hedgeAt >= next.at));
        }
        visit(next, allow);
      }
    }
  };
  for (const allow of [true, false]) {
    visit(beginHedged(0, 50, 3), allow);
    visit(beginHedged(0, null, 3), allow);
  }
  assert(seen.size > 1000);
  assertEquals([...moves].sort(), [
    "decided aborted -",
    "decided failed -",
    "decided returned -",
    "decided woke -",
    "racing aborted decided",
    "racing failed -", // a call that does not run
    "racing failed decided",
    "racing failed racing",
    "racing returned -",
    "racing returned decided",
    "racing woke -",
    "racing woke decided", // after a pushback, with no call running
    "racing woke racing",
  ]);
});
