/**
 * Computes the value of a tree. Only the functions of the scope can be called, and a function of
 * the notation is interpreted, so nothing of the page can be reached, and everything ends.
 *
 * @module
 */

import type { Node, Parameter } from "./parse.ts";
import { CodeError } from "./tokens.ts";

/** The names that a text may use. The functions among their values and members may be called. */
export interface Scope {
  readonly names: ReadonlyMap<string, unknown>;
  /** Makes the value of a name that is not known; `undefined` refuses it. */
  unknown(name: string): unknown;
  /** Calls a function of the scope. */
  call(callee: unknown, args: readonly unknown[], isNew: boolean): unknown;
  /** Whether a value may be called. */
  isCallable(value: unknown): boolean;
}

const HIDDEN = ["constructor", "prototype", "__proto__", "caller", "callee", "arguments"];

/**
 * Computes a value.
 *
 * @param node The tree.
 * @param text The text that it was read from.
 * @param scope The names that it may use.
 * @returns The value.
 * @throws {CodeError} If a name is unknown, or something cannot be called.
 */
export function evaluate(node: Node, text: string, scope: Scope): unknown {
  return new Evaluation(text, scope).value(node, new Map());
}

type Locals = ReadonlyMap<string, unknown>;

class Evaluation {
  readonly #text: string;
  readonly #scope: Scope;

  constructor(text: string, scope: Scope) {
    this.#text = text;
    this.#scope = scope;
  }

  value(node: Node, locals: Locals): unknown {
    switch (node.type) {
      case "number":
      case "string":
        return node.value;
      case "name":
        return this.#named(node.name, node, locals);
      case "object":
        return this.#object(node, locals);
      case "array":
        return node.items.map((item) => this.value(item, locals));
      case "member":
        return this.#member(this.value(node.object, locals), node.name, node);
      case "call":
        return this.#call(node, locals);
      case "unary":
        return unary(node.operator, this.value(node.operand, locals));
      case "binary":
        return this.#binary(node, locals);
      case "conditional":
        return this.value(
          this.value(node.test, locals) ? node.then : node.otherwise,
          locals,
        );
      case "arrow":
        return this.#arrow(node, locals);
    }
  }

  #named(name: string, node: Node, locals: Locals): unknown {
    if (locals.has(name)) return locals.get(name);
    if (this.#scope.names.has(name)) return this.#scope.names.get(name);
    const value = this.#scope.unknown(name);
    if (value === undefined) {
      throw this.#error(`The name '${name}' is not known here`, node);
    }
    return value;
  }

  #object(node: Node & { type: "object" }, locals: Locals): unknown {
    const entries = node.properties.map(({ name, value, ...place }) => {
      if (name === null) {
        throw this.#error("'...' must be written out here", { ...value, ...place });
      }
      return [name, this.value(value, locals)] as const;
    });
    return Object.fromEntries(entries);
  }

  #member(object: unknown, name: string, node: Node): unknown {
    if (HIDDEN.includes(name)) throw this.#error(`'${name}' cannot be read here`, node);
    if (object === null || object === undefined) return undefined;
    const value = (object as Record<string, unknown>)[name];
    if (typeof value === "function" && !this.#scope.isCallable(value)) {
      throw this.#error(`'${name}' cannot be used here`, node);
    }
    return value;
  }

  #call(node: Node & { type: "call" }, locals: Locals): unknown {
    const callee = this.value(node.callee, locals);
    if (!this.#scope.isCallable(callee)) {
      const name = this.#text.slice(node.callee.from, node.callee.to);
      throw this.#error(`'${name}' cannot be called here`, node.callee);
    }
    const args = node.args.map((each) => this.value(each, locals));
    try {
      return this.#scope.call(callee, args, node.isNew);
    } catch (error) {
      throw this.#error(error instanceof Error ? error.message : String(error), node);
    }
  }

  #arrow(node: Node & { type: "arrow" }, locals: Locals): unknown {
    const { parameters, body } = node;
    // A name that is not known is noticed before the function is called.
    this.#checkNames(body, this.#bound(parameters, [], node, locals));
    return (...args: unknown[]) =>
      this.value(body, this.#bound(parameters, args, node, locals));
  }

  #checkNames(node: Node, locals: Locals): void {
    if (node.type === "name") this.#named(node.name, node, locals);
    else if (node.type === "arrow") {
      this.#checkNames(node.body, this.#bound(node.parameters, [], node, locals));
    } else {
      for (const child of childrenOf(node)) this.#checkNames(child, locals);
    }
  }

  #binary(node: Node & { type: "binary" }, locals: Locals): unknown {
    const left = this.value(node.left, locals);
    const right = () => this.value(node.right, locals);
    switch (node.operator) {
      case "??":
        return left ?? right();
      case "||":
        return left || right();
      case "&&":
        return left && right();
      default:
        return compute(node.operator, left, right());
    }
  }

  #bound(
    parameters: readonly Parameter[],
    args: readonly unknown[],
    node: Node,
    locals: Locals,
  ): Locals {
    const bound = new Map(locals);
    for (const [index, parameter] of parameters.entries()) {
      const value = args[index];
      if (typeof parameter === "string") bound.set(parameter, value);
      else for (const name of parameter) bound.set(name, this.#member(value, name, node));
    }
    return bound;
  }

  #error(message: string, { from }: { readonly from: number }): CodeError {
    return new CodeError(message, this.#text, from);
  }
}

/** The nodes in a node, besides those of a function. */
function childrenOf(node: Node): readonly Node[] {
  switch (node.type) {
    case "object":
      return node.properties.map(({ value }) => value);
    case "array":
      return node.items;
    case "member":
      return [node.object];
    case "call":
      return [node.callee, ...node.args];
    case "unary":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "conditional":
      return [node.test, node.then, node.otherwise];
    default:
      return [];
  }
}

function unary(operator: string, operand: unknown): unknown {
  if (operator === "!") return !operand;
  const number = numberOf(operand);
  return operator === "-" ? -number : number;
}

/** Objects are not converted, because that would call their methods. */
function numberOf(value: unknown): number {
  return typeof value === "object" || typeof value === "function" ? NaN : Number(value);
}

function compute(operator: string, left: unknown, right: unknown): unknown {
  const [one, other] = [numberOf(left), numberOf(right)];
  switch (operator) {
    case "===":
    case "==":
      return left === right;
    case "!==":
    case "!=":
      return left !== right;
    case "<":
      return one < other;
    case "<=":
      return one <= other;
    case ">":
      return one > other;
    case ">=":
      return one >= other;
    case "instanceof":
      return typeof right === "function" && left instanceof right;
    case "in":
      return typeof right === "object" && right !== null && String(left) in right;
    case "+":
      return typeof left === "string" || typeof right === "string"
        ? `${left}${right}`.slice(0, 1000)
        : one + other;
    case "-":
      return one - other;
    case "*":
      return one * other;
    case "/":
      return one / other;
    case "%":
      return one % other;
    default:
      return one ** other;
  }
}
