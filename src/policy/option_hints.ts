/**
 * Hints for options that are misspelt, or that other libraries call by another name.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { type Hints, plain } from "../check/keys.ts";
import { isSignal } from "../time/signal.ts";
import type { BackoffOptions } from "./options.ts";

/** The names of options in other libraries, as letters in lower case. */
const OTHER_NAMES = {
  maxTries: "tries attempts maxattempts retries maxretries numofattempts",
  attemptTimeout: "timeout pertrytimeout",
  deadline: "totaltimeout maxretrytime maxelapsedtime",
  pause: "delay wait backoff interval mintimeout",
  exceptions: "retryon errors",
  giveup: "shouldretry retryif isretriable",
  budget: "retrybudget retrythrottling throttle tokenbucket",
  idleTimeout: "stalltimeout silencetimeout inactivitytimeout heartbeattimeout",
  grace: "graceperiod",
  signal: "abortsignal",
  observe: "onretry onfailedattempt",
} satisfies { readonly [name in keyof BackoffOptions]?: string };

/** Calls of helpers, and the options that each takes. */
const HELPERS: Readonly<Record<string, string>> = {
  "pause: exponential": "factor initial jitter max min random",
  "pause: linear": "step",
  "budget: new RetryBudget": "window retryRatio minRetriesPerSecond",
  "budget: new TokenBudget": "maxTokens tokenRatio",
};

/** Hints about the options of a policy. */
export const OPTION_HINTS: Hints = {
  options: (value) => {
    if (isSignal(value)) return "did you mean '{ signal }'?";
    return typeof value === "function"
      ? "a function is executed by 'execute', or wrapped by the decorator that is returned"
      : null;
  },
  key: (key, value) => {
    const call = keyOf(HELPERS, key);
    if (call !== null) return `did you mean '${call}({ ${key}: ${describe(value)} })'?`;
    const bare = plain(key);
    const name = keyOf(OTHER_NAMES, bare);
    return name === null ? null : `did you mean ${suggestion(bare, name, value)}?`;
  },
};

/** Finds the key whose words include a word. */
function keyOf(table: Readonly<Record<string, string>>, word: string): string | null {
  const [key] =
    Object.entries(table).find(([, words]) => words.split(" ").includes(word)) ??
      [];
  return key ?? null;
}

/** The likely option, with its value where the other library counts otherwise. */
function suggestion(bare: string, name: string, value: unknown): string {
  if (name === "giveup") return "'giveup', which returns true to stop";
  if (name === "maxTries" && typeof value === "number" && value >= 0) {
    const tries = bare.endsWith("retries") ? value + 1 : value;
    return `'maxTries: ${tries}' (the first attempt counts)`;
  }
  return `'${name}'`;
}
