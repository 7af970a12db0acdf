// Nested executions: each ends with the attempt or the scope in which it was begun.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Clock,
  currentAttempt,
  currentAttemptOrNull,
  detached,
  retry,
  type ScopeOptions,
  sleep,
  systemClock,
  TimeoutError,
  within,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { ForeignSignal } from "../support/foreign_signal.ts";
import { listenToUncaught } from "../support/uncaught.ts";

const down = new Error("down");
const fail = () => Promise.reject(down);
const hang = () => new Promise<never>(() => {});

/** The error that a promise rejects with. */
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => "no error", (error) => error);

/** Waits for reactions of promises only: no timer fires and no I/O is done meanwhile. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 40; i++) await null;
}

/** An observer that writes a line for each event, with the name of its execution. */
const logTo = (log: string[]) => (event: BackoffEvent) => {
  const { at, name, type } = event;
  log.push(`${at} ${name} ${type === "done" ? event.reason : type}`);
};

/** A signal, and the number of its listeners. */
function watched() {
  const controller = new AbortController();
  const { signal } = controller;
  const { addEventListener, removeEventListener } = signal;
  const count = { listeners: 0 };
  Object.assign(signal, {
    addEventListener(...args: unknown[]) {
      count.listeners++;
      return Reflect.apply(addEventListener, signal, args);
    },
    removeEventListener(...args: unknown[]) {
      count.listeners--;
      return Reflect.apply(removeEventListener, signal, args);
    },
  });
  return { controller, signal, count };
}

/** The ways in which an outer attempt is ended, each at 100. */
const ends: [what: string, options: BackoffOptions, abortsAt?: number][] = [
  ["its attempt timeout", { attemptTimeout: 100, maxTries: 1, exceptions: [] }],
  ["the deadline of its execution", { deadline: 100 }],
  ["an abort of its execution", {}, 100],
];

for (const [what, options, abortsAt] of ends) {
  for (const inner of ["in an attempt", "in a pause", "in a grace"] as const) {
    Deno.test(`A nested execution ${inner} ends with ${what}: in the same turn, after it, with its reason`, async () => {
      const clock = new TestClock();
      const log: string[] = [];
      const observe = logTo(log);
      const controller = new AbortController();
      const signals: AbortSignal[] = [];
      const order: string[] = [];
      const rules: BackoffOptions = inner === "in a pause"
        ? { pause: 1000, exceptions: "all" }
        : inner === "in a grace"
        ? { attemptTimeout: 50, grace: 1000 }
        : {};
      const nested = new Backoff({ ...rules, name: "inner", observe, clock });
      let error: unknown;
      let outerReason: unknown;
      const result = new Backoff({ ...options, name: "outer", observe, clock })
        .execute((attempt) => {
          signals.push(attempt.signal);
          attempt.signal.addEventListener("abort", () => order.push("outer's signal"));
          nested.execute(({ signal }) => {
            signals.push(signal);
            signal.addEventListener("abort", () => order.push("inner's signal"));
            return inner === "in a pause" ? fail() : hang();
          }, { within: attempt }).catch((each) => {
            error = each;
            order.push("inner");
          });
          return hang();
        }, controller);
      result.catch((each) => {
        outerReason = each;
        order.push("outer");
      });
      await clock.advance(99);
      assertEquals(error, undefined);
      if (abortsAt !== undefined) {
        clock.after(1, () => controller.abort(new Error("enough")));
      }
      await clock.advance(1);
      await microtasks();

      assert(error instanceof Error);
      assertStrictEquals(error, outerReason);
      assertStrictEquals(signals[0]?.reason, error);
      assertEquals(order.filter((each) => !each.includes("signal")), ["outer", "inner"]);
      if (inner === "in an attempt") {
        assertStrictEquals(signals[1]?.reason, error);
        assertEquals(order[0], "outer's signal");
      }
      const done = log.filter((line) => line.startsWith("100"));
      assertEquals(done.at(-1), "100 inner aborted");
      const failures = (options.attemptTimeout === undefined ? 0 : 1) +
        (inner === "in a grace" ? 1 : 0);
      assertEquals(done.length, 2 + failures);
      await clock.advance(10_000);
      assertEquals(signals.length, 2, "no attempt begins after the outer limit");
      assertEquals(nested.statistic.ends.aborted, 1);
      assertEquals(nested.statistic.nested, 1);
      clock.close();
    });
  }
}

Deno.test("A nested execution rejects with the very reason of an abort, whatever it is", async () => {
  for (const reason of [null, 0, "", Symbol("why"), down]) {
    const controller = new AbortController();
    let nested: Promise<unknown> | undefined;
    const result = errorOf(
      new Backoff().execute((attempt) => {
        nested = errorOf(new Backoff().execute(hang, { within: attempt }));
        return hang();
      }, controller),
    );
    controller.abort(reason);
    assertStrictEquals(await result, reason);
    assertStrictEquals(await nested, reason);
  }
});

