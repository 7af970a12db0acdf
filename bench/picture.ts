// Draws the cases C and I100: bars on a logarithmic scale, for each contender and runtime.

interface Bar {
  readonly label: string;
  readonly ratio: number;
  readonly isOurs: boolean;
}

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.head{font-weight:600}
.bar{fill:#8c959f}.ours{fill:#1a7f37}.axis{stroke:#d0d7de}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#3fb950}.axis{stroke:#30363d}}`;

const LEFT = 300;
const WIDTH = 860;
const ROW = 20;

const x = (ratio: number) =>
  LEFT + Math.log10(Math.max(1, ratio)) / 3.2 * (WIDTH - LEFT - 60);

/** Escapes text for SVG. */
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A bar with its label and its number. */
function bar({ label, ratio, isOurs }: Bar, y: number): string {
  const value = ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1);
  return `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${escaped(label)}</text>` +
    `<rect class="${isOurs ? "ours" : "bar"}" x="${LEFT}" y="${y + 3}" height="14" width="${
      (x(ratio) - LEFT + 1).toFixed(1)
    }" rx="2"/><text x="${(x(ratio) + 6).toFixed(1)}" y="${y + 14}">${value}</text>`;
}

/** Draws the medians of both cases in each runtime, the fastest first. */
export function drawing(
  all: Record<string, Record<string, Record<string, { median: number }>>>,
): string {
  let y = 8;
  const parts: string[] = [];
  for (const name of ["C", "I100"]) {
    for (const [runtime, results] of Object.entries(all)) {
      if (runtime === "node24") continue;
      y += 26;
      const calls = name === "C"
        ? "one call after the other"
        : "100 in flight, two turns each";
      parts.push(
        `<text class="head" x="12" y="${y}">${runtime}: a call with both limits, ${calls}; ` +
          "time as a multiple of a bare await</text>",
      );
      y += 6;
      const sorted = Object.entries(results[name] ?? {})
        .filter(([who]) => who !== "bare" && who !== "hand-written loop")
        .sort(([, one], [, other]) => one.median - other.median);
      for (const [label, { median }] of sorted) {
        parts.push(bar({ label, ratio: median, isOurs: label === "asyncbackoff" }, y));
        y += ROW;
      }
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${
    y + 12
  }" role="img">` +
    `<title>The cost of limits</title><style>${STYLE}</style>` +
    `<line class="axis" x1="${LEFT}" y1="8" x2="${LEFT}" y2="${y}"/>${
      parts.join("")
    }</svg>\n`;
}
