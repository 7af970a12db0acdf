// Hedges as users see them: under and over retries and other guards, with aborts and deadlines,
// in an async context, and with many executions in flight.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  Backoff,
  currentAttempt,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import {
  adaptiveThrottle,
  circuitBreaker,
  hedge,
  SupersededError,
} from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const down = new Error("down");

Deno.test("hedge() is ended by the attempt timeout over it, and its calls with it", async () => {
  const clock = new TestClock();
  const signals: AbortSignal[] = [];
  const events: string[] = [];
  const hedged = hedge({
    after: 40,
    maxHedges: 5,
    clock,
    observe: ({ type, at }) => events.push(`${at} ${type}`),
  });
  const load = asyncbackoff({ attemptTimeout: 100, maxTries: 2, exceptions: [], clock })(
    hedged(() => {
      signals.push(currentAttempt().signal);
      return new Promise<never>(() => {});
    }),
  );
  const error = await clock.run(load().catch((error) => error));
  assertInstanceOf(error, TimeoutError);
  assertEquals(events, [
    ...["0 call", "40 call", "80 call", "100 done"],
    ...["100 call", "140 call", "180 call", "200 done"],
  ]);
  assertEquals([clock.now(), clock.pending], [200, 0]);
  assert(signals.every(({ reason }) => reason instanceof TimeoutError));
  assertEquals(hedged.statistic.aborted, 2);
});

Deno.test("hedge() rejects at once with the reason when its execution is aborted", async () => {
  const clock = new TestClock();
  const load = hedge({ after: 40, clock })(() => new Promise<never>(() => {}));
  const controller = new AbortController();
  let hedged: Promise<unknown> | undefined;
  const backoff = new Backoff({ clock });
  const result = backoff.execute(() => hedged = load(), { signal: controller.signal });
  controller.abort("stop");
  assertEquals(await result.catch((reason) => reason), "stop");
  assertEquals(await hedged?.catch((reason) => reason), "stop");
  assertEquals(clock.pending, 0);
});

Deno.test("hedge() calls nothing in an attempt that was aborted before", async () => {
  const controller = new AbortController();
  let calls = 0;
  const hedged = hedge({ after: 40 });
  const load = hedged(async () => await ++calls);
  let result: Promise<unknown> | undefined;
  await new Backoff({ signal: controller.signal }).execute(() => {
    controller.abort("stop");
    return result = load();
  }).catch(() => {});
  assertEquals(await result?.catch((reason) => reason), "stop");
  assertEquals([calls, hedged.statistic.aborted], [0, 1]);
});

Deno.test("hedge() calls nothing more when its observer, its function or its budget aborts it", async () => {
  for (const who of ["observer", "function", "budget"]) {
    const clock = new TestClock();
    const controller = new AbortController();
    const abort = () => controller.abort("stop");
    let calls = 0;
    const load = hedge({
      after: 40,
      clock,
      observe: ({ type }) => who === "observer" && type === "call" && abort(),
      budget: {
        mayRetry: () => {
          if (who === "budget") abort();
          return true;
        },
      },
    })(() => {
      calls += 1;
      if (who === "function") abort();
      return new Promise<never>(() => {});
    });
    const backoff = new Backoff({ clock, signal: controller.signal });
    const result = backoff.execute(load).catch((reason) => reason);
    await clock.advance(100);
    assertEquals(await result, "stop");
    assertEquals([calls, clock.pending], [who === "observer" ? 0 : 1, 0], who);
  }
});

Deno.test("hedge() works in every order with retries, a breaker and a throttle", async () => {
  type Wrap = (fn: () => Promise<string>) => () => Promise<string>;
  const orders = permutationsOf(["hedge", "retry", "breaker", "throttle"]);
  assertEquals(orders.length, 24);
  for (const order of orders) {
    const clock = new TestClock();
    const breaker = circuitBreaker({ consecutiveFailures: 100, clock });
    const throttle = adaptiveThrottle({ isOverload: () => false, random: () => 1, clock });
    const wraps: Record<string, Wrap> = {
      hedge: hedge({ after: 50, clock }),
      retry: asyncretry(2, { attemptTimeout: 200, clock }),
      breaker,
      throttle,
    };
    let calls = 0;
    // The first call hangs. The second one fails, and the third one returns a value.
    let load = async () => {
      calls += 1;
      const call = calls;
      currentAttempt();
      await sleep(call === 1 ? 1e6 : 10, { clock, signal: currentAttempt().signal });
      if (call === 2) throw down;
      return `from call ${call}`;
    };
    for (const name of order.toReversed()) load = (wraps[name] as Wrap)(load);
    const name = order.join(" over ");
    const outcome = await clock.run(load().catch((error) => error));
    // With retries over the hedge, its failure is retried. Under it, each call has retries.
    assertEquals(outcome, "from call 3", name);
    assertEquals([clock.now(), calls], [70, 3], name);
    const isOuter = order.indexOf("retry") < order.indexOf("hedge");
    assertEquals(breaker.state.phase, "closed", name);
    if (!isOuter) continue; // retries under it are an execution of their own, and go on
    assertEquals(clock.pending, 0, name);
    const { succeeded, failed, aborted } = breaker.statistic;
    assertEquals(breaker.statistic.calls, succeeded + failed + aborted, name);
  }
});

