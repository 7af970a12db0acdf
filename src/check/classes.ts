/**
 * Distinguishes classes from functions, and built-in classes from others, in any realm.
 *
 * @module
 */

import { holds } from "./values.ts";

/** A function of any kind, for inspection. */
// deno-lint-ignore ban-types
type AnyFunction = Function;

function sourceOf(fn: AnyFunction): string {
  return Function.prototype.toString.call(fn);
}

/**
 * Determines whether a function is a class. The prototype of a class cannot be replaced, and its
 * source text begins with `class`; that of a frozen function does not.
 *
 * @param value A function.
 * @returns Whether it is a class.
 */
export function isClass(value: AnyFunction): boolean {
  return Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false &&
    /^class\b|\[native code\]\s*\}$/.test(sourceOf(value));
}

/**
 * Determines whether a function makes errors: a class, or a function whose prototype inherits from
 * the `Error.prototype` of some realm.
 *
 * @param value A function.
 * @returns Whether it makes errors.
 */
export function isErrorMaker(value: AnyFunction): boolean {
  return holds(() => isClass(value) || inheritsFrom(value.prototype, "Error"));
}

/**
 * Determines whether an object inherits from the prototype of a built-in class of some realm.
 *
 * @param value Any value.
 * @param name The name of the class.
 * @returns Whether a native constructor of that name is in its prototype chain.
 */
export function inheritsFrom(value: unknown, name: string): boolean {
  for (let each = value; each !== null && each !== undefined;) {
    const maker = Object.getOwnPropertyDescriptor(each, "constructor")?.value;
    if (isNative(maker, name) && maker.prototype === each) return true;
    each = Object.getPrototypeOf(each);
  }
  return false;
}

/**
 * Determines whether a value is a native function with a given name.
 *
 * @param value Any value.
 * @param name The name.
 * @returns Whether it is.
 */
// deno-lint-ignore no-explicit-any
export function isNative(value: any, name: string): boolean {
  return typeof value === "function" &&
    sourceOf(value).replace(/\s+/g, " ") === `function ${name}() { [native code] }`;
}
