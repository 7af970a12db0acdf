// The table of the adaptive throttle, its probability, and every state of a few steps.

import { assert, assertAlmostEquals, assertEquals, assertStrictEquals } from "@std/assert";
import {
  idleThrottle,
  probabilityOf,
  resumed,
  step,
  type ThrottleInput,
  type ThrottleState,
} from "../../../src/guards/adaptive_throttle_engine.ts";
import { SLICES } from "../../../src/guards/window.ts";

const policy = { k: 2, window: 1000 };

const countsOf = ({ window }: ThrottleState) => [window.total, window.part];

function after(...types: ThrottleInput["type"][]): ThrottleState {
  return types.reduce(
    (state, type) => step(policy, state, { type, at: 0 }),
    idleThrottle(0),
  );
}

Deno.test("step() counts a request when a call begins", () => {
  const state = step(policy, idleThrottle(0), { type: "called", at: 5 });
  assertEquals([state.at, ...countsOf(state)], [5, 1, 0]);
});

Deno.test("step() counts an accept when a call was accepted", () => {
  const state = step(policy, after("called"), { type: "accepted", at: 5 });
  assertEquals([state.at, ...countsOf(state)], [5, 1, 1]);
});

Deno.test("step() returns the same state when a call ended by overload", () => {
  const state = after("called");
  assertStrictEquals(step(policy, state, { type: "overloaded", at: 5 }), state);
});

Deno.test("probabilityOf() is max(0, (requests - k * accepts) / (requests + 1))", () => {
  const called = (count: number) => new Array<"called">(count).fill("called");
  const accepted = (count: number) => new Array<"accepted">(count).fill("accepted");
  const rows: [requests: number, accepts: number, k: number, expected: number][] = [
    [0, 0, 2, 0],
    [1, 0, 2, 1 / 2],
    [9, 0, 2, 9 / 10],
    [10, 5, 2, 0],
    [10, 4, 2, 2 / 11],
    [10, 4, 1.1, 5.6 / 11],
    [10, 10, 2, 0],
    [99, 1, 2, 97 / 100],
  ];
  for (const [requests, accepts, k, expected] of rows) {
    const state = after(...called(requests), ...accepted(accepts));
    assertAlmostEquals(probabilityOf({ ...policy, k }, state, 0), expected, 1e-12);
  }
});

Deno.test("probabilityOf() forgets what has left the window", () => {
  const state = after("called", "called", "called");
  assertEquals(probabilityOf(policy, state, 999), 3 / 4);
  assertEquals(probabilityOf(policy, state, 1000), 0);
});

Deno.test("resumed() moves a state back when the clock began anew", () => {
  const state = step(policy, idleThrottle(0), { type: "called", at: 70_050 });
  const moved = resumed(policy, state, 50);
  assertEquals(moved.at, 50);
  assertEquals(probabilityOf(policy, moved, 999), 1 / 2);
  assertEquals(probabilityOf(policy, moved, 1000), 0);
  assertStrictEquals(resumed(policy, state, 70_050), state);
});

Deno.test("step() agrees with a list of all events, from JSON too, in every state of five steps", () => {
  interface Path {
    readonly state: ThrottleState;
    readonly events: readonly ThrottleInput[];
  }
  let paths: Path[] = [{ state: idleThrottle(0), events: [] }];
  let visited = 0;
  for (let depth = 0; depth < 5; depth++) {
    paths = paths.flatMap(({ state, events }) =>
      (["called", "accepted", "overloaded"] as const).flatMap((type) =>
        [0, 100, 950].map((wait): Path => {
          const at = (events.at(-1)?.at ?? 0) + wait;
          const input = { type, at };
          const next = step(policy, Object.freeze(state), input);
          assertEquals(step(policy, JSON.parse(JSON.stringify(state)), input), next);
          const all = [...events, input];
          const slice = (at: number) => Math.floor(at * SLICES / policy.window);
          const inWindow = all.filter((each) => slice(each.at) > slice(at) - SLICES);
          const count = (type: string) =>
            inWindow.filter((each) => each.type === type).length;
          const [requests, accepts] = [count("called"), count("accepted")];
          assertAlmostEquals(
            probabilityOf(policy, next, at),
            Math.max(0, (requests - 2 * accepts) / (requests + 1)),
          );
          visited += 1;
          return { state: next, events: all };
        })
      )
    );
  }
  assert(visited > 50_000);
});
