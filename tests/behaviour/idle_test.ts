// The limit on silence: attempts that report progress, attempts that do not, and checkpoints.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  Backoff,
  type BackoffOptions,
  type Clock,
  currentAttempt,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { FakeTime } from "@std/testing/time";
import { playExecution } from "../support/played_execution.ts";
import { listenToUncaught } from "../support/uncaught.ts";

const never = () => new Promise<never>(() => {});

/** Reports progress at some instants of an attempt, and then is silent. */
async function reportAt(attempt: Attempt, clock: TestClock, ...instants: number[]) {
  for (const at of instants) {
    await sleep(at - attempt.elapsed, { clock });
    attempt.progress();
  }
  return never();
}

function assertLimit(error: unknown, limit: string, ms: number) {
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, error.ms], [limit, ms]);
}

Deno.test("idleTimeout ends an attempt that has been silent for so long, and it is retried", async () => {
  const { error, starts, endedAt, reason, statistic } = await playExecution(
    { idleTimeout: 100, maxTries: 2, exceptions: [], pause: 10, name: "load" },
    (attempt, clock) => reportAt(attempt, clock, 60, 120, 180),
  );
  assertLimit(error, "idle", 100);
  assertEquals(`${error}`, "TimeoutError: 'load' reached its idle timeout of 100 ms");
  assertEquals([starts, endedAt, reason], [[0, 290], 570, "maxTries"]);
  assertEquals([statistic.timeouts, statistic.progress, statistic.resets], [2, 6, 0]);
});

Deno.test("idleTimeout lets an attempt go on for as long as it reports progress", async () => {
  const { value, endedAt } = await playExecution(
    { idleTimeout: 100 },
    async (attempt, clock) => {
      for (let i = 0; i < 50; i++) {
        await sleep(99, { clock });
        attempt.progress();
      }
      return "done";
    },
  );
  assertEquals([value, endedAt], ["done", 50 * 99]);
});

Deno.test("idleTimeout counts from the start of each attempt, and not from the latest report", async () => {
  const { starts, endedAt } = await playExecution(
    { idleTimeout: 100, maxTries: 3, exceptions: [], pause: 30 },
    never,
  );
  assertEquals([starts, endedAt], [[0, 130, 260], 360]);
});

Deno.test("idleTimeout holds beside the attempt timeout and the deadline", async () => {
  const report = (attempt: Attempt, clock: TestClock) =>
    reportAt(attempt, clock, 50, 100, 150, 200, 250);
  const rows: [options: BackoffOptions, limit: string, endedAt: number][] = [
    [{ idleTimeout: 100, attemptTimeout: 180 }, "attempt", 180],
    [{ idleTimeout: 100, deadline: 180 }, "deadline", 180],
    [{ idleTimeout: 100, attemptTimeout: 400, deadline: 500 }, "idle", 350],
    [{ idleTimeout: 40, attemptTimeout: 180, deadline: 300 }, "idle", 40],
  ];
  for (const [limits, limit, at] of rows) {
    const { error, endedAt } = await playExecution({ ...limits, maxTries: 1 }, report);
    assertInstanceOf(error, TimeoutError);
    assertEquals([error.limit, endedAt], [limit, at]);
  }
});

Deno.test("idleTimeout comes after the deadline and the attempt timeout at one instant", async () => {
  const rows: [options: BackoffOptions, limit: string][] = [
    [{ idleTimeout: 100, attemptTimeout: 100, deadline: 100 }, "deadline"],
    [{ idleTimeout: 100, deadline: 100 }, "deadline"],
    [{ idleTimeout: 100, attemptTimeout: 100 }, "attempt"],
  ];
  for (const [limits, limit] of rows) {
    assertLimit((await playExecution({ ...limits, maxTries: 1 }, never)).error, limit, 100);
    // The same if the idle timer is armed last.
    const idle = { ...limits, idleTimeout: 40, maxTries: 1 };
    const { error } = await playExecution(
      idle,
      (attempt, clock) => reportAt(attempt, clock, 30, 60),
    );
    assertLimit(error, limit, 100);
  }
});

Deno.test("idleTimeout wins a tie with work that the function began after its latest report", async () => {
  const { error } = await playExecution(
    { idleTimeout: 100, maxTries: 1 },
    async (attempt, clock) => {
      await sleep(50, { clock });
      attempt.progress();
      await sleep(100, { clock });
      return "value";
    },
  );
  assertLimit(error, "idle", 100);
  const first = await playExecution(
    { idleTimeout: 100, maxTries: 1 },
    (_, clock) => sleep(100, { clock }),
  );
  assertLimit(first.error, "idle", 100);
});

