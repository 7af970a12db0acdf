// Code that compiles, and code that must not. A `@ts-expect-error` fails if its line
// compiles.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async/delay";
import {
  asyncbackoff,
  type AsyncDecorator,
  type AsyncFunction,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Budget,
  type Clock,
  currentAttemptOrNull,
  decorrelated,
  type Ends,
  type ErrorClass,
  type Exceptions,
  exponential,
  type Failure,
  type Jitter,
  type LateEvent,
  type Limit,
  linear,
  nonRetryable,
  type Pause,
  type Reason,
  ResultError,
  retry as once,
  type RetryCallOptions,
  type RetryOptions,
  sleep,
  type Statistic,
  systemClock,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Whether two types are identical, which is more than assignable to each other. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** If the types are identical, only `same<A, B>(true)` compiles. */
function same<A, B>(is: Same<A, B>): void {
  assert(is);
}

const retry = asyncretry(2);

Deno.test("AsyncDecorator keeps the type of a function", async () => {
  const load = async (id: number, label?: string) => await `${id} ${label ?? "none"}`;
  const wrapped = retry(load);
  same<typeof wrapped, typeof load>(true);
  same<Parameters<typeof wrapped>, [id: number, label?: string | undefined]>(true);
  const isWidened: Same<typeof wrapped, AsyncFunction> = false;
  assertEquals(isWidened, false);
  const text: string = await wrapped(1);
  assertEquals(text, "1 none");
  // @ts-expect-error the first argument is a number
  assertEquals(await wrapped("1"), "1 none");
  // @ts-expect-error the result is a string
  const number: number = await wrapped(2, "two");
  assertEquals(String(number), "2 two");
});

Deno.test("AsyncDecorator keeps the type parameters of a function", async () => {
  const wrapped = retry(<T>(value: T): Promise<T[]> => Promise.resolve([value]));
  same<typeof wrapped, <T>(value: T) => Promise<T[]>>(true);
  const result = await wrapped({ id: 1 });
  same<typeof result, { id: number }[]>(true);
  assertEquals(result, [{ id: 1 }]);
});

Deno.test("AsyncDecorator keeps the overloads of a function", async () => {
  function parse(text: string): Promise<string>;
  function parse(number: number): Promise<number>;
  function parse(value: string | number): Promise<string | number> {
    return Promise.resolve(value);
  }
  const wrapped = retry(parse);
  const [text, number] = await Promise.all([wrapped("text"), wrapped(7)]);
  same<typeof text, string>(true);
  same<typeof number, number>(true);
  // @ts-expect-error there is no overload for a boolean
  assertEquals([text, number, await wrapped(true)], ["text", 7, true]);
});

Deno.test("AsyncDecorator keeps the `this` parameter of a function", async () => {
  interface Service {
    base: number;
  }
  const wrapped = retry(function (this: Service, id: number) {
    return Promise.resolve(this.base + id);
  });
  same<ThisParameterType<typeof wrapped>, Service>(true);
  assertEquals(await wrapped.call({ base: 10 }, 1), 11);
  // @ts-expect-error `this` must be a Service
  await assertRejects(() => wrapped(1), TypeError);
});

Deno.test("AsyncDecorator keeps the properties of a function's type", () => {
  type Loader = (() => Promise<number>) & { label?: string };
  const loader: Loader = () => Promise.resolve(1);
  const wrapped = retry(loader);
  same<typeof wrapped, Loader>(true);
  assertEquals(wrapped.label, undefined);
});

Deno.test("AsyncDecorator keeps the type of a decorated method", async () => {
  class Service {
    #factor = 2;

    @retry
    async double(id: number) {
      return await id * this.#factor;
    }

    @retry
    same<T>(value: T): Promise<T> {
      return Promise.resolve(value);
    }

    @asyncbackoff(1000, 5000, 100, TypeError, { maxTries: 2 })
    static make(this: typeof Service) {
      return Promise.resolve(new this());
    }
  }
  const service = await Service.make();
  same<typeof service, Service>(true);
  const [double, text] = await Promise.all([service.double(2), service.same("text")]);
  same<typeof double, number>(true);
  same<typeof text, string>(true);
  assertEquals([double, text], [4, "text"]);
  // @ts-expect-error the argument is a number
  assertEquals(await service.double("2"), 4);
});

Deno.test("AsyncDecorator takes the descriptor of a method and returns one of the same type", async () => {
  const value = (id: number) => Promise.resolve(id);
  const descriptor = retry({}, "load", { value, writable: false });
  same<typeof descriptor, TypedPropertyDescriptor<typeof value>>(true);
  assertEquals(await descriptor.value?.(7), 7);
});

Deno.test("AsyncDecorator takes only functions that return a promise", async () => {
  // @ts-expect-error a number is returned
  const wrapped: () => unknown = retry(() => 7);
  assertEquals(await wrapped(), 7);
  // @ts-expect-error an accessor is not a method
  assertThrows(() => retry({}, "load", { get: () => 7 }), TypeError);
  // @ts-expect-error a class is not a function
  assertThrows(() => retry(class {}), TypeError);
  // @ts-expect-error a promise is not a function
  assertThrows(() => retry(Promise.resolve()), TypeError);
  // @ts-expect-error an index is not a decorator's context
  assertThrows(() => [() => Promise.resolve()].map(retry), TypeError);
});

Deno.test("AsyncDecorator does not compile on anything but a method that returns a promise", () => {
  const define = [
    () =>
      class {
        // @ts-expect-error a getter is not a method
        @retry
        get load() {
          return 1;
        }
      },
    () =>
      class {
        // @ts-expect-error a field is not a method, even if it holds a function
        @retry
        load = () => Promise.resolve();
      },
    () => {
      // @ts-expect-error a class is not a method
      @retry
      class Decorated {}
      return Decorated;
    },
  ];
  for (const each of define) assertThrows(each, TypeError, "Cannot decorate");
  class Service {
    // @ts-expect-error the method returns a number, and the wrapped one a promise
    @retry
    load() {
      return 1;
    }
  }
  assertEquals(typeof new Service().load, "function");
});

Deno.test("AsyncDecorator has a statistic that cannot be replaced", () => {
  const decorators: AsyncDecorator[] = [
    retry,
    asyncbackoff(null, null),
    new Backoff().wrap,
  ];
  for (const decorator of decorators) {
    same<typeof decorator.statistic, Statistic>(true);
    const { statistic } = decorator;
    // @ts-expect-error it is read-only
    assertThrows(() => decorator.statistic = statistic, TypeError);
    assertStrictEquals(decorator.statistic, statistic);
  }
});

Deno.test("Backoff.execute() infers its result from values and from promises", async () => {
  const backoff = new Backoff();
  const value = backoff.execute(() => 7);
  const promised = backoff.execute(async () => await 7);
  const thenable = backoff.execute((): PromiseLike<string> => Promise.resolve("text"));
  const mixed = backoff.execute((): number | Promise<number> => 7);
  const nothing = backoff.execute(() => {});
  const never = backoff.execute(() => {
    throw new Error("down");
  });
  same<typeof value, Promise<number>>(true);
  same<typeof promised, Promise<number>>(true);
  same<typeof thenable, Promise<string>>(true);
  same<typeof mixed, Promise<number>>(true);
  same<typeof nothing, Promise<void>>(true);
  same<typeof never, Promise<never>>(true);
  assertEquals(await Promise.all([value, promised, thenable, mixed]), [7, 7, "text", 7]);
  await nothing;
  await assertRejects(() => never, Error, "down");
});

Deno.test("Backoff.execute() passes an Attempt that cannot be changed", async () => {
  const backoff = new Backoff();
  const attempt = await backoff.execute((attempt) => {
    same<typeof attempt, Attempt>(true);
    return attempt;
  });
  same<Attempt["lastFailure"], Failure | null>(true);
  same<Failure["error"], unknown>(true);
  same<Failure["limit"], Limit | null>(true);
  // @ts-expect-error it is read-only
  assertThrows(() => attempt.number = 2, TypeError);
  assertEquals(attempt.number, 1);
  // @ts-expect-error a function receives its attempt and nothing else
  assertEquals(await backoff.execute((_attempt, more: number) => more), undefined);
});

Deno.test("Backoff.execute() takes a signal, an observer, a predicate and a name, and nothing else", async () => {
  const backoff = new Backoff();
  const { signal } = new AbortController();
  const fn = () => "value";
  for (
    const options of [
      ...[undefined, {}, { signal }, { signal: undefined }, { signal: null }],
      ...[{ observe: () => {} }, { observe: undefined }, { observe: null }],
      ...[{ until: () => true }, { until: undefined }, { until: null }],
      ...[{ name: "load" }, { name: undefined }, { name: null }],
    ]
  ) {
    assertEquals(await backoff.execute(fn, options), "value");
  }
  // @ts-expect-error a deadline belongs to the policy
  await assertRejects(() => backoff.execute(fn, { deadline: 100 }), TypeError);
  // @ts-expect-error a controller is not a signal
  await assertRejects(() => backoff.execute(fn, { signal: new AbortController() }));
  // @ts-expect-error an observer is a function
  await assertRejects(() => backoff.execute(fn, { observe: { next() {} } }), TypeError);
  // @ts-expect-error a predicate is a function
  await assertRejects(() => backoff.execute(fn, { until: true }), TypeError);
  // @ts-expect-error a name is a string
  await assertRejects(() => backoff.execute(fn, { name: 7 }), TypeError);
  // @ts-expect-error a promise is not a function
  await assertRejects(() => backoff.execute(Promise.resolve()), TypeError);
});

Deno.test("BackoffOptions does not compile with a wrong option", () => {
  // Each line is on its own, since one expectation covers all errors of its line.
  const rows: (() => unknown)[] = [
    // @ts-expect-error a key that is unknown
    () => new Backoff({ retries: 3 }),
    // @ts-expect-error a key in the wrong case
    () => asyncbackoff({ giveUp: () => true }),
    // @ts-expect-error another library's key
    () => asyncretry(3, { timeout: 1000 }),
    // @ts-expect-error a duration is not a string
    () => new Backoff({ attemptTimeout: "100" }),
    // @ts-expect-error a duration is not a string
    () => new Backoff({ deadline: "5s" }),
    // @ts-expect-error a duration is not a BigInt
    () => new Backoff({ grace: 100n }),
    // @ts-expect-error a pause is not a string
    () => new Backoff({ pause: "100" }),
    // @ts-expect-error a pause in a list is not a string
    () => new Backoff({ pause: [100, "200"] }),
    // @ts-expect-error a list is not a set
    () => new Backoff({ pause: new Set([100, 200]) }),
    // @ts-expect-error a duration is not a string
    () => new Backoff({ minRemaining: "100" }),
    // @ts-expect-error a predicate is a function
    () => new Backoff({ until: true }),
    // @ts-expect-error a flag is not a number
    () => new Backoff({ retryExhausted: 0 }),
    // @ts-expect-error a name is not a symbol
    () => new Backoff({ name: Symbol("load") }),
    // @ts-expect-error a count is not a string
    () => new Backoff({ maxTries: "3" }),
    // @ts-expect-error a single class is not an array
    () => new Backoff({ exceptions: TypeError }),
    // @ts-expect-error an instance is not a class
    () => new Backoff({ exceptions: [new TypeError()] }),
    // @ts-expect-error an arrow function is not a class
    () => new Backoff({ exceptions: [() => true] }),
    // @ts-expect-error the only word is "all"
    () => new Backoff({ exceptions: "any" }),
    // @ts-expect-error a predicate is a function
    () => new Backoff({ giveup: true }),
    // @ts-expect-error a controller is not a signal
    () => new Backoff({ signal: new AbortController() }),
    // @ts-expect-error an observer is a function
    () => new Backoff({ observe: { next() {} } }),
    // @ts-expect-error a clock has a sleep
    () => new Backoff({ clock: { now: () => 0 } }),
    // @ts-expect-error a clock has a now
    () => new Backoff({ clock: { sleep: () => Promise.resolve() } }),
  ];
  for (const [index, make] of rows.entries()) {
    assertThrows(make, TypeError, "Cannot", `row ${index}`);
  }
});

Deno.test("BackoffOptions does not compile with functions that answer with a promise", async () => {
  const { clock, options } = { clock: new TestClock(), options: { exceptions: [Error] } };
  // @ts-expect-error a predicate answers at once
  const giveup = new Backoff({ ...options, clock, giveup: async () => await true });
  // @ts-expect-error a pause answers at once
  const pause = new Backoff({ ...options, clock, pause: () => Promise.resolve(100) });
  for (const backoff of [giveup, pause]) {
    const result = backoff.execute(() => Promise.reject(new Error("down")));
    await assertRejects(() => clock.run(result), TypeError, "must answer at once");
  }
  clock.close();
});

Deno.test("BackoffOptions accepts undefined and null for every option", async () => {
  type Absent<O> = { [Name in keyof O]-?: undefined extends O[Name] ? true : Name };
  type Nullable<O> = { [Name in keyof O]-?: null extends O[Name] ? true : Name };
  type All<O> = { [Name in keyof O]-?: true };
  same<Absent<BackoffOptions>, All<BackoffOptions>>(true);
  same<Nullable<BackoffOptions>, All<BackoffOptions>>(true);
  const absent: { readonly [Name in keyof BackoffOptions]-?: undefined } = {
    attemptTimeout: undefined,
    deadline: undefined,
    pause: undefined,
    exceptions: undefined,
    maxTries: undefined,
    giveup: undefined,
    budget: undefined,
    idleTimeout: undefined,
    resetAfter: undefined,
    grace: undefined,
    signal: undefined,
    observe: undefined,
    clock: undefined,
    until: undefined,
    minRemaining: undefined,
    retryExhausted: undefined,
    name: undefined,
  };
  assertEquals(await new Backoff(absent).execute(() => "value"), "value");
  const { maxTries: _, ...rest } = absent;
  assertEquals(await asyncretry(null, rest)(() => Promise.resolve("value"))(), "value");
});

Deno.test("BackoffOptions accepts read-only arrays, abstract classes and classes with any constructor", () => {
  abstract class Failing extends Error {}
  class Coded extends Failing {
    readonly code: number;

    constructor(code: number, cause: { reason: string }) {
      super(cause.reason);
      this.code = code;
    }
  }
  const exceptions: readonly ErrorClass[] = [Failing, Coded, DOMException, TimeoutError];
  new Backoff({ exceptions });
  new Backoff({ exceptions: [Coded, TypeError] as const });
  const decorator = asyncbackoff(1000, 5000, 100, Failing, Coded, DOMException);
  assertEquals(decorator.statistic.attempts, 0);
});

Deno.test("asyncbackoff() does not compile with misplaced arguments", () => {
  const rows: (() => unknown)[] = [
    // @ts-expect-error the limits are missing
    () => asyncbackoff(),
    // @ts-expect-error the deadline is missing
    () => asyncbackoff(1000),
    // @ts-expect-error the deadline is missing before the options
    () => asyncbackoff(1000, { maxTries: 3 }),
    // @ts-expect-error a class in the place of the pause
    () => asyncbackoff(1000, 5000, TypeError),
    // @ts-expect-error an array in the place of a class
    () => asyncbackoff(1000, 5000, 100, [TypeError]),
    // @ts-expect-error the options come last
    () => asyncbackoff(1000, 5000, 100, { maxTries: 3 }, TypeError),
    // @ts-expect-error the options come once
    () => asyncbackoff(1000, 5000, { maxTries: 3 }, { grace: 100 }),
    // @ts-expect-error a string duration
    () => asyncbackoff("1000", 5000),
    // @ts-expect-error the deadline is an argument, not an option
    () => asyncbackoff(1000, 5000, { deadline: 5000 }),
  ];
  for (const [index, make] of rows.entries()) {
    assertThrows(make, TypeError, undefined, `row ${index}`);
  }
});

Deno.test("asyncbackoff() compiles in every notation", () => {
  const options: RetryOptions = { maxTries: 3 };
  const pause = ({ attempt }: Failure) => 100 * attempt;
  const decorators: AsyncDecorator[] = [
    asyncbackoff({}),
    asyncbackoff({ attemptTimeout: 1000, deadline: null }),
    asyncbackoff(1000, 5000),
    asyncbackoff(null, null, 100),
    asyncbackoff(1000, 5000, null, TypeError),
    asyncbackoff(1000, 5000, undefined, TypeError),
    asyncbackoff(1000, 5000, pause, TypeError, RangeError),
    asyncbackoff(1000, 5000, options),
    asyncbackoff(1000, 5000, 100, options),
    asyncbackoff(1000, 5000, pause, TypeError, options),
    asyncbackoff(1000, 5000, null, TypeError, RangeError, options),
  ];
  for (const { statistic } of decorators) assertEquals(statistic.attempts, 0);
});

Deno.test("asyncretry() takes the maximum of tries as its first argument, and not among its options", () => {
  type Options = NonNullable<Parameters<typeof asyncretry>[1]>;
  same<keyof Options, Exclude<keyof BackoffOptions, "maxTries">>(true);
  // @ts-expect-error the maximum is given twice
  assertThrows(() => asyncretry(3, { maxTries: 4 }), TypeError);
  // @ts-expect-error the maximum is missing
  assertThrows(() => asyncretry(), TypeError);
  // @ts-expect-error the maximum is not a string
  assertThrows(() => asyncretry("3"), TypeError);
  // @ts-expect-error classes are an option, not an argument
  assertThrows(() => asyncretry(3, TypeError), TypeError);
});

/** Compiles only if every type of event is handled. */
function describe(event: BackoffEvent): string {
  switch (event.type) {
    case "attempt":
      return `${event.attempt}`;
    case "failure":
      same<typeof event.pauseAfter, number | null>(true);
      return `${event.failure.error}`;
    case "late":
      same<typeof event, LateEvent>(true);
      return event.outcome.status;
    case "done":
      same<typeof event.reason, Reason>(true);
      return event.reason;
    default:
      same<typeof event, never>(true);
      return event;
  }
}

Deno.test("BackoffEvent is a union that its type discriminates", async () => {
  const lines: string[] = [];
  const observe = (event: BackoffEvent) => {
    lines.push(`${event.type} ${describe(event)} at ${event.at}`);
    // @ts-expect-error not every event has a reason
    if (event.reason === "giveup") assertEquals(event.type, "done");
  };
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: "all", giveup: () => true, observe, clock });
  const result = backoff.execute(() => Promise.reject("down"));
  assertEquals(await clock.run(result.catch((error) => error)), "down");
  assertEquals(lines, ["attempt 1 at 0", "failure down at 0", "done giveup at 0"]);
  clock.close();
});

