// One execution of very many attempts. The heap stays flat meanwhile.

import { strictEqual as assertEquals } from "node:assert";
import process from "node:process";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenersLeft } from "../../support/leftovers.ts";
import { flat, heapInUse } from "./memory.ts";

const [count = 0] = process.argv.slice(2).map(Number);
const clock = new TestClock();
const controller = new AbortController();
const { signal } = controller;
const backoff = new Backoff({
  attemptTimeout: 10,
  exceptions: "all",
  pause: 1,
  maxTries: count,
  clock,
  signal,
});
const samples: number[] = [];

/** Fails at once or later, or hangs until it times out. */
async function fail(number: number): Promise<never> {
  if (number % (count / 4) === 1) samples.push(await heapInUse());
  if (number % 3 === 0) return await new Promise(() => {});
  if (number % 3 === 1) await clock.sleep(5);
  throw new Error(`${number}`);
}

const beganAt = performance.now();
const error = await clock.run(
  backoff.execute(({ number }) => fail(number)).catch((error) => error),
);
const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
assertEquals(backoff.statistic.attempts, count);
assertEquals(error.name, count % 3 === 0 ? "TimeoutError" : "Error");
assertEquals(clock.pending, 0);
assertEquals(listenersLeft(signal), 0);
console.log(
  `  ${count} attempts of one execution in ${seconds} s: heap ${flat(samples.slice(1))}`,
);
