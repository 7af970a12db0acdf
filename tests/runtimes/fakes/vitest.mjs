// Vitest's fake timers.

import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { playAll } from "./play_all.mjs";

test("asyncbackoff() reproduces the recorded runs under Vitest's fake timers", async () => {
  const text = readFileSync("aiomisc.jsonl", "utf8");
  vi.useFakeTimers();
  const next = () => vi.getTimerCount() > 0 && (vi.advanceTimersToNextTimer(), true);
  const played = await playAll(text, { next, isZeroExact: true });
  console.log(`${played} recorded runs`);
  expect(played).toBe(1500);
  vi.useRealTimers();
}, 60_000);
