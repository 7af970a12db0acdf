/**
 * Timers in the order in which they are due.
 *
 * @module
 */

import { Heap, type HeapItem } from "../time/heap.ts";

/** A timer that is set. */
export interface QueuedTimer extends HeapItem {
  /** The instant at which it is due. */
  readonly at: number;
  /** The order of timers that are due at the same instant: first set, first fired. */
  readonly sequence: number;
  /** The function that it calls. */
  readonly wake: () => void;
}

/** Timers in the order in which they are due. Any timer can be removed. */
export class TimerQueue {
  readonly #heap = new Heap<QueuedTimer>((one, other) =>
    one.at < other.at || (one.at === other.at && one.sequence < other.sequence)
  );
  #sequence = 0;

  get size(): number {
    return this.#heap.size;
  }

  /** The timer that is due first. */
  get first(): QueuedTimer | undefined {
    return this.#heap.first;
  }

  add(at: number, wake: () => void): QueuedTimer {
    const timer = { at, sequence: this.#sequence++, wake, index: -1 };
    this.#heap.place(timer);
    return timer;
  }

  /** Removes a timer. Harmless if it is removed already. */
  remove(timer: QueuedTimer): void {
    this.#heap.remove(timer);
  }
}
