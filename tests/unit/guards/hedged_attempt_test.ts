// The attempts of a hedge: what each call sees of its own, and of the attempt around the hedge.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  Backoff,
  currentAttempt,
  currentAttemptOrNull,
} from "@asyncbackoff/asyncbackoff";
import { hedge } from "@asyncbackoff/asyncbackoff/guards";
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