Deno.test("Clock needs `now` and `sleep` only, and delay() is such a `sleep`", async () => {
  const clock: Clock = { now: () => performance.now(), sleep: delay };
  const both = { now: () => Date.now(), sleep: delay } satisfies Clock;
  same<Required<Clock>, typeof systemClock>(true);
  for (const each of [clock, both, systemClock, new TestClock()]) {
    const backoff = new Backoff({ deadline: 1000, clock: each });
    assertEquals(await backoff.execute(() => "value"), "value");
  }
  await sleep(0, { clock, signal: undefined });
  // @ts-expect-error the sleep returns a promise
  const broken: Clock = { now: () => 0, sleep: () => 5 };
  assertEquals(broken.now(), 0);
});

type Job = { state: "pending" } | { state: "done"; value: number };
type DoneJob = Extract<Job, { state: "done" }>;

Deno.test("Backoff.execute() narrows its result when its until does", async () => {
  const backoff = new Backoff({ exceptions: [], maxTries: 2 });
  const poll = (): Job => ({ state: "done", value: 7 });
  const isDone = (job: Job): job is DoneJob => job.state === "done";
  const isAnswered = (job: Job): boolean => job.state === "done";

  const narrowed = backoff.execute(poll, { until: isDone });
  const promised = backoff.execute(async () => await poll(), { until: isDone });
  const observed = backoff.execute(poll, { until: isDone, name: "poll", signal: null });
  same<typeof narrowed, Promise<DoneJob>>(true);
  same<typeof promised, Promise<DoneJob>>(true);
  same<typeof observed, Promise<DoneJob>>(true);
  assertEquals((await narrowed).value + (await promised).value, 14);
  assertEquals((await observed).value, 7);

  const answered = backoff.execute(poll, { until: isAnswered });
  const absent = backoff.execute(poll, { until: null });
  same<typeof answered, Promise<Job>>(true);
  same<typeof absent, Promise<Job>>(true);
  // @ts-expect-error the predicate does not narrow the type
  assertEquals((await answered).value, 7);
  assertEquals((await absent).state, "done");

  const isText = (value: unknown): value is string => typeof value === "string";
  const text = backoff.execute((): string | number => "text", { until: isText });
  same<typeof text, Promise<string>>(true);
  assertEquals(await text, "text");
});

