/**
 * An observer that records executions and draws them.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import { checkFlag, checkInteger, option } from "../check/values.ts";
import type { BackoffEvent } from "../policy/events.ts";
import type { Recorded } from "./drawing.ts";
import { ExecutionRecord } from "./execution_record.ts";
import { rowsOf } from "./rows.ts";
import { drawSVG } from "./svg.ts";
import { drawText } from "./text.ts";

/** Options of a {@linkcode Timeline}. `null` and `undefined` mean absent. */
export interface TimelineOptions {
  /**
   * The number of executions that are kept: an integer >= 1. The newest are kept, and the
   * newest 100 attempts of each.
   *
   * @default {100}
   */
  maxExecutions?: number | null | undefined;
}

/** Options of a drawing as text. `null` and `undefined` mean absent. */
export interface DrawingOptions {
  /**
   * The number of columns that a line may take: an integer >= 40.
   *
   * @default {80}
   */
  columns?: number | null | undefined;
  /**
   * Whether attempts have the colors of a terminal, as ANSI escape sequences.
   *
   * @default {false}
   */
  color?: boolean | null | undefined;
}

const MAKE = "make a timeline";

const DRAW = "draw a timeline";

const TIMELINE_OPTIONS = /* @__PURE__ */ namesOf<TimelineOptions>({ maxExecutions: true });

const DRAWING_OPTIONS = /* @__PURE__ */ namesOf<DrawingOptions>({
  columns: true,
  color: true,
});

/**
 * An observer that records executions and draws them. Each attempt is a row, with the pause
 * after it, and all executions share one axis of time. A nested execution is indented under the
 * attempt that it is nested in. A timeline keeps instants and words, but not the values. Its
 * memory is bounded, so it can stay in use in production.
 *
 * A limit is drawn as soon as events show it: the deadline after the first failure, and the
 * attempt timeout and the idle timeout after they have been reached once. The deadline of a
 * nested execution is drawn when it has been reached. Of the progress that an attempt reported,
 * the first and the latest report are drawn when it has ended.
 *
 * @example Two attempts as text
 * ```ts
 * import { Backoff, sleep } from "@asyncbackoff/asyncbackoff";
 * import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertMatch } from "@std/assert";
 *
 * const clock = new TestClock();
 * const timeline = new Timeline();
 * const { observe } = timeline;
 * const limits = { attemptTimeout: 300, pause: 100, exceptions: [] };
 * const backoff = new Backoff({ ...limits, clock, observe });
 * await clock.run(backoff.execute(async ({ number }) => {
 *   await sleep(number === 1 ? 1000 : 200, { clock });
 * }));
 *
 * console.log(timeline.toString({ columns: 60 }));
 * //     0           200          400         600 ms
 * // #1  ███████████████████──────              1 attempt timeout
 * //                              ████████████  2 success
 * // █ attempt  ─ pause
 * assertMatch(`${timeline}`, /█+─+ +1 attempt timeout\n +█+ +2 success/);
 * ```
 */
export class Timeline {
  /**
   * Records an event. It is the option `observe` of any number of policies that share one
   * clock, and can be used detached from the timeline.
   *
   * @param event The event.
   */
  readonly observe: (event: BackoffEvent) => void = (event) => this.#add(event);
  readonly #maxExecutions: number;
  readonly #executions = new Map<number, ExecutionRecord>();
  /** The number of executions before those that are kept. */
  #dropped = 0;
  /** The latest instant of all events. */
  #latest = -Infinity;

  /**
   * Makes an empty timeline.
   *
   * @param options `maxExecutions`: the number of executions that are kept; default 100.
   * @throws {TypeError} If an option is of the wrong type, or unknown.
   * @throws {RangeError} If `maxExecutions` is not an integer >= 1.
   */
  constructor(options?: TimelineOptions | null) {
    checkKeys(MAKE, options ?? {}, TIMELINE_OPTIONS);
    const max = options?.maxExecutions ?? 100;
    this.#maxExecutions = checkInteger(option(MAKE, "maxExecutions"), max, 1);
  }

  /** Removes all executions. Those that are still running are no longer recorded. */
  clear(): void {
    this.#executions.clear();
    this.#dropped = 0;
    this.#latest = -Infinity;
  }

  /**
   * Draws the executions as text.
   *
   * @param options `columns`: the number of columns that a line may take; default 80. `color`:
   * whether attempts have colors; default `false`.
   * @returns Lines, without a line break at the end.
   * @throws {TypeError} If an option is of the wrong type, or unknown.
   * @throws {RangeError} If `columns` is not an integer >= 40.
   *
   * @example A drawing in the colors of a terminal
   * ```ts
   * import { Backoff } from "@asyncbackoff/asyncbackoff";
   * import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
   * import { assertMatch } from "@std/assert";
   *
   * const timeline = new Timeline();
   * await new Backoff({ observe: timeline.observe }).execute(() => "done");
   *
   * assertMatch(timeline.toString({ columns: 60, color: true }), /\x1b\[32m█+\x1b\[0m/);
   * ```
   */
  toString(options?: DrawingOptions | null): string {
    checkKeys(DRAW, options ?? {}, DRAWING_OPTIONS);
    const columns = checkInteger(option(DRAW, "columns"), options?.columns ?? 80, 40);
    const hasColor = checkFlag(option(DRAW, "color"), options?.color ?? false);
    return drawText(this.#recorded(), columns, hasColor);
  }

  /**
   * Draws the executions as a picture, for light and dark backgrounds.
   *
   * @returns An SVG document.
   *
   * @example A picture for a file
   * ```ts
   * import { Backoff } from "@asyncbackoff/asyncbackoff";
   * import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
   * import { assertMatch } from "@std/assert";
   *
   * const timeline = new Timeline();
   * await new Backoff({ observe: timeline.observe }).execute(() => "done");
   *
   * assertMatch(timeline.toSVG(), /^<svg /); // write it to a file that ends in .svg
   * ```
   */
  toSVG(): string {
    return drawSVG(this.#recorded());
  }

  #recorded(): Recorded {
    const [executions, dropped] = [this.#executions.size, this.#dropped];
    const latest = executions === 0 ? 0 : this.#latest;
    const rows = rowsOf(this.#executions, latest);
    let [headLength, maxDepth, from] = [0, 0, latest];
    for (const { head, beganAt } of this.#executions.values()) {
      headLength = Math.max(headLength, head.length);
      from = Math.min(from, beganAt);
    }
    for (const { depth } of rows) maxDepth = Math.max(maxDepth, depth);
    return { rows, executions, dropped, headLength, maxDepth, from, latest };
  }

  #add(event: BackoffEvent): void {
    const record = this.#executions.get(event.execution) ?? this.#begin(event);
    if (record === null) return;
    record.add(event);
    this.#latest = Math.max(this.#latest, event.at);
  }

  /**
   * Begins a record with the first event of an execution. A later event belongs to an execution
   * that was removed, and is ignored.
   */
  #begin(event: BackoffEvent): ExecutionRecord | null {
    const isFirst = event.type === "attempt" && event.attempt === 1;
    const isOnly = event.type === "done" && event.attempts === 0;
    if (!isFirst && !isOnly) return null;
    const record = new ExecutionRecord(event);
    this.#executions.set(event.execution, record);
    for (const oldest of this.#executions.keys()) {
      if (this.#executions.size <= this.#maxExecutions) break;
      this.#executions.delete(oldest);
      this.#dropped += 1;
    }
    return record;
  }
}
