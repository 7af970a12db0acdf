// The options: what is accepted, what is refused and how it is said (rows O1 to O9).

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

type OptionName = keyof BackoffOptions;

/** Options as a caller without types may give them. */
const untyped = (options: unknown) => options as BackoffOptions;
const now = () => 0;
const wait = () => Promise.resolve();

/** Every way to give options by name. */
const entries: [name: string, make: (options: BackoffOptions) => AsyncDecorator][] = [
  ["Backoff()", (options) => new Backoff(options).wrap],
  ["asyncbackoff() by name", (options) => asyncbackoff(options)],
  ["asyncbackoff() behind positions", (options) => asyncbackoff(null, null, options)],
  ["asyncretry()", (options) => asyncretry(null, options)],
];

/** A failure at 10 s, then a value at 20 s: any limit or bound would show. */
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

const number = "a number of milliseconds >= 0";
const pause = "a finite number of milliseconds >= 0, or a function that returns one";
const maxTries = "an integer >= 1";
const exceptions = 'an array of classes, or "all"';
const budget = "an object with the functions 'began', 'failed', 'succeeded', 'mayRetry'";
const clock = "an object with the functions 'now' and 'sleep'";

const wrongKinds: [OptionName, value: unknown, rule: string, shown: string][] = [
  ["attemptTimeout", "100", number, '"100"'],
  ["attemptTimeout", 100n, number, "100n"],
  ["attemptTimeout", [100], number, "an array of 1"],
  ["attemptTimeout", () => 100, number, "function"],
  ["deadline", "1s", number, '"1s"'],
  ["deadline", 100n, number, "100n"],
  ["deadline", new Date(100), number, "an object"],
  ["deadline", false, number, "false"],
  ["grace", "0", number, '"0"'],
  ["grace", Symbol("grace"), number, "Symbol(grace)"],
  ["pause", "100", pause, '"100"'],
  ["pause", 100n, pause, "100n"],
  ["pause", [100, 200], pause, "an array of 2"],
  ["pause", { ms: 100 }, pause, "an object"],
  ["maxTries", "3", maxTries, '"3"'],
  ["maxTries", 3n, maxTries, "3n"],
  ["maxTries", true, maxTries, "true"],
  ["exceptions", TypeError, exceptions, "function TypeError"],
  ["exceptions", "ALL", exceptions, '"ALL"'],
  ["exceptions", new Set([TypeError]), exceptions, "an object"],
  ["exceptions", true, exceptions, "true"],
  ["exceptions", [TypeError, [RangeError]], exceptions, "an array of 1"],
  ["exceptions", ["TypeError"], exceptions, '"TypeError"'],
  ["exceptions", [new TypeError("an instance")], exceptions, "an object"],
  ["exceptions", [undefined], exceptions, "undefined"],
  ["exceptions", [() => true], exceptions, "function"],
  ["exceptions", [async function named() {}], exceptions, "function named"],
  ["giveup", true, "a function", "true"],
  ["giveup", [() => true], "a function", "an array of 1"],
  ["budget", 0.2, budget, "0.2"],
  ["budget", () => true, budget, "function"],
  ["budget", TokenBudget, budget, "function TokenBudget"],
  ["budget", { share: 0.2 }, budget, "an object"],
  ["budget", { began() {}, failed() {}, succeeded() {} }, budget, "an object"],
  ["budget", { began() {}, failed() {}, mayRetry() {} }, budget, "an object"],
  ["budget", { began() {}, succeeded() {}, mayRetry() {} }, budget, "an object"],
  ["budget", { failed() {}, succeeded() {}, mayRetry() {} }, budget, "an object"],
  ["budget", false, budget, "false"],
  ["observe", "log", "a function", '"log"'],
  ["observe", { next() {} }, "a function", "an object"],
  ["signal", true, "an AbortSignal", "true"],
  ["signal", new EventTarget(), "an AbortSignal", "an object"],
  ["signal", { aborted: false }, "an AbortSignal", "an object"],
  ["signal", { aborted: false, addEventListener() {} }, "an AbortSignal", "an object"],
  ["signal", { aborted: false, removeEventListener() {} }, "an AbortSignal", "an object"],
  ["clock", 0, clock, "0"],
  // What is false is not absent.
  ["attemptTimeout", false, number, "false"],
  ["pause", "", pause, '""'],
  ["maxTries", "", maxTries, '""'],
  ["exceptions", "", exceptions, '""'],
  ["giveup", false, "a function", "false"],
  ["observe", 0, "a function", "0"],
  ["signal", false, "an AbortSignal", "false"],
  ["clock", {}, clock, "an object"],
  ["clock", Date, clock, "function Date"],
  ["clock", { now }, clock, "an object"],
  ["clock", { sleep: wait }, clock, "an object"],
  ["clock", { now: 0, sleep: wait }, clock, "an object"],
  ["clock", { now, sleep: wait, after: 100 }, clock, "an object"],
];

