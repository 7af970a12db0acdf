/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/**
 * Fast turns of the event loop, on which the virtual clock moves. Browsers have no
 * `setImmediate`, and the library opens a channel of messages for each turn, so that it leaves
 * none open. This page may leave one open: a simulation is then some ten times as fast.
 *
 * It must be imported before the library, which looks for `setImmediate` when it is loaded.
 *
 * @module
 */

const callbacks: (() => void)[] = [];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => callbacks.shift()?.();

function setImmediate(callback: () => void): void {
  callbacks.push(callback);
  port2.postMessage(null);
}

Object.assign(globalThis, { setImmediate });
