// Results beside published ones.

import { meanOf } from "../support/chance.ts";

/** One result of ours beside the published one. */
export interface Comparison {
  readonly what: string;
  readonly ours: string;
  readonly published: string;
  /** Their difference in standard errors; `null` if nothing is random. */
  readonly deviation: number | null;
  /** Whether they agree. */
  readonly agrees: boolean;
}

/** A published mean, with the standard deviation of one run. */
export interface Published {
  readonly mean: number;
  readonly deviation: number;
  /** The number of runs; `Infinity` for a closed form. */
  readonly runs: number;
}

/** Two means agree if they differ by less than so many standard errors. */
const MAX_DEVIATION = 4;

/** Compares the mean of some runs with a published one. */
export function compareMeans(
  what: string,
  runs: readonly number[],
  published: Published,
): Comparison {
  const mean = meanOf(runs);
  const error = published.deviation * Math.sqrt(1 / runs.length + 1 / published.runs);
  const deviation = (mean - published.mean) / error;
  return {
    what,
    ours: rounded(mean),
    published: rounded(published.mean),
    deviation,
    agrees: Math.abs(deviation) < MAX_DEVIATION,
  };
}

/** Compares a result that is the same in each run. */
export function compareExactly(
  what: string,
  ours: number | string,
  published: number | string,
): Comparison {
  return {
    what,
    ours: `${ours}`,
    published: `${published}`,
    deviation: null,
    agrees: ours === published,
  };
}

/** Compares a result with one that was published with a tolerance. */
export function compareWithin(
  what: string,
  ours: number,
  published: number,
  tolerance: number,
): Comparison {
  const digits = Math.max(0, 1 - Math.floor(Math.log10(tolerance)));
  return {
    what,
    ours: ours.toFixed(digits),
    published: `${published} ± ${tolerance}`,
    deviation: null,
    agrees: Math.abs(ours - published) <= tolerance,
  };
}

/** Compares a result with a bound that it must not fall below. */
export function compareAtLeast(what: string, ours: number, min: number): Comparison {
  return {
    what,
    ours: ours.toFixed(3),
    published: `>= ${min}`,
    deviation: null,
    agrees: ours >= min,
  };
}

function rounded(number: number): string {
  return number.toFixed(number < 10 ? 4 : 1);
}

/** Comparisons as a table to print. */
export function tableOf(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ what, ours, published, deviation, agrees }) => [
    agrees ? "ok  " : "FAIL",
    what,
    ours,
    published,
    deviation === null ? "" : deviation.toFixed(2).replace(/^(?=\d)/, "+"),
  ]);
  const lines = [["", "", "ours", "published", "standard errors"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  );
  const padded = (text: string, column: number) =>
    column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return lines.map((line) => `  ${line.map(padded).join("  ").trimEnd()}`).join("\n");
}
