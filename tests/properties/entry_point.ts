// By which of its doors a script enters the library.

import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffOptions,
  currentAttempt,
} from "@asyncbackoff/asyncbackoff";
import type { PolicyScript } from "./script.ts";

/** How a function is executed, and what counts. */
export interface Entrance {
  run(fn: (attempt: Attempt) => unknown, signal: AbortSignal): Promise<unknown>;
  statistic(): Record<string, number>;
}

/** The entrance that a script names. */
export function enterBy(policy: PolicyScript, options: BackoffOptions): Entrance {
  const { entry, attemptTimeout, deadline, maxTries } = policy;
  const limits = { attemptTimeout, deadline };
  const named = { ...options, ...limits, maxTries };
  if (entry === "execute") return byExecute(new Backoff(named));
  if (entry === "wrap") return byDecorator(new Backoff(named).wrap);
  if (entry === "asyncbackoff") return byDecorator(asyncbackoff(named));
  if (entry === "positional") return byDecorator(byPosition(policy, options));
  return byDecorator(asyncretry(maxTries, { ...options, ...limits }));
}

/** The entrance that has a signal of its own. */
export function byExecute(backoff: Backoff): Entrance {
  return {
    run: (fn, signal) => backoff.execute(fn, { signal }),
    statistic: () => ({ ...backoff.statistic }),
  };
}

function byDecorator(decorate: AsyncDecorator): Entrance {
  return {
    run: (fn) => decorate((() => fn(currentAttempt())) as () => Promise<unknown>)(),
    statistic: () => ({ ...decorate.statistic }),
  };
}

function byPosition(policy: PolicyScript, options: BackoffOptions): AsyncDecorator {
  const { attemptTimeout, deadline, maxTries } = policy;
  const { pause = null, exceptions, ...rest } = options;
  return Array.isArray(exceptions)
    ? asyncbackoff(attemptTimeout, deadline, pause, ...exceptions, { ...rest, maxTries })
    : asyncbackoff(attemptTimeout, deadline, pause, { ...rest, maxTries, exceptions });
}
