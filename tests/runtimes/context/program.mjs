// Runs the checks on both builds of the package side by side, and a socket whose handlers live
// longer than the attempt that opened it.

import { createRequire } from "node:module";
import { strictEqual } from "node:assert";
import { createConnection, createServer } from "node:net";
import * as core from "@asyncbackoff/asyncbackoff";
import * as context from "@asyncbackoff/asyncbackoff/context";
import { run } from "./checks.mjs";

const require = createRequire(import.meta.url);
const esm = { ...core, ...context };
const cjs = {
  ...require("@asyncbackoff/asyncbackoff"),
  ...require("@asyncbackoff/asyncbackoff/context"),
};
if (cjs.retry === esm.retry) throw new Error("There must be two copies");

/** A client that opens its socket once, for the first call, and answers later calls by it. */
function clientOf(port, open) {
  let connection;
  const connect = () =>
    new Promise((resolve, reject) => {
      const socket = createConnection(port, "127.0.0.1");
      const waiting = [];
      socket.on("data", async (bytes) => {
        // A handler retries by itself, as a client does that confirms what it has received.
        const text = await cjs.retry(() => `${bytes}`, { maxTries: 2 });
        waiting.shift()?.(text);
      });
      socket.on("error", reject);
      socket.on("connect", () =>
        resolve({
          ask: (text) =>
            new Promise((answered, failed) => {
              waiting.push(answered);
              socket.write(text, (error) => error && failed(error));
              setTimeout(() => failed(new Error("no answer")), 2000).unref?.();
            }),
          end: () => socket.destroy(),
        }));
    });
  return {
    ask: async (text) => (await (connection ??= open(connect))).ask(text),
    end: async () => (await connection).end(),
  };
}

async function checkSocket() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => setTimeout(() => socket.write(bytes), 2));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const client = clientOf(port, cjs.detached);
  const first = await esm.retry(() => client.ask("first"), { deadline: 5000 });
  strictEqual(first, "first");
  // The attempt that opens the next socket is ended by its deadline.
  const other = clientOf(port, cjs.detached);
  const hanging = async () => {
    await other.ask("hello");
    await new Promise(() => {});
  };
  const error = await esm.retry(hanging, { deadline: 200 }).catch((error) => error);
  strictEqual(error.limit, "deadline");
  for (const each of [client, other]) {
    strictEqual(await esm.retry(() => each.ask("later"), { deadline: 5000 }), "later");
    await each.end();
  }
  server.close();
}

const count = await run([esm, cjs]);
await checkSocket();
console.log(JSON.stringify({ count: count + 1 }));
