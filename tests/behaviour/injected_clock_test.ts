// Clocks of the caller's own: the least that they need, and the errors of clocks that are
// wrong.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { FakeTime } from "@std/testing/time";
import {
  Backoff,
  type BackoffEvent,
  type Clock,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Runs a test on a clock made of FakeTime's `now` and the standard library's `delay`. */
async function onDelay(test: (clock: Clock, time: FakeTime) => Promise<void>) {
  const time = new FakeTime(0);
  try {
    const tested = test({ now: () => time.now, sleep: delay }, time);
    await time.runMicrotasks();
    while (time.next()) await time.runMicrotasks();
    await tested;
  } finally {
    time.restore();
  }
}

/** A clock of `now` and `sleep` alone, which records its sleeps. */
function sleepOnly(time: TestClock) {
  const asked: number[] = [];
  const signals: AbortSignal[] = [];
  const clock: Clock = {
    now: () => time.now(),
    sleep: (ms, options) => {
      asked.push(ms);
      if (options?.signal) signals.push(options.signal);
      return time.sleep(ms, options);
    },
  };
  return { clock, asked, signals };
}

/** The error of an execution, its reason and its events. */
async function outcomeOf(
  execute: (observe: (event: BackoffEvent) => void) => Promise<unknown>,
) {
  const events: BackoffEvent[] = [];
  const error = await execute((event) => events.push(event)).then(
    (value) => ({ value }),
    (error) => error,
  );
  const last = events.at(-1);
  return { error, events, reason: last?.type === "done" ? last.reason : null };
}

const down = () => {
  throw new Error("down");
};
const never = () => new Promise<never>(() => {});

Deno.test("Backoff.execute() keeps pauses and attempt timeouts exactly when its clock is now() and delay()", async () => {
  await onDelay(async (clock, time) => {
    const instants: number[] = [];
    const policy = { attemptTimeout: 50, pause: 10, maxTries: 3, exceptions: [], clock };
    const error = await new Backoff(policy).execute(() => {
      instants.push(time.now);
      return never();
    }).catch((error) => error);
    assertInstanceOf(error, TimeoutError);
    assertEquals([instants, time.now], [[0, 60, 120], 170]);
  });
});

Deno.test("Backoff.execute() ends by a limit that ties with the work when its clock is now() and delay()", async () => {
  for (const limit of ["attemptTimeout", "deadline"] as const) {
    await onDelay(async (clock, time) => {
      const backoff = new Backoff({ [limit]: 100, maxTries: 1, clock });
      const error = await backoff.execute(() => delay(100)).catch((error) => error);
      assertInstanceOf(error, TimeoutError);
      assertEquals([error.ms, time.now], [100, 100]);
    });
  }
});

Deno.test("Backoff.execute() ends by an earlier abort that ties with its deadline when its clock is now() and delay()", async () => {
  await onDelay(async (clock, time) => {
    const controller = new AbortController();
    const { signal } = controller;
    delay(100).then(() => controller.abort("earlier"));
    const backoff = new Backoff({ deadline: 100, clock });
    assertEquals(await backoff.execute(never, { signal }).catch((e) => e), "earlier");
    assertEquals([time.now, backoff.statistic.cancels], [100, 1]);
  });
});

Deno.test("Backoff.execute() ends by its deadline when that ties with the end of a pause and its clock is now() and delay()", async () => {
  await onDelay(async (clock, time) => {
    const backoff = new Backoff({ deadline: 100, pause: 50, exceptions: [Error], clock });
    await assertRejects(() => backoff.execute(down), Error, "down");
    assertEquals([time.now, backoff.statistic.attempts], [100, 2]);
  });
});

Deno.test("Backoff.execute() asks sleep() for whole milliseconds, rounded up", async () => {
  const time = new TestClock();
  const { clock, asked } = sleepOnly(time);
  const instants: number[] = [];
  const pauses = [10.25, 0.5, 7];
  const backoff = new Backoff({
    deadline: 100.5,
    pause: ({ attempt }) => pauses[attempt - 1] ?? 0,
    maxTries: 4,
    exceptions: "all",
    clock,
  });
  const result = backoff.execute(() => {
    instants.push(time.now());
    return down();
  });
  await assertRejects(() => time.run(result), Error, "down");
  assertEquals(instants, [0, 11, 12, 19]);
  assertEquals(asked, [101, 11, 90, 1, 89, 7, 82]);
  time.close();
});

Deno.test("Backoff.execute() asks sleep() for at most 2^31-1 ms at once", async () => {
  const time = new TestClock();
  const { clock, asked } = sleepOnly(time);
  const ms = 2 ** 33 + 5;
  const backoff = new Backoff({ pause: ms, maxTries: 2, exceptions: "all", clock });
  await time.run(backoff.execute(down).catch(() => {}));
  const longest = 2 ** 31 - 1;
  assertEquals(asked, [longest, longest, longest, longest, ms - 4 * longest]);
  assertEquals(time.now(), ms);
  time.close();
});

Deno.test("Backoff.execute() asks for the rest, at least 1 ms, when sleep() ends early", async () => {
  const time = new TestClock();
  const asked: number[] = [];
  const early = [50, 24.75, 25];
  const clock: Clock = {
    now: () => time.now(),
    sleep: (ms, options) => {
      asked.push(ms);
      return time.sleep(early.shift() ?? ms, options);
    },
  };
  const instants: number[] = [];
  const backoff = new Backoff({ pause: 100, maxTries: 2, exceptions: "all", clock });
  const result = backoff.execute(() => {
    instants.push(time.now());
    return down();
  });
  await assertRejects(() => time.run(result), Error, "down");
  // The last rest is a quarter of a millisecond, rounded up.
  assertEquals(asked, [100, 50, 26, 1]);
  assertEquals(instants, [0, 100.75]);
  time.close();
});

Deno.test("Backoff.execute() ends with a TypeError when sleep() returns at once and time stands still", async () => {
  const sleeps = [() => Promise.resolve(), () => undefined as unknown as Promise<void>];
  for (const sleep of sleeps) {
    const clock: Clock = { now: () => 5, sleep };
    for (const fn of [down, never]) {
      const policy = { deadline: 1000, pause: 10, exceptions: [Error], clock };
      const { error, reason } = await outcomeOf((observe) =>
        new Backoff({ ...policy, observe }).execute(fn)
      );
      assertInstanceOf(error, TypeError);
      assert(error.message.includes("'sleep' must last"), error.message);
      assertEquals(reason, "callbackError");
    }
  }
});

Deno.test("Backoff.execute() accepts a sleep() that is always early as long as time moves", async () => {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: () => {
      now += 2 ** -10;
      return Promise.resolve();
    },
  };
  const backoff = new Backoff({ pause: 4, maxTries: 3, exceptions: "all", clock });
  await assertRejects(() => backoff.execute(down), Error, "down");
  assertEquals([now, backoff.statistic.attempts], [8, 3]);
});