Deno.test("Backoff() throws TypeError when an option is of the wrong kind", () => {
  for (const [index, [name, value, rule, shown]] of wrongKinds.entries()) {
    const row = `row ${index}: ${name}, ${shown}`;
    const make = () => new Backoff(untyped({ [name]: value }));
    const { message } = assertThrows(make, TypeError, undefined, row);
    assertStringIncludes(message, `'${name}' must be ${rule}`, row);
    assertStringIncludes(message, `current value is ${shown}`, row);
  }
});

const wrongValues: [OptionName, value: number, rule: string][] = [
  ["attemptTimeout", NaN, number],
  ["attemptTimeout", -1, number],
  ["attemptTimeout", -Infinity, number],
  ["deadline", NaN, number],
  ["deadline", -0.5, number],
  ["grace", NaN, number],
  ["grace", -1, number],
  ["pause", NaN, pause],
  ["pause", -1, pause],
  ["pause", Infinity, pause],
  ["maxTries", NaN, maxTries],
  ["maxTries", 0, maxTries],
  ["maxTries", -1, maxTries],
  ["maxTries", 2.5, maxTries],
  ["maxTries", -Infinity, maxTries],
];

Deno.test("Backoff() throws RangeError when an option is of the wrong value", () => {
  for (const [name, value, rule] of wrongValues) {
    const row = `${name}: ${value}`;
    const make = () => new Backoff({ [name]: value });
    const { message } = assertThrows(make, RangeError, undefined, row);
    assertStringIncludes(message, `'${name}' must be ${rule}`, row);
    assertStringIncludes(message, `current value is ${value}`, row);
  }
});

Deno.test("asyncbackoff() and asyncretry() check options as Backoff() does, before any call", () => {
  for (const [name, make] of entries) {
    assertThrows(() => make({ grace: NaN }), RangeError, "'grace'", name);
    assertThrows(() => make(untyped({ grace: "1" })), TypeError, "'grace'", name);
    assertThrows(() => make(untyped({ timeout: 1 })), TypeError, "'timeout'", name);
  }
});

