// describe(): a value as messages show it.

import { assertEquals } from "@std/assert";
import { describe } from "../../../src/check/describe.ts";

/** An object that throws whatever is done with it. */
function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const named = (name: unknown) => Object.defineProperty(() => {}, "name", { value: name });

const described: [what: string, value: unknown, text: string][] = [
  ["a string", "soon", '"soon"'],
  ["an empty string", "", '""'],
  ["a string with quotes", 'a "b"\n', '"a \\"b\\"\\n"'],
  ["a string that just fits", "a".repeat(98), `"${"a".repeat(98)}"`],
  ["a string that is too long", "a".repeat(99), `"${"a".repeat(96)}...`],
  ["a number", -0.5, "-0.5"],
  ["NaN", NaN, "NaN"],
  ["a boolean", false, "false"],
  ["null", null, "null"],
  ["undefined", undefined, "undefined"],
  ["a bigint", 5n, "5n"],
  ["a symbol", Symbol("ms"), "Symbol(ms)"],
  ["a function", parseInt, "function parseInt"],
  ["a function without a name", named(""), "function"],
  ["a class", TypeError, "function TypeError"],
  ["a function with a long name", named("f".repeat(100)), `function ${"f".repeat(88)}...`],
  ["a function whose name throws", named(Symbol("f")), "a value that cannot be described"],
  ["an array", [1, 2], "an array of 2"],
  ["an empty array", [], "an array of 0"],
  ["a plain object", { ms: 100 }, "an object (Object)"],
  ["an object of a class", new Date(0), "an object (Date)"],
  ["an object without a prototype", Object.create(null), "an object (no prototype)"],
  ["an object that throws", revoked(), "a value that cannot be described"],
];

for (const [what, value, text] of described) {
  Deno.test(`describe() describes ${what}`, () => {
    assertEquals(describe(value), text);
  });
}
