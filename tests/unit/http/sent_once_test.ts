// Requests that a platform's own fetch must not send twice.

import { assertEquals, assertRejects } from "@std/assert";
import { sentOnce } from "../../../src/http/sent_once.ts";

/** Sends a request, and returns the options that the platform's fetch receives. */
async function optionsOf(
  init: RequestInit & { client?: unknown },
  platform?: Parameters<typeof sentOnce>[2],
): Promise<unknown> {
  let received: unknown;
  await sentOnce(init, (options) => {
    received = options;
    return Promise.resolve(new Response());
  }, platform);
  return received;
}

Deno.test("sentOnce() takes a connection of its own in Bun, unless the caller chose otherwise", async () => {
  const Bun = {};
  assertEquals(await optionsOf({ method: "POST" }, { Bun }), {
    method: "POST",
    keepalive: false,
  });
  assertEquals(await optionsOf({ keepalive: true }, { Bun }), { keepalive: true });
});

Deno.test("sentOnce() takes a client without a pool in Deno, and closes it", async () => {
  const clients: { options: unknown; isOpen: boolean }[] = [];
  const platform = {
    Deno: {
      createHttpClient(options: unknown) {
        const client = { options, isOpen: true, close: () => void (client.isOpen = false) };
        clients.push(client);
        return client;
      },
    },
  };
  assertEquals(await optionsOf({}, platform), { client: clients[0] });
  const fail = () => Promise.reject(new Error("down"));
  await assertRejects(() => sentOnce({}, fail, platform), Error, "down");
  assertEquals(clients.map(({ isOpen }) => isOpen), [false, false]);
  assertEquals(clients[0]?.options, { poolMaxIdlePerHost: 0 });
  const client = {};
  assertEquals(await optionsOf({ client }, platform), { client });
  assertEquals(clients.length, 2);
});

Deno.test("sentOnce() changes nothing on other platforms", async () => {
  const init = { method: "POST" };
  for (const platform of [{}, { Deno: {} }]) {
    assertEquals(await optionsOf(init, platform), init);
  }
});