const unknownKeys: [key: string, value: unknown, hint: string][] = [
  ["retries", 3, "did you mean 'maxTries: 4', in which the first try counts?"],
  ["maxRetries", 0, "did you mean 'maxTries: 1', in which the first try counts?"],
  ["max_retries", 3, "did you mean 'maxTries: 4'"],
  ["retries", Infinity, "did you mean 'maxTries: Infinity'"],
  ["retries", "3", "did you mean 'maxTries'?"],
  ["retries", -1, "did you mean 'maxTries'?"],
  ["attempts", 3, "did you mean 'maxTries: 3'"],
  ["maxAttempts", 3, "did you mean 'maxTries: 3'"],
  ["maxtries", 3, "did you mean 'maxTries: 3'"],
  ["timeout", 100, "did you mean 'attemptTimeout'?"],
  ["attempttimeout", 100, "did you mean 'attemptTimeout'?"],
  ["attempt_timeout", 100, "did you mean 'attemptTimeout'?"],
  ["Deadline", 100, "did you mean 'deadline'?"],
  ["delay", 100, "did you mean 'pause'?"],
  ["minTimeout", 100, "did you mean 'pause'?"],
  ["interval", 100, "did you mean 'pause'?"],
  ["maxElapsedTime", 100, "did you mean 'deadline'?"],
  ["retryOn", [Error], "did you mean 'exceptions'?"],
  ["gracePeriod", 100, "did you mean 'grace'?"],
  ["onRetry", () => {}, "did you mean 'observe'?"],
  ["giveUp", () => true, "did you mean 'giveup'?"],
  ["shouldRetry", () => true, "did you mean 'giveup', which says when to stop?"],
  ["retryBudget", null, "did you mean 'budget'?"],
  ["tokenBucket", null, "did you mean 'budget'?"],
  ["retryThrottling", { maxTokens: 10 }, "did you mean 'budget'?"],
  ["deadline ", 100, "did you mean 'deadline'?"],
  [
    "jitter",
    true,
    "the options are attemptTimeout, deadline, pause, exceptions, maxTries,",
  ],
  ["constructor", null, "the options are attemptTimeout,"],
  ["__proto__", 100, "the options are attemptTimeout,"],
  ["retries", undefined, "did you mean 'maxTries'?"],
];

Deno.test("Backoff() throws TypeError that names the likely option when a key is unknown", () => {
  for (const [index, [key, value, hint]] of unknownKeys.entries()) {
    const row = `row ${index}: ${key}`;
    const make = () => new Backoff(untyped({ maxTries: 2, [key]: value }));
    const { message } = assertThrows(make, TypeError, undefined, row);
    assertStringIncludes(message, `'${key}' is none of them: ${hint}`, row);
  }
});

const noOptions: [what: string, value: unknown][] = [
  ["a number", 3],
  ["a string", "all"],
  ["an array", [{ maxTries: 3 }]],
  ["a function", () => ({ maxTries: 3 })],
  ["a symbol", Symbol("options")],
  // Objects of another kind have no key to be unknown: a limit would be lost in silence.
  ["an error", new TypeError("an instance")],
  ["a Map", new Map([["deadline", 100]])],
  ["a promise", Promise.resolve({ deadline: 100 })],
];

for (const [what, value] of noOptions) {
  Deno.test(`Backoff() throws TypeError when its options are ${what}`, () => {
    assertThrows(() => new Backoff(untyped(value)), TypeError, "the options", what);
  });
}

Deno.test("Backoff() throws TypeError when its options are a signal, or their signal a controller", () => {
  const controller = new AbortController(); // not in the tables: a worker makes none at load
  const { signal } = controller;
  assertThrows(() => new Backoff(untyped(signal)), TypeError, "the options");
  const options = untyped({ signal: controller });
  assertThrows(() => new Backoff(options), TypeError, "'signal' must be an AbortSignal");
});

