// Hedged calls: gRPC's instants, Finagle's and failsafe-go's vectors, and the latency of a service
// with a long tail.

import { currentAttempt, sleep } from "@asyncbackoff/asyncbackoff";
import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
import {
  hedge,
  type HedgeOptions,
  quantile,
  SupersededError,
} from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { normal, seeded } from "../support/chance.ts";
import { compareExactly, compareWithin, type Comparison } from "./comparison.ts";

/** A call: after some milliseconds it returns its number, or fails with a code. */
type Plan = readonly [ms: number, code?: string];

/** The instants of the calls, and the result with its instant. */
async function race(options: Omit<HedgeOptions, "clock">, ...plans: Plan[]) {
  const clock = new TestClock();
  const begun: number[] = [];
  const aborted: number[] = [];
  const load = hedge({ ...options, clock })(async () => {
    const { number, signal } = currentAttempt();
    begun.push(clock.now());
    const [ms, code] = plans[number - 1] ?? [Infinity];
    signal.addEventListener("abort", () => {
      if (signal.reason instanceof SupersededError) aborted.push(number);
    });
    await sleep(ms, { clock });
    if (code !== undefined) throw code;
    return number;
  });
  const result = load().then(
    (value) => `call ${value} at ${clock.now()}`,
    (code) => `${code} at ${clock.now()}`,
  );
  await clock.advance(10_000);
  const end = await Promise.race([result, "none"]);
  return { begun: begun.join(" "), end, aborted: aborted.join(" ") };
}

/** The delay and the number of calls of the example in A6, with its non-fatal status. */
const A6 = {
  after: 500,
  maxHedges: 3,
  exceptions: (code: unknown) => `${code}`.startsWith("UNAVAILABLE"),
  pushback: (code: unknown) => {
    const ms = `${code}`.split(" ")[1];
    return ms === undefined ? null : Number(ms);
  },
};

/** gRPC's proposal A6, by kind of response. */
export async function runGrpcHedging(): Promise<Comparison[]> {
  const rows: [what: string, plans: Plan[], begun: string, end: string, aborted: string][] =
    [
      ["no answer: calls", [], "0 500 1000 1500", "none", ""],
      ["success", [[1000], [100]], "0 500", "call 2 at 600", "1"],
      [
        "non-fatal failure: the next at once",
        [[100, "UNAVAILABLE"]],
        "0 100 600 1100",
        "none",
        "",
      ],
      [
        "fatal failure: the rest are cancelled",
        [[5000], [100, "INVALID_ARGUMENT"]],
        "0 500",
        "INVALID_ARGUMENT at 600",
        "1",
      ],
      [
        "pushback of 2 s: the next is delayed",
        [[100, "UNAVAILABLE 2000"]],
        "0 2100 2600 3100",
        "none",
        "",
      ],
      [
        "negative pushback: no other call",
        [[3000], [100, "UNAVAILABLE -1"]],
        "0 500",
        "call 1 at 3000",
        "",
      ],
      [
        "all fail: the last failure",
        [[100, "UNAVAILABLE"], [100, "UNAVAILABLE"], [100, "UNAVAILABLE"], [
          100,
          "UNAVAILABLE",
        ]],
        "0 100 200 300",
        "UNAVAILABLE at 400",
        "",
      ],
    ];
  const comparisons: Comparison[] = [];
  for (const [what, plans, begun, end, aborted] of rows) {
    const ours = await race(A6, ...plans);
    const text = `${ours.begun} | ${ours.end} | ${ours.aborted}`;
    comparisons.push(compareExactly(`A6, ${what}`, text, `${begun} | ${end} | ${aborted}`));
  }
  return comparisons;
}

