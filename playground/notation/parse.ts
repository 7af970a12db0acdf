/**
 * Reads the notation as a tree: literals, names, members, calls, operators, and functions of one
 * expression. There are no statements and no loops, so what is read always ends.
 *
 * @module
 */

import { CodeError, type Token, tokensOf } from "./tokens.ts";

/** Where a node stands in the text. */
interface Place {
  readonly from: number;
  readonly to: number;
}

/** A property of an object. A spread has no name. */
export interface Property extends Place {
  readonly name: string | null;
  readonly value: Node;
}

/** A node of the tree. */
export type Node =
  & Place
  & (
    | { readonly type: "number"; readonly value: number }
    | { readonly type: "string"; readonly value: string }
    | { readonly type: "name"; readonly name: string }
    | { readonly type: "object"; readonly properties: readonly Property[] }
    | { readonly type: "array"; readonly items: readonly Node[] }
    | { readonly type: "member"; readonly object: Node; readonly name: string }
    | {
      readonly type: "call";
      readonly callee: Node;
      readonly args: readonly Node[];
      readonly isNew: boolean;
    }
    | { readonly type: "unary"; readonly operator: string; readonly operand: Node }
    | {
      readonly type: "binary";
      readonly operator: string;
      readonly left: Node;
      readonly right: Node;
    }
    | {
      readonly type: "conditional";
      readonly test: Node;
      readonly then: Node;
      readonly otherwise: Node;
    }
    | {
      readonly type: "arrow";
      readonly parameters: readonly Parameter[];
      readonly body: Node;
    }
  );

/** A parameter: its name, or the names that it is destructured into. */
export type Parameter = string | readonly string[];

/** Nodes may be nested so deep. */
const MAX_DEPTH = 60;
/** So many operators, members or calls may follow each other, which are nested in the tree. */
const MAX_CHAIN = 200;

/** The binary operators by their precedence, the loosest first. */
const OPERATORS: readonly (readonly string[])[] = [
  ["??", "||"],
  ["&&"],
  ["===", "!==", "==", "!="],
  ["<", "<=", ">", ">=", "instanceof", "in"],
  ["+", "-"],
  ["*", "/", "%"],
  ["**"],
];

/**
 * Reads one expression.
 *
 * @param text The text.
 * @returns The tree.
 * @throws {CodeError} If the text is not an expression of the notation.
 */
export function parseExpression(text: string): Node {
  const parser = new Parser(text);
  const node = parser.expression();
  parser.end();
  return node;
}

/**
 * Reads a policy: a call such as `new Backoff({ … })`, perhaps after `const name =`, `await` or
 * `@`, or the options alone.
 *
 * @param text The text.
 * @returns The tree of the call or of the options.
 * @throws {CodeError} If the text is not a policy in the notation.
 */
export function parseStatement(text: string): Node {
  const parser = new Parser(text);
  parser.skipBeginning();
  const node = parser.expression();
  parser.skip(";");
  parser.end();
  return node;
}

