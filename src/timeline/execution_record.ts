/**
 * One execution as its events told it: what a timeline draws. It keeps instants
 * and words, and neither values nor errors.
 *
 * @module
 */

import { TimeoutError } from "../engine/timeout_error.ts";
import type { BackoffEvent, DoneEvent, FailureEvent, LateEvent } from "../policy/events.ts";

/** So many attempts of an execution are kept, the newest. */
const MOST_ATTEMPTS = 100;

/** How an attempt ended, or that it has not. */
export type AttemptEnd = "running" | "value" | "failure" | "timeout" | "cut";

/** An attempt, and the pause after it. Instants are on the policy's clock. */
interface RecordedAttempt {
  readonly number: number;
  readonly from: number;
  /** When it was over, a grace included; `null` while it runs. */
  to: number | null;
  /** When its own timeout cut it, if that did. */
  cutAt: number | null;
  /** When the pause after it is over, if there is one. */
  pauseTo: number | null;
  /** When it ended after all, if it was abandoned. */
  lateAt: number | null;
  end: AttemptEnd;
  /** How it ended, in words. */
  words: string;
}

/** An attempt as it is drawn. No instant is later than the latest that was told. */
export interface Bar {
  readonly from: number;
  /** When its own timeout cut it, and its grace began, if that was so. */
  readonly cutAt: number | null;
  readonly to: number;
  /** When the pause after it is over; when it is, if there is none. */
  readonly pauseTo: number;
  /** When its timeout was due. */
  readonly timeoutAt: number | null;
  readonly lateAt: number | null;
  readonly end: AttemptEnd;
  readonly words: string;
}

/** A row of a drawing: an attempt, if it is of one, and words. */
export interface Row {
  /** The number of the execution, as `#12`, in its first row. */
  readonly head: string;
  readonly bar: Bar | null;
  readonly deadlineAt: number | null;
  readonly words: string;
}

/** What there is to draw. */
export interface Recorded {
  /** The rows of all executions, in their order. */
  readonly rows: readonly Row[];
  readonly executions: number;
  /** How many came before those. */
  readonly dropped: number;
  /** The width of the greatest number, as `#12`. */
  readonly digits: number;
  /** The earliest instant. */
  readonly from: number;
  /** The latest instant. */
  readonly latest: number;
}

/** An execution, from its first event on. */
export class ExecutionRecord {
  /** Its number, as `#12`. */
  readonly head: string;
  readonly beganAt: number;
  readonly #attempts: RecordedAttempt[] = [];
  /** How many attempts came before those that are kept. */
  #dropped = 0;
  /** How it ended, where no attempt can tell. */
  #words = "";
  /** When its deadline is, as far as the events tell. */
  #deadlineAt: number | null = null;
  /** How long its attempt timeout is, as far as the events tell. */
  #attemptTimeout: number | null = null;

  /**
   * Begins a record.
   *
   * @param first The first event of the execution.
   */
  constructor(first: BackoffEvent) {
    this.head = `#${first.execution}`;
    this.beganAt = first.type === "done" ? first.at - first.elapsed : first.at;
  }

  /**
   * Takes what happened.
   *
   * @param event An event of this execution.
   */
  add(event: BackoffEvent): void {
    switch (event.type) {
      case "attempt":
        return this.#begin(event.attempt, event.at);
      case "failure":
        return this.#fail(event);
      case "late":
        return this.#end(event);
      case "done":
        return this.#finish(event);
    }
  }

  /**
   * The rows that it is drawn in.
   *
   * @param latest The latest instant that was told: what goes on ends there.
   * @returns One for each attempt; at least one.
   */
  rows(latest: number): Row[] {
    const rows: Pick<Row, "bar" | "words">[] = this.#attempts.map((attempt) => ({
      bar: this.#barOf(attempt, latest),
      words: `${attempt.number} ${attempt.words}`,
    }));
    const before = this.#dropped === 0 ? this.#words : `attempts before: ${this.#dropped}`;
    if (before !== "") rows.unshift({ bar: null, words: before });
    const deadlineAt = within(this.#deadlineAt, latest);
    return rows.map((row, index) => ({
      head: index === 0 ? this.head : "",
      deadlineAt,
      ...row,
    }));
  }

  #barOf(attempt: RecordedAttempt, latest: number): Bar {
    const { from, cutAt, lateAt, end, words } = attempt;
    const to = attempt.to ?? latest;
    const pauseTo = Math.min(attempt.pauseTo ?? to, latest);
    const timeout = this.#attemptTimeout;
    const timeoutAt = within(timeout === null ? null : from + timeout, latest);
    return { from, cutAt, to, pauseTo, timeoutAt, lateAt, end, words };
  }

  #begin(number: number, from: number): void {
    this.#attempts.push({
      number,
      from,
      to: null,
      cutAt: null,
      pauseTo: null,
      lateAt: null,
      end: "running",
      words: "running",
    });
    if (this.#attempts.length <= MOST_ATTEMPTS) return;
    this.#attempts.shift();
    this.#dropped += 1;
  }

  #fail({ at, failure, pause }: FailureEvent): void {
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined) return;
    const { error, remaining } = failure;
    attempt.to = at;
    attempt.end = "failure";
    attempt.words = wordsOf(error);
    attempt.pauseTo = pause === null ? null : at + pause;
    if (remaining > 0 && remaining < Infinity) this.#deadlineAt = at + remaining;
    if (!(error instanceof TimeoutError) || error.limit !== "attempt") return;
    const cutAt = attempt.from + error.ms;
    if (cutAt > at) return; // another policy's, from within
    attempt.end = "timeout";
    attempt.words = "attempt timeout";
    attempt.cutAt = cutAt;
    this.#attemptTimeout = error.ms;
  }

  #end({ at, attempt: number, outcome }: LateEvent): void {
    const attempt = this.#attempts.find((each) => each.number === number);
    if (attempt === undefined) return;
    const what = outcome.status === "fulfilled" ? "value" : wordsOf(outcome.reason);
    attempt.lateAt = at;
    attempt.words = `${attempt.words}, late ${what}`;
  }

  #finish({ at, reason }: DoneEvent): void {
    if (reason === "deadline") this.#deadlineAt ??= at;
    const attempt = this.#attempts.at(-1);
    if (attempt === undefined) {
      this.#words = reason;
    } else if (attempt.to === null) {
      attempt.to = at;
      attempt.end = reason === "success" ? "value" : "cut";
      attempt.words = reason;
    } else {
      if (attempt.pauseTo !== null) attempt.pauseTo = Math.min(attempt.pauseTo, at);
      attempt.words = `${reason}: ${attempt.words}`; // it must not be cut off
    }
  }
}

/** An instant, if it lies in what is drawn. */
function within(at: number | null, latest: number): number | null {
  return at === null || at > latest ? null : at;
}

/** An error in a few words of printable characters, whatever it is. */
function wordsOf(error: unknown): string {
  return [...printable(textOf(error))].slice(0, 100).join("");
}

function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "an error that cannot be shown";
  }
}

/** Without what could steer a terminal, or what no XML may hold. */
function printable(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
}
