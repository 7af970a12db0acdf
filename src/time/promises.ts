/**
 * Promises as they were when the library was loaded. Zone.js and others replace the global
 * `Promise` later; everything here is taken at one moment, so that old and
 * new promises are not mixed.
 *
 * @module
 */

/** Settles a promise. */
export type Settle = (value: unknown) => void;

/** The functions of the promise that was made last: one executor for all promises. */
interface Made {
  resolve: Settle;
  reject: Settle;
}

function load() {
  const { Promise } = globalThis;
  const { then } = Promise.prototype;
  const ignore = (): void => {};
  const made: Made = { resolve: ignore, reject: ignore };
  const executor = (resolve: Settle, reject: Settle) => {
    made.resolve = resolve;
    made.reject = reject;
  };
  return { Promise, then, made, executor, ignore, resolved: Promise.resolve() };
}

const loaded = /* @__PURE__ */ load();

/**
 * The promise of a value, like `Promise.resolve`.
 *
 * @param value Any value.
 * @returns A promise of this realm.
 */
export function promiseOf(value: unknown): Promise<unknown> {
  return loaded.Promise.resolve(value);
}

/**
 * A rejected promise, like `Promise.reject`.
 *
 * @param reason The reason.
 * @returns A promise of this realm.
 */
export function rejectionOf(reason: unknown): Promise<never> {
  return loaded.Promise.reject(reason);
}

/**
 * The built-in `then`: like `await`, it ignores a `then` that was put on the promise.
 *
 * @param promise A promise of this realm.
 * @param onValue Called with its value.
 * @param onReason Called with its reason.
 * @returns The promise of the reaction.
 */
export function react(
  promise: Promise<unknown>,
  onValue: (value: unknown) => unknown,
  onReason: (reason: unknown) => unknown,
): Promise<unknown> {
  return loaded.then.call(promise, onValue, onReason);
}

/**
 * Calls back in a microtask, in the present async context.
 *
 * @param callback The function to call.
 */
export function soon(callback: () => void): void {
  loaded.then.call(loaded.resolved, callback);
}

/** A function that does nothing. */
export const ignore: () => void = /* @__PURE__ */ (() => loaded.ignore)();

/**
 * A promise with the functions that settle it.
 *
 * @typeParam T The type of its value.
 */
export class Deferred<T = unknown> {
  readonly promise: Promise<T> = new loaded.Promise<T>(loaded.executor as never);
  readonly resolve: (value: T) => void = loaded.made.resolve as (value: T) => void;
  readonly reject: Settle = loaded.made.reject;

  constructor() {
    // Nothing of the promise is kept after it has settled.
    loaded.made.resolve = loaded.made.reject = loaded.ignore;
  }

  /**
   * Settles this promise like another, unless something else settles it first.
   *
   * @param promise A promise of this realm.
   */
  follow(promise: Promise<T>): void {
    loaded.then.call(promise, this.resolve as Settle, this.reject);
  }
}