/** Reads tokens by recursive descent. */
export class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  get #token(): Token {
    return this.#tokens[this.#index] as Token;
  }

  /** The end of the token before. */
  get #to(): number {
    return this.#tokens[this.#index - 1]?.to ?? 0;
  }

  expression(): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw this.#error(`The expression must be nested at most ${MAX_DEPTH} deep`);
    }
    const node = this.#arrow() ?? this.#conditional();
    this.#depth -= 1;
    return node;
  }

  /** Skips `const name =`, `await`, `return` and `@`. */
  skipBeginning(): void {
    for (const word of ["export", "const", "let"]) {
      if (!this.#isName(word)) continue;
      this.#index += 1;
      if (word === "export") continue;
      this.#name();
      this.#expect("=");
    }
    for (const word of ["return", "await"]) if (this.#isName(word)) this.#index += 1;
    this.skip("@");
  }

  skip(sign: string): boolean {
    if (!this.#is(sign)) return false;
    this.#index += 1;
    return true;
  }

  end(): void {
    if (this.#token.type !== "end") {
      throw this.#error(`Nothing must follow here, got ${described(this.#token)}`);
    }
  }

  /** `(a, { b }) => …` or `a => …`; `null` if no function begins here. */
  #arrow(): Node | null {
    const { from } = this.#token;
    const next = this.#tokens[this.#index + 1];
    let parameters: Parameter[];
    if (this.#token.type === "name" && next?.type === "sign" && next.text === "=>") {
      parameters = [this.#name()];
    } else if (this.#isParameterList()) {
      parameters = this.#list("(", ")", () => this.#parameter());
    } else {
      return null;
    }
    this.#expect("=>");
    if (this.#is("{")) {
      throw this.#error("A function must be one expression here, without { } and return");
    }
    const body = this.expression();
    return { type: "arrow", parameters, body, from, to: this.#to };
  }

  /** Whether the parenthesis that begins here ends before `=>`. */
  #isParameterList(): boolean {
    if (!this.#is("(")) return false;
    let depth = 0;
    for (let index = this.#index; index < this.#tokens.length; index++) {
      const { type, text } = this.#tokens[index] as Token;
      if (type !== "sign") continue;
      if (text === "(") depth += 1;
      if (text !== ")") continue;
      depth -= 1;
      if (depth > 0) continue;
      const after = this.#tokens[index + 1];
      return after?.type === "sign" && after.text === "=>";
    }
    return false;
  }

  #parameter(): Parameter {
    return this.#is("{") ? this.#list("{", "}", () => this.#name()) : this.#name();
  }

  #conditional(): Node {
    const test = this.#binary(0);
    if (!this.skip("?")) return test;
    const then = this.expression();
    this.#expect(":");
    const otherwise = this.expression();
    return { type: "conditional", test, then, otherwise, from: test.from, to: this.#to };
  }

  #binary(level: number): Node {
    const operators = OPERATORS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (let count = 0; ["sign", "name"].includes(this.#token.type); count++) {
      const operator = this.#token.text;
      if (!operators.includes(operator)) break;
      this.#checkChain(count);
      this.#index += 1;
      const right = this.#binary(level + 1);
      left = { type: "binary", operator, left, right, from: left.from, to: this.#to };
    }
    return left;
  }

  #unary(): Node {
    const { type, text: operator, from } = this.#token;
    if (type !== "sign" || !["!", "-", "+"].includes(operator)) return this.#postfix();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#error("There are too many signs in a row");
    this.#index += 1;
    const operand = this.#unary();
    this.#depth -= 1;
    return { type: "unary", operator, operand, from, to: this.#to };
  }

  #postfix(): Node {
    const { from } = this.#token;
    let isNew = this.#isName("new");
    if (isNew) this.#index += 1;
    let node = this.#primary();
    for (let count = 0;; count++) {
      this.#checkChain(count);
      if (this.skip(".") || this.skip("?.")) {
        node = { type: "member", object: node, name: this.#name(), from, to: this.#to };
      } else if (this.#is("(")) {
        const args = this.#list("(", ")", () => this.expression());
        node = { type: "call", callee: node, args, isNew, from, to: this.#to };
        isNew = false;
      } else {
        break;
      }
    }
    if (isNew) throw this.#error("A call must follow 'new'");
    return node;
  }

  #checkChain(count: number): void {
    if (count < MAX_CHAIN) return;
    throw this.#error(
      `At most ${MAX_CHAIN} operators, members or calls may follow each other`,
    );
  }

  #primary(): Node {
    const { type, text, value, from, to } = this.#token;
    const done = { from, to };
    switch (type) {
      case "number":
        this.#index += 1;
        return { type, value, ...done };
      case "string":
        this.#index += 1;
        return { type, value: text, ...done };
      case "name":
        return { type, name: this.#name(), ...done };
      default:
        return this.#bracketed();
    }
  }

  #bracketed(): Node {
    const { from } = this.#token;
    if (this.#is("{")) {
      const properties = this.#list("{", "}", () => this.#property());
      return { type: "object", properties, from, to: this.#to };
    }
    if (this.#is("[")) {
      const items = this.#list("[", "]", () => this.expression());
      return { type: "array", items, from, to: this.#to };
    }
    if (!this.skip("(")) {
      throw this.#error(`A value must be here, got ${described(this.#token)}`);
    }
    const node = this.expression();
    this.#expect(")");
    return node;
  }

  #property(): Property {
    const { type, from, to } = this.#token;
    if (this.skip("...")) {
      return { name: null, value: this.expression(), from, to: this.#to };
    }
    const isQuoted = type === "string";
    const name = isQuoted ? this.#token.text : this.#name();
    if (isQuoted) this.#index += 1;
    if (this.skip(":")) return { name, value: this.expression(), from, to: this.#to };
    if (isQuoted) this.#expect(":");
    return { name, value: { type: "name", name, from, to }, from, to };
  }

  #list<T>(open: string, close: string, item: () => T): T[] {
    this.#expect(open);
    const items: T[] = [];
    while (!this.skip(close)) {
      items.push(item());
      if (this.skip(",")) continue;
      this.#expect(close, `, or ${close}`);
      break;
    }
    return items;
  }

  #is(sign: string): boolean {
    return this.#token.type === "sign" && this.#token.text === sign;
  }

  #isName(name: string): boolean {
    return this.#token.type === "name" && this.#token.text === name;
  }

  #name(): string {
    const { type, text } = this.#token;
    if (type !== "name") {
      throw this.#error(`A name must be here, got ${described(this.#token)}`);
    }
    this.#index += 1;
    return text;
  }

  #expect(sign: string, rule = sign): void {
    if (!this.skip(sign)) {
      throw this.#error(`There must be ${rule} here, got ${described(this.#token)}`);
    }
  }

  #error(message: string): CodeError {
    return new CodeError(message, this.#text, this.#token.from);
  }
}

function described({ type, text }: Token): string {
  if (type === "end") return "the end of the text";
  return type === "string" ? `the string "${text}"` : text;
}