Deno.test("Backoff.execute() refuses a predicate that answers with a promise, and one of another type", async () => {
  const backoff = new Backoff();
  const until = (_: unknown) => Promise.resolve(true);
  // @ts-expect-error a predicate answers at once
  await assertRejects(() => backoff.execute(() => 7, { until }), TypeError);
  // @ts-expect-error a predicate answers at once
  const policy = new Backoff({ until });
  await assertRejects(() => policy.execute(() => 7), TypeError);
  // The result is any in a policy's predicate, which decides about all functions.
  const job = new Backoff({ until: (job) => job.state === "done" });
  assertEquals((await job.execute(() => ({ state: "done" }))).state, "done");
});

Deno.test("Exceptions is an array of classes, a predicate, or 'all'", () => {
  type Predicate = (error: unknown) => boolean;
  same<Exceptions, readonly ErrorClass[] | "all" | Predicate>(true);
  const isDown = (error: unknown): error is TypeError => error instanceof TypeError;
  const accepted: Exceptions[] = ["all", [], [TypeError], () => true, isDown];
  for (const exceptions of accepted) new Backoff({ exceptions, maxTries: 2 });
  new Backoff({
    exceptions: (error) => {
      same<typeof error, unknown>(true);
      return error instanceof Error;
    },
  });
  class Own extends Error {}
  const rows: (() => unknown)[] = [
    // @ts-expect-error a built-in class that can be called returns an error
    () => new Backoff({ exceptions: TypeError }),
    // @ts-expect-error a class cannot be called
    () => new Backoff({ exceptions: Own }),
    // @ts-expect-error a class cannot be called
    () => new Backoff({ exceptions: DOMException }),
    // Compiles, since it returns a boolean. It is refused as a class when it is used.
    () => new Backoff({ exceptions: Boolean }),
  ];
  for (const [index, make] of rows.entries()) {
    assertThrows(make, TypeError, "did you mean '[", `row ${index}`);
  }
});

