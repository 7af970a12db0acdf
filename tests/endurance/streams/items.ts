// One stream of a million items, with a checkpoint after each and a failure now and then. Each
// item comes once and in order, and the heap stays flat.

import { strictEqual as assertEquals } from "node:assert";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { listenersLeft, timersLeft } from "../../support/leftovers.ts";
import { flat, heapInUse } from "../soak/memory.ts";

const PARTS = 5;

const count = Number(process.argv[2]);
const { signal } = new AbortController();
const backoff = new Backoff({
  attemptTimeout: 60_000,
  idleTimeout: 60_000,
  exceptions: [Error],
  signal,
});
const failsBefore = count / PARTS / 2;

const items = stream(backoff, async function* (attempt) {
  const from = Number(attempt.checkpoint ?? 0);
  for (let id = from; id < count; id++) {
    if (id > from && id % failsBefore === 0) throw new Error("connection lost");
    yield id;
    attempt.progress(id + 1);
  }
});

const beganAt = performance.now();
const samples: number[] = [];
let expected = 0;
for await (const id of items) {
  assertEquals(id, expected++);
  if (expected % (count / PARTS) === 0) samples.push(await heapInUse());
}
const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
assertEquals(expected, count);
assertEquals(backoff.statistic.attempts, PARTS * 2);
assertEquals(backoff.statistic.progress, count + PARTS * 2);
assertEquals(listenersLeft(signal), 0);
assertEquals(await timersLeft(), 0);
console.log(`  ${count} items of one stream in ${seconds} s; heap ${flat(samples)}`);
