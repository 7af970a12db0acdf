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
const TOP = 34;
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
/** The number of columns of text that fit after the axis. */
const MAX_WORDS = 40;

/** The color of an attempt, on a light and on a dark background. The end is also its class. */
const COLORS: Readonly<Record<AttemptEnd, readonly [light: string, dark: string]>> = {
  value: ["#1a7f37", "#3fb950"],
  failure: ["#cf222e", "#ff7b72"],
  timeout: ["#bf8700", "#d29922"],
  aborted: ["#8250df", "#d2a8ff"],
  running: ["#0969da", "#79c0ff"],
};

/** The style of the line of a limit, in the order of the legend. The limit is also its class. */
const LIMIT_STYLES: Readonly<Record<Limit, string>> = {
  attempt: "stroke: var(--timeout); stroke-dasharray: 2 2; stroke-width: 1.5;",
  deadline: "stroke: var(--aborted); stroke-width: 2;",
};

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
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>Executions: ${executions}${before}</title>
<style>${style()}</style>
<rect class="ground" width="${width}" height="${height}" rx="6"/>
<g transform="translate(${left} ${TOP})">
${[...ticksOf(axis, bottom), ...drawn, legend(bottom)].join("\n")}
</g>
</svg>
`;
}

function style(): string {
  const colors = Object.entries(COLORS);
  const light = colors.map(([end, [light]]) => `--${end}: ${light};`).join(" ");
  const dark = colors.map(([end, [, dark]]) => `--${end}: ${dark};`).join(" ");
  const ends = colors.map(([end]) => `.${end} { fill: var(--${end}); }`).join(" ");
  const limits = Object.entries(LIMIT_STYLES).map(([limit, style]) =>
    `.${limit} { ${style} }`
  );
  return `
  svg { --ground: #ffffff; --ink: #24292f; --faint: #d0d7de;
    ${light} }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #e6edf3; --faint: #30363d;
      ${dark} }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .middle { text-anchor: middle; } .end { text-anchor: end; } .ground { fill: var(--ground); }
  .grid { stroke: var(--faint); } .pause { stroke: var(--ink); stroke-width: 1.5; }
  ${limits.join("\n  ")}
  .late { fill: none; stroke: var(--ink); stroke-width: 1.5; } .grace { opacity: 0.45; }
  ${ends}
`;
}

function ticksOf(axis: TimeAxis, bottom: number): string[] {
  return axis.ticks(MAX_TICKS).map(({ at, text }) => {
    const x = xOf(axis, at);
    return `<path class="grid" d="M${x} ${-ROW / 2}V${bottom - ROW / 2}"/>` +
      `<text class="middle" x="${x}" y="${-ROW / 2 - 6}">${text}</text>`;
  });
}

function partsOf(
  { head, depth, bar, limits, words }: Row,
  axis: TimeAxis,
  indent: number,
): string[] {
  const x = INDENT * Math.min(depth, MAX_LEVELS) - indent - 12;
  return [
    ...head === "" ? [] : [`<text class="end" x="${x}" y="4">${head}</text>`],
    ...limits.map(({ limit, at }) => limitAt(limit, xOf(axis, at), ROW / 2)),
    ...bar === null ? [] : barsOf(bar, axis),
    `<text x="${LENGTH + 12}" y="4">${escapeXML(truncate(words, MAX_WORDS))}</text>`,
  ];
}

function limitAt(limit: Limit, x: number, half: number): string {
  return `<path class="${limit}" d="M${x} ${-half}V${half}"/>`;
}

/** Draws an attempt, its grace, the pause after it, and its late end. */
function barsOf(bar: Bar, axis: TimeAxis): string[] {
  const { from, timedOutAt, to, pauseTo, lateAt, end } = bar;
  const part = (begin: number, until: number, kind: string) => {
    const x = xOf(axis, begin);
    const width = Math.max(1.5, rounded(xOf(axis, until) - x));
    const words = `${escapeXML(bar.words)}, ${rounded(until - begin)} ms`;
    return `<rect class="${kind}" x="${x}" y="${-BAR / 2}" width="${width}" ` +
      `height="${BAR}"><title>${words}</title></rect>`;
  };
  const [x, pauseEnd] = [xOf(axis, to), xOf(axis, pauseTo)];
  const hasGrace = timedOutAt !== null && x - xOf(axis, timedOutAt) >= 1;
  return [
    part(from, timedOutAt ?? to, end),
    ...hasGrace ? [part(timedOutAt, to, `${end} grace`)] : [],
    ...pauseEnd > x ? [`<path class="pause" d="M${x} 0H${pauseEnd}"/>`] : [],
    ...lateAt === null
      ? []
      : [`<circle class="late" cx="${xOf(axis, lateAt)}" cy="0" r="4"/>`],
  ];
}

/** Explains the signs that need it. The words of a row tell how its attempt ended. */
function legend(y: number): string {
  const limits = (Object.keys(LIMIT_STYLES) as Limit[])
    .map((limit) => [LIMIT_NAMES[limit], limitAt(limit, 7, 8)]);
  const signs = [
    ["grace", '<rect class="timeout grace" y="-6" width="14" height="12"/>'],
    ["pause", '<path class="pause" d="M0 0H14"/>'],
    ...limits,
    ["late end", '<circle class="late" cx="7" cy="0" r="4"/>'],
  ];
  const parts = signs.map(([name, sign], index) => {
    const place = `translate(${index * 130} ${y})`;
    return `<g transform="${place}">${sign}<text x="20" y="4">${name}</text></g>`;
  });
  return parts.join("");
}

const xOf = (axis: TimeAxis, at: number) => rounded(axis.positionOf(at));

const rounded = (value: number) => Math.round(value * 10) / 10;
