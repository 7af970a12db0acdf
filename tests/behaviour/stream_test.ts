// Streams that are retried and resume: limits, holds, failures, checkpoints, consumers that
// stop, and every promise of an execution.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  currentAttempt,
  currentAttemptOrNull,
  nonRetryable,
  ResultError,
  retry,
  sleep,
  TimeoutError,
  within,
} from "@asyncbackoff/asyncbackoff";
import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
import { type Consumer, holding, playStream } from "../support/played_stream.ts";
import { CountedSignal } from "../support/counted_signal.ts";

const down = new Error("down");
const all: BackoffOptions = { exceptions: "all", pause: 10 };
const never = () => new Promise<never>(() => {});

function assertLimit(error: unknown, limit: string, ms: number) {
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, error.ms], [limit, ms]);
}

/** Yields items after so many milliseconds each. An error is thrown in place of an item. */
async function* script(clock: TestClock, ...steps: [ms: number, item: unknown][]) {
  for (const [ms, item] of steps) {
    await sleep(ms, { clock });
    if (item instanceof Error) throw item;
    yield item;
  }
}

/** Numbers from the checkpoint on, one every `ms`. Fails before some, in the first attempts. */
function counter(
  { to = 6, ms = 1, failures = [] }: { to?: number; ms?: number; failures?: number[] },
) {
  return async function* count(attempt: Attempt, clock: TestClock) {
    for (let id = Number(attempt.checkpoint ?? 0); id < to; id++) {
      await sleep(ms, { clock });
      if (failures[attempt.number - 1] === id) throw down;
      yield id;
      attempt.progress(id + 1);
    }
  };
}

const idsOf = (items: readonly [number, unknown][]) => items.map(([, item]) => item);

// Laziness, and the order of steps.

Deno.test("stream() calls nothing before the consumer asks, and asks the producer when the consumer asks", async () => {
  const log: string[] = [];
  const items = stream({}, async function* () {
    log.push("called");
    yield await Promise.resolve("a");
    log.push("asked again");
    yield "b";
  });
  await Promise.resolve();
  assertEquals(log, []);
  assertEquals(await items.next(), { done: false, value: "a" });
  await sleep(0);
  assertEquals(log, ["called"]);
  assertEquals(await items.next(), { done: false, value: "b" });
  assertEquals(log, ["called", "asked again"]);
  assertEquals(await items.next(), { done: true, value: undefined });
  assertEquals(await items.next(), { done: true, value: undefined });
});

Deno.test("stream() keeps one item in flight, and serves concurrent calls of next in their order", async () => {
  let running = 0;
  let most = 0;
  let asked = 0;
  const source = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        most = Math.max(most, ++running);
        const value = asked++;
        await sleep(1);
        running--;
        return { done: value === 4, value };
      },
    }),
  };
  const items = stream({}, () => source);
  const results = await Promise.all(Array.from({ length: 7 }, () => items.next()));
  assertEquals(results.map(({ value }) => value as unknown), [
    ...[0, 1, 2, 3],
    ...[undefined, undefined, undefined],
  ]);
  assertEquals([most, asked], [1, 5]);
});

Deno.test("stream() rejects the first of several pending calls of next, and ends the others", async () => {
  const broken = stream({}, async function* () {
    await sleep(1);
    yield* [];
    throw down;
  });
  const outcomes = await Promise.allSettled([broken.next(), broken.next(), broken.next()]);
  assertEquals(outcomes.map(({ status }) => status), [
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  assertStrictEquals((outcomes[0] as PromiseRejectedResult).reason, down);
});

Deno.test("stream() passes every kind of item on as it is", async () => {
  const kinds = [undefined, null, 0, "", NaN, down, [1], { done: true }];
  const items = stream({}, async function* () {
    yield* kinds;
    await sleep(0);
  });
  const received: unknown[] = [];
  for await (const item of items) received.push(item);
  assertEquals(received, kinds);
  const promise = Promise.resolve(1); // a loop does not wait for the items of an iterator
  const source = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ value: promise }) }),
  };
  const { value } = await stream({}, () => source as never).next();
  assertStrictEquals(value, promise);
});

Deno.test("currentAttempt() is the attempt in each step of the producer, and not the consumer's", async () => {
  const steps: (Attempt | null)[] = [];
  const step = () => void steps.push(currentAttemptOrNull());
  const source = (attempt: Attempt) => ({
    [Symbol.asyncIterator]: () => {
      step();
      let left = 2;
      return {
        next: () => {
          step();
          assertStrictEquals(currentAttempt(), attempt);
          return Promise.resolve({ done: left-- === 0, value: left });
        },
        return: () => {
          step();
          return Promise.resolve({ done: true as const, value: 0 });
        },
      };
    },
  });
  let first: Attempt | null = null;
  const items = stream({}, (attempt) => {
    first = attempt;
    step();
    return source(attempt);
  });
  for await (const _ of items) assertEquals(currentAttemptOrNull(), null);
  assertEquals(steps, Array(5).fill(first));
  steps.length = 0;
  for await (const _ of stream({}, (attempt) => Promise.resolve(source(attempt)))) break;
  assertEquals(steps.length, 3); // opened, asked, and returned
  assertEquals(steps.includes(null), false);
});

