// Backoff: what it must say, with(), and the arguments and options of execute().

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type ExecuteOptions,
  ResultError,
  retry,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { ForeignSignal } from "../../support/foreign_signal.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

/** Executes on a new policy, as a caller without types may do. */
function executeBy(...args: unknown[]): Promise<unknown> {
  const backoff = new Backoff();
  return Reflect.apply(backoff.execute, backoff, args);
}

const fn = () => "value";
const notFunction = "'fn' must be a function";
const notOptions = "the options must be an object";
const notSignal = "option 'signal' must be an AbortSignal";

const wrongArguments: [args: () => unknown[], message: string][] = [
  [() => [], `${notFunction}, got undefined`],
  [() => [Promise.resolve()], `${notFunction}, got an object (Promise)`],
  [() => ["fn"], `${notFunction}, got "fn"`],
  [() => [fn, 100], `${notOptions}, got 100`],
  [() => [fn, [100]], `${notOptions}, got an array of 1`],
  [() => [fn, new Map()], `${notOptions}, got an object (Map)`],
  [() => [fn, new TypeError()], `${notOptions}, got an object (TypeError)`],
  [() => [fn, new DOMException()], `${notOptions}, got an object (DOMException)`],
  [
    () => [fn, fn],
    `${notOptions}, got function fn; a function is executed by 'execute', or wrapped by ` +
    "the decorator that is returned",
  ],
  [() => [fn, { signal: {} }], `${notSignal}, got an object (Object)`],
  [
    () => [fn, { signal: new AbortController() }],
    `${notSignal}, got an object (AbortController)`,
  ],
  [() => [fn, { observe: "log" }], `option 'observe' must be a function, got "log"`],
  [() => [fn, { observe: false }], "option 'observe' must be a function, got false"],
  [
    () => [fn, { observe: { next() {} } }],
    "option 'observe' must be a function, got an object (Object)",
  ],
  [() => [fn, { until: true }], "option 'until' must be a function, got true"],
  [
    () => [fn, { until: /done/ }],
    "option 'until' must be a function, got an object (RegExp)",
  ],
  [() => [fn, { name: 7 }], "option 'name' must be a string, got 7"],
  [() => [fn, { name: fn }], "option 'name' must be a string, got function fn"],
  [() => [fn, { Signal: null }], "unknown option 'Signal', did you mean 'signal'?"],
  [
    () => [fn, { abortSignal: null }],
    "unknown option 'abortSignal', did you mean 'signal'?",
  ],
  [
    () => [fn, { deadline: 100 }],
    "unknown option 'deadline', it is an option of the policy: 'new Backoff({ deadline })'",
  ],
  [
    () => [fn, { maxTries: 3 }],
    "unknown option 'maxTries', it is an option of the policy: 'new Backoff({ maxTries })'",
  ],
  [
    () => [fn, { minRemaining: 3 }],
    "unknown option 'minRemaining', it is an option of the policy: " +
    "'new Backoff({ minRemaining })'",
  ],
  [() => [fn, { Until: fn }], "unknown option 'Until', did you mean 'until'?"],
  [
    () => [fn, { retries: 3 }],
    "unknown option 'retries', the options are signal, observe, until, name, within, detached",
  ],
];

Deno.test("Backoff.execute() rejects, and does not throw, when its arguments are wrong", async () => {
  const backoff = new Backoff();
  const execute = backoff.execute.bind(backoff) as (...args: unknown[]) => Promise<unknown>;
  const calls: string[] = [];
  for (const [args, message] of wrongArguments) {
    const given = args();
    if (given[0] === fn) given[0] = () => calls.push("called");
    const result = execute(...given); // a synchronous throw fails the test here
    const error = await assertRejects(() => result, TypeError, undefined, message);
    assertEquals(error.message, `Cannot execute: ${message}`);
  }
  assertEquals(calls, []);
  assertEquals(backoff.statistic.attempts, 0);
});

