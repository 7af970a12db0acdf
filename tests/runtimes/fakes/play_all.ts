// Plays the recorded runs under a framework's fake timers, all at once.

import type { Clock } from "@asyncbackoff/asyncbackoff";
import {
  type Observed,
  play,
  readRuns,
  type RecordedRun,
} from "../../conformance/recorded_run.ts";

// Taken before anything is faked.
const { setImmediate } = globalThis as unknown as {
  setImmediate(callback: () => void): void;
};

/** The fake timers of a framework. */
export interface Fake {
  /** Moves time forward. Returns false when no timer is left. */
  next(): boolean;
  /** Whether a timer of 0 ms fires at the same instant, and not 1 ms later. */
  isZeroExact: boolean;
}

/** A clock to inject, made of the faked globals alone. */
const injected: Clock = {
  now: () => Date.now(),
  sleep: (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      }, { once: true });
    }),
};

function hasNoZero({ policy, attempts, cancelAt }: RecordedRun): boolean {
  return policy.pause > 0 && cancelAt !== 0 && attempts.every(({ takes }) => takes > 0);
}

/**
 * Plays the runs on the default clock, and then on an injected one.
 *
 * @param text The recorded runs, as in their file.
 * @param fake The framework's fake, installed.
 * @returns How many runs were played on the default clock.
 * @throws {Error} If a run ends differently than recorded.
 */
export async function playAll(text: string, fake: Fake): Promise<number> {
  const all = readRuns(text);
  const runs = fake.isZeroExact ? all : all.filter(hasNoZero);
  await playOn({}, runs, fake);
  // With a promise-based sleep, the order of promises decides a tie: these runs are left
  // out.
  await playOn({ clock: injected }, runs.filter(({ tie }) => !tie), fake);
  return runs.length;
}

async function playOn(
  clock: { clock?: Clock },
  runs: RecordedRun[],
  fake: Fake,
): Promise<void> {
  const world = {
    ...clock,
    now: () => Date.now(),
    after: (ms: number, wake: () => void) => {
      const timer = setTimeout(wake, ms);
      return () => clearTimeout(timer);
    },
  };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const observed: Observed[] = [];
  runs.forEach((run, index) => play(run, world).then((each) => observed[index] = each));
  await turn();
  for (let steps = 0; steps < 20_000 && fake.next(); steps++) await turn();
  runs.forEach((run, index) => {
    const [actual, expected] = [canonical(observed[index]), canonical(run.expect)];
    if (actual === expected) return;
    throw new Error(`Run ${run.id} must end with ${expected}, got ${actual}`);
  });
}

/** A value as JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    const isPlain = typeof part === "object" && part !== null && !Array.isArray(part);
    return isPlain ? Object.fromEntries(Object.entries(part).sort()) : part;
  });
}
