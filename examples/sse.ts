// Server-sent events, each once and in order: after a broken connection, a silent one or a server
// that is down, the stream resumes with `Last-Event-ID`. It works where `EventSource` is missing,
// takes headers, and its limits are known.
// deno run --allow-net=127.0.0.1 examples/sse.ts

import { exponential, nonRetryable } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { createServer } from "node:http";
import { EventStreamParser, type ServerEvent } from "./parsers/event_stream.ts";

/** The events of a stream, as one async generator. */
function eventsOf(url: string, signal?: AbortSignal) {
  let retry = 0;
  const grow = exponential({ initial: 50, max: 5000 });
  const limits = {
    attemptTimeout: 1000, // ms for the connection and the first event
    idleTimeout: 300, // ms without a byte; servers send comments to keep a connection alive
    resetAfter: 500, // ms after which a connection that worked is forgiven
    maxTries: 10, // in a row
    pause: (...asked: Parameters<typeof grow>) => Math.max(retry, grow(...asked)),
    exceptions: "all",
  } as const;
  return stream(limits, async function* events(attempt): AsyncGenerator<ServerEvent> {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (attempt.checkpoint !== undefined) {
      headers["last-event-id"] = `${attempt.checkpoint}`;
    }
    const response = await fetch(url, { headers, signal: attempt.signal });
    if (response.status === 204) return; // the server has no more events
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      const error = new Error(`The server answered ${response.status}`);
      throw response.status < 500 ? nonRetryable(error) : error;
    }
    const parser = new EventStreamParser();
    for await (const bytes of response.body) {
      attempt.progress(); // also for comments
      for (const event of parser.push(bytes)) {
        yield event;
        if (event.id !== null) attempt.progress(event.id); // the consumer has it
      }
      retry = parser.retry ?? retry;
    }
    throw new Error("The server has closed the connection");
  }, { signal });
}

// The test: a server that breaks connections, falls silent and answers 503 in between.

import assert from "node:assert/strict";

// The parser returns the same events, wherever the bytes are split.
const text =
  "\uFEFF: hi\r\nid: 1\rdata: é 語 😀\rdata\rdata:  b\r\r\nevent: x\nid\ndata:a:b\n\ndata: cut";
const bytes = new TextEncoder().encode(text);
for (let size = 1; size <= bytes.length; size++) {
  const parser = new EventStreamParser();
  const events: ServerEvent[] = [];
  for (let from = 0; from < bytes.length; from += size) {
    events.push(...parser.push(bytes.subarray(from, from + size)));
  }
  assert.deepEqual(events, [
    { id: "1", type: "message", data: "é 語 😀\n\n b" },
    { id: "", type: "x", data: "a:b" },
  ]);
}

const messages = ["Grüße", "日本語", "two\nlines", "😀", "fünf", "the end"];
const faults = ["cut in a character", "503", "silent", "close", "none"];
const resumedFrom: (string | undefined)[] = [];
const server = createServer((request, response) => {
  const { "last-event-id": last } = request.headers;
  resumedFrom.push(last as string | undefined);
  const fault = faults[resumedFrom.length - 1];
  if (fault === "503") return void response.writeHead(503).end();
  const from = Number(last ?? 0);
  if (from === messages.length) return void response.writeHead(204).end();
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(": welcome\r\nretry: 20\r\n\r\n");
  for (const [index, message] of messages.entries()) {
    if (index < from) continue;
    const lines = message.split("\n").map((line) => `data: ${line}\n`).join("");
    const bytes = new TextEncoder().encode(`id: ${index + 1}\n${lines}\n`);
    if (index === 1 && fault === "cut in a character") {
      // In the middle of the second character.
      response.write(bytes.slice(0, bytes.length - 6), () => response.destroy());
      return;
    }
    response.write(bytes);
    if (index === 2 && fault === "silent") return; // and nothing more
    if (index === 4 && fault === "close") break;
  }
  response.end();
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };

const received: string[] = [];
for await (const event of eventsOf(`http://127.0.0.1:${port}`)) received.push(event.data);
server.closeAllConnections();
await new Promise((resolve) => server.close(resolve));

assert.deepEqual(received, messages); // each once, and in order
assert.deepEqual(resumedFrom, [undefined, "1", "1", "3", "5", "6"]);
console.log(
  `${received.length} events by ${resumedFrom.length} requests: ${
    JSON.stringify(received)
  }`,
);
