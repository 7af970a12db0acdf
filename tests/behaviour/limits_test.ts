// Limits and pauses: the instants at which things happen, and that nothing happens
// afterwards.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertStrictEquals,
} from "@std/assert";
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
  systemClock,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { FakeTime } from "@std/testing/time";

const failure = new Error("down");
const fail = () => Promise.reject(failure);
const hang = () => new Promise<never>(() => {});
const failAtOnce = () => {
  throw failure;
};
const throwBug = () => {
  throw new Error("a bug");
};

/** The error that a promise rejects with. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no error", (error) => error);
}

/**
 * Runs an execution on a test clock that does not start at 0. Instants count from its
 * start.
 */
async function run(options: BackoffOptions, fn: (clock: TestClock) => unknown) {
  const clock = new TestClock(1000);
  const events: BackoffEvent[] = [];
  const starts: number[] = [];
  const observe = (event: BackoffEvent) => void events.push(event);
  const backoff = new Backoff({ exceptions: [Error], observe, ...options, clock });
  const error = await clock.run(errorOf(backoff.execute(() => {
    starts.push(clock.now() - 1000);
    return fn(clock);
  })));
  const endedAt = clock.now() - 1000;
  const { pending } = clock;
  await clock.advance(50_000); // attempts that were abandoned end, too
  return { error, starts, endedAt, pending, events, statistic: backoff.statistic };
}

/** The counters that these tests compare. */
function countsOf(statistic: Statistic) {
  const { attempts, done, errors, cancels, refused, sumTime } = statistic;
  return { attempts, done, errors, cancels, refused, sumTime };
}

/** A signal that counts its listeners. */
function countedSignal() {
  const { signal } = new AbortController();
  const { addEventListener, removeEventListener } = signal;
  const counted = { options: { signal }, listeners: 0 };
  Object.assign(signal, {
    addEventListener(...args: unknown[]) {
      counted.listeners += 1;
      return Reflect.apply(addEventListener, signal, args);
    },
    removeEventListener(...args: unknown[]) {
      counted.listeners -= 1;
      return Reflect.apply(removeEventListener, signal, args);
    },
  });
  return counted;
}

Deno.test("Backoff.execute() rejects at exactly the deadline when an attempt is running", async () => {
  const { error, starts, endedAt, statistic } = await run(
    { deadline: 500, pause: 100 },
    (clock) => clock.sleep(200).then(fail),
  );

  assertStrictEquals(error, failure);
  assertEquals(starts, [0, 300]);
  assertEquals(endedAt, 500); // the work that begins at 300 ends at this very instant
  assertEquals(statistic.cancels, 1);
});

Deno.test("Backoff.execute() rejects at exactly the deadline and makes no other attempt when it is pausing", async () => {
  const { error, starts, endedAt, events } = await run({ deadline: 500, pause: 400 }, fail);

  assertStrictEquals(error, failure);
  assertEquals(starts, [0, 400]);
  assertEquals(endedAt, 500);
  assertEquals(events.map(({ type }) => type), [
    "attempt",
    "failure",
    "attempt",
    "failure",
    "done",
  ]);
});

Deno.test("Backoff.execute() begins no attempt when the end of a pause ties with the deadline", async () => {
  const { starts, endedAt } = await run({ deadline: 500, pause: 250 }, fail);

  assertEquals(starts, [0, 250]);
  assertEquals(endedAt, 500);
});

Deno.test("Backoff.execute() calls nothing more when an abandoned attempt fails after the deadline", async () => {
  let asked = 0;
  const { starts, endedAt, statistic } = await run(
    { deadline: 500, exceptions: "all", giveup: () => ++asked < 0 },
    (clock) => clock.sleep(800).then(fail),
  );

  assertEquals(starts, [0]);
  assertEquals(endedAt, 500);
  assertEquals(asked, 0);
  assertEquals([statistic.done, statistic.errors, statistic.cancels], [1, 0, 1]);
});