Deno.test("idleTimeout loses a tie with work that was begun before the latest report", async () => {
  const { value } = await playExecution(
    { idleTimeout: 100, maxTries: 1 },
    async (attempt, clock) => {
      const work = sleep(150, { clock }).then(() => "value");
      await sleep(50, { clock });
      attempt.progress();
      return work;
    },
  );
  assertEquals(value, "value");
});

Deno.test("progress() at the very instant of the idle timeout counts when its timer was armed before", async () => {
  const clock = new TestClock();
  let report = () => {};
  clock.after(100, () => report()); // armed before the execution begins
  const backoff = new Backoff({ idleTimeout: 100, maxTries: 1, clock });
  const early = backoff.execute((attempt) => {
    report = () => attempt.progress();
    return sleep(150, { clock }).then(() => "value");
  });
  assertEquals(await clock.run(early), "value");

  const late = backoff.execute((attempt) => {
    clock.after(100, () => attempt.progress()); // armed after the limit
    return sleep(150, { clock }).then(() => "value");
  });
  assertLimit(await clock.run(late.catch((error) => error)), "idle", 100);
  assertEquals(backoff.statistic.progress, 1);
  await clock.advance(100);
  clock.close();
});

Deno.test("progress() changes nothing once a limit or an abort has been noticed", async () => {
  for (const limit of ["idleTimeout", "attemptTimeout", "deadline", "signal"] as const) {
    const clock = new TestClock();
    const controller = new AbortController();
    const options = limit === "signal" ? {} : { [limit]: 100 };
    const backoff = new Backoff({
      idleTimeout: 200,
      exceptions: [],
      ...options,
      maxTries: 1,
      clock,
    });
    let seen: unknown = "not aborted";
    const fn = (attempt: Attempt) => {
      attempt.signal.addEventListener("abort", () => {
        attempt.progress("too late");
        seen = attempt.checkpoint;
      });
      return never();
    };
    clock.after(100, () => limit === "signal" && controller.abort("stop"));
    const result = backoff.execute(fn, { signal: controller.signal });
    await clock.run(result.catch(() => {}));
    assertEquals([clock.now(), seen], [100, undefined], limit);
    assertEquals(backoff.statistic.progress, 0, limit);
    clock.close();
  }
});

Deno.test("progress() is ignored after the attempt has ended, whichever way", async () => {
  const attempts: Attempt[] = [];
  const seen: unknown[] = [];
  const { statistic, endedAt } = await playExecution(
    { attemptTimeout: 100, pause: 50, maxTries: 4, exceptions: [Error] },
    (attempt, clock) => {
      for (const each of attempts) each.progress("too late");
      seen.push(attempt.checkpoint);
      attempts.push(attempt);
      if (attempt.number === 1) throw new Error("down");
      if (attempt.number === 2) return never();
      clock.after(20, () => attempt.progress("late")); // in the pause
      if (attempt.number === 3) return Promise.reject(new Error("down"));
      return "value";
    },
  );
  assertEquals(seen, [undefined, undefined, undefined, undefined]);
  for (const attempt of attempts) attempt.progress("after the end");
  assertEquals(attempts.map(({ checkpoint }) => checkpoint), Array(4).fill(undefined));
  assertEquals([statistic.progress, endedAt], [0, 250]);
});

Deno.test("progress() in a grace notes its checkpoint, and does not prolong the attempt", async () => {
  const seen: unknown[] = [];
  const { endedAt, starts, events, statistic } = await playExecution(
    { idleTimeout: 100, grace: 60, maxTries: 2, exceptions: [], pause: 10 },
    (attempt, clock) => {
      seen.push(attempt.checkpoint);
      clock.after(130, () => {
        attempt.progress("part 2");
        seen.push(attempt.checkpoint);
      });
      return never();
    },
  );
  assertEquals(seen, [undefined, "part 2", "part 2", "part 2"]);
  assertEquals([starts, endedAt], [[0, 170], 330]);
  const failures = events.filter(({ type }) => type === "failure");
  assertEquals(failures.map((event) => "reports" in event), [false, false]);
  assertEquals(statistic.progress, 0);
});

