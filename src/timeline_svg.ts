/**
 * A timeline as a picture that reads on light and on dark.
 *
 * @module
 */

import type {
  ExecutionRecord,
  Recorded,
  RecordedAttempt,
  Row,
} from "./execution_record.ts";
import { TimeAxis } from "./time_axis.ts";
import { cut } from "./timeline_text.ts";

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
export function drawSVG({ records, dropped, digits, from, latest }: Recorded): string {
  const axis = new TimeAxis(from, latest, LENGTH);
  const drawn = records.flatMap((record) =>
    record.rows().map((row, index) => [
      ...index === 0 ? [`<text class="end" x="-12" y="4">#${record.number}</text>`] : [],
      ...limitsOf(record, row, axis, latest),
      ...row.attempt === null ? [] : barsOf(row.attempt, axis, latest),
      `<text x="${LENGTH + 12}" y="4">${escaped(cut(row.words, WORDS))}</text>`,
    ])
  );
  const rows = drawn.map((parts, index) =>
    `<g transform="translate(0 ${index * ROW})">${parts.join("")}</g>`
  );
  const height = TOP + (rows.length + 1) * ROW + 4;
  const left = 24 + DIGIT * digits;
  const before = dropped === 0 ? "" : `, before them: ${dropped}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>Executions: ${records.length}${before}</title>
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>
<g transform="translate(${left} ${TOP})">
${[...ticksOf(axis, rows.length * ROW), ...rows, legend(rows.length * ROW)].join("\n")}
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

/** The limits of a row, as far as they are within what is drawn. */
function limitsOf(record: ExecutionRecord, row: Row, axis: TimeAxis, latest: number) {
  const { deadlineAt, attemptTimeout } = record;
  const timeoutAt = row.attempt === null || attemptTimeout === null
    ? null
    : row.attempt.from + attemptTimeout;
  const limits = [["deadline", deadlineAt], ["limit", timeoutAt]] as const;
  return limits.flatMap(([kind, at]) =>
    at === null || at > latest
      ? []
      : [`<path class="${kind}" d="M${xOf(axis, at)} ${-ROW / 2}V${ROW / 2}"/>`]
  );
}

/** An attempt, its grace, the pause after it, and its late end. */
function barsOf(attempt: RecordedAttempt, axis: TimeAxis, latest: number): string[] {
  const { from, to, cutAt, pauseTo, lateAt, end, words } = attempt;
  const over = to ?? latest;
  const bar = (begin: number, until: number, kind: string) => {
    const x = xOf(axis, begin);
    const width = Math.max(1.5, rounded(xOf(axis, until) - x));
    return `<rect class="${kind}" x="${x}" y="${
      -BAR / 2
    }" width="${width}" height="${BAR}">` +
      `<title>${escaped(words)}, ${rounded(until - begin)} ms</title></rect>`;
  };
  const [x, pauseEnd] = [xOf(axis, over), xOf(axis, Math.min(pauseTo ?? over, latest))];
  return [
    bar(from, cutAt ?? over, end),
    ...cutAt !== null && xOf(axis, over) - xOf(axis, cutAt) >= 1
      ? [bar(cutAt, over, `${end} grace`)]
      : [],
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

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
