/**
 * The record of one execution, which a timeline draws. It keeps instants and words, and neither
 * values nor errors. All instants are in milliseconds on the policy's clock.
 *
 * @module
 */

import { type Limit, LIMIT_NAMES, LIMITS } from "../engine/limit.ts";
import type { Reason, Reports } from "../engine/state.ts";
import type { TimeoutError } from "../engine/timeout_error.ts";
import type {
  AttemptEvent,
  BackoffEvent,
  DoneEvent,
  FailureEvent,
  LateEvent,
  OuterAttempt,
} from "../policy/events.ts";
import type { AttemptEnd, Bar, LimitMark, Row } from "./drawing.ts";
import { wordsOf } from "./words.ts";

/** The number of attempts of an execution that are kept: the newest. */
const MAX_ATTEMPTS = 100;

/** The end of an attempt that is running when its execution ends for a reason. */
const ENDS: Readonly<Record<Reason, AttemptEnd>> = {
  success: "value",
  nonRetryable: "failure",
  exhausted: "failure",
  maxTries: "failure",
  giveup: "failure",
  budget: "failure",
  deadline: "aborted",
  aborted: "aborted",
  callbackError: "aborted",
};

/** An attempt, and the pause after it. */
interface RecordedAttempt {
  readonly number: number;
  readonly from: number;
  /** The instant at which it ended, including its grace; `null` while it runs. */
  to: number | null;
  timedOutAt: number | null;
  /** The instant at which the pause after it ends; `null` if there is none. */
  pauseTo: number | null;
  lateAt: number | null;
  progressAt: readonly number[];
  end: AttemptEnd;
  words: string;
}

/** The record of one execution. */
export class ExecutionRecord {
  /** The number of the execution, such as `#12`. */
  readonly head: string;
  /** The instant at which the execution began. */
  readonly beganAt: number;
  /** The attempt that the execution is nested in; `null` without one. */
  readonly outer: OuterAttempt | null;
  readonly #attempts: RecordedAttempt[] = [];
  /** The number of attempts before those that are kept. */
  #dropped = 0;
  /** The reason why the execution ended, if it had no attempt. */
  #words = "";
  /** The instant of the deadline; `Infinity` until an event shows it. */
  #deadlineAt = Infinity;
  /** Milliseconds of the attempt timeout; `Infinity` until an event shows them. */
  #attemptTimeout = Infinity;
  /** Milliseconds of the idle timeout; `Infinity` until an event tells them. */
  #idleTimeout = Infinity;

  /**
   * Makes an empty record.
   *
   * @param first The first event of the execution, which is yet to be added.
   */
  constructor(first: BackoffEvent) {
    this.head = `#${first.execution}`;
    this.beganAt = first.type === "done" ? first.at - first.elapsed : first.at;
    this.outer = first.outer ?? null;
  }

  /**
   * Adds an event.
   *
   * @param event An event of this execution.
   */
  add(event: BackoffEvent): void {
    switch (event.type) {
      case "attempt":
        return this.#begin(event);
      case "failure":
        return this.#fail(event);
      case "late":
        return this.#endLate(event);
      default: // "done" alone: a new type of event does not compile
        return this.#finish(event);
    }
  }

