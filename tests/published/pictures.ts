// Pictures of the reproduced results.

import type { Cell } from "./aws_jitter.ts";
import { type Chart, draw } from "./chart.ts";
import { FLEET, type Goodput } from "./fleet.ts";

/** Draws calls and time over the number of clients. Rings are the published means. */
export function drawContention(cells: readonly Cell[]): string {
  const names = [...new Set(cells.map(({ algorithm }) => algorithm))];
  const chart = (what: "calls" | "time", title: string, ticks: number[]): Chart => ({
    title,
    x: { name: "clients", ticks: [0, 50, 100, 150, 200] },
    y: { name: "", ticks, isLog: true },
    lines: names.map((name) => {
      const own = cells.filter(({ algorithm }) => algorithm === name);
      return {
        name,
        points: own.map(({ clients, ours }) => [clients, ours[what]] as const),
        rings: own.map(({ clients, published }) => [clients, published[what]] as const),
      };
    }),
  });
  return draw(
    "Calls and time until each of N clients has updated one row; rings are the published means",
    [
      chart("calls", "Calls until all have updated the row", [10, 100, 1000, 10_000]),
      chart("time", "Milliseconds until then; rings: published", [
        ...[100, 1000, 10_000, 100_000, 1_000_000],
      ]),
    ],
  );
}

/** Draws goodput over time, with one line for each fleet. */
export function drawFleet(fleets: Readonly<Record<string, Goodput>>): string {
  return draw("Goodput of a fleet through a spike, with and without a retry budget", [{
    title: "Goodput through a spike, as a share of the calm load",
    x: { name: "seconds", ticks: [0, 15, 30, 45, 60, 75, 90] },
    y: { name: "", ticks: [0, 0.5, 1, 1.5, 2] },
    shade: { from: FLEET.spikeFrom / 1000, to: FLEET.spikeTo / 1000, name: "spike" },
    lines: Object.entries(fleets).map(([name, goodput]) => ({
      name,
      points: goodput.map((each, second) => [second + 0.5, each] as const),
    })),
  }]);
}
