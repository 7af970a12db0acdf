// The counters of the executions of a policy.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Failure,
  sleep,
  type Statistic,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const NOTHING = { attempts: 0, done: 0, errors: 0, cancels: 0, refused: 0, sumTime: 0 };

/** The counters of attempts, as plain data. */
function countsOf(statistic: Statistic) {
  const { attempts, done, errors, cancels, refused, sumTime } = statistic;
  return { attempts, done, errors, cancels, refused, sumTime };
}

const never = () => new Promise<never>(() => {});
const fail = () => Promise.reject(new RangeError("down"));

/** The counters of one execution, and the instant at which it ended. */
async function play(
  options: BackoffOptions,
  body: (attempt: Attempt, clock: TestClock, controller: AbortController) => unknown,
) {
  const clock = new TestClock();
  const controller = new AbortController();
  const backoff = new Backoff({ ...options, clock });
  const { signal } = controller;
  const fn = (attempt: Attempt) => body(attempt, clock, controller);
  await clock.run(Promise.allSettled([backoff.execute(fn, { signal })]));
  const statistic = countsOf(backoff.statistic);
  const at = clock.now();
  // An abandoned attempt that goes on is not counted here.
  await clock.advance(10_000);
  assertEquals(countsOf(backoff.statistic), statistic);
  clock.close();
  return { ...statistic, at };
}

Deno.test("Statistic is all 0 when nothing was executed", () => {
  assertEquals(countsOf(new Backoff().statistic), NOTHING);
  assertEquals(countsOf(asyncretry(3).statistic), NOTHING);
});

Deno.test("Statistic counts an attempt and its time when the function succeeds at once", async () => {
  const counted = await play({}, (_, clock) => clock.sleep(50));
  assertEquals(counted, {
    attempts: 1,
    done: 1,
    errors: 0,
    cancels: 0,
    refused: 0,
    sumTime: 50,
    at: 50,
  });
});

Deno.test("Statistic.sumTime includes the pauses", async () => {
  const options = { pause: 100, exceptions: [RangeError] };
  const counted = await play(options, async ({ number }, clock) => {
    await clock.sleep(5);
    if (number < 3) await fail();
  });
  assertEquals(counted, {
    attempts: 3,
    done: 3,
    errors: 2,
    cancels: 0,
    refused: 0,
    sumTime: 215,
    at: 215,
  });
});

Deno.test("Statistic counts the last failure as an error, although it is not retried", async () => {
  const options = { pause: 10, exceptions: [RangeError] };
  const expected = {
    attempts: 2,
    done: 2,
    errors: 2,
    cancels: 0,
    refused: 0,
    sumTime: 10,
    at: 10,
  };
  assertEquals(await play({ ...options, maxTries: 2 }, fail), expected);
  const giveup = (_: unknown, { attempt }: Failure) => attempt === 2;
  assertEquals(await play({ ...options, giveup }, fail), expected);
});

Deno.test("Statistic counts no error when a failure is not retryable", async () => {
  const counted = await play({ exceptions: [TypeError] }, fail);
  assertEquals(counted, {
    attempts: 1,
    done: 1,
    errors: 0,
    cancels: 0,
    refused: 0,
    sumTime: 0,
    at: 0,
  });
});

Deno.test("Statistic counts attempt timeouts as errors, not as cancels", async () => {
  const timeouts = { exceptions: [], pause: 10 };
  const counted = await play({ ...timeouts, attemptTimeout: 50, maxTries: 2 }, never);
  assertEquals(counted, {
    attempts: 2,
    done: 2,
    errors: 2,
    cancels: 0,
    refused: 0,
    sumTime: 110,
    at: 110,
  });
  const atOnce = await play({ ...timeouts, attemptTimeout: 0, maxTries: 3 }, never);
  assertEquals(atOnce, {
    attempts: 3,
    done: 3,
    errors: 3,
    cancels: 0,
    refused: 0,
    sumTime: 20,
    at: 20,
  });
});

