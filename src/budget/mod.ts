/**
 * Bounds on the retries of many executions together.
 *
 * @example A budget for all policies of a client
 * ```ts
 * import { asyncretry } from "@asyncbackoff/asyncbackoff";
 * import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new RetryBudget({ retryRatio: 0.2 });
 * const load = asyncretry(3, { budget })(async (id: number) => await `user ${id}`);
 *
 * assertEquals(await load(7), "user 7");
 * ```
 *
 * @module
 */

export type { Budget } from "./budget.ts";
export { RetryBudget, type RetryBudgetOptions } from "./retry_budget.ts";
export { TokenBudget, type TokenBudgetOptions } from "./token_budget.ts";