Deno.test("stream() calls the producer in its attempt while the consumer is in another", async () => {
  const seen: string[] = [];
  async function* produce() {
    for (let i = 0; i < 3; i++) {
      seen.push(String(currentAttemptOrNull()?.number));
      yield i;
      await Promise.resolve();
    }
  }
  const items = stream({}, produce);
  const backoff = new Backoff({ exceptions: "all", pause: 0 });
  let number = 0;
  await backoff.execute((attempt) => {
    number = attempt.number;
    const next = items.next();
    assertStrictEquals(currentAttempt(), attempt);
    return next.then(() => {
      if (attempt.number < 2) throw down;
    });
  });
  assertEquals([number, seen[0]], [2, "1"]);
  await items.return();
});

// Limits.

Deno.test("attemptTimeout bounds the wait for the first item of each attempt, and for no later one", async () => {
  const { items, starts, aborts, error, endedAt } = await playStream(
    { ...all, attemptTimeout: 50, deadline: 1000 },
    (attempt, clock) =>
      attempt.number < 3
        ? script(clock, [60, "late"])
        : script(clock, [49, "a"], [300, "b"], [300, "c"]),
  );
  assertEquals(error, null);
  assertEquals([starts, endedAt], [[0, 60, 120], 769]);
  assertEquals(items, [[169, "a"], [469, "b"], [769, "c"]]);
  assertEquals(aborts.map(([at, attempt]) => [at, attempt]), [[50, 1], [110, 2]]);
  for (const [, , reason] of aborts) assertLimit(reason, "attempt", 50);
});

Deno.test("idleTimeout bounds the wait for each later item, and not for the first", async () => {
  const { items, error, aborts, reason } = await playStream(
    { ...all, attemptTimeout: 500, idleTimeout: 50 },
    (_, clock) => script(clock, [400, "a"], [49, "b"], [51, "late"]),
  );
  assertEquals(items, [[400, "a"], [449, "b"]]);
  assertLimit(error, "idle", 50);
  assertEquals([aborts[0]?.[0], reason], [499, "nonRetryable"]);
});

Deno.test("idleTimeout does not bound the wait for the promise of a source", async () => {
  const { items, error } = await playStream(
    { attemptTimeout: 500, idleTimeout: 50 },
    async (_, clock) => {
      await sleep(200, { clock });
      return script(clock, [200, "a"], [40, "b"]);
    },
  );
  assertEquals([items, error], [[[400, "a"], [440, "b"]], null]);
});

Deno.test("idleTimeout begins anew with each report of progress while an item is waited for", async () => {
  const { items, error } = await playStream(
    { idleTimeout: 50 },
    async function* (attempt, clock) {
      yield "a";
      for (let i = 0; i < 5; i++) {
        await sleep(40, { clock });
        attempt.progress();
      }
      yield "b";
    },
  );
  assertEquals([items, error], [[[0, "a"], [200, "b"]], null]);
});

Deno.test("stream() lets nothing but the deadline run while the consumer holds an item", async () => {
  const limits = { attemptTimeout: 50, idleTimeout: 50 };
  const held = await playStream(
    { ...all, ...limits, deadline: 10_000 },
    (_, clock) => script(clock, [10, "a"], [10, "b"], [40, "c"]),
    holding(4000, 3000, 0),
  );
  assertEquals(held.items, [[10, "a"], [4020, "b"], [7060, "c"]]);
  assertEquals([held.error, held.starts], [null, [0]]);
});

Deno.test("stream() leaves the idle timeout at rest when progress is reported while an item is held", async () => {
  const { items, error } = await playStream(
    { idleTimeout: 50 },
    async function* (attempt, clock) {
      sleep(100, { clock }).then(() => attempt.progress("in the background"));
      yield "a";
      await sleep(40, { clock });
      yield "b";
    },
    holding(500, 0),
  );
  assertEquals([items, error], [[[0, "a"], [540, "b"]], null]);
});