Deno.test("Exceptions does not compile with a predicate that answers with a promise", async () => {
  const exceptions = (_: unknown) => Promise.resolve(true);
  // @ts-expect-error a predicate answers at once
  const backoff = new Backoff({ exceptions });
  const result = backoff.execute(() => Promise.reject("down"));
  await assertRejects(() => result, TypeError, "'exceptions' must answer at once");
  // @ts-expect-error a predicate needs an unknown error
  new Backoff({ exceptions: (error: TypeError) => error.message === "down" });
});

Deno.test("asyncbackoff() does not compile with an option that is given by position too", () => {
  const rows: (() => unknown)[] = [
    // @ts-expect-error the pause is given twice
    () => asyncbackoff(1, 2, 3, TypeError, { pause: 5 }),
    // @ts-expect-error the pause is given twice
    () => asyncbackoff(1, 2, 3, { pause: 5 }),
    // @ts-expect-error the pause is given twice
    () => asyncbackoff(1, 2, [3, 4], { pause: 5 }),
    // @ts-expect-error the classes are given twice
    () => asyncbackoff(1, 2, 3, TypeError, { exceptions: [] }),
    // @ts-expect-error the classes are given twice
    () => asyncbackoff(1, 2, 3, TypeError, RangeError, { exceptions: "all" }),
    // @ts-expect-error the deadline is given twice
    () => asyncbackoff(1, 2, 3, TypeError, { deadline: 5 }),
    // @ts-expect-error a predicate is an option, and no class
    () => asyncbackoff(1, 2, 3, () => true),
  ];
  for (const [index, make] of rows.entries()) {
    assertThrows(make, TypeError, "Cannot", `row ${index}`);
  }
  const decorators: AsyncDecorator[] = [
    asyncbackoff(1, 2, [3, 4], TypeError),
    asyncbackoff(1, 2, 3, { exceptions: (error) => error === "down" }),
    asyncbackoff(1, 2, { pause: [3, 4], exceptions: [] }),
    asyncbackoff(1, 2, 3, TypeError, {
      minRemaining: 0,
      retryExhausted: false,
      name: "load",
    }),
    asyncbackoff(1, 2, null, TypeError, { until: (value) => value !== null }),
  ];
  for (const { statistic } of decorators) assertEquals(statistic.attempts, 0);
});