/** Finagle's tests of backup requests: what is sent, recorded and returned. */
export async function runBackupRequests(): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  const add = (what: string, ours: string | number, published: string | number) =>
    comparisons.push(compareExactly(`backup requests, ${what}`, ours, published));
  // 90 requests of 50 ms and 10 of 100 ms: the delay for an extra load of 1 %, and of 10 %.
  for (const [load, ms] of [[0.01, 100], [0.1, 50]] as const) {
    const delay = quantile(1 - load, { window: 15_000 });
    for (let call = 0; call < 100; call++) delay.record(call * 55, call < 90 ? 50 : 100);
    const rounded = Math.round((delay.delayAt(6000) ?? 0) / 10) * 10; // bins are 1 % wide
    add(`sent after, extra load ${100 * load} %`, rounded, ms);
  }
  const after = 2000;
  const rows: [what: string, plans: Plan[], begun: string, end: string][] = [
    ["the original returns in half the delay", [[1000]], "0", "call 1 at 1000"],
    ["the original fails in half the delay", [[1000, "boom"]], "0", "boom at 1000"],
    ["the backup returns first", [[5000], [1000]], "0 2000", "call 2 at 3000"],
    ["the original returns first", [[3000], [5000]], "0 2000", "call 1 at 3000"],
  ];
  for (const [what, plans, begun, end] of rows) {
    const ours = await race({ after, exceptions: [] }, ...plans);
    add(what, `${ours.begun} | ${ours.end}`, `${begun} | ${end}`);
  }
  // With a failure that is retryable, the result of the other one is returned.
  const exceptions = () => true;
  const first = await race({ after, exceptions }, [3000, "failure"], [4000]);
  add(
    "the original fails first",
    `${first.begun} | ${first.end}`,
    "0 2000 | call 2 at 6000",
  );
  const second = await race({ after, exceptions }, [4000], [1000, "failure"]);
  add(
    "the backup fails first",
    `${second.begun} | ${second.end}`,
    "0 2000 | call 1 at 4000",
  );
  const budget = new RetryBudget({ window: 30_000, retryRatio: 0.01 });
  add("the budget at first", budget.balance(0), 300);
  for (let request = 0; request < 100; request++) {
    const clock = new TestClock();
    await clock.run(hedge({ after, budget, clock })(() => Promise.resolve())());
  }
  add("the budget after 100 requests", budget.balance(0), 301);
  while (budget.mayRetry(0));
  const exhausted = await race({ after, budget }, [3000]);
  add(
    "the budget is exhausted",
    `${exhausted.begun} | ${exhausted.end}`,
    "0 | call 1 at 3000",
  );
  return comparisons;
}

/** failsafe-go's tests of its hedge policy. */
export async function runFailsafeHedges(): Promise<Comparison[]> {
  const rows: [what: string, options: HedgeOptions, plans: Plan[], expected: string][] = [
    ["delay not exceeded", { after: 1000 }, [[0]], "0 | call 1 at 0"],
    [
      "delay exceeded",
      { after: 10, maxHedges: 2 },
      [[100], [100], [100]],
      "0 10 20 | call 1 at 100",
    ],
    [
      "all hedges used",
      { after: 20, maxHedges: 2 },
      [[100], [100], [100]],
      "0 20 40 | call 1 at 100",
    ],
    [
      "the third call returns at once",
      { after: 10, maxHedges: 4 },
      [[1000], [1000], [0]],
      "0 10 20 | call 3 at 20",
    ],
  ];
  const comparisons: Comparison[] = [];
  for (const [what, options, plans, expected] of rows) {
    const { begun, end } = await race(options, ...plans);
    comparisons.push(compareExactly(`failsafe-go, ${what}`, `${begun} | ${end}`, expected));
  }
  return comparisons;
}

/** 10 ms by a log-normal distribution, and 1,000 ms more for one call in a hundred. */
function latency(random: () => number): number {
  return 10 * Math.exp(normal(random, 0, 0.5)) + (random() < 0.01 ? 1000 : 0);
}

/** The sorted latencies of some executions, in the order of their ends too, and the calls. */
export interface Latencies {
  readonly inOrder: Float64Array;
  readonly sorted: Float64Array;
  readonly calls: number;
}

