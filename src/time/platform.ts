/**
 * The platform: whether its timers are its own, and one turn of its event loop.
 *
 * @module
 */

type Turn = (callback: () => void) => unknown;

/**
 * Tells whether a timer function is the platform's own. Fakes have other names, or mark
 * themselves by a property, as those of Bun and sinon do.
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
 * Tells whether this is Cloudflare's runtime, which treats timers and messages differently.
 *
 * @returns Whether the user agent says so.
 */
export function isCloudflare(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

const { setTimeout, MessageChannel } = globalThis;
const { setImmediate } = globalThis as { setImmediate?: Turn };

/**
 * Calls back after one turn of the event loop, by the fastest means of the platform. It is
 * taken at load, so that a fake of time does not stop it. A turn that is under way keeps the
 * process alive.
 *
 * @param callback The function to call.
 */
export const nextTurn: Turn =
  setImmediate !== undefined && isGenuine(setImmediate, "setImmediate")
    ? setImmediate
    : MessageChannel !== undefined && !isCloudflare() // there, messages overtake promises
    ? byMessage
    : (callback) => setTimeout(callback, 0);

function byMessage(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    port2.close();
    callback();
  };
  port2.postMessage(null);
}
