// The cases of the original's own test file (aiomisc, tests/test_backoff.py), by their
// names, on a test clock. Where the original asserts "at least" or "about", instants are
// exact here.

import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { asyncbackoff, asyncretry, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

class Retry extends Error {}

/** A function that takes `ms` and then throws, for its first `times` calls. */
function failing(clock: TestClock, ms: number, times = 500) {
  const calls: number[] = [];
  const fn = async () => {
    if (calls.length >= times) return;
    calls.push(clock.now());
    await clock.sleep(ms);
    throw new Retry("not enough mana");
  };
  return { calls, fn };
}

/** Runs until the promise rejects, and returns its error. */
function errorOf(clock: TestClock, promise: Promise<unknown>): Promise<unknown> {
  return clock.run(promise.then(() => "no error", (error) => error));
}

Deno.test("asyncbackoff() behaves as in test_kwargs", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 5000);
  const guaranteed = asyncbackoff({
    attemptTimeout: 500,
    deadline: 500,
    pause: 0,
    exceptions: [Error],
    clock,
  });

  assertInstanceOf(await errorOf(clock, guaranteed(fn)()), TimeoutError);
  assertEquals(clock.now(), 500);
  assertInstanceOf(await errorOf(clock, guaranteed(fn)()), TimeoutError);
  assertEquals(clock.now(), 1000);
  assertEquals(calls, [0, 500]);
});

Deno.test("asyncbackoff() behaves as in test_simple", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 50, 5);

  await clock.run(asyncbackoff(100, 1000, 0, Error, { clock })(fn)());

  assertEquals(calls, [0, 50, 100, 150, 200]);
  assertEquals(clock.now(), 250);
});

Deno.test("asyncbackoff() behaves as in test_simple_fail", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 50);

  const error = await errorOf(clock, asyncbackoff(100, 500, { clock })(fn)());

  assertInstanceOf(error, Retry); // only timeouts are retried
  assertEquals(calls, [0]);
  assertEquals(clock.now(), 50);
});

Deno.test("asyncbackoff() behaves as in test_too_long and test_too_long_multiple", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 5000);
  const guaranteed = asyncbackoff(500, 500, 0, Error, { clock })(fn);

  assertInstanceOf(await errorOf(clock, guaranteed()), TimeoutError);
  assertEquals(clock.now(), 500);
  assertEquals(calls, [0]);
  assertInstanceOf(await errorOf(clock, guaranteed()), TimeoutError);
  assertEquals(clock.now(), 1000);
  assertEquals(calls, [0, 500]);
});

Deno.test("asyncbackoff() behaves as in test_too_long_multiple_times", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 5000);

  const error = await errorOf(clock, asyncbackoff(60, 500, 0, Error, { clock })(fn)());

  assertInstanceOf(error, TimeoutError);
  assertEquals(calls, [0, 60, 120, 180, 240, 300, 360, 420, 480]);
  assertEquals(clock.now(), 500);
});

Deno.test("asyncbackoff() behaves as in test_exit", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 5000);

  const error = await errorOf(clock, asyncbackoff(50, 0, { clock })(fn)());

  assertInstanceOf(error, TimeoutError);
  assertEquals(calls, []);
  assertEquals(clock.now(), 0);
});

Deno.test("asyncbackoff() behaves as in test_pause", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 200);

  const error = await errorOf(clock, asyncbackoff(50, 1200, 350, { clock })(fn)());

  assertInstanceOf(error, TimeoutError);
  assertEquals(calls, [0, 400, 800]);
  assertEquals(clock.now(), 1200);
});

Deno.test("asyncbackoff() behaves as in test_no_waterline", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 100);

  const error = await errorOf(clock, asyncbackoff(null, 1000, 0, Error, { clock })(fn)());

  assertInstanceOf(error, Retry);
  assertEquals(calls, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  assertEquals(clock.now(), 1000);
});

for (const longest of [500, 1000]) {
  Deno.test(`asyncbackoff() behaves as in test_no_deadline with ${longest}`, async () => {
    const clock = new TestClock();
    const attempts = longest / 100;
    let calls = 0;
    const guaranteed = asyncbackoff(150, null, 0, Error, { clock });

    await clock.run(guaranteed(() => clock.sleep(longest - 100 * calls++))());

    assertEquals(calls, attempts);
    assertEquals(clock.now(), 150 * (attempts - 1) + 100);
  });
}

Deno.test("asyncbackoff() behaves as in test_values", () => {
  assertThrows(() => asyncbackoff(-1, 1), RangeError, "'attemptTimeout'");
  assertThrows(() => asyncbackoff(0, -1), RangeError, "'deadline'");
  assertThrows(() => asyncbackoff(0, 0, -0.1), RangeError, "'pause'");
  // The original takes coroutine functions only. Here, any returned value is awaited.
});

for (const maxTries of [1, 2, 5]) {
  Deno.test(`asyncbackoff() behaves as in test_max_tries with ${maxTries}`, async () => {
    const clock = new TestClock();
    const { calls, fn } = failing(clock, 0);

    const guaranteed = asyncbackoff(500, 500, 0, Error, { maxTries, clock });

    assertInstanceOf(await errorOf(clock, guaranteed(fn)()), Retry);
    assertEquals(calls.length, maxTries);
  });

  Deno.test(`asyncbackoff() behaves as in test_giveup with ${maxTries}`, async () => {
    const clock = new TestClock();
    const { calls, fn } = failing(clock, 0);
    let asked: unknown;
    const giveup = (error: unknown) => {
      asked = error;
      return calls.length >= maxTries;
    };

    const guaranteed = asyncbackoff(500, 500, 0, Error, { giveup, clock });
    const error = await errorOf(clock, guaranteed(fn)());

    assertInstanceOf(error, Retry);
    assertStrictEquals(asked, error);
    assertEquals(calls.length, maxTries);
  });
}

Deno.test("asyncbackoff() behaves as in test_last_exception_is_last", async () => {
  const clock = new TestClock();
  const last = new Retry("the last one");
  let calls = 0;

  const error = await errorOf(
    clock,
    asyncbackoff(1000, 2000, 0, { clock })(async () => {
      calls += 1;
      if (calls === 1) await clock.sleep(1500); // past its timeout
      throw last;
    })(),
  );

  assertStrictEquals(error, last);
  assertEquals(calls, 2);
  assertEquals(clock.now(), 1000);
  await clock.advance(500); // the abandoned call ends, and changes nothing
});

Deno.test("asyncbackoff() behaves as in test_asyncbackoff_retry", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 0);
  const guaranteed = asyncbackoff(null, null, 0, Error, { maxTries: 5, clock });

  assertInstanceOf(await errorOf(clock, guaranteed(fn)()), Retry);
  assertEquals(calls.length, 5);
});

Deno.test("asyncretry() behaves as in test_asyncretry", async () => {
  const clock = new TestClock();
  const { calls, fn } = failing(clock, 0);

  assertInstanceOf(await errorOf(clock, asyncretry(5, { clock })(fn)()), Retry);
  assertEquals(calls.length, 5);
});

Deno.test("asyncretry() behaves as in test_asyncretry_class, on the default clock", async () => {
  let calls = 0;
  class Foo {
    @asyncretry(5)
    async test(): Promise<void> {
      calls += 1;
      return await Promise.reject(new Retry("again"));
    }
  }
  const foo = new Foo();

  await assertRejects(() => foo.test(), Retry, "again");
  assertEquals(calls, 5);
});
