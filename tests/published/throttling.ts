// Adaptive throttling on the client's side, by its engine: how many requests a server with a
// fixed capacity receives, and what three mistakes would do.

import {
  idleThrottle,
  probabilityOf,
  step,
  type ThrottleInput,
} from "../../src/guards/adaptive_throttle_engine.ts";
import { seeded } from "../support/chance.ts";
import { compareAtLeast, compareWithin, type Comparison } from "./comparison.ts";

const CAPACITY = 100; // requests a second
const SECONDS = 600; // of which the second half counts
const WINDOW = 120_000;

/** Requests sent for each one that was accepted, and accepted ones as a share of the capacity. */
export interface Overload {
  readonly ratio: number;
  readonly accepted: number;
  /** Requests sent in each second. */
  readonly sent: readonly number[];
}

/** The duration of a call in milliseconds, and whether a request counts only when it ends. */
export interface Calls {
  readonly duration?: number;
  readonly countsAtEnd?: boolean;
}

/** Runs a client that demands a multiple of what a server can accept. */
export function overload(
  k: number,
  demand: number,
  { duration = 0, countsAtEnd = false }: Calls = {},
): Overload {
  const random = seeded(1);
  const policy = { k, window: WINDOW };
  const perSecond = CAPACITY * demand;
  const sent = new Array<number>(SECONDS).fill(0);
  const accepted = new Array<number>(SECONDS).fill(0);
  const pending: { at: number; isAccepted: boolean }[] = [];
  let state = idleThrottle(0);
  const apply = (input: ThrottleInput) => state = step(policy, state, input);
  const end = (at: number, isAccepted: boolean) => {
    if (countsAtEnd) apply({ type: "called", at });
    apply({ type: isAccepted ? "accepted" : "overloaded", at });
  };
  for (let index = 0; index < SECONDS * perSecond; index++) {
    const second = Math.floor(index / perSecond);
    const at = index * 1000 / perSecond;
    while (pending[0] !== undefined && pending[0].at <= at) {
      end(at, pending.shift()?.isAccepted ?? false);
    }
    const isRefused = random() < probabilityOf(policy, state, at);
    if (!countsAtEnd || isRefused) apply({ type: "called", at });
    if (isRefused) continue;
    sent[second] = (sent[second] ?? 0) + 1;
    const isAccepted = (accepted[second] ?? 0) < CAPACITY;
    accepted[second] = (accepted[second] ?? 0) + (isAccepted ? 1 : 0);
    if (duration === 0) end(at, isAccepted);
    else pending.push({ at: at + duration, isAccepted });
  }
  const half = (counts: readonly number[]) =>
    counts.slice(SECONDS / 2).reduce((sum, each) => sum + each, 0);
  return {
    ratio: half(sent) / half(accepted),
    accepted: half(accepted) / (CAPACITY * SECONDS / 2),
    sent,
  };
}

/** The ratio for each k, and for a demand of 2, 5 and 10 times the capacity. */
const RATIOS: Readonly<Record<string, readonly number[]>> = {
  2: [2.00, 2.01, 2.00],
  1.5: [1.50, 1.51, 1.50],
  1.1: [1.10, 1.10, 1.10],
};

/** Sent requests for each accepted one, and how much of the capacity is used. */
export function runThrottles(): Comparison[] {
  return Object.entries(RATIOS).flatMap(([k, ratios]) =>
    ratios.flatMap((published, index) => {
      const demand = [2, 5, 10][index] ?? 0;
      const { ratio, accepted } = overload(Number(k), demand);
      const what = `throttle, k ${k}, demand ${demand} times`;
      return [
        compareWithin(`${what}: sent / accepted`, ratio, published, 0.02),
        compareAtLeast(`${what}: accepted / capacity`, accepted, 0.985),
      ];
    })
  );
}

/** The share of calls that are admitted in bursts to a healthy server, after a minute. */
export function burstsAdmitted(window: number): number {
  const random = seeded(1);
  const policy = { k: 2, window };
  const duration = 3000;
  let state = idleThrottle(0);
  let [calls, admitted] = [0, 0];
  for (let burst = 0; burst < 60; burst++) {
    const at = burst * 10_000;
    let accepted = 0;
    for (let call = 0; call < 20; call++) {
      const isRefused = random() < probabilityOf(policy, state, at);
      state = step(policy, state, { type: "called", at });
      if (!isRefused) accepted += 1;
    }
    for (let call = 0; call < accepted; call++) {
      state = step(policy, state, { type: "accepted", at: at + duration });
    }
    if (burst < 30) continue;
    calls += 20;
    admitted += accepted;
  }
  return admitted / calls;
}

/** The share of calls that are admitted, if some fail by errors that are no overload. */
export function admittedWithFailures(rate: number, isOverload: boolean): number {
  const random = seeded(1);
  const policy = { k: 2, window: WINDOW };
  let state = idleThrottle(0);
  let admitted = 0;
  for (let call = 0; call < 60_000; call++) {
    const at = call * 10;
    const isRefused = random() < probabilityOf(policy, state, at);
    state = step(policy, state, { type: "called", at });
    if (isRefused) continue;
    admitted += call >= 30_000 ? 1 : 0;
    const type = random() < rate && isOverload ? "overloaded" : "accepted";
    state = step(policy, state, { type, at });
  }
  return admitted / 30_000;
}

/** Each mistake, beside the right way. */
export function runMistakes(): Comparison[] {
  const burst = (countsAtEnd: boolean) =>
    overload(2, 10, { duration: 5000, countsAtEnd }).sent.slice(0, 5).reduce(
      (sum, each) => sum + each,
      0,
    ) / 5 /
    CAPACITY;
  return [
    compareAtLeast(
      "mistake, requests count when calls of 5 s end: sent / capacity at first",
      burst(true),
      9.9,
    ),
    compareWithin(
      "requests count when calls of 5 s begin: sent / capacity at first",
      burst(false),
      0.02,
      0.02,
    ),
    compareWithin(
      "mistake, a window of 2 s for calls of 3 s: admitted",
      burstsAdmitted(2000),
      0.18,
      0.05,
    ),
    compareAtLeast(
      "a window of 2 minutes for calls of 3 s: admitted",
      burstsAdmitted(WINDOW),
      0.8,
    ),
    compareWithin(
      "mistake, 60 % of errors count as overload: admitted",
      admittedWithFailures(0.6, true),
      0.05,
      0.05,
    ),
    compareAtLeast(
      "60 % of errors are no overload: admitted",
      admittedWithFailures(0.6, false),
      1,
    ),
  ];
}