Deno.test("retry() infers its result, and takes every option of a policy", async () => {
  const value = once(() => 7, { maxTries: 1 });
  const promised = once(async ({ number }) => await `${number}`, { deadline: 1000 });
  same<typeof value, Promise<number>>(true);
  same<typeof promised, Promise<string>>(true);
  same<Parameters<typeof once>[1], RetryCallOptions>(true);
  assertEquals(await Promise.all([value, promised]), [7, "1"]);
  // @ts-expect-error the bound is missing
  await assertRejects(() => once(() => 7), TypeError);
  // @ts-expect-error there must be options
  await assertRejects(() => once(() => 7, null), TypeError);
  // @ts-expect-error another library's key
  await assertRejects(() => once(() => 7, { retries: 3 }), TypeError);
  // @ts-expect-error a promise is not a function
  await assertRejects(() => once(Promise.resolve(), { maxTries: 1 }), TypeError);
  // @ts-expect-error a function receives its attempt and nothing else
  assertEquals(await once((_attempt, more: number) => more, { maxTries: 1 }), undefined);
});

Deno.test("Backoff.with() takes options and returns a policy", () => {
  const backoff = new Backoff({ exceptions: "all" });
  const other = backoff.with({ deadline: 1000, pause: null, maxTries: undefined });
  same<typeof other, Backoff>(true);
  // @ts-expect-error there must be options
  assertThrows(() => backoff.with(), TypeError);
  // @ts-expect-error another library's key
  assertThrows(() => backoff.with({ retries: 3 }), TypeError);
  // @ts-expect-error a duration is not a string
  assertThrows(() => backoff.with({ grace: "100" }), TypeError);
});

