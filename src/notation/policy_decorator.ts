/**
 * The decorator of a policy.
 *
 * @module
 */

import { execute } from "../driver/execution.ts";
import { presentScope } from "../driver/nesting.ts";
import type { Tally } from "../driver/statistic.ts";
import type { BackoffPolicy } from "../policy/policy.ts";
import { type AsyncDecorator, decorator, type Wrap } from "./decorator.ts";

/**
 * Makes the decorator of a policy.
 *
 * @param policy The policy.
 * @param tally Returns the counters of the wrapped functions.
 * @returns The decorator.
 */
export function policyDecorator(
  policy: BackoffPolicy,
  tally: () => Tally,
): AsyncDecorator {
  const wrap: Wrap = (fn, name) => {
    // A method in shorthand has a `this`, and cannot be called with `new`.
    const { wrapped } = {
      wrapped(this: unknown, ...args: unknown[]): Promise<unknown> {
        const scope = presentScope();
        const task = { name, fn, self: this, args, signal: null, scope };
        return execute(policy, tally().counters, task);
      },
    };
    return wrapped;
  };
  const statistic = { get: () => tally().statistic, enumerable: true };
  return decorator(wrap, policy.name, { statistic });
}