Deno.test("A nested execution ends at the timeout of its outer attempt, not at the end of its grace", async () => {
  const clock = new TestClock();
  const endedAt: number[] = [];
  const outer = new Backoff({ attemptTimeout: 100, grace: 50, maxTries: 1, clock });
  const result = outer.execute(async (attempt) => {
    await new Backoff({ clock }).execute(hang, { within: attempt })
      .catch(() => endedAt.push(clock.now()));
    await sleep(20, { clock });
    return "wound down";
  });
  assertEquals(await clock.run(result), "wound down");
  assertEquals([...endedAt, clock.now()], [100, 120]);
  clock.close();
});

Deno.test("A nested execution goes on by its own rules when its outer attempt has settled by itself", async () => {
  for (const how of ["value", "failure", "throw"] as const) {
    const clock = new TestClock();
    const controller = new AbortController();
    let nested: Promise<unknown> | undefined;
    let calls = 0;
    const inner = new Backoff({ pause: 100, deadline: 450, exceptions: "all", clock });
    const result = new Backoff({ deadline: 50, clock }).execute((attempt) => {
      nested = errorOf(inner.execute(() => (calls++, fail()), { within: attempt }));
      if (how === "throw") throw down;
      return how === "value" ? "done" : fail();
    }, controller);
    assertEquals(await clock.run(errorOf(result)), how === "value" ? "no error" : down);
    controller.abort("too late");
    assertEquals(await clock.run(nested as Promise<unknown>), down);
    assertEquals([clock.now(), calls], [450, 5], how);
    clock.close();
  }
});

Deno.test("An execution that is begun in an attempt that has been ended is never called, and rejects with that reason", async () => {
  for (const [what, options, abortsAt] of ends) {
    const clock = new TestClock();
    const controller = new AbortController();
    const events: BackoffEvent[] = [];
    const attempts: Attempt[] = [];
    let calls = 0;
    const result = errorOf(
      new Backoff({ ...options, clock }).execute((attempt) => {
        attempts.push(attempt);
        return hang();
      }, controller),
    );
    if (abortsAt !== undefined) clock.after(abortsAt, () => controller.abort("enough"));
    const reason = await clock.run(result);
    const [outer] = attempts as [Attempt];
    const observe = (event: BackoffEvent) => events.push(event);
    const inner = new Backoff({ clock, observe });
    const nested = inner.execute(() => calls++, { within: outer });
    assertStrictEquals(await errorOf(nested), reason, what);
    assertStrictEquals(
      await errorOf(inner.execute(() => calls++, { within: outer })),
      reason,
    );
    assertStrictEquals(
      await errorOf(within(outer, () => inner.execute(() => calls++))),
      reason,
    );
    assertEquals(calls, 0);
    assertEquals(events.map(({ type }) => type), ["done", "done", "done"]);
    assertEquals(events[0]?.outer?.attempt, 1);
    assertEquals(inner.statistic.ends.aborted, 3);
    clock.close();
  }
});

Deno.test("An execution that is begun in an attempt that has settled by itself is not nested", async () => {
  const events: BackoffEvent[] = [];
  const attempts: Attempt[] = [];
  await new Backoff().execute((attempt) => void attempts.push(attempt));
  const [outer] = attempts as [Attempt];
  const backoff = new Backoff({ observe: (event) => events.push(event) });
  assertEquals(await backoff.execute(() => "value", { within: outer }), "value");
  assertEquals(await within(outer, () => backoff.execute(() => "value")), "value");
  assertEquals(events.filter((event) => "outer" in event), []);
  assertEquals(backoff.statistic.nested, 0);
});

Deno.test("Attempt.remaining and Failure.remaining are bounded by the end of the outer attempt", async () => {
  const clock = new TestClock();
  const seen: number[] = [];
  const giveup = (_: unknown, { remaining }: { remaining: number }) => {
    seen.push(remaining);
    return true;
  };
  const rows: [outer: BackoffOptions, inner: BackoffOptions, remaining: number][] = [
    [{ attemptTimeout: 100 }, {}, 100],
    [{ deadline: 100 }, {}, 100],
    [{ attemptTimeout: 80, deadline: 100 }, {}, 80],
    [{ deadline: 100 }, { deadline: 500 }, 100],
    [{ deadline: 100 }, { deadline: 50 }, 50],
    [{ deadline: 100 }, { attemptTimeout: 30, deadline: 70 }, 30],
    [{}, { deadline: 40 }, 40],
    [{}, {}, Infinity],
  ];
  for (const [outer, inner, remaining] of rows) {
    const began = clock.now();
    const options = { ...inner, clock, giveup, exceptions: [Error] };
    await clock.run(errorOf(
      new Backoff({ ...outer, clock }).execute((attempt) =>
        new Backoff(options).execute(async (nested) => {
          seen.push(nested.remaining);
          await sleep(10, { clock });
          seen.push(nested.remaining);
          throw down;
        }, { within: attempt })
      ),
    ));
    assertEquals(clock.now() - began, 10);
    const left = Math.min(remaining, inner.deadline ?? Infinity, remaining) - 10;
    const failureLeft = Math.min(
      (outer.attemptTimeout ?? Infinity) - 10,
      (outer.deadline ?? Infinity) - 10,
      (inner.deadline ?? Infinity) - 10,
    );
    assertEquals(seen.splice(0), [remaining, left, failureLeft]);
  }
  clock.close();
});

