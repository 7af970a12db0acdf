/**
 * Writes a tree as text: the way in which the form and the code field show it.
 *
 * @module
 */

import type { Node, Parameter } from "./parse.ts";

/** The longest line of an object that is not broken. */
const MAX_LINE = 60;

/**
 * Writes a tree in one line.
 *
 * @param node The tree.
 * @returns The text.
 */
export function print(node: Node): string {
  switch (node.type) {
    case "number":
      return numberText(node.value);
    case "string":
      return JSON.stringify(node.value);
    case "name":
      return node.name;
    case "object": {
      const properties = node.properties.map(({ name, value }) => {
        if (name === null) return `...${print(value)}`;
        return value.type === "name" && value.name === name
          ? name
          : `${keyText(name)}: ${print(value)}`;
      });
      return properties.length === 0 ? "{}" : `{ ${properties.join(", ")} }`;
    }
    case "array":
      return `[${node.items.map(print).join(", ")}]`;
    case "member":
      return `${tight(node.object)}.${node.name}`;
    case "call":
      return `${node.isNew ? "new " : ""}${tight(node.callee)}(${
        node.args.map(print).join(", ")
      })`;
    case "unary":
      return `${node.operator}${tight(node.operand)}`;
    case "binary":
      return `${tight(node.left)} ${node.operator} ${tight(node.right)}`;
    case "conditional":
      return `${tight(node.test)} ? ${tight(node.then)} : ${tight(node.otherwise)}`;
    case "arrow": {
      const body = print(node.body);
      const text = node.body.type === "object" ? `(${body})` : body;
      return `(${node.parameters.map(parameterText).join(", ")}) => ${text}`;
    }
  }
}

/** A node that stands beside an operator. */
function tight(node: Node): string {
  const isLoose = ["binary", "conditional", "arrow", "unary"].includes(node.type);
  return isLoose ? `(${print(node)})` : print(node);
}

function parameterText(parameter: Parameter): string {
  return typeof parameter === "string" ? parameter : `{ ${parameter.join(", ")} }`;
}

/** `30000` as `30_000`. */
function numberText(value: number): string {
  const text = String(value);
  return /^\d{5,}$/.test(text) ? text.replace(/\B(?=(\d{3})+$)/g, "_") : text;
}

function keyText(name: string): string {
  return /^[\p{L}$_][\p{L}\p{N}$_]*$/u.test(name) ? name : JSON.stringify(name);
}

/**
 * Writes an object of options, in several lines if it is long.
 *
 * @param options The names of the options, and their texts.
 * @returns The text.
 */
export function printOptions(options: readonly (readonly [string, string])[]): string {
  const properties = options.map(([name, text]) => `${name}: ${text}`);
  if (properties.length === 0) return "{}";
  const line = `{ ${properties.join(", ")} }`;
  return line.length <= MAX_LINE ? line : `{\n  ${properties.join(",\n  ")},\n}`;
}
