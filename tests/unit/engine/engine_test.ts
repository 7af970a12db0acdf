// A test for each cell of the table in the engine's header, and for the two rules below it.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import {
  begin,
  beginTrying,
  isGivenNoTime,
  isHeldAlready,
  limitError,
  step,
} from "../../../src/engine/engine.ts";
import type { Limit } from "../../../src/engine/limit.ts";
import type { Event, Failure, Policy, Refusal, State } from "../../../src/engine/state.ts";

/** A policy without limits that retries at once, and remembers the failures that it decides. */
function policyOf(rules: Partial<Policy> = {}): Policy & { asked: Failure[] } {
  const asked: Failure[] = [];
  const { refusalOf = () => null, decide = () => 0, ...limits } = rules;
  return {
    attemptTimeout: Infinity,
    deadline: Infinity,
    grace: 0,
    idleTimeout: Infinity,
    resetAfter: Infinity,
    ...limits,
    asked,
    refusalOf,
    decide(failure, at, previous, isRefusal) {
      asked.push(failure);
      return decide(failure, at, previous, isRefusal);
    },
  };
}

const fulfilled = (at: number, value: unknown): Event => ({
  type: "settled",
  at,
  outcome: { status: "fulfilled", value },
});
const rejected = (at: number, reason: unknown): Event => ({
  type: "settled",
  at,
  outcome: { status: "rejected", reason },
});
const woke = (at: number): Event => ({ type: "woke", at });
const aborted = (at: number, reason: unknown): Event => ({
  type: "aborted",
  at,
  reason,
});

const progressed = (at: number, checkpoint?: unknown): Event => ({
  type: "progressed",
  at,
  checkpoint,
});
/** A stream is opened, an item is delivered and held, or the next one is asked for. */
const held = (
  at: number,
  step: "open" | "item" | "ask",
  mayRepeat: boolean = false,
): Event => ({ type: "held", at, step, mayRepeat });

/** Every execution of these tests begins at 1000. */
const walk = (policy: Policy, ...events: Event[]): State =>
  events.reduce<State>((state, event) => step(policy, state, event), begin(1000, "load"));

/** Asserts that an error is the timeout of a limit. */
function assertLimit(error: unknown, limit: Limit, ms: number): void {
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, error.ms], [limit, ms]);
}

function assertDone(state: State, at: number, reason: string, outcome: unknown): void {
  assert(state.phase === "done");
  assertEquals([state.at, state.reason], [at, reason]);
  const { outcome: settled } = state;
  assertEquals(settled.status, reason === "success" ? "fulfilled" : "rejected");
  assertStrictEquals(
    settled.status === "fulfilled" ? settled.value : settled.reason,
    outcome,
  );
}

/** The fields of every state in the first attempt. */
const first = {
  name: "load",
  beganAt: 1000,
  outerEndsAt: Infinity,
  attempts: 1,
  attemptAt: 1000,
  pause: 0,
  checkpoint: undefined,
  reports: null,
};

/** The failure of the first attempt at 1010, with a deadline at 1100. */
const broken: Failure = {
  error: "broken",
  name: "load",
  attempt: 1,
  streak: 1,
  limit: null,
  duration: 10,
  elapsed: 10,
  remaining: 90,
  pauseBefore: 0,
};

Deno.test("begin() returns a pause that is due at once, before the first attempt", () => {
  assertEquals<State>(begin(1000, "load"), {
    ...first,
    phase: "pausing",
    at: 1000,
    attempts: 0,
    lastFailure: null,
    wakeAt: 1000,
  });
});

Deno.test("begin() notes when the outer attempt ends, which bounds `remaining` alone", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, decide: () => 30 });
  const pausing = begin(1000, "load", 1050);
  assertEquals(pausing.outerEndsAt, 1050);
  const trying = step(policy, pausing, woke(1000));
  assert(trying.phase === "trying");
  assertEquals([trying.outerEndsAt, trying.wakeAt], [1050, 1020]);
  const paused = step(policy, trying, rejected(1010, "broken"));
  assert(paused.phase === "pausing");
  assertEquals([paused.outerEndsAt, paused.lastFailure?.remaining], [1050, 40]);
  const late = step(policy, trying, rejected(1060, "broken"));
  assertEquals([late.phase, late.lastFailure?.remaining], ["pausing", 0]);
  const soon = step(policy, begin(1000, "load", 2000), woke(1000));
  assertEquals(step(policy, soon, rejected(1010, "broken")).lastFailure?.remaining, 90);
});

Deno.test("step() begins an attempt when a pause ends", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100 });
  assertEquals<State>(walk(policy, woke(1000)), {
    ...first,
    phase: "trying",
    at: 1000,
    lastFailure: null,
    wakeAt: 1020,
    idleAt: Infinity,
    delivery: null,
  });
});

Deno.test("step() begins the next attempt with the last failure and its pause", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, decide: () => 50 });
  const pausing = walk(policy, woke(1000), rejected(1010, "broken"));
  // The wake is late, so the deadline comes before the attempt timeout.
  assertEquals<State>(step(policy, pausing, woke(1090)), {
    ...first,
    phase: "trying",
    at: 1090,
    attempts: 2,
    attemptAt: 1090,
    pause: 50,
    lastFailure: pausing.lastFailure,
    wakeAt: 1100,
    idleAt: Infinity,
    delivery: null,
  });
});

Deno.test("step() ends with the value when an attempt is fulfilled", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, grace: 5 });
  assertEquals<State>(walk(policy, woke(1000), fulfilled(1010, "value")), {
    ...first,
    phase: "done",
    at: 1010,
    lastFailure: null,
    reason: "success",
    outcome: { status: "fulfilled", value: "value" },
  });
});

Deno.test("step() pauses when an attempt is rejected and the policy answers with a pause", () => {
  const policy = policyOf({ deadline: 100, grace: 5, decide: () => 30 });
  assertEquals<State>(walk(policy, woke(1000), rejected(1010, "broken")), {
    ...first,
    phase: "pausing",
    at: 1010,
    pause: 30,
    lastFailure: broken,
    wakeAt: 1040,
  });
});

Deno.test("step() ends a pause at the deadline when less time remains", () => {
  const policy = policyOf({ deadline: 100, decide: () => 500 });
  const pausing = walk(policy, woke(1000), rejected(1010, "broken"));
  assert(pausing.phase === "pausing");
  assertEquals([pausing.wakeAt, pausing.pause], [1100, 500]);
});

