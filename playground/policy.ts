/**
 * A policy as text: read from the notations of the library, and written in each of them.
 *
 * @module
 */

import { Backoff, type BackoffOptions } from "@asyncbackoff/asyncbackoff";
import type { SimulatedClient, SimulatedPolicy } from "@asyncbackoff/asyncbackoff/simulate";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { BackoffPolicy } from "../src/policy/policy.ts";
import { withRandom } from "../src/simulate/run.ts";
import { evaluate } from "./notation/evaluate.ts";
import { type Node, parseStatement, type Property } from "./notation/parse.ts";
import { print, printOptions } from "./notation/print.ts";
import { type PageScope, scopeOn } from "./notation/scope.ts";
import { CodeError } from "./notation/tokens.ts";
import { FIELDS, NAMES, type OptionName } from "./options.ts";

/** A way to write a policy. */
export type Notation = "Backoff" | "decorator" | "retry";

/** The texts of the options that are given. */
export type OptionTexts = { readonly [name in OptionName]?: string };

/** A policy that was read. */
export interface PolicyCode {
  readonly notation: Notation;
  /** The options, with the defaults of the notation written out. */
  readonly options: OptionTexts;
  /** The text that it was read from. */
  readonly text: string;
  /** The place of each option in the text. */
  readonly nodes: readonly (readonly [name: string, node: Node])[];
}

/** Options that a notation gives by itself. */
const DEFAULTS: Readonly<Record<Notation, OptionTexts>> = {
  Backoff: {},
  decorator: { exceptions: "[]" },
  retry: { exceptions: '"all"', minRemaining: "0" },
};

/**
 * Reads a policy.
 *
 * @param text A call of `new Backoff`, `asyncbackoff`, `asyncretry` or `retry`, or the options.
 * @returns The policy.
 * @throws {CodeError} If the text is not one of these.
 */
export function readPolicy(text: string): PolicyCode {
  const { notation, nodes, defaults } = read(parseStatement(text), text);
  const options: Record<string, string> = { ...defaults };
  for (const [name, node] of nodes) {
    if (node.type === "name" && ["null", "undefined"].includes(node.name)) continue;
    options[name] = print(node);
  }
  return { notation, options: options as OptionTexts, text, nodes };
}

interface Read {
  readonly notation: Notation;
  readonly nodes: readonly (readonly [name: string, node: Node])[];
  readonly defaults: OptionTexts;
}

function read(node: Node, text: string): Read {
  if (node.type === "object") {
    return { notation: "Backoff", nodes: optionsIn(node, text), defaults: {} };
  }
  if (node.type === "call") {
    const { callee, args } = node;
    if (callee.type === "call") return read(callee, text); // `asyncbackoff(…)(fn)`
    if (callee.type === "member") return read(callee.object, text); // `new Backoff(…).execute(fn)`
    if (callee.type === "name") {
      switch (callee.name) {
        case "Backoff":
          return readArguments("Backoff", DEFAULTS.Backoff, [], args, text);
        case "asyncbackoff":
          return readPositional(args, text);
        case "asyncretry":
          return readArguments(
            "decorator",
            { exceptions: '"all"' },
            args.slice(0, 1).map((each) => ["maxTries", each] as const),
            args.slice(1),
            text,
          );
        case "retry":
          return readArguments("retry", DEFAULTS.retry, [], args.slice(1), text);
      }
    }
  }
  throw new CodeError(
    "A policy must be new Backoff({ … }), asyncbackoff(…), asyncretry(…), retry(fn, { … }), or " +
      "options in { }",
    text,
    node.from,
  );
}

function readArguments(
  notation: Notation,
  defaults: OptionTexts,
  given: Read["nodes"],
  [last, extra]: readonly Node[],
  text: string,
): Read {
  if (extra !== undefined) {
    throw new CodeError("There are too many arguments", text, extra.from);
  }
  const named = last === undefined ? [] : optionsIn(last, text);
  return { notation, nodes: [...given, ...named], defaults };
}

/** `asyncbackoff(attemptTimeout, deadline, pause?, ...exceptions, options?)`. */
function readPositional(args: readonly Node[], text: string): Read {
  const last = args.at(-1);
  const named = last?.type === "object" ? optionsIn(last, text) : [];
  const rest = last?.type === "object" ? args.slice(0, -1) : args;
  const nodes: (readonly [string, Node])[] = [];
  for (const [index, name] of ["attemptTimeout", "deadline", "pause"].entries()) {
    const node = rest[index];
    if (node !== undefined) nodes.push([name, node]);
  }
  const items = rest.slice(3);
  const [first] = items;
  if (first !== undefined) {
    const { from } = first;
    nodes.push(["exceptions", {
      type: "array",
      items,
      from,
      to: items.at(-1)?.to ?? from,
    }]);
  }
  return {
    notation: "decorator",
    nodes: [...nodes, ...named],
    defaults: DEFAULTS.decorator,
  };
}

