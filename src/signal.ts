/**
 * The type of a signal, in projects with the DOM's types and without.
 *
 * @module
 */

/**
 * The platform's `AbortSignal`. Where a project has no library of types that
 * declares it, as much of it as is used here.
 *
 * @example Any signal will do
 * ```ts
 * import type { Signal } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const signal: Signal = AbortSignal.abort("enough");
 *
 * assertEquals(signal.reason, "enough");
 * ```
 */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } } ? S
  : MinimalSignal;

/** What an `AbortSignal` must have to be one: a signal is told by its shape. */
export interface MinimalSignal {
  /** Whether it was aborted. */
  readonly aborted: boolean;
  /** What it was aborted with. */
  // deno-lint-ignore no-explicit-any
  readonly reason: any;
  /** Calls `listener` when it is aborted. */
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  /** Takes back what `addEventListener` did. */
  removeEventListener(type: "abort", listener: () => void): void;
}