Deno.test("step() ends with the failure's error when an attempt is rejected and the policy gives a reason", () => {
  const reasons = ["nonRetryable", "exhausted", "maxTries", "giveup", "deadline", "budget"];
  for (const reason of reasons as Refusal[]) {
    const policy = policyOf({ deadline: 100, decide: () => reason });
    const done = walk(policy, woke(1000), rejected(1010, "broken"));
    assertEquals<State>(done, {
      ...first,
      phase: "done",
      at: 1010,
      lastFailure: broken,
      reason,
      outcome: { status: "rejected", reason: "broken" },
    });
  }
});

Deno.test("step() fails the attempt with the refusal when the policy refuses its value", () => {
  const asked: unknown[][] = [];
  const refusal = new Error("not yet");
  const policy = policyOf({
    deadline: 100,
    refusalOf(...args) {
      asked.push(args);
      return args[0] === "done" ? null : refusal;
    },
    decide: (_failure, _at, _previous, isRefusal) => isRefusal ? 30 : "nonRetryable",
  });
  const pausing = walk(policy, woke(1000), fulfilled(1010, "pending"));
  assertEquals<State>(pausing, {
    ...first,
    phase: "pausing",
    at: 1010,
    pause: 30,
    lastFailure: { ...broken, error: refusal },
    wakeAt: 1040,
  });
  assertStrictEquals(pausing.lastFailure?.error, refusal);
  const trying = step(policy, pausing, woke(1040));
  assertDone(step(policy, trying, fulfilled(1050, "done")), 1050, "success", "done");
  // An error is not a refusal, not even the very error that refused the value before.
  const done = step(policy, trying, rejected(1050, refusal));
  assertDone(done, 1050, "nonRetryable", refusal);
  assertEquals(asked, [["pending", "load"], ["done", "load"]]);
});

Deno.test("step() ends with the refusal when it refuses the value of the last attempt", () => {
  for (const refusal of [new Error("not yet"), undefined, 0]) {
    const policy = policyOf({ refusalOf: () => refusal, decide: () => "maxTries" });
    const done = walk(policy, woke(1000), fulfilled(1010, "pending"));
    assertDone(done, 1010, "maxTries", refusal);
    assertEquals(policy.asked.map(({ error }) => error), [refusal]);
  }
});

Deno.test("step() ends with the error that the policy throws when it is asked about a value", () => {
  for (const thrown of [new Error("a bug"), undefined]) {
    const refusalOf = () => {
      throw thrown;
    };
    const policy = policyOf({ attemptTimeout: 20, grace: 30, refusalOf });
    const trying = walk(policy, woke(1000));
    const stopping = step(policy, trying, woke(1020));
    for (const state of [trying, stopping]) {
      const done = step(policy, state, fulfilled(1030, "value"));
      assertDone(done, 1030, "callbackError", thrown);
      assertStrictEquals(done.lastFailure, null);
    }
    assertEquals(policy.asked, []);
  }
});

Deno.test("step() hands the failure before to the policy that decides", () => {
  const before: (Failure | null)[] = [];
  const policy = policyOf({
    attemptTimeout: 20,
    grace: 5,
    refusalOf: () => "refused",
    decide(_failure, _at, previous) {
      before.push(previous);
      return 0;
    },
  });
  walk(
    policy,
    ...[woke(1000), rejected(1010, "broken")],
    ...[woke(1010), fulfilled(1015, "value")],
    ...[woke(1015), woke(1035), woke(1040)],
    ...[woke(1040), rejected(1041, "broken")],
  );
  assertEquals(policy.asked.map(({ attempt }) => attempt), [1, 2, 3, 4]);
  assertEquals(before.length, 4);
  const expected = [null, ...policy.asked.slice(0, 3)];
  for (const [index, each] of before.entries()) assertStrictEquals(each, expected[index]);
});

Deno.test("step() ends with the error that the policy throws, and keeps the failure", () => {
  for (const thrown of [new Error("a bug"), undefined]) {
    const policy = policyOf({
      decide() {
        throw thrown;
      },
    });
    const done = walk(policy, woke(1000), rejected(1010, "broken"));
    assertDone(done, 1010, "callbackError", thrown);
    assertEquals(done.lastFailure?.error, "broken");
    assertEquals(policy.asked.length, 1);
  }
});

Deno.test("step() ends with the timeout of the deadline when an attempt is woken at or after it", () => {
  for (const at of [1100, 1101]) {
    const policy = policyOf({ deadline: 100, grace: 5 });
    const done = walk(policy, woke(1000), woke(at));
    assert(done.phase === "done" && done.outcome.status === "rejected");
    assertDone(done, at, "deadline", done.outcome.reason);
    assertLimit(done.outcome.reason, "deadline", 100);
    assertEquals([done.lastFailure, policy.asked], [null, []]);
  }
});

Deno.test("step() ends with the last failure's error when an attempt is woken at the deadline", () => {
  const policy = policyOf({ deadline: 100 });
  const error = new Error("busy");
  const pausing = walk(policy, woke(1000), rejected(1010, error));
  const done = [woke(1010), woke(1100)].reduce((s, e) => step(policy, s, e), pausing);
  assertDone(done, 1100, "deadline", error);
  // The attempt that the deadline ends is not a failure, so the one before it stays the last.
  assertStrictEquals(done.lastFailure, pausing.lastFailure);
  assertEquals([done.attempts, policy.asked.length], [2, 1]);
});

Deno.test("step() fails the attempt with its timeout when it is woken without a grace", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, decide: () => 30 });
  const pausing = walk(policy, woke(1000), woke(1020));
  assert(pausing.phase === "pausing");
  assertLimit(pausing.lastFailure?.error, "attempt", 20);
  assertEquals([pausing.at, pausing.wakeAt, pausing.attempts], [1020, 1050, 1]);
  assertEquals(policy.asked, [pausing.lastFailure]);
});