/** Runs executions one after the other, without a hedge or hedged after a quantile. */
export async function latencies(q: number | null, executions: number): Promise<Latencies> {
  const random = seeded(1);
  const inOrder = new Float64Array(executions);
  let calls = executions;
  if (q === null) {
    for (let index = 0; index < executions; index++) inOrder[index] = latency(random);
  } else {
    const clock = new TestClock();
    const hedged = hedge({ after: quantile(q, { min: 0, window: 600_000 }), clock });
    const load = hedged(() => sleep(latency(random), { clock }));
    const all = async () => {
      for (let index = 0; index < executions; index++) {
        const start = clock.now();
        await load();
        inOrder[index] = clock.now() - start;
      }
    };
    await clock.run(all(), { maxTimers: 1e8 });
    ({ calls } = hedged.statistic);
  }
  return { inOrder, sorted: inOrder.toSorted(), calls };
}

/** A quantile of sorted numbers. */
export function quantileOf(sorted: Float64Array, q: number): number {
  return sorted[Math.floor(q * sorted.length)] ?? NaN;
}

/** The latencies without a hedge, and hedged after each quantile. */
export async function runTails(
  executions: number,
): Promise<Record<string, Latencies>> {
  return {
    "no hedge": await latencies(null, executions),
    "after p90": await latencies(0.9, executions),
    "after p95": await latencies(0.95, executions),
    "after p99": await latencies(0.99, executions),
  };
}

/** The published quantiles, and the share of calls after the first. */
const TAILS: Readonly<
  Record<string, [published: Readonly<Record<string, number>>, extra: number]>
> = {
  "no hedge": [{ 0.5: 10.1, 0.95: 23.9, 0.99: 67, 0.999: 1019 }, 0],
  "after p90": [{ 0.99: 30, 0.999: 40 }, 0.1],
  "after p95": [{ 0.99: 33, 0.999: 44 }, 0.05],
  "after p99": [{ 0.99: 68, 0.999: 86 }, 0.01],
};

/** The tolerance of a quantile: 4 % at 10^6 executions, and more with fewer. */
const toleranceOf = (executions: number) =>
  0.04 * Math.sqrt(Math.max(1, 1e6 / executions) ** 0.5);

/** Compares quantiles, the share of hedges, and the median of a fan-out to a hundred. */
export function compareTails(tails: Readonly<Record<string, Latencies>>): Comparison[] {
  return Object.entries(tails).flatMap(([name, { sorted, inOrder, calls }]) => {
    const [quantiles, extra] = TAILS[name] ?? [{}, 0];
    const executions = sorted.length;
    const tolerance = toleranceOf(executions);
    const compared = Object.entries(quantiles).map(([q, published]) => {
      // One call in a hundred has the long tail, so the 99th percentile is at its edge: it may
      // be anything from 45 to 120 ms.
      const isAtEdge = (name === "no hedge" && q === "0.99") || name === "after p99";
      const allowed = published * (isAtEdge ? 0.35 : tolerance);
      const what = `hedging, ${name}: p${100 * Number(q)}, ms`;
      return compareWithin(
        what,
        quantileOf(sorted, Number(q)),
        published,
        rounded(allowed),
      );
    });
    if (extra > 0) {
      // A binomial interval of five standard errors, and the error of the quantile in it.
      const allowed = 5 * Math.sqrt(2 * extra * (1 - extra) / executions);
      const ours = (calls - executions) / executions;
      compared.push(
        compareWithin(`hedging, ${name}: hedges a call`, ours, extra, rounded(allowed)),
      );
    }
    const fanOut = { "no hedge": 1008, "after p95": 35 }[name];
    if (fanOut !== undefined) {
      const what = `hedging, ${name}: median of a fan-out to 100, ms`;
      const ours = quantileOf(slowestOf(inOrder, 100), 0.5);
      compared.push(compareWithin(what, ours, fanOut, rounded(fanOut * tolerance)));
    }
    return compared;
  });
}

function rounded(number: number): number {
  return Number(number.toPrecision(2));
}

/** The slowest of each group, sorted. */
function slowestOf(inOrder: Float64Array, size: number): Float64Array {
  const groups = new Float64Array(Math.floor(inOrder.length / size));
  for (const [group] of groups.entries()) {
    groups[group] = Math.max(...inOrder.subarray(group * size, (group + 1) * size));
  }
  return groups.toSorted();
}
