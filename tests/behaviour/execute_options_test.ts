// The options of a single execution: its signal, its observer and its name. Its `until` is in
// until_test.ts.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import {
  asyncbackoff,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type ExecuteOptions,
  type Failure,
  ResultError,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenToUncaught } from "../support/uncaught.ts";

const hang = () => new Promise<never>(() => {});
const failOnce = ({ number }: Attempt) => number < 2 ? Promise.reject("down") : "value";

/** The error that a promise rejects with. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no error", (error) => error);
}

/** The errors that nobody caught while a function ran, and right after it. */
async function uncaughtIn(fn: () => Promise<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const stop = listenToUncaught((error) => seen.push(error));
  try {
    await fn();
    await delay(1);
  } finally {
    stop();
  }
  return seen;
}

Deno.test("Backoff.execute() emits each event to both observers, the policy's first", async () => {
  const told: [who: string, event: BackoffEvent][] = [];
  const backoff = new Backoff({
    exceptions: "all",
    observe: (event) => told.push(["policy", event]),
  });

  await backoff.execute(failOnce, { observe: (event) => told.push(["execution", event]) });

  assertEquals(
    told.map(([who, { type }]) => `${who}: ${type}`),
    ["attempt", "failure", "attempt", "done"].flatMap((type) => [
      `policy: ${type}`,
      `execution: ${type}`,
    ]),
  );
  for (let index = 0; index < told.length; index += 2) {
    assertStrictEquals(told[index]?.[1], told[index + 1]?.[1]);
  }
});

Deno.test("Backoff.execute() emits the events of that execution alone to its own observer", async () => {
  const backoff = new Backoff({ exceptions: "all" });
  const told: BackoffEvent[] = [];
  const observe = (event: BackoffEvent) => told.push(event);

  await Promise.all([
    backoff.execute(failOnce),
    backoff.execute(failOnce, { observe }),
    backoff.execute(failOnce, { observe: null }),
    backoff.execute(failOnce, { observe: undefined }),
  ]);

  assertEquals(told.map(({ type }) => type), ["attempt", "failure", "attempt", "done"]);
  assertEquals(new Set(told.map(({ execution }) => execution)).size, 1);
});

Deno.test("Backoff.execute() emits a late outcome to its own observer", async () => {
  const clock = new TestClock();
  const told: string[] = [];
  const backoff = new Backoff({ deadline: 100, clock });
  const late = () => clock.sleep(150).then(() => "late");

  await clock.run(
    errorOf(backoff.execute(late, { observe: ({ type }) => told.push(type) })),
  );
  await clock.advance(100);

  assertEquals(told, ["attempt", "done", "late"]);
  clock.close();
});

for (
  const [who, policyThrows, callThrows] of [
    ["the policy's observer throws", true, false],
    ["its own observer throws", false, true],
    ["both observers throw", true, true],
  ] as const
) {
  Deno.test(`Backoff.execute() is unaffected when ${who}, and each of those errors is uncaught`, async () => {
    const told: string[] = [];
    const thrown: unknown[] = [];
    const observer = (who: string, throws: boolean) => ({ type }: BackoffEvent) => {
      told.push(`${who}: ${type}`);
      if (!throws) return;
      thrown.push(new Error(`${who}: ${type}`));
      throw thrown.at(-1);
    };
    const backoff = new Backoff({
      exceptions: "all",
      observe: observer("policy", policyThrows),
    });
    let value: unknown;

    const uncaught = await uncaughtIn(async () => {
      value = await backoff.execute(failOnce, {
        observe: observer("execution", callThrows),
      });
    });

    assertEquals([value, told.length], ["value", 8]);
    assertEquals(thrown.length, policyThrows && callThrows ? 8 : 4);
    assertEquals(uncaught.length, thrown.length);
    for (const error of thrown) assert(uncaught.includes(error));
  });
}

