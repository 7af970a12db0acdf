/**
 * The type of a signal, in projects with the DOM's types and without them, and one platform
 * listener for all executions that share a signal.
 *
 * @module
 */

/**
 * The platform's `AbortSignal`. In a project without a library of types that declares it, the
 * part of it that is used here.
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

/** The members by which an `AbortSignal` is recognised. */
export interface MinimalSignal {
  /** Whether the signal was aborted. */
  readonly aborted: boolean;
  /** The reason that it was aborted with. */
  // deno-lint-ignore no-explicit-any
  readonly reason: any;
  /** Calls `listener` when the signal is aborted. */
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  /** Removes a listener that `addEventListener` added. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Tells whether a value is a signal. It is recognised by its shape, because it may come from
 * another realm. A check that throws counts as failed.
 *
 * @param value Any value.
 * @returns Whether it is a signal.
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
  readonly notify: () => void;
}

const listening = new WeakMap<AbortSignal, Listening>();

/**
 * Listens to a signal. All listeners on a signal share one platform listener: adding one is
 * slow, and Node warns about many.
 *
 * @param signal The signal, which is not aborted yet.
 * @param listener Called once, when the signal is aborted. Must not throw.
 * @returns A function that stops listening.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const { listeners, notify } = listening.get(signal) ?? listenTo(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    listening.delete(signal);
    signal.removeEventListener("abort", notify);
  };
}

function listenTo(signal: AbortSignal): Listening {
  const listeners = new Set<() => void>();
  const notify = () => [...listeners].forEach((listener) => listener());
  signal.addEventListener("abort", notify);
  const entry = { listeners, notify };
  listening.set(signal, entry);
  return entry;
}