Deno.test("Attempt.remaining is bounded through any number of layers, and keeps its bound when it is let go of", async () => {
  const clock = new TestClock();
  const remaining: number[] = [];
  const nest = (depth: number, outer: Attempt): Promise<void> =>
    new Backoff({ clock }).execute(async (attempt) => {
      remaining.push(attempt.remaining);
      if (depth > 0) await nest(depth - 1, attempt);
    }, { within: outer });
  let nested: Promise<void> | undefined;
  await clock.run(
    new Backoff({ deadline: 100, clock }).execute(async (outer) => {
      await nest(4, outer);
      nested = new Backoff({ clock }).execute(async (attempt) => {
        await sleep(150, { clock });
        remaining.push(attempt.remaining);
      }, { within: outer });
    }),
  );
  await clock.run(nested as Promise<void>);
  assertEquals(remaining, [100, 100, 100, 100, 100, 0]);
  clock.close();
});

Deno.test("minRemaining asks about the end of the outer attempt", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const options = { maxTries: 5, pause: 60, clock, observe: logTo(log), name: "inner" };
  const result = new Backoff({ deadline: 100, clock }).execute((attempt) =>
    retry(() => fail(), { ...options, within: attempt })
  );
  assertStrictEquals(await clock.run(errorOf(result)), down);
  assertEquals(log, [
    "0 inner attempt",
    "0 inner failure",
    "60 inner attempt",
    "60 inner failure",
    "60 inner deadline",
  ]);
  clock.close();
});

Deno.test("A nested execution waits for the end of its outer attempt when `minRemaining` is absent", async () => {
  const clock = new TestClock();
  const inner = new Backoff({ pause: 60, exceptions: "all", clock });
  let nested: Promise<unknown> | undefined;
  const result = new Backoff({ deadline: 100, clock }).execute((attempt) => {
    nested = errorOf(inner.execute(fail, { within: attempt }));
    return nested;
  });
  assertInstanceOf(await clock.run(errorOf(result)), TimeoutError);
  assertInstanceOf(await nested, TimeoutError);
  assertEquals([clock.now(), inner.statistic.attempts], [100, 2]);
  clock.close();
});

Deno.test("Of several signals that are aborted beforehand, the outer attempt's comes last", async () => {
  const attempts: Attempt[] = [];
  const controller = new AbortController();
  const result = errorOf(
    new Backoff().execute((attempt) => (attempts.push(attempt), hang()), controller),
  );
  controller.abort("outer");
  await result;
  const [outer] = attempts as [Attempt];
  const [own, policy] = [AbortSignal.abort("own"), AbortSignal.abort("policy")];
  const rows: [policy: AbortSignal | null, own: AbortSignal | null, reason: string][] = [
    [policy, own, "own"],
    [policy, null, "policy"],
    [null, own, "own"],
    [null, null, "outer"],
  ];
  for (const [ofPolicy, signal, reason] of rows) {
    const backoff = new Backoff({ signal: ofPolicy });
    assertEquals(await errorOf(backoff.execute(hang, { signal, within: outer })), reason);
  }
});

Deno.test("A nested execution has the reason of the first that ends it: its own signal, or its outer attempt", async () => {
  for (const first of ["own", "outer"]) {
    const [own, outer] = [new AbortController(), new AbortController()];
    let nested: Promise<unknown> | undefined;
    const result = errorOf(
      new Backoff().execute((attempt) => {
        const options = { signal: own.signal, within: attempt };
        nested = errorOf(new Backoff().execute(hang, options));
        return hang();
      }, outer),
    );
    if (first === "own") own.abort("own");
    outer.abort("outer");
    own.abort("own");
    assertEquals([await result, await nested], ["outer", first]);
  }
});

Deno.test("Backoff.execute() and retry() refuse a wrong `within` or `detached`, and both at once", async () => {
  const attempts: Attempt[] = [];
  await new Backoff().execute((attempt) => void attempts.push(attempt));
  const [outer] = attempts as [Attempt];
  const rows: [options: Record<string, unknown>, message: string][] = [
    [{ within: {} }, "Cannot execute: option 'within' must be an attempt, got an object"],
    [{ within: 3 }, "Cannot execute: option 'within' must be an attempt, got 3"],
    [
      { within: new AbortController().signal },
      "must be an attempt, got an object (AbortSignal)",
    ],
    [{ detached: 1 }, "Cannot execute: option 'detached' must be true or false, got 1"],
    [
      { within: outer, detached: true },
      "Cannot execute: 'within' and 'detached' exclude each other, got both",
    ],
  ];
  for (const [options, message] of rows) {
    const calls = [
      () => new Backoff().execute(() => 1, options),
      () => retry(() => 1, { maxTries: 1, ...options }),
    ];
    for (const call of calls) await assertRejects(call, TypeError, message);
  }
  for (const absent of [null, undefined]) {
    const options = { within: absent, detached: absent };
    assertEquals(await new Backoff().execute(() => 1, options), 1);
    assertEquals(await retry(() => 1, { maxTries: 1, ...options }), 1);
  }
  assertEquals(await new Backoff().execute(() => 1, { within: outer, detached: false }), 1);
});

