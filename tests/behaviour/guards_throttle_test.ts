// Adaptive throttles as users see them: under and over retries, with aborts and timeouts, and
// with many calls in flight.

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { asyncretry, Backoff, TimeoutError } from "@asyncbackoff/asyncbackoff";
import {
  adaptiveThrottle,
  circuitBreaker,
  ThrottledError,
} from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { seeded } from "../support/chance.ts";

const busy = new Error("busy");
const hang = () => new Promise<never>(() => {});
const isOverload = (error: unknown) => error === busy || error instanceof TimeoutError;

Deno.test('adaptiveThrottle() ends retries of "all" by its refusal', async () => {
  const clock = new TestClock();
  const throttle = adaptiveThrottle({ isOverload, random: () => 0, clock });
  let calls = 0;
  const load = asyncretry(5, { pause: 10, clock })(throttle(async () => {
    calls += 1;
    await Promise.reject(busy);
  }));
  const error = await clock.run(load().catch((error) => error));
  assertInstanceOf(error, ThrottledError);
  assertEquals([calls, clock.now()], [1, 10]);
});

Deno.test("adaptiveThrottle() works in every order with retries and a breaker", async () => {
  const make = () => {
    const clock = new TestClock();
    const throttle = adaptiveThrottle({ isOverload, random: () => 1, clock });
    const breaker = circuitBreaker({ consecutiveFailures: 4, clock });
    const retry = asyncretry(3, { clock });
    return { clock, throttle, breaker, retry };
  };
  type Guards = ReturnType<typeof make>;
  const fail = () => Promise.reject(busy);
  const orders: Record<string, (guards: Guards) => () => Promise<unknown>> = {
    "retries over both": ({ throttle, breaker, retry }) => retry(throttle(breaker(fail))),
    "the breaker over the throttle": ({ throttle, breaker, retry }) =>
      retry(breaker(throttle(fail))),
    "retries under both": ({ throttle, breaker, retry }) => throttle(breaker(retry(fail))),
    "retries between": ({ throttle, breaker, retry }) => throttle(retry(breaker(fail))),
  };
  const counts: Record<string, [overloaded: number, failed: number]> = {
    "retries over both": [3, 3],
    "the breaker over the throttle": [3, 3],
    "retries under both": [1, 1],
    "retries between": [1, 3],
  };
  for (const [order, compose] of Object.entries(orders)) {
    const guards = make();
    const call = compose(guards)();
    assertEquals(await guards.clock.run(call.catch((error) => error)), busy, order);
    const { throttle, breaker } = guards;
    const counted = [throttle.statistic.overloaded, breaker.statistic.failed];
    assertEquals(counted, counts[order], order);
  }
});

Deno.test("adaptiveThrottle() asks 'isOverload' about the reason when an attempt is aborted", async () => {
  const clock = new TestClock();
  const throttle = adaptiveThrottle({ isOverload, random: () => 1, clock });
  const load = throttle(hang);
  const timed = new Backoff({ attemptTimeout: 10, maxTries: 1, exceptions: [], clock });
  await clock.run(assertRejects(() => timed.execute(load), TimeoutError));
  const controller = new AbortController();
  const aborted = new Backoff({ clock }).execute(load, { signal: controller.signal });
  controller.abort("stop");
  await aborted.catch(() => {});
  const { overloaded, accepted, late } = throttle.statistic;
  assertEquals([overloaded, accepted, late], [1, 1, 0]);
});

Deno.test("adaptiveThrottle() reports what ends after its attempt timed out", async () => {
  const clock = new TestClock();
  const late: unknown[] = [];
  const throttle = adaptiveThrottle({
    isOverload,
    clock,
    observe: (event) => event.type === "late" && late.push([event.at, event.outcome]),
  });
  const unseen = adaptiveThrottle({ isOverload, clock });
  const timed = new Backoff({ attemptTimeout: 10, maxTries: 1, exceptions: [], clock });
  for (const guard of [throttle, unseen]) {
    const load = guard(() => clock.sleep(30).then(() => "late"));
    await clock.run(assertRejects(() => timed.execute(load), TimeoutError));
    await clock.advance(20);
  }
  assertEquals(late, [[30, { status: "fulfilled", value: "late" }]]);
  assertEquals([throttle.statistic.late, unseen.statistic.late], [1, 1]);
});

Deno.test("adaptiveThrottle() counts 100,000 calls in flight exactly, and keeps nothing of them", async () => {
  const throttle = adaptiveThrottle({ isOverload, random: seeded(1) });
  const ends: (() => void)[] = [];
  const load = throttle(() => new Promise((resolve) => ends.push(() => resolve(1))));
  // Many are refused, because none has been accepted yet.
  const calls = Array.from({ length: 100_000 }, () => load().catch((error) => error));
  const { calls: admitted, refused } = throttle.statistic;
  assertEquals([admitted + refused, ends.length], [100_000, admitted]);
  assert(admitted > 5 && admitted < 40); // the sum of 1 / n
  ends.forEach((end) => end());
  await Promise.all(calls);
  assertEquals(throttle.statistic.accepted, admitted);
  assert(JSON.stringify(throttle).length < 1000);
});
