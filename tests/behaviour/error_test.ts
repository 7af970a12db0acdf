// Errors: which are retried, which one the execution rejects with, and what becomes of
// errors that nobody waits for.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { delay } from "@std/async/delay";
import {
  asyncbackoff,
  asyncretry,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Failure,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const failure = new Error("down");
const fail = () => Promise.reject(failure);
const hang = () => new Promise<never>(() => {});
const anything: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["a string", "down"],
  ["a number", 0],
  ["a symbol", Symbol("down")],
  ["an object without a prototype", Object.create(null)],
];

/** The error that a promise rejects with. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no error", (error) => error);
}

/** Runs an execution on a test clock, and then some more time for late outcomes. */
async function run(
  options: BackoffOptions,
  fn: (number: number, clock: TestClock) => unknown,
) {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => void events.push(event);
  const backoff = new Backoff({ observe, ...options, clock });
  let calls = 0;
  const error = await clock.run(errorOf(backoff.execute(() => fn(++calls, clock))));
  const endedAt = clock.now();
  await clock.advance(5000);
  clock.close();
  const done = events.find((event) => event.type === "done");
  const reason = done?.type === "done" ? done.reason : undefined;
  const late = events.filter((event) => event.type === "late");
  const { statistic } = backoff;
  return { error, calls, endedAt, reason, events, late, statistic };
}

type Listener = (value: unknown) => void;
interface Process {
  listeners(type: string): Listener[];
  removeAllListeners(type: string): void;
  on(type: string, listener: Listener): void;
}

/** Listens to the platform's own event if there is one, or else to that of the process. */
function listen(type: "error" | "unhandledrejection", listener: Listener): () => void {
  if ("PromiseRejectionEvent" in globalThis) {
    const onEvent = (event: Event) => {
      event.preventDefault();
      listener(
        event instanceof PromiseRejectionEvent ? event.reason : Reflect.get(event, "error"),
      );
    };
    globalThis.addEventListener(type, onEvent);
    return () => globalThis.removeEventListener(type, onEvent);
  }
  // A test runner's own listeners would report a failure of the test, so they are removed
  // meanwhile.
  const { process } = globalThis as unknown as { process: Process };
  const name = type === "error" ? "uncaughtException" : "unhandledRejection";
  const others = process.listeners(name);
  process.removeAllListeners(name);
  process.on(name, listener);
  return () => {
    process.removeAllListeners(name);
    for (const other of others) process.on(name, other);
  };
}

/** The errors that nobody handled while a function ran, and in a few turns after it. */
async function unhandledIn(
  type: "error" | "unhandledrejection",
  fn: () => Promise<unknown>,
): Promise<unknown[]> {
  const seen: unknown[] = [];
  const stop = listen(type, (value) => seen.push(value));
  try {
    await fn();
    await delay(1);
    await delay(1);
  } finally {
    stop();
  }
  return seen;
}

for (const [name, thrown] of anything) {
  // E1, E2
  Deno.test(`asyncretry() retries ${name} and rejects with that very value`, async () => {
    let calls = 0;
    const load = asyncretry(3)(() => {
      calls += 1;
      return Promise.reject(thrown);
    });

    assertStrictEquals(await errorOf(load()), thrown);
    assertEquals(calls, 3);
  });

  // E1
  Deno.test(`Backoff.execute() rejects with ${name} itself when it is not retryable, or at the deadline`, async () => {
    const thrower = () => {
      throw thrown;
    };
    const first = await run({ exceptions: [Error] }, thrower);
    assertStrictEquals(first.error, thrown);
    assertEquals([first.calls, first.reason], [1, "nonRetryable"]);
    assertEquals(first.statistic.errors, 0);

    const late = await run({ exceptions: "all", pause: 100, deadline: 250 }, thrower);
    assertStrictEquals(late.error, thrown);
    assertEquals([late.calls, late.endedAt, late.reason], [3, 250, "deadline"]);
  });
}

Deno.test("Backoff.execute() decides about a TypeError by the classes alone", async () => {
  const error = new TypeError("not a function");
  const thrower = () => {
    throw error;
  };
  for (
    const [exceptions, calls] of [
      ["all", 3],
      [[Error], 3],
      [[TypeError], 3],
      [[RangeError], 1],
      [[], 1],
    ] as const
  ) {
    const seen = await run({ exceptions, maxTries: 3 }, thrower);
    assertStrictEquals(seen.error, error);
    assertEquals(seen.calls, calls);
  }
});

