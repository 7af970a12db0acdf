// Checks of single values: the value itself, or an error with an exact text.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  checkCallback,
  checkDuration,
  checkFinite,
  checkFiniteDuration,
  checkFlag,
  checkInteger,
  checkNumber,
  checkString,
  checkWord,
  holds,
  option,
  wrongType,
  wrongValue,
} from "../../../src/check/values.ts";

type ErrorType = typeof TypeError | typeof RangeError;
type Check = (value: unknown) => unknown;

const S = option("wait", "ms");
const isEven = (number: number) => number % 2 === 0;

const checks: {
  name: string;
  check: Check;
  valid: readonly unknown[];
  rule: string;
  invalid: readonly [value: unknown, errorType: ErrorType, got: string][];
}[] = [
  {
    name: "checkNumber()",
    check: (value) => checkNumber(S, value, "an even number", isEven),
    valid: [0, -2, 4],
    rule: "an even number",
    invalid: [[3, RangeError, "3"], ["4", TypeError, '"4"'], [null, TypeError, "null"]],
  },
  {
    name: "checkDuration()",
    check: (value) => checkDuration(S, value),
    valid: [0, 0.5, 1e300, Infinity],
    rule: "a number of milliseconds >= 0",
    invalid: [
      [-1, RangeError, "-1"],
      [NaN, RangeError, "NaN"],
      [-Infinity, RangeError, "-Infinity"],
      ["1s", TypeError, '"1s"'],
      [100n, TypeError, "100n"],
      [undefined, TypeError, "undefined"],
    ],
  },
  {
    name: "checkFiniteDuration()",
    check: (value) => checkFiniteDuration(S, value),
    valid: [0, 0.5, Number.MAX_VALUE],
    rule: "a finite number of milliseconds >= 0",
    invalid: [
      [-1, RangeError, "-1"],
      [NaN, RangeError, "NaN"],
      [Infinity, RangeError, "Infinity"],
      [[1], TypeError, "an array of 1"],
    ],
  },
  {
    name: "checkFiniteDuration() with a rule",
    check: (value) => checkFiniteDuration(S, value, "a pause"),
    valid: [0],
    rule: "a pause",
    invalid: [[Infinity, RangeError, "Infinity"], [true, TypeError, "true"]],
  },
  {
    name: "checkFinite()",
    check: (value) => checkFinite(S, value, 0.5),
    valid: [0.5, 2, Number.MAX_VALUE],
    rule: "a finite number >= 0.5",
    invalid: [
      [0.4, RangeError, "0.4"],
      [NaN, RangeError, "NaN"],
      [Infinity, RangeError, "Infinity"],
      ["2", TypeError, '"2"'],
    ],
  },
  {
    name: "checkInteger()",
    check: (value) => checkInteger(S, value, 1),
    valid: [1, 2 ** 53],
    rule: "an integer >= 1",
    invalid: [
      [0, RangeError, "0"],
      [2.5, RangeError, "2.5"],
      [NaN, RangeError, "NaN"],
      [Infinity, RangeError, "Infinity"],
      [3n, TypeError, "3n"],
    ],
  },
  {
    name: "checkInteger() with a note",
    check: (value) => checkInteger(S, value, 1, " (the first attempt counts)"),
    valid: [1],
    rule: "an integer >= 1 (the first attempt counts)",
    invalid: [[0, RangeError, "0"], ["3", TypeError, '"3"']],
  },
  {
    name: "checkFlag()",
    check: (value) => checkFlag(S, value),
    valid: [true, false],
    rule: "true or false",
    invalid: [[0, TypeError, "0"], ["true", TypeError, '"true"'], [
      null,
      TypeError,
      "null",
    ]],
  },
  {
    name: "checkString()",
    check: (value) => checkString(S, value as string | null),
    valid: ["load", "", null],
    rule: "a string",
    invalid: [
      [7, TypeError, "7"],
      [undefined, TypeError, "undefined"],
      [new String("load"), TypeError, "an object (String)"],
    ],
  },
  {
    name: "checkWord()",
    check: (value) => checkWord(S, value, ["full", "none"]),
    valid: ["full", "none"],
    rule: '"full" or "none"',
    invalid: [
      ["half", RangeError, '"half"'],
      ["", RangeError, '""'],
      [true, TypeError, "true"],
    ],
  },
  {
    name: "checkCallback()",
    check: (value) => checkCallback(S, value),
    valid: [isEven, class {}, null],
    rule: "a function",
    invalid: [[false, TypeError, "false"], [{}, TypeError, "an object (Object)"]],
  },
];

for (const { name, check, valid, rule, invalid } of checks) {
  Deno.test(`${name} returns a valid value`, () => {
    for (const value of valid) assertStrictEquals(check(value), value);
  });

  Deno.test(`${name} throws an error with an exact text when the value is wrong`, () => {
    for (const [value, errorType, got] of invalid) {
      const error = assertThrows(() => check(value), errorType);
      assertEquals(error.message, `Cannot wait: option 'ms' must be ${rule}, got ${got}`);
    }
  });
}

Deno.test("checkCallback() returns null when the function is absent", () => {
  assertStrictEquals(checkCallback(S, undefined), null);
});

Deno.test("holds() counts a check that throws as failed", () => {
  const fail = () => {
    throw new Error("revoked");
  };
  assertEquals([holds(() => true), holds(() => false), holds(fail)], [true, false, false]);
});

Deno.test("option() names the action and the option", () => {
  assertEquals(option("make a policy", "grace"), "make a policy: option 'grace'");
});

Deno.test("wrongType() and wrongValue() make errors of their class, with a hint", () => {
  const type = wrongType("wait: 'ms'", "a number", "1", "; did you mean 1?");
  assertStrictEquals(type.constructor, TypeError);
  const message = `Cannot wait: 'ms' must be a number, got "1"`;
  assertEquals(type.message, `${message}; did you mean 1?`);
  assertEquals(wrongType("wait: 'ms'", "a number", "1").message, message);
  const value = wrongValue("wait: 'ms'", "a number >= 0", -1);
  assertStrictEquals(value.constructor, RangeError);
  assertEquals(value.message, "Cannot wait: 'ms' must be a number >= 0, got -1");
});
