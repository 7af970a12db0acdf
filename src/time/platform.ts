/**
 * One turn of the event loop.
 *
 * @module
 */

type Turn = (callback: () => void) => unknown;

/**
 * Whether a timer function is the platform's. Fakes go by other names, except
 * those that mark themselves by a property, as Bun's and sinon's do.
 *
 * @param timer What is found under the name.
 * @param name The name of the global.
 * @returns Whether it is no fake.
 */
// deno-lint-ignore ban-types
export function isGenuine(timer: Function, name: string): boolean {
  return timer.name === name && !("clock" in timer);
}

/**
 * Whether this is Cloudflare's runtime, which has ways of its own with timers and messages.
 *
 * @returns Whether it says so.
 */
export function isCloudflare(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

const { setTimeout, MessageChannel } = globalThis;
const { setImmediate } = globalThis as { setImmediate?: Turn };

/**
 * Calls back after one turn of the event loop, on the quickest way that the
 * platform has, as it was at load: a fake of time must not stop it. A turn that is
 * under way keeps the process alive.
 *
 * @param callback What to call.
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
