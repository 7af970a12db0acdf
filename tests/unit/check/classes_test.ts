// Classes, functions that make errors, and built-in classes. Those of other realms are
// tested with the policy.

import { assertEquals } from "@std/assert";
import {
  inheritsFrom,
  isClass,
  isErrorMaker,
  isNative,
} from "../../../src/check/classes.ts";

// deno-lint-ignore ban-types
type AnyFunction = Function;

class Plain {}
class Own extends TypeError {}
/** A subclass with a name that a built-in class has. */
const Namesake = { RangeError: class RangeError extends Error {} }.RangeError;

function fn() {}
function frozen() {}
Object.freeze(frozen);
/** A constructor as it was written before there were classes. */
function OldStyle() {}
OldStyle.prototype = Object.create(Error.prototype);
/** The same, as `util.inherits` makes it. */
function Inheriting() {}
Object.setPrototypeOf(Inheriting.prototype, TypeError.prototype);

const methods = { load() {}, class() {}, async wait() {}, *walk() {} };

const classes: [what: string, value: AnyFunction][] = [
  ["a class", Plain],
  ["a class without a name", class {}],
  ["a subclass of an error", Own],
  ["a built-in error", TypeError],
  ["a built-in class", Map],
  ["DOMException", DOMException],
  ["a proxy of a class", new Proxy(Plain, {})],
];

const functions: [what: string, value: AnyFunction][] = [
  ["a function", fn],
  ["an arrow function", () => true],
  ["an async function", async function wait() {}],
  ["a generator", function* walk() {}],
  ["a frozen function", frozen],
  ["a method", methods.load],
  ["a method whose name is class", methods.class],
  ["an async method", methods.wait],
  ["a generator method", methods.walk],
  ["a built-in function", parseInt],
  ["a bound class", Plain.bind(null)],
  ["a function without a prototype", Object.assign(() => {}, { prototype: undefined })],
];

const oldStyle: [what: string, value: AnyFunction][] = [
  ["a function whose prototype inherits from Error.prototype", OldStyle],
  ["a function whose prototype inherits from another error's", Inheriting],
];

for (const [what, value] of classes) {
  Deno.test(`isClass() and isErrorMaker() accept ${what}`, () => {
    assertEquals([isClass(value), isErrorMaker(value)], [true, true]);
  });
}

for (const [what, value] of functions) {
  Deno.test(`isClass() and isErrorMaker() refuse ${what}`, () => {
    assertEquals([isClass(value), isErrorMaker(value)], [false, false]);
  });
}

for (const [what, value] of oldStyle) {
  Deno.test(`isErrorMaker() accepts ${what}, which is no class`, () => {
    assertEquals([isClass(value), isErrorMaker(value)], [false, true]);
  });
}

Deno.test("isErrorMaker() refuses a function that throws when it is looked at", () => {
  const get = () => {
    throw new Error("hostile");
  };
  const { proxy, revoke } = Proxy.revocable(Own, {});
  revoke();
  for (const value of [proxy, new Proxy(fn, { get })]) {
    assertEquals(isErrorMaker(value), false);
  }
});

/** An object whose property `constructor` is a getter. */
const computed = Object.defineProperty({}, "constructor", { get: () => TypeError });

const inheriting: [what: string, value: unknown, name: string, expected: boolean][] = [
  ["an error from its class", new TypeError(), "TypeError", true],
  ["an error from Error", new TypeError(), "Error", true],
  ["an error from Object", new TypeError(), "Object", true],
  ["an error from another class", new TypeError(), "RangeError", false],
  ["an error of a subclass from the built-in class", new Own(), "TypeError", true],
  ["an error of a subclass from the subclass", new Own(), "Own", false],
  ["an error of a namesake from Error", new Namesake(), "Error", true],
  ["an error of a namesake from the built-in class", new Namesake(), "RangeError", false],
  ["a prototype from its own class", TypeError.prototype, "TypeError", true],
  ["a string from String", "text", "String", true],
  ["a string from Error", "text", "Error", false],
  ["null", null, "Object", false],
  ["undefined", undefined, "Object", false],
  ["an object without a prototype", Object.create(null), "Object", false],
  ["an object that names a constructor", { constructor: TypeError }, "TypeError", false],
  ["an object whose constructor is a getter", computed, "TypeError", false],
];

for (const [what, value, name, expected] of inheriting) {
  Deno.test(`inheritsFrom() is ${expected} for ${what}`, () => {
    assertEquals(inheritsFrom(value, name), expected);
  });
}

Deno.test("isNative() accepts the built-in function of a name, and nothing else", () => {
  const rows: [value: unknown, name: string, expected: boolean][] = [
    [TypeError, "TypeError", true],
    [parseInt, "parseInt", true],
    [TypeError, "Error", false],
    [Namesake, "RangeError", false],
    [fn, "fn", false],
    [Object.assign(() => {}, { toString: () => `${TypeError}` }), "TypeError", false],
    [undefined, "undefined", false],
    [{ name: "TypeError" }, "TypeError", false],
    [`${TypeError}`, "TypeError", false],
  ];
  for (const [value, name, expected] of rows) assertEquals(isNative(value, name), expected);
});
