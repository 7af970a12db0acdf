/**
 * The platform: whether its timers are its own, and one turn of its event loop.
 *
 * @module
 */

/** Calls back after one turn of the event loop. */
export type Turn = (callback: () => void) => unknown;

/**
 * Determines whether a timer function is the platform's own. Fakes have other names, or mark
 * themselves by a property, like those of Bun and sinon.
 *
 * @param timer The function that the global holds.
 * @param name The name of the global.
 * @returns Whether it is not a fake.
 */
// deno-lint-ignore ban-types
export function isGenuine(timer: Function, name: string): boolean {
  return timer.name === name && !("clock" in timer);
}

/**
 * Determines whether this is a runtime that ties timers to the request in which they were set, such
 * as Cloudflare's. It is recognised by a global of its own, because older compatibility dates
 * have no user agent.
 *
 * @returns Whether it is.
 */
export function isRequestScoped(): boolean {
  return ["WebSocketPair", "EdgeRuntime"].some((name) => name in globalThis) ||
    globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

/**
 * Finds the fastest way of the platform to call back after one turn of the event loop.
 *
 * @returns A function that calls back after one turn. The turn keeps the process alive.
 */
export function findNextTurn(): Turn {
  const { setImmediate } = globalThis as { setImmediate?: Turn };
  if (setImmediate !== undefined && isGenuine(setImmediate, "setImmediate")) {
    return setImmediate;
  }
  // Tried last, because Node takes 2 ms to load it.
  const { setTimeout, MessageChannel } = globalThis;
  // Where timers belong to a request, messages overtake promises.
  if (MessageChannel === undefined || isRequestScoped()) {
    return Object.assign((callback: () => void) => setTimeout(callback, 0), {
      isFaked: !isGenuine(setTimeout, "setTimeout"),
    });
  }
  return (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      port2.close();
      callback();
    };
    port2.postMessage(null);
  };
}

/**
 * Calls back after one turn of the event loop. The way is found at load, so that a fake of
 * time does not stop it.
 *
 * @param callback The function to call.
 */
export const nextTurn: Turn = /* @__PURE__ */ findNextTurn();

/**
 * Determines whether a turn of the event loop comes only when a fake of time lets it come, because
 * the timers were faked when the library was loaded and the platform has no other way.
 *
 * @returns Whether it does.
 */
export function isTurnFaked(): boolean {
  return (nextTurn as { isFaked?: boolean }).isFaked === true;
}

/**
 * Returns the number of turns that may be asked for at once, so that every promise that can
 * settle settles between two of them. Only `setImmediate` allows more than one.
 *
 * @param turn Calls back after one turn.
 * @returns The number of turns.
 */
export function batchOf(turn: Turn): number {
  return turn === (globalThis as { setImmediate?: Turn }).setImmediate ? 64 : 1;
}

/** The number of turns of {@linkcode nextTurn} that may be asked for at once. */
export const turnsAtOnce: number = /* @__PURE__ */ batchOf(nextTurn);

/**
 * Throws an error from a microtask of its own, where it is uncaught and disturbs nobody else.
 * The microtask queue is found at load, so that a fake of time does not hold the error back.
 *
 * @param error The error.
 */
export const throwLater: (error: unknown) => void = /* @__PURE__ */ findThrowLater();

function findThrowLater(): (error: unknown) => void {
  const { queueMicrotask } = globalThis;
  return (error) =>
    queueMicrotask(() => {
      throw error;
    });
}
