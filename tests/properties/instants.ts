// Time for the reference: a list of entries that are due at instants, and a plain loop over
// it.

/** An action that is due at an instant. */
export interface Entry {
  readonly at: number;
  /** At one instant, the entry that was armed first comes first. */
  readonly armed: number;
  readonly kind: string;
  /** The attempt that it belongs to; 0 for none. */
  readonly attempt: number;
  readonly act: () => void;
}

/** Entries in the order in which they are due. */
export class Instants {
  now = 0;
  readonly #entries: Entry[] = [];
  #armed = 0;

  /** Arms an entry. With `Infinity`, it is never due. */
  after(ms: number, kind: string, attempt: number, act: () => void): void {
    if (ms === Infinity) return;
    this.#entries.push({ at: this.now + ms, armed: this.#armed++, kind, attempt, act });
  }

  /**
   * Runs all entries. Before the first entry of an instant, `meet` receives all of that
   * instant.
   */
  loop(meet: (entries: Entry[]) => void, afterEach: () => void): void {
    let last = -1;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.now = next.at;
      if (next.at !== last) {
        meet([
          next,
          ...this.#entries.filter(({ at }) => at === this.now),
        ]);
      }
      last = next.at;
      next.act();
      afterEach();
    }
  }

  #next(): Entry | undefined {
    let first = 0;
    for (const [index, { at, armed }] of this.#entries.entries()) {
      const best = this.#entries[first] as Entry;
      if (at < best.at || (at === best.at && armed < best.armed)) first = index;
    }
    return this.#entries.splice(first, 1)[0];
  }
}
