// Runs properties a number of times, from seeds, and counts categories meanwhile. Arguments
// after `--`: `--runs=20000` sets the number of runs of each property, `--seed=1` sets a
// single seed.

import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { listenToUncaught } from "../support/uncaught.ts";

/** From this number of runs on, no category may be rare. */
const MANY_RUNS = 10_000;
/** The smallest share of the runs that a category must have. */
const MIN_SHARE = 0.001;
/** Each property runs from this seed and from a new one. */
const FIXED_SEED = 20_000;

const { args = [] } = Deno as { args?: readonly string[] };

function argument(name: string): number | null {
  const given = args.find((each) => each.startsWith(`--${name}=`))?.split("=")[1];
  return given === undefined ? null : Number(given);
}

/** The means that a property has in a run. */
export interface Run {
  /** Counts a category of the run. */
  count(category: string): void;
  /** Forgets the errors that were uncaught since the last call. */
  forgive(): void;
  /** Asserts that these errors and no others were uncaught since the last call. */
  assertUncaught(errors: readonly unknown[]): void;
}

/** A property of arbitrary values. */
export interface Property<T> {
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<T>;
  /** The number of runs without arguments. */
  readonly runs: number;
  /** The categories that must not be rare. */
  readonly categories: readonly string[];
  /** Throws if it does not hold. */
  holds(value: T, run: Run): Promise<void>;
}

/** Runs a property, and prints its seeds and counts. */
export async function assertProperty<T>(property: Property<T>): Promise<void> {
  const { name, categories } = property;
  const runs = argument("runs") ?? property.runs;
  const seed = argument("seed");
  const seeds = seed === null ? [FIXED_SEED, Date.now() % 2 ** 31] : [seed];
  const counts = new Map<string, number>(categories.map((each) => [each, 0]));
  for (const each of seeds) {
    await runFrom(each, Math.ceil(runs / seeds.length), property, counts);
  }
  console.log(`${name}: ${runs} runs from the seeds ${seeds.join(" and ")}`);
  if (runs < MANY_RUNS) return;
  for (const [category, times] of counts) {
    console.log(`${String(times).padStart(8)} ${category}`);
  }
  const rare = categories.filter((each) => (counts.get(each) ?? 0) < runs * MIN_SHARE);
  assertEquals(rare, [], "These categories are too rare to be tested");
}

async function runFrom<T>(
  seed: number,
  numRuns: number,
  { arbitrary, holds }: Property<T>,
  counts: Map<string, number>,
): Promise<void> {
  const uncaught: unknown[] = [];
  const run: Run = {
    count: (category) => void counts.set(category, (counts.get(category) ?? 0) + 1),
    forgive: () => void uncaught.splice(0),
    assertUncaught(errors) {
      const seen = uncaught.splice(0);
      const isSame = seen.length === errors.length &&
        seen.every((error) => errors.includes(error));
      assert(isSame, `Uncaught: ${seen.map(String)}; expected: ${errors.map(String)}`);
    },
  };
  const stop = listenToUncaught((error) => uncaught.push(error));
  try {
    const property = fc.asyncProperty(arbitrary, (value) => holds(value, run));
    await fc.assert(property, { seed, numRuns });
    await new Promise((resolve) => setTimeout(resolve, 1));
    run.assertUncaught([]);
  } finally {
    stop();
  }
}