Deno.test("step() begins the grace when an attempt is woken at its timeout, and decides nothing yet", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, grace: 30 });
  const error = new TimeoutError("attempt", 20, "load");
  const stopping = walk(policy, woke(1000), { type: "woke", at: 1020, error });
  assertEquals<State>(stopping, {
    ...first,
    phase: "stopping",
    at: 1020,
    lastFailure: null,
    wakeAt: 1050,
    limit: "attempt",
    error,
    delivery: null,
  });
  assertStrictEquals(stopping.phase === "stopping" && stopping.error, error);
  assertEquals(policy.asked, []);
});

Deno.test("step() counts the grace from the wake, even a late one, and ends it at the deadline", () => {
  const wakeAtOf = (grace: number, at: number) => {
    const policy = policyOf({ attemptTimeout: 20, deadline: 100, grace });
    const stopping = walk(policy, woke(1000), woke(at));
    return stopping.phase === "stopping" && stopping.wakeAt;
  };
  assertEquals(wakeAtOf(30, 1025), 1055);
  assertEquals(wakeAtOf(90, 1025), 1100);
  assertEquals(wakeAtOf(Infinity, 1025), 1100);
});

Deno.test("step() ends with the signal's reason when it is aborted in an attempt or a pause", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, decide: () => 30 });
  const before = begin(1000, "load");
  const trying = walk(policy, woke(1000));
  const pausing = walk(policy, woke(1000), rejected(1010, "broken"));
  const asked = policy.asked.length;
  for (const [state, at] of [[before, 1000], [trying, 1010], [pausing, 1020]] as const) {
    for (const reason of [new Error("stop"), undefined]) {
      const done = step(policy, state, aborted(at, reason));
      assertDone(done, at, "aborted", reason);
      assertStrictEquals(done.lastFailure, state.lastFailure);
      assertEquals(done.attempts, state.attempts);
    }
  }
  assertEquals(policy.asked.length, asked);
});

/** A state in the grace of the first attempt, from 1020 to 1050. */
function inGrace(rules: Partial<Policy> = {}) {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, grace: 30, ...rules });
  const stopping = walk(policy, woke(1000), woke(1020));
  assert(stopping.phase === "stopping");
  return { policy, stopping };
}

Deno.test("step() ends with the value when an attempt is fulfilled in its grace", () => {
  const { policy, stopping } = inGrace();
  const done = step(policy, stopping, fulfilled(1030, "value"));
  assertDone(done, 1030, "success", "value");
  assertEquals([done.lastFailure, policy.asked], [null, []]);
});

Deno.test("step() fails the attempt with its timeout when its value is refused in its grace", () => {
  const refusals: boolean[] = [];
  const { policy, stopping } = inGrace({
    refusalOf: () => "refused",
    decide(_failure, _at, _previous, isRefusal) {
      refusals.push(isRefusal);
      return 10;
    },
  });
  const pausing = step(policy, stopping, fulfilled(1030, "value"));
  assert(pausing.phase === "pausing");
  assertStrictEquals(pausing.lastFailure?.error, stopping.error);
  assertEquals(pausing.lastFailure?.limit, "attempt");
  assertEquals([pausing.lastFailure?.elapsed, pausing.wakeAt], [30, 1040]);
  assertEquals([policy.asked.length, refusals], [1, [false]]);
});

Deno.test("step() does not ask about a value that comes at the deadline in the grace, or too late", () => {
  const refusalOf = () => {
    throw new Error("asked");
  };
  const { policy, stopping } = inGrace({ grace: Infinity, refusalOf });
  const end = fulfilled(1100, "value");
  assertDone(step(policy, stopping, end), 1100, "deadline", stopping.error);
  const pausing = walk(policy, woke(1000), rejected(1010, "broken"));
  assertStrictEquals(step(policy, pausing, fulfilled(1010, "value")), pausing);
});

Deno.test("step() fails the attempt with its timeout when it is rejected in its grace", () => {
  const { policy, stopping } = inGrace({ decide: () => 10 });
  const pausing = step(policy, stopping, rejected(1030, new Error("wound down")));
  assert(pausing.phase === "pausing");
  assertStrictEquals(pausing.lastFailure?.error, stopping.error);
  assertEquals([pausing.lastFailure?.elapsed, pausing.wakeAt], [30, 1040]);
  assertEquals(policy.asked.length, 1);
});

Deno.test("step() fails the attempt with its timeout when its grace has ended", () => {
  const { policy, stopping } = inGrace({ decide: () => 10 });
  const pausing = step(policy, stopping, woke(1050));
  assert(pausing.phase === "pausing");
  assertStrictEquals(pausing.lastFailure?.error, stopping.error);
  assertEquals([pausing.lastFailure?.elapsed, pausing.wakeAt], [50, 1060]);
  assertEquals("error" in pausing, false);
  assertEquals(policy.asked.length, 1);
});

Deno.test("step() ends with the timeout when the grace of the last attempt has ended", () => {
  const { policy, stopping } = inGrace({ decide: () => "maxTries" });
  for (const event of [woke(1050), rejected(1030, "broken")]) {
    assertDone(step(policy, stopping, event), event.at, "maxTries", stopping.error);
  }
});

Deno.test("step() ends with the attempt's timeout when the deadline is reached in the grace", () => {
  const { policy, stopping } = inGrace({ grace: Infinity });
  const done = step(policy, stopping, woke(1100));
  assertDone(done, 1100, "deadline", stopping.error);
  assertLimit(stopping.error, "attempt", 20);
  assertEquals(done.lastFailure, {
    error: stopping.error,
    name: "load",
    attempt: 1,
    streak: 1,
    limit: "attempt",
    duration: 100,
    elapsed: 100,
    remaining: 0,
    pauseBefore: 0,
  });
  assertEquals(policy.asked, []);
});

Deno.test("step() ends with the signal's reason when it is aborted in the grace, and keeps the timeout", () => {
  const { policy, stopping } = inGrace();
  const reason = new Error("stop");
  const done = step(policy, stopping, aborted(1030, reason));
  assertDone(done, 1030, "aborted", reason);
  assertStrictEquals(done.lastFailure?.error, stopping.error);
  assertEquals([done.lastFailure?.elapsed, policy.asked], [30, []]);
});

Deno.test("step() returns the same state when an attempt settles in a pause", () => {
  const policy = policyOf({ decide: () => 30 });
  const pausing = walk(policy, woke(1000), rejected(1010, "broken"));
  for (const event of [fulfilled(1020, "value"), rejected(1020, "broken")]) {
    assertStrictEquals(step(policy, pausing, event), pausing);
  }
  assertEquals(policy.asked.length, 1);
});

