// The async context of hedged calls, and the listeners that guards leave.

import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import { Backoff, currentAttempt } from "@asyncbackoff/asyncbackoff";
import { adaptiveThrottle, circuitBreaker, hedge } from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenersLeft } from "../support/leftovers.ts";

const down = new Error("down");

Deno.test("guards leave no listener on the signal of its attempt, however it ends", async () => {
  const clock = new TestClock();
  const breaker = circuitBreaker({ consecutiveFailures: 9, clock });
  const throttle = adaptiveThrottle({ isOverload: () => false, clock });
  const guarded = hedge({ after: 10, clock })(async (outcome: unknown) => {
    await clock.sleep(15);
    return outcome instanceof Error ? await Promise.reject(outcome) : outcome;
  });
  const load = breaker(throttle(guarded));
  for (const outcome of ["value", down]) {
    let signal: AbortSignal | undefined;
    const backoff = new Backoff({ clock, maxTries: 1 });
    const result = backoff.execute((attempt) => {
      signal = attempt.signal;
      return load(outcome);
    });
    await clock.run(result.catch(() => {}));
    assertEquals(listenersLeft(signal as AbortSignal), 0);
  }
});

Deno.test("hedge() calls the function and its observer in the async context of the execution", async () => {
  const context = new AsyncLocalStorage<string>();
  const clock = new TestClock();
  const seen: unknown[] = [];
  const load = hedge({
    after: 50,
    clock,
    observe: ({ type }) => seen.push(`${type} ${context.getStore()}`),
  })(async () => {
    const { number } = currentAttempt();
    seen.push(`${number} ${context.getStore()}`);
    await clock.sleep(number === 1 ? 1000 : 10);
  });
  const results = ["one", "two"].map((name) => context.run(name, load));
  await clock.run(Promise.all(results));
  assertEquals(seen, [
    ...["call one", "1 one", "call two", "1 two"],
    ...["call one", "2 one", "call two", "2 two"],
    ...["done one", "done two"],
  ]);
});
