// The options of a policy: how they are read, and the meaning of null, Infinity and 0.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  Backoff,
  type BackoffOptions,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { OPTION_NAMES } from "../../../src/policy/options.ts";

/** Options as a caller without types may give them. */
const untyped = (options: unknown) => options as BackoffOptions;

/** Every way to give options by name. */
const entries: [name: string, make: (options: BackoffOptions) => AsyncDecorator][] = [
  ["Backoff()", (options) => new Backoff(options).wrap],
  ["Backoff.with()", (options) => new Backoff({ exceptions: [] }).with(options).wrap],
  ["asyncbackoff() by name", (options) => asyncbackoff(options)],
  ["asyncbackoff() after positions", (options) => asyncbackoff(null, null, options)],
  ["asyncretry()", (options) => asyncretry(null, options)],
];

/** Plays a failure at 10 s and a value at 20 s. Any limit or bound would change that. */
async function playTwoAttempts(options: BackoffOptions) {
  const clock = new TestClock();
  const starts: number[] = [];
  const backoff = new Backoff({ exceptions: [TypeError], clock, ...options });
  const result = backoff.execute(async ({ number }) => {
    starts.push(clock.now());
    await sleep(10_000, { clock });
    if (number === 1) throw new TypeError("first");
    return "value";
  });
  const outcome = await clock.run(result.catch((error) => error));
  clock.close();
  return { outcome, starts, endedAt: clock.now() };
}

Deno.test("OPTION_NAMES lists every option, in the order of messages", () => {
  assertEquals(OPTION_NAMES, [
    "attemptTimeout",
    "deadline",
    "pause",
    "minRemaining",
    "exceptions",
    "until",
    "maxTries",
    "giveup",
    "budget",
    "retryExhausted",
    "idleTimeout",
    "resetAfter",
    "grace",
    "signal",
    "observe",
    "clock",
    "name",
  ]);
});

// Absent, unlimited and 0.

Deno.test("Backoff() treats null and undefined as absent, for every option", async () => {
  const optional = ["attemptTimeout", "deadline", "pause", "maxTries", "giveup", "grace"];
  const more = ["minRemaining", "until", "budget", "retryExhausted", "idleTimeout"];
  for (const name of [...optional, ...more, "resetAfter", "signal", "observe", "name"]) {
    for (const absent of [null, undefined]) {
      const played = await playTwoAttempts({ [name]: absent });
      const expected = { outcome: "value", starts: [0, 10_000], endedAt: 20_000 };
      assertEquals(played, expected, `${name}: ${absent}`);
    }
  }
});

Deno.test("Backoff() retries timeouts only when 'exceptions' is null, undefined or empty", async () => {
  for (const absent of [null, undefined, []]) {
    const { outcome, starts } = await playTwoAttempts({ exceptions: absent });
    assertInstanceOf(outcome, TypeError, `${absent}`);
    assertEquals(starts, [0], `${absent}`);
  }
});

Deno.test("Backoff() uses the system's clock when 'clock' is null or undefined", async () => {
  const time = new FakeTime(0);
  try {
    for (const absent of [null, undefined]) {
      const result = new Backoff({ deadline: 100, clock: absent }).execute(() =>
        new Promise(() => {})
      );
      const rejected = assertRejects(() => result, TimeoutError, "deadline of 100 ms");
      await time.tickAsync(100);
      await rejected;
    }
    assertEquals(time.now, 200);
  } finally {
    time.restore();
  }
});

Deno.test("Backoff() gives no grace when 'grace' is null or undefined", async () => {
  for (const absent of [null, undefined]) {
    const clock = new TestClock();
    const starts: number[] = [];
    const backoff = new Backoff({ attemptTimeout: 100, grace: absent, clock });
    await clock.run(backoff.execute(({ number }) => {
      starts.push(clock.now());
      return number === 2 ? "value" : new Promise(() => {});
    }));
    assertEquals(starts, [0, 100], `${absent}`);
    clock.close();
  }
});

Deno.test("Backoff() treats Infinity as no limit", async () => {
  for (const name of ["attemptTimeout", "deadline", "maxTries", "grace"]) {
    const played = await playTwoAttempts({ [name]: Infinity });
    const expected = { outcome: "value", starts: [0, 10_000], endedAt: 20_000 };
    assertEquals(played, expected, name);
  }
});

Deno.test("Backoff() fails every attempt at once when the attempt timeout is 0", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ attemptTimeout: 0, maxTries: 2, exceptions: [], clock });
  const result = backoff.execute(() => "never called");
  const error = await assertRejects(() => clock.run(result), TimeoutError);
  assertEquals([error.limit, error.ms], ["attempt", 0]);
  assertEquals([backoff.statistic.attempts, clock.now()], [2, 0]);
  clock.close();
});

Deno.test("Backoff() never calls the function when the deadline is 0", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ deadline: 0, exceptions: [Error], clock });
  const result = backoff.execute(() => "never called");
  const error = await assertRejects(() => clock.run(result), TimeoutError);
  assertEquals([error.limit, error.ms], ["deadline", 0]);
  assertEquals([backoff.statistic.attempts, clock.now()], [0, 0]);
  clock.close();
});

Deno.test("Backoff() counts the first attempt in 'maxTries'", async () => {
  for (const maxTries of [1, 2, 3]) {
    const clock = new TestClock();
    const backoff = new Backoff({ maxTries, pause: 100, exceptions: "all", clock });
    const result = backoff.execute(({ number }) => Promise.reject(number));
    assertEquals(await clock.run(result.catch((error) => error)), maxTries);
    assertEquals(backoff.statistic.attempts, maxTries);
    assertEquals(clock.now(), 100 * (maxTries - 1));
    clock.close();
  }
});