Deno.test("idleTimeout is followed by the grace: a value in it is the result, a rejection is the timeout", async () => {
  const options = { idleTimeout: 100, grace: 50, maxTries: 1, exceptions: [] };
  const windDown = (end: () => unknown) => ({ signal }: Attempt, clock: TestClock) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => {
        clock.after(20, () => Promise.resolve().then(end).then(resolve, reject));
      });
    });
  const value = await playExecution(options, windDown(() => "value"));
  assertEquals([value.value, value.endedAt], ["value", 120]);
  const rejection = await playExecution(
    options,
    windDown(() => Promise.reject("wound down")),
  );
  assertLimit(rejection.error, "idle", 100);
  assertEquals(rejection.endedAt, 120);
  const silent = await playExecution(options, never);
  assertLimit(silent.error, "idle", 100);
  assertEquals([silent.endedAt, silent.statistic.timeouts], [150, 1]);
  const deadline = await playExecution({ ...options, deadline: 130 }, never);
  assertLimit(deadline.error, "idle", 100);
  assertEquals([deadline.endedAt, deadline.reason], [130, "deadline"]);
});

Deno.test("idleTimeout: 0 fails each attempt at once, and never calls the function", async () => {
  const { error, starts, endedAt, statistic } = await playExecution(
    { idleTimeout: 0, grace: 100, pause: 10, maxTries: 3, exceptions: [] },
    never,
  );
  assertLimit(error, "idle", 0);
  assertEquals([starts, endedAt, statistic.attempts, statistic.timeouts], [[], 20, 3, 3]);
});

Deno.test("idleTimeout aborts the attempt's signal with the very error that is the failure's", async () => {
  const reasons: unknown[] = [];
  const errors: unknown[] = [];
  const { error } = await playExecution(
    {
      idleTimeout: 100,
      maxTries: 2,
      exceptions: [],
      giveup: (error) => errors.push(error) > 9,
    },
    ({ signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      return never();
    },
  );
  assertStrictEquals(reasons[0], errors[0]);
  assertStrictEquals(reasons[1], error);
  assert(reasons[0] !== reasons[1]);
});

Deno.test("Attempt.remaining ignores the idle timeout", async () => {
  const seen: number[] = [];
  await playExecution({ idleTimeout: 100, deadline: 1000 }, (attempt) => {
    seen.push(attempt.remaining);
  });
  await playExecution({ idleTimeout: 100 }, (attempt) => {
    seen.push(attempt.remaining);
  });
  assertEquals(seen, [1000, Infinity]);
});

Deno.test("Attempt.checkpoint is what the latest progress of the execution was given", async () => {
  const seen: unknown[] = [];
  const { error } = await playExecution(
    { maxTries: 4, exceptions: [Error] },
    (attempt) => {
      seen.push(attempt.checkpoint);
      if (attempt.number === 1) attempt.progress("one");
      if (attempt.number === 2) attempt.progress(); // keeps it
      if (attempt.number === 3) attempt.progress(null);
      seen.push(attempt.checkpoint);
      throw new Error("down");
    },
  );
  assertEquals(`${error}`, "Error: down");
  assertEquals(seen, [undefined, "one", "one", "one", "one", null, null, null]);
});

Deno.test("Attempt.checkpoint belongs to one execution", async () => {
  const backoff = new Backoff();
  const seen: unknown[] = [];
  const call = () =>
    backoff.execute((attempt) => {
      seen.push(attempt.checkpoint);
      attempt.progress("mine");
    });
  await call();
  await call();
  assertEquals(seen, [undefined, undefined]);
});

Deno.test("progress() works in a decorated function by currentAttempt(), also after an await", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ idleTimeout: 100, clock });
  const load = backoff.wrap(async () => {
    const attempt = currentAttempt();
    for (let i = 0; i < 3; i++) {
      await sleep(80, { clock });
      attempt.progress(i);
    }
    return attempt.checkpoint;
  });
  assertEquals(await clock.run(load()), 2);
  clock.close();
});

Deno.test("progress() is reported by failure and done, and has no event of its own", async () => {
  const { events } = await playExecution(
    { maxTries: 3, exceptions: [Error] },
    async (attempt, clock) => {
      if (attempt.number === 2) throw new Error("down"); // no reports
      await sleep(10, { clock });
      attempt.progress();
      await sleep(10, { clock });
      attempt.progress();
      if (attempt.number === 1) throw new Error("down");
      return "value";
    },
  );
  const reports = events.map((
    event,
  ) => [event.type, "reports" in event ? event.reports : null]);
  assertEquals(reports, [
    ["attempt", null],
    ["failure", { count: 2, firstAt: 10, latestAt: 20 }],
    ["attempt", null],
    ["failure", null],
    ["attempt", null],
    ["done", { count: 2, firstAt: 30, latestAt: 40 }],
  ]);
});

