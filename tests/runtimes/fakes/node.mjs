// mock.timers of node:test. A timer of 0 ms takes 1 ms, and there is no step to the next
// timer.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { playAll } from "./play_all.mjs";

test("asyncbackoff() reproduces the recorded runs under mock.timers", async ({ mock }) => {
  const text = readFileSync("aiomisc.jsonl", "utf8");
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let left = 2 * 5000;
  const next = () => (mock.timers.tick(1), --left % 5000 !== 0);
  console.log(`${await playAll(text, { next, isZeroExact: false })} recorded runs`);
});
