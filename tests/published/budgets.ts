// The published vectors of the two budgets, and the load on a server that fails, through
// the engine.

import { asyncretry, type Budget } from "@asyncbackoff/asyncbackoff";
import {
  RetryBudget,
  type RetryBudgetOptions,
  TokenBudget,
} from "@asyncbackoff/asyncbackoff/budget";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { seeded } from "../support/chance.ts";
import { compareExactly, compareMeans, type Comparison } from "./comparison.ts";

const EXECUTIONS = 10_000;

/**
 * The attempts, counted from 0, that succeed on the server of grpc-go's
 * TestRetryThrottling.
 */
const ANSWERED = new Set([0, 3, 6, 10, 11, 12, 13, 14, 16, 18]);

/** The ends of its twelve calls, with the number of the last attempt. */
const CALLS = [
  ...["OK 0", "OK 3", "OK 6", "UNAVAILABLE 8", "UNAVAILABLE 9", "OK 10", "OK 11"],
  ...["OK 12", "OK 13", "OK 14", "OK 16", "UNAVAILABLE 17"],
];

/** gRPC's retry throttling: maxTokens 10, tokenRatio 0.5, at most 4 attempts. */
export async function runThrottling(): Promise<Comparison[]> {
  const clock = new TestClock();
  const budget = new TokenBudget({ maxTokens: 10, tokenRatio: 0.5 });
  let count = -1;
  const call = asyncretry(4, { budget, pause: 10, clock })(async () => {
    count += 1;
    return await (ANSWERED.has(count) ? "OK" : Promise.reject("UNAVAILABLE"));
  });
  const comparisons: Comparison[] = [];
  for (const [index, expected] of CALLS.entries()) {
    const code = await clock.run(call().catch((code) => code));
    comparisons.push(
      compareExactly(`gRPC, call ${index + 1}`, `${code} ${count}`, expected),
    );
  }
  return comparisons;
}

/** The published vectors of Finagle's RetryBudget, while time stands still. */
const FINAGLE: readonly [options: RetryBudgetOptions, retries: number][] = [
  [{ retryRatio: 0.1 }, 1000],
  [{ retryRatio: 0.5 }, 5000],
  [{ retryRatio: 0.25 }, 2500],
  [{ retryRatio: 0.75 }, 7500],
  [{ retryRatio: 0.99 }, 9900],
  [{ retryRatio: 0.999 }, 9990],
  [{ retryRatio: 0.9999 }, 9999],
  [{ retryRatio: 0.01 }, 100],
  [{ retryRatio: 0.001 }, 10],
  [{ retryRatio: 0.0001 }, 1],
  [{ window: 1000, retryRatio: 0, minRetriesPerSecond: 10 }, 10],
  [{ window: 2000, retryRatio: 0, minRetriesPerSecond: 5 }, 10],
  [{ window: 1000, retryRatio: 0.1, minRetriesPerSecond: 10 }, 1010],
  [{ window: 2000, retryRatio: 0.5, minRetriesPerSecond: 5 }, 5010],
];

/** Finagle's RetryBudget: the retries of 10,000 executions. */
export async function runRetryBudget(): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [options, expected] of FINAGLE) {
    const budget = new RetryBudget({
      window: 60_000,
      minRetriesPerSecond: 0,
      ...options,
    });
    const attempts = await attemptsOf(budget, 2);
    const { retryRatio, minRetriesPerSecond = 0 } = options;
    const what =
      `Finagle, ratio ${retryRatio}, minimum ${minRetriesPerSecond} a second: retries`;
    comparisons.push(compareExactly(what, attempts - EXECUTIONS, expected));
  }
  const double = new RetryBudget({
    window: 60_000,
    minRetriesPerSecond: 0,
    retryRatio: 2,
  });
  for (let index = 0; index < EXECUTIONS; index++) double.began(0);
  comparisons.push(compareExactly("Finagle, ratio 2: balance", double.balance(0), 20_000));
  return comparisons;
}

/** The load on a server that fails every request, with three tries an execution. */
const LOADS: readonly [name: string, makeBudget: () => Budget | null, load: string][] = [
  ["no budget", () => null, "3.00"],
  ["a ratio of 10 %", () => retryBudget(0.1), "1.10"],
  ["a ratio of 20 %", () => retryBudget(0.2), "1.20"],
  ["tokens", () => new TokenBudget(), "1.00"],
];

function retryBudget(retryRatio: number): RetryBudget {
  return new RetryBudget({ retryRatio, minRetriesPerSecond: 0 });
}

/** The load if every attempt fails, and if attempts fail at random. */
export async function runLoads(): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [name, makeBudget, load] of LOADS) {
    const attempts = await attemptsOf(makeBudget(), 3);
    const ours = (attempts / EXECUTIONS).toFixed(2);
    comparisons.push(compareExactly(`load, all fails, ${name}`, ours, load));
  }
  for (const rate of [0.1, 0.3, 0.5, 0.9]) comparisons.push(await runFailures(rate));
  return comparisons;
}

/** Attempts an execution, if each fails with a probability: 1 + p + p² on average. */
async function runFailures(rate: number): Promise<Comparison> {
  const random = seeded(1);
  const clock = new TestClock();
  let attempts = 0;
  const call = asyncretry(3, { clock })(async () => {
    attempts += 1;
    return await (random() < rate ? Promise.reject("down") : "up");
  });
  const loads: number[] = [];
  await clock.run((async () => {
    for (let index = 0; index < EXECUTIONS; index++) {
      attempts = 0;
      await call().catch(() => {});
      loads.push(attempts);
    }
  })());
  const mean = 1 + rate + rate ** 2;
  const square = 1 + 3 * rate + 5 * rate ** 2; // the mean of the squared load
  const deviation = Math.sqrt(square - mean ** 2);
  const what = `load, ${100 * rate} % fail, no budget`;
  return compareMeans(what, loads, { mean, deviation, runs: Infinity });
}

/** The number of attempts when every attempt fails. */
async function attemptsOf(budget: Budget | null, maxTries: number): Promise<number> {
  const clock = new TestClock();
  const retry = asyncretry(maxTries, { budget, clock });
  const call = retry(() => Promise.reject("down"));
  await clock.run((async () => {
    for (let index = 0; index < EXECUTIONS; index++) await call().catch(() => {});
  })());
  return retry.statistic.attempts;
}