Deno.test("observe() receives the numbers of the outer execution and attempt with each event, and none without one", async () => {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => events.push(event);
  const backoff = new Backoff({ maxTries: 2, exceptions: "all", observe, clock });
  await clock.run(
    errorOf(backoff.execute((attempt) => {
      if (attempt.number === 1) throw down;
      return backoff.execute(fail, { within: attempt, name: "inner" });
    }, { name: "outer" })),
  );
  const [first] = events as [BackoffEvent];
  const inner = events.filter(({ name }) => name === "inner");
  assertEquals(inner.map(({ type }) => type), [
    "attempt",
    "failure",
    "attempt",
    "failure",
    "done",
  ]);
  for (const event of inner) {
    assertEquals(event.outer, { execution: first.execution, attempt: 2 });
  }
  for (const event of events.filter(({ name }) => name === "outer")) {
    assert(!("outer" in event));
  }
  assertEquals(backoff.statistic.nested, 1);
  assertEquals(backoff.statistic.toJSON()["nested"], 1);
});

Deno.test("Five layers of three tries make 243 attempts, and 3 where retried errors are not retried again", async () => {
  for (const retryExhausted of [true, false]) {
    const clock = new TestClock();
    let calls = 0;
    const down = new Error("down"); // not retried by an execution before
    const options = { maxTries: 3, exceptions: "all", retryExhausted, clock } as const;
    const layer = (depth: number, outer: Attempt | null): Promise<unknown> =>
      new Backoff(options).execute((attempt) => {
        if (depth > 1) return layer(depth - 1, attempt);
        calls++;
        throw down;
      }, { within: outer });
    assertStrictEquals(await clock.run(errorOf(layer(5, null))), down);
    assertEquals(calls, retryExhausted ? 243 : 3);
    clock.close();
  }
});

// ---- Ties.

type Tie = [what: string, outer: BackoffOptions, inner: BackoffOptions];

/** Limits of two layers that are reached at 30. */
const ties: Tie[] = [
  ["attempt timeouts", { attemptTimeout: 30, maxTries: 1 }, { attemptTimeout: 30 }],
  ["deadlines", { deadline: 30 }, { deadline: 30 }],
  ["a deadline and an attempt timeout", { deadline: 30 }, { attemptTimeout: 30 }],
  ["an attempt timeout and a deadline", { attemptTimeout: 30, maxTries: 1 }, {
    deadline: 30,
  }],
  ["a deadline and the end of a pause", { deadline: 30 }, {
    pause: 30,
    exceptions: "all",
    giveup: null,
  }],
  ["a deadline and the end of a grace", { deadline: 30 }, {
    attemptTimeout: 20,
    grace: 10,
  }],
];

const outerReasons = { attempt: "attempt", deadline: "deadline" } as const;

/** Runs three layers whose limits tie, and returns what was seen of it. */
function tie([, outer, inner]: Tie, clock: Clock, log: string[]): Promise<unknown> {
  const observe = (event: BackoffEvent) => {
    if (event.type === "done") log.push(`${event.name} ${event.reason}`);
    if (event.type === "attempt") log.push(`${event.name} ${event.attempt}`);
  };
  const at = { clock, observe };
  const note = (name: string, promise: Promise<unknown>) =>
    promise.catch((error) =>
      log.push(`${name} rejects: ${error.limit in outerReasons && error.limit}`)
    );
  return note(
    "a",
    new Backoff({ ...outer, ...at, name: "a" }).execute((a) => {
      note(
        "b",
        new Backoff({ ...at, name: "b" }).execute((b) => {
          const fn = inner.pause === undefined ? hang : fail;
          note("c", new Backoff({ ...inner, ...at, name: "c" }).execute(fn, { within: b }));
          return hang();
        }, { within: a }),
      );
      return hang();
    }),
  );
}

function assertTie([what, outer]: Tie, log: string[]): void {
  const limit = outer.deadline === undefined ? "attempt" : "deadline";
  assertEquals(log.slice(0, 3), ["a 1", "b 1", "c 1"], what);
  const events = log.slice(3).filter((line) => !line.includes("rejects"));
  const reason = limit === "attempt" ? "maxTries" : "deadline";
  assertEquals(events, [`a ${reason}`, "b aborted", "c aborted"], what);
  const rejections = log.filter((line) => line.includes("rejects"));
  assertEquals(
    rejections,
    ["a", "b", "c"].map((each) => `${each} rejects: ${limit}`),
    what,
  );
}

for (const each of ties) {
  Deno.test(`The outer limit comes first in a tie of ${each[0]}`, async () => {
    const clock = new TestClock();
    for (const { after, ...rest } of [clock, { now: () => clock.now() }] as Clock[]) {
      const log: string[] = [];
      const sleeping: Clock = {
        ...rest,
        now: () => clock.now(),
        sleep: (ms, options) => clock.sleep(ms, options),
      };
      const used = after === undefined ? sleeping : clock;
      await clock.run(tie(each, used, log));
      await microtasks();
      assertTie(each, log);
    }
    await clock.advance(1000);
    clock.close();
  });

  Deno.test(`The outer limit comes first in a tie of ${each[0]} on FakeTime`, async () => {
    const time = new FakeTime();
    try {
      const log: string[] = [];
      const result = tie(each, systemClock, log);
      for (let step = 0; step < 10; step++) {
        await microtasks();
        time.next();
        await time.runMicrotasks();
      }
      await result;
      assertTie(each, log);
    } finally {
      time.restore();
    }
  });
}

