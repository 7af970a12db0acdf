// Whether the event loop comes round: what is late by no more than a few beats is late because
// the loop is, however busy the machine.

import { performance } from "node:perf_hooks";

const PERIOD = 5;

/** Notes when the loop has come round: a timer, and then what follows all timers. */
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

  /** How often it has beaten since an instant. */
  since(instant: number): number {
    return this.#beats.length - 1 - this.#beats.findLastIndex((at) => at <= instant);
  }

  /** The longest the loop took to come round, but for the period, in ms. */
  get worst(): number {
    const gaps = this.#beats.map((at, index) =>
      at - (this.#beats[index - 1] ?? at) - PERIOD
    );
    return gaps.reduce((worst, gap) => Math.max(worst, gap), 0);
  }
}
