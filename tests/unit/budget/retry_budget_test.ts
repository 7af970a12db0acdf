// RetryBudget by itself: the published vectors, the sliding window, and its options.

import { assertEquals, assertThrows } from "@std/assert";
import { RetryBudget, type RetryBudgetOptions } from "@asyncbackoff/asyncbackoff/budget";
import { seeded } from "../../support/chance.ts";

/**
 * The number of retries that are allowed while time stands still, if each of some executions
 * fails once.
 */
function retriesOf(budget: RetryBudget, executions: number): number {
  let retries = 0;
  for (let index = 0; index < executions; index++) {
    budget.began(0);
    if (budget.mayRetry(0)) retries += 1;
    else assertEquals(budget.balance(0), 0);
  }
  return retries;
}

// Finagle's vectors. Its own test tolerates a difference of one; here they are exact.
const published = [0.1, 0.5, 0.25, 0.75, 0.99, 0.999, 0.9999, 0.01, 0.001, 0.0001];
// Ratios that act as 1, or as 0.5, where the cost of a retry is truncated to an integer.
const truncated = [0.4, 0.7, 0.75, 0.99];
// Ratios whose product with a count is slightly too small, and others.
const rounded = [0.29, 0.57, 0.58, 0.07, 1 / 3, 2 / 3, 0.2, 0.6, 0.123456];

for (const retryRatio of [...published, ...truncated, ...rounded]) {
  Deno.test(`RetryBudget allows exactly its ratio of executions when the ratio is ${retryRatio}`, () => {
    const budget = new RetryBudget({ window: 60_000, retryRatio, minRetriesPerSecond: 0 });
    assertEquals(budget.balance(0), 0);
    assertEquals(budget.mayRetry(0), false);
    // Rounded to the digits that a ratio has, so that the product is exact.
    const expected = Math.floor(Math.round(10_000 * retryRatio * 1e6) / 1e6);
    assertEquals(retriesOf(budget, 10_000), expected);
  });
}

Deno.test("RetryBudget allows a retry as soon as an execution completes it", () => {
  const budget = new RetryBudget({ retryRatio: 0.29, minRetriesPerSecond: 0 });
  for (let index = 1; index <= 100; index++) {
    budget.began(0);
    assertEquals(budget.balance(0), Math.floor(index * 29 / 100), `${index} executions`);
  }
});

Deno.test("RetryBudget allows two retries per execution when its ratio is 2", () => {
  const budget = new RetryBudget({ window: 60_000, retryRatio: 2, minRetriesPerSecond: 0 });
  for (let index = 0; index < 10_000; index++) budget.began(0);
  assertEquals(budget.balance(0), 20_000);
});

Deno.test("RetryBudget adds its minimum per second times its window", () => {
  const rows: [window: number, perSecond: number, ratio: number, expected: number][] = [
    [1000, 10, 0, 10],
    [2000, 5, 0, 10],
    [1000, 10, 0.1, 1010],
    [2000, 5, 0.5, 5010],
    [60_000, 0.5, 0, 30],
    [10_000, 0.1, 0, 1],
    [0.5, 4000, 0, 2],
    [500, 3, 0, 1],
    [500, 1, 0.1, 1000], // half a retry, which five executions complete
  ];
  for (const [window, minRetriesPerSecond, retryRatio, expected] of rows) {
    const budget = new RetryBudget({ window, minRetriesPerSecond, retryRatio });
    const row = `${[window, minRetriesPerSecond, retryRatio]}`;
    assertEquals(budget.balance(0), Math.floor(minRetriesPerSecond * window / 1000), row);
    assertEquals(retriesOf(budget, 10_000), expected, row);
  }
});

Deno.test("RetryBudget allows no retry when its ratio and its minimum are 0", () => {
  const budget = new RetryBudget({ retryRatio: 0, minRetriesPerSecond: 0 });
  assertEquals(retriesOf(budget, 1000), 0);
});

Deno.test("RetryBudget() defaults to 10 s, 20 % and 10 retries per second", () => {
  for (const options of [undefined, null, {}, { window: null, retryRatio: undefined }]) {
    const budget = new RetryBudget(options);
    assertEquals(budget.balance(0), 100);
    assertEquals(retriesOf(budget, 1000), 300);
    assertEquals(budget.balance(9999), 0);
    assertEquals(budget.balance(10_000), 100);
  }
});

