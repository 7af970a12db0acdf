// ResultError: its name, its message and its value.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { ResultError } from "@asyncbackoff/asyncbackoff";

Deno.test("ResultError has its name on the prototype, like the errors of the platform", () => {
  const error = new ResultError("pending");
  assertInstanceOf(error, Error);
  assertEquals([error.name, Object.hasOwn(error, "name")], ["ResultError", false]);
  assertEquals(Object.getOwnPropertyDescriptor(ResultError.prototype, "name"), {
    value: "ResultError",
    writable: true,
    enumerable: false,
    configurable: true,
  });
});

Deno.test("ResultError names the function and describes the result in its message", () => {
  const refused = "'until' refused the result of";
  const messages: [error: ResultError, message: string][] = [
    [new ResultError("pending", "poll"), `${refused} 'poll': "pending"`],
    [new ResultError({ id: 7 }, "poll"), `${refused} 'poll': an object (Object)`],
    [new ResultError(undefined, ""), `${refused} an anonymous function: undefined`],
    [new ResultError([1, 2]), `${refused} an anonymous function: an array of 2`],
  ];
  for (const [error, message] of messages) assertEquals(error.message, message);
});

Deno.test("ResultError has the very value that was refused", () => {
  for (const value of [{ id: 7 }, undefined, null, NaN, Symbol("pending")]) {
    assertStrictEquals(new ResultError(value, "poll").value, value);
  }
});

Deno.test("ResultError has its name on the first line of its stack", () => {
  const { stack } = new ResultError("pending", "poll");
  assert(!stack?.includes("\n    at") || stack.startsWith("ResultError: 'until' refused"));
});
