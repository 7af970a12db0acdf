// A fleet of clients and one server in a spike of load. Without a retry budget, the server
// stays down after the spike, which is called a metastable failure.
//
// The server answers requests in order. Each takes 1 / capacity, so the latency grows with
// the queue. It cannot know that a client has given up, so it still works on that request.
// Requests arrive at random, independently of the outcome of earlier ones.

import { type Budget, exponential } from "@asyncbackoff/asyncbackoff";
import { simulate } from "@asyncbackoff/asyncbackoff/simulate";
import { meanOf } from "../support/chance.ts";
import type { Comparison } from "./comparison.ts";

/** The parameters of the model. Durations are in milliseconds. */
export const FLEET = {
  clients: 1000,
  /** Requests a second that each client makes, and in the spike. */
  rate: 1,
  spikeRate: 2,
  spikeFrom: 20_000,
  spikeTo: 30_000,
  end: 90_000,
  /** Requests a second and client that the server can answer, and its smallest latency. */
  capacity: 1.5,
  latency: 50,
  /** The policy of each client, and its pauses. */
  policy: { attemptTimeout: 1000, maxTries: 3, exceptions: [] },
  pause: { initial: 100, max: 1000 },
};

/** Requests answered in time in each second, as a share of the normal load. */
export type Goodput = readonly number[];

/** Runs a fleet in which each client has a budget of its own. */
export async function runFleet(
  makeBudget: () => Budget | null,
  clients: number = FLEET.clients,
): Promise<Goodput> {
  const { load } = await simulate(
    // Each client draws its pauses from the same stream.
    ({ random }) => ({
      ...FLEET.policy,
      pause: exponential({ ...FLEET.pause, random }),
      budget: makeBudget(),
    }),
    {
      seed: 1,
      clients,
      rate: rateAt,
      maxRate: FLEET.spikeRate,
      end: FLEET.end,
      capacity: FLEET.capacity * clients,
      latency: FLEET.latency,
    },
  );
  return load.map(({ successes }) => successes / (FLEET.rate * clients));
}

function rateAt(at: number): number {
  return at >= FLEET.spikeFrom && at < FLEET.spikeTo ? FLEET.spikeRate : FLEET.rate;
}

/** Compares the goodput of the last ten seconds with the expectation. */
export function compareEnd(name: string, goodput: Goodput, isUp: boolean): Comparison {
  const end = meanOf(goodput.slice(-10));
  return {
    what: `fleet, ${name}: goodput in the end`,
    ours: end.toFixed(3),
    published: isUp ? "recovers" : "stays down",
    deviation: null,
    agrees: isUp ? end > 0.95 : end < 0.05,
  };
}