// Reading.

Deno.test("Backoff() and the decorators ignore later changes of their options", async () => {
  for (const [name, make] of entries) {
    const clock = new TestClock();
    const classes: (new () => Error)[] = [RangeError];
    const options: BackoffOptions = { maxTries: 3, pause: 100, exceptions: classes, clock };
    const wrap = make(options);
    classes[0] = TypeError;
    classes.push(SyntaxError);
    Object.assign(options, { maxTries: 1, pause: NaN, exceptions: "none", clock: null });
    const fail = wrap(() => Promise.reject(new RangeError("listed")));
    await assertRejects(() => clock.run(fail()), RangeError, "listed", name);
    assertEquals([wrap.statistic.attempts, clock.now()], [3, 200], name);
    const other = wrap(() => Promise.reject(new SyntaxError("not listed")));
    await assertRejects(() => clock.run(other()), SyntaxError, "not listed", name);
    assertEquals(wrap.statistic.attempts, 4, name);
    clock.close();
  }
});

Deno.test("Backoff() and the decorators leave the caller's options unchanged, frozen or not", () => {
  for (const [name, make] of entries) {
    const frozen = { maxTries: null, pause: 100, exceptions: Object.freeze([TypeError]) };
    make(Object.freeze(frozen));
    const options = { ...frozen, exceptions: [TypeError] };
    const before = Object.getOwnPropertyDescriptors({ ...options });
    make(options);
    assertEquals(Object.getOwnPropertyDescriptors(options), before, name);
    assertEquals(options.exceptions, [TypeError], name);
    assert(Object.isExtensible(options) && Object.isExtensible(options.exceptions), name);
  }
});

for (const [name, make] of entries) {
  Deno.test(`${name} reads each option once`, () => {
    const reads: string[] = [];
    const values: Required<BackoffOptions> = {
      attemptTimeout: null,
      deadline: null,
      pause: 100,
      minRemaining: null,
      exceptions: [TypeError],
      until: () => true,
      maxTries: null,
      giveup: () => false,
      budget: new TokenBudget(),
      retryExhausted: true,
      idleTimeout: 100,
      resetAfter: 100,
      grace: 100,
      signal: new AbortController().signal,
      observe: () => {},
      clock: { now: () => 0, sleep: () => Promise.resolve() },
      name: "load",
    };
    const options = {};
    for (const [key, value] of Object.entries(values)) {
      const get = () => {
        reads.push(key);
        return value;
      };
      Object.defineProperty(options, key, { get, enumerable: true });
    }
    make(options);
    assertEquals(reads.sort(), Object.keys(values).sort());
  });

  Deno.test(`${name} reads options that an object inherits`, async () => {
    const clock = new TestClock();
    class Settings {
      get deadline() {
        return 100;
      }
    }
    const options = Object.assign(new Settings(), { clock });
    const result = make(options)(() => sleep(1000, { clock }))();
    await assertRejects(() => clock.run(result), TimeoutError, "deadline of 100 ms");
    await clock.advance(900);
    clock.close();
  });
}

for (const [name, make] of entries) {
  Deno.test(`${name} retries the exceptions that an object inherits`, async () => {
    const clock = new TestClock();
    class Settings {
      get exceptions() {
        return [TypeError];
      }
      get pause() {
        return [100, 200];
      }
    }
    const wrap = make(Object.assign(new Settings(), { clock }));
    let calls = 0;
    const result = wrap(() => Promise.reject(++calls < 4 ? new TypeError() : "down"))();
    assertEquals(await clock.run(result.catch((error) => error)), "down");
    assertEquals([calls, clock.now()], [4, 500]);
    clock.close();
  });
}

Deno.test("Backoff() accepts options without a prototype", async () => {
  const options = Object.assign(Object.create(null), { maxTries: 2 });
  const backoff = new Backoff({ ...options, exceptions: "all" });
  assertEquals(await backoff.execute(() => "value"), "value");
  Object.assign(options, { tries: 2 });
  assertThrows(() => new Backoff(options), TypeError, "did you mean 'maxTries: 2'");
});

Deno.test("asyncbackoff() and asyncretry() check options as Backoff() does, before any call", () => {
  for (const [name, make] of entries) {
    const wrong = (options: unknown) => () => make(untyped(options));
    const grace = "Cannot make a policy: option 'grace' must be a number";
    assertThrows(wrong({ grace: NaN }), RangeError, grace, name);
    assertThrows(wrong({ grace: "1" }), TypeError, grace, name);
    const timeout = "Cannot make a policy: unknown option 'timeout'";
    assertThrows(wrong({ timeout: 1 }), TypeError, timeout, name);
  }
});

Deno.test("Backoff() and the decorators throw the very error that a getter of the options throws", () => {
  const boom = new Error("boom");
  const throws = () => {
    throw boom;
  };
  const hostile = [
    Object.defineProperty({}, "pause", { get: throws, enumerable: true }),
    new Proxy({}, { ownKeys: throws }),
    new Proxy({ pause: 100 }, { get: throws }),
  ];
  for (const [name, make] of entries) {
    for (const [index, options] of hostile.entries()) {
      assertStrictEquals(assertThrows(() => make(options)), boom, `${name}, row ${index}`);
    }
  }
});