Deno.test("stream() aborts the signal at the deadline while an item is held, and the next call of next rejects", async () => {
  const closed: number[] = [];
  const { items, error, aborts, endedAt, reason } = await playStream(
    { ...all, deadline: 100 },
    async function* (_, clock) {
      try {
        yield "a";
        yield "b";
      } finally {
        closed.push(clock.now());
      }
    },
    holding(250),
  );
  assertEquals([items, endedAt, reason], [[[0, "a"]], 250, "deadline"]);
  assertLimit(error, "deadline", 100);
  assertEquals([aborts[0]?.[0], aborts[0]?.[2] === error, closed], [100, true, [100]]);
});

Deno.test("stream() asks the producer for nothing once a limit has been reached", async () => {
  const clock = new TestClock();
  let asked = 0;
  const results: unknown[] = [];
  const items = stream({ deadline: 50, clock }, ({ signal }) => {
    signal.addEventListener("abort", () => {
      results.push(items.next().catch((error) => error));
    });
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false, value: ++asked }),
      }),
    };
  });
  await items.next();
  await clock.advance(100);
  assertLimit(await results[0], "deadline", 50);
  assertEquals(asked, 1);
  clock.close();
});

Deno.test("stream() rejects the pending call of next at the deadline, whatever the producer does", async () => {
  const { error, endedAt, events } = await playStream(
    { ...all, deadline: 100 },
    async function* (_, clock) {
      yield "a";
      await sleep(500, { clock }); // it ignores its signal
      yield "dropped";
    },
  );
  assertLimit(error, "deadline", 100);
  assertEquals(endedAt, 100);
  assertEquals(events.map(({ type }) => type), ["attempt", "done"]);
});

Deno.test("deadline spans all attempts and pauses, and rejects with the error of the last failure", async () => {
  const { error, endedAt, starts, reason } = await playStream(
    { ...all, pause: 30, deadline: 100, idleTimeout: 1000 },
    counter({ ms: 20, failures: [1, 2, 3] }),
  );
  assertStrictEquals(error, down);
  assertEquals([endedAt, starts, reason], [100, [0, 70], "deadline"]);
});

Deno.test("stream() gives a limit of 0 no time, and calls nothing", async () => {
  for (
    const limits of [{ deadline: 0 }, { attemptTimeout: 0, maxTries: 2 }, {
      idleTimeout: 0,
      maxTries: 1,
    }]
  ) {
    const { error, starts } = await playStream({ exceptions: [], ...limits }, () => {
      throw new Error("it is not called");
    });
    assertInstanceOf(error, TimeoutError);
    assertEquals([error.ms, starts], [0, []]);
  }
});

Deno.test("stream() lets a limit win a tie with an item that the producer began to wait for", async () => {
  const first = await playStream(
    { attemptTimeout: 50, maxTries: 1 },
    (_, clock) => script(clock, [50, "a"]),
  );
  assertLimit(first.error, "attempt", 50);
  const later = await playStream(
    { idleTimeout: 50 },
    (_, clock) => script(clock, [50, "a"], [50, "b"]),
  );
  assertEquals(later.items, [[50, "a"]]);
  assertLimit(later.error, "idle", 50);
  const last = await playStream(
    { deadline: 100, idleTimeout: 50.5 },
    (_, clock) => script(clock, [50, "a"], [50, "b"]),
  );
  assertEquals(last.items, [[50, "a"]]);
  assertLimit(last.error, "deadline", 100);
});

Deno.test("Attempt.remaining of a stream reaches to the attempt timeout, and after the first item to the deadline", async () => {
  const seen: number[] = [];
  await playStream(
    { attemptTimeout: 50, deadline: 1000 },
    async function* (attempt, clock) {
      await sleep(20, { clock });
      seen.push(attempt.remaining);
      yield "a";
      await sleep(100, { clock });
      seen.push(attempt.remaining);
      yield "b";
    },
  );
  assertEquals(seen, [30, 880]);
});

// Failures, checkpoints and replay.

Deno.test("stream() retries a failure before the first item", async () => {
  const { items, starts, reason, statistic } = await playStream(
    { ...all, maxTries: 3 },
    (attempt, clock) =>
      attempt.number < 3 ? script(clock, [5, down]) : script(clock, [5, "a"]),
  );
  assertEquals([items, starts, reason], [[[35, "a"]], [0, 15, 30], "success"]);
  assertEquals([statistic.attempts, statistic.errors, statistic.ends.success], [3, 2, 1]);
});

