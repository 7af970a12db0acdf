// The quick ones of the published results that `deno task reproduce` reproduces.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import type { Budget } from "@asyncbackoff/asyncbackoff";
import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { runContention } from "./aws_jitter.ts";
import { runLoads, runRetryBudget, runThrottling } from "./budgets.ts";
import { meanOf, normal, seeded } from "../support/chance.ts";
import {
  compareAtLeast,
  compareExactly,
  compareMeans,
  compareWithin,
  type Comparison,
  tableOf,
} from "./comparison.ts";
import { compareEnd, runFleet } from "./fleet.ts";
import { runNestedLayers } from "./nesting_fixture.ts";
import {
  compareTails,
  runBackupRequests,
  runFailsafeHedges,
  runGrpcHedging,
  runTails,
} from "./hedging.ts";
import { runLayers } from "./layers.ts";
import { runShard } from "./shard.ts";
import { runMistakes, runThrottles } from "./throttling.ts";

function assertAgree(comparisons: readonly Comparison[], count: number): void {
  assertEquals(comparisons.length, count);
  const wrong = comparisons.filter(({ agrees }) => !agrees);
  assertEquals(wrong.length, 0, `\n${tableOf(wrong)}`);
}

Deno.test("exponential() and decorrelated() need the calls and time that AWS published, with 10 clients", async () => {
  const cells = await runContention(10);
  assertAgree(cells.flatMap(({ comparisons }) => comparisons), 10);
});

Deno.test("TokenBudget ends calls as gRPC's own test does", async () => {
  assertAgree(await runThrottling(), 12);
});

Deno.test("RetryBudget allows as many retries as Finagle's", async () => {
  assertAgree(await runRetryBudget(), 15);
});

Deno.test("Budget bounds the load on a failing server by its closed form", async () => {
  assertAgree(await runLoads(), 8);
});

const fleets: [name: string, makeBudget: () => Budget | null, isUp: boolean][] = [
  ["no budget", () => null, false],
  [
    "a RetryBudget",
    () => new RetryBudget({ retryRatio: 0.2, minRetriesPerSecond: 0 }),
    true,
  ],
  ["a TokenBudget", () => new TokenBudget(), true],
];

for (const [name, makeBudget, isUp] of fleets) {
  Deno.test(`Backoff ${isUp ? "recovers" : "stays down"} after a spike when a fleet has ${name}`, async () => {
    const goodput = await runFleet(makeBudget, 100);
    assertAlmostEquals(meanOf(goodput.slice(0, 20)), 1, 0.05); // calm
    assertEquals(Math.max(...goodput.slice(25, 30)), 0); // down in the spike
    assertAgree([compareEnd(name, goodput, isUp)], 1);
  });
}

Deno.test("asyncretry(), TokenBudget and circuitBreaker() put their published loads on a failing server", async () => {
  assertAgree(await runLayers(), 7);
});

Deno.test("adaptiveThrottle() sends k times what an overloaded server accepts", () => {
  assertAgree(runThrottles(), 18);
});

Deno.test("adaptiveThrottle() makes none of three mistakes, which are visible", () => {
  assertAgree(runMistakes(), 6);
});

Deno.test("circuitBreaker() turns a partial failure into a total one when its share is too low", async () => {
  const names = ["no guard", "breaker, 5 % of failures", "breaker, 20 % of failures"];
  assertAgree(await runShard(1, names), 3);
});

Deno.test("hedge() makes its calls at gRPC's instants, for each kind of response", async () => {
  assertAgree(await runGrpcHedging(), 7);
});

Deno.test("hedge() agrees with the tests of Finagle's backup requests and failsafe-go's hedges", async () => {
  assertAgree(await runBackupRequests(), 11);
  assertAgree(await runFailsafeHedges(), 4);
});

Deno.test("hedge() shortens the tail as published, with 10,000 executions", async () => {
  assertAgree(compareTails(await runTails(10_000)), 15);
});

Deno.test("compareMeans() disagrees when two means differ by four standard errors", () => {
  const published = { mean: 100, deviation: 10, runs: 200 };
  const error = 10 * Math.sqrt(1 / 20 + 1 / 200);
  const compare = (mean: number) =>
    compareMeans("calls", new Array<number>(20).fill(mean), published);
  assert(compare(100 + 3.99 * error).agrees && compare(100 - 3.99 * error).agrees);
  assert(!compare(100 + 4.01 * error).agrees && !compare(100 - 4.01 * error).agrees);
  assertAlmostEquals(compare(100 - 2 * error).deviation ?? 0, -2);
  assert(!compare(NaN).agrees);
  assertStringIncludes(tableOf([compare(120)]), "FAIL");
});

Deno.test("compareWithin() and compareAtLeast() disagree outside of their bounds", () => {
  assert(
    compareWithin("", 1.25, 1, 0.25).agrees && !compareWithin("", 1.26, 1, 0.25).agrees,
  );
  assert(!compareWithin("", NaN, 1, 0.02).agrees && !compareAtLeast("", NaN, 1).agrees);
  assert(compareAtLeast("", 1, 1).agrees && !compareAtLeast("", 0.99, 1).agrees);
});

Deno.test("compareExactly() and compareEnd() disagree when results differ", () => {
  assert(
    compareExactly("retries", 10, 10).agrees && !compareExactly("retries", 9, 10).agrees,
  );
  const [up, down] = [new Array<number>(90).fill(1), new Array<number>(90).fill(0)];
  assert(compareEnd("", up, true).agrees && !compareEnd("", up, false).agrees);
  assert(compareEnd("", down, false).agrees && !compareEnd("", down, true).agrees);
});

Deno.test("seeded() and normal() draw the expected numbers", () => {
  const random = seeded(1);
  assertEquals([random(), random()], [0.6270739405881613, 0.002735721180215478]);
  const draws = Array.from({ length: 20_000 }, () => normal(random, 10, 2));
  assertAlmostEquals(meanOf(draws), 10, 0.07);
  assertAlmostEquals(meanOf(draws.map((each) => (each - 10) ** 2)), 4, 0.2);
});

Deno.test("Five layers of three tries call a service as often as docs/nesting.md says", async () => {
  const rows = [
    { isNested: false, retryExhausted: true, expected: [81, 73, 3220] },
    { isNested: true, retryExhausted: true, expected: [8, 0, 260] },
    { isNested: true, retryExhausted: false, expected: [3, 0, 100] },
  ];
  for (const { expected, ...rules } of rows) {
    const { calls, callsAfter, endedAt } = await runNestedLayers({
      ...rules,
      failures: Infinity,
    });
    assertEquals([calls, callsAfter, endedAt], expected);
  }
});
