// Pictures of the results about guards.

import { draw } from "./chart.ts";
import { type Latencies, quantileOf } from "./hedging.ts";
import { loadOf, PROTECTIONS } from "./layers.ts";
import { breakersByShards } from "./shard.ts";
import { overload } from "./throttling.ts";

/** Draws the share of calls that succeed, by the number of shards that are down. */
export async function drawShards(): Promise<string> {
  const lines = await breakersByShards();
  return draw(
    "Availability of ten shards behind one breaker, by the shards that are down",
    [{
      title: "Ten shards behind one breaker",
      x: { name: "number of shards that are down", ticks: [0, 1, 2, 3, 4] },
      y: { name: "share of calls that succeed", ticks: [0, 0.25, 0.5, 0.75, 1] },
      lines: Object.entries(lines).map(([name, points]) => ({ name, points })),
    }],
  );
}

/** Draws the requests that an overloaded server receives, over time. */
export function drawThrottle(): string {
  const everyTen = (sent: readonly number[]) =>
    sent.slice(0, 300).flatMap((_, second) =>
      second % 10 === 0
        ? [
          [
            second + 5,
            sent.slice(second, second + 10).reduce((a, b) => a + b, 0) / 1000,
          ] as const,
        ]
        : []
    );
  return draw("Requests to a server with ten times the load it can accept, by k", [{
    title: "A server that is offered ten times its capacity",
    x: { name: "time since the beginning, in seconds", ticks: [0, 60, 120, 180, 240, 300] },
    y: { name: "requests sent, as a multiple of the capacity", ticks: [0, 1, 2, 3] },
    lines: [2, 1.5, 1.1].map((k) => ({
      name: `k ${k}`,
      points: everyTen(overload(k, 10).sent),
    })),
  }]);
}

/** Draws the latency by quantile, without a hedge and hedged. */
export function drawTails(tails: Readonly<Record<string, Latencies>>): string {
  const quantiles = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999];
  return draw("Latency by quantile, without a hedge and hedged after a quantile", [{
    title: "Latency with and without a hedge",
    x: { name: "the slowest one in so many calls", ticks: [2, 10, 100, 1000], isLog: true },
    y: { name: "latency in ms", ticks: [10, 100, 1000, 2000], isLog: true },
    lines: Object.entries(tails).map(([name, { sorted }]) => ({
      name,
      points: quantiles.map((q) => [1 / (1 - q), quantileOf(sorted, q)] as const),
    })),
  }]);
}

/** Draws the load on a server, by its failure rate. */
export async function drawLoads(): Promise<string> {
  const rates = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
  const lines = [];
  for (const name of PROTECTIONS) {
    const points: [number, number][] = [];
    for (const rate of rates) points.push([100 * rate, await loadOf(name, rate)]);
    lines.push({ name, points });
  }
  return draw("Calls that reach a server for each call of a client, by its failure rate", [{
    title: "Load on a server, by what protects it",
    x: { name: "failure rate of the server, in %", ticks: [0, 20, 40, 60, 80, 100] },
    y: { name: "calls that reach the server, for each call", ticks: [0, 1, 2, 3, 4] },
    lines,
  }]);
}