Deno.test("Backoff.execute() retries an attempt at exactly its timeout", async () => {
  const { error, starts, endedAt, statistic } = await run(
    { attemptTimeout: 100, pause: 50, maxTries: 3, exceptions: [] },
    hang,
  );

  assertInstanceOf(error, TimeoutError);
  assertEquals(starts, [0, 150, 300]);
  assertEquals(endedAt, 400);
  assertEquals([statistic.errors, statistic.cancels, statistic.sumTime], [3, 0, 400]);
});

Deno.test("Backoff.execute() rejects with the deadline's error when that ties with the attempt timeout", async () => {
  const { error, starts, statistic } = await run(
    { attemptTimeout: 500, deadline: 500 },
    hang,
  );

  assertInstanceOf(error, TimeoutError);
  assertEquals(error.limit, "deadline");
  assertEquals(starts, [0]);
  assertEquals([statistic.errors, statistic.cancels], [0, 1]);
});

Deno.test("Backoff.execute() resolves when work ties with a limit only if its timer was armed before the attempt", async () => {
  for (const limit of ["attemptTimeout", "deadline"]) {
    const clock = new TestClock();
    const backoff = new Backoff({ [limit]: 100, maxTries: 1, clock });
    const earlier = clock.sleep(100).then(() => "value");

    const first = backoff.execute(() => earlier);
    const second = errorOf(backoff.execute(() => clock.sleep(100)));
    await clock.advance(100);

    assertEquals(await first, "value");
    assertInstanceOf(await second, TimeoutError, limit);
    clock.close();
  }
});

Deno.test("Backoff.execute() takes the outcome of an attempt when its limit is noticed late", async () => {
  const clock = new TestClock();
  let lag = 0; // of timers, as when the event loop is blocked
  const late = {
    now: () => clock.now() + lag,
    sleep: hang,
    after: (ms: number, wake: () => void) => clock.after(ms, wake),
  };
  const ends: unknown[] = [];
  for (const limits of [{ attemptTimeout: 100 }, { deadline: 100 }]) {
    for (const outcome of [() => "value", fail]) {
      lag = 0;
      const backoff = new Backoff({
        ...limits,
        maxTries: 1,
        exceptions: [Error],
        clock: late,
      });
      const result = backoff.execute(() => {
        lag = 1000;
        return outcome();
      });
      ends.push(await result.catch((error) => error));
    }
  }

  assertEquals(ends, ["value", failure, "value", failure]);
  clock.close();
});

Deno.test("Backoff.execute() calls nothing and counts no attempt when the deadline is 0", async () => {
  const { error, starts, endedAt, events, statistic } = await run(
    { attemptTimeout: 0, deadline: 0 },
    () => "value",
  );

  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, error.ms], ["deadline", 0]);
  assertEquals(starts, []);
  assertEquals(endedAt, 0);
  assertEquals(events.map(({ type }) => type), ["done"]);
  assertEquals(countsOf(statistic), {
    attempts: 0,
    done: 0,
    errors: 0,
    cancels: 0,
    refused: 0,
    sumTime: 0,
  });
});

Deno.test("Backoff.execute() counts each attempt and calls nothing when the attempt timeout is 0", async () => {
  const { error, starts, endedAt, statistic } = await run(
    { attemptTimeout: 0, deadline: 500, pause: 100, grace: 1000 },
    () => "value",
  );

  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, error.ms], ["attempt", 0]);
  assertEquals(starts, []);
  assertEquals(endedAt, 500); // attempts at 0, 100, 200, 300 and 400, with no grace
  assertEquals(countsOf(statistic), {
    attempts: 5,
    done: 5,
    errors: 5,
    cancels: 0,
    refused: 0,
    sumTime: 500,
  });
});

