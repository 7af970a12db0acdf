/**
 * The record of a simulation, which its executions write by their events.
 *
 * @module
 */

import type { Reason } from "../engine/state.ts";
import type { BackoffEvent } from "../policy/events.ts";
import { Timeline } from "../timeline/timeline.ts";
import { type Second, type SimulatedExecution, Simulation } from "./simulation.ts";

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** The record of a simulation. */
export class Recorder {
  readonly #executions: SimulatedExecution[] = [];
  readonly #load: Second[] = [];
  readonly #timeline: Timeline;
  readonly #timelines: number;
  /** The number of attempts that have begun. */
  attempts = 0;

  /**
   * Makes an empty record.
   *
   * @param timelines The number of executions to draw, the first ones.
   */
  constructor(timelines: number) {
    this.#timelines = timelines;
    this.#timeline = new Timeline({ maxExecutions: Math.max(1, timelines) });
  }

  /**
   * Begins the record of an execution.
   *
   * @param client The number of its client.
   * @param beganAt The instant.
   * @returns The function that receives its events.
   */
  begin(client: number, beganAt: number): (event: BackoffEvent) => void {
    const pauses: number[] = [];
    const record: Mutable<SimulatedExecution> = {
      client,
      beganAt,
      elapsed: Infinity,
      attempts: 0,
      pauses,
      reason: null,
      outcome: null,
    };
    const number = this.#executions.push(record);
    const isDrawn = number <= this.#timelines;
    this.#secondOf(beganAt).executions += 1;
    let pausedAt: number | null = null;
    return (event) => {
      // Numbered from 1, so that the drawing is the same in each run.
      if (isDrawn) this.#timeline.observe({ ...event, execution: number });
      if (event.type === "late") return;
      if (pausedAt !== null) pauses.push(event.at - pausedAt);
      pausedAt = null;
      const second = this.#secondOf(event.at);
      switch (event.type) {
        case "attempt":
          this.attempts += 1;
          record.attempts = event.attempt;
          second.attempts += 1;
          return;
        case "failure":
          second.failures += 1;
          if (event.pauseAfter !== null) pausedAt = event.at;
          return;
        default: // "done" alone: a new type of event does not compile
          record.elapsed = event.elapsed;
          record.reason = event.reason satisfies Reason;
          record.outcome = event.outcome;
          if (event.reason === "success") second.successes += 1;
      }
    };
  }

  /**
   * Makes the result.
   *
   * @param endedAt The last instant.
   * @returns The simulation.
   */
  end(endedAt: number): Simulation {
    return new Simulation(this.#executions, this.#load, this.#timeline, endedAt);
  }

  #secondOf(at: number): Second {
    const index = Math.floor(at / 1000);
    while (this.#load.length <= index) {
      this.#load.push({ executions: 0, attempts: 0, failures: 0, successes: 0 });
    }
    return this.#load[index] as Second;
  }
}