Deno.test("Backoff.execute() rejects with the last error when another error was more frequent", async () => {
  const frequent = new Error("frequent");
  const { error, events } = await run(
    { exceptions: "all", maxTries: 4 },
    (number) => Promise.reject(number < 4 ? frequent : failure),
  );

  assertStrictEquals(error, failure);
  assertEquals(failure.cause, undefined); // nothing is attached to it
  assertEquals(Object.keys(failure), []);
  for (const event of events) {
    if (event.type !== "failure") continue;
    assertStrictEquals(event.failure.error, event.attempt < 4 ? frequent : failure);
  }
});

Deno.test("Backoff.execute() rejects with the last failure's error when the deadline ends a later attempt", async () => {
  let abortReason: unknown;
  const clock = new TestClock();
  const backoff = new Backoff({ deadline: 500, exceptions: [Error], clock });
  const error = await clock.run(errorOf(backoff.execute(({ number, signal }) => {
    if (number === 1) return fail();
    signal.addEventListener("abort", () => abortReason = signal.reason);
    return hang();
  })));

  assertStrictEquals(error, failure);
  assertEquals(clock.now(), 500);
  assertInstanceOf(abortReason, TimeoutError); // the attempt's signal still has the limit
  assertEquals([abortReason.limit, abortReason.ms], ["deadline", 500]);
  clock.close();
});

Deno.test("Backoff.execute() rejects with the deadline's TimeoutError when no attempt has failed", async () => {
  const { error, endedAt, reason } = await run({ deadline: 500 }, hang);

  assertInstanceOf(error, TimeoutError);
  assertEquals([error.name, error.limit, error.ms], ["TimeoutError", "deadline", 500]);
  assertEquals([endedAt, reason], [500, "deadline"]);
});

Deno.test("Backoff.execute() rejects at the deadline with an attempt's TimeoutError when that was the last failure", async () => {
  const failures: unknown[] = [];
  const options: BackoffOptions = {
    attemptTimeout: 100,
    deadline: 350,
    giveup: (error) => failures.push(error) < 0,
    exceptions: [Error],
  };
  const timedOut = await run(options, (number) => number === 1 ? fail() : hang());
  assertStrictEquals(timedOut.error, failures.at(-1));
  assertInstanceOf(timedOut.error, TimeoutError);
  assertEquals([timedOut.error.limit, timedOut.error.ms], ["attempt", 100]);
  assertEquals([timedOut.endedAt, timedOut.reason], [350, "deadline"]);
});

Deno.test("Backoff.execute() ignores the error of an abandoned attempt when it rejects with the last failure", async () => {
  const { error, late } = await run(
    { attemptTimeout: 100, deadline: 180, exceptions: [Error] },
    (number, clock) => number === 1 ? clock.sleep(150).then(fail) : hang(),
  );

  assertInstanceOf(error, TimeoutError);
  assertEquals(error.limit, "attempt");
  assertEquals(late.map(({ at }) => at), [150]);
});

for (
  const [name, makeError] of [
    ["the platform's", () => new DOMException("Signal timed out.", "TimeoutError")],
    [
      "an Error of that name",
      () => Object.assign(new Error("slow"), { name: "TimeoutError" }),
    ],
    ["not an Error", () => ({ name: "TimeoutError" })],
    ["ours, of another execution", () => new TimeoutError("deadline", 7)],
  ] as const
) {
  Deno.test(`Backoff.execute() retries a TimeoutError that is ${name}, whatever the classes`, async () => {
    for (const exceptions of [[], [RangeError], "all"] as const) {
      const errors = [makeError(), makeError(), makeError()];
      const seen = await run(
        { exceptions, maxTries: 3 },
        (number) => Promise.reject(errors[number - 1]),
      );
      assertStrictEquals(seen.error, errors[2]);
      assertEquals([seen.calls, seen.reason], [3, "maxTries"]);
      assertEquals(seen.statistic.errors, 3);
    }
  });
}