Deno.test("The outer limit comes first in a tie with work of the inner function", async () => {
  const clock = new TestClock();
  const inner = new Backoff({ clock });
  const outer = new Backoff({ deadline: 30, clock });
  let nested: Promise<unknown> | undefined;
  const result = outer.execute((attempt) => {
    nested = errorOf(inner.execute(() => sleep(30, { clock }), { within: attempt }));
    return hang();
  });
  assertInstanceOf(await clock.run(errorOf(result)), TimeoutError);
  assertInstanceOf(await nested, TimeoutError);
  assertEquals(inner.statistic.ends.aborted, 1);
  await clock.advance(1);
  clock.close();
});

// ---- within() and detached().

Deno.test("within() and detached() call the function at once, and return what it returns or throw what it throws", async () => {
  const values = [7, undefined, Promise.resolve(1)];
  for (const value of values) {
    assertStrictEquals(within({}, () => value), value);
    assertStrictEquals(detached(() => value), value);
  }
  const thrown = () => {
    throw down;
  };
  assertStrictEquals(assertThrows(() => within({}, thrown)), down);
  assertStrictEquals(assertThrows(() => detached(thrown)), down);
  const { statistic, wrap } = new Backoff();
  await wrap(() => Promise.resolve(1))();
  assertEquals(statistic.nested, 0, "the scope has ended with the stretch");
});

Deno.test("within() and detached() refuse wrong arguments", () => {
  const fn = () => 1;
  const rows: [args: unknown[], message: string][] = [
    [[{}, 3], "Cannot call 'within': 'fn' must be a function, got 3"],
    [[{}], "Cannot call 'within': 'fn' must be a function, got undefined"],
    [[null, fn], "Cannot make a scope: the options must be an object, got null"],
    [[3, fn], "Cannot make a scope: the options must be an object, got 3"],
    [[{ signal: {} }, fn], "Cannot make a scope: option 'signal' must be an AbortSignal"],
    [[{ deadline: "1" }, fn], "Cannot make a scope: option 'deadline' must be"],
    [[{ deadline: -1 }, fn], "Cannot make a scope: option 'deadline' must be"],
    [[{ clock: {} }, fn], "Cannot make a scope: option 'clock' must be"],
    [[{ timeout: 3 }, fn], "Cannot make a scope: unknown option 'timeout'"],
  ];
  for (const [args, message] of rows) {
    assertThrows(() => Reflect.apply(within, null, args), Error, message);
  }
  assertThrows(
    () => Reflect.apply(detached, null, [3]),
    TypeError,
    "Cannot call 'detached': 'fn' must be a function, got 3",
  );
});

Deno.test("within() cancels decorated functions from the place of their call", async () => {
  const clock = new TestClock();
  const { controller, signal, count } = watched();
  const signals: AbortSignal[] = [];
  const load = asyncretry(null, { pause: 10, clock })(() => {
    signals.push(currentAttempt().signal);
    return signals.length < 3 ? fail() : hang();
  });
  const results = within({ signal }, () => [errorOf(load()), errorOf(load())]);
  await clock.advance(100);
  assertEquals(count.listeners, 1, "one listener for all");
  controller.abort("enough");
  assertEquals(await Promise.all(results), ["enough", "enough"]);
  assertEquals(count.listeners, 0);
  assertEquals(load.length, 0);
  assertEquals(within({ signal }, () => signals.length), signals.length);
  assertEquals(await errorOf(within({ signal }, load)), "enough");
  await clock.advance(1000);
  assertEquals(signals.length, 4);
  clock.close();
});

Deno.test("within() ends everything at its deadline with one error that names it", async () => {
  const clock = new TestClock();
  const load = new Backoff({ exceptions: "all", pause: 10, clock }).wrap(fail);
  const other = new Backoff({ clock }).wrap(hang);
  const results = within({ deadline: 100, clock }, function handleRequest() {
    return [errorOf(load()), errorOf(other())];
  });
  const errors = await clock.run(Promise.all(results));
  const [error] = errors;
  assertInstanceOf(error, TimeoutError);
  assertStrictEquals(errors[1], error);
  assertEquals([error.limit, error.ms, clock.now()], ["deadline", 100, 100]);
  assertEquals(error.message, "'within handleRequest' reached its deadline of 100 ms");
  clock.close();
});

Deno.test("within() has one timer while something is nested in it, and none otherwise", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ clock });
  const scoped = (...delays: number[]) =>
    within(
      { deadline: 100, clock },
      () =>
        Promise.all(
          delays.map((ms) => errorOf(backoff.execute(() => sleep(ms, { clock })))),
        ),
    );
  within({ deadline: 100, clock }, () => assertEquals(clock.pending, 0));
  const result = scoped(10, 20);
  assertEquals(clock.pending, 3);
  await clock.advance(10);
  assertEquals(clock.pending, 2);
  await clock.run(result);
  assertEquals(clock.pending, 0);
});

