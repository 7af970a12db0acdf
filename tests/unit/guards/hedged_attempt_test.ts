// The attempts of a hedge: what each call sees of its own, and of the attempt around the hedge.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  Backoff,
  currentAttempt,
  currentAttemptOrNull,
} from "@asyncbackoff/asyncbackoff";
import { hedge } from "@asyncbackoff/asyncbackoff/guards";
import { CONTROL, type RunningAttempt } from "../../../src/driver/attempt.ts";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

Deno.test("hedge() gives each call an attempt of its own", async () => {
  const clock = new TestClock();
  const attempts: Attempt[] = [];
  const load = hedge({ after: 50, maxHedges: 2, clock })(async () => {
    attempts.push(currentAttempt());
    await clock.sleep(120);
    return currentAttemptOrNull(); // none after an await
  });
  const result = load();
  assertEquals(currentAttemptOrNull(), null);
  await clock.advance(110);
  assertEquals(attempts.map(({ number }) => number), [1, 2, 3]);
  assertEquals(attempts.map(({ triesLeft }) => triesLeft), [2, 1, 0]);
  assertEquals(attempts.map(({ elapsed }) => elapsed), [110, 60, 10]);
  assertEquals(attempts.map(({ remaining }) => remaining), [Infinity, Infinity, Infinity]);
  assertEquals(attempts.map(({ lastFailure }) => lastFailure), [null, null, null]);
  assertEquals(new Set(attempts.map(({ signal }) => signal)).size, 3);
  assertEquals(await clock.run(result), null);
});

Deno.test("hedge() tells its calls of the limits and the last failure of the attempt around it", async () => {
  const clock = new TestClock();
  const error = new Error("down");
  const inner: Attempt[] = [];
  const load = hedge({ after: 50, clock })(async () => {
    inner.push(currentAttempt());
    await clock.sleep(1000);
  });
  const backoff = new Backoff({
    attemptTimeout: 200,
    exceptions: [Error],
    maxTries: 2,
    clock,
  });
  const result = backoff.execute((attempt) => {
    if (attempt.number === 1) throw error;
    const call = load();
    assertStrictEquals(currentAttempt(), attempt);
    return call;
  }).catch((error) => error);
  await clock.advance(60);
  assertEquals(inner.map(({ number }) => number), [1, 2]);
  assertEquals(inner.map(({ remaining }) => remaining), [140, 140]);
  for (const { lastFailure } of inner) assertStrictEquals(lastFailure?.error, error);
  const timeout = await clock.run(result);
  for (const { signal } of inner) {
    assert(signal.aborted);
    assertStrictEquals(signal.reason, timeout);
  }
});

Deno.test("hedge() reports the progress of its calls to the attempt around it", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ idleTimeout: 100, exceptions: [], maxTries: 1, clock });
  const seen: unknown[] = [];
  const load = hedge({ after: 1000, clock })(async () => {
    const attempt = currentAttempt();
    await clock.sleep(80);
    attempt.progress("half");
    seen.push(attempt.checkpoint);
    await clock.sleep(80);
    // A stream has an execution of its own, so a hedge has nothing to end.
    seen.push((attempt as RunningAttempt)[CONTROL].report("item", true));
    return "loaded";
  });
  const value = await clock.run(backoff.execute(async (attempt) => {
    const value = await load();
    seen.push(attempt.checkpoint);
    return value;
  }));
  assertEquals([value, clock.now()], ["loaded", 160]);
  assertEquals(seen, ["half", true, "half"]);
});

Deno.test("hedge() takes progress without an attempt around it", async () => {
  const load = hedge({ after: 1000 })(() => {
    currentAttempt().progress("half");
    return Promise.resolve(currentAttempt().checkpoint);
  });
  assertEquals(await load(), "half");
});
