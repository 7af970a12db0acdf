// mock.timers of node:test, which makes 0 ms take 1, and has no step to the next timer.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { playAll } from "./play_all.mjs";

test("asyncbackoff() does as recorded under mock.timers", async ({ mock }) => {
  const text = readFileSync("aiomisc.jsonl", "utf8");
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let left = 2 * 5000;
  const next = () => (mock.timers.tick(1), --left % 5000 !== 0);
  console.log(`${await playAll(text, { next, isZeroExact: false })} recorded runs`);
});
