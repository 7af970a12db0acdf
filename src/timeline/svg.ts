/**
 * A timeline as a picture, for light and dark backgrounds.
 *
 * @module
 */

import { type Limit, LIMIT_NAMES } from "../engine/limit.ts";
import type { AttemptEnd, Bar, Recorded, Row } from "./drawing.ts";
import { TimeAxis } from "./time_axis.ts";
import { escapeXML, truncate } from "./words.ts";

const WIDTH = 860;
const TOP = 50;
const ROW = 20;
const BAR = 12;
/** The length of the axis. Numbers of executions stand before it, and words after it. */
const LENGTH = 520;
/** Slightly more than the width of a digit. */
const DIGIT = 8;
/** The width that each level of nested executions is indented by. */
const INDENT = 14;
/** Deeper levels are indented no further. */
const MAX_LEVELS = 8;
const MAX_TICKS = 9;
/** The length of the legend. */
const LEGEND = 784;
/** The number of columns of text that fit after the axis. */
const MAX_WORDS = 40;

/** The name of a color. */
type ColorName = AttemptEnd | "ground" | "ink" | "faint";

/** The colors on a light and on a dark background. */
const COLORS: Readonly<Record<ColorName, readonly [light: string, dark: string]>> = {
  ground: ["#ffffff", "#0d1117"],
  ink: ["#24292f", "#e6edf3"],
  faint: ["#d0d7de", "#30363d"],
  value: ["#1a7f37", "#3fb950"],
  failure: ["#cf222e", "#ff7b72"],
  timeout: ["#bf8700", "#d29922"],
  aborted: ["#8250df", "#d2a8ff"],
  running: ["#0969da", "#79c0ff"],
};

/** The color and the other attributes of the line of a limit, in the order of the legend. */
const LIMIT_LINES: Readonly<
  Record<Limit, readonly [color: ColorName, attributes: string]>
> = {
  attempt: ["timeout", ' stroke-width="1.5" stroke-dasharray="2 2"'],
  idle: ["timeout", ' stroke-width="1.5" stroke-dasharray="1 3"'],
  deadline: ["aborted", ' stroke-width="2"'],
};

const FONT = 'font-family="system-ui, sans-serif" font-size="12"';
const GRACE = ' opacity="0.45"';

/**
 * Draws executions as a picture.
 *
 * @param recorded The executions.
 * @returns An SVG document.
 */
export function drawSVG(recorded: Recorded): string {
  const { rows, executions, dropped, headLength, maxDepth, from, latest } = recorded;
  const axis = new TimeAxis(from, latest, LENGTH);
  const indent = INDENT * Math.min(maxDepth, MAX_LEVELS);
  const drawn = rows.map((row, index) =>
    `<g transform="translate(0 ${index * ROW})">${partsOf(row, axis, indent).join("")}</g>`
  );
  const bottom = rows.length * ROW;
  const height = TOP + bottom + ROW + 4;
  const left = 24 + DIGIT * headLength + indent;
  const width = WIDTH + indent;
  const before = dropped === 0 ? "" : `, before them: ${dropped}`;
  const size = `viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" ${FONT}>
<title>Executions: ${executions}${before}</title>
<style>${darkStyle()}</style>
<rect ${filled("ground")} width="${width}" height="${height}" rx="6"/>
<g transform="translate(${left} ${TOP})">
${[titleOf(axis), ...ticksOf(axis, bottom), ...drawn, legend(rows, bottom)].join("\n")}
</g>
</svg>
`;
}

/** The style for dark backgrounds. It overrides attributes, which have the light colors. */
function darkStyle(): string {
  const rules = Object.entries(COLORS).map(([name, [, dark]]) =>
    `.${name} { fill: ${dark}; } .${name}-line { stroke: ${dark}; }`
  );
  return `@media (prefers-color-scheme: dark) {\n${rules.join("\n")}\n}`;
}

/** The attributes of a filled shape or a text. */
const filled = (color: ColorName) => `class="${color}" fill="${COLORS[color][0]}"`;

/** The attributes of a line. */
const lined = (color: ColorName) =>
  `class="${color}-line" fill="none" stroke="${COLORS[color][0]}"`;

function textAt(x: number, y: number, text: string, anchor = "start"): string {
  const place = `x="${x}" y="${y}" text-anchor="${anchor}"`;
  return `<text ${filled("ink")} ${place}>${escapeXML(text)}</text>`;
}

