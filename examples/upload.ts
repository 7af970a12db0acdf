// An upload in parts that resumes where it broke off: each part that the server has taken is a
// checkpoint, and a connection that falls silent is given up long before the deadline.
// deno run --allow-net=127.0.0.1 examples/upload.ts

import { Backoff, exponential } from "@asyncbackoff/asyncbackoff";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";

const PART = 64 * 1024;

const uploads = new Backoff({
  exceptions: [Error],
  idleTimeout: 1000, // ms without a part that was taken
  deadline: 30_000, // ms for the whole upload, however large it is
  pause: exponential({ initial: 20, max: 1000 }),
  resetAfter: 2000, // ms after which an attempt that made progress is forgiven
  maxTries: 3, // in a row
});

/** Sends a file in parts. An attempt begins with the first part that was not taken. */
function upload(url: string, file: Uint8Array<ArrayBuffer>): Promise<void> {
  return uploads.execute(async function upload(attempt) {
    const { signal } = attempt;
    for (let from = Number(attempt.checkpoint ?? 0); from < file.length; from += PART) {
      const body = file.subarray(from, from + PART);
      const headers = { "x-offset": `${from}` };
      const response = await fetch(url, { method: "POST", body, headers, signal });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`The server answered ${response.status}`);
      attempt.progress(from + body.length);
    }
  });
}

// The test: a server that refuses one part, never answers another, and takes the rest.

import assert from "node:assert/strict";

const received: number[] = [];
const taken = new Map<number, Buffer>();
const server = createServer((request, response) => {
  const from = Number(request.headers["x-offset"]);
  received.push(from / PART);
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (received.length === 3) return void response.writeHead(503).end();
    if (received.length === 6) return; // never answers
    taken.set(from, Buffer.concat(chunks));
    response.end();
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };

const file = new Uint8Array(6 * PART).map((_, index) => index % 251);
await upload(`http://127.0.0.1:${port}`, file);
server.closeAllConnections();
await new Promise((resolve) => server.close(resolve));

assert.deepEqual(received, [0, 1, 2, 2, 3, 4, 4, 5]); // no part that was taken is sent again
const parts = [...taken].sort(([one], [other]) => one - other);
assert(Buffer.concat(parts.map(([, part]) => part)).equals(file));
const { attempts, timeouts, progress } = uploads.statistic;
assert.deepEqual([attempts, timeouts, progress], [3, 1, 6]);
console.log(
  `  6 parts in ${received.length} requests: 1 was refused, 1 was never answered`,
);
