// The budget that is a share of executions, alone (row B1).

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { RetryBudget, type RetryBudgetOptions } from "@asyncbackoff/asyncbackoff/budget";
import { seeded } from "../../support/chance.ts";

/** How many of many executions, each of which fails once, may retry while time stands still. */
function retriesOf(budget: RetryBudget, executions: number): number {
  let retries = 0;
  for (let index = 0; index < executions; index++) {
    budget.began(0);
    if (budget.mayRetry(0)) retries += 1;
    else assertEquals(budget.balance(0), 0);
  }
  return retries;
}

// Finagle's vectors, which allow for one more or less, and are exact here.
const published = [0.1, 0.5, 0.25, 0.75, 0.99, 0.999, 0.9999, 0.01, 0.001, 0.0001];
// Shares that act as 1, or as 0.5, where the cost of a retry is a whole number.
const truncated = [0.4, 0.7, 0.75, 0.99];
// Shares whose product with a count is a hair too small, and others.
const rounded = [0.29, 0.57, 0.58, 0.07, 1 / 3, 2 / 3, 0.2, 0.6, 0.123456];

for (const share of [...published, ...truncated, ...rounded]) {
  Deno.test(`RetryBudget allows for exactly its share of executions when it is ${share}`, () => {
    const budget = new RetryBudget({ window: 60_000, share, reserve: 0 });
    assertEquals(budget.balance(0), 0);
    assertEquals(budget.mayRetry(0), false);
    // As many digits as a share has: then it is a whole number.
    const expected = Math.floor(Math.round(10_000 * share * 1e6) / 1e6);
    assertEquals(retriesOf(budget, 10_000), expected);
  });
}

Deno.test("RetryBudget allows for a retry at the very execution that completes it", () => {
  const budget = new RetryBudget({ share: 0.29, reserve: 0 });
  for (let index = 1; index <= 100; index++) {
    budget.began(0);
    assertEquals(budget.balance(0), Math.floor(index * 29 / 100), `${index} executions`);
  }
});

Deno.test("RetryBudget has two retries an execution when its share is 2", () => {
  const budget = new RetryBudget({ window: 60_000, share: 2, reserve: 0 });
  for (let index = 0; index < 10_000; index++) budget.began(0);
  assertEquals(budget.balance(0), 20_000);
});

Deno.test("RetryBudget has its reserve times its window more", () => {
  const rows: [window: number, reserve: number, share: number, expected: number][] = [
    [1000, 10, 0, 10],
    [2000, 5, 0, 10],
    [1000, 10, 0.1, 1010],
    [2000, 5, 0.5, 5010],
    [60_000, 0.5, 0, 30],
    [10_000, 0.1, 0, 1],
    [0.5, 4000, 0, 2],
    [500, 3, 0, 1],
    [500, 1, 0.1, 1000], // half a retry, which the half of an execution completes
  ];
  for (const [window, reserve, share, expected] of rows) {
    const budget = new RetryBudget({ window, reserve, share });
    assertEquals(budget.balance(0), Math.floor(reserve * window / 1000));
    assertEquals(retriesOf(budget, 10_000), expected, `${[window, reserve, share]}`);
  }
});

Deno.test("RetryBudget allows for no retry when it has neither share nor reserve", () => {
  const budget = new RetryBudget({ share: 0, reserve: 0 });
  assertEquals(retriesOf(budget, 1000), 0);
});

Deno.test("RetryBudget has 10 s, 20 % and 10 a second when nothing is said", () => {
  for (const options of [undefined, null, {}, { window: null, share: undefined }]) {
    const budget = new RetryBudget(options);
    assertEquals(budget.balance(0), 100);
    assertEquals(retriesOf(budget, 1000), 300);
    assertEquals(budget.balance(9999), 0);
    assertEquals(budget.balance(10_000), 100);
  }
});

Deno.test("RetryBudget forgets executions when the window has passed", () => {
  const budget = new RetryBudget({ window: 1000, share: 1, reserve: 0 });
  budget.began(0);
  budget.began(300);
  assertEquals(budget.balance(999), 2);
  assertEquals(budget.balance(1000), 1);
  assertEquals(budget.balance(1299), 1);
  assertEquals(budget.balance(1300), 0);
  assertEquals(budget.mayRetry(1300), false);
});

Deno.test("RetryBudget forgets retries when the window has passed", () => {
  const budget = new RetryBudget({ window: 1000, share: 0, reserve: 2 });
  assertEquals([budget.mayRetry(0), budget.mayRetry(500)], [true, true]);
  assertEquals([budget.mayRetry(999), budget.balance(999)], [false, 0]);
  assertEquals([budget.balance(1000), budget.mayRetry(1000)], [1, true]);
  assertEquals([budget.mayRetry(1499), budget.mayRetry(1500)], [false, true]);
});

Deno.test("RetryBudget keeps what it counts for at least nine tenths of the window", () => {
  for (const at of [0, 1, 50, 99, 100, 101, 799]) {
    const budget = new RetryBudget({ window: 1000, share: 1, reserve: 0 });
    budget.began(at);
    assertEquals(budget.balance(at + 900), 1, `kept after ${at}`);
    assertEquals(budget.balance(at + 1000), 0, `gone after ${at}`);
  }
});