function titleOf(axis: TimeAxis): string {
  const title = `time since the beginning, in ${axis.unit(MAX_TICKS)}`;
  return textAt(LENGTH / 2, -ROW / 2 - 24, title, "middle");
}

function ticksOf(axis: TimeAxis, bottom: number): string[] {
  return axis.ticks(MAX_TICKS).map(({ at, text }) => {
    const x = xOf(axis, at);
    return `<path ${lined("faint")} d="M${x} ${-ROW / 2}V${bottom - ROW / 2}"/>` +
      textAt(x, -ROW / 2 - 6, text, "middle");
  });
}

function partsOf(
  { head, depth, bar, limits, words }: Row,
  axis: TimeAxis,
  indent: number,
): string[] {
  const x = INDENT * Math.min(depth, MAX_LEVELS) - indent - 12;
  return [
    ...head === "" ? [] : [textAt(x, 4, head, "end")],
    ...limits.map(({ limit, at }) => limitAt(limit, xOf(axis, at), ROW / 2)),
    ...bar === null ? [] : barsOf(bar, axis),
    textAt(LENGTH + 12, 4, truncate(words, MAX_WORDS)),
  ];
}

function limitAt(limit: Limit, x: number, half: number): string {
  const [color, attributes] = LIMIT_LINES[limit];
  return `<path ${lined(color)}${attributes} d="M${x} ${-half}V${half}"/>`;
}

/** Draws an attempt, its grace, the pause after it, and its late end. */
function barsOf(bar: Bar, axis: TimeAxis): string[] {
  const { from, timedOutAt, to, pauseTo, lateAt, progressAt, end } = bar;
  const part = (begin: number, until: number, attributes = "") => {
    const x = xOf(axis, begin);
    const width = Math.max(1.5, rounded(xOf(axis, until) - x));
    const words = `${escapeXML(bar.words)}, ${rounded(until - begin)} ms`;
    return `<rect ${filled(end)}${attributes} x="${x}" y="${-BAR / 2}" width="${width}" ` +
      `height="${BAR}"><title>${words}</title></rect>`;
  };
  const [x, pauseEnd] = [xOf(axis, to), xOf(axis, pauseTo)];
  const hasGrace = timedOutAt !== null && x - xOf(axis, timedOutAt) >= 1;
  return [
    part(from, timedOutAt ?? to),
    ...hasGrace ? [part(timedOutAt, to, GRACE)] : [],
    ...progressAt.map((at) => progressMark(xOf(axis, at))),
    ...pauseEnd > x ? [pauseFrom(x, pauseEnd)] : [],
    ...lateAt === null ? [] : [lateEndAt(xOf(axis, lateAt))],
  ];
}

function pauseFrom(x: number, end: number): string {
  return `<path ${lined("ink")} stroke-width="1.5" d="M${x} 0H${end}"/>`;
}

function progressMark(x: number): string {
  return `<path ${lined("ground")} stroke-width="1.5" d="M${x} ${-BAR / 2}V${BAR / 2}"/>`;
}

function lateEndAt(x: number): string {
  return `<circle ${lined("ink")} stroke-width="1.5" cx="${x}" cy="0" r="4"/>`;
}

/**
 * Explains the signs that need it, and those of progress if there is any. The words of a row say
 * how its attempt ended.
 */
function legend(rows: readonly Row[], y: number): string {
  const isIdle = rows.some((row) => row.limits.some(({ limit }) => limit === "idle"));
  const hasProgress = rows.some(({ bar }) => bar !== null && bar.progressAt.length > 0);
  const limits = (Object.keys(LIMIT_LINES) as Limit[])
    .filter((limit) => limit !== "idle" || isIdle)
    .map((limit) => [LIMIT_NAMES[limit], limitAt(limit, 7, 8)]);
  const progress = '<rect class="value" y="-6" width="14" height="12"/>' + progressMark(7);
  const signs = [
    ...hasProgress ? [["progress", progress]] : [],
    ["grace", `<rect ${filled("timeout")}${GRACE} y="-6" width="14" height="12"/>`],
    ["pause", pauseFrom(0, 14)],
    ...limits,
    ["late end", lateEndAt(7)],
  ];
  const parts = signs.map(([name = "", sign], index) => {
    const place = `translate(${index * Math.min(130, LEGEND / signs.length)} ${y})`;
    return `<g transform="${place}">${sign}${textAt(20, 4, name)}</g>`;
  });
  return parts.join("");
}

const xOf = (axis: TimeAxis, at: number) => rounded(axis.positionOf(at));

const rounded = (value: number) => Math.round(value * 10) / 10;
