/**
 * The consequences of a policy, in words.
 *
 * @module
 */

import { preview } from "@asyncbackoff/asyncbackoff/pauses";
import { simulate, type Simulation } from "@asyncbackoff/asyncbackoff/simulate";
import type { BackoffPolicy } from "../src/policy/policy.ts";
import type { Policy } from "./policy.ts";

/** A consequence of a policy. */
export interface Warning {
  /** `warning`: probably not wanted. `note`: worth to know. `good`: as it should be. */
  readonly level: "warning" | "note" | "good";
  readonly text: string;
}

/** The number of tries whose pauses are previewed. Later ones are as long as the last. */
const MAX_PREVIEWED = 500;
/** The number of attempts after which a load counts as unbounded. */
const MANY = 3000;

/**
 * Finds the longest that a caller may wait, whatever the service does.
 *
 * @param policy The policy.
 * @returns Milliseconds; `Infinity` without a bound, `null` if the pause is not known before.
 */
export function longestWait(policy: BackoffPolicy): number | null {
  const { attemptTimeout, grace, maxTries, deadline, pause } = policy;
  if (deadline < Infinity) return deadline;
  if (maxTries === Infinity || attemptTimeout === Infinity) return Infinity;
  try {
    const { pauses, sum } = preview(pause, Math.min(maxTries, MAX_PREVIEWED));
    const later = Math.max(0, maxTries - MAX_PREVIEWED) * (pauses.at(-1)?.max ?? 0);
    return maxTries * (attemptTimeout + grace) + sum.max + later;
  } catch {
    return null;
  }
}

/**
 * Measures the load when every call fails after 20 ms.
 *
 * @param policy The policy.
 * @returns The number of calls for each execution; `Infinity` if they do not end.
 */
export async function outageLoad(policy: Policy): Promise<number> {
  const world = {
    executions: 40,
    interval: 100,
    failureRate: 1,
    latency: 20,
    maxAttempts: MANY,
    timelines: 0,
    error: () => new policy.errorClass("the service is down"),
  };
  const result = await simulate(policy.source(), world);
  return result.ends.pending === undefined ? result.loadFactor : Infinity;
}

/**
 * Writes a duration for reading.
 *
 * @param ms Milliseconds.
 * @returns Such as `250 ms`, `1.5 s` or `2 min`.
 */
export function duration(ms: number): string {
  if (ms === Infinity) return "for ever";
  const [value, unit] = ms < 1000
    ? [ms, "ms"]
    : ms < 120_000
    ? [ms / 1000, "s"]
    : ms < 7_200_000
    ? [ms / 60_000, "min"]
    : [ms / 3_600_000, "h"];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/**
 * Writes a share for reading.
 *
 * @param share A number from 0 to 1.
 * @returns Such as `99.9 %`. It is 100 % or 0 % only if it is exactly that.
 */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  const value = Number((share * 100).toPrecision(share > 0.99 ? 4 : 3));
  return `${Math.max(0.01, Math.min(99.99, value))} %`;
}

/**
 * Finds the consequences of a policy.
 *
 * @param policy The policy.
 * @param load Its load in an outage.
 * @param simulation A simulation of it.
 * @returns The consequences, the most important ones first.
 */
export function warningsOf(
  policy: BackoffPolicy,
  load: number,
  simulation: Simulation,
): Warning[] {
  return [
    ...aboutWaits(policy),
    ...aboutLoad(policy, load),
    ...aboutLimits(policy),
    ...aboutErrors(policy),
    ...aboutSimulation(simulation),
  ].sort((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level));
}

const ORDER: readonly Warning["level"][] = ["warning", "note", "good"];
const warning = (text: string): Warning => ({ level: "warning", text });
const note = (text: string): Warning => ({ level: "note", text });
const good = (text: string): Warning => ({ level: "good", text });