Deno.test("Backoff.execute() pauses for the time that a function of the failure returns, from the end of the attempt", async () => {
  const shown: Failure[] = [];
  const { starts, endedAt } = await run({
    deadline: 1000,
    maxTries: 4,
    pause: (each) => {
      shown.push(each);
      return each.attempt * 100;
    },
  }, (clock) => clock.sleep(50).then(fail));

  assertEquals(starts, [0, 150, 400, 750]);
  assertEquals(endedAt, 800);
  const common = { error: failure, name: "", limit: null, duration: 50 };
  assertEquals(shown, [
    { ...common, attempt: 1, streak: 1, elapsed: 50, remaining: 950, pauseBefore: 0 },
    { ...common, attempt: 2, streak: 2, elapsed: 200, remaining: 800, pauseBefore: 100 },
    { ...common, attempt: 3, streak: 3, elapsed: 450, remaining: 550, pauseBefore: 200 },
  ]);
});

Deno.test("Attempt.elapsed and remaining count from its own start, and to the nearest limit", async () => {
  const clock = new TestClock(7000);
  const seen: number[][] = [];
  const look = async (attempt: Attempt) => {
    await clock.sleep(50);
    seen.push([attempt.elapsed, attempt.remaining]);
    return attempt.number < 3 ? fail() : "value";
  };
  const limited = new Backoff({
    attemptTimeout: 200,
    deadline: 350,
    pause: 50,
    exceptions: [Error],
    clock,
  });
  await clock.run(limited.execute(look));
  await clock.run(new Backoff({ exceptions: [Error], maxTries: 1, clock }).execute(look))
    .catch((error) => assertStrictEquals(error, failure));

  assertEquals(seen, [[50, 150], [50, 150], [50, 100], [50, Infinity]]);
  clock.close();
});

for (const ms of [2 ** 31, 2 ** 31 + 5, 2 ** 33]) {
  // In units of `ms`, attempts begin at 0 and 2. The second pause begins at 3, and the
  // deadline ends it at 3.5.
  const limits = { attemptTimeout: ms, pause: ms, deadline: 3.5 * ms, exceptions: [] };

  Deno.test(`Backoff.execute() keeps limits and pauses of ${ms} ms exactly on TestClock`, async () => {
    const { error, starts, endedAt } = await run(limits, hang);

    assertInstanceOf(error, TimeoutError);
    assertEquals([error.limit, error.ms], ["attempt", ms]);
    assertEquals(starts, [0, 2 * ms]);
    assertEquals(endedAt, 3.5 * ms);
  });

  Deno.test(`Backoff.execute() keeps limits and pauses of ${ms} ms exactly on FakeTime with the default clock`, async () => {
    const time = new FakeTime(0);
    const { setTimeout } = globalThis;
    let longest = 0;
    Object.assign(globalThis, {
      setTimeout: (wake: () => void, ms = 0) => {
        longest = Math.max(longest, ms);
        return setTimeout(wake, ms);
      },
    });
    try {
      const starts: number[] = [];
      let endedAt = -1;
      const result = errorOf(
        new Backoff(limits).execute(() => {
          starts.push(time.now);
          return hang();
        }),
      );
      result.then(() => endedAt = time.now);
      await time.runMicrotasks();
      while (endedAt < 0 && time.next()) await time.runMicrotasks();

      assertInstanceOf(await result, TimeoutError);
      assertEquals(starts, [0, 2 * ms]);
      assertEquals(endedAt, Math.ceil(3.5 * ms)); // faked timers have whole milliseconds
      assertEquals(time.next(), false); // no timer is left
      assertLess(longest, 2 ** 31); // no platform supports a longer timer
    } finally {
      time.restore();
    }
  });
}

Deno.test("Backoff.execute() does not end limits and pauses of more than 2^31-1 ms at once on the real clock", async () => {
  const ms = 2 ** 31 + 5;
  const controller = new AbortController();
  const limited = new Backoff({ attemptTimeout: ms, deadline: 2 ** 33 });
  const pausing = new Backoff({ pause: ms, exceptions: [Error] });

  const value = limited.execute(() => sleep(10).then(() => "value"));
  const aborted = errorOf(pausing.execute(fail, controller));
  await sleep(20);
  controller.abort("reason");

  assertEquals(await value, "value");
  assertEquals(await aborted, "reason");
  assertEquals(pausing.statistic.attempts, 1);
});

