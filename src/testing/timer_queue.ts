/**
 * Timers in the order in which they are due.
 *
 * @module
 */

/** A timer that is set. */
export interface QueuedTimer {
  /** The instant at which it is due. */
  readonly at: number;
  /** The order of timers that are due at the same instant: first set, first fired. */
  readonly sequence: number;
  /** The function that it calls. */
  readonly wake: () => void;
  /** The index in the heap; -1 once it is removed. */
  index: number;
}

/** A binary heap that knows the index of each timer, so that any timer can be removed. */
export class TimerQueue {
  readonly #heap: QueuedTimer[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The timer that is due first. */
  get first(): QueuedTimer | undefined {
    return this.#heap[0];
  }

  add(at: number, wake: () => void): QueuedTimer {
    const timer = { at, sequence: this.#sequence++, wake, index: this.#heap.length };
    this.#heap.push(timer);
    this.#rise(timer);
    return timer;
  }

  /** Removes a timer. Harmless if it is removed already. */
  remove(timer: QueuedTimer): void {
    const { index } = timer;
    const last = index < 0 ? undefined : this.#heap.pop();
    if (last === undefined) return;
    timer.index = -1;
    if (last === timer) return;
    this.#put(last, index);
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: QueuedTimer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  #rise(timer: QueuedTimer): void {
    while (timer.index > 0) {
      const parent = this.#heap[(timer.index - 1) >> 1];
      if (parent === undefined || isBefore(parent, timer)) return;
      this.#swap(parent, timer);
    }
  }

  #sink(timer: QueuedTimer): void {
    while (true) {
      const left = this.#heap[timer.index * 2 + 1];
      const right = this.#heap[timer.index * 2 + 2];
      const child = left && right && isBefore(right, left) ? right : left;
      if (child === undefined || isBefore(timer, child)) return;
      this.#swap(timer, child);
    }
  }

  #swap(upper: QueuedTimer, lower: QueuedTimer): void {
    const { index } = upper;
    this.#put(upper, lower.index);
    this.#put(lower, index);
  }
}

function isBefore(one: QueuedTimer, other: QueuedTimer): boolean {
  return one.at < other.at || (one.at === other.at && one.sequence < other.sequence);
}
