// Streams of Node, which are async iterables.

import { assertEquals, assertRejects } from "@std/assert";
import type { Attempt } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { addAbortSignal, Readable } from "node:stream";
import { playStream } from "../../support/played_stream.ts";

const down = new Error("down");

Deno.test("stream() reads a Node stream, and destroys it when the consumer stops", async () => {
  const whole = stream({}, () => Readable.from(["a", "b"]));
  const received: unknown[] = [];
  for await (const item of whole) received.push(item);
  assertEquals(received, ["a", "b"]);
  const source = Readable.from(["a", "b", "c"]);
  for await (const _ of stream({ grace: Infinity }, () => source)) break;
  assertEquals(source.destroyed, true);
  const failing = new Readable({ read: () => void failing.destroy(down) });
  await assertRejects(() => stream({}, () => failing).next(), Error, "down");
});

Deno.test("stream() destroys a Node stream that is silent, if the signal was given to it", async () => {
  const sources: Readable[] = [];
  const open = ({ signal }: Attempt) => {
    const source = new Readable({ read() {} });
    sources.push(source);
    return addAbortSignal(signal as AbortSignal, source);
  };
  const { error } = await playStream(
    { attemptTimeout: 50, maxTries: 2, exceptions: [] },
    open,
  );
  assertEquals(`${error}`, "TimeoutError: 'open' reached its attempt timeout of 50 ms");
  assertEquals(sources.map(({ destroyed }) => destroyed), [true, true]);
});