Deno.test("Backoff.execute() arms no timer for limits of Infinity", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({
    attemptTimeout: Infinity,
    deadline: Infinity,
    maxTries: Infinity,
    clock,
  });
  let resolve = (_: string) => {};
  const result = backoff.execute(() => new Promise<string>((each) => resolve = each));
  assertEquals(clock.pending, 0);
  resolve("value");

  assertEquals(await result, "value");
  clock.close();
});

Deno.test("Backoff.execute() ends no limit and no pause before its time on the real clock", async () => {
  const rounds = Array.from({ length: 20 }, (_, index) => index + 1);
  await Promise.all(rounds.map(async (ms) => {
    const began = systemClock.now();
    await errorOf(new Backoff({ deadline: ms }).execute(hang));
    assertGreaterOrEqual(systemClock.now() - began, ms);
  }));
  await Promise.all(rounds.map(async (ms) => {
    const began = systemClock.now();
    await errorOf(new Backoff({ attemptTimeout: ms, maxTries: 1 }).execute(hang));
    assertGreaterOrEqual(systemClock.now() - began, ms);
  }));
  await Promise.all(rounds.map(async (ms) => {
    let failedAt = 0;
    const startedAt = await new Backoff({ pause: ms, exceptions: [Error] })
      .execute(({ number }) => {
        if (number === 2) return systemClock.now();
        failedAt = systemClock.now();
        throw failure;
      });
    assertGreaterOrEqual(startedAt - failedAt, ms);
  }));
});

Deno.test("Backoff.execute() does not pause after the last failure", async () => {
  let asked = 0;
  const pause = () => (asked += 1, 1000);
  const ends = [
    { maxTries: 2 },
    { giveup: (_: unknown, { attempt }: Failure) => attempt === 2 },
  ];
  for (const options of ends) {
    asked = 0;
    const { error, starts, endedAt } = await run({ ...options, pause }, fail);
    assertStrictEquals(error, failure);
    assertEquals(starts, [0, 1000]);
    assertEquals(endedAt, 1000);
    assertEquals(asked, 1);
  }
  const { starts, endedAt } = await run({ exceptions: [RangeError], pause }, fail);
  assertEquals(starts, [0]);
  assertEquals(endedAt, 0);
});

Deno.test("Backoff.execute() yields to other timers at each pause of 0", async () => {
  const clock = new TestClock();
  const order: string[] = [];
  const backoff = new Backoff({ maxTries: 3, exceptions: [Error], clock });
  const result = errorOf(backoff.execute(() => {
    order.push("attempt");
    clock.after(0, () => order.push("bystander"));
    throw failure;
  }));
  await clock.advance(0);

  assertStrictEquals(await result, failure);
  assertEquals(order, [
    "attempt",
    "bystander",
    "attempt",
    "bystander",
    "attempt",
    "bystander",
  ]);
  clock.close();
});

Deno.test("Backoff.execute() starves no timer, deadline or abort when it pauses for 0 on the real clock", async () => {
  const controller = new AbortController();
  let isBystanderCalled = false;
  setTimeout(() => isBystanderCalled = true, 10);
  setTimeout(() => controller.abort(), 20);
  const endOf = async (
    options: BackoffOptions,
    { signal }: { signal?: AbortSignal } = {},
  ) => {
    let end: BackoffEvent | undefined;
    const observe = (event: BackoffEvent) => end = event;
    // So many attempts take minutes if each yields to the timers.
    const maxTries = 100_000;
    const backoff = new Backoff({
      pause: 0,
      exceptions: [Error],
      maxTries,
      observe,
      ...options,
    });
    await errorOf(backoff.execute(failAtOnce, { signal: signal ?? null }));
    return end?.type === "done" && end.reason;
  };

  const ends = await Promise.all([
    endOf({ giveup: () => isBystanderCalled }),
    endOf({ deadline: 20 }),
    endOf({}, controller),
  ]);

  assertEquals(ends, ["giveup", "deadline", "aborted"]);
});

