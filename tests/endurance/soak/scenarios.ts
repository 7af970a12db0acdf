// What may become of an execution, and how one tells.

import { setImmediate } from "node:timers/promises";
import type { Attempt } from "@asyncbackoff/asyncbackoff";
import { oneOf } from "../../support/chance.ts";

/** The class that the policies list. */
export class Listed extends Error {}
const busy = new Listed("busy");
/** After this one they give up. */
export const enough = new Listed("enough");
const unlisted = new Error("nonRetryable");
/** One of its own for each: whoever waits for one that is shared is kept as long as that. */
const never = () => new Promise<never>(() => {});

/** What an execution does. */
export interface Fate {
  readonly work: (attempt: Attempt) => unknown;
  /** Whether nothing ends it but a limit or an abort. */
  readonly isEndless?: true;
  /** What may become of it: what takes a turn may be too late for a limit. */
  readonly ends: readonly string[];
}

/** How often each comes up, of a hundred. */
const shares = {
  value: 40,
  later: 10,
  unlisted: 10,
  recovers: 10,
  fails: 8,
  enough: 7,
  aborted: 8,
  heeds: 4,
  hangs: 3,
};

const fates: Record<keyof typeof shares, Fate> = {
  value: { work: () => 1, ends: ["success"] },
  later: { work: () => setImmediate(1), ends: ["success", "timeout"] },
  unlisted: {
    work: () => {
      throw unlisted;
    },
    ends: ["nonRetryable"],
  },
  recovers: {
    work: ({ number }) => number < 3 ? Promise.reject(busy) : 1,
    ends: ["success", "busy", "timeout"],
  },
  fails: { work: () => Promise.reject(busy), ends: ["busy", "timeout"] },
  enough: { work: () => Promise.reject(enough), ends: ["enough"] },
  aborted: { isEndless: true, work: never, ends: ["aborted", "timeout"] },
  heeds: {
    isEndless: true,
    work: async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    },
    ends: ["timeout"],
  },
  hangs: { isEndless: true, work: never, ends: ["timeout"] },
};

/** A fate, with its name; by a number from 0 to below 1. */
export function fateOf(chance: number): [name: string, fate: Fate] {
  const name = oneOf(shares, chance);
  return [name, fates[name]];
}

/** What an execution ended with, in a word. */
export function endOf(error: unknown): string {
  if (error === unlisted) return "nonRetryable";
  if (error === busy) return "busy";
  if (error === enough) return "enough";
  return (error as Error).name === "AbortError" ? "aborted" : "timeout";
}