Deno.test("stream() gives a failure after an item to the consumer, and asks nobody", async () => {
  const asked: string[] = [];
  const budget = {
    mayRetry: () => Boolean(asked.push("budget")),
    failed: () => void asked.push("failed"),
  };
  const { items, error, starts, reason, events, statistic } = await playStream(
    {
      ...all,
      giveup: () => asked.push("giveup") < 0,
      pause: () => asked.push("pause"),
      budget,
    },
    (_, clock) => script(clock, [5, "a"], [5, down]),
  );
  assertStrictEquals(error, down);
  assertEquals([items, starts, reason], [[[5, "a"]], [0], "nonRetryable"]);
  assertEquals(asked.filter((each) => each !== "failed"), []);
  assertEquals(events.map(({ type }) => type), ["attempt", "failure", "done"]);
  assertEquals([statistic.ends.nonRetryable, statistic.errors], [1, 0]);
});

Deno.test("stream() resumes from the checkpoint that was given after the yield, each item once", async () => {
  const { items, starts, error } = await playStream(
    { ...all, maxTries: 4 },
    counter({ failures: [2, 2, 5] }),
  );
  assertEquals([idsOf(items), error], [[0, 1, 2, 3, 4, 5], null]);
  assertEquals(starts, [0, 13, 24, 38]);
});

Deno.test("stream() does not retry when an item came after the latest checkpoint", async () => {
  const { items, error, reason } = await playStream(
    all,
    async function* (attempt, clock) {
      await sleep(1, { clock });
      yield "a";
      attempt.progress("a");
      yield "b";
      throw down;
    },
  );
  assertEquals([idsOf(items), reason], [["a", "b"], "nonRetryable"]);
  assertStrictEquals(error, down);
});

Deno.test("stream() does not retry after an item whose checkpoint was given before the yield", async () => {
  const { items, reason } = await playStream(all, async function* (attempt, clock) {
    await sleep(1, { clock });
    attempt.progress("a"); // too early: the consumer may never receive it
    yield "a";
    throw down;
  });
  assertEquals([idsOf(items), reason], [["a"], "nonRetryable"]);
});

Deno.test("stream() does not count progress without a checkpoint as one", async () => {
  const { reason } = await playStream(all, async function* (attempt, clock) {
    await sleep(1, { clock });
    yield "a";
    attempt.progress();
    throw down;
  });
  assertEquals(reason, "nonRetryable");
});

Deno.test("replay lets items be delivered again", async () => {
  const { items, error } = await playStream(
    { ...all, maxTries: 2 },
    (attempt, clock) =>
      script(clock, [1, "a"], [1, "b"], [1, attempt.number === 1 ? down : "c"]),
    undefined,
    { replay: true },
  );
  assertEquals([idsOf(items), error], [["a", "b", "a", "b", "c"], null]);
});

Deno.test("stream() retries an idle timeout between items if a checkpoint covers them", async () => {
  const { items, starts, aborts } = await playStream(
    { ...all, idleTimeout: 20 },
    async function* (attempt, clock) {
      const from = Number(attempt.checkpoint ?? 0);
      for (let id = from; id < 4; id++) {
        if (id > from && id % 2 === 0) await sleep(1000, { clock, signal: attempt.signal });
        yield id;
        attempt.progress(id + 1);
      }
    },
  );
  assertEquals([idsOf(items), starts], [[0, 1, 2, 3], [0, 30]]);
  assertLimit(aborts[0]?.[2], "idle", 20);
});

Deno.test("stream() obeys the policy after a failure that may be retried", async () => {
  const fail = counter({ failures: [1, 1, 1, 1] });
  const rows: [options: BackoffOptions, reason: string, tries: number][] = [
    [{ ...all, maxTries: 2 }, "maxTries", 2],
    [{ ...all, giveup: (_, { attempt }) => attempt === 3 }, "giveup", 3],
    [{ exceptions: [], pause: 10 }, "nonRetryable", 1],
    [
      { ...all, budget: new RetryBudget({ retryRatio: 0, minRetriesPerSecond: 0 }) },
      "budget",
      1,
    ],
    [{ ...all, pause: 100, deadline: 50, minRemaining: 0 }, "deadline", 1],
  ];
  for (const [options, expected, tries] of rows) {
    const { reason, starts, error } = await playStream(options, fail);
    assertEquals([reason, starts.length], [expected, tries]);
    assertStrictEquals(error, down);
  }
  const marked = nonRetryable(new Error("marked"));
  const { reason, error } = await playStream(all, (_, clock) => script(clock, [1, marked]));
  assertStrictEquals(error, marked);
  assertEquals(reason, "nonRetryable");
});

Deno.test("resetAfter begins a new streak after an attempt that streamed for so long", async () => {
  const { items, starts, events, statistic } = await playStream(
    { ...all, maxTries: 2, resetAfter: 50 },
    counter({ to: 12, ms: 20, failures: [4, 8, 12] }),
  );
  assertEquals(idsOf(items), Array.from({ length: 12 }, (_, id) => id));
  assertEquals([starts.length, statistic.resets], [3, 1]);
  const streaks = events.flatMap((each) =>
    each.type === "failure" ? [each.failure.streak] : []
  );
  assertEquals(streaks, [1, 1]);
});

