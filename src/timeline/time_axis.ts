/**
 * An axis of time: the positions of instants, and round ticks.
 *
 * @module
 */

/** A unit of time, its length in milliseconds, and the steps that are round in it. */
type Unit = readonly [unit: string, ms: number, steps: readonly number[]];

const UNITS: readonly Unit[] = [
  ["ms", 1, [1, 2, 5, 10, 20, 50, 100, 200, 500]],
  ["s", 1000, [1, 2, 5, 10, 20, 30]],
  ["min", 60_000, [1, 2, 5, 10, 20, 30]],
  ["h", 3_600_000, [1, 2, 6, 12]],
  ["days", 86_400_000, [1, 2, 5]],
];

/** A tick of an axis. */
export interface Tick {
  /** The instant of the tick, in milliseconds. */
  readonly at: number;
  /** The label of the tick. */
  readonly text: string;
}

/** An axis from one instant to another, drawn at a length in cells or in units of a picture. */
export class TimeAxis {
  readonly #from: number;
  readonly #span: number;
  readonly #length: number;

  /**
   * Makes an axis.
   *
   * @param from The instant at the beginning of the axis, in milliseconds.
   * @param to The instant at its end. The axis spans at least one millisecond.
   * @param length The length of the axis in the drawing.
   */
  constructor(from: number, to: number, length: number) {
    this.#from = from;
    this.#span = Math.max(1, to - from);
    this.#length = length;
  }

  /**
   * Finds the position of an instant.
   *
   * @param at The instant, in milliseconds. One that is outside of the axis has the position
   * of the nearer end.
   * @returns The position, from 0 to the length of the axis.
   */
  positionOf(at: number): number {
    const part = (at - this.#from) / this.#span;
    return Math.max(0, Math.min(1, part)) * this.#length;
  }

  /**
   * Finds the unit of the ticks.
   *
   * @param max The largest number of ticks, not counting the one at 0.
   * @returns The unit, such as `ms`.
   */
  unit(max: number): string {
    return this.#stepFor(max)[0];
  }

  /**
   * Makes ticks at round durations since the beginning of the axis.
   *
   * @param max The largest number of ticks, not counting the one at 0.
   * @returns The ticks, the one at 0 first. The label of the last one has the unit.
   */
  ticks(max: number): Tick[] {
    const [unit, ms, step] = this.#stepFor(max);
    const count = Math.floor(this.#span / (step * ms) + 1e-9);
    return Array.from({ length: count + 1 }, (_, index) => ({
      at: this.#from + index * step * ms,
      text: `${index * step}${index === count ? ` ${unit}` : ""}`,
    }));
  }

  #stepFor(max: number) {
    return stepFor(this.#span / Math.max(1, max));
  }
}

/** Finds the shortest round step that is at least as long as a duration in milliseconds. */
function stepFor(min: number): readonly [unit: string, ms: number, step: number] {
  for (const [unit, ms, steps] of UNITS) {
    const step = steps.find((step) => step * ms >= min);
    if (step !== undefined) return [unit, ms, step];
  }
  const days = 86_400_000;
  return ["days", days, 10 ** Math.ceil(Math.log10(min / days))];
}