function permutationsOf<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) =>
    permutationsOf(items.toSpliced(index, 1)).map((rest) => [item, ...rest])
  );
}

Deno.test("hedge() frees the trial of a breaker under it when a call is superseded", async () => {
  const clock = new TestClock();
  const breaker = circuitBreaker({
    consecutiveFailures: 1,
    openFor: 1000,
    trials: 2,
    clock,
  });
  await breaker(() => Promise.reject(down))().catch(() => {});
  await clock.advance(1000);
  const load = hedge({ after: 50, clock })(breaker(async () => {
    const { number } = currentAttempt();
    await clock.sleep(number === 1 ? 10_000 : 10);
    return number;
  }));
  assertEquals(await clock.run(load()), 2);
  assertEquals([breaker.statistic.aborted, breaker.state.phase], [1, "half-open"]);
  await breaker(() => Promise.resolve())();
  assertEquals(breaker.state.phase, "closed");
});

Deno.test("hedge() aborts losers with one reason, which nothing under it retries", async () => {
  const clock = new TestClock();
  const reasons: unknown[] = [];
  const load = hedge({ after: 50, clock })(async () => {
    const { number } = currentAttempt();
    const retried = asyncretry(5, { clock, pause: 10 })(async () => {
      const { signal } = currentAttempt();
      await sleep(number === 1 ? 1000 : 10, { clock, signal });
    });
    const { signal } = currentAttempt();
    signal.addEventListener("abort", () => reasons.push(signal.reason));
    await retried();
    return number;
  });
  assertEquals(await clock.run(load()), 2);
  assertEquals(reasons.length, 1);
  assertInstanceOf(reasons[0], SupersededError);
});

Deno.test("hedge() keeps the deadline over it exact", async () => {
  const clock = new TestClock();
  const load = hedge({ after: 30, maxHedges: 10, exceptions: "all", clock })(async () => {
    await clock.sleep(20);
    throw down;
  });
  const backoff = new Backoff({ deadline: 333, exceptions: "all", clock });
  const error = await clock.run(backoff.execute(load).catch((error) => error));
  assertStrictEquals(error, down);
  assertEquals(clock.now(), 333);
});

Deno.test("hedge() serves 10,000 executions in flight, each with its own calls", async () => {
  const EXECUTIONS = 10_000;
  const clock = new TestClock();
  const hedged = hedge({ after: 50, clock });
  const load = hedged(async (index: number) => {
    const { number, signal } = currentAttempt();
    await sleep(number === 1 && index % 10 === 0 ? 1000 : 40, { clock, signal });
    return `${index} ${number}`;
  });
  const all = Array.from({ length: EXECUTIONS }, (_, index) => load(index));
  const values = await clock.run(Promise.all(all));
  values.forEach((value, index) =>
    assertEquals(value, `${index} ${index % 10 === 0 ? 2 : 1}`)
  );
  const { hedges, wins, late } = hedged.statistic;
  assertEquals([hedges, wins, late, clock.now()], [1000, 1000, 0, 90]);
  assertEquals(clock.pending, 0);
});

Deno.test("hedge() handles every rejection of its calls", async () => {
  const clock = new TestClock();
  const load = hedge({ after: 10, maxHedges: 3, clock })(async () => {
    const { number } = currentAttempt();
    await clock.sleep(number === 4 ? 5 : 100);
    if (number !== 4) throw new Error(`late ${number}`);
  });
  await clock.run(load());
  await clock.advance(1000); // an unhandled rejection would fail the test
  await assertRejects(() => Promise.reject(down));
});
