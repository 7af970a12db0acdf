// Pictures of the reproduced results.

import type { Cell } from "./aws_jitter.ts";
import { type Axis, type Chart, draw } from "./chart.ts";
import { FLEET, type Goodput } from "./fleet.ts";

/** Draws calls and time over the number of clients. Rings are the published means. */
export function drawContention(cells: readonly Cell[]): string {
  const names = [...new Set(cells.map(({ algorithm }) => algorithm))];
  const chart = (what: "calls" | "time", title: string, y: Axis): Chart => ({
    title,
    x: { name: "number of clients", ticks: [0, 50, 100, 150, 200] },
    y,
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
      chart("calls", "Calls until all clients have updated the row; rings: published", {
        name: "calls",
        ticks: [10, 100, 1000, 10_000],
        isLog: true,
      }),
      chart("time", "Time until all clients have updated the row; rings: published", {
        name: "time in ms",
        ticks: [100, 1000, 10_000, 100_000, 1_000_000],
        isLog: true,
      }),
    ],
  );
}

/** Draws goodput over time, with one line for each fleet. */
export function drawFleet(fleets: Readonly<Record<string, Goodput>>): string {
  return draw("Goodput of a fleet through a spike, with and without a retry budget", [{
    title: "Goodput of a fleet through a spike of load",
    x: { name: "time since the beginning, in seconds", ticks: [0, 15, 30, 45, 60, 75, 90] },
    y: {
      name: "requests answered in time, as a ratio to the calm load",
      ticks: [0, 0.5, 1, 1.5, 2],
    },
    shade: { from: FLEET.spikeFrom / 1000, to: FLEET.spikeTo / 1000, name: "spike" },
    lines: Object.entries(fleets).map(([name, goodput]) => ({
      name,
      points: goodput.map((each, second) => [second + 0.5, each] as const),
    })),
  }]);
}