Deno.test("within() of a deadline that has passed calls nothing, and 0 passes at once", async () => {
  const clock = new TestClock();
  let calls = 0;
  const load = new Backoff({ clock }).wrap(() => Promise.resolve(calls++));
  for (const deadline of [0, 100]) {
    const result = within({ deadline, clock }, () => {
      const first = load();
      return { first, later: load };
    });
    if (deadline === 0) assertInstanceOf(await errorOf(result.first), TimeoutError);
    else await result.first;
  }
  assertEquals(calls, 1);
  clock.close();
});

Deno.test("within() bounds `remaining`, also on another clock, and `minRemaining`", async () => {
  const clock = new TestClock(5000);
  const other = new TestClock(100);
  const seen: number[] = [];
  const load = (clock: TestClock, deadline?: number) =>
    new Backoff({ clock, deadline }).wrap(() =>
      Promise.resolve(seen.push(currentAttempt().remaining))
    );
  await within({ deadline: 70, clock }, load(clock));
  await within({ deadline: 70, clock }, load(other));
  await within({ deadline: 70, clock }, load(other, 20));
  await within(
    { deadline: 70, clock: other },
    () => within({ deadline: 90, clock }, load(clock)),
  );
  await within(
    { deadline: 90, clock },
    () => within({ deadline: 70, clock: other }, load(clock)),
  );
  await within({ signal: new AbortController().signal }, load(clock));
  assertEquals(seen, [70, 70, 20, 70, 70, Infinity]);
});

Deno.test("within() adds to the scope around it", async () => {
  for (const first of ["around", "inside", "deadline"]) {
    const clock = new TestClock();
    const around = watched();
    const inside = watched();
    const load = new Backoff({ clock }).wrap(hang);
    const result = errorOf(
      within(
        { signal: around.signal },
        () =>
          within({ deadline: 50, clock }, () => within({ signal: inside.signal }, load)),
      ),
    );
    if (first === "around") around.controller.abort("around");
    if (first === "inside") inside.controller.abort("inside");
    const error = await clock.run(result);
    if (first === "deadline") assertInstanceOf(error, TimeoutError);
    else assertEquals(error, first);
    assertEquals([around.count.listeners, inside.count.listeners], [0, 0]);
    clock.close();
  }
});

Deno.test("within() of bounds in a scope that has ended rejects with its reason", async () => {
  const clock = new TestClock();
  const load = new Backoff({ clock }).wrap(hang);
  const signal = AbortSignal.abort("enough");
  const inner = AbortSignal.abort("inner");
  assertEquals(
    await errorOf(within({ signal }, () => within({ deadline: 9 }, load))),
    "enough",
  );
  const both = within({ signal }, () => within({ signal: inner }, load));
  assertEquals(await errorOf(both), "inner");
  assertEquals(
    await within({ signal }, () => detached(() => new Backoff().execute(() => 1))),
    1,
  );
});

Deno.test("within() of an attempt nests everything that begins in its stretch, at any depth, and detached() nothing", async () => {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => {
    if (event.type === "done") events.push(event);
  };
  const of = (name: string) => new Backoff({ name, observe, clock });
  const controller = new AbortController();
  const result = errorOf(
    of("outer").execute((attempt) => {
      within(attempt, () => {
        of("first").wrap(() => of("second").execute(hang))().catch(() => {});
        detached(of("third").wrap(() => of("fourth").execute(async () => {})));
        of("fifth").execute(() => {}, { detached: true });
      });
      of("sixth").execute(() => {});
      return hang();
    }, controller),
  );
  await clock.advance(5);
  assertEquals(events.map(({ name }) => name).sort(), [
    "fifth",
    "fourth",
    "sixth",
    "third",
  ]);
  assertEquals(events.filter((event) => "outer" in event), []);
  controller.abort("enough");
  assertEquals(await result, "enough");
  await microtasks();
  const ended = events.slice(4).map(({ name, outer }) => [name, outer?.attempt]);
  assertEquals(ended, [["outer", undefined], ["first", 1], ["second", 1]]);
  clock.close();
});

Deno.test("within() reaches no further than the first await where attempts are not followed", async () => {
  const signal = AbortSignal.abort("enough");
  const load = new Backoff().wrap(() => Promise.resolve("value"));
  const result = await within({ signal }, async () => {
    const first = await errorOf(load());
    return [first, await load()];
  });
  assertEquals(result, ["enough", "value"]);
});

Deno.test("currentAttempt() is the same in within() as around it, and none in detached() nor in a policy's callbacks", async () => {
  const seen: [string, unknown][] = [];
  const note = (name: string) => void seen.push([name, currentAttemptOrNull()?.number]);
  const backoff = new Backoff({
    maxTries: 2,
    exceptions: () => (note("exceptions"), true),
    until: () => (note("until"), true),
    giveup: () => (note("giveup"), false),
    pause: () => (note("pause"), 0),
    observe: ({ type }) => note(type),
  });
  await backoff.execute(({ number }) => {
    note("function");
    within({}, () => note("within"));
    detached(() => note("detached"));
    note("function");
    if (number === 1) throw down;
  });
  const inside = seen.filter(([, number]) => number !== undefined).map(([name]) => name);
  assertEquals(inside, [
    "function",
    "within",
    "function",
    "function",
    "within",
    "function",
  ]);
  assertEquals(seen.filter(([name]) => name === "detached").length, 2);
  assertEquals(currentAttemptOrNull(), null);
});

