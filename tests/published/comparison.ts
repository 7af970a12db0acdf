// What came out beside what is published.

import { meanOf } from "../support/chance.ts";

/** One result of ours beside the published one. */
export interface Comparison {
  readonly what: string;
  readonly ours: string;
  readonly published: string;
  /** How far apart they are, in standard errors; `null` where there is no chance in it. */
  readonly deviation: number | null;
  /** Whether they agree. */
  readonly isRight: boolean;
}

/** A mean that is published, with the standard deviation of one run. */
export interface Published {
  readonly mean: number;
  readonly deviation: number;
  /** Of how many runs it is; `Infinity` for a closed form. */
  readonly runs: number;
}

/** Two means agree where they are less than so many standard errors apart. */
const FURTHEST = 4;

/** Compares the mean of some runs with one that is published. */
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
    isRight: Math.abs(deviation) < FURTHEST,
  };
}

/** Compares what is the same in each run. */
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
    isRight: ours === published,
  };
}

function rounded(number: number): string {
  return number.toFixed(number < 10 ? 4 : 1);
}

/** Comparisons as a table to be printed. */
export function tableOf(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ what, ours, published, deviation, isRight }) => [
    isRight ? "ok  " : "FAIL",
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
