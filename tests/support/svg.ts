// Reads pictures, and checks their colors.

import { assert, assertEquals } from "@std/assert";

/** An element of a picture. */
export interface SVGElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const SHAPES = ["rect", "circle", "path", "line", "text"];
const COLOR = /^#[0-9a-f]{6}$/;

/** Reads the elements of a picture. Throws if it is not a well-formed document. */
export function elementsIn(svg: string): SVGElement[] {
  const elements: SVGElement[] = [];
  const open: string[] = [];
  const rest = svg.replaceAll(
    /<(\/?)(\w+)((?: [\w:-]+="[^"<&]*")*)(\/?)>/g,
    (_, closing, name, attributes, empty) => {
      if (closing === "/") assertEquals(open.pop(), name);
      else elements.push({ name, attributes: attributesIn(attributes) });
      if (closing === "" && empty === "") open.push(name);
      return "";
    },
  );
  assertEquals(open, []);
  assert(!/<|&(?!amp;|lt;|gt;)|]]>/.test(rest), rest);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x08\x0b-\x1f\ufffe\uffff]|\p{Cs}/u.test(rest), rest);
  return elements;
}

function attributesIn(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/ ([\w:-]+)="([^"]*)"/g)]
    .map(([, name = "", value = ""]) => [name, value] as const);
  const attributes = new Map(pairs);
  assertEquals(attributes.size, pairs.length, `an attribute is given twice: ${text}`);
  return attributes;
}

/** Reads the texts of a picture, in their order. */
export function textsIn(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) => text);
}

/**
 * Asserts that each shape and each text has its color as an attribute, so that the picture is
 * right in a viewer without style sheets or CSS variables.
 */
export function assertPlainColors(svg: string): void {
  assert(!svg.includes("var("), "a color is a CSS variable");
  assert(!/"[^"]*(NaN|Infinity|undefined)[^"]*"/.test(svg), "an attribute is not a number");
  const shapes = elementsIn(svg).filter(({ name }) => SHAPES.includes(name));
  assert(shapes.length > 0, "there are no shapes");
  for (const { name, attributes } of shapes) {
    const [fill = "", stroke = "none"] = ["fill", "stroke"].map((each) =>
      attributes.get(each)
    );
    const message = `${name} has fill "${fill}" and stroke "${stroke}"`;
    assert([fill, stroke].every((each) => each === "none" || COLOR.test(each)), message);
    assert(fill !== "none" || stroke !== "none", message);
  }
}
