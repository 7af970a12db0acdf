// The errors of guards: their names, messages and fields.

import { assert, assertEquals } from "@std/assert";
import {
  CircuitOpenError,
  SupersededError,
  ThrottledError,
} from "@asyncbackoff/asyncbackoff/guards";

Deno.test("CircuitOpenError says which function was not called, and for how long it will be so", () => {
  const error = new CircuitOpenError(1500, "load");
  assertEquals(error.retryIn, 1500);
  assertEquals(
    `${error}`,
    "CircuitOpenError: 'load' was not called: its circuit is open for another 1500 ms",
  );
  assertEquals(
    new CircuitOpenError(Infinity).message,
    "An anonymous function was not called: its circuit is open until it is closed",
  );
});

Deno.test("ThrottledError says with which probability the call was refused", () => {
  const error = new ThrottledError(0.254, "load");
  assertEquals(error.probability, 0.254);
  const message = "ThrottledError: 'load' was not called: 25 % of its calls are throttled";
  assertEquals(`${error}`, message);
  assert(new ThrottledError(1).message.startsWith("An anonymous function was not"));
});

Deno.test("SupersededError says whose result is no longer needed", () => {
  assertEquals(
    `${new SupersededError("load")}`,
    "SupersededError: 'load' is no longer needed: another call has decided the result",
  );
  assert(new SupersededError().message.startsWith("An anonymous function is"));
});

Deno.test("the errors of guards have their names on the first line of their stacks", () => {
  for (
    const error of [new CircuitOpenError(1), new ThrottledError(1), new SupersededError()]
  ) {
    assert(error.stack?.startsWith(`${error.name}: `), error.stack);
    assertEquals(error.name, error.constructor.name);
  }
});
