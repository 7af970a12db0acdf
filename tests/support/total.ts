// What the statistics of some policies say together.

import type { Backoff, Ends } from "@asyncbackoff/asyncbackoff";

/** The sums of their counters. */
export class Total {
  readonly #backoffs: readonly Backoff[];

  constructor(...backoffs: readonly Backoff[]) {
    this.#backoffs = backoffs;
  }

  /** The sum of one counter. */
  of(counter: "attempts" | "done" | "errors" | "cancels" | "refused" | "late"): number {
    return this.#backoffs.reduce((sum, { statistic }) => sum + statistic[counter], 0);
  }

  /** How many executions ended for one of some reasons; for any, if none is named. */
  ends(...reasons: readonly (keyof Ends)[]): number {
    return this.#backoffs.map(({ statistic: { ends } }) =>
      reasons.length === 0 ? Object.values(ends) : reasons.map((reason) => ends[reason])
    ).flat().reduce((sum, count) => sum + count, 0);
  }
}
