// The sums of the counters of several policies.

import type { Backoff, Ends } from "@asyncbackoff/asyncbackoff";

/** The sums of the counters of several policies. */
export class Total {
  readonly #backoffs: readonly Backoff[];

  constructor(...backoffs: readonly Backoff[]) {
    this.#backoffs = backoffs;
  }

  /** The sum of one counter. */
  of(counter: "attempts" | "done" | "errors" | "cancels" | "refused" | "late"): number {
    return this.#backoffs.reduce((sum, { statistic }) => sum + statistic[counter], 0);
  }

  /**
   * The number of executions that ended for one of some reasons. For any, if none is named.
   */
  ends(...reasons: readonly (keyof Ends)[]): number {
    return this.#backoffs.map(({ statistic: { ends } }) =>
      reasons.length === 0 ? Object.values(ends) : reasons.map((reason) => ends[reason])
    ).flat().reduce((sum, count) => sum + count, 0);
  }
}
