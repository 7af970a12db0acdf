// The budget of tokens, alone.

import {
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { TokenBudget, type TokenBudgetOptions } from "@asyncbackoff/asyncbackoff/budget";

/** The attempts, counted from 0, that the server of gRPC's own test answers with OK. */
const ANSWERED = new Set([0, 3, 6, 10, 11, 12, 13, 14, 16, 18]);

Deno.test("TokenBudget ends the calls of gRPC's own test as published", () => {
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

Deno.test("TokenBudget is full at first, and never fuller", () => {
  const budget = new TokenBudget({ maxTokens: 3, tokenRatio: 2.5 });
  assertEquals(budget.tokens, 3);
  budget.succeeded();
  assertEquals(budget.tokens, 3);
  budget.failed();
  budget.succeeded();
  assertEquals(budget.tokens, 3);
});

Deno.test("TokenBudget is never below 0", () => {
  const budget = new TokenBudget({ maxTokens: 2, tokenRatio: 0.5 });
  for (let index = 0; index < 5; index++) budget.failed();
  assertEquals(budget.tokens, 0);
  budget.succeeded();
  assertEquals(budget.tokens, 0.5);
});

Deno.test("TokenBudget refuses at exactly half of its tokens", () => {
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

Deno.test("TokenBudget is not charged by a retry, and not moved by time or what begins", () => {
  const budget = new TokenBudget();
  for (let at = 0; at < 1000; at++) {
    budget.began(at);
    assertEquals(budget.mayRetry(at), true);
  }
  assertEquals(budget.tokens, 10);
});

Deno.test("TokenBudget adds up exactly when its ratio is no binary fraction", () => {
  for (const tokenRatio of [0.1, 0.3, 0.7, 0.007, 0.057, 1.001]) {
    const budget = new TokenBudget({ maxTokens: 1000, tokenRatio });
    for (let index = 0; index < 1000; index++) budget.failed();
    for (let index = 1; index <= 300; index++) {
      budget.succeeded();
      assertEquals(budget.tokens, Math.round(index * tokenRatio * 1000) / 1000);
    }
  }
});

Deno.test("TokenBudget ignores what is beyond the third decimal place, as published", () => {
  for (const [tokenRatio, tokens] of [[0.5466, 0.546], [0.0019, 0.001], [0.001, 0.001]]) {
    const budget = new TokenBudget({ maxTokens: 1, tokenRatio });
    budget.failed();
    budget.succeeded();
    assertEquals(budget.tokens, tokens);
  }
});

Deno.test("TokenBudget has 10 tokens and a ratio of 0.1 when nothing is said", () => {
  for (const options of [undefined, null, {}, { maxTokens: null, tokenRatio: undefined }]) {
    const budget = new TokenBudget(options);
    assertEquals(budget.tokens, 10);
    budget.failed();
    budget.succeeded();
    assertAlmostEquals(budget.tokens, 9.1);
  }
});

Deno.test("TokenBudget throws when an option is wrong", () => {
  const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      { maxTokens: 0 },
      RangeError,
      "'maxTokens' must be an integer >= 1: current value is 0",
    ],
    [{ maxTokens: 2.5 }, RangeError, "current value is 2.5"],
    [{ maxTokens: Infinity }, RangeError, "'maxTokens'"],
    [{ maxTokens: "10" }, TypeError, "'maxTokens'"],
    [{ tokenRatio: 0 }, RangeError, "'tokenRatio' must be a finite number >= 0.001"],
    [{ tokenRatio: 0.0009 }, RangeError, "'tokenRatio'"],
    [{ tokenRatio: Infinity }, RangeError, "'tokenRatio'"],
    [{ tokenRatio: NaN }, RangeError, "'tokenRatio'"],
    [{ tokenRatio: true }, TypeError, "'tokenRatio'"],
    [{ ratio: 0.1 }, TypeError, "did you mean 'tokenRatio'?"],
    [{ capacity: 10 }, TypeError, "did you mean 'maxTokens'?"],
    [{ window: 10 }, TypeError, "the options are maxTokens, tokenRatio"],
    [10, TypeError, "must be an object: current value is 10"],
  ];
  for (const [options, error, message] of wrong) {
    const make = () => new TokenBudget(options as TokenBudgetOptions);
    assertStringIncludes(assertThrows(make, error).message, message);
  }
});