Deno.test("Backoff() takes null and undefined for absent, whatever the option", async () => {
  const optional = ["attemptTimeout", "deadline", "pause", "maxTries", "giveup", "grace"];
  for (const name of [...optional, "budget", "signal", "observe"]) {
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

Deno.test("Backoff() takes the system's clock when 'clock' is null or undefined", async () => {
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

Deno.test("Backoff() takes no grace when 'grace' is null or undefined", async () => {
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

Deno.test("Backoff() takes Infinity for no limit and no bound", async () => {
  for (const name of ["attemptTimeout", "deadline", "maxTries", "grace"]) {
    const played = await playTwoAttempts({ [name]: Infinity });
    const expected = { outcome: "value", starts: [0, 10_000], endedAt: 20_000 };
    assertEquals(played, expected, name);
  }
});

Deno.test("Backoff() takes an attempt timeout of 0 for one that nothing can keep", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ attemptTimeout: 0, maxTries: 2, clock });
  const result = backoff.execute(() => "never called");
  const error = await assertRejects(() => clock.run(result), TimeoutError);
  assertEquals([error.limit, error.ms], ["attempt", 0]);
  assertEquals([backoff.statistic.attempts, clock.now()], [2, 0]);
  clock.close();
});

Deno.test("Backoff() takes a deadline of 0 for one that has passed", async () => {
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

Deno.test("Backoff() and the decorators go by the options as they were when it was made", async () => {
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
    const other = wrap(() => Promise.reject(new SyntaxError("nonRetryable")));
    await assertRejects(() => clock.run(other()), SyntaxError, "nonRetryable", name);
    assertEquals(wrap.statistic.attempts, 4, name);
    clock.close();
  }
});

Deno.test("Backoff() and the decorators leave the caller's options as they are, frozen or not", () => {
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
      exceptions: [TypeError],
      maxTries: null,
      giveup: () => false,
      budget: new TokenBudget(),
      grace: 100,
      signal: new AbortController().signal,
      observe: () => {},
      clock: { now, sleep: wait },
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

Deno.test("Backoff() takes options without a prototype", async () => {
  const options = Object.assign(Object.create(null), { maxTries: 2 });
  const backoff = new Backoff({ ...options, exceptions: "all" });
  assertEquals(await backoff.execute(() => "value"), "value");
  Object.assign(options, { tries: 2 });
  assertThrows(() => new Backoff(options), TypeError, "did you mean 'maxTries: 2'");
});

Deno.test("Backoff() retries by a class's own instanceof", async () => {
  // As for a class of another realm, whose instances have another prototype here.
  class Busy {
    static [Symbol.hasInstance](error: unknown) {
      return (error as { code?: unknown }).code === "busy";
    }
  }
  const clock = new TestClock();
  const codes = ["busy", "busy", "broken", "busy"];
  const backoff = new Backoff({ exceptions: [Busy], pause: 100, clock });
  const result = backoff.execute(({ number }) =>
    Promise.reject({ code: codes[number - 1] })
  );
  assertEquals(await clock.run(result.catch((error) => error)), { code: "broken" });
  assertEquals([backoff.statistic.attempts, clock.now()], [3, 200]);
  clock.close();
});

/** A signal that is no instance of AbortSignal here, as one of another realm. */
class ForeignSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;

  abort(reason: unknown) {
    this.aborted = true;
    this.reason = reason;
    this.dispatchEvent(new Event("abort"));
  }
}

Deno.test("Backoff() tells a signal by its shape, in the policy and in execute()", async () => {
  for (const place of ["policy", "execute"]) {
    const clock = new TestClock();
    const foreign = new ForeignSignal();
    const signal = foreign as unknown as AbortSignal;
    const backoff = new Backoff({ clock, signal: place === "policy" ? signal : null });
    const own = { signal: place === "execute" ? signal : null };
    const result = backoff.execute((attempt) => {
      clock.after(100, () => foreign.abort("enough"));
      return sleep(1000, { clock, signal: attempt.signal });
    }, own);
    assertEquals(await clock.run(result.catch((reason) => reason)), "enough", place);
    assertEquals([clock.now(), backoff.statistic.cancels], [100, 1], place);
    clock.close();
  }
});

Deno.test("Backoff() takes a class for a clock when it has now() and sleep()", async () => {
  class Standing {
    static now = () => 1000;
    static sleep = () => new Promise<never>(() => {});
  }
  const backoff = new Backoff({ deadline: 100, clock: Standing });

  assertEquals(await backoff.execute(() => "value"), "value");
});

Deno.test("Backoff.execute() takes null for options that are absent", async () => {
  assertEquals(await new Backoff().execute(() => "value", null), "value");
});

Deno.test("Backoff() lets out the very error that a getter of the options throws", () => {
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

/** A value that throws at every look at it. */
function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const hostileValues: [OptionName, value: unknown][] = [
  ["deadline", Object.create(null)],
  ["deadline", revoked({})],
  ["pause", revoked({})],
  ["maxTries", { valueOf: () => 3, toString: () => "3" }],
  ["exceptions", revoked([])],
  ["exceptions", [revoked(class {})]],
  ["exceptions", [Object.defineProperty(() => {}, "prototype", { value: 5 })]],
  ["exceptions", [Object.defineProperty(() => {}, "name", { value: Symbol("name") })]],
  ["exceptions", [{ [Symbol.hasInstance]: () => true }]],
  ["giveup", Object.create(null)],
  ["budget", revoked({})],
  ["budget", Object.create(null)],
  ["observe", revoked({})],
  ["signal", revoked({})],
  ["signal", Object.create(null)],
  ["clock", revoked({})],
  ["clock", Object.create(null)],
];

for (const [index, [name, value]] of hostileValues.entries()) {
  Deno.test(`Backoff() names '${name}' when its value is hostile (${index})`, () => {
    const make = () => new Backoff(untyped({ [name]: value }));
    assertThrows(make, TypeError, `'${name}' must be`);
  });
}

const shown: [value: unknown, text: string][] = [
  ["soon", '"soon"'],
  ["a".repeat(98), `"${"a".repeat(98)}"`],
  ["a".repeat(99), `"${"a".repeat(96)}...`],
  [5n, "5n"],
  [Symbol("ms"), "Symbol(ms)"],
  [() => 5, "function"],
  [parseInt, "function parseInt"],
  [[1, 2], "an array of 2"],
  [new Date(0), "an object (Date)"],
  [Object.create(null), "an object (no prototype)"],
  [revoked({}), "a value that cannot be shown"],
];

Deno.test("Backoff() shows the value that an option cannot have", () => {
  for (const [value, text] of shown) {
    const make = () => new Backoff(untyped({ deadline: value }));
    const { message } = assertThrows(make, TypeError);
    const rule = "'deadline' must be a number of milliseconds >= 0";
    assertEquals(message, `Cannot use the options as ${rule}: current value is ${text}`);
  }
});

Deno.test("Backoff.execute() rejects, and does not throw, when its arguments are wrong", async () => {
  const backoff = new Backoff();
  const execute = backoff.execute.bind(backoff) as (...args: unknown[]) => Promise<unknown>;
  const called: string[] = [];
  const fn = () => called.push("called");
  const rows: [args: unknown[], message: string][] = [
    [[], "a function is needed: current value is undefined"],
    [[Promise.resolve()], "a function is needed: current value is an object (Promise)"],
    [["fn"], 'a function is needed: current value is "fn"'],
    [[fn, 100], "must be an object: current value is 100"],
    [[fn, [100]], "must be an object: current value is an array of 1"],
    [[fn, { signal: {} }], "'signal' must be an AbortSignal"],
    [[fn, { signal: new AbortController() }], "'signal' must be an AbortSignal"],
    [[fn, { Signal: null }], "'Signal' is none of them: did you mean 'signal'?"],
    [[fn, { abortSignal: null }], "'abortSignal' is none of them: did you mean 'signal'?"],
    [[fn, { deadline: 100 }], "'deadline' is none of them: the options are signal"],
    [[fn, { retries: 3 }], "'retries' is none of them: the options are signal"],
  ];
  for (const [args, message] of rows) {
    const result = execute(...args); // a synchronous throw fails the test here
    await assertRejects(() => result, TypeError, message, message);
  }
  assertEquals(called, []);
  assertEquals(backoff.statistic.attempts, 0);
});

Deno.test("Backoff.execute() rejects when it is given a signal in place of its options", async () => {
  const backoff = new Backoff();
  const { signal } = new AbortController();
  const result = backoff.execute(() => "value", signal as { signal?: AbortSignal });
  await assertRejects(() => result, TypeError, "the options");
});

Deno.test("Backoff.execute() asks for { signal } when it is given a signal, and for that alone", async () => {
  const { signal } = new AbortController();
  const given: [value: unknown, end: string][] = [
    [signal, "an object (AbortSignal): did you mean { signal }?"],
    [100, "current value is 100"],
  ];
  for (const [value, end] of given) {
    const result = new Backoff().execute(() => "value", value as { signal?: AbortSignal });
    const { message } = await assertRejects(() => result, TypeError);
    assertEquals(message.slice(-end.length), end);
  }
});

Deno.test("Backoff.execute() rejects with the very error that a getter of its options throws", async () => {
  const boom = new Error("boom");
  const options = {
    get signal(): AbortSignal {
      throw boom;
    },
  };
  const result = new Backoff().execute(() => "value", options);
  assertStrictEquals(await result.catch((error) => error), boom);
});

Deno.test("Backoff.execute() calls nothing when an aborted signal cannot tell its reason", async () => {
  const boom = new Error("boom");
  const signal = Object.assign(new ForeignSignal(), { aborted: true });
  Object.defineProperty(signal, "reason", {
    get: () => {
      throw boom;
    },
  });
  const calls: string[] = [];
  const own = { signal: signal as unknown as AbortSignal };
  const result = new Backoff().execute(() => calls.push("called"), own);
  assertStrictEquals(await result.catch((error) => error), boom);
  assertEquals(calls, []);
});

/** Fails once at 100 ms under a policy, and tells how its execution ends. */
async function playFailure(options: Pick<BackoffOptions, "pause" | "giveup">) {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => void events.push(event);
  const backoff = new Backoff({ exceptions: "all", clock, observe, ...options });
  const result = backoff.execute(() =>
    sleep(100, { clock }).then(() => Promise.reject(new Error("down")))
  );
  const error: unknown = await clock.run(result.then(() => null, (error) => error));
  const done = events.at(-1);
  assert(done?.type === "done");
  clock.close();
  const { attempts, errors } = backoff.statistic;
  return { error, reason: done.reason, at: done.at, attempts, errors };
}

const wrongPauses: [value: unknown, errorClass: typeof TypeError | typeof RangeError][] = [
  [NaN, RangeError],
  [-1, RangeError],
  [Infinity, RangeError],
  ["100", TypeError],
  [100n, TypeError],
  [[100], TypeError],
];

Deno.test("Backoff.execute() rejects when a pause function returns what is no pause", async () => {
  for (const [value, errorClass] of wrongPauses) {
    const { error, ...rest } = await playFailure({ pause: () => value as number });
    assertInstanceOf(error, errorClass, String(value));
    assertStringIncludes((error as Error).message, "'pause' must be", String(value));
    const expected = { reason: "callbackError", at: 100, attempts: 1, errors: 1 };
    assertEquals(rest, expected as typeof rest, String(value));
  }
});

const promises: [what: string, make: () => unknown][] = [
  ["a promise", () => Promise.resolve(100)],
  ["a promise that rejects", () => Promise.reject(new Error("not unhandled"))],
  ["a thenable", () => ({ then() {} })],
];

Deno.test("Backoff.execute() rejects with the failure as the cause when giveup or pause returns a promise", async () => {
  for (const [what, make] of promises) {
    for (const name of ["giveup", "pause"]) {
      const { error, ...rest } = await playFailure({ [name]: make });
      const row = `${name} returns ${what}`;
      assertInstanceOf(error, TypeError, row);
      assertStringIncludes(error.message, `'${name}' must answer at once`, row);
      const { tries, elapsed } = error.cause as { tries: number; elapsed: number };
      assertEquals([tries, elapsed], [1, 100], row);
      assertEquals((error.cause as { error: Error }).error.message, "down", row);
      const expected = { reason: "callbackError", at: 100, attempts: 1, errors: 1 };
      assertEquals(rest, expected as typeof rest, row);
    }
  }
});

Deno.test("Backoff.execute() needs no more of a timer than that it can be cleared", async () => {
  const time = new FakeTime(0);
  try {
    // Here a timer is a number, as in browsers: it has no methods.
    const timer = setTimeout(() => {}, 1000);
    assertEquals(typeof timer, "number");
    clearTimeout(timer);
    const backoff = new Backoff({ attemptTimeout: 100, deadline: 1000, pause: 100 });
    const result = backoff.execute(({ number }) =>
      number === 2 ? "value" : new Promise(() => {})
    );
    for (const instant of [100, 200]) {
      await time.tickAsync(100);
      await time.runMicrotasks();
      assertEquals([time.now, backoff.statistic.attempts], [instant, instant / 100]);
    }
    assertEquals(await result, "value");
    assertEquals(time.next(), false);
  } finally {
    time.restore();
  }
});
