/**
 * The run of a simulation: its clients begin executions on one clock until the end.
 *
 * @module
 */

import { wrongType } from "../check/values.ts";
import type { Attempt } from "../driver/attempt.ts";
import type { Failure } from "../engine/state.ts";
import { Backoff } from "../notation/backoff.ts";
import type { BackoffEvent } from "../policy/events.ts";
import type { BackoffOptions } from "../policy/options.ts";
import { seeded } from "../testing/seeded.ts";
import { TestClock } from "../testing/test_clock.ts";
import { Deferred } from "../time/promises.ts";
import { Recorder } from "./recorder.ts";
import { type Service, serviceOf } from "./service.ts";
import type { Simulation } from "./simulation.ts";
import type { CheckedWorld } from "./world.ts";

/** A client of a simulation, for which a policy is made. */
export interface SimulatedClient {
  /** Its number, from 0. */
  readonly index: number;
  /** The clock of the simulation, such as for a signal that aborts at an instant. */
  readonly clock: TestClock;
  /** A source of random numbers, by the seed of the world: the option `random` of a pause. */
  readonly random: () => number;
}

/** The options of a policy, without the clock, which is the simulation's. */
export type SimulatedPolicy = Omit<BackoffOptions, "clock">;

/** A policy, or a function that makes the policy of each client. */
export type PolicySource =
  | SimulatedPolicy
  | ((client: SimulatedClient) => SimulatedPolicy);

/** An execution that is to begin. */
export interface Beginning {
  /** Its number, from 1. */
  readonly number: number;
  /** The options of its policy, on the clock of the simulation. */
  readonly options: BackoffOptions;
  /** The policy with these options. */
  readonly backoff: Backoff;
  /** The function to execute. */
  readonly fn: (attempt: Attempt) => unknown;
  /** The function that receives its events. */
  readonly observe: (event: BackoffEvent) => void;
}

/** Begins an execution, and returns its promise. */
export type Execute = (beginning: Beginning) => Promise<unknown>;

/**
 * Begins an execution by its policy.
 *
 * @param beginning The execution.
 * @returns Its promise.
 */
export const execute: Execute = ({ backoff, fn, observe }) =>
  backoff.execute(fn, { observe, detached: true });

/** The run of a simulation. */
export class Run {
  readonly #world: CheckedWorld;
  readonly #execute: Execute;
  readonly #clock = new TestClock();
  readonly #recorder: Recorder;
  readonly #service: Service;
  readonly #arrivals: () => number;
  readonly #answers: () => number;
  readonly #policies: readonly Pick<Beginning, "options" | "backoff">[];
  readonly #end = new Deferred<void>();
  #begun = 0;
  /** The number of clients that begin more executions, and of executions under way. */
  #open = 0;

  /**
   * Makes a run, which has not begun.
   *
   * @param policy The policy, or a function that makes it for each client.
   * @param world The world.
   * @param execute Begins an execution.
   */
  constructor(policy: PolicySource, world: CheckedWorld, execute: Execute) {
    this.#world = world;
    this.#execute = execute;
    this.#recorder = new Recorder(world.timelines);
    this.#service = serviceOf(world);
    this.#arrivals = seeded(world.seed);
    this.#answers = seeded(world.seed + 2);
    this.#policies = policiesOf(policy, world, this.#clock);
  }

  /**
   * Runs until every execution has ended, or until the end of the world.
   *
   * @returns The simulation.
   */
  async end(): Promise<Simulation> {
    const { clients, end } = this.#world;
    this.#open = clients;
    // First at its instant, so `end` itself is outside.
    this.#clock.after(end, () => this.#end.resolve());
    for (let client = 0; client < clients; client++) {
      this.#arrive(client).catch((error) => this.#end.reject(error));
    }
    // What is under way is simply left: it waits for a clock that stands still.
    await this.#clock.run(this.#end.promise, { maxTimers: Number.MAX_SAFE_INTEGER });
    return this.#recorder.end(this.#clock.now());
  }

  /** Begins the executions of a client: each at an interval, or by a Poisson process. */
  async #arrive(client: number): Promise<void> {
    const { executions, interval, rate, maxRate } = this.#world;
    const random = this.#arrivals;
    for (let begun = 0; begun < executions;) {
      if (rate !== null) {
        await this.#clock.sleep(-Math.log(1 - random()) * 1000 / maxRate);
        const now = typeof rate === "function" ? rate(this.#clock.now()) : rate;
        if (random() * maxRate >= now) continue;
      } else if (begun > 0 && interval > 0) {
        await this.#clock.sleep(interval);
      }
      begun += 1;
      this.#begin(client);
    }
    this.#close();
  }

  #begin(client: number): void {
    const [clock, random, service] = [this.#clock, this.#answers, this.#service];
    const record = this.#recorder.begin(client, clock.now());
    this.#begun += 1;
    this.#open += 1;
    const close = () => this.#close();
    this.#execute({
      number: this.#begun,
      ...this.#policies[client] as Pick<Beginning, "options" | "backoff">,
      fn: function call(attempt) {
        return service({ attempt, client, clock, random });
      },
      observe: (event) => {
        record(event);
        if (this.#recorder.attempts >= this.#world.maxAttempts) this.#end.resolve();
      },
    }).then(close, close);
  }

  #close(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#end.resolve();
  }
}

/** The policies of all clients. They share one, unless a function makes their own. */
function policiesOf(
  policy: PolicySource,
  { clients, seed }: CheckedWorld,
  clock: TestClock,
): Pick<Beginning, "options" | "backoff">[] {
  const random = seeded(seed + 1);
  const made = (options: SimulatedPolicy) => {
    const { clock: own } = options as BackoffOptions;
    if (own !== undefined && own !== null) {
      throw wrongType("simulate: option 'clock'", "absent", own);
    }
    const onClock = { ...options, clock };
    return { options: onClock, backoff: new Backoff(onClock) };
  };
  return typeof policy === "function"
    ? Array.from(
      { length: clients },
      (_, index) => made(policy({ index, clock, random })),
    )
    : new Array(clients).fill(made(withRandom(policy, random)));
}

/**
 * Makes a growing pause draw from a source of the simulation, which it takes as its second
 * argument.
 *
 * @param options The options of a policy.
 * @param random The source.
 * @returns The options.
 */
export function withRandom(
  options: SimulatedPolicy,
  random: () => number,
): SimulatedPolicy {
  const { pause } = options;
  if (typeof pause !== "function") return options;
  const draw = pause as (failure: Failure, random: () => number) => number;
  return { ...options, pause: (failure) => draw(failure, random) };
}
