// Jest's fake timers.

import { readFileSync } from "node:fs";
import { expect, jest, test } from "@jest/globals";
import { playAll } from "./play_all.mjs";

test("asyncbackoff() reproduces the recorded runs under Jest's fake timers", async () => {
  const text = readFileSync("aiomisc.jsonl", "utf8");
  jest.useFakeTimers();
  const next = () => jest.getTimerCount() > 0 && (jest.advanceTimersToNextTimer(), true);
  const played = await playAll(text, { next, isZeroExact: true });
  console.log(`${played} recorded runs`);
  expect(played).toBe(1500);
  jest.useRealTimers();
}, 60_000);