Deno.test("Statistic counts an attempt that the deadline ends as a cancel", async () => {
  const options = { deadline: 100, pause: 30, exceptions: [RangeError] };
  const counted = await play(options, ({ number }) => number === 1 ? fail() : never());
  assertEquals(counted, {
    attempts: 2,
    done: 2,
    errors: 1,
    cancels: 1,
    refused: 0,
    sumTime: 100,
    at: 100,
  });
});

Deno.test("Statistic counts an attempt that the caller aborts as a cancel", async () => {
  const counted = await play({ deadline: 100 }, (_, clock, controller) => {
    clock.after(40, () => controller.abort());
    return clock.sleep(70);
  });
  assertEquals(counted, {
    attempts: 1,
    done: 1,
    errors: 0,
    cancels: 1,
    refused: 0,
    sumTime: 40,
    at: 40,
  });
});

Deno.test("Statistic counts no cancel when the deadline or the caller ends a pause, but counts its time", async () => {
  const options = { pause: 300, exceptions: [RangeError] };
  const expected = { attempts: 1, done: 1, errors: 1, cancels: 0, refused: 0 };
  assertEquals(await play({ ...options, deadline: 100 }, fail), {
    ...expected,
    sumTime: 100,
    at: 100,
  });
  const aborted = await play(options, (_, clock, controller) => {
    clock.after(40, () => controller.abort());
    return fail();
  });
  assertEquals(aborted, { ...expected, sumTime: 40, at: 40 });
});

Deno.test("Statistic counts the failure, and no cancel, when giveup throws or aborts", async () => {
  const controller = new AbortController();
  const giveups = [() => {
    throw new Error("broken");
  }, () => {
    controller.abort();
    return false;
  }];
  for (const giveup of giveups) {
    const options = { exceptions: [RangeError], giveup, signal: controller.signal };
    const counted = await play(options, (_, clock) => clock.sleep(50).then(fail));
    assertEquals(counted, {
      attempts: 1,
      done: 1,
      errors: 1,
      cancels: 0,
      refused: 0,
      sumTime: 50,
      at: 50,
    });
  }
});

Deno.test("Statistic counts nothing when the function is never called", async () => {
  assertEquals(await play({ deadline: 0 }, never), { ...NOTHING, at: 0 });
  assertEquals(await play({ signal: AbortSignal.abort() }, never), { ...NOTHING, at: 0 });
  const backoff = new Backoff();
  await backoff.execute("no function" as never).catch(() => {});
  assertEquals(countsOf(backoff.statistic), NOTHING);
});

Deno.test("Statistic counts an attempt when it begins, and everything else when it happens", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ pause: 100, maxTries: 2, exceptions: [RangeError], clock });
  const result = backoff.execute(() => clock.sleep(50).then(fail)).catch(() => {});
  const counted: unknown[] = [];
  for (let at = 25; at < 250; at += 50) {
    await clock.advance(at - clock.now());
    const { attempts, done, errors, sumTime } = backoff.statistic;
    counted.push([at, attempts, done, errors, sumTime]);
  }
  await result;
  assertEquals(counted, [
    [25, 1, 0, 0, 0],
    [75, 1, 1, 1, 0],
    [125, 1, 1, 1, 0],
    [175, 2, 1, 1, 150],
    [225, 2, 2, 2, 200],
  ]);
  clock.close();
});