Deno.test("Backoff.execute() treats an error as no timeout when its name throws", async () => {
  class Nameless extends Error {
    override get name(): string {
      throw failure;
    }
  }
  const error = new Nameless("whose name throws");
  for (
    const [exceptions, calls] of [
      [[], 1],
      [[RangeError], 1],
      [[Nameless], 3],
      ["all", 3],
    ] as const
  ) {
    const seen = await run({ exceptions, maxTries: 3 }, () => Promise.reject(error));
    assertStrictEquals(seen.error, error);
    assertEquals(seen.calls, calls);
  }
});

Deno.test("Backoff.execute() retries an AbortError only when one of the classes matches it", async () => {
  const platform = new DOMException("Aborted.", "AbortError");
  const named = Object.assign(new Error("stopped"), { name: "AbortError" });
  for (const error of [platform, named]) {
    for (
      const [exceptions, calls] of [
        [[], 1],
        ["all", 1],
        [[RangeError], 1],
        [[Error], 3],
      ] as const
    ) {
      const seen = await run({ exceptions, maxTries: 3 }, () => Promise.reject(error));
      assertStrictEquals(seen.error, error);
      assertEquals(seen.calls, calls);
      assertEquals(seen.reason, calls === 1 ? "nonRetryable" : "maxTries");
    }
  }
});

Deno.test("asyncretry() retries an AbortError only when one of the classes matches it", async () => {
  const error = new DOMException("Aborted.", "AbortError");
  for (
    const [options, calls] of [[null, 1], [{ exceptions: [DOMException] }, 3]] as const
  ) {
    const retry = asyncretry(3, options);
    assertStrictEquals(await errorOf(retry(() => Promise.reject(error))()), error);
    assertEquals(retry.statistic.attempts, calls);
  }
});

Deno.test("Backoff.execute() is unaffected when its observer throws, and each of those errors is uncaught", async () => {
  const thrown: unknown[] = [];
  const observe = ({ type }: BackoffEvent) => {
    thrown.push(new Error(`from the observer of '${type}'`));
    throw thrown.at(-1);
  };
  let seen: Awaited<ReturnType<typeof run>> | undefined;
  const uncaught = await unhandledIn("error", async () => {
    seen = await run(
      { attemptTimeout: 100, pause: 100, maxTries: 2, exceptions: [Error], observe },
      (number, clock) => clock.sleep(number === 1 ? 150 : 50).then(fail),
    );
  });

  assertStrictEquals(seen?.error, failure);
  assertEquals([seen.calls, seen.endedAt], [2, 250]);
  assertEquals([seen.statistic.done, seen.statistic.errors], [2, 2]);
  // attempt, failure, late, attempt, failure, done
  assertEquals(thrown.length, 6);
  assertEquals(uncaught.length, 6);
  for (const [index, error] of uncaught.entries()) assertStrictEquals(error, thrown[index]);
});

Deno.test("Backoff.execute() calls nothing more after giveup has ended it", async () => {
  const asked: [unknown, Failure][] = [];
  const { error, calls, endedAt, reason, statistic } = await run(
    {
      exceptions: [Error],
      pause: 100,
      maxTries: 5,
      giveup: (error, failure) => asked.push([error, failure]) === 2,
    },
    fail,
  );

  assertStrictEquals(error, failure);
  assertEquals([calls, endedAt, reason], [2, 100, "giveup"]);
  assertEquals(statistic.errors, 2);
  assertEquals(asked.map(([error, { attempt }]) => [error === failure, attempt]), [
    [true, 1],
    [true, 2],
  ]);
});

Deno.test("Backoff.execute() retries when giveup returns nothing", async () => {
  for (const answer of [undefined, null]) {
    const giveup = () => answer as unknown as boolean;
    const { calls, reason } = await run({ exceptions: [Error], maxTries: 3, giveup }, fail);

    assertEquals([calls, reason], [3, "maxTries"]);
  }
});

Deno.test("Backoff.execute() does not call giveup after the last try, or for an error that is not retryable", async () => {
  let asked = 0;
  const giveup = () => ++asked < 0;
  const last = await run({ exceptions: [Error], maxTries: 1, giveup }, fail);
  const other = await run({ exceptions: [RangeError], giveup }, fail);

  assertEquals([last.reason, other.reason], ["maxTries", "nonRetryable"]);
  assertEquals(asked, 0);
});