Deno.test("Backoff.execute() is named by its own option, else by the policy's, else by the function", async () => {
  async function loadUser(): Promise<void> {
    await hang();
  }
  const clock = new TestClock();
  const rows: [policy: string | null, call: string | null, expected: string][] = [
    [null, null, "loadUser"],
    ["the policy", null, "the policy"],
    [null, "the call", "the call"],
    ["the policy", "the call", "the call"],
    ["the policy", "", ""],
    ["", null, ""],
  ];
  for (const [policy, call, expected] of rows) {
    const names = new Set<string>();
    const note = ({ name }: Failure | BackoffEvent) => void names.add(name);
    const backoff = new Backoff({
      attemptTimeout: 10,
      exceptions: [],
      maxTries: 2,
      giveup: (_, failure) => (note(failure), false),
      pause: (failure) => (note(failure), 0),
      observe: (event) => {
        note(event);
        if (event.type === "failure") note(event.failure);
      },
      name: policy,
      clock,
    });

    const error = await clock.run(errorOf(backoff.execute(loadUser, { name: call })));

    assertInstanceOf(error, TimeoutError);
    const subject = expected === "" ? "An anonymous function" : `'${expected}'`;
    assertEquals(error.message, `${subject} reached its attempt timeout of 10 ms`);
    assertEquals([...names], [expected]);
  }
  clock.close();
});

Deno.test("Backoff.wrap names its executions by the policy's option, else by the function", async () => {
  const clock = new TestClock();
  async function loadUser(): Promise<void> {
    await hang();
  }
  for (const [name, expected] of [["users", "users"], [null, "loadUser"]] as const) {
    const decorated = [
      new Backoff({ deadline: 10, name, clock }).wrap(loadUser),
      asyncbackoff(null, 10, { name, clock })(loadUser),
    ];
    for (const wrapped of decorated) {
      const error = await clock.run(errorOf(wrapped()));

      assertInstanceOf(error, TimeoutError);
      assertEquals(error.message, `'${expected}' reached its deadline of 10 ms`);
      assertEquals(wrapped.name, "loadUser"); // that of the function itself
    }
  }
  clock.close();
});

Deno.test("ResultError names the execution", async () => {
  const until = () => false;
  const backoff = new Backoff({ until, maxTries: 1, name: "polling" });
  for (
    const [options, subject] of [
      [{}, "'polling'"],
      [{ name: "job 7" }, "'job 7'"],
      [{ name: "" }, "an anonymous function"],
    ] as const
  ) {
    const error = await errorOf(backoff.execute(() => "value", options));

    assertInstanceOf(error, ResultError);
    assertEquals(error.message, `'until' refused the result of ${subject}: "value"`);
  }
});

Deno.test("Backoff.execute() can be aborted by its own signal when it has other options, too", async () => {
  for (
    const others of [
      { observe: () => {} },
      { until: () => true },
      { name: "load" },
      {},
    ]
  ) {
    const controller = new AbortController();
    const { signal } = controller;

    const result = new Backoff().execute(hang, { signal, ...others });
    controller.abort("enough");

    assertEquals(await errorOf(result), "enough");
  }
});

Deno.test("Backoff.execute() counts in the policy's statistic when it has options of its own", async () => {
  const backoff = new Backoff({ exceptions: "all" });

  await backoff.execute(failOnce, { observe: () => {}, until: () => true, name: "load" });

  const { attempts, errors, done, ends } = backoff.statistic;
  assertEquals([attempts, errors, done, ends.success], [2, 1, 2, 1]);
});

Deno.test("Backoff.execute() reads its options once, when it is called", async () => {
  let reads = 0;
  const told: string[] = [];
  const options: ExecuteOptions = {
    get observe() {
      reads += 1;
      return (event: BackoffEvent) => void told.push(event.name);
    },
    name: "before",
  };

  const result = new Backoff({ exceptions: "all" }).execute(failOnce, options);
  options.name = "after";
  await result;

  assertEquals([reads, new Set(told)], [1, new Set(["before"])]);
});

Deno.test("Backoff.execute() says where an option belongs that is not one of an execution", async () => {
  const rows: [options: Record<string, unknown>, message: string][] = [
    [{ deadline: 100 }, "it is an option of the policy: 'new Backoff({ deadline })'"],
    [{ maxTries: 3 }, "it is an option of the policy: 'new Backoff({ maxTries })'"],
    [{ abortSignal: null }, "did you mean 'signal'?"],
    [{ timeout: 100 }, "the options are signal, observe, until, name, within, detached"],
  ];
  for (const [options, hint] of rows) {
    const [name] = Object.keys(options);
    const error = await errorOf(new Backoff().execute(() => "value", options));

    assertInstanceOf(error, TypeError);
    assertEquals(error.message, `Cannot execute: unknown option '${name}', ${hint}`);
  }
});