Deno.test("until of a policy sees undefined when a stream ends", async () => {
  const seen: unknown[] = [];
  const judged = await playStream(
    { until: (value: unknown) => seen.push(value) > 0 },
    (_, clock) => script(clock, [1, "a"]),
  );
  assertEquals([judged.reason, seen], ["success", [undefined]]);
  const refused = await playStream(
    { until: () => false, maxTries: 3 },
    (_, clock) => script(clock, [1, "a"]),
  );
  assertInstanceOf(refused.error, ResultError);
  assertEquals([refused.reason, refused.starts], ["nonRetryable", [0]]);
});

// The grace of a timeout.

Deno.test("stream() waits for the end of a producer that winds down within the grace, and delivers nothing", async () => {
  const { items, starts, error } = await playStream(
    { ...all, attemptTimeout: 20, grace: 50, maxTries: 2 },
    (attempt, clock) =>
      attempt.number === 1 ? script(clock, [40, "dropped"]) : script(clock, [5, "a"]),
  );
  assertEquals([items, starts, error], [[[55, "a"]], [0, 50], null]);
});

Deno.test("stream() notes a checkpoint within the grace", async () => {
  const { items } = await playStream(
    { ...all, idleTimeout: 20, grace: 50 },
    async function* (attempt, clock) {
      if (attempt.number === 2) return yield attempt.checkpoint;
      yield "a";
      await sleep(40, { clock });
      attempt.progress("noted");
      throw down;
    },
  );
  assertEquals(idsOf(items), ["a", "noted"]);
});

Deno.test("stream() ends as a success when its producer ends within the grace", async () => {
  const { items, reason, endedAt } = await playStream(
    { ...all, idleTimeout: 20, grace: 50 },
    async function* (_, clock) {
      yield "a";
      await sleep(40, { clock });
    },
  );
  assertEquals([idsOf(items), reason, endedAt], [["a"], "success", 40]);
});

// Consumers that stop.

/** A producer that reports its end. */
function watched(log: unknown[], wait = 0) {
  return async function* (attempt: Attempt, clock: TestClock) {
    try {
      for (let id = 0;; id++) {
        await sleep(5, { clock });
        yield id;
      }
    } finally {
      log.push(clock.now(), attempt.signal.aborted);
      await sleep(wait, { clock });
      log.push(clock.now());
    }
  };
}

const breaking: Consumer = async (items, receive) => {
  for await (const item of items) {
    receive(item);
    if (item === 2) break;
  }
};

Deno.test("break aborts the signal, returns the producer's iterator, and ends the execution as a success", async () => {
  const log: unknown[] = [];
  const { items, aborts, reason, error, statistic, events } = await playStream(
    { ...all, attemptTimeout: 50 },
    watched(log),
    breaking,
  );
  assertEquals([idsOf(items), reason, error], [[0, 1, 2], "success", null]);
  assertEquals(log, [15, true, 15]);
  assertEquals(aborts.map(([at, number, why]) => [at, number, `${why}`]), [
    [15, 1, "AbortError: The consumer of the stream has stopped"],
  ]);
  assertEquals([statistic.ends.success, statistic.late], [1, 0]);
  assertEquals(events.map(({ type }) => type), ["attempt", "done"]);
});

Deno.test("break waits for the producer no longer than the grace", async () => {
  for (const [grace, expected] of [[0, 15], [30, 45], [100, 75], [Infinity, 75]] as const) {
    const log: unknown[] = [];
    const { endedAt } = await playStream({ grace }, watched(log, 60), breaking);
    assertEquals([endedAt, log], [expected, [15, true, 75]]);
  }
});

Deno.test("break waits for the producer no longer than until the deadline", async () => {
  const log: unknown[] = [];
  const limits = { grace: Infinity, deadline: 50 };
  const { endedAt, error, reason } = await playStream(limits, watched(log, 60), breaking);
  assertEquals([endedAt, error, reason], [50, null, "success"]);
});

Deno.test("stream() never retries the error of its consumer", async () => {
  const log: unknown[] = [];
  const mine = new Error("the consumer's");
  const { error, starts, reason } = await playStream(all, watched(log), async (items) => {
    for await (const _ of items) throw mine;
  });
  assertStrictEquals(error, mine);
  assertEquals([starts, reason, log], [[0], "success", [5, true, 5]]);
});

