// Policies as text: every notation, errors at their line, and back to text.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { NAMES } from "../../playground/options.ts";
import {
  checkPolicy,
  type Notation,
  type OptionTexts,
  readPolicy,
  writePolicy,
} from "../../playground/policy.ts";
import { CodeError } from "../../playground/notation/tokens.ts";
import { hasPolicy, policiesIn } from "../../playground/policies.ts";
import { writeTest } from "../../playground/test_snippet.ts";
import { hashOf, stateOf } from "../../playground/url_state.ts";

const readings: [text: string, notation: Notation, options: OptionTexts][] = [
  ["new Backoff({ deadline: 5000 })", "Backoff", { deadline: "5000" }],
  ["const backoff = new Backoff();", "Backoff", {}],
  ["{ grace: 3, pause: null }", "Backoff", { grace: "3" }],
  ["await new Backoff({ grace: 1 }).execute(load)", "Backoff", { grace: "1" }],
  ["@asyncbackoff({ deadline: 1 })", "decorator", { deadline: "1", exceptions: "[]" }],
  [
    "asyncbackoff(1000, 5_000, 100, ConnectionError, TypeError, { maxTries: 5 })(load)",
    "decorator",
    {
      attemptTimeout: "1000",
      deadline: "5000",
      pause: "100",
      exceptions: "[ConnectionError, TypeError]",
      maxTries: "5",
    },
  ],
  ["asyncbackoff(null, 5)", "decorator", { deadline: "5", exceptions: "[]" }],
  ["@asyncretry(5, { pause: 100 })", "decorator", {
    exceptions: '"all"',
    maxTries: "5",
    pause: "100",
  }],
  ["return await retry(load, { maxTries: 2 })", "retry", {
    exceptions: '"all"',
    minRemaining: "0",
    maxTries: "2",
  }],
];

Deno.test("readPolicy() reads every notation", () => {
  for (const [text, notation, options] of readings) {
    const code = readPolicy(text);
    assertEquals([code.notation, code.options], [notation, options], text);
    checkPolicy(code);
  }
});

Deno.test("writePolicy() writes what readPolicy() reads", () => {
  const options: OptionTexts = {
    attemptTimeout: "500",
    deadline: "30_000",
    pause: "exponential({ initial: 50, max: 1000 })",
    exceptions: '"all"',
    minRemaining: "0",
    giveup: "(error) => error instanceof RangeError",
    budget: "new RetryBudget()",
  };
  for (const notation of ["Backoff", "decorator", "retry"] as const) {
    const code = readPolicy(writePolicy(notation, options));
    assertEquals([code.notation, code.options], [notation, options]);
  }
  assertEquals(writePolicy("retry", {}), "await retry(load, { maxTries: Infinity })");
  assertEquals(writePolicy("decorator", { exceptions: "[]" }), "@asyncbackoff({})");
});

const mistakes: [text: string, line: number, message: string][] = [
  ["new Backoff({\n  maxTries: 0,\n  exceptions: []\n})", 2, "option 'maxTries' must be"],
  ["new Backoff({\n  deadline: 1,\n  retries: 3\n})", 3, "unknown option 'retries'"],
  ["new Backoff({ maxTries: 3 })", 1, "it must say what it retries"],
  ["new Backoff({\n\n  clock: 1 })", 3, "Time is virtual on this page"],
  ["new Backoff({ observe: 1 })", 1, "This page observes the executions"],
  ["new Backoff(5)", 1, "The options must be an object"],
  ["new Backoff({}, {})", 1, "There are too many arguments"],
  ["pRetry(load)", 1, "A policy must be new Backoff"],
  ["new Backoff({ ...rules })", 1, "'...' must be written out here"],
  ["asyncbackoff(1, 2, 3, Error, 5)", 1, "exceptions"],
  ["{ pause: () => now() }", 1, "The name 'now' is not known here"],
];

Deno.test("checkPolicy() puts the library's own errors at their line", () => {
  for (const [text, line, message] of mistakes) {
    const error = assertThrows(() => checkPolicy(readPolicy(text)), CodeError);
    assertEquals(error.line, line, error.message);
    assert(error.message.includes(message), error.message);
  }
});

Deno.test("checkPolicy() takes the first class of the user's own for the errors of the world", () => {
  const own = checkPolicy(readPolicy("{ exceptions: [TypeError, ConnectionError] }"));
  assertEquals(own.errorClass.name, "ConnectionError");
  assertEquals(new own.errorClass("down").name, "ConnectionError");
  assertStrictEquals(checkPolicy(readPolicy("{}")).errorClass, TypeError);
});

Deno.test("NAMES has every option once", () => {
  assertEquals(new Set(NAMES).size, NAMES.length);
  assert(NAMES.includes("deadline") && NAMES.includes("clock"));
});

Deno.test("stateOf() reads what hashOf() writes, and ignores what is wrong", () => {
  const fallback = { policy: "{}", world: "{}", execution: 21, step: null };
  const state = {
    policy: "new Backoff({\n})",
    world: "{ seed: 'é&#' }",
    execution: 7,
    step: 3,
  };
  assertEquals(stateOf(hashOf(state), fallback), state);
  assertEquals(stateOf("", fallback), fallback);
  assertEquals(stateOf("#execution=x&step=-1&other=%", fallback), fallback);
  assertEquals(stateOf("#world={}", fallback).execution, 1);
  assertEquals(stateOf("#execution=999999999&step=999999", fallback), {
    ...fallback,
    execution: 1e6,
    step: 1e4,
  });
});

Deno.test("policiesIn() finds policies in code, with constants that it names", () => {
  const code = `import { Backoff, retry } from "@asyncbackoff/asyncbackoff";
const limits = { deadline: 5000 }; // "as written"
const pause = exponential({ initial: 100, random });
const one = new Backoff({ ...limits, pause, exceptions: [Error], clock });
await retry(async () => { await load("}"); }, { maxTries: 3, observe: console.log });
asyncretry(3)(load);`;
  assertEquals(policiesIn(code), [
    "new Backoff({\n  deadline: 5000,\n  pause: exponential({ initial: 100 }),\n" +
    "  exceptions: [Error],\n})",
    'new Backoff({ exceptions: "all", minRemaining: 0, maxTries: 3 })',
    'new Backoff({ exceptions: "all", maxTries: 3 })',
  ]);
  assertEquals(policiesIn("backoff.retry(load); function retry(fn) {}"), []);
  assertEquals(policiesIn("new Backoff({ deadline: 5"), []);
});

Deno.test("policiesIn() finds a policy in each block of the pages that has one", async () => {
  const root = new URL("../../", import.meta.url);
  const pages = ["README.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  let count = 0;
  for (const page of pages) {
    const text = await Deno.readTextFile(new URL(page, root));
    for (const [, code = ""] of text.matchAll(/^```(?:ts|js)[^\n]*\n([^]*?)^```$/gm)) {
      if (!hasPolicy(code)) continue;
      count += 1;
      assert(policiesIn(code).length > 0, `${page}:\n${code}`);
    }
  }
  assert(count > 30, `there are ${count} blocks`);
});

Deno.test("writeTest() writes a program that imports what it uses", () => {
  const text = writeTest(
    { pause: "linear()", budget: "new TokenBudget()", exceptions: '"all"' },
    "{ latency: lognormal({ median: 1, p99: 2 }) }",
  );
  assertEquals(text.split("\n").slice(0, 4), [
    'import { linear } from "@asyncbackoff/asyncbackoff";',
    'import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";',
    'import { lognormal, simulate } from "@asyncbackoff/asyncbackoff/simulate";',
    'import { assert } from "@std/assert";',
  ]);
});
