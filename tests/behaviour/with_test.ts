// A policy with some options replaced.

import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asyncbackoff,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  ResultError,
  retry,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const failure = new Error("down");
const fail = () => Promise.reject(failure);
const hang = () => new Promise<never>(() => {});

/** The error that a promise rejects with. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no error", (error) => error);
}

Deno.test("Backoff.with() replaces the options that are given, and keeps the others", async () => {
  const clock = new TestClock();
  const base = new Backoff({ exceptions: "all", maxTries: 2, pause: 100, clock });
  const patient = base.with({ maxTries: 4 });

  await clock.run(errorOf(patient.execute(fail)));

  assertEquals([clock.now(), base.statistic.attempts], [300, 4]);
  clock.close();
});

Deno.test("Backoff.with() changes nothing about the policy that it is called on", async () => {
  const clock = new TestClock();
  const base = new Backoff({ exceptions: "all", maxTries: 2, pause: 100, clock });
  base.with({ exceptions: [], maxTries: 9, pause: 1, deadline: 1 });

  await clock.run(errorOf(base.execute(fail)));

  assertEquals([clock.now(), base.statistic.attempts], [100, 2]);
  clock.close();
});

Deno.test("Backoff.with() has the same statistic, in both directions and through every chain", async () => {
  const base = new Backoff({ exceptions: "all", maxTries: 2 });
  const policies = [
    base,
    base.with({}),
    base.with({ maxTries: 3 }).with({ name: "third" }),
  ];
  for (const policy of policies) {
    assertStrictEquals(policy.statistic, base.statistic);
    assertStrictEquals(policy.wrap.statistic, base.statistic);
    await errorOf(policy.execute(fail));
    await errorOf(policy.wrap(fail)());
  }
  assertEquals(base.statistic.attempts, 4 + 4 + 6);
  policies[2]?.statistic.reset();
  assertEquals(base.statistic.attempts, 0);
});

Deno.test("Backoff.with() keeps an option that is undefined, and restores the default of one that is null", async () => {
  const clock = new TestClock();
  const base = new Backoff({ deadline: 100, attemptTimeout: 30, exceptions: "all", clock });

  const kept = await clock.run(
    errorOf(base.with({ deadline: undefined, attemptTimeout: undefined }).execute(hang)),
  );
  assertInstanceOf(kept, TimeoutError);
  assertEquals([kept.limit, clock.now()], ["attempt", 100]);

  const restored = await clock.run(
    errorOf(base.with({ attemptTimeout: null }).execute(hang)),
  );
  assertInstanceOf(restored, TimeoutError);
  assertEquals([restored.limit, clock.now()], ["deadline", 200]);
  clock.close();
});

Deno.test("Backoff.with() restores the default of every option", async () => {
  const { signal } = new AbortController();
  const options: Required<BackoffOptions> = {
    attemptTimeout: 10,
    deadline: 20,
    pause: 30,
    minRemaining: 40,
    exceptions: [],
    until: () => false,
    maxTries: 2,
    giveup: () => true,
    budget: { mayRetry: () => false },
    retryExhausted: false,
    idleTimeout: 60,
    resetAfter: 70,
    grace: 50,
    signal,
    observe: () => {
      throw new Error("the observer was kept");
    },
    clock: { now: () => NaN, sleep: () => Promise.reject("the clock was kept") },
    name: "kept",
  };
  const nothing = Object.fromEntries(Object.keys(options).map((name) => [name, null]));

  assertEquals(await new Backoff(options).with(nothing).execute(() => "value"), "value");
});

Deno.test("Backoff.with() replaces callbacks, so that those of the first policy are not called", async () => {
  const told: string[] = [];
  const note = (who: string) => ({ type }: BackoffEvent) =>
    void told.push(`${who}: ${type}`);
  const base = new Backoff({ observe: note("first"), until: () => true });

  const error = await errorOf(
    base.with({ observe: note("second"), until: () => false, maxTries: 1 })
      .execute(() => "value"),
  );

  assertInstanceOf(error, ResultError);
  assertEquals(told, ["second: attempt", "second: failure", "second: done"]);
});

Deno.test("Backoff.with() keeps the signal of the first policy, or replaces it", async () => {
  const first = AbortSignal.abort("the first");
  const second = AbortSignal.abort("the second");
  const base = new Backoff({ signal: first });

  assertEquals(await errorOf(base.with({ deadline: 100 }).execute(hang)), "the first");
  assertEquals(await errorOf(base.with({ signal: second }).execute(hang)), "the second");
  assertEquals(await base.with({ signal: null }).execute(() => "value"), "value");
});

Deno.test("Backoff.with() asks for the errors to retry when the first policy had no rules for retries", async () => {
  const base = new Backoff({ deadline: 1000 });
  assertThrows(() => base.with({ maxTries: 3 }), TypeError, "it must say what it retries");

  const retrying = base.with({ maxTries: 3, exceptions: "all" });
  await errorOf(retrying.execute(fail));
  assertEquals(base.statistic.attempts, 3);

  assertThrows(
    () => retrying.with({ exceptions: null }),
    TypeError,
    "it must say what it retries",
  );
});

Deno.test("Backoff.with() refuses wrong and unknown options", () => {
  const base = new Backoff({ exceptions: "all" });
  const rows: [options: unknown, message: string][] = [
    [{ retries: 3 }, "Cannot make a policy: unknown option 'retries', did you mean"],
    [{ maxTries: 0 }, "option 'maxTries' must be an integer >= 1"],
    [{ deadline: "5s" }, "option 'deadline' must be a number of milliseconds >= 0"],
    [undefined, "Cannot make a policy: the options must be an object, got undefined"],
    [null, "Cannot make a policy: the options must be an object, got null"],
    [3, "Cannot make a policy: the options must be an object, got 3"],
  ];
  for (const [options, message] of rows) {
    assertThrows(() => base.with(options as BackoffOptions), Error, message);
  }
});

Deno.test("Backoff.with() is unaffected by later changes to the caller's objects", async () => {
  const clock = new TestClock();
  const pause = [100];
  const exceptions = [Error];
  const options: BackoffOptions = { exceptions, maxTries: 2, pause, clock };
  const changes: BackoffOptions = { maxTries: 3 };
  const base = new Backoff(options);
  const changed = base.with(changes);
  Object.assign(options, { maxTries: 9, pause: 7, exceptions: [] });
  Object.assign(changes, { maxTries: 9, pause: 7 });
  pause[0] = 7;
  exceptions.pop();

  await clock.run(errorOf(base.with({}).execute(fail)));
  assertEquals([base.statistic.attempts, clock.now()], [2, 100]);
  await clock.run(errorOf(changed.execute(fail)));
  assertEquals([base.statistic.attempts, clock.now()], [5, 300]);
  clock.close();
});

Deno.test("Every notation, and Backoff.with(), keep options that an object inherits", async () => {
  const clock = new TestClock();
  class Options implements BackoffOptions {
    readonly exceptions = "all";
    get maxTries(): number {
      return 2;
    }
    get clock(): TestClock {
      return clock;
    }
  }
  const base = new Backoff(new Options());
  const policies: [how: string, run: () => Promise<unknown>][] = [
    ["Backoff", () => base.execute(fail)],
    ["with", () => base.with({ name: "load" }).execute(fail)],
    ["with its own", () => base.with({ maxTries: 9 }).with(new Options()).execute(fail)],
  ];
  for (const [how, run] of policies) {
    base.statistic.reset();
    const result = errorOf(run());
    await clock.advance(100);
    assertEquals([how, base.statistic.attempts, await result], [how, 2, failure]);
  }
  const { statistic, wrapped } = ((decorate) => ({
    statistic: decorate.statistic,
    wrapped: decorate(fail),
  }))(asyncbackoff(new Options()));
  const result = errorOf(wrapped());
  await clock.advance(100);
  assertEquals([statistic.attempts, await result], [2, failure]);

  let calls = 0;
  const single = errorOf(retry(() => (calls += 1, fail()), new Options()));
  await clock.advance(100);
  assertEquals([calls, await single], [2, failure]);
  clock.close();
});
