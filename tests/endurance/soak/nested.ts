// Very many executions in one outer attempt, one after the other and a thousand at a time. The
// heap stays flat meanwhile, without followed attempts and with them.

import { strictEqual as assertEquals } from "node:assert";
import process from "node:process";
import { type Attempt, Backoff, within } from "@asyncbackoff/asyncbackoff";
import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
import { flat, heapInUse } from "./memory.ts";

const [count = 0] = process.argv.slice(2).map(Number);
const BATCH = 1000;
const failing = new Backoff({ maxTries: 2, exceptions: "all", deadline: 60_000 });
const call = failing.wrap(async (number: number) => {
  await null;
  if (number % 3 === 0) throw new Error(`${number}`);
  return number;
});

async function nest(
  how: string,
  begin: (outer: Attempt, number: number) => Promise<unknown>,
) {
  const samples: number[] = [];
  const beganAt = performance.now();
  const before = failing.statistic.nested;
  await new Backoff({ deadline: 3_600_000 }).execute(async (outer) => {
    for (let number = 0; number < count; number += BATCH) {
      if (number % (count / 4) === 0) samples.push(await heapInUse());
      const batch = Array.from(
        { length: BATCH },
        (_, index) => begin(outer, number + index),
      );
      await Promise.allSettled(batch);
    }
    samples.push(await heapInUse());
  });
  assertEquals(failing.statistic.nested - before, count);
  const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
  const heap = flat(samples.slice(1));
  console.log(
    `  ${count} executions in one attempt, ${how}, in ${seconds} s: heap ${heap}`,
  );
}

await nest("by within()", (outer, number) => within(outer, () => call(number)));
await nest(
  "by within() with a deadline",
  (outer, number) => within(outer, () => within({ deadline: 1000 }, () => call(number))),
);
followAttempts();
await nest("followed", (_, number) => call(number));
