// Measures the memory in use after garbage collection, and checks that it stays flat.

import process from "node:process";
import { setImmediate } from "node:timers/promises";

/** The bytes by which two samples may differ because of caches and code of the runtime. */
const NOISE = 400_000;

const { gc, Bun } = globalThis as {
  gc?: () => void;
  Bun?: { gc(isSynchronous: boolean): void };
};

/** The heap in use, in bytes. */
export async function heapInUse(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await setImmediate();
    if (Bun === undefined) gc?.();
    else Bun.gc(true);
  }
  return process.memoryUsage().heapUsed;
}

/** Samples in megabytes as text. Throws if the last is above the first. */
export function flat(samples: readonly number[]): string {
  const [first = 0, last = 0] = [samples[0], samples.at(-1)];
  const words = samples.map((bytes) => (bytes / 1e6).toFixed(2)).join(", ");
  if (last - first > NOISE + first * 0.05) throw new Error(`the heap grows: ${words} MB`);
  return `${words} MB`;
}