Deno.test("Backoff.execute() and retry() refuse generator functions, which start nothing when they are called", async () => {
  const generators: (() => unknown)[] = [function* load() {}, async function* load() {}];
  const message = "Cannot execute function load: it must return a promise, got a " +
    "generator function; 'stream' retries one, as docs/streams.md shows";
  for (const generator of generators) {
    await assertRejects(() => executeBy(generator), TypeError, message);
    await assertRejects(() => retry(generator, { maxTries: 3 }), TypeError, message);
  }
  const make = () => new Backoff().execute(() => generators[0]?.());
  assertEquals(Object.prototype.toString.call(await make()), "[object Generator]");
});

Deno.test("Backoff.execute() suggests { signal } when it receives a signal in place of its options", async () => {
  const { signal } = new AbortController();
  const { message } = await assertRejects(() => executeBy(fn, signal), TypeError);
  assertEquals(
    message,
    `Cannot execute: ${notOptions}, got an object (AbortSignal); did you mean '{ signal }'?`,
  );
});

Deno.test("Backoff.execute() treats null as absent, for its options and each of them", async () => {
  for (const options of [null, undefined, {}]) {
    assertEquals(await new Backoff().execute(fn, options), "value");
  }
  for (const name of ["signal", "observe", "until", "name"]) {
    for (const absent of [null, undefined]) {
      const clock = new TestClock();
      const events: BackoffEvent[] = [];
      const backoff = new Backoff({
        ...{ deadline: 50, clock, name: "load" },
        until: (value) => value === "value",
        observe: (event) => events.push(event),
      });
      assertEquals(await backoff.execute(fn, { [name]: absent }), "value");
      const seen = events.map(({ type, name }) => `${type} of ${name}`);
      assertEquals(seen, ["attempt of load", "done of load"], name);
      clock.close();
    }
  }
});

Deno.test("Backoff.execute() rejects with the very error that a getter of its options throws", async () => {
  const boom = new Error("boom");
  for (const name of ["signal", "observe", "until", "name"]) {
    const options = Object.defineProperty({}, name, {
      get: () => {
        throw boom;
      },
    });
    const result = new Backoff().execute(fn, options);
    assertStrictEquals(await result.catch((error) => error), boom);
  }
});

Deno.test("Backoff.execute() reads each option once, and also those that an object inherits", async () => {
  const reads: string[] = [];
  const { signal } = new AbortController();
  const values: Required<ExecuteOptions> = {
    signal,
    observe: () => {},
    until: () => true,
    name: "load",
    within: null as never, // the values exclude each other
    detached: true,
  };
  const prototype = {};
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(prototype, name, { get: () => (reads.push(name), value) });
  }
  assertEquals(await new Backoff().execute(fn, Object.create(prototype)), "value");
  assertEquals(reads.sort(), Object.keys(values).sort());
});

Deno.test("Backoff.execute() calls nothing when the reason of an aborted signal throws", async () => {
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

Deno.test("Backoff.execute() calls the function anonymous when its name is not a string", async () => {
  const fn = Object.defineProperty(() => {}, "name", { value: 7 });
  const { message } = await assertRejects(
    () => new Backoff({ deadline: 0 }).execute(fn),
    Error,
  );
  assertEquals(message, "An anonymous function reached its deadline of 0 ms");
});

// The options of one execution.

Deno.test("Backoff.execute() retries a result that its until refuses, and the policy's is asked first", async () => {
  const clock = new TestClock();
  const asked: string[] = [];
  const ask = (who: string, accepted: number) => (value: number) => {
    asked.push(`${who} ${value}`);
    return value >= accepted;
  };
  const backoff = new Backoff({ until: ask("policy", 2), pause: 10, clock });
  const until = ask("own", 3);
  assertEquals(await clock.run(backoff.execute(({ number }) => number, { until })), 3);
  assertEquals(asked, ["policy 1", "policy 2", "own 2", "policy 3", "own 3"]);
  assertEquals([clock.now(), backoff.statistic.errors], [20, 2]);
  // The next execution asks the policy's alone.
  assertEquals(await clock.run(backoff.execute(({ number }) => number)), 2);
  clock.close();
});

Deno.test("Backoff.execute() rejects with the ResultError of the last result that was refused", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: [], maxTries: 2, clock });
  const value = { id: 7 };
  const result = backoff.execute(function poll() {
    return value;
  }, { until: () => false });
  const error = await assertRejects(() => clock.run(result), ResultError);
  assertStrictEquals(error.value, value);
  const refused = "'until' refused the result of";
  assertEquals(error.message, `${refused} 'poll': an object (Object)`);
  const named = backoff.execute(() => value, { until: () => false, name: "own" });
  const { message } = await assertRejects(() => clock.run(named), ResultError);
  assertEquals(message, `${refused} 'own': an object (Object)`);
  clock.close();
});

