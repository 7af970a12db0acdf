/**
 * The counters of the executions of a policy.
 *
 * @module
 */

import type { Failure, Reason, State } from "../engine/state.ts";

/** The number of executions that ended for each reason. */
export type Ends = { readonly [reason in Reason]: number };

type MutableEnds = { -readonly [reason in Reason]: number };

function noEnds(): MutableEnds {
  return {
    success: 0,
    nonRetryable: 0,
    exhausted: 0,
    maxTries: 0,
    giveup: 0,
    budget: 0,
    deadline: 0,
    aborted: 0,
    callbackError: 0,
  };
}

/**
 * The counters themselves. The driver writes to them. Users read them through a
 * {@linkcode Statistic}, so nothing that a user does can disturb an execution.
 */
export class Counters {
  attempts = 0;
  done = 0;
  errors = 0;
  cancels = 0;
  refused = 0;
  sumTime = 0;
  timeouts = 0;
  late = 0;
  pauseTime = 0;
  nested = 0;
  progress = 0;
  resets = 0;
  ends: MutableEnds = noEnds();

  /**
   * Counts a step of an execution.
   *
   * @param before The state before it.
   * @param next The state after it.
   * @param failure The failure about which the step decided; `null` if there was none.
   */
  count(before: State, next: State, failure: Failure | null): void {
    const isRetry = before.attempts > 0;
    if (isRetry && before.phase === "pausing") this.pauseTime += next.at - before.at;
    switch (next.phase) {
      case "trying":
        this.attempts++;
        if (isRetry) this.sumTime += next.at - before.attemptAt;
        break;
      case "stopping":
        this.timeouts++;
        break;
      case "pausing":
        this.#countFailure(before, failure);
        this.done++;
        this.errors++;
        break;
      default:
        this.#countFailure(before, failure);
        this.#countEnd(before, next.reason, failure);
        if (isRetry) this.sumTime += next.at - before.attemptAt;
        break;
    }
  }

  /**
   * Counts the success of a running attempt, as `count` does.
   *
   * @param ms Milliseconds since the attempt began.
   */
  countSuccess(ms: number): void {
    this.done++;
    this.ends.success++;
    this.sumTime += ms;
  }

  /** A timeout that winds down has been counted already, when its grace began. */
  #countFailure(before: State, failure: Failure | null): void {
    if (failure?.streak === 1 && before.lastFailure !== null) this.resets++;
    if (before.phase === "trying" && failure !== null && failure.limit !== null) {
      this.timeouts++;
    }
  }

  #countEnd(before: State, reason: Reason, failure: Failure | null): void {
    this.ends[reason]++;
    if (reason === "budget") this.refused++;
    if (before.phase === "pausing") return;
    this.done++;
    const isRetryable = reason !== "nonRetryable" && reason !== "exhausted";
    if (failure !== null) this.errors += isRetryable ? 1 : 0;
    else if (reason === "deadline" || reason === "aborted") this.cancels++;
  }
}

/**
 * The counters of a policy, over all of its executions so far. They are read-only. The names of
 * the first five are those of Python's aiomisc.
 *
 * @example Reading the counters
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
  readonly #counters: Counters;

  /**
   * Makes a view of counters.
   *
   * @param counters The counters to show.
   */
  constructor(counters: Counters) {
    this.#counters = counters;
    // Node, Bun and Deno call the method of this name for `console.log`.
    const key = Symbol.for("nodejs.util.inspect.custom");
    Object.defineProperty(this, key, { value: () => this.toJSON() });
  }

  /** Attempts that have begun. */
  get attempts(): number {
    return this.#counters.attempts;
  }

  /** Attempts that have ended. */
  get done(): number {
    return this.#counters.done;
  }

  /** Failures with a retryable error, including timeouts and the last failure. */
  get errors(): number {
    return this.#counters.errors;
  }

  /** Attempts that were aborted by the deadline or by the caller. */
  get cancels(): number {
    return this.#counters.cancels;
  }

  /**
   * Milliseconds from the start of each attempt to the start of the next, or to the end of the
   * execution. This includes the pauses.
   */
  get sumTime(): number {
    return this.#counters.sumTime;
  }

  /** Retries that the budget refused. */
  get refused(): number {
    return this.#counters.refused;
  }

  /** Attempts that reached their own timeout, or the idle timeout. */
  get timeouts(): number {
    return this.#counters.timeouts;
  }

  /** Attempts that ended after they had been abandoned, except those that only report the abort. */
  get late(): number {
    return this.#counters.late;
  }

  /** Milliseconds spent in pauses. */
  get pauseTime(): number {
    return this.#counters.pauseTime;
  }

  /** Executions that were nested in an attempt, or in the scope of `within`. */
  get nested(): number {
    return this.#counters.nested;
  }

  /** Reports of progress by attempts that had not ended. */
  get progress(): number {
    return this.#counters.progress;
  }

  /** Failures that began a new streak, by the option `resetAfter`. */
  get resets(): number {
    return this.#counters.resets;
  }

  /** The number of executions that have ended, by reason. A copy of the present numbers. */
  get ends(): Ends {
    return { ...this.#counters.ends };
  }

  /**
   * All counters as plain data, for logs and metrics. `JSON.stringify` and `console.log` show
   * the same.
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
    return { ...this.#counters, ends: this.ends };
  }

  /** Sets all counters to 0. Executions that are under way count on from there. */
  reset(): void {
    Object.assign(this.#counters, new Counters());
  }
}

/** Counters, and the view of them. */
export class Tally {
  readonly counters: Counters = new Counters();
  readonly statistic: Statistic = new Statistic(this.counters);
}
