/**
 * An observer that keeps what happened, and draws it.
 *
 * @module
 */

import { ExecutionRecord, type Recorded, type Row } from "./execution_record.ts";
import type { BackoffEvent } from "../policy/events.ts";
import { type Aliases, checkKeys } from "../policy/options.ts";
import { drawSVG } from "./svg.ts";
import { drawText } from "./text.ts";
import { flagOption, integerOption } from "../check/values.ts";

/** Options of a {@linkcode Timeline}. `null` and `undefined` mean absent. */
export interface TimelineOptions {
  /**
   * How many executions are kept, the newest: an integer >= 1. Of each, the
   * newest hundred attempts are.
   *
   * @default {100}
   */
  most?: number | null | undefined;
}

/** How a {@linkcode Timeline} is drawn as text. `null` and `undefined` mean absent. */
export interface DrawingOptions {
  /**
   * How wide it may be, in characters: an integer >= 40.
   *
   * @default {80}
   */
  columns?: number | null | undefined;
  /**
   * Whether it has the colours of a terminal, as ANSI escape sequences.
   *
   * @default {false}
   */
  colour?: boolean | null | undefined;
}

const ALIASES: Aliases = {
  most: "max limit size maxexecutions",
  columns: "width cols",
  colour: "color colors colours",
};

/**
 * An observer that keeps what happened, and draws it: a row for each attempt, with
 * the pause after it, on one axis of time for all executions. It keeps instants
 * and words, no values, and can be left on.
 *
 * Limits are drawn where the events tell them: the deadline from a first failure
 * on, the attempt timeout when it has been reached once.
 *
 * @example What happened, as text
 * ```ts
 * import { Backoff, sleep } from "@asyncbackoff/asyncbackoff";
 * import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertMatch } from "@std/assert";
 *
 * const clock = new TestClock();
 * const timeline = new Timeline();
 * const { observe } = timeline;
 * const backoff = new Backoff({ attemptTimeout: 300, pause: 100, clock, observe });
 * await clock.run(backoff.execute(async ({ number }) => {
 *   await sleep(number === 1 ? 1000 : 200, { clock });
 * }));
 *
 * console.log(timeline.toString({ columns: 60 }));
 * //     0             200            400            600 ms
 * // #1  ██████████████████████───────                1 attempt timeout
 * //                              ███████████████    2 success
 * // █ attempt  ─ pause  ┊ attempt timeout
 * assertMatch(`${timeline}`, /█+─+ +1 attempt timeout\n +█+ +2 success/);
 * ```
 */
export class Timeline {
  /**
   * The observer: an option of any number of policies on one clock. Usable detached.
   *
   * @param event What happened.
   */
  readonly observe: (event: BackoffEvent) => void = (event) => this.#add(event);
  readonly #most: number;
  readonly #executions = new Map<number, ExecutionRecord>();
  #dropped = 0;
  /** The latest instant that was told. */
  #latest = -Infinity;

  /**
   * Makes a timeline of nothing.
   *
   * @param options `most`: how many executions are kept; default 100.
   * @throws {TypeError} If an option is of the wrong kind, or unknown.
   * @throws {RangeError} If `most` is no integer >= 1.
   */
  constructor(options?: TimelineOptions | null) {
    checkKeys(options ?? {}, ["most"], ALIASES);
    this.#most = integerOption("most", options?.most ?? 100, 1);
  }

  /** Forgets all that happened. What is under way is not drawn any more. */
  clear(): void {
    this.#executions.clear();
    this.#dropped = 0;
    this.#latest = -Infinity;
  }

  /**
   * Draws what happened as text.
   *
   * @param options `columns`: how wide; default 80. `colour`: default `false`.
   * @returns Lines of at most so many columns, without an end of line at the end.
   * @throws {TypeError} If an option is of the wrong kind, or unknown.
   * @throws {RangeError} If `columns` is no integer >= 40.
   */
  toString(options?: DrawingOptions | null): string {
    checkKeys(options ?? {}, ["columns", "colour"], ALIASES);
    const columns = integerOption("columns", options?.columns ?? 80, 40);
    const hasColour = flagOption("colour", options?.colour);
    return drawText(this.#recorded(), columns, hasColour);
  }

  /**
   * Draws what happened as a picture that reads on light and on dark.
   *
   * @returns An SVG document.
   *
   * @example A picture in a file
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
    const [latest, dropped] = [this.#latest, this.#dropped];
    const rows: Row[] = [];
    let [digits, from] = [0, latest];
    for (const record of this.#executions.values()) {
      rows.push(...record.rows(latest));
      digits = Math.max(digits, record.head.length);
      from = Math.min(from, record.beganAt);
    }
    return { rows, executions: this.#executions.size, dropped, digits, from, latest };
  }

  #add(event: BackoffEvent): void {
    const record = this.#executions.get(event.execution) ?? this.#begin(event);
    if (record === null) return;
    record.add(event);
    this.#latest = Math.max(this.#latest, event.at);
  }

  /** A record, unless the execution had one that was dropped. */
  #begin(event: BackoffEvent): ExecutionRecord | null {
    const isFirst = event.type === "attempt" && event.attempt === 1;
    const isAll = event.type === "done" && event.tries === 0;
    if (!isFirst && !isAll) return null;
    const record = new ExecutionRecord(event);
    this.#executions.set(event.execution, record);
    for (const oldest of this.#executions.keys()) {
      if (this.#executions.size <= this.#most) break;
      this.#executions.delete(oldest);
      this.#dropped += 1;
    }
    return record;
  }
}