Deno.test("Backoff.execute() rejects with what its until throws, and refuses a promise", async () => {
  const boom = new Error("boom");
  const untils: (() => boolean)[] = [() => {
    throw boom;
  }, (() => Promise.resolve(true)) as unknown as () => boolean];
  const errors: unknown[] = [];
  const backoff = new Backoff();
  for (const until of untils) {
    errors.push(await backoff.execute(fn, { until }).catch((error) => error));
  }
  assertStrictEquals(errors[0], boom);
  assertInstanceOf(errors[1], TypeError);
  assertEquals(
    errors[1].message,
    "Cannot decide about a result: 'until' must answer at once, got a promise",
  );
  assertEquals(backoff.statistic.ends.callbackError, 2);
});

Deno.test("Backoff.execute() calls its name in messages, before that of the policy and of the function", async () => {
  const named: [name: string | null, own: string | null, subject: string][] = [
    [null, null, "'load'"],
    ["policy", null, "'policy'"],
    ["policy", "own", "'own'"],
    [null, "own", "'own'"],
    [null, "", "An anonymous function"],
  ];
  function load() {}
  for (const [name, own, subject] of named) {
    const backoff = new Backoff({ deadline: 0, name });
    const result = backoff.execute(load, { name: own });
    const { message } = await assertRejects(() => result, TimeoutError);
    assertEquals(message, `${subject} reached its deadline of 0 ms`);
  }
});

Deno.test("Backoff.wrap() calls the policy's name in messages, and keeps the function's own", async () => {
  const { wrap } = new Backoff({ deadline: 0, name: "policy" });
  const wrapped = wrap(async function load() {});
  assertEquals(wrapped.name, "load");
  await assertRejects(wrapped, TimeoutError, "'policy' reached its deadline of 0 ms");
});

Deno.test("Backoff.execute() calls its observe after the policy's, for its own events alone", async () => {
  const log: string[] = [];
  const note = (who: string) => ({ type }: BackoffEvent) => log.push(`${who} ${type}`);
  const backoff = new Backoff({ observe: note("policy") });
  await backoff.execute(fn, { observe: note("own") });
  await backoff.execute(fn);
  const both = ["policy attempt", "own attempt", "policy done", "own done"];
  assertEquals(log, [...both, "policy attempt", "policy done"]);
  log.length = 0;
  await new Backoff().execute(fn, { observe: note("own") });
  assertEquals(log, ["own attempt", "own done"]);
});

for (const places of [["policy"], ["own"], ["policy", "own"]]) {
  Deno.test(`Backoff.execute() calls both observers when one throws, and the errors are uncaught (${places})`, async () => {
    const uncaught: unknown[] = [];
    const log: string[] = [];
    const stop = listenToUncaught((error) => uncaught.push(error));
    const observeAs = (place: string) => ({ type }: BackoffEvent) => {
      log.push(`${place} ${type}`);
      if (places.includes(place)) throw `${place} ${type}`;
    };
    const clock = new TestClock();
    const backoff = new Backoff({ observe: observeAs("policy"), clock });
    try {
      const result = backoff.execute(fn, { observe: observeAs("own") });
      assertEquals(await clock.run(result), "value");
      await clock.advance(0);
    } finally {
      stop();
    }
    assertEquals(log, ["policy attempt", "own attempt", "policy done", "own done"]);
    assertEquals(uncaught, log.filter((each) => places.includes(each.split(" ")[0] ?? "")));
    clock.close();
  });
}

