// The errors that a policy retries.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import {
  checkExceptions,
  type ErrorClass,
  type Exceptions,
  isInAll,
  isOfClass,
  nameOf,
} from "../../../src/policy/error_classes.ts";

/** The message with which a value is refused. */
const messageOf = (value: unknown): string =>
  assertThrows(() => checkExceptions("wait: 'errors'", value as Exceptions), TypeError)
    .message;

/** A function that makes errors, as they were written before there were classes. */
function OldStyle() {}
OldStyle.prototype = Object.create(Error.prototype);

Deno.test("checkExceptions() returns a frozen copy of the classes, the predicate, or 'all'", () => {
  const classes = [TypeError, class Own {}];
  const checked = checkExceptions("wait: 'errors'", classes);
  assertEquals(checked, classes);
  assert(Object.isFrozen(checked) && !Object.isFrozen(classes));
  assertStrictEquals(checkExceptions("wait: 'errors'", "all"), "all");
  assertStrictEquals(checkExceptions("wait: 'errors'", null), null);
  function isDown() {
    return true;
  }
  for (const predicate of [() => true, isDown, Object.freeze(isDown)]) {
    assertStrictEquals(checkExceptions("wait: 'errors'", predicate), predicate);
  }
});

const rule = `Cannot wait: 'errors' must be an array of classes, a predicate, or "all"`;

Deno.test("checkExceptions() suggests an array when it receives one class", () => {
  class Own {}
  for (const each of [TypeError, Error, DOMException, Own, Map, OldStyle]) {
    const { name } = each;
    const message = `${rule}, got function ${name}; did you mean '[${name}]'?`;
    assertEquals(messageOf(each), message);
  }
});

Deno.test("checkExceptions() refuses other values, and functions without a prototype", () => {
  assertEquals(messageOf("none"), `${rule}, got "none"`);
  assertEquals(messageOf(5), `${rule}, got 5`);
  assertEquals(messageOf({}), `${rule}, got an object (Object)`);
  assertEquals(messageOf([TypeError, 5]), `${rule}, got 5`);
  assertEquals(messageOf([() => true]), `${rule}, got function`);
});

Deno.test("Backoff() suggests an array when 'exceptions' is one class", () => {
  const make = () => new Backoff({ exceptions: TypeError as unknown as "all" });
  const { message } = assertThrows(make, TypeError);
  assertEquals(
    message,
    "Cannot make a policy: option 'exceptions' must be an array of classes, a predicate, " +
      `or "all", got function TypeError; did you mean '[TypeError]'?`,
  );
});

const named = (name: unknown) =>
  Object.defineProperty(new Error(), "name", { value: name });
const aborts = [new DOMException("stop", "AbortError"), named("AbortError")];
const values = [undefined, null, 0, "TimeoutError", { code: 7 }, Symbol("down")];

Deno.test("isOfClass() accepts the errors of the classes, and of classes that extend them", () => {
  class Own extends TypeError {}
  const errors = [new TypeError(), new Own(), new RangeError(), ...aborts, ...values];
  const accepted = errors.filter((error) => isOfClass([TypeError], error));
  assertEquals(accepted, errors.slice(0, 2));
  assert(isOfClass([Error], aborts[0]) && isOfClass([Error], aborts[1]));
  assert(isOfClass([RangeError, Own], new Own()));
  assert(!isOfClass([RangeError, Own], new TypeError()));
  assert(isOfClass([DOMException], aborts[0]) && !isOfClass([DOMException], aborts[1]));
  assert(isOfClass([OldStyle as unknown as ErrorClass], Object.create(OldStyle.prototype)));
  assert(!errors.some((error) => isOfClass([], error)));
});

Deno.test("isOfClass() does not decide by the name of an error, or of a class", () => {
  for (const name of ["TypeError", "DOMException", "Error"]) {
    assert(!isOfClass([TypeError, DOMException], named(name)), name);
    assert(!isOfClass([TypeError, DOMException, Error], { name }), name);
  }
  const Namesake = { TypeError: class TypeError extends Error {} }.TypeError;
  assert(!isOfClass([Namesake], new TypeError()));
  assert(!isOfClass([TypeError], new Namesake()));
  const Other = { DOMException: class DOMException extends Error {} }.DOMException;
  assert(!isOfClass([Other], new DOMException()));
  assert(!isOfClass([DOMException], new Other()));
});

Deno.test("isOfClass() decides by the class when an error or a class is hostile", () => {
  const throwing = {
    get: () => {
      throw new Error("hostile");
    },
  };
  const error = Object.defineProperty(new RangeError(), "name", throwing);
  assertEquals([isOfClass([RangeError], error), isOfClass([TypeError], error)], [
    true,
    false,
  ]);
  const branded = Object.defineProperty(new RangeError(), Symbol.toStringTag, throwing);
  assertEquals([isOfClass([RangeError], branded), isOfClass([TypeError], branded)], [
    true,
    false,
  ]);
  class Nameless {}
  Object.defineProperty(Nameless, "name", throwing);
  assertEquals(isOfClass([Nameless], new Nameless()), true);
  assertEquals(isOfClass([Nameless], error), false);
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

Deno.test("nameOf() returns the name of any value, and undefined where there is none", () => {
  const throwing = {
    get name() {
      throw new Error("hostile");
    },
  };
  const rows: [value: unknown, name: unknown][] = [
    [new TypeError(), "TypeError"],
    [new DOMException("late", "TimeoutError"), "TimeoutError"],
    [named(7), 7],
    [TypeError, "TypeError"],
    [null, undefined],
    [undefined, undefined],
    ["text", undefined],
    [throwing, undefined],
  ];
  for (const [value, name] of rows) assertStrictEquals(nameOf(value), name);
});

Deno.test("isInAll() leaves out aborts and refusals by a guard, and nothing else", () => {
  for (const name of ["AbortError", "CircuitOpenError", "ThrottledError"]) {
    assert(!isInAll(name), name);
  }
  const others = ["Error", "TimeoutError", "", "AbortError CircuitOpenError", 7, undefined];
  for (const name of [...others, null, Symbol("AbortError")]) assert(isInAll(name));
});