Deno.test("nonRetryable() returns the type that it receives, which is no primitive", () => {
  const error = nonRetryable(new RangeError("down"));
  const object = nonRetryable({ code: 7 } as const);
  same<typeof error, RangeError>(true);
  same<typeof object, { readonly code: 7 }>(true);
  assertEquals(object.code, 7);
  // @ts-expect-error a string cannot be marked
  assertThrows(() => nonRetryable("down"), TypeError);
  // @ts-expect-error undefined cannot be marked
  assertThrows(() => nonRetryable(undefined), TypeError);
  const unknown: unknown = error;
  // @ts-expect-error it may be a primitive
  assertStrictEquals(nonRetryable(unknown), error);
});

Deno.test("Budget needs mayRetry() alone, which receives the failure", () => {
  same<Parameters<Budget["mayRetry"]>, [at: number, failure: Failure | null]>(true);
  const budgets: Budget[] = [
    { mayRetry: () => true },
    { mayRetry: (at, failure) => at > 0 && failure?.attempt === 1, ended() {} },
    { mayRetry: (at: number) => at > 0, began: (at: number) => void at, failed() {} },
    { mayRetry: () => true, succeeded() {} },
    new RetryBudget(),
    new TokenBudget(),
  ];
  for (const budget of budgets) new Backoff({ exceptions: "all", budget });
  const rows: (() => unknown)[] = [
    // @ts-expect-error a budget answers whether a retry may be made
    () => new Backoff({ exceptions: "all", budget: { began() {}, ended() {} } }),
    // @ts-expect-error a hook is a function
    () => new Backoff({ exceptions: "all", budget: { mayRetry: () => true, ended: true } }),
  ];
  for (const make of rows) assertThrows(make, TypeError, "option 'budget'");
  // @ts-expect-error a budget answers at once
  const budget: Budget = { mayRetry: () => Promise.resolve(true) };
  assertEquals(typeof budget.mayRetry, "function");
});