Deno.test("step() ends with the last failure's error when a pause is woken at or after the deadline", () => {
  for (const at of [1100, 1101]) {
    const policy = policyOf({ deadline: 100, decide: () => 500 });
    const error = new Error("busy");
    const done = walk(policy, woke(1000), rejected(1010, error), woke(at));
    assertDone(done, at, "deadline", error);
    assertEquals([done.attempts, policy.asked.length], [1, 1]);
  }
});

Deno.test("step() returns the same state when the execution is done", () => {
  const policy = policyOf({ deadline: 100, decide: () => "nonRetryable" });
  const ends = [
    fulfilled(1010, "value"),
    rejected(1010, "broken"),
    woke(1100),
    aborted(1010, "stop"),
  ];
  for (const done of ends.map((event) => walk(policy, woke(1000), event))) {
    const asked = policy.asked.length;
    for (
      const event of [
        fulfilled(1200, "value"),
        rejected(1200, "broken"),
        woke(1200),
        aborted(1200, "stop"),
      ]
    ) {
      assertStrictEquals(step(policy, done, event), done);
    }
    assertEquals([done.phase, policy.asked.length], ["done", asked]);
  }
});

Deno.test("step() returns the same state when it is woken too early", () => {
  const { policy, stopping } = inGrace({ decide: () => 30 });
  const trying = walk(policy, woke(1000));
  const pausing = step(policy, stopping, rejected(1020, "broken"));
  for (
    const [state, wakeAt] of [[trying, 1020], [stopping, 1050], [pausing, 1050]] as const
  ) {
    assertStrictEquals(step(policy, state, woke(wakeAt - 1)), state);
    assert(step(policy, state, woke(wakeAt)) !== state);
  }
});

Deno.test("step() returns the same state when an attempt without a limit is woken", () => {
  const policy = policyOf();
  const trying = walk(policy, woke(1000));
  assertEquals(trying.phase === "trying" && trying.wakeAt, Infinity);
  assertStrictEquals(step(policy, trying, woke(1e12)), trying);
});

Deno.test("limitError() names the limit that is reached, and the deadline when both are", () => {
  const policy = policyOf({ attemptTimeout: 99, deadline: 100 });
  const trying = walk(policy, woke(1000));
  assert(trying.phase === "trying");
  assertLimit(limitError(policy, trying, 1099), "attempt", 99);
  const error = limitError(policy, trying, 1100);
  assertLimit(error, "deadline", 100);
  assertEquals(error?.message, "'load' reached its deadline of 100 ms");
});

Deno.test("limitError() returns undefined when no limit is reached", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, grace: 30 });
  const trying = walk(policy, woke(1000));
  assert(trying.phase === "trying");
  assertEquals(limitError(policy, trying, 1019), undefined);
  const stopping = step(policy, trying, woke(1020));
  assert(stopping.phase === "stopping");
  // The attempt timeout holds while an attempt runs, and not in its grace.
  assertEquals(limitError(policy, stopping, 1050), undefined);
});

Deno.test("step() ends with the reason of a fault, in any phase", () => {
  const { policy, stopping } = inGrace();
  const faulted = (at: number): Event => ({ type: "faulted", at, reason: "no clock" });
  const before = step(policy, begin(1000, "load"), faulted(1000));
  assertDone(before, 1000, "callbackError", "no clock");
  assertDone(walk(policy, woke(1000), faulted(1010)), 1010, "callbackError", "no clock");
  const done = step(policy, stopping, faulted(1030));
  assertDone(done, 1030, "callbackError", "no clock");
  assertStrictEquals(done.lastFailure?.error, stopping.error); // the timeout is a failure
  assertStrictEquals(step(policy, done, faulted(1040)), done);
});

// Reports: progress, and the items of a stream.

Deno.test("step() begins the idle timeout with the attempt, beside its other limits", () => {
  const policy = policyOf({ attemptTimeout: 50, deadline: 200, idleTimeout: 20 });
  const trying = walk(policy, woke(1000));
  assert(trying.phase === "trying");
  assertEquals([trying.wakeAt, trying.idleAt, trying.delivery], [1050, 1020, null]);
  assertStrictEquals(step(policy, trying, woke(1019)), trying);
  const next = step(policy, step(policy, trying, rejected(1010, "broken")), woke(1010));
  assertEquals(next.phase === "trying" && next.idleAt, 1030);
});

Deno.test("step() begins the idle timeout anew when an attempt reports progress, and notes its checkpoint", () => {
  const policy = policyOf({ attemptTimeout: 50, deadline: 200, idleTimeout: 20 });
  const trying = walk(policy, woke(1000));
  assert(trying.phase === "trying");
  const once = step(policy, trying, progressed(1015, "half"));
  assertEquals<State>(once, {
    ...trying,
    checkpoint: "half",
    reports: { count: 1, firstAt: 1015, latestAt: 1015 },
    idleAt: 1035,
  });
  const twice = step(policy, once, progressed(1035));
  assertEquals<State>(twice, {
    ...trying,
    checkpoint: "half", // without an argument, it stays
    reports: { count: 2, firstAt: 1015, latestAt: 1035 },
    idleAt: 1055,
  });
  for (const checkpoint of [null, 0, false]) {
    assertEquals(step(policy, twice, progressed(1036, checkpoint)).checkpoint, checkpoint);
  }
  assertStrictEquals(step(policy, twice, woke(1049)), twice);
  assertEquals(step(policy, twice, woke(1050)).phase, "pausing"); // the attempt timeout
});

Deno.test("step() fails the attempt with the idle timeout when it is silent for so long", () => {
  const policy = policyOf({ idleTimeout: 20, deadline: 100, decide: () => 30 });
  const pausing = walk(policy, woke(1000), progressed(1015), woke(1034), woke(1035));
  assert(pausing.phase === "pausing");
  assertLimit(pausing.lastFailure?.error, "idle", 20);
  assertEquals([pausing.lastFailure?.limit, pausing.lastFailure?.duration], ["idle", 35]);
  assertEquals([pausing.at, pausing.wakeAt], [1035, 1065]);
  const own = new TimeoutError("idle", 20);
  const given = { type: "woke", at: 1020, error: own } as const;
  assertStrictEquals(walk(policy, woke(1000), given).lastFailure?.error, own);
});

