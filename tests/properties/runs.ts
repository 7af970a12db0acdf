// How properties are run: how often, from which seeds, and what is counted meanwhile.
// Arguments, after `--`: `--runs=20000` for so many runs of each, `--seed=1` for one seed.

import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { listenToUncaught } from "../support/uncaught.ts";

/** From this many runs on, every category must be well represented. */
const MANY_RUNS = 10_000;
/** The least share of the runs that a category must have. */
const LEAST_SHARE = 0.001;
/** Each property runs from this seed and from a fresh one. */
const FIXED_SEED = 20_000;

const { args = [] } = Deno as { args?: readonly string[] };

function argument(name: string): number | null {
  const given = args.find((each) => each.startsWith(`--${name}=`))?.split("=")[1];
  return given === undefined ? null : Number(given);
}

/** What a run may ask for. */
export interface Run {
  /** Counts what the run was about. */
  count(category: string): void;
  /** What was left uncaught since the last call, and is no matter. */
  forgive(): void;
  /** Asserts that these errors, and no others, were left uncaught since the last call. */
  assertUncaught(errors: readonly unknown[]): void;
}

/** A property: what it is about, and what must hold of it. */
export interface Property<T> {
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<T>;
  /** How many runs there are without arguments. */
  readonly runs: number;
  /** What must turn up again and again. */
  readonly categories: readonly string[];
  /** Throws if it does not hold. */
  holds(value: T, run: Run): Promise<void>;
}

/** Runs a property; prints its seeds and what was counted. */
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
  const rare = categories.filter((each) => (counts.get(each) ?? 0) < runs * LEAST_SHARE);
  assertEquals(rare, [], "These are rare: tests of them mean little");
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
      assert(isSame, `Uncaught are ${seen.map(String)}, and not ${errors.map(String)}`);
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
