// A budget that counts its calls and its answers.

import type { Budget, Failure } from "@asyncbackoff/asyncbackoff";

/** Wraps a budget with counters. */
export class CountedBudget implements Budget {
  readonly #budget: Budget;
  executions = 0;
  failures = 0;
  successes = 0;
  retries = 0;
  refusals = 0;
  ends = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  began(at: number): void {
    this.executions += 1;
    this.#budget.began?.(at);
  }

  failed(at: number): void {
    this.failures += 1;
    this.#budget.failed?.(at);
  }

  succeeded(at: number): void {
    this.successes += 1;
    this.#budget.succeeded?.(at);
  }

  ended(at: number): void {
    this.ends += 1;
    this.#budget.ended?.(at);
  }

  mayRetry(at: number, failure: Failure | null): boolean {
    const may = this.#budget.mayRetry(at, failure);
    if (may) this.retries += 1;
    else this.refusals += 1;
    return may;
  }
}
