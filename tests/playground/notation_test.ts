// The notation of the playground: what it reads, what it refuses, and that it always ends.

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { evaluate } from "../../playground/notation/evaluate.ts";
import { parseExpression, parseStatement } from "../../playground/notation/parse.ts";
import { print } from "../../playground/notation/print.ts";
import { scopeOn } from "../../playground/notation/scope.ts";
import { CodeError } from "../../playground/notation/tokens.ts";

const valueOf = (text: string) => evaluate(parseExpression(text), text, scopeOn(null));

const values: [text: string, value: unknown][] = [
  ["1_000.5", 1000.5],
  ["-.5e3", -500],
  ["'a\\n\"b'", 'a\n"b'],
  ["`plain`", "plain"],
  ["[1, 2, 3,]", [1, 2, 3]],
  ['{ a: 1, "b-c": { d: null }, }', { a: 1, "b-c": { d: null } }],
  ["1 + 2 * 3 ** 2", 19],
  ["(1 + 2) * 3", 9],
  ["8 - 3 - 2", 3],
  ["1 < 2 && 2 <= 2 || false", true],
  ["null ?? 'x'", "x"],
  ["!true ? 1 : 2", 2],
  ["{ a: 5 }.a", 5],
  ["undefined?.b", undefined],
  ["Math.max(1, 2)", 2],
  ["'a' in { a: 1 }", true],
  ["new RangeError('x') instanceof Error", true],
  ["/* one */ 1 // two", 1],
  ["'1' + 1", "11"],
  ["7 % 4 / 2", 1.5],
  ["1 !== 1 || 2 === 2", true],
  ["5 > 4 === true", true],
];

Deno.test("evaluate() computes literals, operators, members and calls", () => {
  for (const [text, value] of values) assertEquals(valueOf(text), value, text);
});

Deno.test("evaluate() makes functions of one expression", () => {
  const fn = valueOf("({ attempt }, other) => attempt * 10 + (other ?? 1)") as (
    ...args: unknown[]
  ) => unknown;
  assertEquals([fn({ attempt: 3 }), fn({ attempt: 3 }, 2)], [31, 32]);
  const nested = valueOf("(a) => (b) => a - b") as (a: number) => (b: number) => number;
  assertEquals(nested(5)(3), 2);
  const error = valueOf(
    "(error) => error instanceof TypeError && error.message === 'x'",
  ) as (
    error: unknown,
  ) => boolean;
  assertEquals([error(new TypeError("x")), error(new Error("x")), error(null)], [
    ...[true, false, false],
  ]);
});

const mistakes: [text: string, line: number, column: number, message: RegExp][] = [
  ["", 1, 1, /A value must be here, got the end of the text/],
  ["{ a: 1", 1, 7, /There must be }|, or }/],
  ["{\n  a: 1\n  b: 2\n}", 3, 3, /There must be }|, or } here, got b/],
  ["[1,\n 2,\n ;]", 3, 2, /A value must be here, got ;/],
  ["'open", 1, 1, /must end in the same line/],
  ["`a ${b}`", 1, 1, /must end in the same line|not part of the notation/],
  ["1 # 2", 1, 3, /The character # is not part of the notation/],
  ["1 2", 1, 3, /Nothing must follow here, got 2/],
  ["new Error", 1, 10, /A call must follow 'new'/],
  ["(a) => { return 1 }", 1, 8, /A function must be one expression here/],
  ["fetch('/')", 1, 1, /The name 'fetch' is not known here/],
  ["globalThis", 1, 1, /The name 'globalThis' is not known/],
  ["(e) => window", 1, 8, /The name 'window' is not known/],
  ["exponential.constructor", 1, 1, /'constructor' cannot be read here/],
  ["({}).__proto__", 1, 1, /'__proto__' cannot be read here/],
  ["[].map(1)", 1, 1, /'map' cannot be used here/],
  ["Error.captureStackTrace", 1, 1, /'captureStackTrace' cannot be used here/],
  ["1(2)", 1, 1, /'1' cannot be called here/],
  ["Error('x')", 1, 1, /'new' must stand before a class/],
  ["new exponential()", 1, 1, /'new' must not stand before a function/],
  ["exponential({ initial: -1 })", 1, 1, /option 'initial' must be/],
  ["{ ...a }", 1, 3, /'\.\.\.' must be written out here/],
  ["(".repeat(100), 1, 61, /nested at most 60 deep/],
  ["-".repeat(100), 1, 60, /too many signs in a row/],
  ["1" + " + 1".repeat(2000), 1, 803, /At most 200 operators/],
  ["Error" + ".name".repeat(1900), 1, 1006, /At most 200 operators/],
  ["/*".repeat(5000), 1, 6, /A value must be here/],
  ["x".repeat(10_001), 1, 1, /at most 10000 characters/],
];

Deno.test("evaluate() tells the line and the column of a mistake", () => {
  for (const [text, line, column, message] of mistakes) {
    const error = assertThrows(() => valueOf(text), CodeError);
    const where = `${text.slice(0, 40)}: ${error.message}`;
    assertEquals([error.line, error.column], [line, column], where);
    assert(message.test(error.message), where);
  }
});

/** Text that is close to the notation. */
const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(..."{}[]().,:;?!+-*/<>=&|@#'\"`\\\n ".split("")),
    fc.constantFrom("=>", "...", "??", "?.", "new ", "in ", "instanceof ", "a", "Error"),
    fc.constantFrom(
      "Backoff",
      "asyncbackoff",
      "retry",
      "exponential",
      "maxTries",
      "const ",
    ),
    fc.constantFrom(
      "1",
      "1e400",
      "0x1",
      "_",
      "null",
      "true",
      "/*",
      "*/",
      "//",
      "é",
      "\u{1f600}",
    ),
    fc.string({ maxLength: 4 }),
  ),
  { maxLength: 60 },
).map((parts) => parts.join(""));

Deno.test("evaluate() ends for any text, with a value or with a message at a place", () => {
  fc.assert(
    fc.property(pieces, (text) => {
      try {
        evaluate(parseStatement(text), text, scopeOn(null));
      } catch (error) {
        assert(error instanceof CodeError, `${text}: ${error}`);
        const lines = text.split("\n");
        assert(error.line >= 1 && error.line <= lines.length);
        assert(
          error.column >= 1 && error.column <= (lines[error.line - 1]?.length ?? 0) + 1,
        );
        assert(error.message !== "");
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("print() writes what parseExpression() reads as the same tree", () => {
  const texts = [
    ...values.map(([text]) => text),
    "({ a, b }, c) => ({ a: b ?? c })",
    "new RetryBudget({ retryRatio: 0.2 })",
    "(a) => !(a.b instanceof Error) && -(-a) > 3",
    "(a ? b : c) ? (d ? e : f) : g",
    "x => y => 30000",
  ];
  const withoutPlaces = (node: unknown) =>
    JSON.stringify(node, (key, value) => ["from", "to"].includes(key) ? undefined : value);
  for (const text of texts) {
    const tree = parseExpression(text);
    const again = parseExpression(print(tree));
    assertEquals(withoutPlaces(again), withoutPlaces(tree), print(tree));
    assertEquals(print(again), print(tree));
  }
});
