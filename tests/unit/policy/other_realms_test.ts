// Errors and classes of another realm, such as that of a vm context or of a frame.

import { createContext, runInContext } from "node:vm";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Backoff, type ErrorClass } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import {
  checkExceptions,
  type Exceptions,
  isOfClass,
} from "../../../src/policy/error_classes.ts";

const realm = createContext({});

/** The value of an expression in the other realm. */
// deno-lint-ignore no-explicit-any
const foreign = (expression: string): any => runInContext(`(${expression})`, realm);

/** The built-in classes of errors that this realm has. */
const names = ["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError"]
  .concat("SuppressedError", "SyntaxError", "TypeError", "URIError")
  .filter((name) => name in globalThis);

const own = (name: string): ErrorClass => Reflect.get(globalThis, name);
const errorOf = (name: string, from: (name: string) => ErrorClass): unknown =>
  Reflect.construct(from(name), name === "AggregateError" ? [[]] : []);

Deno.test("isOfClass() accepts errors of the same built-in class of another realm", () => {
  assert(names.length >= 8);
  for (const name of names) {
    for (const other of names) {
      const isListed = name === other || name === "Error";
      const row = `${name}, ${other}`;
      const there = errorOf(other, foreign);
      assert(!(there instanceof own(name)), row);
      assertEquals(isOfClass([own(name)], there), isListed, row);
      assertEquals(isOfClass([foreign(name)], errorOf(other, own)), isListed, row);
      assertEquals(isOfClass([foreign(name)], there), isListed, row);
    }
  }
});

Deno.test("isOfClass() accepts errors of a subclass that another realm makes of a built-in class", () => {
  const error = foreign("new (class Own extends TypeError {})");
  assert(isOfClass([TypeError], error) && isOfClass([Error], error));
  assert(!isOfClass([RangeError], error));
});

Deno.test("isOfClass() uses instanceof for a class that is not built in", () => {
  class Own extends TypeError {}
  const error = foreign("new (class Own extends TypeError {})");
  assert(!isOfClass([Own], error));
  const Namesake = { TypeError: class TypeError extends Error {} }.TypeError;
  assert(!isOfClass([Namesake], foreign("new TypeError()")));
  assert(!isOfClass([TypeError], foreign("new (class TypeError extends Error {})")));
});

Deno.test("isOfClass() decides by the brand and the constructors of an error, not by its name", () => {
  const renamed = foreign("Object.assign(new TypeError(), { name: 'RangeError' })");
  assertEquals([TypeError, RangeError].map((each) => isOfClass([each], renamed)), [
    true,
    false,
  ]);
  const objects = [
    "{ name: 'TypeError' }",
    "Object.create(TypeError.prototype)",
    "Object.create(null, { name: { value: 'TypeError' } })",
    "{ constructor: TypeError, [Symbol.toStringTag]: 'Error' }",
  ];
  for (const object of objects) {
    assert(!isOfClass([TypeError, Error, DOMException], foreign(object)), object);
  }
});

/** A DOMException of the other realm, or a stand-in where a vm context has none. */
const foreignDOMException = foreign(`typeof DOMException === "function"
  ? new DOMException("down", "NetworkError")
  : new (class DOMException extends Error {
      get [Symbol.toStringTag]() { return "DOMException"; }
    })("down")`);

Deno.test("isOfClass() accepts a DOMException of another realm by its brand", () => {
  assert(!(foreignDOMException instanceof Error));
  assert(isOfClass([DOMException], foreignDOMException));
  assert(isOfClass([Error], foreignDOMException)); // as in its own realm
  assert(!isOfClass([TypeError], foreignDOMException));
  const { constructor } = foreignDOMException;
  assert(isOfClass([constructor], new DOMException("down")));
  assert(!isOfClass([constructor], new TypeError()));
  // The brand alone is not enough, nor is the name of the class.
  const branded = foreign("{ [Symbol.toStringTag]: 'DOMException' }");
  assert(!isOfClass([DOMException], branded));
  const Namesake = { DOMException: class DOMException extends Error {} }.DOMException;
  assert(!isOfClass([Namesake], foreignDOMException));
  class Branded {
    static readonly name = "DOMException";
    readonly [Symbol.toStringTag] = "DOMException";
  }
  assert(!isOfClass([Branded], foreignDOMException));
});

const rule = `Cannot wait: 'errors' must be an array of classes, a predicate, or "all"`;
const oldStyle = `(() => {
  function OldStyle() {}
  OldStyle.prototype = Object.create(Error.prototype);
  return OldStyle;
})()`;

Deno.test("checkExceptions() suggests an array when it receives one class of another realm", () => {
  const classes = [
    ["TypeError", "TypeError"],
    ["class Own {}", "Own"],
    ["class Own extends Error {}", "Own"],
    [oldStyle, "OldStyle"],
  ] as const;
  for (const [expression, name] of classes) {
    const value = foreign(expression) as unknown as Exceptions;
    const { message } = assertThrows(
      () => checkExceptions("wait: 'errors'", value),
      TypeError,
    );
    assertEquals(message, `${rule}, got function ${name}; did you mean '[${name}]'?`);
  }
});

Deno.test("checkExceptions() accepts a predicate and an array of another realm", () => {
  for (const expression of ["() => true", "function isDown() { return true; }"]) {
    const predicate = foreign(expression);
    assertStrictEquals(checkExceptions("wait: 'errors'", predicate), predicate);
  }
  const checked = checkExceptions("wait: 'errors'", foreign("[TypeError, RangeError]"));
  assertEquals(checked, [foreign("TypeError"), foreign("RangeError")]);
});

Deno.test("Backoff.execute() retries an error of another realm by the class of this one", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: [TypeError], pause: 100, clock });
  const errors = [foreign("new TypeError('first')"), foreign("new RangeError('second')")];
  const result = backoff.execute(({ number }) => Promise.reject(errors[number - 1]));
  assertStrictEquals(await clock.run(result.catch((error) => error)), errors[1]);
  assertEquals([backoff.statistic.attempts, clock.now()], [2, 100]);
  clock.close();
});
