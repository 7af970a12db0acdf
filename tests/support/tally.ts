// Counts by name.

/** The number of times that each name was added. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** The most frequent first. */
  toString(): string {
    return [...this.#counts].sort(([, one], [, other]) => other - one)
      .map(([name, count]) => `${count} ${name}`).join(", ") || "none";
  }
}