Deno.test("Backoff.execute() pauses 0 ms on a clock that stands still", async () => {
  const asked: number[] = [];
  const sleep = (ms: number) => Promise.resolve(void asked.push(ms));
  const clock: Clock = { now: () => 5, sleep };
  const backoff = new Backoff({ maxTries: 5, exceptions: "all", clock });
  await assertRejects(() => backoff.execute(down), Error, "down");
  assertEquals(asked, [0, 0, 0, 0]);
});

Deno.test("Backoff.execute() ends with the error and calls nothing when now() is wrong at the beginning", async () => {
  const thrown = { by: "now" };
  const broken: (() => unknown)[] = [() => NaN, () => Infinity, () => "5", () => undefined];
  for (const now of [...broken, () => Promise.reject(thrown).catch(() => {})]) {
    let calls = 0;
    const clock = { now, sleep: () => Promise.resolve() } as unknown as Clock;
    const { error, events, reason } = await outcomeOf((observe) =>
      new Backoff({ deadline: 10, clock, observe }).execute(() => calls++)
    );
    assertInstanceOf(error, TypeError);
    assert(error.message.includes("'now'"), error.message);
    assertEquals([calls, reason, events.length], [0, "callbackError", 1]);
  }
  const clock: Clock = {
    now: () => {
      throw thrown;
    },
    sleep: () => Promise.resolve(),
  };
  const backoff = new Backoff({ clock });
  assertStrictEquals(await backoff.execute(() => 1).catch((error) => error), thrown);
  const { attempts, done, errors, cancels, refused, sumTime } = backoff.statistic;
  assertEquals([attempts, done, errors, cancels, refused, sumTime], [0, 0, 0, 0, 0, 0]);
});

