// Timers and listeners that are left in a process, as far as the runtime reports them.

import { getEventListeners } from "node:events";
import process from "node:process";

/** The number of timers of the platform that are set. */
export async function timersLeft(): Promise<number> {
  if (!("Bun" in globalThis)) {
    const resources: string[] = process.getActiveResourcesInfo();
    return resources.filter((each) => each === "Timeout").length;
  }
  // Bun keeps a protected object for each timer.
  const jsc = "bun:jsc"; // a variable, because Deno cannot resolve it
  const { heapStats } = await import(jsc);
  return heapStats().protectedObjectTypeCounts.Timeout ?? 0;
}

/** The number of listeners of a signal. */
export function listenersLeft(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}
