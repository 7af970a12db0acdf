/**
 * Many executions, in numbers and charts.
 *
 * @module
 */

import type { Simulation } from "@asyncbackoff/asyncbackoff/simulate";
import { drawDurations, drawLoad, type LoadLine } from "./charts.ts";
import { byId, make } from "./dom.ts";
import { duration, percent, type Warning } from "./warnings.ts";

/** The same world with another budget. */
export interface Comparison {
  readonly name: string;
  readonly simulation: Simulation;
}

/**
 * Shows a simulation.
 *
 * @param simulation The simulation.
 */
export function showSimulation(simulation: Simulation): void {
  const { executions, loadFactor, ends } = simulation;
  const { success = 0, pending = 0 } = ends;
  const reasons = Object.entries(ends).filter(([reason]) => reason !== "success")
    .map(([reason, count]) =>
      `${count} ${reason === "pending" ? "without an end" : reason}`
    );
  const tiles: [value: string, name: string][] = [
    [`${executions.length}`, "executions"],
    [percent(success / Math.max(1, executions.length)), "ended with a value"],
    [duration(simulation.percentile(0.5)), "half of them took at most"],
    [duration(simulation.percentile(0.99)), "99 % took at most"],
    [
      duration(simulation.percentile(1)),
      pending > 0 ? "some are still waiting" : "the longest",
    ],
    [`× ${Number(loadFactor.toPrecision(3))}`, "the load without retries"],
  ];
  if (reasons.length > 0) {
    const failed = executions.length - success;
    tiles.push([`${failed}`, `failed: ${reasons.join(", ")}`]);
  }
  byId("tiles", HTMLElement).replaceChildren(
    ...tiles.map(([value, name]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value))
    ),
  );
  byId("durations", HTMLElement).innerHTML = drawDurations(simulation);
}

/**
 * Shows the load over time.
 *
 * @param name The name of the policy as it is.
 * @param simulation Its simulation.
 * @param other The same with another budget; `null` until it is known.
 */
export function showLoad(
  name: string,
  simulation: Simulation,
  other: Comparison | null,
): void {
  const lines: LoadLine[] = [
    {
      name: "executions that begin",
      kind: "demand",
      values: simulation.load.map(({ executions }) => executions),
    },
    { name, kind: "load", values: simulation.load.map(({ attempts }) => attempts) },
  ];
  if (other !== null) {
    const values = other.simulation.load.map(({ attempts }) => attempts);
    lines.push({ name: other.name, kind: "other", values });
  }
  byId("load", HTMLElement).innerHTML = drawLoad(lines);
  byId("load-legend", HTMLElement).replaceChildren(
    ...lines.map(({ name, kind }) => make("span", { class: `k-${kind}` }, name)),
  );
}

/** The levels in words, for screen readers. */
const LEVELS: Readonly<Record<Warning["level"], string>> = {
  warning: "Warning: ",
  note: "Note: ",
  good: "Good: ",
};

/**
 * Shows the consequences of a policy.
 *
 * @param warnings The consequences.
 */
export function showWarnings(warnings: readonly Warning[]): void {
  byId("words", HTMLElement).replaceChildren(
    ...warnings.map(({ level, text }) =>
      make(
        "li",
        { class: level },
        make("span", {}, make("span", { class: "hidden" }, LEVELS[level]), text),
      )
    ),
  );
}
