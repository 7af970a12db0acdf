// The streamed answer of a language model, in the form that most servers of models speak: events
// with a piece of text each, and `[DONE]` at the end. The first piece may take long, the others
// may not. An answer cannot resume in the middle, so only what has shown nothing is asked again.
// deno run --allow-net=127.0.0.1 examples/answer.ts

import { exponential, nonRetryable } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { createServer } from "node:http";
import { EventStreamParser } from "./parsers/event_stream.ts";

const limits = {
  attemptTimeout: 500, // ms for the first piece; a real model needs 30 s and more
  idleTimeout: 200, // ms of silence between two pieces
  deadline: 10_000, // ms for the whole answer
  maxTries: 4,
  pause: exponential({ initial: 20, max: 1000 }),
  exceptions: "all",
} as const;

/** A piece of an answer, and the number of the attempt that it belongs to. */
interface Piece {
  readonly attempt: number;
  readonly text: string;
}

/** With `replay`, an answer that breaks off is asked for again from its beginning. */
function answerTo(url: string, question: string, replay = false) {
  return stream(limits, async function* answer(attempt): AsyncGenerator<Piece> {
    const response = await fetch(url, {
      method: "POST",
      body: JSON.stringify({
        messages: [{ role: "user", content: question }],
        stream: true,
      }),
      headers: { "content-type": "application/json" },
      signal: attempt.signal,
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      const error = new Error(`The server answered ${response.status}`);
      const mayWork = response.status === 429 || response.status >= 500;
      throw mayWork ? error : nonRetryable(error);
    }
    const parser = new EventStreamParser();
    for await (const bytes of response.body) {
      for (const { data } of parser.push(bytes)) {
        if (data === "[DONE]") return;
        const text = JSON.parse(data).choices[0]?.delta?.content ?? "";
        if (text !== "") yield { attempt: attempt.number, text };
      }
    }
    throw new Error("The answer broke off"); // without [DONE]
  }, { replay });
}

// The test: a server of a model that is busy, slow, breaks off, or falls silent.

import assert from "node:assert/strict";

const words = ["Der ", "Gürtel ", "kostet ", "12 ", "€."];
let faults: string[] = [];
const server = createServer(async (request, response) => {
  for await (const _ of request);
  const fault = faults.shift();
  if (fault === "busy") return void response.writeHead(429).end();
  if (fault === "slow") return; // no first piece
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (delta: unknown) =>
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
  send({ role: "assistant" });
  for (const [index, content] of words.entries()) {
    if (index === 2 && fault === "silent") return;
    if (index === 2 && fault === "breaks off") return void response.destroy();
    send({ content });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  response.end("data: [DONE]\n\n");
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;

/** Shows an answer. What an attempt before has shown is cleared. */
async function show(
  pieces: AsyncIterable<Piece>,
): Promise<{ shown: string; error: unknown }> {
  let [shown, latest] = ["", 1];
  try {
    for await (const { attempt, text } of pieces) {
      shown = attempt === latest ? shown + text : text;
      latest = attempt;
    }
    return { shown, error: null };
  } catch (error) {
    return { shown, error };
  }
}

faults = ["busy", "slow", "none"];
const whole = await show(answerTo(url, "Was kostet der Gürtel?"));
assert.deepEqual(whole, { shown: words.join(""), error: null });

faults = ["silent"];
const silent = await show(answerTo(url, "Was kostet der Gürtel?"));
assert.equal(silent.shown, "Der Gürtel ");
assert.equal(
  `${silent.error}`,
  "TimeoutError: 'answer' reached its idle timeout of 200 ms",
);

faults = ["breaks off", "silent", "none"];
const again = await show(answerTo(url, "Was kostet der Gürtel?", true));
assert.deepEqual(again, { shown: words.join(""), error: null });

server.closeAllConnections();
await new Promise((resolve) => server.close(resolve));
console.log(`${again.shown} One of three answers fell silent after "${silent.shown}"`);