Deno.test("Statistic adds up executions, consecutive and concurrent ones", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({
    deadline: 100,
    pause: 10,
    exceptions: [RangeError],
    maxTries: 3,
    clock,
  });
  const slow = (ms: number) => () => clock.sleep(ms);
  await clock.run(backoff.execute(slow(30)));
  assertEquals(countsOf(backoff.statistic), {
    ...NOTHING,
    attempts: 1,
    done: 1,
    sumTime: 30,
  });
  await clock.run(Promise.allSettled([
    backoff.execute(slow(50)), // 50 ms
    backoff.execute(never), // 100 ms, a cancel
    backoff.execute(fail), // 3 attempts, 20 ms, 3 errors
    backoff.execute(({ number }) => number === 1 ? fail() : clock.sleep(20)), // 30 ms
  ]));
  assertEquals(countsOf(backoff.statistic), {
    attempts: 8,
    done: 8,
    errors: 4,
    cancels: 1,
    refused: 0,
    sumTime: 230,
  });
  clock.close();
});

Deno.test("Statistic is separate for each Backoff when several execute at once", async () => {
  const clock = new TestClock();
  const options = { pause: 10, exceptions: [RangeError], maxTries: 2, clock };
  const [one, other] = [new Backoff(options), new Backoff(options)];
  await clock.run(
    Promise.allSettled([one.execute(fail), other.execute(() => clock.sleep(50))]),
  );
  assertEquals(countsOf(one.statistic), {
    ...NOTHING,
    attempts: 2,
    done: 2,
    errors: 2,
    sumTime: 10,
  });
  assertEquals(countsOf(other.statistic), {
    ...NOTHING,
    attempts: 1,
    done: 1,
    sumTime: 50,
  });
  clock.close();
});

Deno.test("Statistic counts nested executions of one policy together", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ clock });
  await clock.run(backoff.execute(() => backoff.execute(() => clock.sleep(50))));
  assertEquals(countsOf(backoff.statistic), {
    ...NOTHING,
    attempts: 2,
    done: 2,
    sumTime: 100,
  });
  clock.close();
});

Deno.test("Statistic is shared by execute() and everything that one decorator wraps", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ clock });
  assertStrictEquals(backoff.wrap.statistic, backoff.statistic);
  const wraps = [backoff.wrap(() => clock.sleep(10)), backoff.wrap(() => clock.sleep(20))];
  await clock.run(Promise.all([...wraps.map((each) => each()), backoff.execute(() => 1)]));
  assertEquals(countsOf(backoff.statistic), {
    ...NOTHING,
    attempts: 3,
    done: 3,
    sumTime: 30,
  });

  const decorator = asyncbackoff({ clock });
  const another = asyncbackoff({ clock });
  await clock.run(
    Promise.all([decorator(() => clock.sleep(5))(), another(() => clock.sleep(7))()]),
  );
  assertEquals([decorator.statistic.sumTime, another.statistic.sumTime], [5, 7]);
  clock.close();
});

Deno.test("Statistic counts ends by reason, timeouts, late ends and the time in pauses", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const backoff = new Backoff({
    attemptTimeout: 10,
    deadline: 100,
    pause: 5,
    maxTries: 3,
    exceptions: [RangeError],
    giveup: (error) => (error as Error).message === "enough",
    signal: controller.signal,
    clock,
  });
  const run = (fn: () => unknown) => clock.run(backoff.execute(fn).catch(() => {}));
  const fail = (error: Error) => () => Promise.reject(error);

  await run(() => "success");
  await run(fail(new RangeError("maxTries"))); // two pauses of 5
  await run(fail(new RangeError("enough")));
  await run(fail(new TypeError("nonRetryable")));
  await run(() => sleep(12, { clock })); // times out three times; each attempt ends 2 late
  await clock.advance(50);
  const aborted = run(() => sleep(8, { clock }));
  controller.abort("no more");
  await aborted;

  const { timeouts, late, pauseTime, ends } = backoff.statistic;
  assertEquals({ timeouts, late, pauseTime }, { timeouts: 3, late: 3, pauseTime: 20 });
  assertEquals(ends, {
    success: 1,
    nonRetryable: 1,
    exhausted: 0,
    maxTries: 2,
    giveup: 1,
    budget: 0,
    deadline: 0,
    aborted: 1,
    callbackError: 0,
  });
});

