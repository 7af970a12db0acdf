/**
 * The type of a signal, in projects with the DOM's types and without them, and one platform
 * listener for all executions that share a signal.
 *
 * @module
 */

import { holds } from "../check/values.ts";
import { throwLater } from "./platform.ts";

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
 * Determines whether a value is a signal. It is recognised by its shape, because it may come from
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

/**
 * Reads the reason of an aborted signal.
 *
 * @param signal The signal.
 * @returns Its reason. Where the platform gives none, an error named `AbortError`.
 */
export function reasonOf(signal: Signal): unknown {
  const { reason } = signal;
  if (reason !== undefined) return reason;
  return abortError("The signal was aborted");
}

/**
 * Makes an error named `AbortError`, like the platform's own.
 *
 * @param message The message.
 * @returns The error.
 */
export function abortError(message: string): Error {
  return Object.defineProperty(new Error(message), "name", {
    value: "AbortError",
    configurable: true,
    writable: true,
  });
}

/**
 * Called when a signal is aborted. A function that it returns is called when all listeners know
 * of the abort, because it may run the code of others.
 */
export type AbortListener = () => void | (() => void);

interface Listening {
  readonly listeners: Set<AbortListener>;
  readonly notify: () => void;
}

const listening: WeakMap<Signal, Listening> = /* @__PURE__ */ new WeakMap();

/**
 * Listens to a signal. All listeners on a signal share one platform listener: adding one is
 * slow, and Node warns about many.
 *
 * @param signal The signal, which is not aborted yet.
 * @param listener Called once, when the signal is aborted. An event without an abort, which
 * anybody may dispatch, is ignored. An error that it throws is uncaught.
 * @returns A function that stops listening.
 */
export function onAbort(signal: Signal, listener: AbortListener): () => void {
  const { listeners, notify } = listening.get(signal) ?? listenTo(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    listening.delete(signal);
    signal.removeEventListener("abort", notify);
  };
}

/**
 * Calls a function. An error that it throws is uncaught, so that the others are called too.
 *
 * @param fn The function, if there is one.
 * @returns What it returns.
 */
export function attempted<T>(fn: (() => T) | void): T | undefined {
  try {
    return typeof fn === "function" ? fn() : undefined;
  } catch (error) {
    throwLater(error);
    return undefined;
  }
}

function listenTo(signal: Signal): Listening {
  const listeners = new Set<AbortListener>();
  const notify = () => {
    if (holds(() => !signal.aborted)) return;
    const seconds = [...listeners].map((listener) => attempted(listener));
    for (const second of seconds) attempted(second);
  };
  signal.addEventListener("abort", notify);
  const entry = { listeners, notify };
  listening.set(signal, entry);
  return entry;
}