Deno.test("Attempt, Failure and the events have triesLeft and names that are read-only", async () => {
  same<Attempt["triesLeft"], number>(true);
  same<Failure["name"], string>(true);
  same<Failure["duration"], number>(true);
  same<BackoffEvent["name"], string>(true);
  same<ReturnType<typeof currentAttemptOrNull>, Attempt | null>(true);
  assertEquals(currentAttemptOrNull(), null);
  const attempt = await new Backoff().execute((attempt) => attempt);
  // @ts-expect-error it is read-only
  assertThrows(() => attempt.triesLeft = 2, TypeError);
  assertEquals(attempt.triesLeft, Infinity);
});

Deno.test("ResultError has the value that was refused, of any type", () => {
  const error = new ResultError({ id: 7 });
  same<typeof error.value, unknown>(true);
  // @ts-expect-error it is read-only
  error.value = 8;
  assertEquals(error instanceof Error, true);
});

Deno.test("Reason and Ends have every reason, once each", () => {
  const all: Record<Reason, true> = {
    success: true,
    nonRetryable: true,
    exhausted: true,
    maxTries: true,
    giveup: true,
    budget: true,
    deadline: true,
    aborted: true,
    callbackError: true,
  };
  same<keyof Ends, Reason>(true);
  assertEquals(Object.keys(new Backoff().statistic.ends), Object.keys(all));
});

Deno.test("Pauses may be a list, and their jitter a number", () => {
  const pauses: Pause[] = [100, [100, 200], [100, 200] as const, exponential(), () => 100];
  for (const pause of pauses) new Backoff({ exceptions: "all", pause });
  same<Jitter, "full" | "equal" | "none">(true);
  exponential({ jitter: 0.3, min: 10 });
  linear({ jitter: 1, min: null });
  decorrelated({ min: 10 });
  const rows: (() => unknown)[] = [
    // @ts-expect-error a number is not a string
    () => exponential({ jitter: "0.3" }),
    // @ts-expect-error a duration is not a string
    () => linear({ min: "10" }),
    // @ts-expect-error it has no jitter
    () => decorrelated({ jitter: 0.3 }),
  ];
  for (const [index, make] of rows.entries()) {
    assertThrows(make, Error, "Cannot make", `row ${index}`);
  }
});
