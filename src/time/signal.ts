/**
 * The type of a signal, in projects with the DOM's types and without, and one
 * listener on it, however many executions share it.
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

/**
 * Whether a value is a signal. It is told by its shape, since it may be of
 * another realm; what throws at a look is none.
 *
 * @param value Any value.
 * @returns Whether it is.
 */
export function isSignal(value: unknown): value is Signal {
  try {
    const signal = value as Partial<Signal>;
    return typeof signal.aborted === "boolean" &&
      typeof signal.addEventListener === "function" &&
      typeof signal.removeEventListener === "function";
  } catch {
    return false;
  }
}

interface Listening {
  readonly listeners: Set<() => void>;
  readonly tell: () => void;
}

const listening = new WeakMap<AbortSignal, Listening>();

/**
 * Listens to a signal. All who do share one listener of the platform's, which
 * is dear to add, and of which some platforms complain when there are many.
 *
 * @param signal The signal; not aborted yet.
 * @param listener Called once, when it is aborted; must not throw.
 * @returns A function that stops listening.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const { listeners, tell } = listening.get(signal) ?? listenTo(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    listening.delete(signal);
    signal.removeEventListener("abort", tell);
  };
}

function listenTo(signal: AbortSignal): Listening {
  const listeners = new Set<() => void>();
  const tell = () => [...listeners].forEach((listener) => listener());
  signal.addEventListener("abort", tell);
  const entry = { listeners, tell };
  listening.set(signal, entry);
  return entry;
}
