// What an execution depends on and that does not work: signals and clocks that throw.

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Backoff,
  type BackoffEvent,
  type Clock,
  type Failure,
  sleep,
} from "@asyncbackoff/asyncbackoff";
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

/** A signal that cannot let a listener go. */
function stickySignal(): AbortSignal {
  return Object.assign(new AbortController().signal, { removeEventListener: throwBoom });
}

Deno.test("Backoff.execute() settles all the same when a signal cannot let its listener go", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ deadline: 100, clock });
  const signal = stickySignal();

  assertEquals(await clock.run(backoff.execute(() => "value", { signal })), "value");
  clock.close();
});

Deno.test("Backoff.execute() ends with what its clock throws when its signal throws as well", async () => {
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

Deno.test("Backoff.execute() ends with what its clock throws when a timer cannot be cancelled", async () => {
  const time = new TestClock();
  const clock = clockWith(time, { after: () => throwBoom });
  const backoff = new Backoff({ deadline: 100, clock });

  assertStrictEquals(await backoff.execute(() => "value").catch((error) => error), boom);
  assertEquals({ ...backoff.statistic }, {
    attempts: 1,
    done: 1,
    errors: 0,
    cancels: 0,
    refused: 0,
    sumTime: 0,
  });
});

Deno.test("Backoff.execute() ends with what its clock throws when the pause after a timeout cannot begin", async () => {
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

Deno.test("observe() is told of a late end by the last instant known when the clock broke meanwhile", async () => {
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

Deno.test("Attempt.lastFailure is null at first, and then the failure before", async () => {
  const clock = new TestClock();
  const seen: (Failure | null)[] = [];
  const backoff = new Backoff({ exceptions: [Error], maxTries: 3, pause: 10, clock });

  const result = backoff.execute(async (attempt) => {
    seen.push(attempt.lastFailure);
    await sleep(100, { clock });
    throw boom;
  });

  assertStrictEquals(await clock.run(result.catch((error) => error)), boom);
  assertEquals(seen, [
    null,
    { error: boom, tries: 1, elapsed: 100, remaining: Infinity, pause: 0 },
    { error: boom, tries: 2, elapsed: 210, remaining: Infinity, pause: 10 },
  ]);
  clock.close();
});

Deno.test("Backoff.execute() names no function in its error when the function's name is no string", async () => {
  const fn = Object.defineProperty(() => {}, "name", { value: 7 });

  await assertRejects(
    () => new Backoff({ deadline: 0 }).execute(fn),
    Error,
    "An anonymous function reached its deadline of 0 ms",
  );
});

Deno.test("Backoff() keeps its message short when the value is long", () => {
  const deadline = "1".repeat(1000) as unknown as number;

  const { message } = assertThrows(() => new Backoff({ deadline }), TypeError, '"111');

  assertEquals(message.endsWith("111..."), true);
  assertEquals(message.length < 250, true);
});

Deno.test("Backoff.execute() comes to the same whether a success takes the short cut or not", async () => {
  const scenes: ((time: TestClock) => () => unknown)[] = [
    () => () => "at once",
    (time) => () => sleep(8, { clock: time }).then(() => "in time"),
    (time) => () => sleep(10, { clock: time }).then(() => "at the limit"),
    (time) => {
      let tries = 0;
      return () => ++tries < 3 ? sleep(20, { clock: time }) : "after two timeouts";
    },
    () => throwBoom,
  ];
  const longWays = [
    {},
    { observe: () => {} },
    { signal: new AbortController().signal },
    { budget: { began() {}, failed() {}, succeeded() {}, mayRetry: () => true } },
  ];
  for (const scene of scenes) {
    const ends = longWays.map(async (options) => {
      const clock = new TestClock();
      const limits = { attemptTimeout: 10, deadline: 100, pause: 5 };
      const backoff = new Backoff({ ...limits, ...options, clock });
      const outcome = await clock.run(backoff.execute(scene(clock)).catch(String));
      return { outcome, at: clock.now(), statistic: backoff.statistic.toJSON() };
    });
    const [short, ...long] = await Promise.all(ends);
    for (const each of long) assertEquals(each, short);
  }
});

Deno.test("Backoff.execute() ends with what its clock throws at the end of an attempt", async () => {
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
      return "never told";
    });
    assertStrictEquals(await result.catch((error) => error), boom);
    assertEquals(backoff.statistic.ends.thrown, 1);
    assertEquals(backoff.statistic.ends.success, 0);
  }
});

Deno.test("Backoff.execute() ends when its clock can neither tell the time nor cancel a timer", async () => {
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
  assertEquals(backoff.statistic.ends.thrown, 1);
});
