// Very many executions of mixed fate on the real clock, over policies that share a signal, a
// budget and an observer: all counts are exact, the heap is flat, and nothing is left.

import { deepStrictEqual as assertEquals, ok as assert } from "node:assert";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type Ends,
  TokenBudget,
} from "@asyncbackoff/asyncbackoff";
import { listenersLeft, timersLeft } from "../leftovers.ts";
import { seeded } from "../reproduce/chance.ts";
import { CountedBudget } from "./counted_budget.ts";
import { flat, heapInUse } from "./memory.ts";

const AT_ONCE = 500;
const PARTS = 4;
const [seed = 0, count = 0] = process.argv.slice(2).map(Number);
const random = seeded(seed);
const { signal } = new AbortController();

class Listed extends Error {}
const busy = new Listed("busy");
const enough = new Listed("enough");
const unlisted = new Error("unlisted");
/** One of its own for each: whoever waits for one that is shared is kept as long as that. */
const never = () => new Promise<never>(() => {});

interface Fate {
  /** How often of a hundred. */
  readonly share: number;
  readonly work: (attempt: Attempt) => unknown;
  /** What may become of it: what takes a turn may be too late for a limit. */
  readonly ends: readonly string[];
}

const fates: Record<string, Fate> = {
  value: { share: 40, work: () => 1, ends: ["success"] },
  later: { share: 10, work: () => setImmediate(1), ends: ["success", "timeout"] },
  unlisted: {
    share: 10,
    work: () => {
      throw unlisted;
    },
    ends: ["unlisted"],
  },
  recovers: {
    share: 10,
    work: ({ number }) => number < 3 ? Promise.reject(busy) : 1,
    ends: ["success", "busy", "timeout"],
  },
  fails: { share: 8, work: () => Promise.reject(busy), ends: ["busy", "timeout"] },
  enough: { share: 7, work: () => Promise.reject(enough), ends: ["enough"] },
  aborted: { share: 8, work: never, ends: ["aborted", "timeout"] },
  heeds: {
    share: 4,
    work: async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    },
    ends: ["timeout"],
  },
  hangs: { share: 3, work: never, ends: ["timeout"] },
};

/** What the observer was told, to be compared with what the statistics count. */
const told = { attempt: 0, failure: 0, late: 0, done: 0 };
/** Attempts that were winding down when the caller aborted: failures that no budget is told of. */
let cutInGrace = 0;
let endsByFailure = 0;

function observe(event: BackoffEvent): void {
  told[event.type] += 1;
  if (event.type === "failure" && event.pause === null) endsByFailure = event.execution;
  if (event.type === "done" && event.reason === "aborted") {
    cutInGrace += event.execution === endsByFailure ? 1 : 0;
  }
}

const budget = new CountedBudget(new TokenBudget({ maxTokens: 1000, tokenRatio: 1 }));
const rules = {
  exceptions: [Listed],
  giveup: (error: unknown) => error === enough,
  budget,
  maxTries: 3,
  signal,
  observe,
};
const policies = [
  new Backoff({ ...rules, attemptTimeout: 2, deadline: 5 }),
  new Backoff({ ...rules, attemptTimeout: 1, grace: 1 }),
  new Backoff({ ...rules, attemptTimeout: 3, pause: 1 }),
];

let calls = 0;
const ended: Record<string, number> = {};

function fateOf(): [name: string, fate: Fate] {
  let rest = random() * 100;
  const found = Object.entries(fates).find(([, { share }]) => (rest -= share) < 0);
  if (found === undefined) throw new Error("Cannot tell a fate: the shares must make 100");
  return found;
}

/** What an execution ended with, in a word. */
function endOf(error: unknown): string {
  if (error === unlisted) return "unlisted";
  if (error === busy) return "busy";
  if (error === enough) return "enough";
  return (error as Error).name === "AbortError" ? "aborted" : "timeout";
}

async function execute(backoff: Backoff): Promise<void> {
  const [name, { work, ends }] = fateOf();
  const controller = name === "aborted" ? new AbortController() : null;
  const result = backoff.execute((attempt) => {
    calls += 1;
    return work(attempt);
  }, { signal: controller?.signal });
  if (controller !== null) setImmediate().then(() => controller.abort());
  const end = await result.then(() => "success", endOf);
  assert(ends.includes(end), `${name} ended by ${end}`);
  ended[end] = (ended[end] ?? 0) + 1;
}

const sum = (of: (statistic: Backoff["statistic"]) => number) =>
  policies.reduce((sum, { statistic }) => sum + of(statistic), 0);

const beganAt = performance.now();
const samples: number[] = [];
for (let part = 0; part < PARTS; part++) {
  let left = count / PARTS;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await execute(policies[left % policies.length]!);
  }));
  samples.push(await heapInUse());
}
const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);

// What the statistics say together, beside what was counted here.
const ends = (...reasons: (keyof Ends)[]) =>
  sum(({ ends }) => reasons.reduce((sum, reason) => sum + ends[reason], 0));
const errors = sum(({ errors }) => errors);
const cancels = sum(({ cancels }) => cancels);
assertEquals(
  [sum(({ attempts }) => attempts), sum(({ done }) => done), told.attempt, told.done],
  [calls, calls, calls, count],
);
assertEquals(sum(({ late }) => late), told.late);
assertEquals(errors + ends("unlisted"), told.failure);
assertEquals(errors + ends("unlisted", "success") + cancels, calls);
assertEquals(ends("success"), ended["success"]);
assertEquals(ends("unlisted"), ended["unlisted"]);
assertEquals(ends("giveup"), ended["enough"]);
assertEquals(ends("aborted"), ended["aborted"]);
assertEquals(
  ends("maxTries", "budget", "deadline"),
  (ended["busy"] ?? 0) + ended["timeout"]!,
);
assertEquals(ends("thrown"), 0);
const { executions, failures, successes, refusals } = budget;
assertEquals(
  [executions, failures, successes],
  [count, errors - cutInGrace, ends("success")],
);
assertEquals([sum(({ refused }) => refused), ends("budget")], [refusals, refusals]);
for (const what of [refusals, told.late, cancels]) assert(what > 0, "a case never came up");
assertEquals(listenersLeft(signal), 0);
assertEquals(await timersLeft(), 0);
const words = Object.entries(ended).map(([end, times]) => `${times} ${end}`).join(", ");
console.log(
  `  ${count} executions, ${calls} attempts in ${seconds} s: ${words};
    ${budget.retries} retries, ${refusals} refused by the budget; ${errors} failures, ` +
    `${told.late} late ends, ${cancels} cancels
    heap ${flat(samples.slice(1))}, no timer and no listener left`,
);
