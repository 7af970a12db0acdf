import { AsyncLocalStorage } from "node:async_hooks";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Backoff, currentAttempt } from "@asyncbackoff/asyncbackoff";
import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
import { realm } from "../../../src/realm/realm.ts";

/** Sets the realm's context for a test, because `followAttempts` cannot be undone. */
async function withContext(context: typeof realm.context, test: () => unknown) {
  const before = realm.context;
  realm.context = context;
  try {
    await test();
  } finally {
    realm.context = before;
  }
}

Deno.test("followAttempts() puts an AsyncLocalStorage into the realm", async () => {
  await withContext(null, () => {
    followAttempts();
    assert(realm.context instanceof AsyncLocalStorage);
  });
});

Deno.test("followAttempts() keeps the context that is there, also of another copy", async () => {
  const context = new AsyncLocalStorage();
  await withContext(context, () => {
    followAttempts();
    assertStrictEquals(realm.context, context);
  });
});

Deno.test("followAttempts() has every attempt followed from then on", async () => {
  await withContext(null, async () => {
    followAttempts();
    const number = await new Backoff({ maxTries: 2, exceptions: "all" }).execute(
      async () => {
        await null;
        if (currentAttempt().number === 1) throw new Error("down");
        return currentAttempt().number;
      },
    );
    assertEquals(number, 2);
  });
});
