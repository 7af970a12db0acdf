// The scenarios of executions, and how each may end.

import { setImmediate } from "node:timers/promises";
import type { Attempt } from "@asyncbackoff/asyncbackoff";
import { oneOf } from "../../support/chance.ts";

/** The class that the policies list. */
export class Listed extends Error {}
const busy = new Listed("busy");
/** The policies give up after this error. */
export const enough = new Listed("enough");
const nonRetryable = new Error("not retryable");
/**
 * A new promise each time: a shared one would keep everything that waits for it in memory.
 */
const never = () => new Promise<never>(() => {});

/** A scenario of an execution. */
export interface Scenario {
  readonly work: (attempt: Attempt) => unknown;
  /** Whether only a limit or an abort ends it. */
  readonly isEndless?: true;
  /** The possible ends. Work that takes a turn may reach a limit first. */
  readonly ends: readonly string[];
}

/** The share of each scenario, in percent. */
const shares = {
  value: 40,
  later: 10,
  nonRetryable: 10,
  recovers: 10,
  fails: 8,
  enough: 7,
  aborted: 8,
  heeds: 4,
  hangs: 3,
};

const scenarios: Record<keyof typeof shares, Scenario> = {
  value: { work: () => 1, ends: ["success"] },
  later: { work: () => setImmediate(1), ends: ["success", "timeout"] },
  nonRetryable: {
    work: () => {
      throw nonRetryable;
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

/** A scenario and its name, chosen by a number from 0 to below 1. */
export function scenarioOf(chance: number): [name: string, scenario: Scenario] {
  const name = oneOf(shares, chance);
  return [name, scenarios[name]];
}

/** The end of an execution, as a word. */
export function endOf(error: unknown): string {
  if (error === nonRetryable) return "nonRetryable";
  if (error === busy) return "busy";
  if (error === enough) return "enough";
  return (error as Error).name === "AbortError" ? "aborted" : "timeout";
}
