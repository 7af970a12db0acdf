/**
 * Runs policies against a world.
 *
 * @module
 */

import { execute, Run, type SimulatedClient, type SimulatedPolicy } from "./run.ts";
import type { Simulation } from "./simulation.ts";
import { checkWorld, type World } from "./world.ts";

/**
 * Runs the library by a policy against a world, on a virtual clock of its own. Nothing waits:
 * 100,000 executions take seconds. The same seed gives the same result in each runtime.
 *
 * Random numbers come from three streams, so that a change of the policy does not change the
 * world: arrivals draw by the seed, pauses by the next integer, answers by the one after it. The
 * growing pauses draw from the second stream, in place of their own source.
 *
 * @param policy The options of one policy that all clients share, including its budget. Or a
 * function that makes the options of each client: then a budget is each client's own, and
 * pauses should take `random` from the client.
 * @param world The clients, and the service that they call.
 * @returns The result. It rejects with a `TypeError` or a `RangeError` if an option is wrong, and
 * with the error that a function `policy` or `rate` throws. An error of `service` or `latency`
 * is a failed attempt.
 *
 * @example The load when every call fails
 * ```ts
 * import { simulate } from "@asyncbackoff/asyncbackoff/simulate";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = { exceptions: "all", maxTries: 3, pause: 100 } as const;
 * const result = await simulate(policy, { executions: 1000, failureRate: 1 });
 *
 * assertEquals(result.loadFactor, 3); // three times the load of a client without retries
 * assertEquals(result.percentile(1), 200); // two pauses
 * ```
 *
 * @example A script, and a drawing
 * ```ts
 * import { simulate } from "@asyncbackoff/asyncbackoff/simulate";
 * import { assertEquals, assertMatch } from "@std/assert";
 *
 * const policy = { attemptTimeout: 300, exceptions: "all", pause: 50 } as const;
 * const script = [
 *   { latency: 100, error: new Error("reset") },
 *   { latency: Infinity },
 *   { latency: 80, value: "done" },
 * ];
 * const { executions: [execution], timeline } = await simulate(policy, { script });
 *
 * assertEquals(execution?.elapsed, 580); // 100 + 50 + 300 + 50 + 80
 * assertMatch(`${timeline}`, /2 attempt timeout/);
 * ```
 */
export async function simulate(
  policy: SimulatedPolicy | ((client: SimulatedClient) => SimulatedPolicy),
  world: World,
): Promise<Simulation> {
  return await new Run(policy, checkWorld(world), execute).end();
}
