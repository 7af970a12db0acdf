/**
 * One execution of a simulation in steps: each state of the engine, with what led to it.
 *
 * @module
 */

import type { BackoffEvent, Reason } from "@asyncbackoff/asyncbackoff";
import type { Simulation, World } from "@asyncbackoff/asyncbackoff/simulate";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
import { execute as executeByDriver } from "../src/driver/execution.ts";
import { Counters } from "../src/driver/statistic.ts";
import { type Limit, LIMIT_NAMES } from "../src/engine/limit.ts";
import type { Failure, State } from "../src/engine/state.ts";
import { BackoffPolicy } from "../src/policy/policy.ts";
import { type Beginning, execute, Run } from "../src/simulate/run.ts";
import { checkWorld } from "../src/simulate/world.ts";
import type { Policy } from "./policy.ts";

/** A step of an execution. */
export interface Step {
  /** The instant, in milliseconds since the execution began. */
  readonly at: number;
  /** What happened, in a sentence. */
  readonly words: string;
  /** The state of the engine after it. */
  readonly state: State;
}

/** One execution. */
export interface Trace {
  readonly beganAt: number;
  readonly steps: readonly Step[];
  readonly policy: BackoffPolicy;
  /** The drawing of the library. */
  readonly svg: string;
  /** The latest instant of the drawing, in milliseconds since the execution began. */
  readonly latest: number;
  /** Whether it was left before it ended. */
  readonly isCut: boolean;
}

/** The reasons in words. */
const REASONS: Readonly<Record<Reason, string>> = {
  success: "The execution ends with the value.",
  nonRetryable: "The policy does not retry this error, so the execution ends with it.",
  exhausted: "Another execution has retried this error already, so the execution ends.",
  maxTries: "It was the last try, so the execution ends with this error.",
  giveup: "The policy gives up, so the execution ends with this error.",
  budget: "The budget refuses a retry, so the execution ends with this error.",
  deadline: "The execution ends at its deadline.",
  aborted: "A signal aborts the execution.",
  callbackError: "A function of the policy throws, and the execution ends with that error.",
};

/** Counters that also report each state that the driver enters. */
class StateCounters extends Counters {
  readonly #report: (state: State, failure: Failure | null) => void;

  constructor(report: (state: State, failure: Failure | null) => void) {
    super();
    this.#report = report;
  }

  override count(before: State, next: State, failure: Failure | null): void {
    super.count(before, next, failure);
    this.#report(next, failure);
  }
}

/** A simulation, and one of its executions in steps. */
export interface Traced {
  readonly simulation: Simulation;
  /** `null` if the simulation has no such execution. */
  readonly trace: Trace | null;
}

/**
 * Simulates a policy in a world, and follows one of its executions.
 *
 * @param policy The policy.
 * @param options The world.
 * @param number The number of the execution to follow, from 1.
 * @param ended Called with the execution as soon as it has ended.
 * @returns The simulation, and the steps of the execution.
 */
export async function traced(
  policy: Policy,
  options: World,
  number: number,
  ended: (trace: Trace) => void = () => {},
): Promise<Traced> {
  const world = checkWorld(options);
  const recording = new Recording(number);
  const run = new Run(
    policy.source(),
    world,
    (beginning) =>
      beginning.number === number
        ? recording.execute(beginning).finally(() => {
          const trace = recording.end(false);
          if (trace !== null) ended(trace);
        })
        : execute(beginning),
  );
  const simulation = await run.end();
  const trace = recording.end(simulation.executions[number - 1]?.outcome === null);
  return { simulation, trace };
}

/** The record of one execution. */
class Recording {
  readonly #timeline = new Timeline();
  readonly #steps: Step[] = [];
  readonly #number: number;
  #policy: BackoffPolicy | null = null;
  #beganAt = 0;

  constructor(number: number) {
    this.#number = number;
  }

  /** Executes by the driver itself, whose states it records. */
  execute({ options, fn, observe }: Beginning): Promise<unknown> {
    const policy = new BackoffPolicy({
      ...options,
      observe: (event) => {
        observe(event);
        this.#observe(event);
      },
    });
    this.#policy = policy;
    this.#beganAt = policy.clock.now();
    const counters = new StateCounters((state, failure) =>
      this.#add(state.at, wordsOf(state, failure), state)
    );
    const name = policy.name ?? "load";
    return executeByDriver(policy, counters, {
      name,
      fn,
      self: undefined,
      args: null,
      signal: null,
      scope: null,
    });
  }

  end(isCut: boolean): Trace | null {
    const [policy, beganAt] = [this.#policy, this.#beganAt];
    if (policy === null) return null;
    const latest = this.#steps.at(-1)?.at ?? 0;
    return {
      beganAt,
      steps: this.#steps,
      policy,
      svg: this.#timeline.toSVG(),
      latest,
      isCut,
    };
  }

  #observe(event: BackoffEvent): void {
    this.#timeline.observe({ ...event, execution: this.#number });
    const last = this.#steps.at(-1);
    if (event.type !== "late" || last === undefined) return;
    const end = event.outcome.status === "fulfilled" ? "returns a value" : "fails";
    const words =
      `Attempt ${event.attempt}, which was abandoned, ${end} late. Nothing changes.`;
    this.#add(event.at, words, last.state);
  }

  #add(at: number, words: string, state: State): void {
    this.#steps.push({ at: at - this.#beganAt, words, state });
  }
}

function wordsOf(state: State, failure: Failure | null): string {
  const number = state.attempts;
  switch (state.phase) {
    case "trying":
      return `Attempt ${number} begins.`;
    case "stopping":
      return `Attempt ${number} reaches its ${LIMIT_NAMES[state.limit]}. Its signal is ` +
        "aborted, and it winds down within the grace.";
    case "pausing":
      return `${failureWords(number, failure)} A pause of ${
        rounded(state.pause)
      } ms begins.`;
    case "done": {
      const begin = failure === null ? "" : `${failureWords(number, failure)} `;
      const value = state.reason === "success" ? `Attempt ${number} returns a value. ` : "";
      return `${value}${begin}${REASONS[state.reason]}`;
    }
  }
}

function failureWords(number: number, failure: Failure | null): string {
  if (failure === null) return "";
  return failure.limit === null
    ? `Attempt ${number} fails: ${errorText(failure.error)}.`
    : `Attempt ${number} is ended by its ${LIMIT_NAMES[failure.limit as Limit]}.`;
}

/**
 * Describes an error in a few words.
 *
 * @param error Any value that was thrown.
 * @returns The text.
 */
export function errorText(error: unknown): string {
  try {
    return String(error).slice(0, 200);
  } catch {
    return "an error that cannot be described";
  }
}

/**
 * Rounds milliseconds for reading.
 *
 * @param ms A number.
 * @returns A number with at most one decimal place.
 */
export function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
