/**
 * A timeline as text for a terminal.
 *
 * @module
 */

import type { AttemptEnd, ExecutionRecord, Recorded, Row } from "./execution_record.ts";
import { TimeAxis } from "./time_axis.ts";

/** What stands for what. */
const SIGNS = {
  attempt: "█",
  grace: "▒",
  pause: "─",
  "attempt timeout": "┊",
  deadline: "│",
  "late end": "○",
} as const;
type Sign = keyof typeof SIGNS;
/** What stands at each place of a row. */
type Places = (Sign | null)[];

/** ANSI codes of colours. */
const COLOURS: Record<AttemptEnd, number> = {
  value: 32,
  failure: 31,
  timeout: 33,
  cut: 35,
  running: 36,
};

/** The part of the columns that words may take. */
const WORDS = 0.45;
/** Columns for each tick. */
const TICK = 8;

/** Where things stand: a gutter for numbers, the places of the axis, a space, words. */
interface Layout {
  readonly gutter: number;
  readonly places: number;
  readonly words: number;
  readonly axis: TimeAxis;
  readonly latest: number;
  readonly hasColour: boolean;
}

/**
 * Draws executions.
 *
 * @param recorded What there is to draw.
 * @param columns How wide a line may be.
 * @param hasColour Whether attempts have colours.
 * @returns Lines that are no wider than that.
 */
export function drawText(
  recorded: Recorded,
  columns: number,
  hasColour: boolean,
): string {
  const { records, dropped } = recorded;
  if (records.length === 0) return "no executions";
  const layout = layoutOf(recorded, columns, hasColour);
  const used = new Set<Sign>();
  const lines = records.flatMap((record) =>
    record.rows().map((row, index) => {
      const places = placesOf(record, row, layout);
      places.forEach((sign) => sign !== null && used.add(sign));
      return lineOf(index === 0 ? `#${record.number}` : "", places, row, layout);
    })
  );
  const before = dropped === 0 ? [] : [`executions before these: ${dropped}`];
  return [...before, ticksOf(layout, columns), ...lines, ...legendOf(used, columns)].join(
    "\n",
  );
}

function layoutOf(
  { records, digits, from, latest }: Recorded,
  columns: number,
  hasColour: boolean,
): Layout {
  const gutter = digits + 2;
  const widest = records.flatMap((record) => record.rows())
    .reduce((most, row) => Math.max(most, widthOf(row.words)), 0);
  const words = Math.min(widest, Math.floor(columns * WORDS));
  const places = columns - gutter - words - 1;
  const axis = new TimeAxis(from, latest, places - 1); // the end has a place of its own
  return { gutter, places, words, axis, latest, hasColour };
}

function lineOf(head: string, places: Places, row: Row, layout: Layout): string {
  const drawn = places.map((sign) => sign === null ? " " : SIGNS[sign]).join("");
  const colour = COLOURS[row.attempt?.end ?? "cut"];
  const painted = layout.hasColour
    ? drawn.replace(/[█▒]+/, `\x1b[${colour}m$&\x1b[0m`)
    : drawn;
  const line = `${head.padEnd(layout.gutter)}${painted} ${cut(row.words, layout.words)}`;
  return line.trimEnd();
}

/** What stands where: the attempt over its pause, and both over the limits. */
function placesOf(record: ExecutionRecord, { attempt }: Row, layout: Layout): Places {
  const { axis, latest } = layout;
  const places: Places = Array(layout.places).fill(null);
  const place = (at: number) => Math.round(axis.placeOf(at));
  const mark = (sign: Sign, at: number | null) => {
    if (at !== null && at <= latest) places[place(at)] = sign;
  };
  mark("deadline", record.deadlineAt);
  if (attempt === null) return places;
  const { from, to, cutAt, pauseTo, lateAt } = attempt;
  const end = to ?? latest;
  if (record.attemptTimeout !== null) mark("attempt timeout", from + record.attemptTimeout);
  const began = Math.min(place(from), layout.places - 2);
  const ended = Math.max(began + 1, place(end));
  if (pauseTo !== null) places.fill("pause", ended, place(Math.min(pauseTo, latest)));
  places.fill("attempt", began, ended);
  // Rounded up, since a limit that is noticed a little late has no grace.
  const graceFrom = Math.ceil(axis.placeOf(cutAt ?? end));
  places.fill("grace", Math.max(began + 1, graceFrom), ended);
  mark("late end", lateAt);
  return places;
}

function ticksOf({ gutter, places, axis }: Layout, columns: number): string {
  let line = " ".repeat(gutter);
  for (const { at, text } of axis.ticks(Math.floor(places / TICK))) {
    line = line.padEnd(gutter + Math.round(axis.placeOf(at))) + text;
  }
  return line.slice(0, columns);
}

/** The signs that occur, in as many lines as they need. */
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

/** How wide a terminal draws it, at most: what may be of double width counts as that. */
function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (isNarrow(character) ? 1 : 2), 0);
}

const isNarrow = (character: string) => character < "\u{1100}" || character === "…";

/**
 * Text that takes no more than so many columns.
 *
 * @param text Any text.
 * @param width How many columns it may take.
 * @returns The text; where it is too long, its beginning and an ellipsis.
 */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let short = "";
  for (const character of text) {
    if (widthOf(short + character) >= width) break;
    short += character;
  }
  return `${short}…`;
}