Deno.test("step() begins the grace at the idle timeout, and fails with it whatever ends the grace", () => {
  const policy = policyOf({ idleTimeout: 20, deadline: 100, grace: 30, decide: () => 5 });
  const stopping = walk(policy, woke(1000), woke(1020));
  assert(stopping.phase === "stopping");
  assertLimit(stopping.error, "idle", 20);
  assertEquals([stopping.limit, stopping.wakeAt], ["idle", 1050]);
  assertEquals("idleAt" in stopping, false);
  for (const event of [rejected(1030, "broken"), woke(1050)]) {
    const pausing = step(policy, stopping, event);
    assertStrictEquals(pausing.lastFailure?.error, stopping.error);
    assertEquals(pausing.lastFailure?.limit, "idle");
  }
  assertDone(step(policy, stopping, fulfilled(1030, "value")), 1030, "success", "value");
  const done = step(policy, stopping, aborted(1030, "stop"));
  assertEquals(done.lastFailure?.limit, "idle");
});

Deno.test("step() notes the checkpoint of progress in the grace, and nothing else", () => {
  const { policy, stopping } = inGrace({ decide: () => 10 });
  const noted = step(policy, stopping, progressed(1030, "half"));
  assertEquals<State>(noted, { ...stopping, checkpoint: "half" });
  assertEquals(step(policy, noted, progressed(1031)).checkpoint, "half");
  const trying = [woke(1050), woke(1060)].reduce((s, e) => step(policy, s, e), noted);
  assertEquals([trying.phase, trying.checkpoint, trying.reports], ["trying", "half", null]);
});

Deno.test("step() returns the same state when progress is reported in a pause or after the end", () => {
  const policy = policyOf({ idleTimeout: 20, decide: () => 30 });
  const pausing = walk(policy, woke(1000), progressed(1005, 1), rejected(1010, "broken"));
  assertStrictEquals(step(policy, pausing, progressed(1010, 2)), pausing);
  const done = step(policy, pausing, aborted(1020, "stop"));
  assertStrictEquals(step(policy, done, progressed(1020, 2)), done);
  assertEquals([done.checkpoint, done.reports?.count], [1, 1]);
});

Deno.test("step() hands the checkpoint to the next attempts, but not the reports", () => {
  const policy = policyOf({ idleTimeout: 20, decide: () => 0 });
  const events = [progressed(1005, "half"), rejected(1010, 1), woke(1010)];
  const second = walk(policy, woke(1000), ...events);
  assertEquals([second.checkpoint, second.reports], ["half", null]);
  const third = [rejected(1015, 2), woke(1015)].reduce(
    (s, e) => step(policy, s, e),
    second,
  );
  assertEquals([third.attempts, third.checkpoint], [3, "half"]);
});

Deno.test("step() waits for the first item of a stream with the attempt timeout, and no idle timeout", () => {
  const policy = policyOf({ attemptTimeout: 30, idleTimeout: 20, deadline: 100 });
  const trying = walk(policy, woke(1000));
  assert(trying.phase === "trying");
  const open = step(policy, trying, held(1000, "open"));
  assertEquals<State>(open, { ...trying, idleAt: Infinity, delivery: "none" });
  const progress = step(policy, open, progressed(1005, "half"));
  assert(progress.phase === "trying");
  assertEquals([progress.idleAt, progress.delivery], [Infinity, "none"]);
  assertStrictEquals(step(policy, open, woke(1029)), open);
  assertLimit(step(policy, open, woke(1030)).lastFailure?.error, "attempt", 30);
});

Deno.test("step() runs nothing but the deadline while an item is held", () => {
  const limits = { attemptTimeout: 30, idleTimeout: 20, deadline: 100 };
  const policy = policyOf(limits);
  const open = walk(policy, woke(1000), held(1000, "open"), progressed(1005, "half"));
  assert(open.phase === "trying");
  const holding = step(policy, open, held(1015, "item"));
  assertEquals<State>(holding, {
    ...open,
    reports: { count: 2, firstAt: 1005, latestAt: 1015 }, // the first item is progress
    wakeAt: 1100,
    idleAt: Infinity,
    delivery: "unrepeatable",
  });
  for (const at of [1030, 1035, 1099]) {
    assertStrictEquals(step(policy, holding, woke(at)), holding);
  }
  const reporting = step(policy, holding, progressed(1060));
  assertStrictEquals(step(policy, reporting, woke(1099)), reporting);
  const done = step(policy, holding, woke(1100));
  assertEquals([done.phase, done.lastFailure], ["done", null]);
  const unlimited = policyOf({ ...limits, deadline: Infinity });
  const forever = walk(unlimited, woke(1000), held(1000, "open"), held(1010, "item"));
  assertEquals(forever.phase === "trying" && forever.wakeAt, Infinity);
  assertStrictEquals(step(unlimited, forever, woke(1e12)), forever);
});

Deno.test("step() waits for each later item of a stream with the idle timeout, and no attempt timeout", () => {
  const policy = policyOf({ attemptTimeout: 30, idleTimeout: 20, deadline: 200 });
  const holding = walk(policy, woke(1000), held(1000, "open"), held(1010, "item", true));
  assert(holding.phase === "trying");
  const asking = step(policy, holding, held(1050, "ask", true));
  assertEquals<State>(asking, { ...holding, idleAt: 1070 }); // it is no report
  const reporting = step(policy, asking, progressed(1060));
  assertStrictEquals(step(policy, reporting, woke(1079)), reporting);
  assertLimit(step(policy, reporting, woke(1080)).lastFailure?.error, "idle", 20);
  const again = step(policy, asking, held(1069, "item", true));
  assertEquals<State>(again, holding); // later items are no reports
});