// What it retries.

const budget = { mayRetry: () => true };
const rules: [what: string, options: BackoffOptions][] = [
  ["maxTries", { maxTries: 2 }],
  ["pause", { pause: 1 }],
  ["a list of pauses", { pause: [0] }],
  ["a function as pause", { pause: () => 0 }],
  ["giveup", { giveup: () => false }],
  ["budget", { budget }],
  ["minRemaining", { minRemaining: 0 }],
  ["maxTries besides the limits", { attemptTimeout: 50, deadline: 100, maxTries: 3 }],
  ["a rule besides 'maxTries: 1'", { maxTries: 1, pause: 1 }],
];

const MUST_SAY = "Cannot make a policy: it must say what it retries; list the errors in " +
  `'exceptions', or "all"; [] retries timeouts only`;

for (const [what, options] of rules) {
  Deno.test(`Backoff() must say what it retries when it has ${what}`, () => {
    for (const absent of [{}, { exceptions: null }, { exceptions: undefined }]) {
      for (const more of [absent, { ...absent, until: null }]) {
        const make = () => new Backoff({ ...options, ...more });
        assertEquals(assertThrows(make, TypeError).message, MUST_SAY);
      }
    }
    const said: BackoffOptions[] = [
      { exceptions: [] },
      { exceptions: [TypeError] },
      { exceptions: "all" },
      { exceptions: () => true },
      { until: () => true },
    ];
    for (const each of said) new Backoff({ ...options, ...each });
    // The notations have defaults of their own.
    asyncbackoff(options);
    asyncbackoff(null, null, { ...options, exceptions: null });
    const { maxTries = null, ...rest } = options;
    asyncretry(maxTries, rest);
  });
}

const noRules: BackoffOptions[] = [
  {},
  ...[{ maxTries: 1 }, { maxTries: Infinity }, { maxTries: null }],
  ...[{ pause: 0 }, { pause: null }, { giveup: null }, { budget: null }],
  ...[{ minRemaining: null }, { minRemaining: undefined }],
  ...[{ attemptTimeout: 50 }, { deadline: 100 }, { grace: 50 }, { name: "load" }],
  ...[{ observe: () => {} }, { retryExhausted: false }],
  { maxTries: 1, pause: 0, giveup: null, deadline: 100 },
];

Deno.test("Backoff() need not say what it retries when it has no rule for retries", async () => {
  for (const options of [null, undefined, ...noRules]) {
    assertEquals(await new Backoff(options).execute(fn), "value");
  }
});

Deno.test("Backoff() checks each option before it asks what is retried", () => {
  const make = () => new Backoff({ maxTries: 0 });
  const rule = "option 'maxTries' must be an integer >= 1 (the first attempt counts)";
  const { message } = assertThrows(make, RangeError);
  assertEquals(message, `Cannot make a policy: ${rule}, got 0`);
});

Deno.test("asyncbackoff() retries timeouts only, and asyncretry() everything, unless they say so", async () => {
  const clock = new TestClock();
  const fails = (error: unknown) => () => Promise.reject(error);
  const options = { pause: 10, maxTries: 2, clock };
  const { maxTries, ...rest } = options;
  for (const each of [{}, { exceptions: null }, { exceptions: [] }]) {
    const timeouts = asyncbackoff({ ...options, ...each });
    await clock.run(timeouts(fails("down"))().catch(() => {}));
    assertEquals(timeouts.statistic.attempts, 1);
    await clock.run(timeouts(fails(new TimeoutError("attempt", 5)))().catch(() => {}));
    assertEquals(timeouts.statistic.attempts, 3);
  }
  for (const each of [{}, { exceptions: null }, { exceptions: "all" }] as const) {
    const all = asyncretry(maxTries, { ...rest, ...each });
    await clock.run(all(fails("down"))().catch(() => {}));
    assertEquals(all.statistic.attempts, 2);
  }
  clock.close();
});