for (const withAfter of [true, false]) {
  const kind = withAfter ? "with 'after'" : "with 'sleep' alone";
  Deno.test(`Backoff.execute() leaves no timer, however it ends, on a clock ${kind}`, async () => {
    const options = { attemptTimeout: 1000, deadline: 5000, exceptions: [Error] };
    const ends: [reason: string, options: BackoffOptions, fn: () => unknown][] = [
      ["success", {}, () => "value"],
      ["nonRetryable", { exceptions: [] }, fail],
      ["maxTries", { maxTries: 1 }, failAtOnce],
      ["giveup", { giveup: () => true }, fail],
      ["deadline", { deadline: 500 }, hang],
      ["deadline", { pause: 50_000 }, fail],
      ["maxTries", { maxTries: 1, grace: 100 }, hang],
      ["giveup", { pause: failAtOnce }, fail],
      ["callbackError", { pause: throwBug }, fail],
      ["aborted", {}, hang],
      ["aborted", { pause: 1000 }, fail],
    ];
    for (const [reason, others, fn] of ends) {
      const time = new TestClock();
      const clock = withAfter ? time : {
        now: () => time.now(),
        sleep: (...args: Parameters<TestClock["sleep"]>) => time.sleep(...args),
      };
      const controller = new AbortController();
      const reasons: unknown[] = [];
      const observe = (event: BackoffEvent) => {
        if (event.type === "done") reasons.push(event.reason);
      };
      const backoff = new Backoff({ ...options, ...others, clock, observe });
      if (reason === "aborted") time.after(100, () => controller.abort());
      await time.run(errorOf(backoff.execute(fn, controller)));

      assertEquals(reasons, [reason]);
      assertEquals(time.pending, 0, reason);
    }
  });
}

Deno.test("Backoff.execute() keeps its time on the real clock when the wall clock jumps", async () => {
  const { Date: WallDate } = globalThis;
  const day = 24 * 60 * 60 * 1000;
  let offset = 0;
  class JumpingDate extends WallDate {
    constructor(value: number | string = JumpingDate.now()) {
      super(value);
    }
    static override now(): number {
      return WallDate.now() + offset;
    }
  }
  Object.assign(globalThis, { Date: JumpingDate });
  try {
    let done: BackoffEvent | undefined;
    const starts: number[] = [];
    const backoff = new Backoff({
      attemptTimeout: day / 2,
      deadline: 60,
      pause: 20,
      exceptions: [Error],
      observe: (event) => done = event,
    });
    const began = performance.now();
    const error = await errorOf(backoff.execute(({ number, signal }) => {
      starts.push(performance.now());
      offset += number === 1 ? day : -3 * day; // forwards, then backwards
      if (number === 1) throw failure;
      return sleep(5000, { signal }); // a deadline on the wall clock would be reached later
    }));
    const [first = NaN, second = NaN] = starts;

    assertStrictEquals(error, failure);
    assertEquals(starts.length, 2);
    assertGreaterOrEqual(second - first, 20);
    assertGreaterOrEqual(performance.now() - began, 60);
    assert(done?.type === "done" && done.reason === "deadline");
    assertLess(done.elapsed, day / 2);
  } finally {
    Object.assign(globalThis, { Date: WallDate });
  }
});

