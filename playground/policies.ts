/**
 * Finds the policies in the code of a page, as text that the playground opens.
 *
 * @module
 */

import { evaluate } from "./notation/evaluate.ts";
import { parseExpression } from "./notation/parse.ts";
import { scopeOn } from "./notation/scope.ts";
import { printOptions } from "./notation/print.ts";
import { FIELDS } from "./options.ts";
import { checkPolicy, readPolicy } from "./policy.ts";

/** The beginning of a policy. A method that is called `retry` is none, nor is its definition. */
const BEGINNING =
  /(?<![\w.])(?:new Backoff|asyncbackoff|asyncretry|retry)\((?![^()]*\)\s*\{)/g;
/** The options that the playground gives itself. */
const GIVEN = Object.entries(FIELDS).filter(([, field]) => "given" in field)
  .map(([name]) => name);
const OPENING = "([{";
const CLOSING = ")]}";

/**
 * Tells whether a block of code has a policy, whatever it looks like.
 *
 * @param code The code.
 * @returns Whether it has one.
 */
export function hasPolicy(code: string): boolean {
  return beginningsIn(code).length > 0;
}

function beginningsIn(code: string): RegExpExecArray[] {
  // Other libraries have a `retry` of their own, and examples a variable of that name.
  const isOther = !/\bimport \{[^}]*\bretry\b[^}]*\} from "@asyncbackoff/.test(code);
  return [...code.matchAll(BEGINNING)].filter(([text]) => !isOther || text !== "retry(");
}

/**
 * Finds the policies in a block of code. Options that the playground cannot read, such as
 * functions with statements, are left out.
 *
 * @param code The code.
 * @returns The text of each policy, without repetition.
 */
export function policiesIn(code: string): string[] {
  const found = beginningsIn(code).map(({ 0: beginning, index }) => {
    const end = endOf(code, index + beginning.length - 1);
    if (end === null) return null;
    const args = split(code.slice(index + beginning.length, end));
    return asPolicy(beginning.replace(/^new |\($/g, ""), args, code);
  });
  return [...new Set(found.filter((each) => each !== null))];
}

/** The place of the bracket that closes the one at `from`; `null` if there is none. */
function endOf(code: string, from: number): number | null {
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    const char = code.charAt(at);
    if ("\"'`".includes(char)) at = endOfString(code, at);
    else if (code.startsWith("//", at)) at = lineEnd(code, at);
    else if (OPENING.includes(char)) depth += 1;
    else if (CLOSING.includes(char) && --depth === 0) return at;
  }
  return null;
}

function endOfString(code: string, from: number): number {
  for (let at = from + 1; at < code.length; at++) {
    if (code[at] === "\\") at += 1;
    else if (code[at] === code[from]) return at;
  }
  return code.length;
}

function lineEnd(code: string, from: number): number {
  const end = code.indexOf("\n", from);
  return end < 0 ? code.length : end;
}

/** Splits at the commas outside of brackets, and removes comments. */
function split(code: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < code.length; at++) {
    const char = code.charAt(at);
    let end = at;
    if ("\"'`".includes(char)) end = endOfString(code, at);
    else if (OPENING.includes(char)) end = endOf(code, at) ?? code.length;
    else if (code.startsWith("//", at)) {
      at = lineEnd(code, at);
      continue;
    }
    if (char === "," && end === at) {
      parts.push(part);
      part = "";
      continue;
    }
    part += code.slice(at, end + 1);
    at = end;
  }
  return [...parts, part].map((each) => each.trim()).filter((each) => each !== "");
}

function asPolicy(kind: string, args: readonly string[], code: string): string | null {
  const options = new Map<string, string>();
  const add = (name: string, text: string) => {
    const value = GIVEN.includes(name) ? null : readable(text, code);
    if (value !== null) options.set(name, value);
  };
  const named = (text: string) => {
    for (const [name, value] of propertiesOf(text, code)) add(name, value);
  };
  const rest = kind === "retry" ? args.slice(1) : [...args];
  if (kind === "asyncretry") {
    options.set("exceptions", '"all"');
    add("maxTries", rest.shift() ?? "");
  }
  if (kind === "retry") options.set("exceptions", '"all"').set("minRemaining", "0");
  if (kind === "asyncbackoff") options.set("exceptions", "[]");
  const last = rest.at(-1);
  if (last !== undefined && propertiesOf(last, code).length > 0) {
    named(last);
    rest.pop();
  }
  if (kind === "asyncbackoff") {
    const [attemptTimeout = "", deadline = "", pause = "", ...classes] = rest;
    add("attemptTimeout", attemptTimeout);
    add("deadline", deadline);
    add("pause", pause);
    if (classes.length > 0) add("exceptions", `[${classes.join(", ")}]`);
  }
  return accepted(options);
}

/** The policy as the playground accepts it. What it retries may have been left out. */
function accepted(options: Map<string, string>): string | null {
  const text = `new Backoff(${printOptions([...options])})`;
  try {
    checkPolicy(readPolicy(text));
    return options.size === 0 ? null : text;
  } catch (error) {
    if (options.has("exceptions") || !String(error).includes("what it retries")) {
      return null;
    }
    return accepted(new Map([...options, ["exceptions", '"all"']]));
  }
}

/** The properties of an object, whose spreads are looked up in the code. */
function propertiesOf(text: string, code: string): [name: string, text: string][] {
  const object = text.startsWith("{") ? text : constantIn(code, text);
  if (object === null || !object.startsWith("{")) return [];
  const end = endOf(object, 0);
  return split(object.slice(1, end ?? object.length)).flatMap((property) => {
    if (property.startsWith("...")) return propertiesOf(property.slice(3), code);
    const [, name, value] = /^(\w+)(?:\s*:\s*([^]*))?$/.exec(property) ?? [];
    return name === undefined ? [] : [[name, value ?? name] as [string, string]];
  });
}

/** The value of `const name = …` in the code; `null` if there is none. */
function constantIn(code: string, name: string): string | null {
  if (!/^\w+$/.test(name)) return null;
  const match = new RegExp(`\\bconst ${name}(?::[^=]*)? = `).exec(code);
  if (match === null) return null;
  const rest = code.slice(match.index + match[0].length);
  let end = 0;
  while (end < rest.length && rest[end] !== ";" && rest[end] !== "\n") {
    const char = rest.charAt(end);
    if ("\"'`".includes(char)) end = endOfString(rest, end);
    else if (OPENING.includes(char)) end = endOf(rest, end) ?? rest.length;
    end += 1;
  }
  return rest.slice(0, end).replace(/ as const$/, "").trim();
}

/** A value that the playground can read; `null` if it cannot. */
function readable(text: string, code: string): string | null {
  const value = isKnown(text) ? text : constantIn(code, text);
  if (value === null) return null;
  // A source of random numbers is the playground's own.
  const without = value.replace(/,?\s*\brandom(?:: [^,}]+)?(?=\s*[,}])/, "");
  return isKnown(without) ? without.replace(/\s+/g, " ") : null;
}

function isKnown(text: string): boolean {
  try {
    evaluate(parseExpression(text), text, scopeOn(null));
    return true;
  } catch {
    return false;
  }
}