// Backoff.with().

/** Plays a function that always fails, and returns the instants of its attempts. */
async function startsOf(backoff: Backoff, clock: TestClock, error: unknown = "down") {
  const beganAt = clock.now();
  const starts: number[] = [];
  const result = backoff.execute(() => {
    starts.push(clock.now() - beganAt);
    return Promise.reject(error);
  });
  assertStrictEquals(await clock.run(result.catch((error) => error)), error);
  return starts;
}

Deno.test("Backoff.with() replaces some options, and keeps the others", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: "all", maxTries: 3, pause: 100, clock });
  const replaced: [options: BackoffOptions, starts: number[]][] = [
    [{}, [0, 100, 200]],
    [{ maxTries: 2 }, [0, 100]],
    [{ pause: 10 }, [0, 10, 20]],
    [{ pause: [10, 50] }, [0, 10, 60]],
    [{ pause: 10, maxTries: 2 }, [0, 10]],
    [{ exceptions: [TypeError] }, [0]],
    [{ exceptions: [] }, [0]],
    [{ giveup: () => true }, [0]],
    [{ deadline: 150, minRemaining: 0 }, [0, 100]],
  ];
  for (const [options, starts] of replaced) {
    assertEquals(await startsOf(backoff.with(options), clock), starts);
    assertEquals(await startsOf(backoff, clock), [0, 100, 200]); // it is unchanged
  }
  clock.close();
});

Deno.test("Backoff.with() keeps an option for undefined, and restores its default for null", async () => {
  const clock = new TestClock();
  const options = {
    exceptions: "all",
    maxTries: 3,
    pause: 100,
    giveup: () => true,
  } as const;
  const backoff = new Backoff({ ...options, clock });
  const startsWith = (changes: BackoffOptions) => startsOf(backoff.with(changes), clock);
  assertEquals(await startsWith({ giveup: undefined }), [0]);
  assertEquals(await startsWith({ giveup: null, pause: undefined }), [0, 100, 200]);
  assertEquals(await startsWith({ giveup: null, pause: null }), [0, 0, 0]);
  // A rule that was replaced is not there again.
  const twice = backoff.with({ giveup: null }).with({ maxTries: 2 });
  assertEquals(await startsOf(twice, clock), [0, 100]);
  for (const exceptions of [null, []]) {
    const bare = { maxTries: null, pause: null, giveup: null, exceptions };
    assertEquals(await startsWith(bare), [0]); // only timeouts are retried
  }
  clock.close();
});

Deno.test("Backoff.with() counts in the same statistic, whatever was wrapped before", async () => {
  const backoff = new Backoff({ exceptions: "all" });
  const load = () => Promise.resolve("value");
  const before = backoff.wrap(load);
  const { statistic, wrap } = backoff;
  const other = backoff.with({ deadline: 1000 });
  const another = other.with({ maxTries: 3 });
  assertNotStrictEquals(other, backoff);
  for (const each of [other, another]) {
    assert(each instanceof Backoff);
    assertStrictEquals(each.statistic, statistic);
    assertStrictEquals(each.wrap.statistic, statistic);
  }
  assertStrictEquals(backoff.statistic, statistic);
  assertStrictEquals(wrap.statistic, statistic);
  const calls = [before, wrap(load), other.wrap(load), another.wrap(load)];
  for (const each of [backoff, other, another]) calls.push(() => each.execute(load));
  for (const [index, call] of calls.entries()) {
    await call();
    assertEquals([statistic.attempts, statistic.done], [index + 1, index + 1]);
  }
  statistic.reset();
  await another.execute(load);
  assertEquals(other.statistic.attempts, 1);
  assertEquals(new Backoff().statistic.attempts, 0);
});