Deno.test("Backoff.execute() ends with the error and aborts the attempt when now() is wrong in the middle", async () => {
  for (const withAfter of [true, false]) {
    for (const wrong of [NaN, "5", null]) {
      const time = new TestClock();
      let isBroken = false;
      const now = () => isBroken ? wrong as number : time.now();
      const clock: Clock = {
        now,
        sleep: (ms, options) => time.sleep(ms, options),
        ...(withAfter ? { after: (ms, wake) => time.after(ms, wake) } : {}),
      };
      time.after(30, () => isBroken = true);
      let signal: AbortSignal | null = null;
      const { error, reason } = await time.run(
        outcomeOf((observe) =>
          new Backoff({ deadline: 50, clock, observe }).execute((attempt) => {
            signal = attempt.signal;
            return never();
          })
        ),
      );
      assertInstanceOf(error, TypeError);
      assertEquals([reason, time.now()], ["callbackError", 50]);
      assertStrictEquals((signal as AbortSignal | null)?.reason, error);
      time.close();
    }
  }
});

Deno.test("Backoff.execute() ends with the error when now() throws as an attempt settles or a signal aborts", async () => {
  const thrown = { by: "now" };
  for (const cause of ["settles", "aborts"]) {
    const time = new TestClock();
    let isBroken = false;
    const clock: Clock = {
      now: () => {
        if (isBroken) throw thrown;
        return time.now();
      },
      sleep: (ms, options) => time.sleep(ms, options),
      after: (ms, wake) => time.after(ms, wake),
    };
    const controller = new AbortController();
    const { signal } = controller;
    time.after(30, () => {
      isBroken = true;
      if (cause === "aborts") controller.abort();
    });
    const { error, reason } = await time.run(
      outcomeOf((observe) =>
        new Backoff({ deadline: 100, clock, observe }).execute(
          () => cause === "settles" ? time.sleep(40) : never(),
          { signal },
        )
      ),
    );
    assertStrictEquals(error, thrown);
    assertEquals([reason, time.now()], ["callbackError", cause === "settles" ? 40 : 30]);
    time.close();
  }
});

Deno.test("Backoff.execute() ends with the error when sleep() rejects or throws without being cancelled", async () => {
  const thrown = { by: "sleep" };
  const sleeps: Clock["sleep"][] = [() => Promise.reject(thrown), () => {
    throw thrown;
  }];
  for (const sleep of sleeps) {
    const clock: Clock = { now: () => 0, sleep };
    for (const fn of [down, never]) {
      const policy = { pause: 10, exceptions: [Error], clock };
      // The pause fails if there is no deadline. Otherwise the attempt does.
      const limits = fn === never ? { deadline: 100 } : {};
      const { error, reason } = await outcomeOf((observe) =>
        new Backoff({ ...policy, ...limits, observe }).execute(fn)
      );
      assertStrictEquals(error, thrown);
      assertEquals(reason, "callbackError");
    }
  }
});

