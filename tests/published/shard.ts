// One shard of ten is down: what guards that look at all calls together make of it. A breaker
// turns a partial failure into a total one.

import {
  circuitBreaker,
  type CircuitBreakerOptions,
} from "@asyncbackoff/asyncbackoff/guards";
import {
  idleThrottle,
  probabilityOf,
  step,
} from "../../src/guards/adaptive_throttle_engine.ts";
import { meanOf, seeded } from "../support/chance.ts";
import { compareWithin, type Comparison } from "./comparison.ts";

const PER_SECOND = 200;
const FAILURES = 0.1;
const CALLS = 600 * PER_SECOND;

/** The parameters of each guard, and the published availability. */
const GUARDS: Readonly<
  Record<
    string,
    { readonly k?: number; readonly published: number } & CircuitBreakerOptions
  >
> = {
  "no guard": { published: 0.9 },
  "breaker, 3 failures in a row": { consecutiveFailures: 3, published: 0.46 },
  "breaker, 5 failures in a row": { consecutiveFailures: 5, published: 0.89 },
  "breaker, 5 % of failures": { failureRatio: 0.05, published: 0.02 },
  "breaker, 20 % of failures": { failureRatio: 0.2, published: 0.9 },
  "breaker, 50 % of failures": { failureRatio: 0.5, published: 0.9 },
  "throttle of every error, k 2": { k: 2, published: 0.9 },
  "throttle of every error, k 1.1": { k: 1.1, published: 0.19 },
};

/** The share of calls that succeed in 600 s. */
async function availability(
  { k, published: _, ...options }: typeof GUARDS[string],
  seed: number,
): Promise<number> {
  const random = seeded(seed);
  const isUp = () => random() >= FAILURES;
  if (k !== undefined) return throttled(k, isUp, seeded(seed + 1000));
  const clock = { at: 0, now: () => clock.at, sleep: () => Promise.reject() };
  const call = () => isUp() ? Promise.resolve() : Promise.reject("down");
  const guarded = Object.keys(options).length === 0
    ? call
    : circuitBreaker({ openFor: 5000, trials: 1, ...options, clock })(call);
  let succeeded = 0;
  for (let index = 0; index < CALLS; index++) {
    clock.at = index * 1000 / PER_SECOND;
    await guarded().then(() => succeeded += 1, () => {});
  }
  return succeeded / CALLS;
}

/**
 * By the engine, because the public option `k` refuses what is below 1.5. A spiral takes many
 * windows, so the window is 5 s, and the second half counts. With two minutes, the availability
 * after 600 s is still between 0.5 and 0.85, by the luck of the first calls.
 */
function throttled(k: number, isUp: () => boolean, random: () => number): number {
  const policy = { k, window: 5000 };
  let state = idleThrottle(0);
  let succeeded = 0;
  for (let index = 0; index < CALLS; index++) {
    const at = index * 1000 / PER_SECOND;
    const isRefused = random() < probabilityOf(policy, state, at);
    state = step(policy, state, { type: "called", at });
    if (isRefused || !isUp()) continue;
    state = step(policy, state, { type: "accepted", at });
    if (index >= CALLS / 2) succeeded += 1;
  }
  return succeeded / (CALLS / 2);
}

/** The availability with each guard, or with the named ones: the mean of some runs. */
export async function runShard(
  runs = 6,
  names: readonly string[] = Object.keys(GUARDS),
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [name, guard] of Object.entries(GUARDS)) {
    if (!names.includes(name)) continue;
    const all: number[] = [];
    while (all.length < runs) all.push(await availability(guard, all.length + 1));
    const what = `one shard of ten down, ${name}: availability`;
    comparisons.push(compareWithin(what, meanOf(all), guard.published, 0.02));
  }
  return comparisons;
}

/** The availability of three breakers, and of none, by the share of shards that are down. */
export async function breakersByShards(): Promise<
  Record<string, readonly (readonly [down: number, available: number])[]>
> {
  const rules: Record<string, Partial<CircuitBreakerOptions>> = {
    "no breaker": {},
    "3 in a row": { consecutiveFailures: 3 },
    "5 in a row": { consecutiveFailures: 5 },
    "20 % failed": { failureRatio: 0.2 },
    "50 % failed": { failureRatio: 0.5 },
  };
  const lines: Record<string, (readonly [number, number])[]> = {};
  for (const [name, options] of Object.entries(rules)) {
    lines[name] = [];
    for (let down = 0; down <= 4; down += 0.5) {
      const random = seeded(2 * down);
      const clock = { at: 0, now: () => clock.at, sleep: () => Promise.reject() };
      const call = () => 10 * random() < down ? Promise.reject("down") : Promise.resolve();
      const guarded = Object.keys(options).length === 0
        ? call
        : circuitBreaker({ openFor: 5000, ...options, clock })(call);
      let succeeded = 0;
      for (let index = 0; index < 24_000; index++) {
        clock.at = index * 5;
        await guarded().then(() => succeeded += 1, () => {});
      }
      lines[name].push([down, succeeded / 24_000]);
    }
  }
  return lines;
}
