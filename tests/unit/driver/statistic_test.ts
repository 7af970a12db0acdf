// What a policy counts.

import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffOptions,
  sleep,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const NOTHING = { attempts: 0, done: 0, errors: 0, cancels: 0, refused: 0, sumTime: 0 };

const never = () => new Promise<never>(() => {});
const fail = () => Promise.reject(new RangeError("down"));

/** What is counted of one execution, and when it was over. */
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
  const statistic = { ...backoff.statistic };
  const at = clock.now();
  // What an abandoned attempt does later is not counted.
  await clock.advance(10_000);
  assertEquals({ ...backoff.statistic }, statistic);
  clock.close();
  return { ...statistic, at };
}

Deno.test("Statistic is all zero when nothing was executed", () => {
  assertEquals({ ...new Backoff().statistic }, NOTHING);
  assertEquals({ ...asyncretry(3).statistic }, NOTHING);
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

Deno.test("Statistic has the pauses in sumTime", async () => {
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

Deno.test("Statistic counts the last failure as an error, though it was not retried", async () => {
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
  const giveup = (_: unknown, { tries }: { tries: number }) => tries === 2;
  assertEquals(await play({ ...options, giveup }, fail), expected);
});

Deno.test("Statistic counts no error when a failure is not listed", async () => {
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
  const counted = await play({ attemptTimeout: 50, pause: 10, maxTries: 2 }, never);
  assertEquals(counted, {
    attempts: 2,
    done: 2,
    errors: 2,
    cancels: 0,
    refused: 0,
    sumTime: 110,
    at: 110,
  });
  const atOnce = await play({ attemptTimeout: 0, pause: 10, maxTries: 3 }, never);
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

Deno.test("Statistic counts an attempt that is cut by the deadline as a cancel", async () => {
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

Deno.test("Statistic counts an attempt that is cut by the caller as a cancel", async () => {
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

Deno.test("Statistic counts no cancel when the deadline or the caller ends a pause, whose time is in sumTime", async () => {
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
  assertEquals({ ...backoff.statistic }, NOTHING);
});

Deno.test("Statistic counts an attempt when it begins, and the rest as it happens", async () => {
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

Deno.test("Statistic adds up executions, one after the other and at once", async () => {
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
  assertEquals({ ...backoff.statistic }, { ...NOTHING, attempts: 1, done: 1, sumTime: 30 });
  await clock.run(Promise.allSettled([
    backoff.execute(slow(50)), // 50 ms
    backoff.execute(never), // 100 ms, a cancel
    backoff.execute(fail), // 3 attempts, 20 ms, 3 errors
    backoff.execute(({ number }) => number === 1 ? fail() : clock.sleep(20)), // 30 ms
  ]));
  assertEquals({ ...backoff.statistic }, {
    attempts: 8,
    done: 8,
    errors: 4,
    cancels: 1,
    refused: 0,
    sumTime: 230,
  });
  clock.close();
});

Deno.test("Statistic is each Backoff's own when several execute at once", async () => {
  const clock = new TestClock();
  const options = { pause: 10, exceptions: [RangeError], maxTries: 2, clock };
  const [one, other] = [new Backoff(options), new Backoff(options)];
  await clock.run(
    Promise.allSettled([one.execute(fail), other.execute(() => clock.sleep(50))]),
  );
  assertEquals({ ...one.statistic }, {
    ...NOTHING,
    attempts: 2,
    done: 2,
    errors: 2,
    sumTime: 10,
  });
  assertEquals({ ...other.statistic }, { ...NOTHING, attempts: 1, done: 1, sumTime: 50 });
  clock.close();
});

Deno.test("Statistic counts the same policy's executions together when one calls another", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ clock });
  await clock.run(backoff.execute(() => backoff.execute(() => clock.sleep(50))));
  assertEquals({ ...backoff.statistic }, {
    ...NOTHING,
    attempts: 2,
    done: 2,
    sumTime: 100,
  });
  clock.close();
});

Deno.test("Statistic is shared by execute() and by all that one decorator wraps", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ clock });
  assertStrictEquals(backoff.wrap.statistic, backoff.statistic);
  const wraps = [backoff.wrap(() => clock.sleep(10)), backoff.wrap(() => clock.sleep(20))];
  await clock.run(Promise.all([...wraps.map((each) => each()), backoff.execute(() => 1)]));
  assertEquals({ ...backoff.statistic }, { ...NOTHING, attempts: 3, done: 3, sumTime: 30 });

  const decorator = asyncbackoff({ clock });
  const another = asyncbackoff({ clock });
  await clock.run(
    Promise.all([decorator(() => clock.sleep(5))(), another(() => clock.sleep(7))()]),
  );
  assertEquals([decorator.statistic.sumTime, another.statistic.sumTime], [5, 7]);
  clock.close();
});

Deno.test("Statistic counts ends by reason, timeouts, late results and the time in pauses", async () => {
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
  await run(() => sleep(12, { clock })); // each is late by 2, and is cut twice more
  await clock.advance(50);
  const aborted = run(() => sleep(8, { clock }));
  controller.abort("no more");
  await aborted;

  const { timeouts, late, pauseTime, ends } = backoff.statistic;
  assertEquals({ timeouts, late, pauseTime }, { timeouts: 3, late: 3, pauseTime: 20 });
  assertEquals(ends, {
    success: 1,
    unlisted: 1,
    maxTries: 2,
    giveup: 1,
    budget: 0,
    deadline: 0,
    aborted: 1,
    thrown: 0,
  });
});

Deno.test("Statistic has no time in pauses before the first pause, whatever time it is", async () => {
  const clock = new TestClock(1000);
  const backoff = new Backoff({ exceptions: [RangeError], maxTries: 2, pause: 50, clock });

  await clock.run(backoff.execute(() => clock.sleep(10)));
  assertEquals(backoff.statistic.pauseTime, 0);

  await clock.run(Promise.allSettled([backoff.execute(fail)]));
  assertEquals(backoff.statistic.pauseTime, 50);
  clock.close();
});

Deno.test("Statistic counts an attempt cut by the deadline as no timeout, and its end as late", async () => {
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
  const backoff = new Backoff({ ...limits, clock });
  await clock.run(backoff.execute(() => sleep(100, { clock })).catch(() => {}));
  const { timeouts, ends } = backoff.statistic;
  assertEquals([timeouts, ends.maxTries], [2, 1]);
  await clock.advance(100);
  assertEquals(backoff.statistic.late, 2);
});

Deno.test("Statistic.toJSON() has every counter, and is what JSON shows", async () => {
  const { statistic } = new Backoff();
  const json = { attempts: 0, done: 0, errors: 0, cancels: 0, refused: 0, sumTime: 0 };
  const { ends } = statistic;
  assertEquals(statistic.toJSON(), { ...json, timeouts: 0, late: 0, pauseTime: 0, ends });
  assertEquals(JSON.parse(JSON.stringify(statistic)), await statistic.toJSON());
});

Deno.test("Statistic.reset() sets all to 0, and what is under way counts on", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ attemptTimeout: 10, pause: 5, maxTries: 2, clock });
  const nothing = backoff.statistic.toJSON();
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

Deno.test("Statistic.ends is a copy, which nobody can change the counters by", async () => {
  const backoff = new Backoff();
  const { ends } = backoff.statistic;
  await backoff.execute(() => "done");
  assertEquals([ends.success, backoff.statistic.ends.success], [0, 1]);
});
