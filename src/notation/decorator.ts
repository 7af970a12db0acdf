/**
 * One value that wraps functions and decorates methods. Its arguments show which is meant.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { isClass } from "../check/classes.ts";
import { wrongType } from "../check/values.ts";
import type { Statistic } from "../driver/statistic.ts";
import { refuseGenerator } from "./arguments.ts";

/** A function that returns a promise. */
// deno-lint-ignore no-explicit-any
export type AsyncFunction = (...args: any[]) => Promise<unknown>;

/** A decorator of functions and methods. The wrapped function keeps its type. */
export interface FunctionDecorator {
  /**
   * Wraps a function, or a method as a standard decorator.
   *
   * @param fn The function.
   * @param context The context that the language passes to a standard decorator.
   * @returns A function that calls `fn` by the rules of the decorator.
   * @throws {TypeError} If it decorates anything but a function or a method.
   */
  <F extends AsyncFunction>(
    fn: F,
    // deno-lint-ignore no-explicit-any
    context?: ClassMethodDecoratorContext<any, any>,
  ): F;
  /**
   * Wraps a method as a legacy decorator (`experimentalDecorators`).
   *
   * @param target The class, or its prototype.
   * @param key The method's name.
   * @param descriptor The method's descriptor.
   * @returns The descriptor of the wrapped method.
   * @throws {TypeError} If it decorates anything but a method.
   */
  <F extends AsyncFunction>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): TypedPropertyDescriptor<F>;
}

/**
 * The decorator that `asyncbackoff`, `asyncretry` and `Backoff.wrap` return. Call it with a
 * function to wrap the function, or put it before a method as a standard or legacy decorator.
 * The wrapped function keeps its type, `this`, `name` and `length`.
 *
 * @example A function and a method
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const load = asyncretry(3)(async (id: number) => await `user ${id}`);
 *
 * class Users {
 *   @asyncretry(3)
 *   async load(id: number) {
 *     return await `user ${id}`;
 *   }
 * }
 *
 * assertEquals(await load(1), await new Users().load(1));
 * ```
 */
export interface AsyncDecorator extends FunctionDecorator {
  /** The counters of all functions and methods that it wraps. */
  readonly statistic: Statistic;
}

/** Wraps a function that has a name for messages. It need not keep what is on the function. */
export type Wrap = (fn: AsyncFunction, name: string) => AsyncFunction;

/**
 * Makes a decorator.
 *
 * @typeParam Decorator The type of the decorator.
 * @param call Wraps a function.
 * @param name The name for messages; `null` for that of each function.
 * @param members Descriptors of what the decorator has besides.
 * @returns The decorator.
 */
export function decorator<Decorator>(
  call: Wrap,
  name: string | null,
  members: PropertyDescriptorMap,
): Decorator {
  const wrap = (fn: AsyncFunction) => likeOriginal(call(fn, name ?? functionName(fn)), fn);
  const decorate = (...args: readonly unknown[]): unknown => {
    const [target, context, descriptor] = args;
    if (context === undefined && descriptor === undefined) return wrap(functionOf(target));
    if (isContext(context)) {
      if (context.kind !== "method") throw notDecorable(context.kind);
      return wrap(functionOf(target));
    }
    // A legacy decorator receives a key, except on a parameter of a constructor. Compilers pass
    // a name such as 404 as a number, and 'map' passes an index and the array.
    const isNumbered = typeof context === "number" && descriptor !== undefined &&
      !Array.isArray(descriptor);
    if (!isNumbered && !["string", "symbol", "undefined"].includes(typeof context)) {
      throw new TypeError(
        "Cannot wrap a function: a second argument must come from the language, got " +
          `${describe(context)}; with 'map', write 'fn => wrap(fn)'`,
      );
    }
    return replaceMethod(descriptor as PropertyDescriptor, wrap(methodOf(descriptor)));
  };
  return Object.defineProperties(decorate, members) as Decorator;
}

/** Metadata, properties and the async tag of the function show on the wrapped one. */
function likeOriginal(wrapped: AsyncFunction, fn: AsyncFunction): AsyncFunction {
  Object.setPrototypeOf(wrapped, fn);
  return Object.defineProperties(wrapped, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
}

/**
 * Reads the name of a function. The `name` of a class may be a static member of any type.
 *
 * @param fn The function.
 * @returns Its name; empty if it has none.
 */
// deno-lint-ignore ban-types
export function functionName(fn: Function): string {
  return typeof fn.name === "string" ? fn.name : "";
}

function isContext(value: unknown): value is { kind: string } {
  return typeof value === "object" && value !== null &&
    typeof (value as { kind?: unknown }).kind === "string";
}

function functionOf(value: unknown): AsyncFunction {
  if (typeof value !== "function") throw wrongType("wrap: 'fn'", "a function", value);
  if (isClass(value)) throw notDecorable("class");
  refuseGenerator("wrap", value);
  return value as AsyncFunction;
}

function methodOf(descriptor: unknown): AsyncFunction {
  if (typeof descriptor === "number") throw notDecorable("parameter");
  const { value, get, set } = (descriptor ?? {}) as PropertyDescriptor;
  if (get !== undefined || set !== undefined) throw notDecorable("accessor");
  if (typeof value !== "function") throw notDecorable("field");
  return functionOf(value);
}

/** Some callers of legacy decorators read the descriptor again, and ignore the returned one. */
function replaceMethod(descriptor: PropertyDescriptor, value: AsyncFunction) {
  return Object.isFrozen(descriptor)
    ? { ...descriptor, value }
    : Object.assign(descriptor, { value });
}

/** The kinds of things that a decorator may meet, and cannot wrap. */
function notDecorable(kind: string): TypeError {
  const article = /^[aeiou]/.test(kind) ? "an" : "a";
  return new TypeError(
    `Cannot decorate ${article} ${kind}: it must be a function or a method`,
  );
}
