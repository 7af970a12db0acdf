// The name of an error class.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { named } from "../../../src/engine/error_name.ts";

Deno.test("named() puts the name on the prototype, like those of the platform's errors", () => {
  class Down extends Error {}
  named(Down, "Down");
  const error = new Down("again");
  assertEquals([error.name, Object.hasOwn(error, "name"), `${error}`], [
    "Down",
    false,
    "Down: again",
  ]);
  assertEquals(Object.getOwnPropertyDescriptor(Down.prototype, "name"), {
    value: "Down",
    writable: true,
    enumerable: false,
    configurable: true,
  });
});

Deno.test("named() puts the name on the first line of the stack", () => {
  class Down extends Error {
    static readonly named = named(this, "Fallen");
  }
  const { stack } = new Down("again");
  assert(!stack?.includes("\n    at") || stack.startsWith("Fallen: again"));
});

Deno.test("named() works where the prototype of errors is frozen", () => {
  // A stand-in for Error: the real one cannot be frozen for this test alone.
  class Base {
    declare name: string;
    declare message: string;
  }
  Object.defineProperty(Base.prototype, "name", { value: "Base", writable: true });
  Object.freeze(Base.prototype);
  class Down extends Base {}
  // This is why the name is not assigned.
  assertThrows(() => void (Down.prototype.name = "Down"), TypeError);
  named(Down, "Down");
  assertEquals([new Down().name, new Base().name], ["Down", "Base"]);
});