Deno.test("return() and throw() of a stream end it before its start, and after its end", async () => {
  const calls: unknown[] = [];
  const make = () =>
    stream({}, () => {
      calls.push("called");
      return script(new TestClock());
    });
  const returned = make();
  assertEquals(await returned.return(), { done: true, value: undefined });
  assertEquals(await returned.next(), { done: true, value: undefined });
  const thrown = make();
  assertStrictEquals(await thrown.throw(down).catch((error) => error), down);
  assertEquals(await thrown.next(), { done: true, value: undefined });
  assertEquals(calls, []);
  const ended = make();
  assertEquals(await ended.next(), { done: true, value: undefined });
  assertEquals(await ended.return(), { done: true, value: undefined });
  assertStrictEquals(await ended.throw(down).catch((error) => error), down);
  assertEquals(calls, ["called"]);
});

Deno.test("return() of a stream gives its value, or the rejection of its promise", async () => {
  const make = () =>
    stream({}, () => script(new TestClock())) as AsyncGenerator<unknown, unknown>;
  assertEquals(await make().return(1), { done: true, value: 1 });
  assertEquals(await make().return(Promise.resolve(2)), { done: true, value: 2 });
  const rejection = make().return(Promise.reject(down));
  assertStrictEquals(await rejection.catch((error) => error), down);
});

Deno.test("return() of a stream ends a pending call of next at once", async () => {
  const log: unknown[] = [];
  const { aborts, reason, endedAt } = await playStream(
    all,
    watched(log),
    async (items, _, clock) => {
      const pending = items.next();
      await sleep(2, { clock });
      const results = await Promise.all([items.return(), pending, items.next()]);
      assertEquals(results, Array(3).fill({ done: true, value: undefined }));
    },
  );
  assertEquals([aborts[0]?.[0], reason, endedAt, log], [2, "success", 2, [5, true, 5]]);
});

Deno.test("return() of a stream in a pause ends the execution at once", async () => {
  const { reason, starts, endedAt, error } = await playStream(
    { ...all, pause: 1000 },
    (_, clock) => script(clock, [1, down]),
    async (items, _, clock) => {
      const pending = items.next();
      await sleep(500, { clock });
      assertEquals(await items.return(), { done: true, value: undefined });
      assertEquals(await pending, { done: true, value: undefined });
      await sleep(0, { clock }); // the execution has ended, too
      assertEquals(await items.next(), { done: true, value: undefined });
    },
  );
  assertEquals([reason, starts, endedAt, error], ["aborted", [0], 500, null]);
});

Deno.test("return() of a stream in the grace of a timeout ends the execution", async () => {
  const { reason, starts, endedAt } = await playStream(
    { ...all, attemptTimeout: 20, grace: 100 },
    (_, clock) => script(clock, [60, "late"]),
    async (items, _, clock) => {
      const pending = items.next();
      await sleep(50, { clock });
      await Promise.all([items.return(), pending]);
    },
  );
  assertEquals([reason, starts, endedAt], ["success", [0], 60]);
});

Deno.test("return() of a stream begins no attempt when a limit has just been reached", async () => {
  for (const grace of [0, 10]) {
    const clock = new TestClock();
    const backoff = new Backoff({ ...all, attemptTimeout: 20, grace, clock });
    let returned = 0;
    const items = stream(backoff, ({ signal }) => {
      signal.addEventListener("abort", () => void items.return());
      const back = () => Promise.resolve({ done: true as const, value: ++returned });
      return { [Symbol.asyncIterator]: () => ({ next: never, return: back }) };
    });
    assertEquals(await clock.run(items.next()), { done: true, value: undefined });
    assertEquals(clock.now(), 20);
    await clock.advance(1000);
    clock.close();
    assertEquals([backoff.statistic.attempts, returned], [1, 1]);
  }
});

Deno.test("throw() of a stream ends a pending call of next, and rejects with its error", async () => {
  const log: unknown[] = [];
  const { error, reason } = await playStream(all, watched(log), async (items) => {
    const pending = items.next();
    const thrown = items.throw(down);
    assertEquals(await pending, { done: true, value: undefined });
    await thrown;
  });
  assertStrictEquals(error, down);
  assertEquals(reason, "success");
});

Deno.test("return() of a stream that has failed while an item was held drops the error", async () => {
  const { error, items } = await playStream(
    { deadline: 50 },
    (_, clock) => script(clock, [1, "a"], [1, "b"]),
    async (items, receive, clock) => {
      receive((await items.next()).value);
      await sleep(100, { clock });
      await items.return();
      assertEquals(await items.next(), { done: true, value: undefined });
    },
  );
  assertEquals([error, idsOf(items)], [null, ["a"]]);
});

