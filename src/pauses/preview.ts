/**
 * The pauses of a policy, before anything has failed.
 *
 * @module
 */

import { checkFiniteDuration, checkInteger } from "../check/values.ts";
import type { Failure } from "../engine/state.ts";

/** The range of a duration, in milliseconds. */
export interface Spread {
  /** The shortest that it can be. */
  readonly min: number;
  /** The average. */
  readonly mean: number;
  /** The longest that it can be. */
  readonly max: number;
}

/** The pauses of an execution in which every attempt fails. */
export interface PausePreview {
  /** The pauses in their order: one less than there are attempts. */
  readonly pauses: readonly Spread[];
  /** All pauses together: the time that an execution spends waiting. */
  readonly sum: Spread;
}

/**
 * A pause to preview. It receives a source of random numbers as its second argument. The
 * growing pauses use it in place of their own; a function of your own should hand it on.
 */
export type PreviewedPause =
  | number
  | readonly number[]
  | ((failure: Failure, random: () => number) => number);

/** The number of executions that are played; a power of two keeps the sums exact. */
const PLAYED = 256;

/**
 * Previews the pauses of a policy: for planning a deadline, and for durable queues that take a
 * list of delays. It draws nothing at random. It plays 256 executions side by side, and spreads
 * their random numbers evenly over the range. The same policy thus has the same preview each
 * time. The time that this takes is linear in the number of attempts.
 *
 * The smallest and the largest pause are exact. The mean is exact too, unless pauses depend on
 * the ones before them: then it is within 2 %. For a function that draws from a source of its
 * own, all three are those of the 256 executions.
 *
 * The failures have no deadline, and their attempts take no time.
 *
 * @param pause The option `pause` of a policy. A function of your own that calls a growing
 * pause should hand on its second argument: `(failure, random) => own(failure, random)`.
 * @param maxTries The number of attempts, including the first: an integer >= 1.
 * @returns The pauses, one less than there are attempts, and their sum.
 * @throws {TypeError} If an argument is of the wrong type, or `pause` does not return a number.
 * @throws {RangeError} If an argument has a wrong value, or `pause` returns one.
 *
 * @example The waits of five attempts
 * ```ts
 * import { exponential } from "@asyncbackoff/asyncbackoff";
 * import { preview } from "@asyncbackoff/asyncbackoff/pauses";
 * import { assertEquals } from "@std/assert";
 *
 * const pause = exponential({ initial: 100, factor: 2, max: 500 });
 * const { pauses, sum } = preview(pause, 5);
 *
 * assertEquals(pauses.map(({ mean }) => mean), [50, 100, 200, 250]); // for a queue
 * assertEquals(pauses.map(({ max }) => max), [100, 200, 400, 500]);
 * assertEquals(sum, { min: 0, mean: 600, max: 1200 }); // for a deadline
 * ```
 */
export function preview(pause: PreviewedPause, maxTries: number): PausePreview {
  const ask = asking(pause);
  checkInteger("preview pauses: 'maxTries'", maxTries, 1, " (the first attempt counts)");
  const pauses: Spread[] = [];
  let sum: Spread = { min: 0, mean: 0, max: 0 };
  let [min, max] = [0, 0];
  let played: number[] = new Array(PLAYED).fill(0);
  for (let attempt = 1; attempt < maxTries; attempt++) {
    min = ask(attempt, min, sum.min, 0);
    max = ask(attempt, max, sum.max, 1);
    played = played.map((before, index) => ask(attempt, before, sum.mean, drawOf(index)))
      .sort((one, other) => one - other);
    const spread = {
      min: Math.min(min, ...played.slice(0, 1)),
      mean: average(played),
      max: Math.max(max, ...played.slice(-1)),
    };
    pauses.push(spread);
    sum = added(sum, spread);
  }
  return { pauses, sum };
}

/**
 * The random number of an execution that is played. The range from 0 to 1 is split into as many
 * equal parts as there are executions, and each gets the middle of one part. Executions with
 * similar pauses have neighbouring indexes, so the parts are dealt out in large steps. The step
 * has no divisor in common with `PLAYED`, so each part is dealt out once.
 */
function drawOf(index: number): number {
  return ((index * 141 + 64) % PLAYED + 0.5) / PLAYED;
}

/** Makes a function that returns the pause after a failure, for a given random number. */
function asking(pause: PreviewedPause) {
  const subject = "preview pauses: 'pause'";
  const rule = "a finite number of milliseconds >= 0, a list of them, or a function that " +
    "returns one";
  const call = typeof pause === "function" ? pause : listed(pause, (each) => {
    checkFiniteDuration(subject, each, rule);
  });
  const error = new Error("Nothing has failed: this is a preview");
  return (
    attempt: number,
    pauseBefore: number,
    elapsed: number,
    random: number,
  ): number => {
    const failure: Failure = {
      error,
      name: "preview",
      attempt,
      streak: attempt,
      limit: null,
      duration: 0,
      elapsed,
      remaining: Infinity,
      pauseBefore,
    };
    return checkFiniteDuration(subject, call(failure, () => random), rule);
  };
}

function average(durations: readonly number[]): number {
  return durations.reduce((sum, each) => sum + each / durations.length, 0);
}

function added(one: Spread, other: Spread): Spread {
  return {
    min: one.min + other.min,
    mean: one.mean + other.mean,
    max: one.max + other.max,
  };
}

/** A fixed pause, or a list of pauses, as a function. The last one is repeated. */
function listed(
  pause: number | readonly number[],
  check: (each: unknown) => void,
): (failure: Failure) => number {
  const list: readonly number[] = Array.isArray(pause) ? [...pause] : [pause];
  check(list[0]); // refuses an empty list
  list.forEach(check);
  return ({ attempt }) => list[Math.min(attempt, list.length) - 1] as number;
}
