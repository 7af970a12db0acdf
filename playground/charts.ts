/**
 * Charts of a simulation, as SVG.
 *
 * @module
 */

import type { Simulation } from "@asyncbackoff/asyncbackoff/simulate";
import { duration } from "./warnings.ts";

const WIDTH = 640;
const HEIGHT = 230;
const LEFT = 46;
const RIGHT = 14;
const TOP = 30;
const BOTTOM = 34;
const INNER = { width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };
const BINS = 40;

/** A named line of a chart of load. */
export interface LoadLine {
  readonly name: string;
  /** Its class in the style sheet. */
  readonly kind: "demand" | "load" | "other";
  /** A number for each second. */
  readonly values: readonly number[];
}

/**
 * Draws how long the executions took.
 *
 * @param simulation The simulation.
 * @returns An SVG element.
 */
export function drawDurations(simulation: Simulation): string {
  const ended = simulation.executions.filter(({ elapsed }) => elapsed < Infinity);
  const longest = ended.reduce((max, { elapsed }) => Math.max(max, elapsed), 0);
  const span = niceSpan(longest);
  const bins = Array.from({ length: BINS }, () => ({ success: 0, failure: 0 }));
  for (const { elapsed, reason } of ended) {
    const bin = bins[Math.min(BINS - 1, Math.floor(elapsed / span * BINS))];
    if (bin !== undefined) bin[reason === "success" ? "success" : "failure"] += 1;
  }
  const most = Math.max(1, ...bins.map(({ success, failure }) => success + failure));
  const width = INNER.width / BINS;
  const bars = bins.flatMap(({ success, failure }, index) => {
    const high = heightOf(success, most);
    const low = heightOf(failure, most);
    const bar = (kind: string, y: number, height: number) =>
      height === 0 ? [] : [
        `<rect class="c-${kind}" x="${r(LEFT + index * width + 0.5)}" y="${r(y)}" width="${
          r(width - 1)
        }" height="${r(height)}"/>`,
      ];
    const base = TOP + INNER.height;
    return [
      ...bar("success", base - high, high),
      ...bar("failure", base - high - low, low),
    ];
  });
  const marks = ([[0.5, "50 %"], [0.99, "99 %"]] as const).flatMap(([share, name], row) => {
    const at = simulation.percentile(share);
    if (at > span) return [];
    const x = r(LEFT + at / span * INNER.width);
    const isRight = x > WIDTH - 120;
    const y = 12 + row * 13;
    return [
      `<path class="c-mark" d="M${x} ${y + 4}V${TOP + INNER.height}"/>`,
      `<text class="c-label${isRight ? " c-end" : ""}" x="${
        isRight ? x - 4 : x + 4
      }" y="${y}">${name} within ${duration(at)}</text>`,
    ];
  });
  const label = `Time to an answer. Half of the callers wait at most ${
    duration(simulation.percentile(0.5))
  }, 99 % at most ${duration(simulation.percentile(0.99))}.`;
  return svg(label, [
    ...timeTicks(span),
    ...countTicks(most),
    ...bars,
    ...marks,
  ]);
}

/** Rare durations must be seen too. */
function heightOf(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(1.5, count / most * INNER.height);
}

/** The number of steps that a line has at most. */
const MAX_STEPS = 300;

/** The means of as many values in a row. */
function meansOf(values: readonly number[], count: number): number[] {
  if (count === 1) return [...values];
  return Array.from({ length: Math.ceil(values.length / count) }, (_, index) => {
    const part = values.slice(index * count, (index + 1) * count);
    return part.reduce((sum, each) => sum + each, 0) / part.length;
  });
}

/**
 * Draws numbers per second over time.
 *
 * @param lines The lines, the first one as an area.
 * @returns An SVG element.
 */
export function drawLoad(lines: readonly LoadLine[]): string {
  const seconds = Math.max(1, ...lines.map(({ values }) => values.length));
  const together = Math.ceil(seconds / MAX_STEPS);
  const drawn = lines.map(({ kind, values }) => ({
    kind,
    values: meansOf(values, together),
  }));
  const most = niceSpan(Math.max(1, ...drawn.flatMap(({ values }) => values)));
  const y = (value: number) => r(TOP + INNER.height * (1 - value / most));
  const x = (second: number) => r(LEFT + second / seconds * INNER.width);
  const paths = drawn.map(({ kind, values }) => {
    const length = Math.ceil(seconds / together);
    const padded = Array.from({ length }, (_, index) => values[index] ?? 0);
    const steps = padded.map((value, index) =>
      `${index === 0 ? "M" : "L"}${x(index * together)} ${y(value)}H${
        x(Math.min(seconds, (index + 1) * together))
      }`
    ).join("");
    return kind === "demand"
      ? `<path class="c-demand" d="${steps}V${y(0)}H${x(0)}Z"/>`
      : `<path class="c-line c-${kind}" d="${steps}"/>`;
  });
  const label = "Calls in each second. " +
    lines.map(({ name, values }) =>
      `${name}: at most ${
        Math.round(values.reduce((max, each) => Math.max(max, each), 0))
      }.`
    ).join(" ");
  return svg(label, [...timeTicks(seconds * 1000), ...countTicks(most), ...paths]);
}

function svg(label: string, parts: readonly string[]): string {
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${
    label.replaceAll('"', "")
  }">${parts.join("")}</svg>`;
}

function timeTicks(span: number): string[] {
  const step = niceStep(span / 5);
  return ticks(span, step).map((at) => {
    const x = r(LEFT + at / span * INNER.width);
    const anchor = at === 0 ? "" : " c-middle";
    return `<path class="c-grid" d="M${x} ${TOP}V${TOP + INNER.height}"/>` +
      `<text class="c-label${anchor}" x="${x}" y="${HEIGHT - 14}">${
        at === 0 ? "0" : duration(at)
      }</text>`;
  });
}

function countTicks(most: number): string[] {
  const step = Math.max(1, niceStep(most / 3));
  return ticks(most, step).map((count) => {
    const y = r(TOP + INNER.height * (1 - count / most));
    return `<path class="c-grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>` +
      `<text class="c-label c-end" x="${LEFT - 6}" y="${y + 4}">${count}</text>`;
  });
}

function ticks(most: number, step: number): number[] {
  return Array.from(
    { length: Math.floor(most / step + 1e-9) + 1 },
    (_, index) => Number((index * step).toPrecision(6)),
  );
}

/** The next of 1, 2, 5, 10 … */
function niceStep(min: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(min, 1e-6)));
  const factor = [1, 2, 5, 10].find((each) => each * unit >= min * (1 - 1e-9)) ?? 10;
  return factor * unit;
}

/** A round span that is a little longer. */
function niceSpan(most: number): number {
  if (most <= 0) return 1;
  const step = niceStep(most / 8);
  return Math.ceil(most / step + 1e-9) * step;
}

const r = (number: number) => Math.round(number * 100) / 100;