function aboutWaits(policy: BackoffPolicy): Warning[] {
  const longest = longestWait(policy);
  const { grace, attemptTimeout } = policy;
  if (longest === Infinity) {
    const cause = attemptTimeout === Infinity
      ? "A call that hangs is never given up"
      : grace === Infinity
      ? "A grace without an end waits for as long as the attempt"
      : "Nothing bounds the retries";
    return [warning(`A caller may wait for ever. ${cause}. Set a deadline.`)];
  }
  const waits: Warning[] = [];
  if (longest === null) {
    waits.push(note("The longest wait depends on what 'pause' returns."));
  } else {
    const text = `A caller waits at most ${duration(longest)}.`;
    waits.push(
      longest > 30_000
        ? warning(`A caller may wait ${duration(longest)}. Is anybody still there?`)
        : good(text),
    );
  }
  return waits;
}

function aboutLoad({ budget }: BackoffPolicy, load: number): Warning[] {
  if (load === Infinity) {
    return [
      warning("In an outage, the calls do not end. Set a deadline, or a number of tries."),
    ];
  }
  const times = `${Number(load.toPrecision(load < 10 ? 2 : 3))} times`;
  if (load > 3) {
    const advice = budget === null
      ? "A budget bounds it."
      : "The budget allows it: look at its minimum.";
    return [warning(`In an outage, this makes ${times} the load. ${advice}`)];
  }
  if (load > 1.3) return [note(`In an outage, this makes ${times} the load.`)];
  return [
    good(
      load > 1
        ? `In an outage, this makes only ${times} the load.`
        : "In an outage, this adds no load.",
    ),
  ];
}

function aboutLimits(policy: BackoffPolicy): Warning[] {
  const { attemptTimeout, deadline, maxTries, pause, grace } = policy;
  const found: Warning[] = [];
  if (deadline === 0) found.push(warning("With a deadline of 0, nothing is called."));
  if (attemptTimeout === 0) {
    found.push(warning("With an attempt timeout of 0, every attempt fails at once."));
  }
  if (deadline > 0 && attemptTimeout < Infinity && attemptTimeout >= deadline) {
    found.push(
      warning("The attempt timeout is not shorter than the deadline, so it never applies."),
    );
  }
  if (attemptTimeout === Infinity && deadline < Infinity && maxTries > 1) {
    found.push(
      note("A call that hangs uses up the deadline, because no attempt timeout ends it."),
    );
  }
  if (grace > 0 && attemptTimeout === Infinity) {
    found.push(note("The grace has no effect without an attempt timeout."));
  }
  if (maxTries > 1 && typeof pause === "number") {
    found.push(
      note(
        pause === 0
          ? "There is no pause: a service that is busy is called again at once."
          : "Callers that failed together come back together. A pause with jitter spreads them.",
      ),
    );
  }
  if (maxTries > 1 && maxTries < 1000 && deadline < Infinity) {
    const waits = sumOfPauses(policy);
    if (waits !== null && waits > deadline) {
      found.push(
        note(
          `The pauses alone take up to ${
            duration(waits)
          }, so the deadline may come before ` +
            `the ${maxTries} tries.`,
        ),
      );
    }
  }
  return found;
}

function sumOfPauses({ pause, maxTries }: BackoffPolicy): number | null {
  try {
    return preview(pause, maxTries).sum.max;
  } catch {
    return null;
  }
}

function aboutErrors({ exceptions, maxTries }: BackoffPolicy): Warning[] {
  if (exceptions !== "all" || maxTries === 1) return [];
  return [
    note('"all" retries mistakes in the code too, such as a ReferenceError. List classes.'),
  ];
}

function aboutSimulation(simulation: Simulation): Warning[] {
  const { ends, executions } = simulation;
  const { pending = 0, callbackError = 0 } = ends;
  const found: Warning[] = [];
  if (pending > 0) {
    found.push(
      warning(
        `${pending} of ${executions.length} callers had no answer when the simulation ended.`,
      ),
    );
  }
  if (callbackError > 0) {
    found.push(warning("A function of the policy throws, or returns what it must not."));
  }
  return found;
}