// ---- Faults.

Deno.test("A nested execution fails with the error of a scope's clock, and nothing is left", async () => {
  const boom = new Error("boom");
  const throwBoom = () => {
    throw boom;
  };
  const time = new TestClock();
  const { signal, count } = watched();
  const broken: [what: string, clock: Clock][] = [
    ["after", { now: () => 0, sleep: throwBoom, after: throwBoom }],
    ["sleep that throws", { now: () => 0, sleep: throwBoom }],
    ["sleep that rejects", { now: () => 0, sleep: () => Promise.reject(boom) }],
  ];
  for (const [what, clock] of broken) {
    const load = new Backoff({ clock: time }).wrap(hang);
    const scoped = within({ deadline: 10, signal, clock }, () => [load(), load()]);
    for (const each of scoped) assertStrictEquals(await errorOf(each), boom, what);
    assertEquals(count.listeners, 0, what);
    assertEquals(time.pending, 0, what);
  }
  assertStrictEquals(
    assertThrows(() =>
      within({ deadline: 1, clock: { now: throwBoom, sleep: hang } }, hang)
    ),
    boom,
  );
  let isBroken = false;
  const clock = { now: () => isBroken ? throwBoom() : 0, sleep: hang };
  const load = new Backoff({ clock: time }).wrap(hang);
  const result = within({ deadline: 1, clock }, () => {
    isBroken = true;
    return load();
  });
  assertStrictEquals(await errorOf(result), boom);
});

Deno.test("A nested execution fails with the error of its outer attempt's clock", async () => {
  const time = new TestClock();
  let isBroken = false;
  const boom = new Error("boom");
  const clock: Clock = {
    now() {
      if (isBroken) throw boom;
      return time.now();
    },
    sleep: (ms, options) => time.sleep(ms, options),
    after: (ms, wake) => time.after(ms, wake),
  };
  const signals: AbortSignal[] = [];
  let nested: Promise<unknown> | undefined;
  const result = errorOf(
    new Backoff({ deadline: 100, clock }).execute((attempt) => {
      nested = errorOf(
        new Backoff({ clock: time }).execute(({ signal }) => {
          signals.push(signal);
          return hang();
        }, { within: attempt }),
      );
      return hang();
    }),
  );
  await time.advance(50);
  isBroken = true;
  assertStrictEquals(await time.run(result), boom);
  assertStrictEquals(await nested, boom);
  assertStrictEquals(signals[0]?.reason, boom);
  time.close();
});

Deno.test("within() takes signals of other realms, and hostile ones fail what is nested", async () => {
  const foreign = new ForeignSignal();
  const signal = foreign as unknown as AbortSignal;
  const load = new Backoff().wrap(hang);
  const result = errorOf(within({ signal }, load));
  foreign.abort("foreign");
  assertEquals(await result, "foreign");

  const boom = new Error("boom");
  const throwBoom = () => {
    throw boom;
  };
  const hostile: ScopeOptions[] = [
    {
      signal: Object.defineProperty(new ForeignSignal(), "aborted", {
        get: throwOnSecond(throwBoom),
      }) as unknown as AbortSignal,
    },
    {
      signal: Object.assign(new ForeignSignal(), {
        addEventListener: throwBoom,
      }) as unknown as AbortSignal,
    },
  ];
  for (const scope of hostile) {
    assertStrictEquals(await errorOf(within(scope, load)), boom);
  }
});

/** A getter that throws when it is read again. */
function throwOnSecond(throwBoom: () => never): () => boolean {
  let reads = 0;
  return () => ++reads > 1 ? throwBoom() : false;
}

Deno.test("within() believes a signal whose abort event was hidden by another listener", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const { signal } = controller;
  signal.addEventListener("abort", (event) => event.stopImmediatePropagation());
  const load = new Backoff({ pause: 10, exceptions: "all", clock }).wrap(fail);
  const result = errorOf(within({ signal }, load));
  clock.after(5, () => controller.abort("enough"));
  assertEquals(await clock.run(result), "enough");
  assertEquals(clock.now(), 10);
  clock.close();
});

Deno.test("within() begins no attempt at its deadline, even if a pause ends before its timer fires", async () => {
  const clock = new TestClock();
  const late = {
    now: () => clock.now(),
    sleep: () => clock.sleep(1000), // wakes late
  };
  let calls = 0;
  const load = new Backoff({ pause: 100, exceptions: "all", clock }).wrap(() => {
    calls++;
    return fail();
  });
  const error = await clock.run(errorOf(within({ deadline: 100, clock: late }, load)));
  assertInstanceOf(error, TimeoutError);
  assertEquals([calls, clock.now()], [1, 100]);
});

