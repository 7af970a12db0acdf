// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: clients that each update
// one versioned row once, and try again on a conflict. An attempt is four hops over the
// network: a read request, its answer with the version, a write request, and its answer.

import { decorrelated, exponential, type Pause } from "@asyncbackoff/asyncbackoff";
import { type ServiceCall, simulate } from "@asyncbackoff/asyncbackoff/simulate";
import { meanOf, normal, seeded } from "../support/chance.ts";
import { compareMeans, type Comparison } from "./comparison.ts";
import { published } from "./aws_jitter_2015.ts";

const HOP = { mean: 10, deviation: 2 };
const BASE = 5;
const MAX = 2000;
/** The number of runs of each mean of ours. */
const RUNS = 20;

/** The five algorithms, with pauses of this library. */
export const algorithms: Record<string, (random: () => number) => Pause> = {
  exponential: (random) => growing("none", random),
  decorrelated: (random) => decorrelated({ initial: BASE, max: MAX, random }),
  equal: (random) => growing("equal", random),
  full: (random) => growing("full", random),
  none: () => 0,
};

/** A growing pause. In the published code, the first pause is twice the base. */
function growing(jitter: "full" | "equal" | "none", random: () => number): Pause {
  return exponential({ initial: 2 * BASE, factor: 2, max: MAX, jitter, random });
}

/** The number of writes, and the instant of the last answer. */
export interface Contention {
  readonly calls: number;
  readonly time: number;
}

/** Runs clients that all begin at 0. */
export async function contend(
  pause: Pause,
  clients: number,
  random: () => number,
): Promise<Contention> {
  const conflict = new Error("the row has another version");
  let [version, calls] = [0, 0];
  const service = async ({ clock }: ServiceCall) => {
    const hop = () => clock.sleep(Math.abs(normal(random, HOP.mean, HOP.deviation)));
    await hop();
    const read = version;
    await hop();
    await hop();
    calls += 1;
    const isWritten = read === version;
    if (isWritten) version += 1;
    await hop();
    if (!isWritten) throw conflict;
  };
  // Pauses and hops draw from one stream. A function keeps the pause's own source.
  const policy = () => ({ pause, exceptions: [Error] });
  const { endedAt } = await simulate(policy, { clients, service, timelines: 0 });
  return { calls, time: endedAt };
}

/** The means of some runs, beside the published ones. */
export interface Cell {
  readonly algorithm: string;
  readonly clients: number;
  readonly ours: Contention;
  readonly published: Contention;
  readonly comparisons: readonly Comparison[];
}

/** Runs the cells of the published table with a number of clients, or all of them. */
export async function runContention(clients?: number): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const [seed, row] of published.entries()) {
    if (clients !== undefined && row.clients !== clients) continue;
    const random = seeded(seed);
    const pause = algorithms[row.algorithm]?.(random) ?? 0;
    const runs: Contention[] = [];
    while (runs.length < RUNS) runs.push(await contend(pause, row.clients, random));
    cells.push(cellOf(row, runs));
  }
  return cells;
}

function cellOf(row: typeof published[number], runs: readonly Contention[]): Cell {
  const { algorithm, clients } = row;
  const [calls, time] = [runs.map(({ calls }) => calls), runs.map(({ time }) => time)];
  return {
    algorithm,
    clients,
    ours: { calls: meanOf(calls), time: meanOf(time) },
    published: { calls: row.calls.mean, time: row.time.mean },
    comparisons: [
      compareMeans(`${algorithm}, ${clients} clients: calls`, calls, row.calls),
      compareMeans(`${algorithm}, ${clients} clients: ms`, time, row.time),
    ],
  };
}