Deno.test("Statistic counts a retry that the budget refuses", async () => {
  const budget = { began() {}, failed() {}, succeeded() {}, mayRetry: () => false };
  const counted = await play({ exceptions: [RangeError], budget }, fail);
  const expected = { attempts: 1, done: 1, errors: 1, refused: 1 };
  assertEquals(counted, { ...NOTHING, ...expected, at: 0 });
});

Deno.test("Statistic counts an error that was retried already as an end, and not as an error", async () => {
  const ends: unknown[] = [];
  const options = {
    exceptions: "all",
    retryExhausted: false,
    maxTries: 2,
    observe: (event: BackoffEvent) => event.type === "done" && ends.push(event.reason),
  } as const;
  const counted = await play(options, (_, clock) => asyncretry(2, { clock })(fail)());
  assertEquals(counted, { ...NOTHING, attempts: 1, done: 1, at: 0 });
  const others = await play(options, fail);
  assertEquals(others, { ...NOTHING, attempts: 2, done: 2, errors: 2, at: 0 });
  assertEquals(ends, ["exhausted", "maxTries"]);
});

Deno.test("Statistic counts a result that is refused as an error", async () => {
  const counted = await play({ until: () => false, maxTries: 2, pause: 10 }, () => 7);
  const expected = { attempts: 2, done: 2, errors: 2, sumTime: 10 };
  assertEquals(counted, { ...NOTHING, ...expected, at: 10 });
});

Deno.test("Statistic counts neither an error nor a cancel when until throws", async () => {
  const until = () => {
    throw new Error("a bug");
  };
  const counted = await play({ until }, (_, clock) => clock.sleep(50));
  assertEquals(counted, { ...NOTHING, attempts: 1, done: 1, sumTime: 50, at: 50 });
});

Deno.test("Statistic.pauseTime is 0 before the first pause, whatever the time is", async () => {
  const clock = new TestClock(1000);
  const backoff = new Backoff({ exceptions: [RangeError], maxTries: 2, pause: 50, clock });

  await clock.run(backoff.execute(() => clock.sleep(10)));
  assertEquals(backoff.statistic.pauseTime, 0);

  await clock.run(Promise.allSettled([backoff.execute(fail)]));
  assertEquals(backoff.statistic.pauseTime, 50);
  clock.close();
});

Deno.test("Statistic counts no timeout for an attempt that the deadline ends, but its late end", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ attemptTimeout: 50, deadline: 30, clock });
  await clock.run(backoff.execute(() => sleep(40, { clock })).catch(() => {}));
  await clock.advance(10);
  const { timeouts, late, ends } = backoff.statistic;
  assertEquals([timeouts, late, ends.deadline], [0, 1, 1]);
});

Deno.test("Statistic counts each timeout once when a grace follows it", async () => {
  const clock = new TestClock();
  const limits = { attemptTimeout: 10, grace: 5, maxTries: 2 };
  const backoff = new Backoff({ ...limits, exceptions: [], clock });
  await clock.run(backoff.execute(() => sleep(100, { clock })).catch(() => {}));
  const { timeouts, ends } = backoff.statistic;
  assertEquals([timeouts, ends.maxTries], [2, 1]);
  await clock.advance(100);
  assertEquals(backoff.statistic.late, 2);
});

Deno.test("Statistic counts reports of progress, and failures that began a new streak", async () => {
  const clock = new TestClock();
  const rules = { idleTimeout: 100, resetAfter: 30, grace: 20, exceptions: [] };
  const backoff = new Backoff({ ...rules, clock, maxTries: 3 });
  await clock.run(
    backoff.execute(async (attempt) => {
      attempt.progress();
      attempt.progress("half");
      clock.after(110, () => attempt.progress()); // in the grace
      if (attempt.number === 3) return;
      await new Promise(() => {});
    }),
  );
  const { progress, resets, timeouts } = backoff.statistic;
  // The first failure begins a streak anyway.
  assertEquals([progress, resets, timeouts], [6, 1, 2]);
  await clock.advance(200);
  assertEquals(backoff.statistic.progress, 6);
  clock.close();
});

