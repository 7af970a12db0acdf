/**
 * Counters of what a policy did.
 *
 * @module
 */

import type { Event, Failure, Reason, State } from "./state.ts";

/** How many executions ended for each reason. */
export type Ends = { readonly [reason in Reason]: number };

const NONE: Ends = {
  success: 0,
  unlisted: 0,
  maxTries: 0,
  giveup: 0,
  budget: 0,
  deadline: 0,
  aborted: 0,
  thrown: 0,
};

/** One step of an execution, to be counted. */
interface Step {
  readonly before: State;
  readonly next: State;
  readonly event: Event | null;
  /** The failure that was decided on, if there was one. */
  readonly failure: Failure | null;
}

/** Counts one step of an execution. */
export let count: (statistic: Statistic, step: Step) => void;

/** Counts the success of the attempt that began some milliseconds ago, as `count` does. */
export let countSuccess: (statistic: Statistic, ms: number) => void;

/** Counts an end that changes nothing any more. */
export let countLate: (statistic: Statistic) => void;

/**
 * What a `Backoff` has done so far, over all of its executions.
 *
 * @example Reading it
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const retry = asyncretry(3);
 * const load = retry(() => Promise.reject(new Error("down")));
 * await load().catch(() => {});
 *
 * assertEquals(retry.statistic.attempts, 3);
 * assertEquals(retry.statistic.errors, 3);
 * assertEquals(retry.statistic.ends.maxTries, 1);
 * ```
 */
export class Statistic {
  /** Attempts that have begun. */
  attempts: number = 0;
  /** Attempts that have ended. */
  done: number = 0;
  /** Failures with an error that is listed (timeouts too), whether or not they were retried. */
  errors: number = 0;
  /** Attempts that were cut by the deadline or by the caller. */
  cancels: number = 0;
  /** Retries that the budget refused. */
  refused: number = 0;
  /**
   * Milliseconds from the start of each attempt to the start of the next, or to
   * the end of the execution: the pauses are in it.
   */
  sumTime: number = 0;
  #timeouts = 0;
  #late = 0;
  #pauseTime = 0;
  #ends: { -readonly [reason in Reason]: number } = { ...NONE };

  static {
    count = (statistic, step) => statistic.#count(step);
    countSuccess = (statistic, ms) => statistic.#countSuccess(ms);
    countLate = (statistic) => statistic.#late++;
  }

  /** Attempts that were cut by their own timeout. */
  get timeouts(): number {
    return this.#timeouts;
  }

  /** Attempts that ended after they had been cut, but for those that only say so. */
  get late(): number {
    return this.#late;
  }

  /** Milliseconds spent in pauses. */
  get pauseTime(): number {
    return this.#pauseTime;
  }

  /** How many executions ended, by reason; as it is now. */
  get ends(): Ends {
    return { ...this.#ends };
  }

  /**
   * All of it as plain data, for logs and metrics; what `JSON.stringify` shows.
   *
   * @returns The counters by name.
   *
   * @example A line for a log
   * ```ts
   * import { Backoff } from "@asyncbackoff/asyncbackoff";
   * import { assertStringIncludes } from "@std/assert";
   *
   * const backoff = new Backoff();
   * await backoff.execute(() => "done");
   *
   * assertStringIncludes(JSON.stringify(backoff.statistic), '"attempts":1');
   * ```
   */
  toJSON(): Record<string, number | Ends> {
    const { attempts, done, errors, cancels, refused, sumTime } = this;
    const { timeouts, late, pauseTime, ends } = this;
    const core = { attempts, done, errors, cancels, refused, sumTime };
    return { ...core, timeouts, late, pauseTime, ends };
  }

  /** Sets all counters to 0. What is under way counts on from there. */
  reset(): void {
    Object.assign(this, new Statistic());
    this.#timeouts = this.#late = this.#pauseTime = 0;
    this.#ends = { ...NONE };
  }

  #count({ before, next, event, failure }: Step): void {
    const reason = next.phase === "done" ? next.reason : null;
    if (before.phase === "trying" && event?.type === "woke" && reason !== "deadline") {
      this.#timeouts++;
    }
    if (next.phase === "stopping") return;
    if (reason !== null) this.#ends[reason]++;
    if (reason === "budget") this.refused++;
    if (before.phase !== "pausing") {
      this.done++;
      if (failure !== null) this.errors += reason === "unlisted" ? 0 : 1;
      else if (reason === "deadline" || reason === "aborted") this.cancels++;
    } else if (before.tries > 0) this.#pauseTime += next.at - before.at;
    if (next.phase === "pausing") return;
    if (before.tries > 0) this.sumTime += next.at - before.attemptAt;
    if (next.phase === "trying") this.attempts++;
  }

  #countSuccess(ms: number): void {
    this.done++;
    this.#ends.success++;
    this.sumTime += ms;
  }
}
