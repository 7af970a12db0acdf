// One turn of the event loop.

import { assertEquals } from "@std/assert";
import { loadCopy, replaceGlobals } from "../../support/fresh_copy.ts";

/** When a turn comes, as a fresh copy tells it: before or after promises have settled. */
async function turnAmongPromises(): Promise<string[]> {
  const { nextTurn } = await loadCopy<typeof import("../../../src/time/platform.ts")>(
    "turn",
  );
  const log: string[] = [];
  const turn = new Promise<void>((resolve) => nextTurn(() => resolve()))
    .then(() => log.push("turn"));
  for (let i = 0; i < 1000; i++) await null;
  log.push("settled");
  await turn;
  return log;
}

/** Without setImmediate by message, without both by timer. */
const missing = [[], ["setImmediate"], ["setImmediate", "MessageChannel"]];

for (const names of missing) {
  Deno.test(`nextTurn() comes when all promises have settled, without ${names.join(" and ") || "change"}`, async () => {
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

Deno.test("nextTurn() comes when all promises have settled where messages overtake them", async () => {
  // As in Cloudflare's runtime, where it has no setImmediate.
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
