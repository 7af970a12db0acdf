/**
 * Simulations: a policy runs against a world of answers, outages and load, on a virtual clock.
 * The code that runs is the library itself, so a simulation shows what production will do.
 *
 * @example How often does a caller get an answer in time?
 * ```ts
 * import { exponential } from "@asyncbackoff/asyncbackoff";
 * import { lognormal, simulate } from "@asyncbackoff/asyncbackoff/simulate";
 * import { assert } from "@std/assert";
 *
 * const policy = {
 *   attemptTimeout: 500,
 *   deadline: 2000,
 *   pause: exponential({ initial: 50 }),
 *   exceptions: "all",
 * } as const;
 * const latency = lognormal({ median: 40, p99: 300 });
 * const result = await simulate(policy, { executions: 2000, latency, failureRate: 0.05 });
 *
 * assert(result.answeredWithin(2000) >= 0.999);
 * ```
 *
 * @module
 */

export { type Latency, lognormal, type LognormalOptions } from "./latency.ts";
export type { SimulatedClient, SimulatedPolicy } from "./run.ts";
export { simulate } from "./simulate.ts";
export type {
  Second,
  SimulatedEnds,
  SimulatedExecution,
  Simulation,
} from "./simulation.ts";
export type { Answer, Outage, RateLimit, ServiceCall, World } from "./world.ts";
