/**
 * The result of a simulation.
 *
 * @module
 */

import { checkFiniteDuration, checkNumber } from "../check/values.ts";
import type { Reason } from "../engine/state.ts";
import type { Timeline } from "../timeline/timeline.ts";

/** An execution of a simulation. */
export interface SimulatedExecution {
  /** The number of its client, from 0. */
  readonly client: number;
  /** The instant at which it began. */
  readonly beganAt: number;
  /** Milliseconds until it ended; `Infinity` if it was under way at the end. */
  readonly elapsed: number;
  /** The number of its attempts. */
  readonly attempts: number;
  /** Its pauses in milliseconds, as long as they really were. */
  readonly pauses: readonly number[];
  /** The reason why it ended; `null` if it was under way at the end. */
  readonly reason: Reason | null;
  /** Its outcome; `null` if it was under way at the end. */
  readonly outcome: PromiseSettledResult<unknown> | null;
}

/** The load in one second. */
export interface Second {
  /** The number of executions that began. */
  executions: number;
  /** The number of attempts that began: calls of the service. */
  attempts: number;
  /** The number of attempts that failed. */
  failures: number;
  /** The number of executions that ended with a value. */
  successes: number;
}

/** The number of executions by reason. `pending` were under way at the end. */
export type SimulatedEnds = { readonly [reason in Reason | "pending"]?: number };

/** The result of a simulation. */
export class Simulation {
  /** All executions, in the order in which they began. */
  readonly executions: readonly SimulatedExecution[];
  /** The load in each second, up to the last one in which something happened. */
  readonly load: readonly Second[];
  /** The number of executions by the reason why they ended. */
  readonly ends: SimulatedEnds;
  /** The number of attempts of all executions. */
  readonly attempts: number;
  /** The instant at which the simulation ended. */
  readonly endedAt: number;
  /** A drawing of the first executions. */
  readonly timeline: Timeline;
  /** The durations of all executions, the shortest first. */
  readonly #elapsed: readonly number[];
  /** The durations of those that ended with a value, the shortest first. */
  readonly #answered: readonly number[];

  /**
   * Makes a result. `simulate` does.
   *
   * @param executions The executions.
   * @param load The load in each second.
   * @param timeline The drawing.
   * @param endedAt The last instant.
   */
  constructor(
    executions: readonly SimulatedExecution[],
    load: readonly Second[],
    timeline: Timeline,
    endedAt: number,
  ) {
    this.executions = executions;
    this.load = load;
    this.timeline = timeline;
    this.endedAt = endedAt;
    const ends: Partial<Record<Reason | "pending", number>> = {};
    for (const { reason } of executions) {
      const name = reason ?? "pending";
      ends[name] = (ends[name] ?? 0) + 1;
    }
    this.ends = ends;
    this.attempts = executions.reduce((sum, { attempts }) => sum + attempts, 0);
    this.#elapsed = sorted(executions);
    this.#answered = sorted(executions.filter(({ reason }) => reason === "success"));
  }

  /** Attempts for each execution: how many times the load of a client without retries. */
  get loadFactor(): number {
    return this.attempts / Math.max(1, this.executions.length);
  }

  /**
   * Returns the share of executions that ended with a value within a time.
   *
   * @param ms The time since an execution began, in milliseconds >= 0. `Infinity` counts all.
   * @returns A number from 0 to 1. Without executions, 1.
   * @throws {TypeError} If `ms` is not a number.
   * @throws {RangeError} If `ms` is negative or `NaN`.
   */
  answeredWithin(ms: number): number {
    if (ms !== Infinity) checkFiniteDuration("count answers: 'ms'", ms);
    if (this.#elapsed.length === 0) return 1;
    return countUpTo(this.#answered, ms) / this.#elapsed.length;
  }

  /**
   * Returns the time within which a share of the executions ended, with a value or with an
   * error: the smallest duration that is not exceeded by at least that share.
   *
   * @param share A number from 0 to 1, such as 0.99. With 1, it is the longest time.
   * @returns Milliseconds. `Infinity` if too few have ended. Without executions, 0.
   * @throws {TypeError} If `share` is not a number.
   * @throws {RangeError} If `share` is not from 0 to 1.
   */
  percentile(share: number): number {
    const isValid = (share: number) => share >= 0 && share <= 1;
    checkNumber("find a percentile: 'share'", share, "a number from 0 to 1", isValid);
    // 1e-9: 0.07 * 100 is slightly more than 7.
    const rank = Math.ceil(share * this.#elapsed.length - 1e-9);
    return this.#elapsed[Math.max(0, rank - 1)] ?? 0;
  }
}

function sorted(executions: readonly SimulatedExecution[]): number[] {
  return executions.map(({ elapsed }) => elapsed).sort((one, other) => one - other);
}

/** The number of durations that are at most `ms` long. */
function countUpTo(durations: readonly number[], ms: number): number {
  let [from, to] = [0, durations.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((durations[middle] as number) <= ms) from = middle + 1;
    else to = middle;
  }
  return from;
}
