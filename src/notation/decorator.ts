/**
 * One value that wraps functions and decorates methods, told apart by its arguments.
 *
 * @module
 */

import { show } from "./errors.ts";
import type { Statistic } from "./statistic.ts";

/** A function that returns a promise. */
// deno-lint-ignore no-explicit-any
export type AsyncFunction = (...args: any[]) => Promise<unknown>;

/**
 * What `asyncbackoff`, `asyncretry` and `Backoff.wrap` give: call it with a
 * function to wrap that, or put it before a method as a decorator, standard or
 * legacy. The wrapped function keeps its type, `this`, `name` and `length`.
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
export interface AsyncDecorator {
  /**
   * Wraps a function, or a method as a standard decorator.
   *
   * @param fn The function.
   * @param context Given by the language, to a standard decorator.
   * @returns A function that executes `fn` by the policy.
   * @throws {TypeError} If it is put on anything but a function or a method.
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
   * @throws {TypeError} If it is put on anything but a method.
   */
  <F extends AsyncFunction>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): TypedPropertyDescriptor<F>;
  /** What all that it wraps has done so far. */
  readonly statistic: Statistic;
}

/** How a function becomes the one that is executed by a policy. */
type Wrap = <F extends AsyncFunction>(fn: F) => F;

/**
 * Makes a decorator.
 *
 * @param wrap Wraps a function.
 * @param statistic What the wrapped functions count in.
 * @returns The decorator.
 */
export function decorator(wrap: Wrap, statistic: Statistic): AsyncDecorator {
  const decorate = (...args: readonly unknown[]): unknown => {
    const [target, context, descriptor] = args;
    if (context === undefined && descriptor === undefined) return wrap(functionOf(target));
    if (isContext(context)) {
      if (context.kind !== "method") throw notDecorable(`a ${context.kind}`);
      return wrap(functionOf(target));
    }
    // A legacy decorator's key; a constructor's parameter has none.
    if (!["string", "symbol", "undefined"].includes(typeof context)) {
      throw new TypeError(
        "Cannot wrap the function as a second argument must be that of a decorator: " +
          `current value is ${
            show(context)
          }. In 'map' and the like, write 'fn => wrap(fn)'`,
      );
    }
    return { ...descriptor as PropertyDescriptor, value: wrap(methodOf(descriptor)) };
  };
  return Object.defineProperty(decorate, "statistic", {
    value: statistic,
    enumerable: true,
  }) as AsyncDecorator;
}

function isContext(value: unknown): value is { kind: string } {
  return typeof value === "object" && value !== null &&
    typeof (value as { kind?: unknown }).kind === "string";
}

function functionOf(value: unknown): AsyncFunction {
  if (typeof value !== "function") {
    throw new TypeError(
      `Cannot wrap as a function is needed: current value is ${show(value)}`,
    );
  }
  if (isClass(value)) throw notDecorable("a class");
  return value as AsyncFunction;
}

function methodOf(descriptor: unknown): AsyncFunction {
  if (typeof descriptor === "number") throw notDecorable("a parameter");
  const { value, get, set } = (descriptor ?? {}) as PropertyDescriptor;
  if (get !== undefined || set !== undefined) throw notDecorable("an accessor");
  if (typeof value !== "function") throw notDecorable("a field");
  return functionOf(value);
}

/**
 * Whether a function is a class: its prototype cannot be replaced, and its text
 * says so, which that of a frozen function does not.
 *
 * @param value A function.
 * @returns Whether it is one.
 */
// deno-lint-ignore ban-types
export function isClass(value: Function): boolean {
  return Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false &&
    /^class\b|\[native code\]\s*\}$/.test(Function.prototype.toString.call(value));
}

function notDecorable(what: string): TypeError {
  return new TypeError(
    `Cannot decorate ${what}: only functions and methods can be executed by a policy`,
  );
}