function optionsIn(node: Node, text: string): (readonly [string, Node])[] {
  if (node.type !== "object") {
    throw new CodeError("The options must be an object in { }", text, node.from);
  }
  return node.properties.map(({ name, value, from }: Property) => {
    if (name === null) throw new CodeError("'...' must be written out here", text, from);
    return [name, { ...value, from }] as const;
  });
}

/**
 * Writes a policy.
 *
 * @param notation The notation.
 * @param options The texts of its options.
 * @returns The text, which `readPolicy` reads.
 */
export function writePolicy(notation: Notation, options: OptionTexts): string {
  const defaults = DEFAULTS[notation];
  const given = NAMES
    .map((name) => [name, options[name] ?? "", defaults[name]] as const)
    .filter(([, text, value]) => text !== "" && text !== value)
    .map(([name, text]) => [name, text] as const);
  switch (notation) {
    case "Backoff":
      return `new Backoff(${printOptions(given)})`;
    case "decorator":
      return `@asyncbackoff(${printOptions(given)})`;
    case "retry": {
      const isBounded = given.some(([name]) => name === "maxTries" || name === "deadline");
      const bounded = isBounded ? given : [...given, ["maxTries", "Infinity"] as const];
      return `await retry(load, ${printOptions(bounded)})`;
    }
  }
}

/** A policy that can be run. */
export interface Policy {
  readonly code: PolicyCode;
  /** Its options as the library has checked them. */
  readonly rules: BackoffPolicy;
  /** The class of the errors that the world throws, unless it says otherwise. */
  readonly errorClass: ErrorConstructor;
  /**
   * Makes the policy of a simulation, which all clients share. Pauses and budgets are new.
   *
   * @param changes Options that replace its own.
   * @returns A function for `simulate`.
   */
  source(changes?: SimulatedPolicy): (client: SimulatedClient) => SimulatedPolicy;
}

/**
 * Checks a policy by the library itself.
 *
 * @param code The policy.
 * @returns The policy, ready to run.
 * @throws {CodeError} If the library refuses it. The error is at the option that it names.
 */
export function checkPolicy(code: PolicyCode): Policy {
  const scope = scopeOn(null);
  const make = (scope: PageScope) => valuesOf(code, scope) as BackoffOptions;
  const options = make(scope);
  const clock = new TestClock();
  try {
    new Backoff({ ...options, clock });
  } catch (error) {
    throw placed(error, code);
  }
  return {
    code,
    rules: new BackoffPolicy({ ...options, clock }),
    errorClass: [...scope.own.values()][0] ?? TypeError,
    source(changes = {}) {
      let made: SimulatedPolicy | null = null;
      return ({ clock, random }) => {
        // The classes stay the same, so that the errors of the world are theirs.
        made ??= {
          ...withRandom(make(withClasses(scopeOn(clock), scope)), random),
          ...changes,
        };
        return made;
      };
    },
  };
}

function withClasses(scope: PageScope, from: PageScope): PageScope {
  return {
    ...scope,
    unknown: from.unknown,
    isCallable: (value) => scope.isCallable(value) || from.isCallable(value),
  };
}

function valuesOf(code: PolicyCode, scope: PageScope): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(DEFAULTS[code.notation])) {
    const isGiven = code.nodes.some(([given]) => given === name);
    if (!isGiven) {
      values[name] = code.options[name as OptionName] === text ? plain(text) : null;
    }
  }
  if (code.options.exceptions === '"all"') values["exceptions"] = "all"; // of `asyncretry`
  for (const [name, node] of code.nodes) {
    const field = (FIELDS as Readonly<Record<string, { given?: string }>>)[name];
    if (field?.given !== undefined) throw new CodeError(field.given, code.text, node.from);
    values[name] = evaluate(node, code.text, scope);
  }
  return values;
}

/** The value of a default. */
function plain(text: string): unknown {
  return JSON.parse(text);
}

/** Puts an error of the library at the option that it names. */
function placed(error: unknown, { text, nodes }: PolicyCode): CodeError {
  const message = error instanceof Error ? error.message : String(error);
  const [, name] = /option '([^']+)'/.exec(message) ?? [];
  const node = nodes.find(([each]) => each === name)?.[1];
  return new CodeError(message, text, node?.from ?? 0);
}
