// Attempts: the view of one call of the function, and currentAttempt().

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asyncbackoff,
  type AsyncFunction,
  asyncretry,
  type Attempt,
  Backoff,
  currentAttempt,
  currentAttemptOrNull,
  type Failure,
  sleep,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import {
  CONTROL,
  isEcho,
  type ReportListener,
  RunningAttempt,
} from "../../../src/driver/attempt.ts";
import { SCOPE } from "../../../src/driver/nesting.ts";
import { begin, beginTrying } from "../../../src/engine/engine.ts";
import type { Trying } from "../../../src/engine/state.ts";

const retry = asyncretry(2);
const value = () => Promise.resolve(1);

/** Receives reports, and ignores them. */
const deaf: ReportListener = { progressed: () => false, held: () => false };

/** Throws in the first attempt, so that only a function that is retried returns. */
function failFirst() {
  if (currentAttempt().number === 1) throw new Error("first");
}

/** The first attempt of an execution, as the engine begins it. */
function running(
  clock: TestClock,
  attemptTimeout = Infinity,
  maxTries = Infinity,
  listener: ReportListener = deaf,
) {
  const asked = { refusalOf: () => null, decide: () => 0 };
  const none = { deadline: Infinity, idleTimeout: Infinity, resetAfter: Infinity };
  const policy = { attemptTimeout, grace: 0, ...none, ...asked };
  const state = beginTrying(policy, clock.now(), "load");
  assert(state.phase === "trying");
  return new RunningAttempt(state, { clock, ...policy, maxTries }, 1, listener);
}

Deno.test("Attempt.number, elapsed and remaining tell the number and the time of the attempt", async () => {
  const clock = new TestClock(1000);
  const attempt = running(clock, 100);
  assertEquals([attempt.number, attempt.elapsed, attempt.remaining], [1, 0, 100]);
  await clock.advance(30);
  assertEquals([attempt.elapsed, attempt.remaining], [30, 70]);
  await clock.advance(100);
  assertEquals([attempt.elapsed, attempt.remaining], [130, 0]); // never below 0
  assertEquals(running(clock).remaining, Infinity);
});

Deno.test("Attempt.triesLeft is the number of attempts that may follow, and Infinity without a bound", async () => {
  const rest = (maxTries?: number) =>
    running(new TestClock(), Infinity, maxTries).triesLeft;
  assertEquals([rest(1), rest(2), rest(5), rest(Infinity)], [0, 1, 4, Infinity]);
  const clock = new TestClock();
  for (const [maxTries, expected] of [[3, [2, 1, 0]], [null, Array(3).fill(Infinity)]]) {
    const seen: number[] = [];
    const giveup = (_: unknown, { attempt }: Failure) => attempt === 3;
    const fail = asyncretry(maxTries as number | null, { giveup, clock })(() => {
      seen.push(currentAttempt().triesLeft);
      return Promise.reject("down");
    });
    await clock.run(fail().catch(() => {}));
    assertEquals(seen, expected as number[]);
  }
  clock.close();
});

Deno.test("Attempt.elapsed is never below 0 when the clock goes backwards", () => {
  const idle = { idleAt: Infinity, delivery: null };
  const state: Trying = { ...begin(1000, "load"), phase: "trying", ...idle };
  const none = { maxTries: Infinity, deadline: Infinity, grace: 0 };
  const policy = { clock: new TestClock(900), ...none };
  const attempt = new RunningAttempt({ ...state, wakeAt: 1100 }, policy, 1, deaf);
  assertEquals([attempt.elapsed, attempt.remaining], [0, 100]);
});

Deno.test("Attempt.signal is made on first access, and aborts with the attempt", () => {
  const { AbortController } = globalThis;
  let made = 0;
  globalThis.AbortController = class extends AbortController {
    constructor() {
      super();
      made++;
    }
  };
  try {
    const attempt = running(new TestClock());
    assertEquals(made, 0);
    const { signal } = attempt;
    assertStrictEquals(attempt.signal, signal);
    assertEquals([made, signal.aborted], [1, false]);
    const reason = new Error("enough");
    RunningAttempt.abort(attempt, reason);
    RunningAttempt.abort(attempt, new Error("again"));
    assertStrictEquals(signal.reason, reason);

    const late = running(new TestClock());
    RunningAttempt.abort(late, reason);
    assertEquals(made, 1);
    assertStrictEquals(late.signal.reason, reason);
    assertEquals(made, 2);
  } finally {
    globalThis.AbortController = AbortController;
  }
});

/** A listener that notes reports, and answers whether they count. */
function noting(counts: boolean) {
  const reports: unknown[] = [];
  const listener: ReportListener = {
    progressed(checkpoint) {
      reports.push(checkpoint);
      return counts;
    },
    held(step, mayRepeat) {
      reports.push([step, mayRepeat]);
      return counts;
    },
  };
  return { listener, reports };
}

