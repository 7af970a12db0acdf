// Time for the reference: a list of what is to happen, and a plain loop over it.

/** Something that is to happen. */
export interface Entry {
  readonly at: number;
  /** Of those at one instant, the one that was armed first comes first. */
  readonly armed: number;
  readonly kind: string;
  /** The attempt that it belongs to; 0 for none. */
  readonly tries: number;
  readonly happens: () => void;
}

/** What is to happen, in its order. */
export class Instants {
  now = 0;
  readonly #entries: Entry[] = [];
  #armed = 0;

  /** Arms an entry; `Infinity` never comes. */
  after(ms: number, kind: string, tries: number, happens: () => void): void {
    if (ms === Infinity) return;
    this.#entries.push({ at: this.now + ms, armed: this.#armed++, kind, tries, happens });
  }

  /** Lets everything happen; before the first of an instant, tells all that lie there. */
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
      next.happens();
      afterEach();
    }
  }

  #next(): Entry | undefined {
    let first = 0;
    for (const [index, { at, armed }] of this.#entries.entries()) {
      const least = this.#entries[first] as Entry;
      if (at < least.at || (at === least.at && armed < least.armed)) first = index;
    }
    return this.#entries.splice(first, 1)[0];
  }
}
