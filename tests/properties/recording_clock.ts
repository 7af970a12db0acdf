// A clock that keeps account of what the library asks of it.

import type { Clock } from "@asyncbackoff/asyncbackoff";

/** A clock as TestClock is. */
export type FullClock = Required<Clock>;

/** A clock that has `sleep` only. */
export function withoutAfter({ now, sleep }: FullClock): Clock {
  return { now, sleep };
}

/** The clock that is given to the library; it tells its wakes, and what is left of them. */
export class RecordingClock implements FullClock {
  readonly now: FullClock["now"];
  readonly sleep: FullClock["sleep"];
  readonly after: FullClock["after"];
  /** Each tells whether it is still waited for. */
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

  /** How many timers are left. */
  get left(): number {
    return [...this.#timers].filter((isLeft) => isLeft()).length;
  }

  #remember(isLeft: () => boolean): () => void {
    this.#timers.add(isLeft);
    return () => void this.#timers.delete(isLeft);
  }
}
