/**
 * Runs policies against a world.
 *
 * @module
 */

import { wrongType } from "../check/values.ts";
import type { Failure } from "../engine/state.ts";
import { Backoff } from "../notation/backoff.ts";
import type { BackoffOptions } from "../policy/options.ts";
import { seeded } from "../testing/seeded.ts";
import { TestClock } from "../testing/test_clock.ts";
import { Deferred } from "../time/promises.ts";
import { Recorder } from "./recorder.ts";
import { serviceOf } from "./service.ts";
import type { Simulation } from "./simulation.ts";
import { type CheckedWorld, checkWorld, type World } from "./world.ts";

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

/**
 * Runs the library by a policy against a world, on a virtual clock of its own. Nothing waits:
 * 100,000 executions take seconds. The same seed gives the same result in each runtime.
 *
 * Random numbers come from three streams, so that a change of the policy does not change the
 * world: arrivals draw by the seed, pauses by the next integer, answers by the one after it. The
 * growing pauses draw from the second stream, in place of their own source.
 *
 * @param policy The options of one policy that all clients share, including its budget. Or a
 * function that makes the options of each client: then a budget is each client's own, and
 * pauses should take `random` from the client.
 * @param world The clients, and the service that they call.
 * @returns The result. It rejects with a `TypeError` or a `RangeError` if an option is wrong, and
 * with the error that a function `policy` or `rate` throws. An error of `service` or `latency`
 * is a failed attempt.
 *
 * @example The load when every call fails
 * ```ts
 * import { simulate } from "@asyncbackoff/asyncbackoff/simulate";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = { exceptions: "all", maxTries: 3, pause: 100 } as const;
 * const result = await simulate(policy, { executions: 1000, failureRate: 1 });
 *
 * assertEquals(result.loadFactor, 3); // three times the load of a client without retries
 * assertEquals(result.percentile(1), 200); // two pauses
 * ```
 *
 * @example A script, and a drawing
 * ```ts
 * import { simulate } from "@asyncbackoff/asyncbackoff/simulate";
 * import { assertEquals, assertMatch } from "@std/assert";
 *
 * const policy = { attemptTimeout: 300, exceptions: "all", pause: 50 } as const;
 * const script = [
 *   { latency: 100, error: new Error("reset") },
 *   { latency: Infinity },
 *   { latency: 80, value: "done" },
 * ];
 * const { executions: [execution], timeline } = await simulate(policy, { script });
 *
 * assertEquals(execution?.elapsed, 580); // 100 + 50 + 300 + 50 + 80
 * assertMatch(`${timeline}`, /2 attempt timeout/);
 * ```
 */
export async function simulate(
  policy: SimulatedPolicy | ((client: SimulatedClient) => SimulatedPolicy),
  world: World,
): Promise<Simulation> {
  const checked = checkWorld(world);
  const run = new Run(policy, checked);
  return await run.end();
}

class Run {
  readonly #world: CheckedWorld;
  readonly #clock = new TestClock();
  readonly #recorder: Recorder;
  readonly #service;
  readonly #arrivals: () => number;
  readonly #pauses: () => number;
  readonly #answers: () => number;
  readonly #backoffs: readonly Backoff[];
  readonly #end = new Deferred<void>();
  /** The number of clients that begin more executions, and of executions under way. */
  #open = 0;

  constructor(
    policy: SimulatedPolicy | ((client: SimulatedClient) => SimulatedPolicy),
    world: CheckedWorld,
  ) {
    this.#world = world;
    this.#recorder = new Recorder(world.timelines);
    this.#service = serviceOf(world);
    this.#arrivals = seeded(world.seed);
    this.#pauses = seeded(world.seed + 1);
    this.#answers = seeded(world.seed + 2);
    this.#backoffs = this.#makeBackoffs(policy);
  }

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

  #makeBackoffs(
    policy: SimulatedPolicy | ((client: SimulatedClient) => SimulatedPolicy),
  ): Backoff[] {
    const { clients } = this.#world;
    const [clock, random] = [this.#clock, this.#pauses];
    if (typeof policy !== "function") {
      const backoff = backoffOf(withRandom(policy, random), clock);
      return new Array(clients).fill(backoff);
    }
    return Array.from(
      { length: clients },
      (_, index) => backoffOf(policy({ index, clock, random }), clock),
    );
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
    this.#open += 1;
    const close = () => this.#close();
    (this.#backoffs[client] as Backoff).execute(
      function call(attempt) {
        return service({ attempt, client, clock, random });
      },
      {
        observe: (event) => {
          record(event);
          if (this.#recorder.attempts >= this.#world.maxAttempts) this.#end.resolve();
        },
      },
    ).then(close, close);
  }

  #close(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#end.resolve();
  }
}

function backoffOf(options: SimulatedPolicy, clock: TestClock): Backoff {
  const { clock: own } = options as BackoffOptions;
  if (own !== undefined && own !== null) {
    throw wrongType("simulate: option 'clock'", "absent", own);
  }
  return new Backoff({ ...options, clock });
}

/**
 * Makes the growing pause of a policy draw from a source of the simulation.
 *
 * @param options The options of the policy.
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
