// What is left in a process when all should have ended, as far as the runtime tells.

import { getEventListeners } from "node:events";
import process from "node:process";

/** How many timers of the platform are set. */
export async function timersLeft(): Promise<number> {
  if (!("Bun" in globalThis)) {
    const resources: string[] = process.getActiveResourcesInfo();
    return resources.filter((each) => each === "Timeout").length;
  }
  // Bun keeps an object that it protects for each.
  const jsc = "bun:jsc"; // a variable, as Deno cannot resolve it
  const { heapStats } = await import(jsc);
  return heapStats().protectedObjectTypeCounts.Timeout ?? 0;
}

/** How many listeners a signal has. */
export function listenersLeft(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}
