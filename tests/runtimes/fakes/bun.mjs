// Bun's own fake timers.

import { readFileSync } from "node:fs";
import { expect, jest, test } from "bun:test";
import { playAll } from "./play_all.mjs";

test("asyncbackoff() reproduces the recorded runs under Bun's fake timers", async () => {
  const text = readFileSync("aiomisc.jsonl", "utf8");
  jest.useFakeTimers();
  const next = () => jest.getTimerCount() > 0 && (jest.advanceTimersToNextTimer(), true);
  const played = await playAll(text, { next, isZeroExact: false });
  console.log(`${played} recorded runs`);
  expect(played).toBe(746);
  jest.useRealTimers();
}, 60_000);