Deno.test("RetryBudget has a balance of 0, not less, when executions leave before retries", () => {
  const budget = new RetryBudget({ window: 1000, share: 1, reserve: 0 });
  for (let index = 0; index < 5; index++) budget.began(0);
  for (let index = 0; index < 5; index++) assertEquals(budget.mayRetry(900), true);
  budget.began(1000);
  assertEquals([budget.balance(1000), budget.mayRetry(1000)], [0, false]);
  // The five retries have gone with their slice; the sixth execution is still there.
  assertEquals([budget.balance(1900), budget.mayRetry(1900)], [1, true]);
});

Deno.test("RetryBudget works as ever when the clock stands still or goes backwards", () => {
  const budget = new RetryBudget({ window: 1000, share: 0.5, reserve: 0 });
  for (let index = 0; index < 1e5; index++) budget.began(5000);
  assertEquals(budget.balance(5000), 50_000);
  budget.began(0); // as at 5000
  budget.began(-5000);
  assertEquals(budget.balance(4000), 50_001);
  assertEquals(budget.mayRetry(-1e9), true);
  assertEquals(budget.balance(5999), 50_000);
  assertEquals(budget.balance(6000), 0);
});

Deno.test("RetryBudget works as ever when the clock is before its zero, or far from it", () => {
  for (const start of [-1_000_000, -1050, -1000, -1, 1.7e12, 2 ** 52]) {
    const budget = new RetryBudget({ window: 1000, share: 1, reserve: 0 });
    budget.began(start);
    assertEquals(budget.balance(start + 900), 1, `kept after ${start}`);
    assertEquals(budget.balance(start + 1000), 0, `gone after ${start}`);
    budget.began(start + 1e6);
    assertEquals(budget.balance(start + 1e6), 1, `again after ${start}`);
  }
});

Deno.test("RetryBudget is not moved by failures and successes", () => {
  const budget = new RetryBudget({ share: 0.5, reserve: 1 });
  budget.began(0);
  const before = budget.balance(0);
  for (let index = 0; index < 100; index++) {
    budget.failed(0);
    budget.succeeded(0);
  }
  assertEquals(budget.balance(0), before);
});

/** The same rule, with a list of all that ever was. */
class PlainBudget {
  readonly #executions: number[] = [];
  readonly #retries: number[] = [];
  readonly #slice: number;
  #now = -Infinity;
  constructor(window: number, readonly percent: number, readonly reserve: number) {
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
    const hundredths = this.percent * (executions ?? 0) + 100 * this.reserve;
    if (hundredths < 100 * ((retries ?? 0) + 1)) return false;
    this.#retries.push(slice);
    return true;
  }
  #at(at: number): number {
    this.#now = Math.max(this.#now, at);
    return Math.floor(this.#now / this.#slice);
  }
}

Deno.test("RetryBudget decides as a list of all that happened, on many random runs", () => {
  const random = seeded(1);
  const upTo = (most: number) => Math.floor(random() * most);
  let allowed = 0;
  for (let run = 0; run < 200; run++) {
    const [window, percent, reserve] = [10 * (1 + upTo(50)), upTo(150), upTo(4)];
    const plain = new PlainBudget(window, percent, reserve);
    const budget = new RetryBudget({
      window,
      share: percent / 100,
      reserve: reserve * 1000 / window,
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

Deno.test("RetryBudget throws when an option is wrong", () => {
  const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [{ window: 0 }, RangeError, "'window' must be a finite number of milliseconds > 0"],
    [{ window: -1 }, RangeError, "current value is -1"],
    [{ window: Infinity }, RangeError, "current value is Infinity"],
    [{ window: NaN }, RangeError, "'window'"],
    [{ window: "10s" }, TypeError, 'current value is "10s"'],
    [{ share: -0.1 }, RangeError, "'share' must be a finite number >= 0"],
    [{ share: NaN }, RangeError, "'share'"],
    [{ share: Infinity }, RangeError, "'share'"],
    [{ share: "20%" }, TypeError, "'share'"],
    [{ reserve: -1 }, RangeError, "'reserve' must be a finite number >= 0"],
    [{ reserve: Infinity }, RangeError, "'reserve'"],
    [{ reserve: 10n }, TypeError, "'reserve'"],
    [{ ttl: 1000 }, TypeError, "did you mean 'window'?"],
    [{ percentCanRetry: 0.2 }, TypeError, "did you mean 'share'?"],
    [{ minRetriesPerSec: 10 }, TypeError, "did you mean 'reserve'?"],
    [{ maxTokens: 10 }, TypeError, "the options are window, share, reserve"],
    [0.2, TypeError, "must be an object: current value is 0.2"],
  ];
  for (const [options, error, message] of wrong) {
    const make = () => new RetryBudget(options as RetryBudgetOptions);
    assertStringIncludes(assertThrows(make, error).message, message);
  }
});

Deno.test("RetryBudget throws when the instant is no finite number", () => {
  const budget = new RetryBudget();
  for (const at of [NaN, Infinity, -Infinity, "5", undefined, null]) {
    for (const name of ["began", "mayRetry", "balance"] as const) {
      assertThrows(
        () => budget[name](untyped(at)),
        TypeError,
        "'at' must be a finite number",
      );
    }
  }
  assertEquals(budget.balance(0), 100);
});
