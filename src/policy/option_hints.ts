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
const OTHER_NAMES: { readonly [name in keyof BackoffOptions]?: string } = {
  maxTries: "tries attempts maxattempts retries maxretries numofattempts",
  attemptTimeout: "timeout pertrytimeout",
  deadline: "totaltimeout maxretrytime maxelapsedtime",
  pause: "delay wait backoff interval mintimeout",
  exceptions: "retryon errors",
  giveup: "shouldretry retryif isretriable",
  budget: "retrybudget retrythrottling throttle tokenbucket",
  grace: "graceperiod",
  signal: "abortsignal",
  observe: "onretry onfailedattempt",
};

/** The options of helpers, with a call that takes each. */
const HELPERS: Readonly<Record<string, string>> = {
  factor: "pause: exponential",
  initial: "pause: exponential",
  jitter: "pause: exponential",
  max: "pause: exponential",
  random: "pause: exponential",
  step: "pause: linear",
  window: "budget: new RetryBudget",
  retryRatio: "budget: new RetryBudget",
  minRetriesPerSecond: "budget: new RetryBudget",
  maxTokens: "budget: new TokenBudget",
  tokenRatio: "budget: new TokenBudget",
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
    const call = HELPERS[key];
    if (call !== undefined) {
      return `did you mean '${call}({ ${key}: ${describe(value)} })'?`;
    }
    const bare = plain(key);
    const [name] = Object.entries(OTHER_NAMES)
      .find(([, others]) => others.split(" ").includes(bare)) ?? [];
    return name === undefined ? null : `did you mean ${suggestion(bare, name, value)}?`;
  },
};

/** The likely option, with its value where the other library counts otherwise. */
function suggestion(bare: string, name: string, value: unknown): string {
  if (name === "giveup") return "'giveup', which returns true to stop";
  if (name === "maxTries" && typeof value === "number" && value >= 0) {
    const tries = bare.endsWith("retries") ? value + 1 : value;
    return `'maxTries: ${tries}' (the first attempt counts)`;
  }
  return `'${name}'`;
}