Deno.test("Attempt.progress() reports its checkpoint, and notes it if the report counts", () => {
  const { listener, reports } = noting(true);
  const attempt = running(new TestClock(), Infinity, Infinity, listener);
  assertEquals(attempt.checkpoint, undefined);
  attempt.progress("half");
  attempt.progress();
  assertEquals(attempt.checkpoint, "half");
  attempt.progress(null);
  assertEquals(attempt.checkpoint, null);
  assertEquals(reports, ["half", undefined, null]);
  const late = running(new TestClock());
  late.progress("too late");
  assertEquals(late.checkpoint, undefined);
});

Deno.test("AttemptControl.report() reports the steps of a stream, and returns whether they count", () => {
  for (const counts of [true, false]) {
    const { listener, reports } = noting(counts);
    const control = running(new TestClock(), 100, Infinity, listener)[CONTROL];
    assertEquals([control.report("open", true), control.report("item", false)], [
      counts,
      counts,
    ]);
    assertEquals(reports, [["open", true], ["item", false]]);
  }
});

Deno.test("Attempt.remaining ends at the deadline as soon as an item counts", () => {
  for (const counts of [true, false]) {
    const attempt = running(new TestClock(), 100, Infinity, noting(counts).listener);
    const control = attempt[CONTROL];
    control.report("open", false);
    assertEquals([attempt.remaining, attempt[SCOPE].endsAt(new TestClock())], [100, 100]);
    control.report("item", false);
    control.report("item", false);
    const expected = counts ? Infinity : 100;
    assertEquals(attempt.remaining, expected);
    assertEquals(attempt[SCOPE].endsAt(new TestClock()), expected);
  }
});

Deno.test("RunningAttempt.settle() and abandon() let go of the listener, so later reports are ignored", () => {
  for (const end of [RunningAttempt.settle, RunningAttempt.abandon]) {
    const { listener, reports } = noting(true);
    const attempt = running(new TestClock(), Infinity, Infinity, listener);
    end(attempt);
    attempt.progress("too late");
    assertEquals(attempt[CONTROL].report("item", true), false);
    assertEquals([reports, attempt.checkpoint], [[], undefined]);
  }
});

Deno.test("isEcho() recognises a rejection that repeats the reason of the abort", () => {
  const attempt = running(new TestClock());
  RunningAttempt.abort(attempt, NaN);
  const abortion = RunningAttempt.abortionOf(attempt);
  assertEquals(isEcho(abortion, NaN), true);
  assertEquals(isEcho(abortion, "else"), false);
  // A signal that is aborted with undefined makes a reason of its own.
  const plain = running(new TestClock());
  const { signal } = plain;
  RunningAttempt.abort(plain, undefined);
  assertEquals(isEcho(RunningAttempt.abortionOf(plain), undefined), true);
  assertEquals(isEcho(RunningAttempt.abortionOf(plain), signal.reason), true);
});

Deno.test("Attempt.lastFailure is null at first, and then the failure before", async () => {
  const clock = new TestClock();
  const boom = new Error("boom");
  const seen: (Failure | null)[] = [];
  const backoff = new Backoff({ exceptions: [Error], maxTries: 3, pause: 10, clock });

  const result = backoff.execute(async function load(attempt) {
    seen.push(attempt.lastFailure);
    await sleep(100, { clock });
    throw boom;
  });

  assertStrictEquals(await clock.run(result.catch((error) => error)), boom);
  const both = {
    error: boom,
    name: "load",
    limit: null,
    duration: 100,
    remaining: Infinity,
  };
  assertEquals(seen, [
    null,
    { ...both, attempt: 1, streak: 1, elapsed: 100, pauseBefore: 0 },
    { ...both, attempt: 2, streak: 2, elapsed: 210, pauseBefore: 10 },
  ]);
  clock.close();
});

Deno.test("currentAttempt() returns the attempt in functions of any length, the same as execute() passes", async () => {
  const backoff = new Backoff();
  const current = () => Promise.resolve(currentAttempt());
  const fns: AsyncFunction[] = [
    () => current(),
    (_a) => current(),
    (_a, _b, _c) => current(),
    (..._all) => current(),
    (_a = 0) => current(),
  ];
  for (const fn of fns) {
    const attempt = await backoff.wrap(fn)() as Attempt;
    assertEquals(attempt.number, 1);
    assertInstanceOf(attempt.signal, AbortSignal);
  }
  for (
    const fn of [(a?: Attempt) => a, (a: unknown = null) => a, (...[a]: unknown[]) => a]
  ) {
    const passed = await backoff.execute((...args) => [fn(...args), currentAttempt()]);
    assertStrictEquals(passed[0], passed[1]);
  }
});

Deno.test("currentAttempt() throws outside of any attempt, before and after one", async () => {
  const message =
    "Cannot get the current attempt: 'currentAttempt()' must be called inside " +
    "the function that is executed, before its first 'await'; or call " +
    "'followAttempts()' once at start";
  assertEquals(assertThrows(currentAttempt, Error).message, message);
  await retry(value)();
  assertEquals(assertThrows(currentAttempt, Error).message, message);
});

