// Measures the lateness of timers, each alone and many that overlap, and that of the
// platform's own setTimeout for comparison, which may be early. All last whole
// milliseconds, because setTimeout truncates fractions.

import { performance } from "node:perf_hooks";
import process from "node:process";
import { Backoff, sleep } from "@asyncbackoff/asyncbackoff";
import { seeded } from "../../support/chance.ts";
import { between, lateness, spread } from "./lateness.ts";

const [seed = 0, count = 0] = process.argv.slice(2).map(Number);
const random = seeded(seed);

type Wait = (ms: number) => Promise<number>;

const waits: Record<string, Wait> = {
  async sleep(ms) {
    const beganAt = performance.now();
    await sleep(ms);
    return lateness(beganAt, ms);
  },
  async deadline(ms) {
    const backoff = new Backoff({ deadline: ms });
    const beganAt = performance.now();
    await backoff.execute(() => new Promise(() => {})).catch(() => {});
    return lateness(beganAt, ms);
  },
  async "bare setTimeout"(ms) {
    const beganAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    return performance.now() - beganAt - ms;
  },
};

/** Takes turns, so that a busy moment of the machine affects all kinds alike. */
async function alone(): Promise<void> {
  const late: Record<string, number[]> = {};
  for (let index = 0; index < count; index++) {
    const ms = Math.floor(between(random, 1, 21));
    for (const [name, wait] of Object.entries(waits)) {
      (late[name] ??= []).push(await wait(ms));
    }
  }
  for (const [name, values] of Object.entries(late)) {
    console.log(`  ${count} of ${name}, each alone: late by ${spread(values)}`);
  }
}

async function overlapping(name: string, wait: Wait): Promise<void> {
  const late = await Promise.all(Array.from({ length: count }, async () => {
    await sleep(between(random, 0, 500));
    return await wait(Math.floor(between(random, 5, 501)));
  }));
  console.log(`  ${count} of ${name}, overlapping: late by ${spread(late)}`);
}

await alone();
for (const [name, wait] of Object.entries(waits)) await overlapping(name, wait);