Deno.test("Backoff.execute() ends with the error when after() throws or returns no function", async () => {
  const thrown = { by: "after" };
  const throwing = () => {
    throw thrown;
  };
  for (const after of [throwing, () => 17, () => undefined]) {
    const clock = { now: () => 0, sleep: never, after } as unknown as Clock;
    const { error, reason } = await outcomeOf((observe) =>
      new Backoff({ pause: 10, exceptions: [Error], clock, observe }).execute(down)
    );
    if (after === throwing) assertStrictEquals(error, thrown);
    else assert(error instanceof TypeError && error.message.includes("'after'"));
    assertEquals(reason, "callbackError");
  }
});

Deno.test("Backoff.execute() trusts the instant of a wake from after() when now() lags behind it", async () => {
  const lag = 7;
  const time = new TestClock();
  const clock: Clock = {
    now: () => Math.max(0, time.now() - lag),
    sleep: (ms, options) => time.sleep(ms, options),
    after: (ms, wake) => time.after(ms, wake),
  };
  const { error, events } = await time.run(
    outcomeOf((observe) =>
      new Backoff({ deadline: 100, pause: 40, exceptions: [Error], clock, observe })
        .execute(down)
    ),
  );
  assertEquals(error.message, "down");
  const attempts = events.filter(({ type }) => type === "attempt").map(({ at }) => at);
  assertEquals([attempts, events.at(-1)?.at], [[0, 40, 80], 100]);
  time.close();
});

Deno.test("Backoff.execute() continues when after() calls its wake at once", async () => {
  const clock: Clock = {
    now: () => 1000,
    sleep: never,
    after: (_, wake) => {
      wake();
      return () => {};
    },
  };
  const paused = await outcomeOf((observe) =>
    new Backoff({ pause: 10, maxTries: 3, exceptions: [Error], clock, observe })
      .execute(down)
  );
  const attempts = paused.events.filter(({ type }) => type === "attempt");
  assertEquals([attempts.map(({ at }) => at), paused.reason], [
    [1000, 1010, 1020],
    "maxTries",
  ]);
  const limited = await outcomeOf((observe) =>
    new Backoff({ deadline: 50, clock, observe }).execute(never)
  );
  assertInstanceOf(limited.error, TimeoutError);
  assertEquals([limited.reason, limited.events.at(-1)?.at], ["deadline", 1050]);
});

Deno.test("Backoff.execute() ignores every call of a wake except the first, and all after the cancel", async () => {
  const time = new TestClock();
  const wakes: (() => void)[] = [];
  const clock: Clock = {
    now: () => time.now(),
    sleep: never,
    after: (ms, wake) => {
      wakes.push(wake);
      // Each timer wakes twice, and with it all earlier timers wake once more.
      const cancel = time.after(ms, () => {
        for (const each of [wake, ...wakes]) each();
      });
      return cancel;
    },
  };
  const instants: number[] = [];
  const { events, reason } = await time.run(
    outcomeOf((observe) =>
      new Backoff({
        attemptTimeout: 50,
        pause: 10,
        maxTries: 3,
        exceptions: [],
        clock,
        observe,
      }).execute(() => {
        instants.push(time.now());
        return never();
      })
    ),
  );
  assertEquals([instants, time.now(), reason], [[0, 60, 120], 170, "maxTries"]);
  const { length } = events;
  for (const wake of wakes) wake();
  await time.advance(1000);
  assertEquals(events.length, length);
  time.close();
});

