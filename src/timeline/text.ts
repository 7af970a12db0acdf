/**
 * A timeline as text for a terminal.
 *
 * @module
 */

import type { AttemptEnd, Recorded, Row } from "./execution_record.ts";
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
  const { rows, dropped } = recorded;
  if (rows.length === 0) return "no executions";
  const layout = layoutOf(recorded, columns, hasColour);
  const used = new Set<Sign>();
  const lines = rows.map((row) => {
    const places = placesOf(row, layout);
    places.forEach((sign) => sign !== null && used.add(sign));
    return lineOf(places, row, layout);
  });
  const before = dropped === 0 ? [] : [`executions before these: ${dropped}`];
  return [...before, ticksOf(layout, columns), ...lines, ...legendOf(used, columns)].join(
    "\n",
  );
}

function layoutOf(
  { rows, digits, from, latest }: Recorded,
  columns: number,
  hasColour: boolean,
): Layout {
  const gutter = digits + 2;
  const widest = rows.reduce((most, { words }) => Math.max(most, widthOf(words)), 0);
  const words = Math.min(widest, Math.floor(columns * WORDS));
  const places = columns - gutter - words - 1;
  const axis = new TimeAxis(from, latest, places - 1); // the end has a place of its own
  return { gutter, places, words, axis, hasColour };
}

function lineOf(places: Places, { head, bar, words }: Row, layout: Layout): string {
  const drawn = places.map((sign) => sign === null ? " " : SIGNS[sign]).join("");
  const colour = COLOURS[bar?.end ?? "cut"];
  const painted = layout.hasColour
    ? drawn.replace(/[█▒]+/, `\x1b[${colour}m$&\x1b[0m`)
    : drawn;
  const line = `${head.padEnd(layout.gutter)}${painted} ${cut(words, layout.words)}`;
  return line.trimEnd();
}

/** What stands where: the attempt over its pause, and both over the limits. */
function placesOf({ bar, deadlineAt }: Row, layout: Layout): Places {
  const { axis } = layout;
  const places: Places = Array(layout.places).fill(null);
  const place = (at: number) => Math.round(axis.placeOf(at));
  const mark = (sign: Sign, at: number | null) => {
    if (at !== null) places[place(at)] = sign;
  };
  mark("deadline", deadlineAt);
  if (bar === null) return places;
  const { from, cutAt, to, pauseTo, timeoutAt, lateAt } = bar;
  mark("attempt timeout", timeoutAt);
  const began = Math.min(place(from), layout.places - 2);
  const ended = Math.max(began + 1, place(to));
  places.fill("pause", ended, place(pauseTo));
  places.fill("attempt", began, ended);
  // Rounded up, since a limit that is noticed a little late has no grace.
  const graceFrom = Math.ceil(axis.placeOf(cutAt ?? to));
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
  let left = width - 1; // for the ellipsis
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    short += character;
  }
  return `${short}…`;
}
