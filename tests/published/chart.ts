// Line charts as SVG, readable on light and on dark backgrounds.

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
  readonly name: string;
  readonly ticks: readonly number[];
  readonly isLog?: boolean;
}

const WIDTH = 520;
const HEIGHT = 340;
const PLOT = { left: 58, right: 408, top: 44, bottom: 290 };
const LINE_HEIGHT = 15;

const STYLE = `
  svg { --ground: #ffffff; --ink: #24292f; --faint: #d0d7de; --shade: #eef1f4;
    --c0: #0550ae; --c1: #cf222e; --c2: #116329; --c3: #8250df; --c4: #9a6700; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #e6edf3; --faint: #30363d; --shade: #1b222b;
      --c0: #79c0ff; --c1: #ff7b72; --c2: #7ee787; --c3: #d2a8ff; --c4: #e3b341; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .title { font-weight: 600; font-size: 14px; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .ground { fill: var(--ground); } .shade { fill: var(--shade); }
  .grid { stroke: var(--faint); stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .ring { fill: none; stroke-width: 1.5; }
`;

/** Draws charts side by side. */
export function draw(description: string, charts: readonly Chart[]): string {
  const width = WIDTH * charts.length;
  const panels = charts.map((chart, index) =>
    `<g transform="translate(${index * WIDTH} 0)">\n${panel(chart)}\n</g>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" role="img">
<title>${escaped(description)}</title>
<style>${STYLE}</style>
<rect class="ground" width="${width}" height="${HEIGHT}" rx="6"/>
${panels.join("\n")}
</svg>
`;
}

function panel(chart: Chart): string {
  const x = scaleOf(chart.x, PLOT.left, PLOT.right);
  const y = scaleOf(chart.y, PLOT.bottom, PLOT.top);
  return [
    text(PLOT.left, 24, chart.title, "title"),
    ...shadeOf(chart, x),
    ...chart.y.ticks.flatMap((tick) => [
      `<path class="grid" d="M${PLOT.left} ${y(tick)}H${PLOT.right}"/>`,
      text(PLOT.left - 6, y(tick) + 4, tick.toLocaleString("en"), "end"),
    ]),
    ...chart.x.ticks.map((tick) => text(x(tick), PLOT.bottom + 17, `${tick}`, "middle")),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 36, chart.x.name, "middle"),
    text(PLOT.left, PLOT.top - 5, chart.y.name),
    ...chart.lines.map((line, index) => lineOf(line, index, x, y)),
    ...namesOf(chart.lines, y),
  ].join("\n");
}

type Scale = (value: number) => number;

function scaleOf({ ticks, isLog = false }: Axis, from: number, to: number): Scale {
  const transform = isLog ? Math.log : Number;
  const [min, max] = [transform(ticks[0] ?? 0), transform(ticks.at(-1) ?? 1)];
  return (value) => rounded(from + (transform(value) - min) / (max - min) * (to - from));
}

function shadeOf({ shade }: Chart, x: Scale): string[] {
  if (shade === undefined) return [];
  const [from, to] = [x(shade.from), x(shade.to)];
  const height = PLOT.bottom - PLOT.top;
  return [
    `<rect class="shade" x="${from}" y="${PLOT.top}" width="${
      rounded(to - from)
    }" height="${height}"/>`,
    text(rounded((from + to) / 2), PLOT.top + 14, shade.name, "middle"),
  ];
}

function lineOf({ points, rings = [] }: Line, index: number, x: Scale, y: Scale): string {
  const path = points.map(([px, py]) => `${x(px)} ${y(py)}`).join("L");
  const circles = rings.map(([px, py]) =>
    `<circle class="ring" cx="${x(px)}" cy="${y(py)}" r="5" stroke="var(--c${index})"/>`
  );
  return [`<path class="line" stroke="var(--c${index})" d="M${path}"/>`, ...circles].join(
    "\n",
  );
}

/** The name of each line at its end. No name overlaps another. */
function namesOf(lines: readonly Line[], y: Scale): string[] {
  const names = lines
    .map(({ name, points }, index) => ({ name, index, at: y(points.at(-1)?.[1] ?? 0) }))
    .sort((one, other) => one.at - other.at);
  let lowest = -Infinity;
  return names.map(({ name, index, at: wanted }) => {
    lowest = Math.max(lowest + LINE_HEIGHT, wanted);
    return `<text x="${PLOT.right + 10}" y="${
      rounded(lowest + 4)
    }" style="fill: var(--c${index})">${escaped(name)}</text>`;
  });
}

function text(x: number, y: number, content: string, kind = ""): string {
  return `<text class="${kind}" x="${x}" y="${y}">${escaped(content)}</text>`;
}

function rounded(length: number): number {
  return Math.round(length * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
