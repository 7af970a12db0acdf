// The errors that a policy retries.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import {
  checkExceptions,
  type Exceptions,
  isRetryable,
} from "../../../src/policy/error_classes.ts";

/** The message with which a value is refused. */
const messageOf = (value: unknown): string =>
  assertThrows(() => checkExceptions("wait: 'errors'", value as Exceptions), TypeError)
    .message;

Deno.test("checkExceptions() returns a frozen copy of the classes, or 'all'", () => {
  const classes = [TypeError, class Own {}];
  const checked = checkExceptions("wait: 'errors'", classes);
  assertEquals(checked, classes);
  assert(Object.isFrozen(checked) && !Object.isFrozen(classes));
  assertStrictEquals(checkExceptions("wait: 'errors'", "all"), "all");
});

const rule = `Cannot wait: 'errors' must be an array of classes, or "all"`;

Deno.test("checkExceptions() suggests an array when it receives one class", () => {
  assertEquals(
    messageOf(TypeError),
    `${rule}, got function TypeError; did you mean '[TypeError]'?`,
  );
  class Own {}
  assertEquals(messageOf(Own), `${rule}, got function Own; did you mean '[Own]'?`);
});

Deno.test("checkExceptions() refuses other values, and functions without a prototype", () => {
  assertEquals(messageOf("none"), `${rule}, got "none"`);
  assertEquals(messageOf(() => true), `${rule}, got function`);
  assertEquals(messageOf([TypeError, 5]), `${rule}, got 5`);
  assertEquals(messageOf([() => true]), `${rule}, got function`);
});

Deno.test("Backoff() suggests an array when 'exceptions' is one class", () => {
  const make = () => new Backoff({ exceptions: TypeError as unknown as "all" });
  const { message } = assertThrows(make, TypeError);
  assertEquals(
    message,
    `Cannot make a policy: option 'exceptions' must be an array of classes, or "all", got ` +
      "function TypeError; did you mean '[TypeError]'?",
  );
});

const named = (name: unknown) =>
  Object.defineProperty(new Error(), "name", { value: name });
const timeouts = [new DOMException("late", "TimeoutError"), named("TimeoutError")];
const aborts = [new DOMException("stop", "AbortError"), named("AbortError")];
const values = [undefined, null, 0, "TimeoutError", { code: 7 }, Symbol("down")];

Deno.test("isRetryable() accepts timeouts, whatever the exceptions", () => {
  for (const exceptions of [[], [TypeError], "all"] as const) {
    for (const error of [...timeouts, { name: "TimeoutError" }]) {
      assert(isRetryable(exceptions, error), `${exceptions}, ${error}`);
    }
  }
});

Deno.test("isRetryable() accepts the errors of the classes, and of classes that extend them", () => {
  class Own extends TypeError {}
  const errors = [new TypeError(), new Own(), new RangeError(), ...aborts, ...values];
  const retryable = errors.filter((error) => isRetryable([TypeError], error));
  assertEquals(retryable, errors.slice(0, 2));
  assert(isRetryable([Error], aborts[1]));
  assert(!errors.some((error) => isRetryable([], error)));
});

Deno.test("isRetryable() accepts everything but errors named AbortError when the exceptions are 'all'", () => {
  for (const error of [new TypeError(), ...values]) assert(isRetryable("all", error));
  for (const error of aborts) assert(!isRetryable("all", error));
});

Deno.test("isRetryable() goes by the class when the name of an error throws", () => {
  const error = Object.defineProperty(new RangeError(), "name", {
    get: () => {
      throw new Error("hostile");
    },
  });
  const accepted = [[RangeError], [TypeError], "all"] as const;
  const answers = accepted.map((exceptions) => isRetryable(exceptions, error));
  assertEquals(answers, [true, false, true]);
});

Deno.test("Backoff() retries by a class's own instanceof", async () => {
  // The same as for a class of another realm, whose instances have another prototype.
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
