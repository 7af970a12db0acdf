// A test for each cell of the table in the engine's header, and for the two rules below it.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import { begin, beginTrying, limitError, step } from "../../../src/engine/engine.ts";
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
};

/** The failure of the first attempt at 1010, with a deadline at 1100. */
const broken: Failure = {
  error: "broken",
  name: "load",
  attempt: 1,
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

// Ties: the deadline, then the attempt timeout, then the end of a pause.

Deno.test("step() puts the deadline before the attempt timeout at one instant", () => {
  const policy = policyOf({ attemptTimeout: 100, deadline: 100, grace: 30 });
  const done = walk(policy, woke(1000), woke(1100));
  assert(done.phase === "done" && done.outcome.status === "rejected");
  assertEquals(done.reason, "deadline");
  assertLimit(done.outcome.reason, "deadline", 100);
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
      for (const at of [-5, 0, 1e9 + 0.25]) {
        const policy = policyOf({ attemptTimeout, deadline });
        const expected = step(policy, begin(at, "load"), { type: "woke", at });
        const actual = beginTrying(policy, at, "load");
        // Compared as data, because each error has a stack of its own.
        assertEquals(JSON.stringify(actual), JSON.stringify(expected));
      }
    }
  }
});
