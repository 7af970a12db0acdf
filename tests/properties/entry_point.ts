// The entry points of the library by which a script can be executed.

import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffOptions,
  currentAttempt,
  type ErrorClass,
  type ExecuteOptions,
  retry,
  sleep,
  type Statistic,
} from "@asyncbackoff/asyncbackoff";
import type { PolicyScript } from "./script.ts";

/** A way to execute a function, and to read the counters, if they can be read. */
export interface EntryPoint {
  run(fn: (attempt: Attempt) => unknown, options: ExecuteOptions): Promise<unknown>;
  counters(): Record<string, number> | null;
}

/** The entry point that a script names. */
export function entryPointOf(policy: PolicyScript, options: BackoffOptions): EntryPoint {
  const { entryPoint, attemptTimeout, deadline, maxTries } = policy;
  const limits = { attemptTimeout, deadline };
  const named = { ...options, ...limits, maxTries };
  if (entryPoint === "with") return byExecute(changed(named, policy.kept));
  if (entryPoint === "retry") {
    return { run: (fn) => retry(fn, named), counters: () => null };
  }
  if (entryPoint === "execute") return byExecute(new Backoff(named));
  if (entryPoint === "wrap") return byDecorator(new Backoff(named).wrap);
  if (entryPoint === "asyncbackoff") return byDecorator(asyncbackoff(named));
  if (entryPoint === "positional") return byDecorator(byPosition(policy, options));
  return byDecorator(asyncretry(maxTries, { ...options, ...limits }));
}

/** The entry point that takes a signal for each execution. */
export function byExecute(backoff: Backoff): EntryPoint {
  return {
    run: (fn, options) => backoff.execute(fn, options),
    counters: () => countersOf(backoff),
  };
}

function byDecorator(decorate: AsyncDecorator): EntryPoint {
  return {
    run: (fn) => {
      const called = () => fn(currentAttempt()) as Promise<unknown>;
      return decorate(Object.defineProperty(called, "name", { value: fn.name }))();
    },
    counters: () => countersOf(decorate),
  };
}

/** Options that would be noticed if they were not replaced. */
const replaced: Required<BackoffOptions> = {
  attemptTimeout: 1,
  deadline: 1,
  pause: [7],
  minRemaining: 10_000,
  exceptions: [EvalError],
  until: () => false,
  maxTries: 1,
  giveup: () => true,
  budget: { mayRetry: () => false },
  retryExhausted: false,
  idleTimeout: 1,
  resetAfter: 0,
  grace: 1,
  signal: AbortSignal.abort("the signal was not replaced"),
  observe: () => {
    throw new Error("the observer was not replaced");
  },
  clock: { now: () => NaN, sleep },
  name: "a name that was not replaced",
};

/** A policy whose options are partly those of another policy, which it was made of. */
function changed(options: BackoffOptions, kept: number): Backoff {
  const base: Record<string, unknown> = {};
  const changes: Record<string, unknown> = {};
  for (
    const [index, name] of (Object.keys(replaced) as (keyof BackoffOptions)[]).entries()
  ) {
    // A policy must say what it retries, even if it is replaced.
    const isKept = (kept >> index) % 2 === 1 &&
      (name !== "exceptions" || (options.exceptions ?? null) !== null);
    base[name] = isKept ? options[name] : replaced[name];
    // `undefined` keeps an option, and `null` restores its default.
    if (!isKept) changes[name] = options[name] ?? null;
    else if (index % 2 === 0) changes[name] = undefined;
  }
  const policy = new Backoff(base);
  const other = policy.with(changes);
  if (other.statistic !== policy.statistic) {
    throw new Error("It has a statistic of its own");
  }
  return other;
}

/** All counters but `late`: late outcomes are compared one by one. */
export function countersOf(
  { statistic }: { statistic: Statistic },
): Record<string, number> {
  const { attempts, done, errors, cancels, refused, sumTime, timeouts, pauseTime } =
    statistic;
  const { ends, progress, resets } = statistic;
  return {
    attempts,
    done,
    errors,
    cancels,
    refused,
    sumTime,
    timeouts,
    pauseTime,
    progress,
    resets,
    ...ends,
  };
}

function byPosition(policy: PolicyScript, options: BackoffOptions): AsyncDecorator {
  const { attemptTimeout, deadline, maxTries } = policy;
  const { pause = null, exceptions, ...rest } = options;
  if (!Array.isArray(exceptions)) {
    return asyncbackoff(attemptTimeout, deadline, pause, { ...rest, maxTries, exceptions });
  }
  const [first, ...others]: ErrorClass[] = exceptions;
  return first === undefined
    ? asyncbackoff(attemptTimeout, deadline, pause, { ...rest, maxTries })
    : asyncbackoff(attemptTimeout, deadline, pause, first, ...others, {
      ...rest,
      maxTries,
    });
}
