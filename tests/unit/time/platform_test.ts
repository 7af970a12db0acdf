// The platform: genuine timers, one turn of the event loop, and errors that are thrown later.

import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  batchOf,
  findNextTurn,
  isGenuine,
  isRequestScoped,
  isTurnFaked,
  nextTurn,
  throwLater,
  type Turn,
  turnsAtOnce,
} from "../../../src/time/platform.ts";
import { replaceGlobals, withGlobals } from "../../support/globals.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

Deno.test("isGenuine() recognises fakes by their name or by a property", () => {
  const own = function setTimeout() {};
  const marked = Object.assign(function setTimeout() {}, { clock: {} });
  const renamed = function fakeSetTimeout() {};
  const genuine = [own, marked, renamed].map((each) => isGenuine(each, "setTimeout"));
  assertEquals(genuine, [true, false, false]);
});

Deno.test("isRequestScoped() decides by a global of the runtime's own or by the user agent, also without a navigator", () => {
  const rows: [globals: Record<string, unknown>, isRequestScoped: boolean][] = [
    [{ navigator: { userAgent: "Cloudflare-Workers" } }, true],
    [{ navigator: { userAgent: "Deno/2" } }, false],
    [{ navigator: undefined }, false],
    [{ navigator: undefined, WebSocketPair: class {} }, true],
    [{ navigator: undefined, EdgeRuntime: "edge-runtime" }, true],
  ];
  const hidden = ["WebSocketPair", "EdgeRuntime"].filter((name) => name in globalThis);
  if (hidden.length > 0) return; // this is such a runtime
  for (const [globals, expected] of rows) {
    assertEquals(withGlobals(globals, isRequestScoped), expected);
  }
});

Deno.test("isTurnFaked() is false where the platform's own way was found at load", () => {
  assertEquals(isTurnFaked(), false);
});

Deno.test("isTurnFaked() is true where timers are the only way and are faked", () => {
  const only = { setImmediate: undefined, MessageChannel: undefined };
  const fakes: [setTimeout: unknown, isFaked: boolean][] = [
    [globalThis.setTimeout, false],
    [function fakeSetTimeout() {}, true],
  ];
  for (const [setTimeout, isFaked] of fakes) {
    const turn = withGlobals({ ...only, setTimeout }, findNextTurn);
    assertEquals((turn as { isFaked?: boolean }).isFaked, isFaked);
  }
});

Deno.test("turnsAtOnce is the number of turns between which every promise settles", async () => {
  const log: number[] = [];
  const turns = Array.from({ length: turnsAtOnce * 3 }, (_, index) => index);
  const inTurn = async (index: number) => {
    log.push(index);
    for (let i = 0; i < 50; i++) await null;
    log.push(index);
  };
  for (let from = 0; from < turns.length; from += turnsAtOnce) {
    const batch = turns.slice(from, from + turnsAtOnce);
    await Promise.all(
      batch.map((index) =>
        new Promise<void>((resolve, reject) =>
          nextTurn(() => inTurn(index).then(resolve, reject))
        )
      ),
    );
  }
  assertEquals(log, turns.flatMap((index) => [index, index]));
});

/** The order of a turn, which is found now, and of promises that can settle. */
async function turnAmongPromises(): Promise<string[]> {
  const nextTurn = findNextTurn();
  const log: string[] = [];
  const turn = new Promise<void>((resolve) => nextTurn(() => resolve()))
    .then(() => log.push("turn"));
  for (let i = 0; i < 1000; i++) await null;
  log.push("settled");
  await turn;
  return log;
}

/** Without setImmediate, a turn is a message. Without both, it is a timer. */
const missing = [[], ["setImmediate"], ["setImmediate", "MessageChannel"]];

for (const names of missing) {
  const without = names.length === 0 ? "" : ` on a platform without ${names.join(" and ")}`;
  Deno.test(`findNextTurn() finds a turn that comes after all promises have settled${without}`, async () => {
    const restore = replaceGlobals(
      Object.fromEntries(names.map((name) => [name, undefined])),
    );
    try {
      assertEquals(await turnAmongPromises(), ["settled", "turn"]);
    } finally {
      restore();
    }
  });
}

Deno.test("findNextTurn() finds a turn that comes after all promises where messages overtake them", async () => {
  // Cloudflare's runtime, in a version without setImmediate.
  class MessageChannel {
    readonly port1 = { onmessage() {}, close() {} };
    readonly port2 = {
      postMessage: () => queueMicrotask(() => this.port1.onmessage()),
      close() {},
    };
  }
  const navigator = { userAgent: "Cloudflare-Workers" };
  const restore = replaceGlobals({ navigator, MessageChannel, setImmediate: undefined });
  try {
    assertEquals(await turnAmongPromises(), ["settled", "turn"]);
  } finally {
    restore();
  }
});

Deno.test("findNextTurn() does not take a setImmediate that is faked", async () => {
  const fakes = [
    function fakeSetImmediate() {},
    Object.assign(function setImmediate() {}, { clock: {} }),
  ];
  for (const setImmediate of fakes) {
    const nextTurn = withGlobals({ setImmediate }, findNextTurn);
    await new Promise<void>((resolve) => nextTurn(resolve)); // a fake never calls back
  }
});

Deno.test("nextTurn() comes even if the platform's ways are faked after load", async () => {
  const fake = () => {};
  const restore = replaceGlobals({ setImmediate: fake, setTimeout: fake });
  try {
    await new Promise<void>((resolve) => nextTurn(resolve));
  } finally {
    restore();
  }
});

Deno.test("throwLater() throws in a microtask, even if queueMicrotask is faked after load", async () => {
  const error = new Error("later");
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  try {
    withGlobals({ queueMicrotask: () => {} }, () => throwLater(error));
    assertEquals(uncaught, []);
    await new Promise<void>((resolve) => nextTurn(resolve));
  } finally {
    stop();
  }
  assertEquals(uncaught.length, 1);
  assertStrictEquals(uncaught[0], error);
});

Deno.test("batchOf() allows more than one turn at once with setImmediate() alone", () => {
  const { setImmediate } = globalThis as unknown as { setImmediate: Turn };
  assertEquals([batchOf(setImmediate), batchOf((callback) => callback())], [64, 1]);
});