Deno.test("idleTimeout is exact on a clock with sleep() alone, and asks for one sleep more for each report", async () => {
  const time = new TestClock();
  const asked: number[] = [];
  const clock: Clock = {
    now: () => time.now(),
    sleep: (ms, options) => (asked.push(ms), time.sleep(ms, options)),
  };
  const backoff = new Backoff({
    idleTimeout: 100,
    deadline: 500,
    maxTries: 1,
    exceptions: [],
    clock,
  });
  const result = backoff.execute((attempt) => reportAt(attempt, time, 60, 90));
  assertLimit(await time.run(result.catch((error) => error)), "idle", 100);
  assertEquals([time.now(), asked], [190, [500, 100, 100, 100]]);
  time.close();
});

Deno.test("idleTimeout is exact on FakeTime with the default clock", async () => {
  const time = new FakeTime(0);
  try {
    const backoff = new Backoff({ idleTimeout: 100, maxTries: 1, exceptions: [] });
    let endedAt = -1;
    const result = backoff.execute((attempt) => {
      setTimeout(() => attempt.progress(), 70);
      return never();
    }).catch((error) => error);
    result.then(() => endedAt = time.now);
    await time.runMicrotasks();
    while (endedAt < 0 && time.next()) await time.runMicrotasks();
    assertLimit(await result, "idle", 100);
    assertEquals([endedAt, time.next()], [170, false]);
  } finally {
    time.restore();
  }
});

/** A clock that records the timers that are armed, and the number that is pending. */
function recording(time: TestClock) {
  const armed: number[] = [];
  let pending = 0;
  const clock = {
    now: () => time.now(),
    sleep: time.sleep,
    after(ms: number, wake: () => void) {
      armed.push(ms);
      pending++;
      const cancel = time.after(ms, () => (pending--, wake()));
      return () => (pending--, cancel());
    },
  };
  return { clock, armed, pending: () => pending };
}

Deno.test("progress() arms one timer anew, and a policy without an idle timeout none", async () => {
  const rows: [options: BackoffOptions, armed: number[]][] = [
    [{}, []],
    [{ resetAfter: 100 }, []],
    [{ deadline: 500 }, [500]],
    [{ attemptTimeout: 300, deadline: 500, resetAfter: 100 }, [300]],
    [{ idleTimeout: 100 }, [100, 100, 100]],
    [{ idleTimeout: 100, attemptTimeout: 300, deadline: 500 }, [300, 100, 100, 100]],
  ];
  for (const [options, expected] of rows) {
    const time = new TestClock();
    const { clock, armed, pending } = recording(time);
    const backoff = new Backoff({ ...options, clock });
    const result = backoff.execute(async (attempt) => {
      attempt.progress();
      await sleep(10, { clock: time });
      attempt.progress();
      await sleep(10, { clock: time });
    });
    await time.run(result);
    assertEquals([armed, pending()], [expected, 0]);
    time.close();
  }
});

Deno.test("idleTimeout ends a retry's attempt although one before was ended by the same limit", async () => {
  const { starts, error, endedAt } = await playExecution(
    { idleTimeout: 100, attemptTimeout: 150, maxTries: 3, exceptions: [] },
    (attempt, clock) => reportAt(attempt, clock, ...attempt.number === 2 ? [90] : []),
  );
  assertLimit(error, "idle", 100);
  assertEquals([starts, endedAt], [[0, 100, 250], 350]);
});

Deno.test("idleTimeout ends the execution with its error when a clock fails as progress arms it anew", async () => {
  const time = new TestClock();
  const broken = new Error("no timers left");
  let arms = 0;
  const clock = {
    now: () => time.now(),
    sleep: time.sleep,
    after(ms: number, wake: () => void) {
      if (++arms > 1) throw broken;
      return time.after(ms, wake);
    },
  };
  const backoff = new Backoff({ idleTimeout: 100, clock });
  const thrown: unknown[] = [];
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  try {
    const result = backoff.execute(async (attempt) => {
      await sleep(10, { clock: time });
      try {
        attempt.progress();
      } catch (error) {
        thrown.push(error);
      }
      return never();
    });
    const ended = await time.run(Promise.race([
      result.catch((error) => error),
      sleep(1000, { clock: time }).then(() => "it hangs"),
    ]));
    assertStrictEquals(ended, broken);
  } finally {
    stop();
  }
  assertEquals([thrown, uncaught], [[], []]);
});

