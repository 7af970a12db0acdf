// Measures an item of a stream beside a bare `for await` over the same async generator, and the
// memory of a stream of a million items. Prints JSON.

import { Backoff } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import process from "node:process";
import { compare } from "./measure.js";

const isQuick = (globalThis.Deno?.args ?? process.argv.slice(2)).includes("quick");
const often = isQuick ? { rounds: 11, warmUp: 250 } : { rounds: 25, warmUp: 400 };
const collect = globalThis.gc ?? (() => globalThis.Bun?.gc(true));
const ITEMS = 1_000_000;

async function* produce(items) {
  for (let i = 0; i < items; i++) yield i;
}

/** Consumes so many items by a policy. */
function through(options, replay = false) {
  const backoff = new Backoff(options);
  return async (items) => {
    let sum = 0;
    for await (const item of stream(backoff, () => produce(items), { replay })) sum += item;
    return sum;
  };
}

async function bare(items) {
  let sum = 0;
  for await (const item of produce(items)) sum += item;
  return sum;
}

const limits = { attemptTimeout: 5000, deadline: 60_000, exceptions: "all", pause: 100 };
const items = await compare(
  {
    bare,
    "stream": through({}),
    "stream with attemptTimeout, deadline": through(limits),
    "stream with attemptTimeout, deadline, idleTimeout": through({
      ...limits,
      idleTimeout: 5000,
    }),
  },
  (consume, items) => consume(items),
  often,
);

/** Bytes of the heap after each third of the items. */
const heap = [];
let received = 0;
const backoff = new Backoff({ ...limits, deadline: null, idleTimeout: 5000 });
for await (const _ of stream(backoff, () => produce(ITEMS))) {
  if (++received % Math.floor(ITEMS / 3) > 0) continue;
  collect();
  heap.push(process.memoryUsage().heapUsed);
}
console.log(JSON.stringify({ items, heap }));
globalThis.Deno?.exit(0) ?? process.exit(0);