Deno.test("return() of a stream ignores a producer whose own return throws, hangs, or is missing", async () => {
  const returns: unknown[] = [
    () => {
      throw down;
    },
    () => Promise.reject(down),
    never,
    undefined,
    null,
    5,
    () => "no promise",
  ];
  for (const grace of [0, 20]) {
    for (const back of returns) {
      const { reason, endedAt, error } = await playStream(
        { grace },
        () => ({
          [Symbol.asyncIterator]: () =>
            ({ next: () => Promise.resolve({ value: 2 }), return: back }) as never,
        }),
        breaking,
      );
      assertEquals([reason, error], ["success", null]);
      assertEquals(endedAt, back === never ? grace : 0);
    }
  }
});

Deno.test("await using closes a stream", async () => {
  const { asyncDispose } = Symbol as { asyncDispose?: symbol };
  if (asyncDispose === undefined) return;
  const log: unknown[] = [];
  const { reason } = await playStream(all, watched(log), async (items) => {
    await items.next();
    const dispose = Reflect.get(items, asyncDispose);
    await Reflect.apply(dispose, items, []);
    assertEquals(Object.keys(items), []);
  });
  assertEquals([reason, log], ["success", [5, true, 5]]);
});

// Signals, scopes, events.

Deno.test("stream() calls nothing when its signal is aborted before, and rejects with the reason", async () => {
  const controller = new CountedSignal();
  controller.abort(down);
  const { signal } = controller;
  const { starts, error, reason } = await playStream(
    all,
    () => script(new TestClock()),
    undefined,
    {
      signal,
    },
  );
  assertStrictEquals(error, down);
  assertEquals([starts, reason, controller.listeners], [[], "aborted", 0]);
});

Deno.test("stream() ends in the same turn when a signal is aborted, and removes its listeners", async () => {
  for (const hold of [0, 100]) {
    const controller = new CountedSignal();
    const log: unknown[] = [];
    const { aborts, error, reason, endedAt } = await playStream(
      all,
      watched(log),
      async (items, receive, clock) => {
        sleep(12, { clock }).then(() => controller.abort(down));
        await holding(hold)(items, receive, clock);
      },
      { signal: controller.signal },
    );
    assertStrictEquals(error, down);
    assertEquals([aborts, reason], [[[12, 1, down]], "aborted"]);
    assertEquals(endedAt, hold === 0 ? 12 : 105);
    assertEquals(controller.listeners, 0);
  }
});

Deno.test("stream() ends when the signal of its policy is aborted", async () => {
  const controller = new CountedSignal();
  const { error } = await playStream(
    { ...all, signal: controller.signal },
    watched([]),
    async (items) => {
      for await (const _ of items) controller.abort(down);
    },
  );
  assertStrictEquals(error, down);
  assertEquals(controller.listeners, 0);
});

Deno.test("stream() listens to its signal while it runs alone", async () => {
  const controller = new CountedSignal();
  const { signal } = controller;
  const items = stream({}, () => script(new TestClock(), [0, 1]), { signal });
  assertEquals(controller.listeners, 0);
  await items.return();
  assertEquals(controller.listeners, 0);
  const others = stream({}, async function* () {
    yield await Promise.resolve(1);
  }, { signal });
  await others.next();
  assertEquals(controller.listeners, 1);
  await others.return();
  await sleep(0);
  assertEquals(controller.listeners, 0);
});

Deno.test("stream() ends with the scope in which it is made, though it begins later", async () => {
  const clock = new TestClock();
  const items = within(
    { deadline: 50, clock },
    () => stream({ clock }, (_) => script(clock, [20, "a"], [20, "b"], [20, "c"])),
  );
  const received: unknown[] = [];
  const error = await clock.run(
    (async () => {
      for await (const item of items) received.push(item);
    })().catch((error) => error),
  );
  assertLimit(error, "deadline", 50);
  assertEquals([received, clock.now()], [["a", "b"], 50]);
  await clock.advance(100);
  clock.close();
});

Deno.test("stream() is nested in the attempt that is given as within", async () => {
  const clock = new TestClock();
  const outer = new Backoff({ attemptTimeout: 30, maxTries: 1, clock });
  const aborted: unknown[] = [];
  const error = await clock.run(
    outer.execute(async (attempt) => {
      const items = stream(
        { clock },
        (inner) => {
          inner.signal.addEventListener("abort", () => aborted.push(inner.signal.reason));
          return script(clock, [20, "a"], [20, "b"]);
        },
        { within: attempt },
      );
      for await (const _ of items);
    }).catch((error) => error),
  );
  assertLimit(error, "attempt", 30);
  assertEquals(aborted, [error]);
  await clock.advance(100);
  clock.close();
});

