// Very many executions of many scenarios on the real clock, with policies that share a
// signal, a budget and an observer, and one that shares nothing. All counts are exact, the
// heap stays flat, and no timer or listener is left.

import { deepStrictEqual as assertEquals, ok as assert } from "node:assert";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { Backoff, type BackoffEvent } from "@asyncbackoff/asyncbackoff";
import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { listenersLeft, timersLeft } from "../../support/leftovers.ts";
import { seeded } from "../../support/chance.ts";
import { Tally } from "../../support/tally.ts";
import { Total } from "../../support/total.ts";
import { CountedBudget } from "./counted_budget.ts";
import { endOf, enough, Listed, scenarioOf } from "./scenarios.ts";
import { flat, heapInUse } from "./memory.ts";

const AT_ONCE = 500;
const PARTS = 4;
const [seed = 0, count = 0] = process.argv.slice(2).map(Number);
const random = seeded(seed);
const { signal } = new AbortController();

/** The events that the observer received, to be compared with the statistics. */
const observed = { attempt: 0, failure: 0, late: 0, done: 0 };
/**
 * Attempts in their grace when the caller aborted. They fail, but the budget is not told.
 */
let abortedInGrace = 0;
let endsByFailure = 0;

function observe(event: BackoffEvent): void {
  observed[event.type] += 1;
  if (event.type === "failure" && event.pauseAfter === null) {
    endsByFailure = event.execution;
  }
  if (event.type === "done" && event.reason === "aborted") {
    abortedInGrace += event.execution === endsByFailure ? 1 : 0;
  }
}

const budget = new CountedBudget(new TokenBudget({ maxTokens: 1000, tokenRatio: 1 }));
const rules = {
  exceptions: [Listed],
  giveup: (error: unknown) => error === enough,
  maxTries: 3,
};
const sharing = { ...rules, budget, signal, observe };
const policies = [
  new Backoff({ ...sharing, attemptTimeout: 2, deadline: 5 }),
  new Backoff({ ...sharing, attemptTimeout: 1, grace: 1 }),
  new Backoff({ ...sharing, attemptTimeout: 3, pause: 1 }),
];
/**
 * Shares nothing, so it takes the fast path. Timers that were left would last for a minute.
 */
const plain = new Backoff({ ...rules, attemptTimeout: 60_000, deadline: 60_000 });

let calls = 0;
let executions = 0;
const ended = new Tally();

async function execute(): Promise<void> {
  const [name, { work, ends, isEndless }] = scenarioOf(random());
  const some = isEndless ? policies : [...policies, plain];
  const backoff = some[Math.floor(random() * some.length)] ?? plain;
  if (backoff !== plain) executions += 1;
  const controller = name === "aborted" ? new AbortController() : null;
  const result = backoff.execute((attempt) => {
    calls += 1;
    return work(attempt);
  }, { signal: controller?.signal });
  if (controller !== null) setImmediate().then(() => controller.abort());
  const end = await result.then(() => "success", endOf);
  assert(ends.includes(end), `${name} ended by ${end}`);
  ended.add(end);
}

const beganAt = performance.now();
const samples: number[] = [];
for (let part = 0; part < PARTS; part++) {
  let left = count / PARTS;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await execute();
  }));
  samples.push(await heapInUse());
}
const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);

// The statistics of all policies, compared with the counts of this script.
const all = new Total(...policies, plain);
assertEquals([all.of("attempts"), all.of("done")], [calls, calls]);
assertEquals(
  all.of("errors") + all.of("cancels") + all.ends("nonRetryable", "success"),
  calls,
);
assertEquals(all.ends("success"), ended.of("success"));
assertEquals(all.ends("nonRetryable"), ended.of("nonRetryable"));
assertEquals(all.ends("giveup"), ended.of("enough"));
assertEquals(all.ends("aborted"), ended.of("aborted"));
assertEquals(
  all.ends("maxTries", "budget", "deadline"),
  ended.of("busy") + ended.of("timeout"),
);
assertEquals(all.ends("callbackError"), 0);

// The events that the observer and the budget received: all except those of the plain
// policy.
const shared = new Total(...policies);
const errors = shared.of("errors");
assertEquals([observed.attempt, observed.done], [shared.of("attempts"), executions]);
assertEquals(observed.failure, errors + shared.ends("nonRetryable"));
assertEquals(observed.late, shared.of("late"));
assertEquals([budget.executions, budget.ends], [executions, executions]);
assertEquals(budget.failures, errors - abortedInGrace);
assertEquals(budget.successes, shared.ends("success"));
assertEquals([budget.refusals, budget.refusals], [
  shared.of("refused"),
  shared.ends("budget"),
]);
for (const times of [budget.retries, budget.refusals, all.of("cancels")]) {
  assert(times > 0, "a case never happened");
}
assertEquals(listenersLeft(signal), 0);
assertEquals(await timersLeft(), 0);
console.log(
  `  ${count} executions, ${calls} attempts in ${seconds} s: ${ended};
    ${budget.retries} retries, ${budget.refusals} refused by the budget; ` +
    `${errors} failures, ${observed.late} late ends, ${all.of("cancels")} cancels
    heap ${flat(samples.slice(1))}, no timer and no listener left`,
);
