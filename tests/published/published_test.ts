// The small ones of the published results that `deno task reproduce` reproduces.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
} from "@std/assert";
import { type Budget } from "@asyncbackoff/asyncbackoff";
import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { playContention } from "./aws_jitter.ts";
import { playLoads, playRetryBudget, playThrottling } from "./budgets.ts";
import { meanOf, normal, seeded } from "../support/chance.ts";
import { compareExactly, compareMeans, type Comparison, tableOf } from "./comparison.ts";
import { compareEnd, playFleet } from "./fleet.ts";

function assertAgree(comparisons: readonly Comparison[], count: number): void {
  assertEquals(comparisons.length, count);
  const wrong = comparisons.filter(({ isRight }) => !isRight);
  assertEquals(wrong.length, 0, `\n${tableOf(wrong)}`);
}

Deno.test("exponential() and decorrelated() make the calls and time published by AWS, with 10 clients", async () => {
  const cells = await playContention(10);
  assertAgree(cells.flatMap(({ comparisons }) => comparisons), 10);
});

Deno.test("TokenBudget ends the calls of gRPC's own test through the engine", async () => {
  assertAgree(await playThrottling(), 12);
});

Deno.test("RetryBudget makes Finagle's retries through the engine", async () => {
  assertAgree(await playRetryBudget(), 15);
});

Deno.test("Budget bounds the load on a server that fails as closed forms tell", async () => {
  assertAgree(await playLoads(), 8);
});

const fleets: [name: string, makeBudget: () => Budget | null, isUp: boolean][] = [
  ["no budget", () => null, false],
  ["a RetryBudget", () => new RetryBudget({ share: 0.2, reserve: 0 }), true],
  ["a TokenBudget", () => new TokenBudget(), true],
];

for (const [name, makeBudget, isUp] of fleets) {
  Deno.test(`Backoff ${isUp ? "recovers" : "stays down"} after a spike when a fleet has ${name}`, async () => {
    const goodput = await playFleet(makeBudget, 100);
    assertAlmostEquals(meanOf(goodput.slice(0, 20)), 1, 0.05); // calm
    assertEquals(Math.max(...goodput.slice(25, 30)), 0); // down in the spike
    assertAgree([compareEnd(name, goodput, isUp)], 1);
  });
}

Deno.test("compareMeans() finds a mean that is four standard errors out", () => {
  const published = { mean: 100, deviation: 10, runs: 200 };
  const error = 10 * Math.sqrt(1 / 20 + 1 / 200);
  const compare = (mean: number) =>
    compareMeans("calls", new Array<number>(20).fill(mean), published);
  assert(compare(100 + 3.99 * error).isRight && compare(100 - 3.99 * error).isRight);
  assert(!compare(100 + 4.01 * error).isRight && !compare(100 - 4.01 * error).isRight);
  assertAlmostEquals(compare(100 - 2 * error).deviation ?? 0, -2);
  assert(!compare(NaN).isRight);
  assertStringIncludes(tableOf([compare(120)]), "FAIL");
});

Deno.test("compareExactly() and compareEnd() find what is not so", () => {
  assert(
    compareExactly("retries", 10, 10).isRight && !compareExactly("retries", 9, 10).isRight,
  );
  const [up, down] = [new Array<number>(90).fill(1), new Array<number>(90).fill(0)];
  assert(compareEnd("", up, true).isRight && !compareEnd("", up, false).isRight);
  assert(compareEnd("", down, false).isRight && !compareEnd("", down, true).isRight);
});

Deno.test("seeded() and normal() are as they must be", () => {
  const random = seeded(1);
  assertEquals([random(), random()], [0.6270739405881613, 0.002735721180215478]);
  const draws = Array.from({ length: 20_000 }, () => normal(random, 10, 2));
  assertAlmostEquals(meanOf(draws), 10, 0.07);
  assertAlmostEquals(meanOf(draws.map((each) => (each - 10) ** 2)), 4, 0.2);
});