Deno.test("step() says of a step of a stream that changes nothing that it does not", () => {
  const policy = policyOf({ attemptTimeout: 30 });
  const trying = walk(policy, woke(1000), held(1000, "open"));
  const first = step(policy, trying, held(1010, "item"));
  const states: [State, step: "open" | "item" | "ask", mayRepeat: boolean, boolean][] = [
    [trying, "item", false, false],
    [first, "ask", false, true],
    [first, "item", false, true],
    [first, "item", true, false],
    [walk(policy), "ask", false, false],
  ];
  for (const [state, how, mayRepeat, expected] of states) {
    assertEquals(isHeldAlready(policy, state, how, mayRepeat), expected);
    if (expected) {
      assertStrictEquals(step(policy, state, held(1020, how, mayRepeat)), state);
    }
  }
  const idle = policyOf({ idleTimeout: 20 });
  const holding = walk(idle, woke(1000), held(1000, "open"), held(1010, "item"));
  assertEquals(isHeldAlready(idle, holding, "ask", false), false);
  const asking = step(idle, holding, held(1020, "ask"));
  assertEquals(isHeldAlready(idle, asking, "item", false), false);
});

Deno.test("step() ends with a failure, and asks nobody, when an item must not be delivered again", () => {
  const asked: unknown[] = [];
  const policy = policyOf({
    idleTimeout: 20,
    deadline: 1000,
    decide: (failure) => asked.push(failure),
  });
  const items = [woke(1000), held(1000, "open"), held(1010, "item"), held(1020, "ask")];
  const broken = walk(policy, ...items, rejected(1030, "broken"));
  assertDone(broken, 1030, "nonRetryable", "broken");
  assertEquals([broken.lastFailure?.error, broken.lastFailure?.limit], ["broken", null]);
  const silent = walk(policy, ...items, woke(1040));
  assertDone(silent, 1040, "nonRetryable", silent.lastFailure?.error);
  assertLimit(silent.lastFailure?.error, "idle", 20);
  const graceful = { ...policy, grace: 5 };
  const stopping = walk(graceful, ...items, woke(1040));
  assertEquals(stopping.phase, "stopping");
  const late = step(graceful, stopping, rejected(1042, "broken"));
  assertDone(late, 1042, "nonRetryable", late.lastFailure?.error);
  assertLimit(late.lastFailure?.error, "idle", 20);
  assertEquals(asked, []);
});

Deno.test("step() retries a failure when a checkpoint covers the items, or they may be delivered again", () => {
  const policy = policyOf({ idleTimeout: 20, deadline: 1000, grace: 5, decide: () => 10 });
  const open = [woke(1000), held(1000, "open")];
  const item = [held(1010, "item"), held(1010, "ask")];
  const retried: Event[][] = [
    [],
    [progressed(1005, "early")],
    [...item, progressed(1011, "id")],
    [...item, progressed(1011, null)],
    [held(1010, "item", true), held(1010, "ask", true)],
  ];
  for (const events of retried) {
    const failed = walk(policy, ...open, ...events, rejected(1015, "broken"));
    assertEquals(failed.phase, "pausing");
    const next = step(policy, failed, woke(1025));
    assert(next.phase === "trying");
    assertEquals([next.idleAt, next.delivery], [1045, null]); // it may be no stream
  }
  const uncovered: Event[][] = [
    [progressed(1005, "early"), ...item],
    [...item, progressed(1011)], // no checkpoint
    [...item, progressed(1011, "id"), held(1012, "item"), held(1012, "ask")],
  ];
  for (const events of uncovered) {
    const failed = walk(policy, ...open, ...events, rejected(1015, "broken"));
    assertDone(failed, 1015, "nonRetryable", "broken");
  }
  const stopping = walk(policy, ...open, ...item, woke(1030), progressed(1031, "id"));
  assert(stopping.phase === "stopping");
  assertEquals(stopping.delivery, "repeatable"); // the grace covers them too
  assertEquals(step(policy, stopping, woke(1035)).phase, "pausing");
});

Deno.test("step() holds the attempt timeout for the next attempt after one that streamed", () => {
  const policy = policyOf({ attemptTimeout: 30, idleTimeout: 20, decide: () => 0 });
  const items = [held(1000, "open", true), held(1010, "item", true)];
  const next = walk(policy, woke(1000), ...items, rejected(1050, 1), woke(1050));
  assert(next.phase === "trying");
  assertEquals([next.wakeAt, next.idleAt, next.delivery], [1080, 1070, null]);
});

Deno.test("step() returns the same state when an item is held in any phase but trying", () => {
  const { policy, stopping } = inGrace({ decide: () => 30 });
  const pausing = step(policy, stopping, rejected(1030, "broken"));
  const done = step(policy, pausing, aborted(1030, "stop"));
  for (const state of [stopping, pausing, done]) {
    for (const how of ["open", "item", "ask"] as const) {
      assertStrictEquals(step(policy, state, held(1040, how)), state);
    }
  }
});

Deno.test("step() fails each attempt at once when the idle timeout is 0, whatever the grace", () => {
  const policy = policyOf({ idleTimeout: 0, grace: 30, decide: () => 10 });
  const trying = walk(policy, woke(1000));
  assert(trying.phase === "trying");
  assertEquals([trying.idleAt, isGivenNoTime(trying)], [1000, true]);
  const pausing = step(policy, trying, woke(1000));
  assert(pausing.phase === "pausing");
  assertLimit(pausing.lastFailure?.error, "idle", 0);
});

Deno.test("isGivenNoTime() tells whether a limit of the attempt is reached as it begins", () => {
  for (const name of ["attemptTimeout", "idleTimeout"]) {
    for (const ms of [0, 1, Infinity]) {
      const trying = walk(policyOf({ [name]: ms }), woke(1000));
      assert(trying.phase === "trying");
      assertEquals(isGivenNoTime(trying), ms === 0, `${name} ${ms}`);
    }
  }
});

// Streaks.

Deno.test("step() counts failures in a row, from the number 1, whatever the attempts report", () => {
  const policy = policyOf({ decide: () => 0 }); // resetAfter is Infinity
  walk(
    policy,
    ...[woke(1000), progressed(1000), rejected(9000, 1)],
    ...[woke(9000), rejected(9010, 2), woke(9010), progressed(9010), rejected(9999, 3)],
  );
  assertEquals(policy.asked.map(({ streak }) => streak), [1, 2, 3]);
});

