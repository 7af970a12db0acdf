// The driver on signals and clocks that throw, and its fast path.

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Backoff, type BackoffEvent, type Clock, sleep } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const boom = new Error("boom");

function throwBoom(): never {
  throw boom;
}

/** A test clock in which some functions are replaced. */
function clockWith(time: TestClock, changes: Partial<Clock>): Clock {
  return {
    now: () => time.now(),
    sleep: (ms, options) => time.sleep(ms, options),
    after: (ms, wake) => time.after(ms, wake),
    ...changes,
  };
}

/** A signal that throws when a listener is removed. */
function stickySignal(): AbortSignal {
  return Object.assign(new AbortController().signal, { removeEventListener: throwBoom });
}

Deno.test("Backoff.execute() settles as usual when a signal throws on removing the listener", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ deadline: 100, clock });
  const signal = stickySignal();

  assertEquals(await clock.run(backoff.execute(() => "value", { signal })), "value");
  clock.close();
});

Deno.test("Backoff.execute() rejects with the error of its clock when its signal throws as well", async () => {
  const time = new TestClock();
  const events: BackoffEvent[] = [];
  const clock = clockWith(time, { after: throwBoom });
  const backoff = new Backoff({
    deadline: 100,
    clock,
    observe: (event) => events.push(event),
  });

  const result = backoff.execute(() => "value", { signal: stickySignal() });

  assertStrictEquals(await result.catch((error) => error), boom);
  const last = events.at(-1);
  assertEquals(last?.type === "done" && last.reason, "callbackError");
  assertEquals(events.filter(({ type }) => type === "done").length, 1);
  time.close();
});

Deno.test("Backoff.execute() rejects with the error of its clock when a timer cannot be cancelled", async () => {
  const time = new TestClock();
  const clock = clockWith(time, { after: () => throwBoom });
  const backoff = new Backoff({ deadline: 100, clock });

  assertStrictEquals(await backoff.execute(() => "value").catch((error) => error), boom);
  const { attempts, done, errors, cancels, refused, sumTime } = backoff.statistic;
  assertEquals([attempts, done, errors, cancels, refused, sumTime], [1, 1, 0, 0, 0, 0]);
});

Deno.test("Backoff.execute() rejects with the error of its clock when the pause after a timeout cannot begin", async () => {
  const time = new TestClock();
  let waits = 0;
  const clock = clockWith(time, {
    after: (ms, wake) => ++waits === 1 ? time.after(ms, wake) : throwBoom(),
  });
  const backoff = new Backoff({ attemptTimeout: 100, clock });
  let signal: AbortSignal | undefined;

  const result = backoff.execute((attempt) => {
    signal = attempt.signal;
    return new Promise(() => {});
  });

  assertStrictEquals(await time.run(result.catch((error) => error)), boom);
  assertEquals(time.now(), 100);
  assertEquals(signal?.aborted, true);
  assertEquals([backoff.statistic.done, backoff.statistic.errors], [1, 1]);
  time.close();
});

Deno.test("observe() receives a late event at the last known instant when the clock has failed meanwhile", async () => {
  const time = new TestClock();
  const events: BackoffEvent[] = [];
  let isBroken = false;
  const clock = clockWith(time, { now: () => isBroken ? throwBoom() : time.now() });
  const backoff = new Backoff({
    deadline: 100,
    clock,
    observe: (event) => events.push(event),
  });

  const result = backoff.execute(() => time.sleep(150).then(() => "late"));
  await assertRejects(() => time.run(result), Error, "deadline of 100 ms");
  isBroken = true;
  await time.advance(50);

  const last = events.at(-1);
  assertEquals(last?.type, "late");
  assertEquals(last?.at, 100);
  time.close();
});

Deno.test("Backoff.execute() has the same result on the fast path and without it", async () => {
  const fixtures: ((time: TestClock) => () => unknown)[] = [
    () => () => "at once",
    (time) => () => sleep(8, { clock: time }).then(() => "in time"),
    (time) => () => sleep(10, { clock: time }).then(() => "at the limit"),
    (time) => {
      let calls = 0;
      return () => ++calls < 3 ? sleep(20, { clock: time }) : "after two timeouts";
    },
    () => throwBoom,
  ];
  const options = [
    {},
    { observe: () => {} },
    { signal: new AbortController().signal },
    { budget: { began() {}, failed() {}, succeeded() {}, mayRetry: () => true } },
  ];
  for (const fixture of fixtures) {
    const ends = options.map(async (options) => {
      const clock = new TestClock();
      const limits = { attemptTimeout: 10, deadline: 100, pause: 5 };
      const backoff = new Backoff({ ...limits, ...options, clock });
      const outcome = await clock.run(backoff.execute(fixture(clock)).catch(String));
      return { outcome, at: clock.now(), statistic: backoff.statistic.toJSON() };
    });
    const [fast, ...others] = await Promise.all(ends);
    for (const each of others) assertEquals(each, fast);
  }
});

Deno.test("Backoff.execute() rejects with the error of its clock at the end of an attempt", async () => {
  const time = new TestClock();
  let isBroken = false;
  const broken: Partial<Clock>[] = [
    { now: () => isBroken ? throwBoom() : time.now() },
    { after: (ms, wake) => (time.after(ms, wake), throwBoom) },
  ];
  for (const changes of broken) {
    isBroken = false;
    const backoff = new Backoff({ deadline: 100, clock: clockWith(time, changes) });
    const result = backoff.execute(() => {
      isBroken = true;
      return "never returned";
    });
    assertStrictEquals(await result.catch((error) => error), boom);
    assertEquals(backoff.statistic.ends.callbackError, 1);
    assertEquals(backoff.statistic.ends.success, 0);
  }
});

Deno.test("Backoff.execute() settles when its clock can neither be read nor cancel a timer", async () => {
  const time = new TestClock();
  let isBroken = false;
  const clock = clockWith(time, {
    now: () => isBroken ? throwBoom() : time.now(),
    after: () => () => {
      throw "cannot cancel";
    },
  });
  const backoff = new Backoff({ deadline: 100, clock });

  const result = backoff.execute(() => void (isBroken = true));

  assertEquals(await result.catch((error) => error), "cannot cancel");
  assertEquals(backoff.statistic.ends.callbackError, 1);
});
