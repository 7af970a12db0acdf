import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type ScopeOptions,
  sleep,
  TimeoutError,
  within,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import {
  AttemptScope,
  callIn,
  presentScope,
  SCOPE,
  type Scope,
  scopeOf,
} from "../../../src/driver/nesting.ts";
import { realm } from "../../../src/realm/realm.ts";

const outer = { execution: 7, attempt: 2 };

/** The scope of an attempt that ends at 100. */
function scopeOn(clock: TestClock, endsAt = 100): AttemptScope {
  return new AttemptScope({ number: 2 } as Attempt, outer, clock, endsAt);
}

/** The scope of a call of `within`. */
function bounded(options: ScopeOptions): Scope {
  return within(options, () => presentScope()) as Scope;
}

Deno.test("AttemptScope has the names of its attempt, and its end on any clock", () => {
  const clock = new TestClock(20);
  const scope = scopeOn(clock);
  assertStrictEquals(scope.outer, outer);
  assertEquals(scope.attempt?.number, 2);
  assertEquals([scope.isReleased, scope.aborted, scope.reason], [false, false, undefined]);
  assertEquals(scope.endsAt(clock), 100);
  assertEquals(scope.endsAt(new TestClock(5000)), 5080);
  assertEquals(scopeOn(clock, Infinity).endsAt(new TestClock()), Infinity);
  assertEquals(scopeOn(clock, 10).endsAt(new TestClock(5000)), 5000);
});

Deno.test("AttemptScope.abort() tells each listener once, but not those that were removed", () => {
  const scope = scopeOn(new TestClock());
  const log: string[] = [];
  scope.add((reason) => log.push(`first ${reason}`));
  const remove = scope.add((reason) => log.push(`second ${reason}`));
  scope.add((reason) => log.push(`third ${reason}`));
  remove();
  remove();
  scope.abort("enough");
  scope.abort("enough");
  assertEquals(log, ["first enough", "third enough"]);
  assertEquals([scope.aborted, scope.reason, scope.isReleased], [true, "enough", false]);
});

Deno.test("AttemptScope.abort() tells level by level", () => {
  const clock = new TestClock();
  const [root, left, right] = [scopeOn(clock), scopeOn(clock), scopeOn(clock)] as const;
  const log: string[] = [];
  const add = (scope: AttemptScope, name: string, below?: AttemptScope) =>
    scope.add((reason) => {
      log.push(name);
      below?.abort(reason);
    });
  add(root, "left", left);
  add(root, "right", right);
  add(left, "left's");
  add(right, "right's");
  root.abort("enough");
  assertEquals(log, ["left", "right", "left's", "right's"]);
});

Deno.test("AttemptScope.settle() lets go of its attempt and its listeners, unless it was aborted", () => {
  const released = scopeOn(new TestClock());
  released.add(() => {
    throw new Error("must not be called");
  });
  released.settle();
  assertEquals([released.attempt, released.isReleased], [null, true]);
  released.abort("too late");
  const aborted = scopeOn(new TestClock());
  aborted.abort("enough");
  aborted.settle();
  assertEquals([aborted.attempt, aborted.isReleased], [null, false]);
});

Deno.test("scopeOf() finds the scope of an attempt, none of one that has settled by itself, and throws for others", async () => {
  const attempts: Attempt[] = [];
  await new Backoff().execute((attempt) => {
    attempts.push(attempt);
    const scope = scopeOf("x", attempt);
    assertEquals(scope?.outer?.attempt, 1);
    assertStrictEquals(scopeOf("x", attempt), scope);
  });
  assertEquals(scopeOf("x", attempts[0]), null);
  for (const wrong of [null, undefined, 3, {}, { [SCOPE]: undefined }]) {
    assertThrows(() => scopeOf("execute: 'x'", wrong), TypeError, "must be an attempt");
  }
});

Deno.test("presentScope() is the scope of the stretch that callIn() runs, and none outside", () => {
  const scope = scopeOn(new TestClock());
  assertEquals(presentScope(), null);
  callIn(scope, () => {
    assertStrictEquals(presentScope(), scope);
    callIn(null, () => assertEquals(presentScope(), null));
    assertStrictEquals(presentScope(), scope);
  });
  assertThrows(() =>
    callIn(scope, () => {
      throw new Error("down");
    })
  );
  assertEquals(presentScope(), null);
  assertEquals([realm.scope, realm.currentAttempt], [null, null]);
});