Deno.test("Backoff.execute() reports no negative duration when its clock goes backwards", async () => {
  const time = new TestClock(10_000);
  let back = 0;
  const clock: Clock = {
    now: () => time.now() - back,
    sleep: (ms, options) => time.sleep(ms, options),
    after: (ms, wake) => time.after(ms, wake),
  };
  const seen: number[] = [];
  const backoff = new Backoff({
    deadline: 100,
    pause: (failure) => {
      seen.push(failure.elapsed, 100 - failure.remaining);
      return 10;
    },
    exceptions: [Error],
    maxTries: 3,
    clock,
    observe: (event) => {
      if (event.type === "done") seen.push(event.elapsed);
      seen.push(event.at - 10_000);
    },
  });
  const result = backoff.execute((attempt) => {
    back += 500;
    seen.push(attempt.elapsed);
    return down();
  });
  await assertRejects(() => time.run(result), Error, "down");
  assertEquals(seen.filter((ms) => !(ms >= 0 && ms <= 100)), []);
  assertEquals([time.now(), backoff.statistic.sumTime], [10_020, 20]);
  time.close();
});

Deno.test("Attempt.remaining is at most the limit when the clock goes backwards", async () => {
  const time = new TestClock();
  let back = 0;
  const clock: Clock = {
    now: () => time.now() - back,
    sleep: (ms, options) => time.sleep(ms, options),
    after: (ms, wake) => time.after(ms, wake),
  };
  const backoff = new Backoff({ deadline: 100, clock });
  const remaining = await time.run(backoff.execute((attempt) => {
    back = 500;
    return attempt.remaining;
  }));
  // The clock counts as standing still, and the timer that is armed has 100 ms.
  assertEquals(remaining, 100);
  time.close();
});

Deno.test("Backoff.execute() aborts the signal of a sleep when it is no longer needed", async () => {
  const time = new TestClock();
  const { clock, signals } = sleepOnly(time);
  const backoff = new Backoff({
    attemptTimeout: 100,
    deadline: 1000,
    pause: 10,
    exceptions: [Error],
    clock,
  });
  const aborted = () => signals.map((signal) => signal.aborted);
  const seen: boolean[][] = [];
  const value = await time.run(backoff.execute(async ({ number }) => {
    await time.sleep(5);
    seen.push(aborted());
    return number === 2 ? "value" : down();
  }));
  assertEquals([value, time.now()], ["value", 20]);
  // The sleep of the first limit, that of the pause, which ended by itself, and that of the
  // second limit.
  assertEquals([seen[0], seen[1]?.[0], seen[1]?.at(-1)], [[false], true, false]);
  assertEquals([aborted().length, aborted().at(-1), time.pending], [3, true, 0]);
  time.close();
});

Deno.test("Backoff.execute() ignores the error of a sleep() that it cancelled", async () => {
  const time = new TestClock();
  let rejected = 0;
  const clock: Clock = {
    now: () => time.now(),
    sleep: (_, options) =>
      new Promise((_, reject) =>
        options?.signal?.addEventListener("abort", () => {
          rejected++;
          reject(new Error("an error of the sleep"));
        })
      ),
  };
  // If nobody handled the rejection, it would fail this test.
  const backoff = new Backoff({ deadline: 100, clock });
  assertEquals(
    await time.run(backoff.execute(() => time.sleep(10).then(() => "value"))),
    "value",
  );
  await time.advance(1000);
  assertEquals([rejected, backoff.statistic.errors], [1, 0]);
  time.close();
});

Deno.test("Backoff.execute() does not sleep again when a cancelled sleep() resolves", async () => {
  const time = new TestClock();
  const asked: number[] = [];
  const clock: Clock = {
    now: () => time.now(),
    sleep: (ms, options) => {
      asked.push(ms);
      return time.sleep(ms, options).catch(() => {});
    },
  };
  const backoff = new Backoff({ deadline: 100, pause: 20, exceptions: [Error], clock });
  const value = backoff.execute(({ number }) => number === 1 ? down() : "value");
  assertEquals(await time.run(value), "value");
  await time.advance(1000);
  assertEquals([asked, time.pending], [[100, 20, 80], 0]);
  time.close();
});

