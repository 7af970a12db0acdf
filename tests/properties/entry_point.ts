// The entry points of the library by which a script can be executed.

import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffOptions,
  currentAttempt,
  type Statistic,
} from "@asyncbackoff/asyncbackoff";
import type { PolicyScript } from "./script.ts";

/** A way to execute a function, and to read the counters. */
export interface EntryPoint {
  run(fn: (attempt: Attempt) => unknown, signal: AbortSignal): Promise<unknown>;
  counters(): Record<string, number>;
}

/** The entry point that a script names. */
export function entryPointOf(policy: PolicyScript, options: BackoffOptions): EntryPoint {
  const { entryPoint, attemptTimeout, deadline, maxTries } = policy;
  const limits = { attemptTimeout, deadline };
  const named = { ...options, ...limits, maxTries };
  if (entryPoint === "execute") return byExecute(new Backoff(named));
  if (entryPoint === "wrap") return byDecorator(new Backoff(named).wrap);
  if (entryPoint === "asyncbackoff") return byDecorator(asyncbackoff(named));
  if (entryPoint === "positional") return byDecorator(byPosition(policy, options));
  return byDecorator(asyncretry(maxTries, { ...options, ...limits }));
}

/** The entry point that takes a signal for each execution. */
export function byExecute(backoff: Backoff): EntryPoint {
  return {
    run: (fn, signal) => backoff.execute(fn, { signal }),
    counters: () => countersOf(backoff),
  };
}

function byDecorator(decorate: AsyncDecorator): EntryPoint {
  return {
    run: (fn) => decorate((() => fn(currentAttempt())) as () => Promise<unknown>)(),
    counters: () => countersOf(decorate),
  };
}

/** All counters but `late`: late outcomes are compared one by one. */
export function countersOf(
  { statistic }: { statistic: Statistic },
): Record<string, number> {
  const { attempts, done, errors, cancels, refused, sumTime, timeouts, pauseTime } =
    statistic;
  const { ends } = statistic;
  return {
    attempts,
    done,
    errors,
    cancels,
    refused,
    sumTime,
    timeouts,
    pauseTime,
    ...ends,
  };
}

function byPosition(policy: PolicyScript, options: BackoffOptions): AsyncDecorator {
  const { attemptTimeout, deadline, maxTries } = policy;
  const { pause = null, exceptions, ...rest } = options;
  return Array.isArray(exceptions)
    ? asyncbackoff(attemptTimeout, deadline, pause, ...exceptions, { ...rest, maxTries })
    : asyncbackoff(attemptTimeout, deadline, pause, { ...rest, maxTries, exceptions });
}