Deno.test("within() lets work go on that may have ended, when another execution finds its deadline passed", async () => {
  const clock = new TestClock();
  let now = 0;
  const busy = {
    now: () => now,
    sleep: clock.sleep.bind(clock),
    after: clock.after.bind(clock),
  };
  const backoff = new Backoff({ clock: busy });
  const signals: AbortSignal[] = [];
  const [first, second] = within({ deadline: 50, clock: busy }, () => {
    const running = backoff.execute(({ signal }) => {
      signals.push(signal);
      return sleep(10, { clock }).then(() => "in time");
    });
    now = 60; // the event loop was busy, so the timer is late
    return [running, errorOf(backoff.execute(hang))];
  }) as [Promise<string>, Promise<TimeoutError>];
  assertEquals((await second).ms, 50);
  assertEquals(signals[0]?.aborted, false);
  assertEquals(await clock.run(first), "in time");
  clock.close();
});

Deno.test("A nested execution ends though another one's listener throws", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const controller = new AbortController();
  const nested: Promise<unknown>[] = [];
  const result = errorOf(
    new Backoff().execute((attempt) => {
      const broken = { now: () => nested.length > 2 ? NaN : 0, sleep: hang };
      for (const clock of [systemClock, broken, systemClock]) {
        nested.push(errorOf(new Backoff({ clock }).execute(hang, { within: attempt })));
      }
      return hang();
    }, controller),
  );
  controller.abort("enough");
  assertEquals(await result, "enough");
  const [first, second, third] = await Promise.all(nested);
  assertEquals([first, third], ["enough", "enough"]);
  assertInstanceOf(second, TypeError);
  stop();
  assertEquals(uncaught, []);
});

Deno.test("A tree of any depth ends in the same turn", async () => {
  const DEPTH = 20_000;
  const controller = new AbortController();
  const attempts: Attempt[] = [];
  const ended: number[] = [];
  const nest = (index: number) => {
    const outer = attempts[index - 1] ?? null;
    const options = { within: outer, signal: index === 0 ? controller.signal : null };
    new Backoff().execute((attempt) => (attempts.push(attempt), hang()), options)
      .catch(() => ended.push(index));
  };
  for (let index = 0; index < DEPTH; index++) nest(index);
  controller.abort("enough");
  await microtasks();
  assertEquals(ended, Array.from({ length: DEPTH }, (_, index) => index));
});

Deno.test("Very many executions in one attempt end in the same turn", async () => {
  const COUNT = 100_000;
  const controller = new AbortController();
  let ended = 0;
  const result = errorOf(
    new Backoff().execute((attempt) => {
      const backoff = new Backoff();
      for (let index = 0; index < COUNT; index++) {
        backoff.execute(hang, { within: attempt }).catch(() => ended++);
      }
      return hang();
    }, controller),
  );
  const beganAt = performance.now();
  controller.abort("enough");
  await microtasks();
  const took = performance.now() - beganAt;
  assertEquals(await result, "enough");
  assertEquals(ended, COUNT);
  assert(took < 5000, `${took} ms`);
});

/** Calls a function at every depth of the stack, from the deepest one. */
function atEveryDepth(call: () => void): void {
  try {
    atEveryDepth(call);
  } catch {
    // The stack was full.
  }
  call();
}

/** A signal without the platform's events, which fail by themselves where the stack ends. */
function plainSignal() {
  const listeners = new Set<() => void>();
  return {
    aborted: false,
    reason: undefined as unknown,
    addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) =>
      void listeners.delete(listener),
    abort(reason: unknown) {
      this.aborted = true;
      this.reason = reason;
      for (const listener of listeners) listener();
    },
  };
}

Deno.test("A nested execution ends with its outer attempt, wherever the stack ends", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const clock = new TestClock();
  const COUNT = 300;
  const outcomes: string[][] = [];
  const signals = Array.from({ length: COUNT }, plainSignal);
  const results = signals.map((plain, index) => {
    const signal = plain as unknown as AbortSignal;
    const outcome: string[] = outcomes[index] = [];
    const note = (name: string, promise: Promise<unknown>) =>
      promise.catch(() => outcome.push(name));
    return note(
      "outer",
      new Backoff({ deadline: 100, clock }).execute((outer) => {
        for (const name of ["first", "second"]) {
          const fn = (attempt: Attempt) => {
            note(`${name}'s`, new Backoff({ clock }).execute(hang, { within: attempt }));
            return hang();
          };
          note(name, new Backoff({ clock }).execute(fn, { within: outer }));
        }
        return hang();
      }, { signal }),
    );
  });
  let called = 0;
  try {
    atEveryDepth(() => {
      const signal = signals[called];
      if (signal === undefined) return;
      called++;
      signal.abort("enough");
    });
  } catch {
    // Calls that overflowed are caught by the caller above.
  }
  try {
    await microtasks();
    const ended = outcomes.filter((outcome) => outcome.includes("outer"));
    for (const outcome of ended) assertEquals(outcome.length, 5, `${outcome}`);
    await clock.run(Promise.all(results));
    await microtasks();
    for (const outcome of outcomes) assertEquals(outcome.length, 5, `${outcome}`);
  } finally {
    stop();
  }
  assertEquals(called, COUNT);
  assertEquals(uncaught.filter((error) => !(error instanceof RangeError)), []);
  clock.close();
});
