/**
 * The content of a drawing, as text or as a picture. All instants are in milliseconds on the
 * policy's clock.
 *
 * @module
 */

import type { Limit } from "../engine/limit.ts";

/** The end of an attempt. */
export type AttemptEnd =
  /** The attempt is still running. */
  | "running"
  /** The attempt returned a value. */
  | "value"
  /** The attempt failed by itself. */
  | "failure"
  /** The attempt timed out. */
  | "timeout"
  /** The attempt was aborted, because the whole execution ended. */
  | "aborted";

/** An attempt as a bar. No instant is after the latest one of the drawing. */
export interface Bar {
  /** The instant at which the attempt began. */
  readonly from: number;
  /** The instant at which it timed out, and its grace began; `null` if it did not. */
  readonly timedOutAt: number | null;
  /** The instant at which it ended, including its grace. */
  readonly to: number;
  /** The instant at which the pause after it ends; the same as `to` if there is none. */
  readonly pauseTo: number;
  /** The instant at which it ended after it was abandoned; `null` if it did not. */
  readonly lateAt: number | null;
  /** The instants of its first and latest report of progress; empty without any. */
  readonly progressAt: readonly number[];
  /** The end of the attempt. */
  readonly end: AttemptEnd;
  /** The end of the attempt, in words. */
  readonly words: string;
}

/** The mark of a limit. */
export interface LimitMark {
  /** The limit. */
  readonly limit: Limit;
  /** The instant at which the limit is reached. */
  readonly at: number;
}

/** A row of a drawing. */
export interface Row {
  /** The number of the execution, such as `#12`, in its first row; otherwise empty. */
  readonly head: string;
  /** The number of attempts around the execution, which it is indented by. */
  readonly depth: number;
  /** The attempt; `null` if the row has only words. */
  readonly bar: Bar | null;
  /** The marks of limits, from the bottom one to the top one. */
  readonly limits: readonly LimitMark[];
  /** The words that follow the bar. */
  readonly words: string;
}

/** Everything that a drawing shows. */
export interface Recorded {
  /** The rows of all executions, in their order. */
  readonly rows: readonly Row[];
  /** The number of executions that are drawn. */
  readonly executions: number;
  /** The number of executions before them, which are no longer kept. */
  readonly dropped: number;
  /** The number of characters of the longest head. */
  readonly headLength: number;
  /** The largest depth of a row. */
  readonly maxDepth: number;
  /** The earliest instant. */
  readonly from: number;
  /** The latest instant. */
  readonly latest: number;
}