Deno.test("currentAttemptOrNull() returns null outside of any attempt, and else the attempt", async () => {
  assertStrictEquals(currentAttemptOrNull(), null);
  await new Backoff().execute(async (attempt) => {
    assertStrictEquals(currentAttemptOrNull(), attempt);
    const nested = retry(() => {
      assertNotStrictEquals(currentAttemptOrNull(), attempt);
      assertStrictEquals(currentAttemptOrNull(), currentAttempt());
      return Promise.resolve();
    })();
    assertStrictEquals(currentAttemptOrNull(), attempt);
    await nested;
    assertStrictEquals(currentAttemptOrNull(), null);
  });
  assertStrictEquals(currentAttemptOrNull(), null);
});

Deno.test("currentAttempt() throws after the first await of the function", async () => {
  await retry(async () => {
    assertEquals(currentAttempt().number, 1);
    await null;
    assertThrows(currentAttempt, Error, "before its first 'await'");
  })();
});

Deno.test("currentAttempt() throws next to a call whose attempt is under way", async () => {
  const clock = new TestClock();
  const result = asyncbackoff(1000, 5000, { clock })(() => sleep(100, { clock }))();
  assertThrows(currentAttempt, Error, "Cannot get the current attempt");
  await clock.run(result);
  clock.close();
});

Deno.test("currentAttempt() throws after a function that threw at once", async () => {
  const fail = asyncretry(1)(() => {
    throw new Error("at once");
  });
  const result = fail();
  assertThrows(currentAttempt, Error, "Cannot get the current attempt");
  await assertRejects(() => result, Error, "at once");
});

Deno.test("currentAttempt() returns the innermost attempt, and the outer one again after nested calls", async () => {
  const inner = retry(() => Promise.resolve(currentAttempt()));
  const broken = asyncretry(1)(() => {
    throw new Error("at once");
  });
  const outer = retry(async () => {
    const before = currentAttempt();
    const nested = inner();
    const between = currentAttempt();
    const failed = broken();
    const after = currentAttempt();
    await assertRejects(() => failed, Error, "at once");
    return [before, between, after, await nested];
  });
  const [before, between, after, nested] = await outer();
  assertStrictEquals(between, before);
  assertStrictEquals(after, before);
  assertNotStrictEquals(nested, before);
});

/** Notes which callbacks see an attempt, which they must not. */
function witness() {
  const seen = new Map<string, boolean>();
  const look = (place: string) => {
    let isSeen = true;
    try {
      currentAttempt();
    } catch {
      isSeen = false;
    }
    seen.set(place, isSeen || seen.get(place) === true);
  };
  return { seen: () => Object.fromEntries([...seen].sort()), look };
}

Deno.test("currentAttempt() throws inside giveup, pause and observers", async () => {
  const { seen, look } = witness();
  const wrap = asyncretry(2, {
    giveup: () => (look("giveup"), false),
    pause: () => (look("pause"), 0),
    observe: ({ type }) => look(type),
  });
  await wrap(async () => {
    failFirst();
    return await 1;
  })();
  const none = { attempt: false, done: false, failure: false, giveup: false, pause: false };
  assertEquals(seen(), none);
});

Deno.test("currentAttempt() throws inside giveup, pause and observers called from another attempt", async () => {
  const clock = new TestClock();
  const { seen, look } = witness();
  // Every attempt fails at once, so the decisions are made while the outer function runs.
  const inner = asyncbackoff(0, null, {
    giveup: (_, { attempt }) => (look("giveup"), attempt === 2),
    pause: () => (look("pause"), 100),
    observe: ({ type }) => look(type),
    clock,
  })(value);
  const outer = asyncretry(1)(() => {
    const result = inner();
    assertEquals(seen(), { attempt: false, failure: false, giveup: false, pause: false });
    assertEquals(currentAttempt().number, 1);
    return result;
  });
  await clock.run(outer().catch(() => {}));
  assertEquals(seen()["done"], false);
  clock.close();
});

Deno.test("currentAttempt() throws inside an observer that is called while another attempt aborts", async () => {
  const { seen, look } = witness();
  // A clock that fails ends the execution within the call of abort().
  const clock = { now: () => instant, sleep: () => new Promise<void>(() => {}) };
  let instant = 0;
  const controller = new AbortController();
  const { signal } = controller;
  const backoff = new Backoff({ clock, observe: ({ type }) => look(type) });
  const result = backoff.execute(() => new Promise(() => {}), { signal });
  const rejected = assertRejects(() => result, TypeError, "Cannot read the clock");
  await retry(async () => {
    instant = NaN;
    controller.abort("enough");
    assertEquals(currentAttempt().number, 1);
    await rejected;
  })();
  assertEquals(seen(), { attempt: false, done: false });
});