Deno.test("RetryBudget forgets executions when the window has passed", () => {
  const budget = new RetryBudget({ window: 1000, retryRatio: 1, minRetriesPerSecond: 0 });
  budget.began(0);
  budget.began(300);
  assertEquals(budget.balance(999), 2);
  assertEquals(budget.balance(1000), 1);
  assertEquals(budget.balance(1299), 1);
  assertEquals(budget.balance(1300), 0);
  assertEquals(budget.mayRetry(1300), false);
});

Deno.test("RetryBudget forgets retries when the window has passed", () => {
  const budget = new RetryBudget({ window: 1000, retryRatio: 0, minRetriesPerSecond: 2 });
  assertEquals([budget.mayRetry(0), budget.mayRetry(500)], [true, true]);
  assertEquals([budget.mayRetry(999), budget.balance(999)], [false, 0]);
  assertEquals([budget.balance(1000), budget.mayRetry(1000)], [1, true]);
  assertEquals([budget.mayRetry(1499), budget.mayRetry(1500)], [false, true]);
});

Deno.test("RetryBudget keeps what it counts for at least nine tenths of the window", () => {
  for (const at of [0, 1, 50, 99, 100, 101, 799]) {
    const budget = new RetryBudget({ window: 1000, retryRatio: 1, minRetriesPerSecond: 0 });
    budget.began(at);
    assertEquals(budget.balance(at + 900), 1, `kept after ${at}`);
    assertEquals(budget.balance(at + 1000), 0, `gone after ${at}`);
  }
});

Deno.test("RetryBudget.balance() is 0, not less, when executions leave the window before retries", () => {
  const budget = new RetryBudget({ window: 1000, retryRatio: 1, minRetriesPerSecond: 0 });
  for (let index = 0; index < 5; index++) budget.began(0);
  for (let index = 0; index < 5; index++) assertEquals(budget.mayRetry(900), true);
  budget.began(1000);
  assertEquals([budget.balance(1000), budget.mayRetry(1000)], [0, false]);
  // The five retries have left with their slice. The sixth execution still counts.
  assertEquals([budget.balance(1900), budget.mayRetry(1900)], [1, true]);
});

Deno.test("RetryBudget keeps counting when the clock stands still or goes backwards", () => {
  const budget = new RetryBudget({ window: 1000, retryRatio: 0.5, minRetriesPerSecond: 0 });
  for (let index = 0; index < 1e5; index++) budget.began(5000);
  assertEquals(budget.balance(5000), 50_000);
  budget.began(0); // counts as 5000
  budget.began(-5000);
  assertEquals(budget.balance(4000), 50_001);
  assertEquals(budget.mayRetry(-1e9), true);
  assertEquals(budget.balance(5999), 50_000);
  assertEquals(budget.balance(6000), 0);
});

Deno.test("RetryBudget keeps counting when the clock is before its zero, or far from it", () => {
  for (const start of [-1_000_000, -1050, -1000, -1, 1.7e12, 2 ** 52]) {
    const budget = new RetryBudget({ window: 1000, retryRatio: 1, minRetriesPerSecond: 0 });
    budget.began(start);
    assertEquals(budget.balance(start + 900), 1, `kept after ${start}`);
    assertEquals(budget.balance(start + 1000), 0, `gone after ${start}`);
    budget.began(start + 1e6);
    assertEquals(budget.balance(start + 1e6), 1, `again after ${start}`);
  }
});

Deno.test("RetryBudget ignores failures and successes", () => {
  const budget = new RetryBudget({ retryRatio: 0.5, minRetriesPerSecond: 1 });
  budget.began(0);
  const before = budget.balance(0);
  for (let index = 0; index < 100; index++) {
    budget.failed(0);
    budget.succeeded(0);
  }
  assertEquals(budget.balance(0), before);
});

/** A reference implementation: the same rule, with lists of all events. */
class PlainBudget {
  readonly #executions: number[] = [];
  readonly #retries: number[] = [];
  readonly #slice: number;
  #now = -Infinity;
  constructor(window: number, readonly percent: number, readonly minRetries: number) {
    this.#slice = window / 10;
  }
  began(at: number) {
    this.#executions.push(this.#at(at));
  }
  mayRetry(at: number): boolean {
    const slice = this.#at(at);
    const isLeft = (each: number) => each > slice - 10;
    const [executions, retries] = [this.#executions, this.#retries].map((all) =>
      all.filter(isLeft).length
    );
    const hundredths = this.percent * (executions ?? 0) + 100 * this.minRetries;
    if (hundredths < 100 * ((retries ?? 0) + 1)) return false;
    this.#retries.push(slice);
    return true;
  }
  #at(at: number): number {
    this.#now = Math.max(this.#now, at);
    return Math.floor(this.#now / this.#slice);
  }
}

