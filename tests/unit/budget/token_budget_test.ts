// TokenBudget by itself: the published sequence, its rules, and its options.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { TokenBudget, type TokenBudgetOptions } from "@asyncbackoff/asyncbackoff/budget";

/** The attempts, counted from 0, that the server in gRPC's own test answers with OK. */
const ANSWERED = new Set([0, 3, 6, 10, 11, 12, 13, 14, 16, 18]);

Deno.test("TokenBudget ends the calls of gRPC's own test with the published outcomes", () => {
  const budget = new TokenBudget({ maxTokens: 10, tokenRatio: 0.5 });
  let count = -1;
  const call = () => {
    for (let attempt = 1; attempt <= 4; attempt++) {
      count += 1;
      if (ANSWERED.has(count)) {
        budget.succeeded();
        return "OK";
      }
      budget.failed();
      if (!budget.mayRetry()) break;
    }
    return "UNAVAILABLE";
  };
  const ends = Array.from(
    { length: 12 },
    () => `${call()} ${count}, tokens ${budget.tokens}`,
  );
  assertEquals(ends, [
    "OK 0, tokens 10",
    "OK 3, tokens 8.5",
    "OK 6, tokens 7",
    "UNAVAILABLE 8, tokens 5",
    "UNAVAILABLE 9, tokens 4",
    "OK 10, tokens 4.5",
    "OK 11, tokens 5",
    "OK 12, tokens 5.5",
    "OK 13, tokens 6",
    "OK 14, tokens 6.5",
    "OK 16, tokens 6",
    "UNAVAILABLE 17, tokens 5",
  ]);
});

Deno.test("TokenBudget.tokens is maxTokens at first, and never more", () => {
  const budget = new TokenBudget({ maxTokens: 3, tokenRatio: 2.5 });
  assertEquals(budget.tokens, 3);
  budget.succeeded();
  assertEquals(budget.tokens, 3);
  budget.failed();
  budget.succeeded();
  assertEquals(budget.tokens, 3);
});

Deno.test("TokenBudget.tokens is never below 0", () => {
  const budget = new TokenBudget({ maxTokens: 2, tokenRatio: 0.5 });
  for (let index = 0; index < 5; index++) budget.failed();
  assertEquals(budget.tokens, 0);
  budget.succeeded();
  assertEquals(budget.tokens, 0.5);
});

Deno.test("TokenBudget refuses retries at exactly half of its tokens", () => {
  for (const maxTokens of [1, 2, 3, 10, 11]) {
    const budget = new TokenBudget({ maxTokens, tokenRatio: 0.5 });
    while (budget.tokens * 2 > maxTokens) {
      assertEquals(budget.mayRetry(), true, `${budget.tokens} of ${maxTokens}`);
      budget.failed();
    }
    assertEquals(budget.mayRetry(), false, `${budget.tokens} of ${maxTokens}`);
    while (budget.tokens * 2 <= maxTokens) budget.succeeded();
    assertEquals(budget.mayRetry(), true, `${budget.tokens} of ${maxTokens}`);
  }
});

Deno.test("TokenBudget ignores retries, time and the beginning of executions", () => {
  const budget = new TokenBudget();
  for (let at = 0; at < 1000; at++) {
    budget.began(at);
    assertEquals(budget.mayRetry(at), true);
  }
  assertEquals(budget.tokens, 10);
});

Deno.test("TokenBudget adds up exactly when its ratio is not a binary fraction", () => {
  for (const tokenRatio of [0.1, 0.3, 0.7, 0.007, 0.057, 1.001]) {
    const budget = new TokenBudget({ maxTokens: 1000, tokenRatio });
    for (let index = 0; index < 1000; index++) budget.failed();
    for (let index = 1; index <= 300; index++) {
      budget.succeeded();
      assertEquals(budget.tokens, Math.round(index * tokenRatio * 1000) / 1000);
    }
  }
});

Deno.test("TokenBudget ignores decimal places beyond the third, as published", () => {
  for (const [tokenRatio, tokens] of [[0.5466, 0.546], [0.0019, 0.001], [0.001, 0.001]]) {
    const budget = new TokenBudget({ maxTokens: 1, tokenRatio });
    budget.failed();
    budget.succeeded();
    assertEquals(budget.tokens, tokens);
  }
});

Deno.test("TokenBudget() defaults to 10 tokens and a ratio of 0.1", () => {
  for (const options of [undefined, null, {}, { maxTokens: null, tokenRatio: undefined }]) {
    const budget = new TokenBudget(options);
    assertEquals(budget.tokens, 10);
    budget.failed();
    budget.succeeded();
    assertAlmostEquals(budget.tokens, 9.1);
  }
});

const maxTokens = "option 'maxTokens' must be an integer >= 1";
const tokenRatio = "option 'tokenRatio' must be a finite number >= 0.001";
const known = "the options are maxTokens, tokenRatio";

const wrongOptions: [
  options: unknown,
  errorClass: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  [{ maxTokens: 0 }, RangeError, `${maxTokens}, got 0`],
  [{ maxTokens: 2.5 }, RangeError, `${maxTokens}, got 2.5`],
  [{ maxTokens: Infinity }, RangeError, `${maxTokens}, got Infinity`],
  [{ maxTokens: "10" }, TypeError, `${maxTokens}, got "10"`],
  [{ tokenRatio: 0 }, RangeError, `${tokenRatio}, got 0`],
  [{ tokenRatio: 0.0009 }, RangeError, `${tokenRatio}, got 0.0009`],
  [{ tokenRatio: Infinity }, RangeError, `${tokenRatio}, got Infinity`],
  [{ tokenRatio: NaN }, RangeError, `${tokenRatio}, got NaN`],
  [{ tokenRatio: true }, TypeError, `${tokenRatio}, got true`],
  [{ ratio: 0.1 }, TypeError, `unknown option 'ratio', ${known}`],
  [{ capacity: 10 }, TypeError, `unknown option 'capacity', ${known}`],
  [{ max_tokens: 10 }, TypeError, "unknown option 'max_tokens', did you mean 'maxTokens'?"],
  [{ window: 10 }, TypeError, `unknown option 'window', ${known}`],
  [10, TypeError, "the options must be an object, got 10"],
];

Deno.test("TokenBudget() throws when an option is wrong", () => {
  for (const [options, errorClass, message] of wrongOptions) {
    const make = () => new TokenBudget(options as TokenBudgetOptions);
    const error = assertThrows(make, errorClass);
    assertEquals(error.message, `Cannot make a token budget: ${message}`);
  }
});