Deno.test("The scope of within() has its own end, or that of the scope around it if that is sooner", () => {
  const clock = new TestClock();
  assertEquals(bounded({ deadline: 50, clock }).endsAt(clock), 50);
  assertEquals(bounded({}).endsAt(clock), Infinity);
  const around = scopeOn(clock);
  callIn(around, () => {
    assertEquals(bounded({ deadline: 50, clock }).endsAt(clock), 50);
    assertEquals(bounded({ deadline: 500, clock }).endsAt(clock), 100);
    const scope = bounded({});
    assertEquals([scope.attempt?.number, scope.outer], [2, outer]);
    assertEquals(scope.isReleased, false);
    around.settle();
    assertEquals([scope.attempt, scope.outer, scope.endsAt(clock)], [null, null, Infinity]);
  });
});

Deno.test("The scope of within() looks at its bounds when nothing is nested in it", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const around = scopeOn(clock);
  const [bySignal, byDeadline, byOther] = callIn(around, () => [
    bounded({ signal: controller.signal }),
    bounded({ deadline: 10, clock }),
    bounded({}),
  ]) as [Scope, Scope, Scope];
  assertEquals([bySignal.aborted, byDeadline.aborted, byOther.aborted], [
    false,
    false,
    false,
  ]);
  await clock.advance(10);
  assertEquals([bySignal.aborted, byDeadline.aborted, byOther.aborted], [
    false,
    true,
    false,
  ]);
  assertEquals(byDeadline.reason instanceof TimeoutError, true);
  assertStrictEquals(byDeadline.reason, byDeadline.aborted && byDeadline.reason);
  controller.abort("enough");
  assertEquals([bySignal.aborted, bySignal.reason], [true, "enough"]);
  around.abort("around");
  assertEquals([byOther.aborted, byOther.reason], [true, "around"]);
  assertEquals([byDeadline.aborted, bySignal.reason], [true, "enough"]);
});

Deno.test("The scope of within() ends once, by whichever bound is first, and lets go of the others", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const around = scopeOn(clock);
  const scope = callIn(
    around,
    () => bounded({ deadline: 10, signal: controller.signal, clock }),
  );
  const log: unknown[] = [];
  const remove = scope.add((reason) => log.push(reason));
  scope.add((reason) => log.push(reason));
  assertEquals(clock.pending, 1);
  around.abort("enough");
  controller.abort("too late");
  await clock.advance(20);
  remove();
  assertEquals([log, clock.pending], [["enough", "enough"], 0]);
});

Deno.test("The scope of within() stops when its last listener is removed, and starts again with another one", async () => {
  const clock = new TestClock();
  const scope = bounded({ deadline: 100, clock });
  const log: unknown[] = [];
  const first = scope.add((reason) => log.push(reason));
  const second = scope.add((reason) => log.push(reason));
  first();
  assertEquals(clock.pending, 1);
  second();
  assertEquals(clock.pending, 0);
  await clock.advance(60);
  scope.add((reason) => log.push((reason as TimeoutError).message));
  await clock.advance(39);
  assertEquals(log, []);
  await clock.advance(1);
  assertEquals(log, ["'within' reached its deadline of 100 ms"]);
});

Deno.test("The scope of within() ends when its clock wakes it at once", () => {
  const clock = { ...new TestClock(), now: () => 0, sleep, after: wakeAtOnce };
  const log: unknown[] = [];
  bounded({ deadline: 100, clock }).add((reason) =>
    log.push(reason instanceof TimeoutError)
  );
  assertEquals(log, [true]);
});

function wakeAtOnce(_: number, wake: () => void): () => void {
  wake();
  return () => {};
}

Deno.test("The scope of within() forgets what it listens to, even if one cannot be stopped", () => {
  const boom = new Error("boom");
  const clock = {
    now: () => 0,
    sleep,
    after: () => () => {
      throw boom;
    },
  };
  const around = scopeOn(new TestClock());
  const scope = callIn(around, () => bounded({ deadline: 100, clock }));
  const remove = scope.add(() => {
    throw new Error("must not be called");
  });
  assertStrictEquals(assertThrows(remove), boom);
  around.abort("enough");
  assertEquals(scope.reason, undefined);
});

Deno.test("The scope of within() ends what is nested on the system's clock at its deadline", async () => {
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => events.push(event);
  const error = await within(
    { deadline: 5 },
    () => new Backoff({ observe }).execute(() => new Promise(() => {})),
  ).catch((error) => error);
  assertEquals((error as TimeoutError).ms, 5);
  assertEquals(events.at(-1)?.type, "done");
});
