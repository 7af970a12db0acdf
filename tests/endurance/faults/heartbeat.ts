// Measures the turns of the event loop. A call that is late by only a few turns is late
// because the loop is busy, not because of the library.

import { performance } from "node:perf_hooks";

const PERIOD = 5;

/**
 * Records the turns. A beat is a timer and then an immediate, which runs after all timers.
 */
export class Heartbeat {
  readonly #beats: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor() {
    this.#beat();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #beat(): void {
    if (this.#isStopped) return;
    this.#beats.push(performance.now());
    this.#timer = setTimeout(() => setImmediate(() => this.#beat()), PERIOD);
  }

  /** The number of beats since an instant. */
  since(instant: number): number {
    return this.#beats.length - 1 - this.#beats.findLastIndex((at) => at <= instant);
  }

  /** The longest time between two beats beyond the period, in ms. */
  get worst(): number {
    const gaps = this.#beats.map((at, index) =>
      at - (this.#beats[index - 1] ?? at) - PERIOD
    );
    return gaps.reduce((worst, gap) => Math.max(worst, gap), 0);
  }
}