  /**
   * Makes the rows of the execution.
   *
   * @param latest The latest instant of the drawing, where running attempts and pauses end.
   * @param depth The number of attempts around the execution.
   * @returns A row for each attempt, after a row of words if there is more to say.
   */
  rows(latest: number, depth: number): Row[] {
    const rows: Omit<Row, "head" | "depth">[] = this.#attempts.map((attempt) => ({
      bar: barOf(attempt, latest),
      limits: this.#limitsOf(attempt, latest),
      words: `${attempt.number} ${attempt.words}`,
    }));
    const words = this.#dropped === 0 ? this.#words : `attempts before: ${this.#dropped}`;
    if (words !== "") {
      rows.unshift({ bar: null, limits: this.#limitsOf(null, latest), words });
    }
    return rows.map((row, index) => ({
      head: index === 0 ? this.head : "",
      depth,
      ...row,
    }));
  }

  /**
   * Finds the row of an attempt.
   *
   * @param attempt The number of the attempt.
   * @returns The index of its row, or that of the nearest row if the attempt is not kept.
   */
  rowOf(attempt: number): number {
    const before = this.#dropped === 0 ? 1 : this.#dropped; // a row of words is the first one
    const last = this.#attempts.length - (this.#dropped === 0 ? 1 : 0);
    return Math.max(0, Math.min(attempt - before, last));
  }

  #limitsOf(attempt: RecordedAttempt | null, latest: number): LimitMark[] {
    return LIMITS.map((limit) => ({ limit, at: this.#limitAt(limit, attempt) }))
      .filter(({ at }) => at <= latest);
  }

  /** The instant at which a limit is reached; `Infinity` if no event has shown it. */
  #limitAt(limit: Limit, attempt: RecordedAttempt | null): number {
    switch (limit) {
      case "deadline":
        return this.#deadlineAt;
      case "attempt":
        return (attempt?.from ?? Infinity) + this.#attemptTimeout;
      case "idle":
        return this.#idleTimeout + silentFrom(attempt);
    }
  }

  #begin({ attempt: number, at }: AttemptEvent): void {
    this.#attempts.push({
      number,
      from: at,
      to: null,
      timedOutAt: null,
      pauseTo: null,
      lateAt: null,
      progressAt: [],
      end: "running",
      words: "running",
    });
    if (this.#attempts.length <= MAX_ATTEMPTS) return;
    this.#attempts.shift();
    this.#dropped += 1;
  }

  #fail({ at, failure, pauseAfter, reports }: FailureEvent): void {
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined) return;
    const { error, limit, remaining } = failure;
    attempt.to = at;
    attempt.progressAt = instantsOf(reports);
    attempt.pauseTo = pauseAfter === null ? null : at + pauseAfter;
    // What remains of a nested execution may be bounded by the end of its outer attempt.
    if (remaining > 0 && this.outer === null) this.#deadlineAt = at + remaining;
    if (limit === null) {
      attempt.end = "failure";
      attempt.words = wordsOf(error);
      return;
    }
    attempt.end = "timeout";
    attempt.words = LIMIT_NAMES[limit];
    // The error of a limit is always a TimeoutError.
    const { ms } = error as TimeoutError;
    if (limit === "attempt") this.#attemptTimeout = ms;
    if (limit === "idle") this.#idleTimeout = ms;
    attempt.timedOutAt = Math.min(this.#limitAt(limit, attempt), at);
  }

  #endLate({ at, attempt: number, outcome }: LateEvent): void {
    const attempt = this.#attempts.find((each) => each.number === number);
    if (attempt === undefined) return;
    const end = outcome.status === "fulfilled" ? "value" : wordsOf(outcome.reason);
    attempt.lateAt = at;
    attempt.words = `${attempt.words}, late ${end}`;
  }

  #finish({ at, reason, reports }: DoneEvent): void {
    const attempt = this.#attempts.at(-1);
    if (reason === "deadline" && !this.#endedEarly(attempt)) {
      this.#deadlineAt = Math.min(this.#deadlineAt, at);
    }
    if (attempt === undefined) {
      this.#words = reason;
    } else if (attempt.to === null) {
      attempt.to = at;
      attempt.progressAt = instantsOf(reports);
      attempt.end = ENDS[reason];
      attempt.words = reason;
    } else {
      if (attempt.pauseTo !== null) attempt.pauseTo = Math.min(attempt.pauseTo, at);
      attempt.words = `${reason}: ${attempt.words}`; // first, so that it is not truncated
    }
  }

  /** Whether a nested execution ended after a failure, because too little time was left. */
  #endedEarly(attempt: RecordedAttempt | undefined): boolean {
    return this.outer !== null && attempt !== undefined && attempt.to !== null &&
      attempt.pauseTo === null;
  }
}

/** The instant from which an attempt was silent; `Infinity` while it is not known. */
function silentFrom(attempt: RecordedAttempt | null): number {
  if (attempt === null || attempt.to === null) return Infinity;
  return attempt.progressAt.at(-1) ?? attempt.from;
}

/** The instants of the first and the latest report. */
function instantsOf(reports: Reports | undefined): number[] {
  return reports === undefined ? [] : [reports.firstAt, reports.latestAt];
}

function barOf(attempt: RecordedAttempt, latest: number): Bar {
  const { from, timedOutAt, lateAt, progressAt, end, words } = attempt;
  const to = attempt.to ?? latest;
  const pauseTo = Math.min(attempt.pauseTo ?? to, latest);
  return { from, timedOutAt, to, pauseTo, lateAt, progressAt, end, words };
}