Deno.test("Attempt.remaining of a stream that is nested ends with its outer attempt", async () => {
  const clock = new TestClock();
  const seen: number[] = [];
  const limits = { attemptTimeout: 50, deadline: 1000, clock };
  const outer = new Backoff({ attemptTimeout: 300, clock });
  await clock.run(outer.execute(async (attempt) => {
    const items = stream(limits, async function* (inner) {
      yield "a";
      await sleep(100, { clock });
      seen.push(inner.remaining);
    }, { within: attempt });
    for await (const _ of items);
  }));
  assertEquals(seen, [200]);
  clock.close();
});

Deno.test("an execution in a step of a stream that is nested in it is not bounded by the attempt timeout after the first item", async () => {
  const remaining: number[] = [];
  const { items, error } = await playStream(
    { attemptTimeout: 50, deadline: 1000 },
    async function* (attempt, clock) {
      yield "a";
      await sleep(100, { clock });
      let tries = 0;
      yield await retry((inner) => {
        remaining.push(inner.remaining);
        if (++tries === 1) throw down;
        return "b";
      }, { maxTries: 3, pause: 10, clock, within: attempt });
    },
  );
  assertEquals([idsOf(items), error], [["a", "b"], null]);
  assertEquals(remaining, [900, 890]);
});

Deno.test("an execution in a stream ends when the consumer stops", async () => {
  const reasons: string[] = [];
  const clock = new TestClock();
  const items = stream({ clock }, async function* (attempt) {
    const inner = asyncretry(null, {
      pause: 10,
      clock,
      observe: (event) => {
        if (event.type === "done") reasons.push(event.reason);
      },
    })(() => Promise.reject(down));
    within(attempt, inner).catch(() => {});
    yield await Promise.resolve(1);
  });
  await items.next();
  await items.return();
  await clock.advance(100);
  clock.close();
  assertEquals(reasons, ["aborted"]);
});

Deno.test("stream() tells its name in events and messages", async () => {
  const own = await playStream(
    { attemptTimeout: 5, maxTries: 1 },
    async function* feed() {
      yield await never();
    },
  );
  assertEquals(`${own.error}`, "TimeoutError: 'feed' reached its attempt timeout of 5 ms");
  const given = await playStream({}, (_, clock) => script(clock), undefined, {
    name: "prices",
  });
  assertEquals(given.events.map(({ name }) => name), ["prices", "prices"]);
});

Deno.test("stream() tells observers of progress: the first item, and checkpoints", async () => {
  const seen: BackoffEvent[] = [];
  const { events } = await playStream(
    all,
    counter({ to: 3, ms: 10, failures: [2] }),
    undefined,
    { observe: (event) => void seen.push(event) },
  );
  assertEquals(seen, events as BackoffEvent[]);
  const reports = events.flatMap((event) => "reports" in event ? [event.reports] : []);
  assertEquals(reports, [
    { count: 3, firstAt: 10, latestAt: 20 }, // the first item, and two checkpoints
    { count: 2, firstAt: 50, latestAt: 50 },
  ]);
});

Deno.test("Timeline draws the first item and the latest checkpoint of an attempt", async () => {
  const timeline = new Timeline();
  const run = playStream(
    { ...all, pause: 100, observe: timeline.observe },
    counter({ to: 4, ms: 50, failures: [3] }),
  );
  await run;
  const lines = timeline.toString().split("\n").map((line) => line.trimEnd());
  assert(
    lines.some((line) => /^#\d+ +█+•█*•█*─+ +1 Error: down$/.test(line)),
    lines.join("\n"),
  );
});

Deno.test("stream() accepts a policy of another copy of the library", async () => {
  const backoff = new Backoff({ exceptions: "all", maxTries: 2 });
  const copy = { execute: backoff.execute.bind(backoff) } as unknown as Backoff;
  const items = stream(copy, async function* (attempt) {
    if (attempt.number === 1) throw down;
    yield await Promise.resolve("a");
  });
  const received: unknown[] = [];
  for await (const item of items) received.push(item);
  assertEquals([received, backoff.statistic.attempts], [["a"], 2]);
});

Deno.test("stream() rejects with the error of a clock that fails", async () => {
  const clock = new TestClock();
  let works = true;
  const failing = {
    now: () => works ? clock.now() : NaN,
    sleep: clock.sleep.bind(clock),
    after: clock.after.bind(clock),
  };
  const items = stream({ clock: failing, idleTimeout: 50, grace: 10 }, async function* () {
    yield await Promise.resolve("a");
    yield "b";
  });
  await items.next();
  works = false;
  await assertRejects(() => items.next(), TypeError, "Cannot read the clock");
  works = true;
  const others = stream({ clock: failing, grace: 10 }, async function* () {
    yield await Promise.resolve("a");
  });
  await others.next();
  works = false;
  assertEquals(await others.return(), { done: true, value: undefined });
  works = true;
  await clock.advance(100);
  clock.close();
});
