/**
 * State that must be one in a realm, however many copies and builds of the library are loaded
 * into it: the ESM and the CommonJS build, and other versions in other folders.
 *
 * @module
 */

/** The shared state. Its shape belongs to its version, and is never changed without a new one. */
export interface Realm {
  /**
   * The attempt whose function is running. `null` where no function is known to run, and `false`
   * inside the callbacks of a policy, which have none.
   */
  currentAttempt: unknown;
  /** The scope of the synchronous stretch that `within` runs; `null` outside. */
  scope: unknown;
  /** The async context that carries scopes, once attempts are followed. */
  context: AsyncContext | null;
  /** The number of executions that have begun. */
  executions: number;
  /** The errors that are marked as not retryable. */
  readonly nonRetryable: WeakSet<object>;
  /** The errors with which executions ended after their retries. */
  readonly exhausted: WeakSet<object>;
  /** The maximum of tries while a test has turned off pauses; `null` while pauses are on. */
  withoutWaits: number | null;
}

/** A variable that follows the code through `await`, such as Node's `AsyncLocalStorage`. */
export interface AsyncContext {
  /** Reads the present value. */
  getStore(): unknown;
  /** Calls a function, in whose async extent the variable has a value. */
  run<T>(value: unknown, fn: () => T): T;
}

/** The name of the state on `globalThis`, with its version. */
const KEY = "@asyncbackoff/asyncbackoff/realm/2";

/**
 * Finds the state of the realm, or puts it there. If `globalThis` is frozen, this copy of the
 * library has a state of its own.
 *
 * @returns The state.
 */
export function findRealm(): Realm {
  const key = Symbol.for(KEY);
  const known = (globalThis as { [key: symbol]: Realm | undefined })[key];
  if (known !== undefined) return known;
  const value: Realm = {
    currentAttempt: null,
    scope: null,
    context: null,
    executions: 0,
    nonRetryable: new WeakSet(),
    exhausted: new WeakSet(),
    withoutWaits: null,
  };
  Reflect.defineProperty(globalThis, key, { value });
  return value;
}

/** The state of this realm. */
export const realm: Realm = /* @__PURE__ */ findRealm();

/**
 * Bounds a number of tries by that of a test that has turned off pauses.
 *
 * @param maxTries The number of tries by the policy.
 * @returns The number of tries that holds now.
 */
export function triesNow(maxTries: number): number {
  return Math.min(maxTries, realm.withoutWaits ?? Infinity);
}