Deno.test("Backoff.with() wraps functions by its own rules", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: "all", maxTries: 3, pause: 100, clock });
  const fail = backoff.with({ maxTries: 2, name: "own" }).wrap(() =>
    Promise.reject("down")
  );
  await clock.run(fail().catch(() => {}));
  assertEquals([backoff.statistic.attempts, clock.now()], [2, 100]);
  clock.close();
});

Deno.test("Backoff.with() ignores later changes of the caller's options", async () => {
  const clock = new TestClock();
  const exceptions: (new () => Error)[] = [TypeError];
  const pause = [100];
  const options: BackoffOptions = { exceptions, maxTries: 3, pause, clock };
  const backoff = new Backoff(options);
  Object.assign(options, { maxTries: 1 });
  const changes: BackoffOptions = { maxTries: 2 };
  const other = backoff.with(changes);
  changes.maxTries = 7;
  assertEquals(await startsOf(other, clock, new TypeError()), [0, 100]);
  exceptions[0] = RangeError;
  pause[0] = 7;
  const late = backoff.with({});
  assertEquals(await startsOf(late, clock, new TypeError()), [0, 100, 200]);
  assertEquals(await startsOf(late, clock, new RangeError()), [0]);
  clock.close();
});

Deno.test("Backoff.with() reads each option once, and also those that an object inherits", async () => {
  const clock = new TestClock();
  const reads: string[] = [];
  class Settings {
    get deadline() {
      reads.push("deadline");
      return 100;
    }
  }
  const backoff = new Backoff({ exceptions: "all", maxTries: 5, pause: 70, clock });
  const starts = await startsOf(backoff.with(new Settings()), clock);
  assertEquals([starts, clock.now(), reads], [[0, 70], 100, ["deadline"]]);
  // Those that the first policy inherited are kept.
  const inherited = new Backoff(Object.assign(new Settings(), { exceptions: [], clock }));
  const result = inherited.with({ pause: 5 }).execute(() => sleep(1000, { clock }));
  await assertRejects(() => clock.run(result), TimeoutError, "deadline of 100 ms");
  await clock.advance(1000);
  clock.close();
});

const wrongChanges: [options: unknown, errorType: typeof TypeError, message: string][] = [
  [null, TypeError, "the options must be an object, got null"],
  [undefined, TypeError, "the options must be an object, got undefined"],
  [100, TypeError, "the options must be an object, got 100"],
  [new TypeError(), TypeError, "the options must be an object, got an object (TypeError)"],
  [{ timeout: 5 }, TypeError, "unknown option 'timeout', did you mean 'attemptTimeout'?"],
  [
    { timeout: undefined },
    TypeError,
    "unknown option 'timeout', did you mean 'attemptTimeout'?",
  ],
  [
    { grace: -1 },
    RangeError,
    "option 'grace' must be a number of milliseconds >= 0, got -1",
  ],
  [{ name: 7 }, TypeError, "option 'name' must be a string, got 7"],
];

Deno.test("Backoff.with() checks its options as Backoff() does", () => {
  const backoff = new Backoff({ exceptions: "all", maxTries: 3 });
  for (const [options, errorType, message] of wrongChanges) {
    const make = () => backoff.with(options as BackoffOptions);
    assertEquals(assertThrows(make, errorType).message, `Cannot make a policy: ${message}`);
  }
  const make = () => backoff.with({ exceptions: null });
  assertEquals(assertThrows(make, TypeError).message, MUST_SAY);
  backoff.with({ exceptions: null, until: () => true });
  backoff.with({ exceptions: null, maxTries: null });
});

Deno.test("Backoff.with() executes with an attempt, and with options of one execution", async () => {
  const backoff = new Backoff({ deadline: 0 }).with({ deadline: null });
  const seen = await backoff.execute((attempt: Attempt) => attempt.number, {
    until: (value) => value === 1,
  });
  assertEquals(seen, 1);
});