Deno.test("Backoff.execute() settles in time when sleep() ignores its signal", async () => {
  const time = new TestClock();
  const clock: Clock = { now: () => time.now(), sleep: (ms) => time.sleep(ms) };
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => events.push(event);
  const policy = { deadline: 500, pause: 200, exceptions: [Error], clock, observe };
  const backoff = new Backoff(policy);
  const value = time.sleep(10).then(() => "value");
  assertEquals(await time.run(backoff.execute(() => value)), "value");
  assertEquals([time.now(), time.pending], [10, 1]);

  const controller = new AbortController();
  const { signal } = controller;
  time.after(50, () => controller.abort("stop"));
  const stopped = backoff.execute(down, { signal }).catch((reason) => reason);
  assertEquals([await time.run(stopped), time.now()], ["stop", 60]);
  // When the sleeps end at last, nothing changes.
  const { length } = events;
  await time.advance(1000);
  assertEquals([events.length, backoff.statistic.attempts], [length, 2]);
  time.close();
});

Deno.test("Backoff.execute() aborts no later attempt when a timer fires that was cancelled", async () => {
  const time = new TestClock();
  const clock: Clock = {
    now: () => time.now(),
    sleep: never,
    after: (ms, wake) => {
      time.after(ms, wake);
      return () => {}; // cancels nothing
    },
  };
  const policy = { attemptTimeout: 100, pause: 10, maxTries: 2, clock };
  let calls = 0;

  // The first attempt fails at 50. The timer of its timeout fires at 100, and that of the
  // second attempt at 160.
  const result = new Backoff({ ...policy, exceptions: [Error] }).execute(() =>
    ++calls === 1 ? time.sleep(50).then(down) : never()
  );

  const error = await time.run(result.catch((error) => error));
  assertInstanceOf(error, TimeoutError);
  assertEquals([calls, time.now()], [2, 160]);
  time.close();
});

Deno.test("Backoff.execute() still pauses when the timer of a failed attempt fires in the same turn", async () => {
  const wakes: (() => void)[] = [];
  const asked: number[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: never,
    after: (ms, wake) => {
      asked.push(ms);
      wakes.push(wake);
      return () => {};
    },
  };
  const policy = { attemptTimeout: 100, pause: 0, maxTries: 2, clock };
  let reject = (_: Error) => {};
  let calls = 0;
  const result = new Backoff({ ...policy, exceptions: [Error] }).execute(() => {
    calls++;
    return new Promise<never>((_, refuse) => reject = refuse);
  });

  reject(new Error("down"));
  wakes[0]?.();
  for (let i = 0; i < 20; i++) await null;

  assertEquals([calls, asked], [1, [100, 0]]);
  wakes[1]?.();
  for (let i = 0; i < 20; i++) await null;
  reject(new Error("down again"));
  await assertRejects(() => result, Error, "down again");
});

for (const kind of ["after", "sleep"] as const) {
  Deno.test(`Backoff.execute() arms no timer on a clock with ${kind}() when there is no limit`, async () => {
    const asked: number[] = [];
    const clock: Clock = { now: () => 0, sleep: (ms) => (asked.push(ms), never()) };
    if (kind === "after") clock.after = (ms) => (asked.push(ms), () => {});
    const { signal } = new AbortController();

    assertEquals(await new Backoff({ clock }).execute(() => "value"), "value");
    assertEquals(await new Backoff({ clock, signal }).execute(() => "value"), "value");

    assertEquals(asked, []);
  });
}

Deno.test("Backoff.execute() ends with a clear error when sleep() ends a thousand times at one instant", async () => {
  let sleeps = 0;
  const clock: Clock = { now: () => 5, sleep: () => Promise.resolve(void ++sleeps) };

  const { error } = await outcomeOf((observe) =>
    new Backoff({ deadline: 1000, clock, observe }).execute(never)
  );

  assertInstanceOf(error, TypeError);
  assertEquals(
    error.message,
    "Cannot wait: the clock's 'sleep' must last until 1005, got 1000 sleeps in a row that " +
      "ended at 5",
  );
  assertEquals(sleeps, 1000);
});