Deno.test("progress() throws nothing when the clock gives no time", async () => {
  for (const options of [{}, { idleTimeout: 100 }]) {
    const time = new TestClock();
    let isBroken = false;
    const clock: Clock = {
      now: () => isBroken ? NaN : time.now(),
      sleep: (ms, options) => time.sleep(ms, options),
    };
    const result = new Backoff({ ...options, clock }).execute(async (attempt) => {
      await sleep(10, { clock: time });
      isBroken = true;
      attempt.progress();
    });
    const error = await time.run(result.catch((error) => error));
    assertInstanceOf(error, TypeError);
    await time.advance(100);
    time.close();
  }
});

/** Fails in place of a test that would hang. */
const orHangs = (result: Promise<unknown>, time: TestClock) =>
  Promise.race([
    result.catch((error) => error),
    sleep(1000, { clock: time }).then(() => "it hangs"),
  ]);

Deno.test("idleTimeout ends the execution with the error of a sleep that rejects", async () => {
  const time = new TestClock();
  const broken = new Error("no sleep");
  const clock: Clock = {
    now: () => time.now(),
    sleep: (ms, options) => ms === 50 ? Promise.reject(broken) : time.sleep(ms, options),
  };
  const backoff = new Backoff({ idleTimeout: 50, deadline: 500, clock });
  assertStrictEquals(await time.run(orHangs(backoff.execute(never), time)), broken);
});

Deno.test("idleTimeout ignores a clock that wakes for a timer that was cancelled", async () => {
  const time = new TestClock();
  const clock = {
    now: () => time.now(),
    sleep: time.sleep,
    after(ms: number, wake: () => void) {
      time.after(ms, wake);
      return () => {};
    },
  };
  const backoff = new Backoff({ idleTimeout: 100, maxTries: 1, exceptions: [], clock });
  let calls = 0;
  const result = backoff.execute(async (attempt) => {
    calls++;
    await sleep(50, { clock: time });
    attempt.progress();
    return never();
  });
  assertLimit(await time.run(orHangs(result, time)), "idle", 100);
  assertEquals([calls, time.now()], [1, 150]);
});

Deno.test("idleTimeout comes after an abort that happened while its sleep was ending", async () => {
  const sleeps: (() => void)[] = [];
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: () => new Promise((resolve) => sleeps.push(resolve)),
  };
  const controller = new AbortController();
  const { signal } = controller;
  const backoff = new Backoff({ idleTimeout: 100, maxTries: 1, exceptions: [], clock });
  const result = backoff.execute(never, { signal }).catch((error) => error);
  now = 100;
  sleeps[0]?.();
  controller.abort("stop");
  assertEquals(await result, "stop");
  assertEquals([sleeps.length, backoff.statistic.timeouts], [1, 0]);
});

Deno.test("progress() changes nothing when the clock has failed, and the attempt is aborted for it", async () => {
  const time = new TestClock();
  const broken = new Error("no sleep");
  const clock: Clock = {
    now: () => time.now(),
    sleep: (ms, options) => ms === 50 ? Promise.reject(broken) : time.sleep(ms, options),
  };
  const seen: unknown[] = [];
  const backoff = new Backoff({ idleTimeout: 50, deadline: 500, clock });
  const result = backoff.execute((attempt) => {
    attempt.signal.addEventListener("abort", () => {
      attempt.progress("too late");
      seen.push(attempt.checkpoint);
    });
    return never();
  });
  assertStrictEquals(await time.run(orHangs(result, time)), broken);
  assertEquals([seen, backoff.statistic.progress], [[undefined], 0]);
  await time.advance(1000);
  time.close();
});

Deno.test("progress() in a grace arms no timer, so the grace may be longer than the idle timeout", async () => {
  const { value, endedAt, statistic } = await playExecution(
    { idleTimeout: 50, grace: 500, maxTries: 1, exceptions: [] },
    async (attempt, clock) => {
      await sleep(60, { clock });
      attempt.progress();
      await sleep(240, { clock });
      return "value";
    },
  );
  assertEquals([value, endedAt, statistic.timeouts], ["value", 300, 1]);
});

Deno.test("idleTimeout ends the execution when its timer throws on being cancelled", async () => {
  for (const reports of [true, false]) {
    const time = new TestClock();
    const broken = new Error("cannot cancel");
    const clock = {
      now: () => time.now(),
      sleep: time.sleep,
      after(ms: number, wake: () => void) {
        time.after(ms, wake);
        return () => {
          throw broken;
        };
      },
    };
    const result = new Backoff({ idleTimeout: 100, clock }).execute(async (attempt) => {
      await sleep(10, { clock: time });
      if (reports) attempt.progress();
      return reports ? await never() : "value";
    });
    assertStrictEquals(await time.run(orHangs(result, time)), broken);
  }
});
