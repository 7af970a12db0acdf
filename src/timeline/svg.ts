/**
 * A timeline as a picture that reads on light and on dark.
 *
 * @module
 */

import type { Bar, Recorded, Row } from "./execution_record.ts";
import { TimeAxis } from "./time_axis.ts";
import { cut } from "./text.ts";

const WIDTH = 860;
const TOP = 34;
const ROW = 20;
const BAR = 12;
/** How long the axis is; numbers stand before it, and words behind. */
const LENGTH = 520;
/** More than a digit takes. */
const DIGIT = 8;
const MOST_TICKS = 9;
/** How many columns of text fit behind the axis. */
const WORDS = 40;

const STYLE = `
  svg { --ground: #ffffff; --ink: #24292f; --faint: #d0d7de; --value: #1a7f37;
    --failure: #cf222e; --timeout: #bf8700; --cut: #8250df; --running: #0969da; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #e6edf3; --faint: #30363d; --value: #3fb950;
      --failure: #ff7b72; --timeout: #d29922; --cut: #d2a8ff; --running: #79c0ff; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .middle { text-anchor: middle; } .end { text-anchor: end; } .ground { fill: var(--ground); }
  .grid { stroke: var(--faint); } .pause { stroke: var(--ink); stroke-width: 1.5; }
  .deadline { stroke: var(--cut); stroke-width: 2; }
  .limit { stroke: var(--timeout); stroke-dasharray: 2 2; stroke-width: 1.5; }
  .late { fill: none; stroke: var(--ink); stroke-width: 1.5; } .grace { opacity: 0.45; }
  .value { fill: var(--value); } .failure { fill: var(--failure); } .cut { fill: var(--cut); }
  .timeout { fill: var(--timeout); } .running { fill: var(--running); }
`;

/**
 * Draws executions.
 *
 * @param recorded What there is to draw.
 * @returns An SVG document.
 */
export function drawSVG(recorded: Recorded): string {
  const { rows, executions, dropped, digits, from, latest } = recorded;
  const axis = new TimeAxis(from, latest, LENGTH);
  const drawn = rows.map((row, index) =>
    `<g transform="translate(0 ${index * ROW})">${partsOf(row, axis).join("")}</g>`
  );
  const bottom = rows.length * ROW;
  const height = TOP + bottom + ROW + 4;
  const left = 24 + DIGIT * digits;
  const before = dropped === 0 ? "" : `, before them: ${dropped}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>Executions: ${executions}${before}</title>
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>
<g transform="translate(${left} ${TOP})">
${[...ticksOf(axis, bottom), ...drawn, legend(bottom)].join("\n")}
</g>
</svg>
`;
}

function ticksOf(axis: TimeAxis, bottom: number): string[] {
  return axis.ticks(MOST_TICKS).map(({ at, text }) => {
    const x = xOf(axis, at);
    return `<path class="grid" d="M${x} ${-ROW / 2}V${bottom - ROW / 2}"/>` +
      `<text class="middle" x="${x}" y="${-ROW / 2 - 6}">${text}</text>`;
  });
}

function partsOf({ head, bar, deadlineAt, words }: Row, axis: TimeAxis): string[] {
  const limit = (kind: string, at: number | null) =>
    at === null
      ? []
      : [`<path class="${kind}" d="M${xOf(axis, at)} ${-ROW / 2}V${ROW / 2}"/>`];
  return [
    ...head === "" ? [] : [`<text class="end" x="-12" y="4">${head}</text>`],
    ...limit("deadline", deadlineAt),
    ...limit("limit", bar?.timeoutAt ?? null),
    ...bar === null ? [] : barsOf(bar, axis),
    `<text x="${LENGTH + 12}" y="4">${escaped(cut(words, WORDS))}</text>`,
  ];
}

/** An attempt, its grace, the pause after it, and its late end. */
function barsOf(bar: Bar, axis: TimeAxis): string[] {
  const { from, cutAt, to, pauseTo, lateAt, end } = bar;
  const part = (begin: number, until: number, kind: string) => {
    const x = xOf(axis, begin);
    const width = Math.max(1.5, rounded(xOf(axis, until) - x));
    return `<rect class="${kind}" x="${x}" y="${
      -BAR / 2
    }" width="${width}" height="${BAR}">` +
      `<title>${escaped(bar.words)}, ${rounded(until - begin)} ms</title></rect>`;
  };
  const [x, pauseEnd] = [xOf(axis, to), xOf(axis, pauseTo)];
  return [
    part(from, cutAt ?? to, end),
    ...cutAt !== null && x - xOf(axis, cutAt) >= 1 ? [part(cutAt, to, `${end} grace`)] : [],
    ...pauseEnd > x ? [`<path class="pause" d="M${x} 0H${pauseEnd}"/>`] : [],
    ...lateAt === null
      ? []
      : [`<circle class="late" cx="${xOf(axis, lateAt)}" cy="0" r="4"/>`],
  ];
}

/** What the signs stand for that do not tell it themselves. */
function legend(y: number): string {
  const signs = [
    ["grace", '<rect class="timeout grace" y="-6" width="14" height="12"/>'],
    ["pause", '<path class="pause" d="M0 0H14"/>'],
    ["attempt timeout", '<path class="limit" d="M7 -8V8"/>'],
    ["deadline", '<path class="deadline" d="M7 -8V8"/>'],
    ["late end", '<circle class="late" cx="7" cy="0" r="4"/>'],
  ];
  const parts = signs.map(([name, sign], index) =>
    `<g transform="translate(${
      index * 130
    } ${y})">${sign}<text x="20" y="4">${name}</text></g>`
  );
  return parts.join("");
}

const xOf = (axis: TimeAxis, at: number) => rounded(axis.placeOf(at));

const rounded = (value: number) => Math.round(value * 10) / 10;

/**
 * Text as it stands in a picture.
 *
 * @param content Any text of printable characters.
 * @returns The same as XML has it.
 */
export function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
