/**
 * One execution in steps: each state of the engine, with what led to it.
 *
 * @module
 */

import type { BackoffEvent, Reason } from "@asyncbackoff/asyncbackoff";
import type { World } from "@asyncbackoff/asyncbackoff/simulate";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
import { execute } from "../src/driver/execution.ts";
import { Counters } from "../src/driver/statistic.ts";
import { type Limit, LIMIT_NAMES } from "../src/engine/limit.ts";
import type { Failure, State } from "../src/engine/state.ts";
import { BackoffPolicy } from "../src/policy/policy.ts";
import { serviceOf } from "../src/simulate/service.ts";
import { withRandom } from "../src/simulate/simulate.ts";
import { checkWorld } from "../src/simulate/world.ts";
import { seeded } from "../src/testing/seeded.ts";
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

/** The number of attempts after which a trace is left. */
const MAX_ATTEMPTS = 60;

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

/**
 * Runs one execution of a policy in a world, alone, by the library itself.
 *
 * @param policy The policy.
 * @param options The world.
 * @param beganAt The instant at which it begins.
 * @param draw Added to the seed of the world, for another execution.
 * @returns Its steps and its drawing.
 */
export async function trace(
  policy: Policy,
  options: World,
  beganAt: number,
  draw: number,
): Promise<Trace> {
  const world = checkWorld(options);
  const clock = new TestClock(beganAt);
  const random = seeded(world.seed + 2 + 7919 * draw);
  const service = serviceOf(world);
  const timeline = new Timeline();
  const steps: Step[] = [];
  let latest = beganAt;
  let stop = (): void => {};
  const add = (at: number, words: string, state: State) => {
    latest = Math.max(latest, at);
    steps.push({ at: at - beganAt, words, state });
  };
  const observe = (event: BackoffEvent) => {
    timeline.observe({ ...event, execution: 1 });
    const last = steps.at(-1);
    if (event.type !== "late" || last === undefined) return;
    const end = event.outcome.status === "fulfilled" ? "returns a value" : "fails";
    add(
      event.at,
      `Attempt ${event.attempt}, which was abandoned, ${end} late. Nothing changes.`,
      last.state,
    );
  };
  const checked = new BackoffPolicy({
    ...withRandom(policy.options(clock), seeded(world.seed + 1 + 7919 * draw)),
    clock,
    observe,
  });
  const counters = new StateCounters((state, failure) => {
    add(state.at, wordsOf(state, failure), state);
    if (state.attempts >= MAX_ATTEMPTS) stop();
  });
  const cut = new Promise<"cut">((resolve) => {
    stop = () => resolve("cut");
    clock.after(world.end, stop);
  });
  const end = execute(checked, counters, {
    name: checked.name ?? "load",
    fn: (attempt: Parameters<typeof service>[0]["attempt"]) =>
      service({ attempt, client: 0, clock, random }),
    self: undefined,
    args: null,
    signal: null,
  }).then(() => "done", () => "done");
  const outcome = await clock.run(Promise.race([cut, end]));
  if (outcome === "done") await clock.advance(60_000); // late ends
  const svg = timeline.toSVG();
  return {
    beganAt,
    steps,
    policy: checked,
    svg,
    latest: latest - beganAt,
    isCut: outcome === "cut",
  };
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
