// How often each thing came up.

/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, this.of(what) + 1);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** The most frequent first. */
  toString(): string {
    return [...this.#counts].sort(([, one], [, other]) => other - one)
      .map(([what, count]) => `${count} ${what}`).join(", ") || "none";
  }
}
