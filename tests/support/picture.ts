// Parts of SVG pictures. Shapes and texts have their colors as attributes, for viewers without
// style sheets. A style overrides them on dark backgrounds.

/** The colors on a light and on a dark background. */
const COLORS = {
  ground: ["#ffffff", "#0d1117"],
  ink: ["#24292f", "#e6edf3"],
  faint: ["#d0d7de", "#30363d"],
  shade: ["#eef1f4", "#1b222b"],
  gray: ["#8c959f", "#6e7681"],
  blue: ["#0550ae", "#79c0ff"],
  red: ["#cf222e", "#ff7b72"],
  green: ["#1a7f37", "#3fb950"],
  purple: ["#8250df", "#d2a8ff"],
  brown: ["#9a6700", "#e3b341"],
} as const;

/** The name of a color. */
export type Color = keyof typeof COLORS;

/** The words that explain a logarithmic axis. */
export const LOGARITHMIC = "logarithmic scale: each step is a factor of ten";

/** The attributes of a filled shape or a text. */
export const filled = (color: Color) => `class="${color}" fill="${COLORS[color][0]}"`;

/** The attributes of a line. */
export const lined = (color: Color, width = 1) =>
  `class="${color}-line" fill="none" stroke="${COLORS[color][0]}" stroke-width="${width}"`;

/** The form of a text. */
export interface TextForm {
  readonly anchor?: "start" | "middle" | "end";
  readonly color?: Color;
  readonly isTitle?: boolean;
}

/** Draws a text. */
export function text(
  x: number,
  y: number,
  content: string,
  { anchor = "start", color = "ink", isTitle = false }: TextForm = {},
): string {
  const title = isTitle ? ' font-weight="600" font-size="14"' : "";
  const form = `${filled(color)}${title} text-anchor="${anchor}"`;
  return `<text ${form} x="${x}" y="${y}">${escaped(content)}</text>`;
}

/** Draws a picture from its parts. */
export function picture(
  description: string,
  width: number,
  height: number,
  parts: readonly string[],
): string {
  const rules = Object.entries(COLORS).map(([name, [, dark]]) =>
    `.${name} { fill: ${dark}; } .${name}-line { stroke: ${dark}; }`
  );
  const font = 'font-family="system-ui, sans-serif" font-size="12"';
  const size = `viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" ${font}>
<title>${escaped(description)}</title>
<style>@media (prefers-color-scheme: dark) {
${rules.join("\n")}
}</style>
<rect ${filled("ground")} width="${width}" height="${height}" rx="6"/>
${parts.join("\n")}
</svg>
`;
}

/** Rounds a length to a tenth. */
export const rounded = (length: number) => Math.round(length * 10) / 10;

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