for (const absent of [null, undefined, Infinity]) {
  Deno.test(`Backoff.execute() has no limits when they are ${absent}`, async () => {
    const fn = (clock: TestClock) => clock.sleep(1000).then(fail);
    const noTimeout = { attemptTimeout: absent, deadline: 2500, maxTries: absent };
    const noDeadline = { attemptTimeout: 500, deadline: absent, maxTries: 4 };
    const noTries = { attemptTimeout: absent, deadline: absent, maxTries: absent };
    let failures = 0;
    const giveup = () => ++failures === 100;

    const first = await run(noTimeout, fn);
    const second = await run(noDeadline, fn);
    const third = await run({ ...noTries, giveup }, fn);

    assertStrictEquals(first.error, failure);
    assertEquals([first.starts.length, first.endedAt], [3, 2500]);
    assertInstanceOf(second.error, TimeoutError);
    assertEquals([second.starts.length, second.endedAt], [4, 2000]);
    assertEquals([third.starts.length, third.endedAt], [100, 100_000]);
  });
}

Deno.test("Backoff.execute() uses the defaults when every option is null", async () => {
  const backoff = new Backoff({
    attemptTimeout: null,
    deadline: null,
    pause: null,
    exceptions: null,
    maxTries: null,
    giveup: null,
    grace: null,
    signal: null,
    observe: null,
    clock: null,
  });

  assertEquals(await backoff.execute(() => "value", { signal: null }), "value");
  assertStrictEquals(await errorOf(backoff.execute(fail)), failure);
  assertEquals(backoff.statistic.attempts, 2); // without classes, only timeouts are retried
});

Deno.test("asyncbackoff() and asyncretry() have no limits when their arguments are null", async () => {
  const clock = new TestClock();
  const work = (times: number) => {
    let calls = 0;
    return () => clock.sleep(1000).then(() => ++calls < times ? fail() : `call ${calls}`);
  };

  const unlimited = asyncbackoff(null, null, null, Error, { clock })(work(20));
  assertEquals(await clock.run(unlimited()), "call 20");
  assertEquals(clock.now(), 20_000);
  const limited = asyncbackoff(null, 2500, null, Error, { clock })(work(20));
  assertStrictEquals(await clock.run(errorOf(limited())), failure);
  assertEquals(clock.now(), 22_500);
  await clock.advance(500); // the abandoned call ends
  const retried = asyncretry(null, { deadline: null, clock })(work(20));
  assertEquals(await clock.run(retried()), "call 20");
  assertEquals(clock.now(), 43_000);
  clock.close();
});

Deno.test("Backoff.execute() leaves no timer and no listener when a thousand executions end before their limits", async () => {
  const clock = new TestClock();
  const own = countedSignal();
  const policy = countedSignal();
  const backoff = new Backoff({
    attemptTimeout: 500,
    deadline: 1000,
    ...policy.options,
    clock,
  });
  const results = Array.from(
    { length: 1000 },
    (_, index) => backoff.execute(() => clock.sleep(100).then(() => index), own.options),
  );
  assertEquals((await clock.run(Promise.all(results))).length, 1000);

  assertEquals(clock.now(), 100);
  assertEquals(clock.pending, 0);
  assertEquals([own.listeners, policy.listeners], [0, 0]);
});

Deno.test("Backoff.execute() holds at most one timer and one listener when it makes a thousand attempts", async () => {
  const clock = new TestClock();
  const own = countedSignal();
  const backoff = new Backoff({
    attemptTimeout: 500,
    deadline: 2 ** 33,
    pause: 100,
    exceptions: "all",
    clock,
  });
  const held = new Set<string>();
  const hold = () => held.add(`${clock.pending} timers, ${own.listeners} listeners`);
  const value = await clock.run(backoff.execute(({ number, signal }): unknown => {
    hold();
    if (number === 1000) return "value";
    if (number % 2 === 0) return clock.sleep(5000, { signal });
    clock.after(50, hold);
    return fail();
  }, own.options));

  assertEquals(value, "value");
  assertEquals(backoff.statistic.attempts, 1000);
  assertEquals([...held], ["1 timers, 1 listeners"]);
  assertEquals([clock.pending, own.listeners], [0, 0]);
  assertEquals(clock.now(), 999 * 100 + 499 * 500);
});