Deno.test("Backoff.execute() treats a synchronous throw as a failure", async () => {
  const { error, calls, endedAt, statistic } = await run(
    { attemptTimeout: 1000, pause: 100, exceptions: [Error], maxTries: 3 },
    () => {
      throw failure;
    },
  );

  assertStrictEquals(error, failure);
  assertEquals([calls, endedAt], [3, 200]); // and no timer is left: the clock was closed
  assertEquals([statistic.done, statistic.errors], [3, 3]);
});

Deno.test("Backoff.execute() resolves with any value at the first call", async () => {
  const symbol = Symbol("value");
  for (const value of [undefined, null, 0, "", false, NaN, symbol, hang, failure]) {
    for (const give of [() => value, () => Promise.resolve(value)]) {
      let calls = 0;
      const backoff = new Backoff({ attemptTimeout: 1000, exceptions: "all" });
      const result = await backoff.execute(() => (calls += 1, give()));
      assertStrictEquals(result, value); // even an Error, because it was returned
      assertEquals(calls, 1);
    }
  }
});

Deno.test("Backoff.execute() awaits a thenable", async () => {
  type Then = (resolve: (value: string) => void, reject: (error: unknown) => void) => void;
  const thenables: Then[] = [
    (_, reject) => reject(failure),
    () => {
      throw failure;
    },
    (resolve) => resolve("value"),
  ];
  const backoff = new Backoff({ exceptions: [Error] });
  const value = await backoff.execute(({ number }): PromiseLike<string> => {
    return { then: thenables[number - 1] } as PromiseLike<string>;
  });

  assertEquals(value, "value");
  assertEquals(backoff.statistic.errors, 2);
});

Deno.test("Backoff.execute() drops a late value and emits it once", async () => {
  const { error, late, events } = await run(
    { attemptTimeout: 100, deadline: 180 },
    (number, clock) => clock.sleep(number === 1 ? 150 : 250).then(() => `value ${number}`),
  );

  assertInstanceOf(error, TimeoutError);
  const [one, two, ...others] = late;
  assertEquals(others, []);
  const execution = events[0]?.execution;
  const value = (value: string) => ({ status: "fulfilled", value }) as const;
  assert(execution !== undefined && one !== undefined && two !== undefined);
  assertEquals<unknown>(one, {
    type: "late",
    execution,
    name: "",
    at: 150,
    attempt: 1,
    outcome: value("value 1"),
  });
  assertEquals<unknown>(two, {
    type: "late",
    execution,
    name: "",
    at: 350,
    attempt: 2,
    outcome: value("value 2"),
  });
});

Deno.test("Backoff.execute() never leaves a late rejection unhandled, and emits it once", async () => {
  const control = new Error("left unhandled, which proves that the test notices");
  for (const [limit, value] of [["attemptTimeout", 100], ["deadline", 100]] as const) {
    for (const observe of [null, () => {}]) {
      const unhandled = await unhandledIn("unhandledrejection", async () => {
        const options = { [limit]: value, maxTries: 1, observe };
        await run(options, (_, clock) => clock.sleep(150).then(fail));
        Promise.reject(control);
      });
      assertEquals(unhandled.length, 1, limit);
      assertStrictEquals(unhandled[0], control);
    }
    const seen = await run(
      { [limit]: value, maxTries: 1 },
      (_, clock) => clock.sleep(150).then(fail),
    );
    assertEquals(seen.endedAt, 100);
    assertEquals<unknown>(
      seen.late.map((event) => event.type === "late" && [event.at, event.outcome]),
      [[150, { status: "rejected", reason: failure }]],
    );
  }
});

for (const [name, thrown] of anything) {
  Deno.test(`Backoff.execute() emits a late rejection with ${name} when the signal's reason is another value`, async () => {
    for (const isSignalRead of [true, false]) {
      const clock = new TestClock();
      const late: unknown[] = [];
      const backoff = new Backoff({
        deadline: 100,
        observe: (event) => event.type === "late" && late.push(event.outcome),
        clock,
      });
      const error = await clock.run(errorOf(backoff.execute((attempt) => {
        if (isSignalRead) attempt.signal.throwIfAborted();
        return clock.sleep(150).then(() => Promise.reject(thrown));
      })));
      await clock.advance(50);

      assertInstanceOf(error, TimeoutError);
      assertEquals(late.length, 1, `signal read: ${isSignalRead}`);
      assertEquals(late, [{ status: "rejected", reason: thrown }]);
      clock.close();
    }
  });
}

