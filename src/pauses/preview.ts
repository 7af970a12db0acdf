/**
 * What the pauses of a policy will be, before anything has failed.
 *
 * @module
 */

import { show } from "./errors.ts";
import type { Pause } from "./options.ts";
import { byChance } from "./pauses.ts";
import type { Failure } from "./state.ts";
import { pauseDuration } from "./validate.ts";

/** What a duration may be, in milliseconds. */
export interface Spread {
  /** The shortest that it can be. */
  readonly least: number;
  /** What it is on average. */
  readonly mean: number;
  /** The longest that it can be. */
  readonly most: number;
}

/** The pauses of an execution in which every try fails. */
export interface PausePreview {
  /** Each pause in its order: one less than there are tries. */
  readonly pauses: readonly Spread[];
  /** All of them together: the time that an execution spends waiting. */
  readonly sum: Spread;
}

/** Into so many parts of equal chance a draw is split; a power of two, so that sums are exact. */
const PARTS = 64;

/** The middle of each part. */
const MIDDLES = /* @__PURE__ */ Array.from(
  { length: PARTS },
  (_, index) => (index + 0.5) / PARTS,
);

/**
 * The pauses of a policy, for planning a deadline, and for durable queues that
 * take a list of delays. It draws nothing: for the pauses of this library, alone
 * or within a function of the caller's own, chance is replaced by each part of
 * its range in turn. So the same policy has the same preview each time.
 *
 * Least and most are exact, and so is the mean unless a decorrelated pause
 * reaches its `max`: then it is within 1 % of it. Of a function with a source of
 * chance of its own, they are what some thousand calls return for each try.
 *
 * A function is shown failures whose attempts take no time, without a deadline.
 *
 * @param pause The option `pause` of a policy.
 * @param tries How many attempts there are, the first included: an integer >= 1.
 * @returns The pauses, one less than there are tries, and their sum.
 * @throws {TypeError} If an argument is of the wrong kind.
 * @throws {RangeError} If an argument is of the wrong value; also if `pause`
 * returns no pause.
 *
 * @example What five tries wait for
 * ```ts
 * import { exponential, preview } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const pause = exponential({ initial: 100, factor: 2, max: 500 });
 * const { pauses, sum } = preview(pause, 5);
 *
 * assertEquals(pauses.map(({ mean }) => mean), [50, 100, 200, 250]); // for a queue
 * assertEquals(pauses.map(({ most }) => most), [100, 200, 400, 500]);
 * assertEquals(sum, { least: 0, mean: 600, most: 1200 }); // for a deadline
 * ```
 */
export function preview(pause: Pause, tries: number): PausePreview {
  const ask = asking(pause);
  checkTries(tries);
  const pauses: Spread[] = [];
  let sum: Spread = { least: 0, mean: 0, most: 0 };
  let [least, most, middles] = [0, 0, [0]];
  for (let number = 1; number < tries; number++) {
    least = ask(number, least, sum.least, 0);
    most = ask(number, most, sum.most, 1);
    const { mean } = sum;
    const drawn = middles
      .flatMap((before) => MIDDLES.map((part) => ask(number, before, mean, part)))
      .sort((one, other) => one - other);
    middles = partsOf(drawn).map(average);
    const spread = {
      least: Math.min(least, ...drawn.slice(0, 1)),
      mean: average(drawn),
      most: Math.max(most, ...drawn.slice(-1)),
    };
    pauses.push(spread);
    sum = added(sum, spread);
  }
  return { pauses, sum };
}

/** Asks for the pause after a failure, with a certain part of chance. */
function asking(pause: Pause) {
  const fixed = typeof pause === "function" ? 0 : pauseDuration(pause);
  const answer = typeof pause === "function" ? pause : () => fixed;
  const error = new Error("Nothing has failed: this is a preview");
  const remaining = Infinity;
  return (tries: number, before: number, elapsed: number, part: number): number => {
    const failure: Failure = { error, tries, elapsed, remaining, pause: before };
    return pauseDuration(byChance(() => part, () => answer(failure)));
  };
}

function checkTries(tries: number): void {
  if (Number.isInteger(tries) && tries >= 1) return;
  const Wrong = typeof tries === "number" ? RangeError : TypeError;
  throw new Wrong(
    "Cannot preview as 'tries' must be an integer >= 1, the first try included: " +
      `current value is ${show(tries)}`,
  );
}

/** Durations in their order, in parts of equal size. */
function partsOf(sorted: readonly number[]): number[][] {
  const size = sorted.length / PARTS;
  return MIDDLES.map((_, index) => sorted.slice(index * size, (index + 1) * size));
}

function average(durations: readonly number[]): number {
  return durations.reduce((sum, each) => sum + each / durations.length, 0);
}

function added(one: Spread, other: Spread): Spread {
  return {
    least: one.least + other.least,
    mean: one.mean + other.mean,
    most: one.most + other.most,
  };
}
