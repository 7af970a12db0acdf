/**
 * A stretch of time, where instants lie on it, and its round ticks.
 *
 * @module
 */

/** Units of time, each with the steps that are round in it. */
const UNITS: readonly (readonly [unit: string, ms: number, steps: readonly number[]])[] = [
  ["ms", 1, [1, 2, 5, 10, 20, 50, 100, 200, 500]],
  ["s", 1000, [1, 2, 5, 10, 20, 30]],
  ["min", 60_000, [1, 2, 5, 10, 20, 30]],
  ["h", 3_600_000, [1, 2, 6, 12]],
  ["days", 86_400_000, [1, 2, 5]],
];

/** A tick: its instant, and what stands there. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** From one instant to another, drawn on so many places. */
export class TimeAxis {
  readonly #from: number;
  readonly #span: number;
  readonly #places: number;

  /**
   * Makes an axis.
   *
   * @param from The instant at its first place.
   * @param to The instant at its last; at least a millisecond later is shown.
   * @param places How many places there are in between.
   */
  constructor(from: number, to: number, places: number) {
    this.#from = from;
    this.#span = Math.max(1, to - from);
    this.#places = places;
  }

  /**
   * Where an instant lies.
   *
   * @param at The instant.
   * @returns Its place, from 0 to the number of places.
   */
  placeOf(at: number): number {
    const share = (at - this.#from) / this.#span;
    return Math.max(0, Math.min(1, share)) * this.#places;
  }

  /**
   * The round instants on the axis, counted from its beginning.
   *
   * @param most How many there may be at most, besides the one at 0.
   * @returns The ticks; the last one tells the unit.
   */
  ticks(most: number): Tick[] {
    const [unit, ms, step] = stepFor(this.#span / Math.max(1, most));
    const count = Math.floor(this.#span / (step * ms) + 1e-9);
    return Array.from({ length: count + 1 }, (_, index) => ({
      at: this.#from + index * step * ms,
      text: `${index * step}${index === count ? ` ${unit}` : ""}`,
    }));
  }
}

/** The least round step that is no shorter than a duration. */
function stepFor(least: number): readonly [unit: string, ms: number, step: number] {
  for (const [unit, ms, steps] of UNITS) {
    const step = steps.find((step) => step * ms >= least);
    if (step !== undefined) return [unit, ms, step];
  }
  const days = 86_400_000;
  return ["days", days, 10 ** Math.ceil(Math.log10(least / days))];
}