const nothing = {
  ...NOTHING,
  timeouts: 0,
  late: 0,
  pauseTime: 0,
  nested: 0,
  progress: 0,
  resets: 0,
  ends: {
    success: 0,
    nonRetryable: 0,
    exhausted: 0,
    maxTries: 0,
    giveup: 0,
    budget: 0,
    deadline: 0,
    aborted: 0,
    callbackError: 0,
  },
};

Deno.test("Statistic.toJSON() has every counter, and is what JSON.stringify() shows", () => {
  const { statistic } = new Backoff();
  assertEquals(statistic.toJSON(), nothing);
  assertEquals(JSON.parse(JSON.stringify(statistic)), nothing);
});

Deno.test("Statistic shows every counter in console.log()", async () => {
  const backoff = new Backoff();
  await backoff.execute(() => "done");
  const { statistic } = backoff;
  // Node, Bun and Deno ask for this method.
  const inspect: unknown = Reflect.get(statistic, Symbol.for("nodejs.util.inspect.custom"));
  assert(typeof inspect === "function");
  assertEquals(inspect(), statistic.toJSON());
  // It is hidden, so that nothing lists it as a counter.
  assertEquals([Object.keys(statistic), { ...statistic }], [[], {}]);
  const { Deno } = globalThis as { Deno?: { inspect?: (value: unknown) => string } };
  if (Deno?.inspect === undefined) return;
  assertEquals(Deno.inspect(statistic), Deno.inspect(statistic.toJSON()));
});

Deno.test("Statistic is read-only", async () => {
  const backoff = new Backoff();
  const { statistic } = backoff;
  const counters = Object.keys(nothing);
  assertEquals(counters.length, 13);
  for (const name of counters) {
    assertThrows(() => Object.assign(statistic, { [name]: 7 }), TypeError, undefined, name);
  }
  assertEquals(statistic.toJSON(), nothing);
  await backoff.execute(() => "done");
  assertEquals(statistic.attempts, 1);
});

Deno.test("Statistic counts on when it is frozen, and the execution is not disturbed", async () => {
  const backoff = new Backoff({ exceptions: "all" });
  Object.freeze(backoff.statistic);
  const value = await backoff.execute(({ number }) =>
    number === 1 ? fail() : Promise.resolve("done")
  );
  assertEquals(value, "done");
  const { attempts, errors, ends } = backoff.statistic;
  assertEquals([attempts, errors, ends.success], [2, 1, 1]);
  backoff.statistic.reset();
  assertEquals(backoff.statistic.toJSON(), nothing);
});

Deno.test("Statistic.reset() sets everything to 0, and executions under way count on", async () => {
  const clock = new TestClock();
  const rules = { attemptTimeout: 10, pause: 5, maxTries: 2, exceptions: [] };
  const backoff = new Backoff({ ...rules, clock });
  await clock.run(backoff.execute(() => sleep(20, { clock })).catch(() => {}));
  await clock.advance(20);
  backoff.statistic.reset();
  assertEquals(backoff.statistic.toJSON(), nothing);

  const result = backoff.execute(() => sleep(8, { clock }));
  await clock.advance(4);
  backoff.statistic.reset();
  await clock.run(result);
  const { attempts, done, ends } = backoff.statistic;
  assertEquals([attempts, done, ends.success], [0, 1, 1]);
});

Deno.test("Statistic.ends is a copy, which does not change later", async () => {
  const backoff = new Backoff();
  const { ends } = backoff.statistic;
  await backoff.execute(() => "done");
  assertEquals([ends.success, backoff.statistic.ends.success], [0, 1]);
  Object.assign(backoff.statistic.ends, { success: 7 });
  assertEquals(backoff.statistic.ends.success, 1);
});