Deno.test("step() begins a new streak when an attempt fails resetAfter after its first report", () => {
  const rows: [firstAt: number | null, failedAt: number, streak: number][] = [
    [null, 1500, 2], // no report
    [1030, 1079, 2],
    [1030, 1080, 1], // exactly
    [1030, 1500, 1],
  ];
  for (const [firstAt, failedAt, streak] of rows) {
    const policy = policyOf({ resetAfter: 50, decide: () => 10 });
    const second = walk(policy, woke(1000), rejected(1010, 1), woke(1020));
    const events = firstAt === null ? [] : [progressed(firstAt), progressed(1035)];
    [...events, rejected(failedAt, 2)].reduce((s, e) => step(policy, s, e), second);
    const [, failure] = policy.asked;
    assertEquals(
      [failure?.attempt, failure?.streak, failure?.pauseBefore],
      [2, streak, streak === 1 ? 0 : 10],
      `${firstAt}, ${failedAt}`,
    );
  }
});

Deno.test("step() counts on from a new streak, and resets at once when resetAfter is 0", () => {
  const policy = policyOf({ resetAfter: 0, decide: () => 0 });
  const [one, two] = [rejected(1010, 1), rejected(1020, 2)];
  const [three, four] = [rejected(1030, 3), rejected(1040, 4)];
  const events = [woke(1020), progressed(1030), three, woke(1030), four];
  walk(policy, woke(1000), one, woke(1010), two, ...events);
  assertEquals(policy.asked.map(({ streak }) => streak), [1, 2, 1, 2]);
});

Deno.test("step() counts the grace of a timeout in the time that an attempt was healthy", () => {
  const limits = { attemptTimeout: 20, grace: 30, resetAfter: 40, decide: () => 0 };
  const policy = policyOf(limits);
  const events = [woke(1000), rejected(1000, 1), woke(1000), progressed(1005), woke(1020)];
  const stopping = walk(policy, ...events);
  assertEquals(step(policy, stopping, rejected(1044, 2)).lastFailure?.streak, 2);
  assertEquals(step(policy, stopping, rejected(1045, 2)).lastFailure?.streak, 1);
});

// Ties: the deadline, then the attempt timeout, then the idle timeout, then the end of a pause.

Deno.test("step() puts the deadline before the attempt timeout at one instant", () => {
  const policy = policyOf({ attemptTimeout: 100, deadline: 100, grace: 30 });
  const done = walk(policy, woke(1000), woke(1100));
  assert(done.phase === "done" && done.outcome.status === "rejected");
  assertEquals(done.reason, "deadline");
  assertLimit(done.outcome.reason, "deadline", 100);
});

Deno.test("step() puts the deadline, then the attempt timeout, before the idle timeout at one instant", () => {
  const rows: [Limit, Partial<Policy>][] = [
    ["deadline", { idleTimeout: 100, attemptTimeout: 100, deadline: 100 }],
    ["deadline", { idleTimeout: 100, deadline: 100 }],
    ["attempt", { idleTimeout: 100, attemptTimeout: 100, deadline: 200 }],
    ["idle", { idleTimeout: 99, attemptTimeout: 100, deadline: 200 }],
  ];
  for (const [limit, limits] of rows) {
    const policy = policyOf({ ...limits, decide: () => "maxTries" });
    const at = limit === "idle" ? 1099 : 1100;
    const trying = walk(policy, woke(1000));
    assert(trying.phase === "trying");
    assertEquals(limitError(policy, trying, at)?.limit, limit);
    const done = step(policy, trying, woke(at));
    assert(done.phase === "done" && done.outcome.status === "rejected");
    assertLimit(done.outcome.reason, limit, at - 1000);
  }
});

Deno.test("step() keeps an attempt whose progress is delivered before a wake at that instant", () => {
  const policy = policyOf({ idleTimeout: 20 });
  const trying = walk(policy, woke(1000), progressed(1020), woke(1020));
  assertEquals(trying.phase === "trying" && trying.idleAt, 1040);
  assertEquals(walk(policy, woke(1000), woke(1020), progressed(1020)).phase, "pausing");
});

Deno.test("step() puts the deadline before the end of a grace at one instant", () => {
  const { policy, stopping } = inGrace({ grace: 80, decide: () => "maxTries" });
  assertDone(step(policy, stopping, woke(1100)), 1100, "deadline", stopping.error);
  assertEquals(policy.asked, []);
});

Deno.test("step() puts the deadline before the outcome of an attempt in its grace at one instant", () => {
  for (const outcome of [fulfilled(1100, "value"), rejected(1100, "broken")]) {
    const { policy, stopping } = inGrace({ grace: Infinity });
    const done = step(policy, stopping, outcome);
    assertDone(done, 1100, "deadline", stopping.error);
    assertStrictEquals(done.lastFailure?.error, stopping.error);
    assertEquals(policy.asked, []);
  }
});

Deno.test("step() puts the deadline before the end of a pause at one instant", () => {
  const policy = policyOf({ deadline: 100, decide: () => 50 });
  const done = walk(policy, woke(1000), rejected(1050, "broken"), woke(1100));
  assertDone(done, 1100, "deadline", "broken");
  assertEquals(done.attempts, 1);
});

Deno.test("step() puts the attempt timeout before the end of a pause at one instant", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100 });
  const pausing = walk(policy, woke(1000), woke(1020));
  assertEquals([pausing.phase, pausing.attempts], ["pausing", 1]);
  const trying = step(policy, pausing, woke(1020));
  assertEquals([trying.phase, trying.attempts, trying.at], ["trying", 2, 1020]);
});

Deno.test("step() lets the outcome of an attempt win at its limit when it is delivered first", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 20, decide: () => "giveup" });
  assertDone(walk(policy, woke(1000), fulfilled(1020, 7)), 1020, "success", 7);
  assertDone(walk(policy, woke(1000), rejected(1020, 7)), 1020, "giveup", 7);
});

Deno.test("step() ends with the value when it is delivered before a wake that is late", () => {
  const policy = policyOf({ attemptTimeout: 20, deadline: 100 });
  assertDone(walk(policy, woke(1000), fulfilled(1150, 7)), 1150, "success", 7);
});

Deno.test("step() ends at once when a failure is delivered at or after the deadline", () => {
  for (const at of [1100, 1150]) {
    const policy = policyOf({ deadline: 100, decide: () => 30 });
    const done = walk(policy, woke(1000), rejected(at, "broken"));
    assertDone(done, at, "deadline", "broken");
    assertEquals([done.lastFailure?.elapsed, done.lastFailure?.remaining], [at - 1000, 0]);
    assertEquals(policy.asked.length, 1);
  }
});

