// @sinonjs/fake-timers, in plain Node.

import { readFileSync } from "node:fs";
import { install } from "@sinonjs/fake-timers";
import { playAll } from "./play_all.mjs";

const text = readFileSync("aiomisc.jsonl", "utf8");
const clock = install();
const next = () => clock.countTimers() > 0 && (clock.next(), true);
const played = await playAll(text, { next, isZeroExact: true });
clock.uninstall();
console.log(`${played} recorded runs`);
