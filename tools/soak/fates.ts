// What may become of an execution, and how one tells.

import { setImmediate } from "node:timers/promises";
import type { Attempt } from "@asyncbackoff/asyncbackoff";

/** The class that the policies list. */
export class Listed extends Error {}
const busy = new Listed("busy");
/** After this one they give up. */
export const enough = new Listed("enough");
const unlisted = new Error("unlisted");
/** One of its own for each: whoever waits for one that is shared is kept as long as that. */
const never = () => new Promise<never>(() => {});

/** What an execution does. */
export interface Fate {
  /** How often of a hundred. */
  readonly share: number;
  readonly work: (attempt: Attempt) => unknown;
  /** Whether nothing ends it but a limit or an abort. */
  readonly isEndless?: true;
  /** What may become of it: what takes a turn may be too late for a limit. */
  readonly ends: readonly string[];
}

const fates: Record<string, Fate> = {
  value: { share: 40, work: () => 1, ends: ["success"] },
  later: { share: 10, work: () => setImmediate(1), ends: ["success", "timeout"] },
  unlisted: {
    share: 10,
    work: () => {
      throw unlisted;
    },
    ends: ["unlisted"],
  },
  recovers: {
    share: 10,
    work: ({ number }) => number < 3 ? Promise.reject(busy) : 1,
    ends: ["success", "busy", "timeout"],
  },
  fails: { share: 8, work: () => Promise.reject(busy), ends: ["busy", "timeout"] },
  enough: { share: 7, work: () => Promise.reject(enough), ends: ["enough"] },
  aborted: { share: 8, isEndless: true, work: never, ends: ["aborted", "timeout"] },
  heeds: {
    share: 4,
    isEndless: true,
    work: async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    },
    ends: ["timeout"],
  },
  hangs: { share: 3, isEndless: true, work: never, ends: ["timeout"] },
};

/** A fate, with its name; by a number from 0 to below 1. */
export function fateOf(chance: number): [name: string, fate: Fate] {
  let rest = chance * 100;
  const found = Object.entries(fates).find(([, { share }]) => (rest -= share) < 0);
  if (found === undefined) throw new Error("Cannot tell a fate: the shares must make 100");
  return found;
}

/** What an execution ended with, in a word. */
export function endOf(error: unknown): string {
  if (error === unlisted) return "unlisted";
  if (error === busy) return "busy";
  if (error === enough) return "enough";
  return (error as Error).name === "AbortError" ? "aborted" : "timeout";
}
