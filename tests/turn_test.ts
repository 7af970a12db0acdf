// One turn of the event loop.

import { assertEquals } from "@std/assert";
import { loadCopy } from "./fresh_copy.ts";

Deno.test("nextTurn() comes when all promises have settled, also where there is no setImmediate", async () => {
  const saved = ["setImmediate", "MessageChannel"].map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  );
  try {
    for (const name of ["nothing", ...saved.map(([name]) => name)]) {
      if (name !== "nothing") {
        Object.defineProperty(globalThis, name, { value: undefined, configurable: true });
      }
      // Without setImmediate by message, without both by timer.
      const { nextTurn } = await loadCopy<typeof import("../src/turn.ts")>("turn");
      const log: string[] = [];
      const turn = new Promise<void>((resolve) => nextTurn(() => resolve()))
        .then(() => log.push("turn"));
      for (let i = 0; i < 1000; i++) await null;
      log.push("settled");
      await turn;
      assertEquals(log, ["settled", "turn"]);
    }
  } finally {
    for (const [name, descriptor] of saved) {
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name); // it was not there
    }
  }
});
