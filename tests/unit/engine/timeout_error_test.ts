// TimeoutError: its name, its message and its fields.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { TimeoutError } from "@asyncbackoff/asyncbackoff";

Deno.test("TimeoutError has its name on the prototype, like the errors of the platform", () => {
  const error = new TimeoutError("deadline", 100);
  assertInstanceOf(error, Error);
  assertEquals([error.name, Object.hasOwn(error, "name")], ["TimeoutError", false]);
  assertEquals(Object.getOwnPropertyDescriptor(TimeoutError.prototype, "name"), {
    value: "TimeoutError",
    writable: true,
    enumerable: false,
    configurable: true,
  });
});

Deno.test("TimeoutError names the function and the limit in its message", () => {
  const messages: [error: TimeoutError, message: string][] = [
    [new TimeoutError("deadline", 100, "load"), "'load' reached its deadline of 100 ms"],
    [
      new TimeoutError("attempt", 0.5, "load"),
      "'load' reached its attempt timeout of 0.5 ms",
    ],
    [new TimeoutError("deadline", 0), "An anonymous function reached its deadline of 0 ms"],
    [
      new TimeoutError("attempt", 5, ""),
      "An anonymous function reached its attempt timeout of 5 ms",
    ],
  ];
  for (const [error, message] of messages) assertEquals(error.message, message);
});

Deno.test("TimeoutError has the limit and its length", () => {
  const { limit, ms } = new TimeoutError("attempt", 50, "load");
  assertEquals([limit, ms], ["attempt", 50]);
});

Deno.test("TimeoutError has its name on the first line of its stack", () => {
  const { stack } = new TimeoutError("deadline", 100, "load");
  assert(!stack?.includes("\n    at") || stack.startsWith("TimeoutError: 'load' reached"));
});