Deno.test("Backoff.execute() emits no late event when the attempt rejects with its signal's own reason", async () => {
  const clock = new TestClock();
  const types: string[] = [];
  const backoff = new Backoff({
    attemptTimeout: 100,
    deadline: 180,
    observe: ({ type }) => types.push(type),
    clock,
  });
  const unhandled = await unhandledIn("unhandledrejection", async () => {
    await clock.run(errorOf(backoff.execute(({ number, signal }) => {
      // The first attempt rejects at the abort. The second rejects later, with the same
      // reason.
      if (number === 1) return clock.sleep(1000, { signal });
      return clock.sleep(150).then(() => Promise.reject(signal.reason));
    })));
    await clock.advance(1000);
  });

  assertEquals(unhandled, []);
  assertEquals(types, ["attempt", "failure", "attempt", "done"]);
  clock.close();
});

for (const option of ["giveup", "pause"] as const) {
  Deno.test(`Backoff.execute() rejects with the value that ${option} throws, whatever it is`, async () => {
    for (const thrown of [new Error("a bug"), undefined]) {
      const throwing = () => {
        throw thrown;
      };
      const { error, calls, reason, events, statistic } = await run(
        { exceptions: [Error], [option]: throwing },
        fail,
      );

      assertStrictEquals(error, thrown);
      assertEquals([calls, reason], [1, "callbackError"]);
      assertEquals(events.map(({ type }) => type), ["attempt", "failure", "done"]);
      assertEquals([statistic.done, statistic.errors], [1, 1]);
    }
  });

  Deno.test(`Backoff.execute() rejects with a TypeError caused by the failure when ${option} returns a promise`, async () => {
    for (
      const answer of [() => Promise.resolve(0), () => Promise.reject(new Error("a bug"))]
    ) {
      let seen: Awaited<ReturnType<typeof run>> | undefined;
      const unhandled = await unhandledIn("unhandledrejection", async () => {
        seen = await run(
          { exceptions: [Error], [option]: answer as unknown as () => never },
          fail,
        );
      });

      assertEquals(unhandled, []);
      assertInstanceOf(seen?.error, TypeError);
      assertStringIncludes(seen.error.message, `'${option}'`);
      assertStrictEquals(seen.error.cause, failure);
      assertEquals([seen.calls, seen.reason], [1, "callbackError"]);
    }
  });
}

Deno.test("Backoff.execute() rejects with a RangeError when pause returns a number that is not a pause", async () => {
  for (const pause of [-1, NaN, Infinity, -Infinity]) {
    const { error, calls, reason } = await run(
      { exceptions: [Error], deadline: 500, pause: () => pause },
      fail,
    );

    assertInstanceOf(error, RangeError);
    assertStringIncludes(error.message, "'pause'");
    assertStringIncludes(error.message, `got ${pause}`);
    assertEquals([calls, reason], [1, "callbackError"]);
  }
});

Deno.test("TimeoutError names the limit, its milliseconds and the function", async () => {
  const clock = new TestClock();
  async function loadUser(): Promise<void> {
    await hang();
  }
  const slow = new Backoff({ attemptTimeout: 70, maxTries: 1, clock });
  const over = asyncbackoff(null, 500, { clock });
  const messages = [
    await clock.run(errorOf(slow.execute(loadUser))),
    await clock.run(errorOf(slow.wrap(loadUser)())),
    await clock.run(errorOf(over(loadUser)())),
    await clock.run(errorOf(asyncbackoff(null, 0, { clock })(loadUser)())),
  ].map((error) => error instanceof TimeoutError && error.message);

  assertEquals(messages, [
    "'loadUser' reached its attempt timeout of 70 ms",
    "'loadUser' reached its attempt timeout of 70 ms",
    "'loadUser' reached its deadline of 500 ms",
    "'loadUser' reached its deadline of 0 ms",
  ]);
  const anonymous = await clock.run(errorOf(slow.execute(() => hang())));
  assertInstanceOf(anonymous, TimeoutError);
  assertEquals(
    anonymous.message,
    "An anonymous function reached its attempt timeout of 70 ms",
  );
  clock.close();
});

Deno.test("TimeoutError can be constructed without the name of a function", () => {
  const error = new TimeoutError("deadline", 500);

  assertEquals(error.message, "An anonymous function reached its deadline of 500 ms");
});
