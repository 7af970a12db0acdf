// Errors that are marked: as not retryable, and as retried already.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { nonRetryable } from "@asyncbackoff/asyncbackoff";
import {
  isExhausted,
  isNonRetryable,
  markExhausted,
} from "../../../src/policy/non_retryable.ts";

const primitives: [value: unknown, got: string][] = [
  ["down", '"down"'],
  [7, "7"],
  [7n, "7n"],
  [false, "false"],
  [null, "null"],
  [undefined, "undefined"],
  [Symbol("down"), "Symbol(down)"],
];

const objects: [what: string, make: () => object][] = [
  ["an error", () => new Error("down")],
  ["a frozen error", () => Object.freeze(new Error("down"))],
  ["a timeout of the platform", () => new DOMException("late", "TimeoutError")],
  ["a plain object", () => ({ code: 7 })],
  ["an object without a prototype", () => Object.create(null)],
  ["a function", () => () => {}],
  ["a proxy that throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }],
];

for (const [what, make] of objects) {
  Deno.test(`nonRetryable() marks ${what}, and returns it`, () => {
    const error = make();
    assertEquals(isNonRetryable(error), false);
    assertStrictEquals(nonRetryable(error), error);
    assertStrictEquals(nonRetryable(error), error); // again
    assertEquals([isNonRetryable(error), isNonRetryable(make())], [true, false]);
  });
}

Deno.test("nonRetryable() keeps the type of its argument, and changes nothing on it", () => {
  const error = Object.assign(new RangeError("down"), { code: 7 });
  const before = Object.getOwnPropertyDescriptors(error);
  const { code } = nonRetryable(error);
  assertEquals(code, 7);
  assertEquals(Object.getOwnPropertyDescriptors(error), before);
  assertEquals(Reflect.ownKeys(error).length, Reflect.ownKeys(before).length);
});

Deno.test("nonRetryable() throws TypeError when it receives a primitive", () => {
  for (const [value, got] of primitives) {
    const { message } = assertThrows(() => nonRetryable(value as object), TypeError);
    assertEquals(message, `Cannot mark an error: 'error' must be an object, got ${got}`);
    assertEquals(isNonRetryable(value), false);
  }
});

Deno.test("isNonRetryable() is false for an error that wraps a marked one, or inherits from it", () => {
  const error = nonRetryable(new Error("down"));
  const wrapper = new Error("wrapper", { cause: error });
  const others = [wrapper, new AggregateError([error]), Object.create(error)];
  assertEquals(others.map(isNonRetryable), [false, false, false]);
});

Deno.test("isExhausted() recognises an error that is marked, and none that is not", () => {
  const error = new Error("down");
  assertEquals(isExhausted(error), false);
  markExhausted(error);
  assertEquals([isExhausted(error), isExhausted(new Error("down"))], [true, false]);
  assertEquals(isNonRetryable(error), false);
  assert(!isExhausted(nonRetryable(new Error("down"))));
});

Deno.test("markExhausted() changes nothing on an error, and ignores primitives", () => {
  const error = Object.freeze(new Error("down"));
  markExhausted(error);
  assert(isExhausted(error));
  for (const [value] of primitives) {
    markExhausted(value);
    assertEquals(isExhausted(value), false);
  }
});

/** An error with another one as a cause, at a given depth. */
const wrapped = (cause: unknown, depth: number): unknown =>
  depth === 0 ? cause : new Error(`wrapper ${depth}`, { cause: wrapped(cause, depth - 1) });

Deno.test("isExhausted() follows ten causes, and not more", () => {
  const error = new Error("down");
  markExhausted(error);
  const found = [1, 2, 9, 10, 11, 12].filter((depth) => isExhausted(wrapped(error, depth)));
  assertEquals(found, [1, 2, 9, 10]);
});

Deno.test("isExhausted() ends where a cause is no object, throws, or is the error itself", () => {
  assertEquals(isExhausted(wrapped("down", 2)), false);
  const hostile = Object.defineProperty(new Error(), "cause", {
    get: () => {
      throw new Error("hostile");
    },
  });
  assertEquals(isExhausted(wrapped(hostile, 1)), false);
  const cyclic = new Error("cyclic");
  cyclic.cause = cyclic;
  assertEquals(isExhausted(cyclic), false);
});

Deno.test("isExhausted() does not look into the errors of an AggregateError", () => {
  const error = new Error("down");
  markExhausted(error);
  assertEquals(isExhausted(new AggregateError([error])), false);
});
