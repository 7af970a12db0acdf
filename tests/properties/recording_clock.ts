// A clock that records the timers that the library sets on it.

import type { Clock } from "@asyncbackoff/asyncbackoff";

/** A clock with `after`, like TestClock. */
export type FullClock = Required<Clock>;

/** The same clock without its `after`. */
export function withoutAfter({ now, sleep }: FullClock): Clock {
  return { now, sleep };
}

/** The clock that the library gets. It reports wakes, and counts pending timers. */
export class RecordingClock implements FullClock {
  readonly now: FullClock["now"];
  readonly sleep: FullClock["sleep"];
  readonly after: FullClock["after"];
  /** For each timer, whether it is still pending. */
  readonly #timers = new Set<() => boolean>();

  constructor(clock: FullClock, woke: () => void) {
    this.now = () => clock.now();
    this.after = (ms, wake) => {
      const forget = this.#remember(() => ms !== Infinity);
      const cancel = clock.after(ms, () => {
        forget();
        woke();
        wake();
      });
      return () => {
        forget();
        cancel();
      };
    };
    this.sleep = (ms, options = {}) => {
      const forget = this.#remember(() => !options.signal?.aborted);
      return clock.sleep(ms, options).then(woke).finally(forget);
    };
  }

  /** The number of timers that are left. */
  get left(): number {
    return [...this.#timers].filter((isLeft) => isLeft()).length;
  }

  #remember(isLeft: () => boolean): () => void {
    this.#timers.add(isLeft);
    return () => void this.#timers.delete(isLeft);
  }
}
