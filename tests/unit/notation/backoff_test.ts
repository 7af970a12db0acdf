// Backoff.execute(): its own arguments.

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { ForeignSignal } from "../../support/foreign_signal.ts";

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
  [() => [fn, { signal: {} }], `${notSignal}, got an object (Object)`],
  [
    () => [fn, { signal: new AbortController() }],
    `${notSignal}, got an object (AbortController)`,
  ],
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
  [() => [fn, { retries: 3 }], "unknown option 'retries', the options are signal"],
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

Deno.test("Backoff.execute() suggests { signal } when it receives a signal in place of its options", async () => {
  const { signal } = new AbortController();
  const { message } = await assertRejects(() => executeBy(fn, signal), TypeError);
  assertEquals(
    message,
    `Cannot execute: ${notOptions}, got an object (AbortSignal); did you mean '{ signal }'?`,
  );
});

Deno.test("Backoff.execute() treats null as absent, for its options and the signal", async () => {
  for (const options of [null, undefined, {}, { signal: null }, { signal: undefined }]) {
    assertEquals(await new Backoff().execute(fn, options), "value");
  }
});

Deno.test("Backoff.execute() rejects with the very error that a getter of its options throws", async () => {
  const boom = new Error("boom");
  const options = {
    get signal(): AbortSignal {
      throw boom;
    },
  };
  const result = new Backoff().execute(fn, options);
  assertStrictEquals(await result.catch((error) => error), boom);
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
