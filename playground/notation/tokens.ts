/**
 * The tokens of the notation: a small part of JavaScript, which is read and never evaluated by
 * the platform.
 *
 * @module
 */

/** A mistake in the text, and where it is. */
export class CodeError extends Error {
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1. */
  readonly column: number;

  /**
   * Makes an error.
   *
   * @param message The message, without the place.
   * @param text The text.
   * @param offset The place of the mistake in it.
   */
  constructor(message: string, text: string, offset: number) {
    super(message);
    const lines = text.slice(0, offset).split("\n");
    this.line = lines.length;
    this.column = (lines.at(-1)?.length ?? 0) + 1;
  }
}

/** A token. */
export interface Token {
  readonly type: "number" | "string" | "name" | "sign" | "end";
  /** The text of a name or a sign, the content of a string. */
  readonly text: string;
  /** The value of a number. */
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** The longest text that is read. */
export const MAX_LENGTH = 10_000;

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const NUMBER = /(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*\./y;
const NAME = /[\p{L}$_][\p{L}\p{N}$_]*/uy;
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\$]|\\.|\$(?!\{))*`/y;
const SIGN =
  /\.\.\.|===|!==|\*\*|=>|\?\?|\?\.|\|\||&&|<=|>=|==|!=|[{}[\]().,:;<>?!+\-*/%=@]/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0" };

/**
 * Splits a text into tokens.
 *
 * @param text The text.
 * @returns The tokens. The last one has the type `end`.
 * @throws {CodeError} If a character is not part of the notation.
 */
export function tokensOf(text: string): Token[] {
  if (text.length > MAX_LENGTH) {
    throw new CodeError(
      `The text must have at most ${MAX_LENGTH} characters, got ${text.length}`,
      text,
      0,
    );
  }
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (true) {
    at += match(SPACE)?.length ?? 0;
    if (at >= text.length) break;
    const token = tokenAt(text, at, match);
    tokens.push(token);
    at = token.to;
  }
  tokens.push({ type: "end", text: "the end", value: 0, from: at, to: at });
  return tokens;
}

function tokenAt(
  text: string,
  from: number,
  match: (pattern: RegExp) => string | undefined,
): Token {
  const token = (
    type: Token["type"],
    found: string,
    content = found,
    value = 0,
  ): Token => ({
    type,
    text: content,
    value,
    from,
    to: from + found.length,
  });
  const number = match(NUMBER);
  if (number !== undefined) {
    return token("number", number, number, Number(number.replaceAll("_", "")));
  }
  const name = match(NAME);
  if (name !== undefined) return token("name", name);
  const string = match(STRING);
  if (string !== undefined) {
    const content = string.slice(1, -1)
      .replace(/\\(.)/gs, (_, char) => ESCAPES[char] ?? char);
    return token("string", string, content);
  }
  const sign = match(SIGN);
  if (sign !== undefined) return token("sign", sign);
  const char = String.fromCodePoint(text.codePointAt(from) ?? 0);
  const message = /["'`]/.test(char)
    ? `A string that begins with ${char} must end in the same line`
    : `The character ${char} is not part of the notation`;
  throw new CodeError(message, text, from);
}
