// Replays recorded runs of the original in a world with a clock.

import {
  asyncbackoff,
  asyncretry,
  type BackoffOptions,
  type Clock,
  currentAttempt,
  type ErrorClass,
} from "@asyncbackoff/asyncbackoff";

type ErrorName = "A" | "B" | "C" | "Timeout" | "Any";
type Script = { takes: number } & ({ return: unknown } | { raise: ErrorName });

/** One line of `aiomisc.jsonl`. README.md explains its fields. */
export interface RecordedRun {
  id: number;
  api: "asyncbackoff" | "asyncretry";
  policy: {
    attemptTimeout: number | null;
    deadline: number | null;
    pause: number;
    maxTries: number | null;
    exceptions: ErrorName[];
    giveup: null | { error: ErrorName } | { call: number };
  };
  attempts: Script[];
  cancelAt: number | null;
  /** Whether two of its events are at the same instant on purpose. */
  tie: boolean;
  expect: Observed;
}

/** The observed behaviour of a run. */
export interface Observed {
  outcome: unknown;
  elapsed: number;
  starts: number[];
  aborted: [call: number, at: number][];
  giveupAsked: string[];
  statistic: Record<string, number>;
}

/** The world of a run: the clock of its policy, and the timers of its work. */
export interface World {
  /** The clock of the policy. Absent for the default. */
  clock?: Clock;
  now(): number;
  after(ms: number, wake: () => void): () => void;
}

class A extends Error {}
class B extends A {}
class C extends Error {}
class Timeout extends Error {
  override name = "TimeoutError";
}
const classes: Record<ErrorName, ErrorClass & (new () => Error)> = {
  A,
  B,
  C,
  Timeout,
  Any: Error,
};

function nameOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "Timeout";
  return error instanceof Error ? error.constructor.name : String(error);
}

/** Reads the recorded runs. */
export function readRuns(text: string): RecordedRun[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Replays a run, and returns its behaviour when it has settled. */
export async function play(run: RecordedRun, world: World): Promise<Observed> {
  const began = world.now();
  const elapsed = () => world.now() - began;
  const starts: number[] = [];
  const aborted: [call: number, at: number][] = [];
  const giveupAsked: string[] = [];
  const thrown: unknown[] = [];
  const cancelled = new Error("cancelled by the caller");
  const controller = new AbortController();

  const work = (): Promise<unknown> => {
    const { signal } = currentAttempt();
    const call = starts.push(elapsed());
    const script = run.attempts[Math.min(call, run.attempts.length) - 1]!;
    return new Promise((resolve, reject) => {
      const stop = world.after(script.takes, () => {
        signal.removeEventListener("abort", abort);
        if ("return" in script) return resolve(script.return);
        thrown[call] = new classes[script.raise]();
        reject(thrown[call]);
      });
      const abort = () => {
        stop();
        aborted.push([call, elapsed()]);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort);
    });
  };

  const { giveup } = run.policy;
  const options: BackoffOptions = {
    pause: run.policy.pause,
    exceptions: run.policy.exceptions.map((name) => classes[name]),
    giveup: giveup && ((error) => {
      const times = giveupAsked.push(nameOf(error));
      if ("call" in giveup) return times >= giveup.call;
      return error instanceof classes[giveup.error] || nameOf(error) === giveup.error;
    }),
    signal: controller.signal,
    clock: world.clock,
  };
  const { attemptTimeout, deadline, maxTries } = run.policy;
  const decorate = run.api === "asyncretry"
    ? asyncretry(maxTries, options)
    : asyncbackoff({ ...options, attemptTimeout, deadline, maxTries });

  const forget = run.cancelAt === null
    ? () => {}
    : world.after(run.cancelAt, () => controller.abort(cancelled));
  const outcome = await decorate(work)().then(
    (value) => ({ return: value }),
    (error) => {
      if (error === cancelled) return { cancelled: true };
      const attempt = thrown.indexOf(error);
      return { raise: nameOf(error), attempt: attempt === -1 ? null : attempt };
    },
  );
  const settledAt = elapsed();
  forget();
  // The counters that the original has, too.
  const { attempts, done, errors, cancels, sumTime } = decorate.statistic;
  const statistic = { attempts, done, errors, cancels, sumTime };
  return { outcome, elapsed: settledAt, starts, aborted, giveupAsked, statistic };
}
