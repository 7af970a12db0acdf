// Line charts as SVG, readable on light and on dark backgrounds.

import {
  type Color,
  filled,
  lined,
  LOGARITHMIC,
  picture,
  rounded,
  text,
} from "../support/picture.ts";

/** A line. Its points are in the units of the axes. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Points to compare with, drawn as rings. */
  readonly rings?: readonly (readonly [x: number, y: number])[];
}

/** A chart. */
export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** A range of x that is shaded, and its name. */
  readonly shade?: { readonly from: number; readonly to: number; readonly name: string };
}

/** An axis, from its first tick to its last. On a log axis, lengths stand for ratios. */
export interface Axis {
  /** The title of the axis, with its unit. */
  readonly name: string;
  readonly ticks: readonly number[];
  readonly isLog?: boolean;
}

const WIDTH = 520;
const HEIGHT = 340;
const PLOT = { left: 70, right: 420, top: 62, bottom: 290 };
const LINE_HEIGHT = 15;
const LINE_COLORS: readonly Color[] = ["blue", "red", "green", "purple", "brown"];

/** Draws charts side by side. */
export function draw(description: string, charts: readonly Chart[]): string {
  const panels = charts.map((chart, index) =>
    `<g transform="translate(${index * WIDTH} 0)">\n${panel(chart)}\n</g>`
  );
  return picture(description, WIDTH * charts.length, HEIGHT, panels);
}

function panel(chart: Chart): string {
  const x = scaleOf(chart.x, PLOT.left, PLOT.right);
  const y = scaleOf(chart.y, PLOT.bottom, PLOT.top);
  const middle = { anchor: "middle" } as const;
  return [
    text(16, 24, chart.title, { isTitle: true }),
    text(16, 46, nameOf(chart.y)),
    ...shadeOf(chart, x),
    ...chart.y.ticks.flatMap((tick) => [
      `<path ${lined("faint")} d="M${PLOT.left} ${y(tick)}H${PLOT.right}"/>`,
      text(PLOT.left - 6, y(tick) + 4, tick.toLocaleString("en"), { anchor: "end" }),
    ]),
    ...chart.x.ticks.map((tick) => text(x(tick), PLOT.bottom + 17, `${tick}`, middle)),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 36, nameOf(chart.x), middle),
    ...chart.lines.map((line, index) => lineOf(line, colorOf(index), x, y)),
    ...namesOf(chart.lines, y),
  ].join("\n");
}

const nameOf = ({ name, isLog }: Axis) => isLog ? `${name} (${LOGARITHMIC})` : name;

const colorOf = (index: number) => LINE_COLORS[index] ?? "ink";

type Scale = (value: number) => number;

function scaleOf({ ticks, isLog = false }: Axis, from: number, to: number): Scale {
  const transform = isLog ? Math.log : Number;
  const [min, max] = [transform(ticks[0] ?? 0), transform(ticks.at(-1) ?? 1)];
  return (value) => rounded(from + (transform(value) - min) / (max - min) * (to - from));
}

function shadeOf({ shade }: Chart, x: Scale): string[] {
  if (shade === undefined) return [];
  const [from, to] = [x(shade.from), x(shade.to)];
  const size = `width="${rounded(to - from)}" height="${PLOT.bottom - PLOT.top}"`;
  const middle = rounded((from + to) / 2);
  return [
    `<rect ${filled("shade")} x="${from}" y="${PLOT.top}" ${size}/>`,
    text(middle, PLOT.top + 14, shade.name, { anchor: "middle" }),
  ];
}

function lineOf({ points, rings = [] }: Line, color: Color, x: Scale, y: Scale): string {
  const path = points.map(([px, py]) => `${x(px)} ${y(py)}`).join("L");
  const circles = rings.map(([px, py]) =>
    `<circle ${lined(color, 1.5)} cx="${x(px)}" cy="${y(py)}" r="5"/>`
  );
  const line = `<path ${lined(color, 2)} stroke-linejoin="round" d="M${path}"/>`;
  return [line, ...circles].join("\n");
}

/** The name of each line at its end. No name overlaps another. */
function namesOf(lines: readonly Line[], y: Scale): string[] {
  const names = lines
    .map(({ name, points }, index) => ({ name, index, at: y(points.at(-1)?.[1] ?? 0) }))
    .sort((one, other) => one.at - other.at);
  let lowest = -Infinity;
  return names.map(({ name, index, at: wanted }) => {
    lowest = Math.max(lowest + LINE_HEIGHT, wanted);
    return text(PLOT.right + 10, rounded(lowest + 4), name, { color: colorOf(index) });
  });
}
