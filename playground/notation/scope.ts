/**
 * The names that a policy and a world may use.
 *
 * @module
 */

import { decorrelated, exponential, linear } from "@asyncbackoff/asyncbackoff";
import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { lognormal } from "@asyncbackoff/asyncbackoff/simulate";
import type { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import type { Scope } from "./evaluate.ts";

const ERRORS = { Error, TypeError, RangeError, SyntaxError, TimeoutError };

/** Functions that may be called. */
const FUNCTIONS = {
  exponential,
  linear,
  decorrelated,
  lognormal,
} as const;

/** Classes that may be made with `new`. */
const CLASSES = { RetryBudget, TokenBudget, ...ERRORS };

const { abs, ceil, floor, max, min, pow, round, sqrt, log, exp } = Math;
const MATH = { abs, ceil, floor, max, min, pow, round, sqrt, log, exp };

/** A scope, with the classes of errors that a text has named. */
export interface PageScope extends Scope {
  /** The classes of the user's own, by name. */
  readonly own: ReadonlyMap<string, ErrorConstructor>;
}

/**
 * Makes a scope. A name that begins with a capital letter, such as `ConnectionError`, is a class
 * of errors of the user's own.
 *
 * @param clock The clock of `AbortSignal.timeout`; `null` if signals are not aborted.
 * @returns The scope.
 */
export function scopeOn(clock: TestClock | null): PageScope {
  const own = new Map<string, ErrorConstructor>();
  const AbortSignal = {
    timeout: (ms: number) => {
      const controller = new AbortController();
      if (typeof ms !== "number" || !(ms >= 0)) {
        throw new TypeError(`'ms' must be a number of milliseconds >= 0, got ${ms}`);
      }
      clock?.after(
        ms,
        () =>
          controller.abort(new DOMException("The operation timed out.", "TimeoutError")),
      );
      return controller.signal;
    },
  };
  const callable = new Set<unknown>([
    ...Object.values(FUNCTIONS),
    ...Object.values(CLASSES),
    ...Object.values(MATH),
    AbortSignal.timeout,
  ]);
  const names = new Map<string, unknown>(Object.entries({
    ...FUNCTIONS,
    ...CLASSES,
    Math: Object.freeze({ ...MATH }),
    AbortSignal: Object.freeze(AbortSignal),
    Infinity,
    NaN,
    null: null,
    undefined,
    true: true,
    false: false,
  }));
  return {
    names,
    own,
    unknown(name) {
      if (!/^\p{Lu}/u.test(name)) return undefined;
      const known = own.get(name);
      if (known !== undefined) return known;
      const made = { [name]: class extends Error {} }[name] as ErrorConstructor;
      Object.defineProperty(made.prototype, "name", { value: name });
      own.set(name, made);
      callable.add(made);
      return made;
    },
    isCallable: (value) => callable.has(value),
    call(callee, args, isNew) {
      const isFunction = (Object.values(FUNCTIONS) as unknown[]).includes(callee) ||
        (Object.values(MATH) as unknown[]).includes(callee) ||
        callee === AbortSignal.timeout;
      if (isNew && isFunction) {
        throw new TypeError("'new' must not stand before a function");
      }
      if (!isNew && !isFunction) throw new TypeError("'new' must stand before a class");
      return isNew
        ? Reflect.construct(callee as ErrorConstructor, [...args])
        : Reflect.apply(callee as () => unknown, undefined, [...args]);
    },
  };
}
