// A clock that fires all timers of an instant in one turn, as fakes of time do. Reactions
// to promises run only after all timers of the instant have fired.

import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import type { FullClock } from "./recording_clock.ts";

interface Timer {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock like TestClock, except for its turns. */
export class BurstClock implements FullClock {
  #now = 0;
  /** In the order in which they were armed. */
  readonly #timers = new Set<Timer>();
  readonly #turns = new TestClock();

  now(): number {
    return this.#now;
  }

  after(ms: number, wake: () => void): () => void {
    if (ms === Infinity) return () => {};
    const timer = { at: this.#now + ms, wake };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  sleep(): Promise<void> {
    throw new Error("Cannot sleep: this clock is used by its 'after' only");
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.#turns.advance(0);
    for (let at = this.#next(); at <= until; at = this.#next()) {
      this.#now = at;
      this.#burst();
      await this.#turns.advance(0);
    }
    this.#now = until;
  }

  #next(): number {
    return Math.min(...[...this.#timers].map(({ at }) => at));
  }

  #burst(): void {
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.wake();
    }
  }
}