Deno.test("RetryBudget agrees with a list of all events on many random runs", () => {
  const random = seeded(1);
  const upTo = (max: number) => Math.floor(random() * max);
  let allowed = 0;
  for (let run = 0; run < 200; run++) {
    const [window, percent, minRetries] = [10 * (1 + upTo(50)), upTo(150), upTo(4)];
    const plain = new PlainBudget(window, percent, minRetries);
    const budget = new RetryBudget({
      window,
      retryRatio: percent / 100,
      minRetriesPerSecond: minRetries * 1000 / window,
    });
    let at = upTo(1000) - 500;
    for (let event = 0; event < 300; event++) {
      at += random() < 0.05 ? upTo(2 * window) : upTo(window / 20) - 1;
      if (random() < 0.5) {
        plain.began(at);
        budget.began(at);
      } else {
        const isAllowed = budget.mayRetry(at);
        assertEquals(isAllowed, plain.mayRetry(at), `run ${run}, event ${event}`);
        allowed += isAllowed ? 1 : 0;
      }
    }
  }
  assertEquals(allowed > 5000 && allowed < 25_000, true);
});

// deno-lint-ignore no-explicit-any
const untyped = (value: unknown): any => value;

const window = "option 'window' must be a finite number of milliseconds > 0";
const retryRatio = "option 'retryRatio' must be a number from 0 to 2 (20 % is 0.2)";
const perSecond = "option 'minRetriesPerSecond' must be a finite number >= 0";
const known = "the options are window, retryRatio, minRetriesPerSecond";

const wrongOptions: [
  options: unknown,
  errorClass: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  [{ window: 0 }, RangeError, `${window}, got 0`],
  [{ window: -1 }, RangeError, `${window}, got -1`],
  [{ window: Infinity }, RangeError, `${window}, got Infinity`],
  [{ window: NaN }, RangeError, `${window}, got NaN`],
  [{ window: "10s" }, TypeError, `${window}, got "10s"`],
  [{ retryRatio: -0.1 }, RangeError, `${retryRatio}, got -0.1`],
  [{ retryRatio: NaN }, RangeError, `${retryRatio}, got NaN`],
  [{ retryRatio: Infinity }, RangeError, `${retryRatio}, got Infinity`],
  [{ retryRatio: 2.1 }, RangeError, `${retryRatio}, got 2.1`],
  [{ retryRatio: 20 }, RangeError, `${retryRatio}, got 20`],
  [{ retryRatio: "20%" }, TypeError, `${retryRatio}, got "20%"`],
  [{ minRetriesPerSecond: -1 }, RangeError, `${perSecond}, got -1`],
  [{ minRetriesPerSecond: Infinity }, RangeError, `${perSecond}, got Infinity`],
  [{ minRetriesPerSecond: 10n }, TypeError, `${perSecond}, got 10n`],
  [{ ttl: 1000 }, TypeError, `unknown option 'ttl', ${known}`],
  [{ percentCanRetry: 0.2 }, TypeError, `unknown option 'percentCanRetry', ${known}`],
  [{ minRetriesPerSec: 10 }, TypeError, `unknown option 'minRetriesPerSec', ${known}`],
  [
    { retry_ratio: 1 },
    TypeError,
    "unknown option 'retry_ratio', did you mean 'retryRatio'?",
  ],
  [{ maxTokens: 10 }, TypeError, `unknown option 'maxTokens', ${known}`],
  [0.2, TypeError, "the options must be an object, got 0.2"],
];

Deno.test("RetryBudget() throws when an option is wrong", () => {
  for (const [options, errorClass, message] of wrongOptions) {
    const make = () => new RetryBudget(options as RetryBudgetOptions);
    const error = assertThrows(make, errorClass);
    assertEquals(error.message, `Cannot make a retry budget: ${message}`);
  }
});

Deno.test("RetryBudget throws TypeError when an instant is not a finite number", () => {
  const budget = new RetryBudget();
  for (const at of [NaN, Infinity, -Infinity, "5", undefined, null]) {
    for (const name of ["began", "mayRetry", "balance"] as const) {
      const { message } = assertThrows(() => budget[name](untyped(at)), TypeError);
      const got = at === "5" ? '"5"' : String(at);
      const rule = "'at' must be a finite number";
      assertEquals(message, `Cannot ask the budget: ${rule}, got ${got}`);
    }
  }
  assertEquals(budget.balance(0), 100);
});
