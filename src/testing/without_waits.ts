/**
 * Tests without pauses.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import { checkInteger, option } from "../check/values.ts";
import { realm } from "../realm/realm.ts";
import type { Disposing } from "./test_clock.ts";

/** Options of {@linkcode withoutWaits}. `null` and `undefined` mean absent. */
export interface WithoutWaitsOptions {
  /**
   * The maximum number of attempts of each execution, including the first: an integer >= 1. A
   * policy with a lower `maxTries` keeps its own.
   *
   * @default {Infinity}
   */
  maxTries?: number | null | undefined;
}

/** Turned-off waits, until they are turned on again. */
export interface WithoutWaits extends Disposing {
  /** Turns the waits on again. `using` also calls it. The second call has no effect. */
  restore(): void;
}

const ACTION = "turn off waits";
const NAMES = /* @__PURE__ */ namesOf<WithoutWaitsOptions>({ maxTries: true });

/**
 * Turns off the pauses of every policy, for tests of code whose clock cannot be injected. It
 * reaches policies that were made before, and every copy of the library in the realm. Each pause
 * that begins from now on takes 0 ms. A function `pause` is still called, and its errors count.
 * Limits stay as they are.
 *
 * @param options `maxTries`: the maximum number of attempts of each execution.
 * @returns An object whose `restore` turns them on again. With `using`, the end of the block does.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If `maxTries` is not an integer >= 1.
 * @throws {Error} If waits are turned off already.
 *
 * @example A test of code that keeps its policy to itself
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { withoutWaits } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const save = asyncretry(10, { pause: 60_000 })(() => Promise.reject(new Error("down")));
 *
 * const waits = withoutWaits({ maxTries: 3 });
 * try {
 *   await assertRejects(() => save(), Error, "down"); // at once
 * } finally {
 *   waits.restore();
 * }
 * ```
 */
export function withoutWaits(options?: WithoutWaitsOptions | null): WithoutWaits {
  checkKeys(ACTION, options ?? {}, NAMES);
  const max = options?.maxTries ?? Infinity;
  if (max !== Infinity) {
    checkInteger(option(ACTION, "maxTries"), max, 1, " (the first attempt counts)");
  }
  if (realm.withoutWaits !== null) {
    throw new Error(
      "Cannot turn off waits: they must be on, got ones that are off already; call 'restore' " +
        "of the first object, or use 'using'",
    );
  }
  realm.withoutWaits = max;
  let isOff = true;
  const restore = () => {
    if (isOff) realm.withoutWaits = null;
    isOff = false;
  };
  // Not every platform has the symbol.
  const { dispose } = Symbol as { dispose?: symbol };
  return (dispose === undefined
    ? { restore }
    : { restore, [dispose]: restore }) as WithoutWaits;
}