Deno.test("step() ends for the policy's reason when a failure is delivered after the deadline", () => {
  const policy = policyOf({ deadline: 100, decide: () => "nonRetryable" });
  assertDone(walk(policy, woke(1000), rejected(1150, 7)), 1150, "nonRetryable", 7);
});

// Errors and failures.

Deno.test("step() ends with the last failure's error itself, whatever it is", () => {
  for (const last of [undefined, null, "broken", { code: 7 }, new Error("busy")]) {
    const deadline = policyOf({ deadline: 100 });
    const events = [woke(1000), rejected(1010, "first"), woke(1010), rejected(1020, last)];
    assertDone(walk(deadline, ...events, woke(1020), woke(1100)), 1100, "deadline", last);
    const bounded = policyOf({ decide: ({ attempt }) => attempt < 2 ? 0 : "maxTries" });
    assertDone(walk(bounded, ...events), 1020, "maxTries", last);
    assertStrictEquals(bounded.asked[1]?.error, last);
  }
});

Deno.test("step() ends with the timeout itself that the attempt's signal was aborted with", () => {
  const attempt = new TimeoutError("attempt", 20);
  const bounded = policyOf({ attemptTimeout: 20, decide: () => "maxTries" });
  const timedOut = { type: "woke", at: 1020, error: attempt } as const;
  assertDone(walk(bounded, woke(1000), timedOut), 1020, "maxTries", attempt);
  const whole = new TimeoutError("deadline", 20);
  const end = { type: "woke", at: 1020, error: whole } as const;
  assertDone(walk(policyOf({ deadline: 20 }), woke(1000), end), 1020, "deadline", whole);
});

Deno.test("step() reports the attempt, duration, elapsed and remaining time, and pause before of each failure", () => {
  const policy = policyOf({ deadline: 100, decide: ({ attempt }) => attempt * 10 });
  const none = policyOf({ decide: ({ attempt }) => attempt * 10 });
  const [one, two, three] = [rejected(1010, 1), rejected(1025, 2), rejected(1046, 3)];
  for (const each of [policy, none]) {
    walk(each, woke(1000), one, woke(1020), two, woke(1045), three);
  }
  const failure = (
    error: number,
    duration: number,
    elapsed: number,
    remaining: number,
    pauseBefore: number,
  ) => ({
    error,
    name: "load",
    attempt: error,
    streak: error,
    limit: null,
    duration,
    elapsed,
    remaining,
    pauseBefore,
  });
  assertEquals(policy.asked, [
    failure(1, 10, 10, 90, 0),
    failure(2, 5, 25, 75, 10),
    failure(3, 1, 46, 54, 20),
  ]);
  assertEquals(none.asked.map(({ remaining }) => remaining), Array(3).fill(Infinity));
});

Deno.test("step() reports the limit of a failure, and counts the grace in its duration", () => {
  const policy = policyOf({ attemptTimeout: 20, grace: 30, decide: () => 0 });
  walk(
    policy,
    woke(1000),
    woke(1020),
    woke(1050),
    woke(1050),
    woke(1070),
    rejected(1075, 1),
  );
  walk(policy, woke(1000), rejected(1005, new TimeoutError("attempt", 20)));
  const reported = policy.asked.map(({ limit, duration }) => [limit, duration]);
  assertEquals(reported, [["attempt", 50], ["attempt", 25], [null, 5]]);
});

Deno.test("step() freezes the failure before the policy decides, and keeps it", () => {
  let wasFrozen = false;
  const policy = policyOf({
    decide(failure) {
      wasFrozen = Object.isFrozen(failure);
      return 30;
    },
  });
  const pausing = walk(policy, woke(1000), rejected(1010, "broken"));
  assert(wasFrozen);
  assertStrictEquals(pausing.lastFailure, policy.asked[0]);
});

Deno.test("step() fails each attempt at once when the attempt timeout is 0, whatever the grace", () => {
  const policy = policyOf({
    attemptTimeout: 0,
    deadline: 100,
    grace: 30,
    decide: () => 10,
  });
  const trying = walk(policy, woke(1000));
  assert(trying.phase === "trying");
  assertEquals([trying.attempts, trying.wakeAt], [1, 1000]);
  const pausing = step(policy, trying, woke(1000));
  assert(pausing.phase === "pausing");
  assertLimit(pausing.lastFailure?.error, "attempt", 0);
  assertEquals([pausing.at, pausing.wakeAt], [1000, 1010]);
});

Deno.test("step() ends before the first attempt when the deadline is 0", () => {
  const policy = policyOf({ attemptTimeout: 0, deadline: 0 });
  const done = walk(policy, woke(1000));
  assert(done.phase === "done" && done.outcome.status === "rejected");
  assertEquals([done.at, done.reason, done.attempts], [1000, "deadline", 0]);
  assertLimit(done.outcome.reason, "deadline", 0);
  assertEquals([done.lastFailure, policy.asked], [null, []]);
});

Deno.test("step() makes no error where none is needed", () => {
  // An error costs more than the rest of a step. Its message reads the name.
  let made = 0;
  const name = { toString: () => `load ${made += 1}` } as unknown as string;
  const policy = policyOf({ attemptTimeout: 20, deadline: 100, decide: () => 500 });
  const trying = step(policy, begin(1000, name), woke(1000));
  const pausing = step(policy, trying, rejected(1010, "broken"));
  assertEquals([trying.phase, step(policy, pausing, woke(1100)).phase], ["trying", "done"]);
  assertEquals(made, 0);
});

Deno.test("beginTrying() returns the same state as begin() and the wake that is due", () => {
  for (const attemptTimeout of [0, 1, 10, Infinity]) {
    for (const deadline of [0, 1, 10, Infinity]) {
      for (const [at, idleTimeout] of [[-5, 0], [0, 7], [1e9 + 0.25, Infinity]] as const) {
        const policy = policyOf({ attemptTimeout, deadline, idleTimeout });
        const expected = step(policy, begin(at, "load"), { type: "woke", at });
        const actual = beginTrying(policy, at, "load");
        // Compared as data, because each error has a stack of its own.
        assertEquals(JSON.stringify(actual), JSON.stringify(expected));
      }
    }
  }
});
