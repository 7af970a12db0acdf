/**
 * A timeline as text for a terminal.
 *
 * @module
 */

import { type Limit, LIMIT_NAMES } from "../engine/limit.ts";
import type { AttemptEnd, Recorded, Row } from "./drawing.ts";
import { TimeAxis } from "./time_axis.ts";
import { truncate, widthOf } from "./words.ts";

/** The name of a sign, as the legend shows it. */
type Sign =
  | "attempt"
  | "progress"
  | "grace"
  | "pause"
  | (typeof LIMIT_NAMES)[Limit]
  | "late end";

/** The signs, in the order of the legend. */
const SIGNS = {
  attempt: "█",
  progress: "•",
  grace: "▒",
  pause: "─",
  "attempt timeout": "┊",
  "idle timeout": "┆",
  deadline: "│",
  "late end": "○",
} as const satisfies Record<Sign, string>;

/** The cells of a row: a sign each, or nothing. */
type Cells = (Sign | null)[];

/** The ANSI code of the color of an attempt. */
const COLORS: Readonly<Record<AttemptEnd, number>> = {
  value: 32,
  failure: 31,
  timeout: 33,
  aborted: 35,
  running: 36,
};

/** The largest part of the columns that words may take. */
const MAX_WORDS = 0.45;

/** The number of columns that each level of nested executions is indented by. */
const INDENT = 2;

/** The number of columns for each level that is indented. Deeper levels are indented no further. */
const COLUMNS_PER_LEVEL = 20;

/** The number of cells for each tick. */
const TICK = 8;

/** The parts of a line in columns: a gutter for numbers, the cells, a space, words. */
interface Layout {
  readonly gutter: number;
  readonly levels: number;
  readonly cells: number;
  readonly words: number;
  readonly axis: TimeAxis;
  readonly hasColor: boolean;
}

/**
 * Draws executions as text.
 *
 * @param recorded The executions.
 * @param columns The number of columns that a line may take.
 * @param hasColor Whether attempts have colors, as ANSI escape sequences.
 * @returns Lines, without a line break at the end.
 */
export function drawText(
  recorded: Recorded,
  columns: number,
  hasColor: boolean,
): string {
  const { rows, dropped } = recorded;
  if (rows.length === 0) return "no executions";
  const layout = layoutOf(recorded, columns, hasColor);
  const used = new Set<Sign>();
  const lines = rows.map((row) => {
    const cells = cellsOf(row, layout);
    cells.forEach((sign) => sign !== null && used.add(sign));
    return lineOf(cells, row, layout);
  });
  const before = dropped === 0 ? [] : [`executions before these: ${dropped}`];
  const ticks = ticksOf(layout, columns);
  return [...before, ticks, ...lines, ...legendOf(used, columns)].join("\n");
}

function layoutOf(
  { rows, headLength, maxDepth, from, latest }: Recorded,
  columns: number,
  hasColor: boolean,
): Layout {
  const levels = Math.min(maxDepth, Math.floor(columns / COLUMNS_PER_LEVEL));
  const gutter = INDENT * levels + headLength + 2;
  const widest = rows.reduce((max, { words }) => Math.max(max, widthOf(words)), 0);
  const words = Math.min(widest, Math.floor(columns * MAX_WORDS));
  const cells = columns - gutter - words - 1;
  const axis = new TimeAxis(from, latest, cells - 1); // the end has a cell of its own
  return { gutter, levels, cells, words, axis, hasColor };
}

function lineOf(
  cells: Cells,
  { head, depth, bar, words }: Row,
  layout: Layout,
): string {
  const drawn = cells.map((sign) => sign === null ? " " : SIGNS[sign]).join("");
  const painted = layout.hasColor && bar !== null
    ? drawn.replace(/[█•▒]+/, `\x1b[${COLORS[bar.end]}m$&\x1b[0m`)
    : drawn;
  const indent = " ".repeat(INDENT * Math.min(depth, layout.levels));
  const start = `${indent}${head}`.padEnd(layout.gutter);
  const line = `${start}${painted} ${truncate(words, layout.words)}`;
  return line.trimEnd();
}

/** Draws the attempt over its pause, and both over the limits. */
function cellsOf({ bar, limits }: Row, layout: Layout): Cells {
  const { axis } = layout;
  const cells: Cells = Array(layout.cells).fill(null);
  const cellOf = (at: number) => Math.round(axis.positionOf(at));
  for (const { limit, at } of limits) cells[cellOf(at)] = LIMIT_NAMES[limit];
  if (bar === null) return cells;
  const { from, timedOutAt, to, pauseTo, lateAt, progressAt } = bar;
  const began = Math.min(cellOf(from), layout.cells - 2);
  const ended = Math.max(began + 1, cellOf(to));
  cells.fill("pause", ended, cellOf(pauseTo));
  cells.fill("attempt", began, ended);
  // Rounded up, because a limit that is noticed a little late has no grace.
  const graceFrom = Math.ceil(axis.positionOf(timedOutAt ?? to));
  cells.fill("grace", Math.max(began + 1, graceFrom), ended);
  for (const at of progressAt) cells[Math.min(cellOf(at), ended - 1)] = "progress";
  if (lateAt !== null) cells[cellOf(lateAt)] = "late end";
  return cells;
}

function ticksOf({ gutter, cells, axis }: Layout, columns: number): string {
  let line = " ".repeat(gutter);
  for (const { at, text } of axis.ticks(Math.floor(cells / TICK))) {
    line = line.padEnd(gutter + Math.round(axis.positionOf(at))) + text;
  }
  return line.slice(0, columns);
}

/** Explains the signs that are used, in as many lines as they need. */
function legendOf(used: ReadonlySet<Sign>, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const name of (Object.keys(SIGNS) as Sign[]).filter((sign) => used.has(sign))) {
    const part = `${SIGNS[name]} ${name}`;
    if (line !== "" && line.length + 2 + part.length > columns) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? part : `  ${part}`;
  }
  return line === "" ? lines : [...lines, line];
}
