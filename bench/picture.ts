// Draws case C from the table of bench/README.md: bars on a logarithmic scale, for each
// contender and runtime. When it is run as a program, it draws limits.svg anew.

import {
  filled,
  lined,
  LOGARITHMIC,
  picture,
  rounded,
  text,
} from "../tests/support/picture.ts";

/** The median time of a contender in a runtime, as a multiple of a bare await. */
interface Median {
  readonly contender: string;
  readonly ratio: number;
}

const RUNTIMES = { node: "Node 20", deno: "Deno", bun: "Bun" };
/** Contenders without limits, which cannot be compared. */
const WITHOUT_LIMITS = ["bare", "hand-written loop"];

const WIDTH = 860;
const LEFT = 270;
const RIGHT = 800;
const ROW = 20;
const BAR = 14;
const TICKS = [1, 10, 100, 1000];

/**
 * Draws the medians in each runtime, the fastest first.
 *
 * @param page The text of bench/README.md.
 */
export function drawLimits(page: string): string {
  let y = 12;
  const parts: string[] = [];
  for (const [runtime, title] of Object.entries(RUNTIMES)) {
    const medians = mediansIn(page, runtime);
    const top = y + 24;
    parts.push(
      text(16, y + 14, `${title}: a call with both limits`, { isTitle: true }),
      ...ticks(top, medians.length * ROW),
      ...medians.flatMap((median, index) => bar(median, top + index * ROW)),
    );
    y = top + medians.length * ROW + 54;
  }
  return picture("The time of a call with both limits, by library", WIDTH, y, parts);
}

/** Reads a column of the table of the page, the fastest first. */
function mediansIn(page: string, runtime: string): Median[] {
  const section = page.split("### Case C\n")[1]?.split("\n### ")[0] ?? "";
  const [head = [], _rule, ...rows] = section.split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const column = head.indexOf(runtime);
  return rows
    .map((cells) => ({ contender: cells[0] ?? "", ratio: parseFloat(cells[column] ?? "") }))
    .filter(({ contender }) => !WITHOUT_LIMITS.includes(contender))
    .sort((one, other) => one.ratio - other.ratio);
}

/** The position of a ratio. */
function xOf(ratio: number): number {
  const part = Math.log10(Math.max(1, ratio)) / Math.log10(TICKS.at(-1) ?? 10);
  return rounded(LEFT + part * (RIGHT - LEFT));
}

function ticks(top: number, height: number): string[] {
  return [
    ...TICKS.flatMap((tick) => [
      `<path ${lined("faint")} d="M${xOf(tick)} ${top}V${top + height + 4}"/>`,
      text(xOf(tick), top + height + 17, tick.toLocaleString("en"), { anchor: "middle" }),
    ]),
    text(
      (LEFT + RIGHT) / 2,
      top + height + 34,
      `time as a multiple of a bare await (${LOGARITHMIC})`,
      { anchor: "middle" },
    ),
  ];
}

function bar({ contender, ratio }: Median, y: number): string[] {
  const color = contender === "asyncbackoff" ? "green" : "gray";
  const size = `width="${rounded(xOf(ratio) - LEFT + 1)}" height="${BAR}" rx="2"`;
  return [
    text(LEFT - 8, y + 14, contender, { anchor: "end" }),
    `<rect ${filled(color)} x="${LEFT}" y="${y + 3}" ${size}/>`,
    text(xOf(ratio) + 6, y + 14, ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)),
  ];
}

if (import.meta.main) {
  const here = new URL(".", import.meta.url);
  const page = await Deno.readTextFile(new URL("README.md", here));
  await Deno.writeTextFile(new URL("limits.svg", here), drawLimits(page));
}
