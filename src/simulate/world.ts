/**
 * The description of a simulated world: who calls, when, and what the service answers.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkCallback,
  checkDuration,
  checkFiniteDuration,
  checkFlag,
  checkInteger,
  checkNumber,
  option,
  wrongType,
} from "../check/values.ts";
import type { Attempt } from "../driver/attempt.ts";
import type { TestClock } from "../testing/test_clock.ts";
import type { Latency } from "./latency.ts";

/** The answer to one call of a script. `null` and `undefined` mean absent. */
export interface Answer {
  /**
   * Milliseconds until the answer, >= 0. With `Infinity`, there is none.
   *
   * @default {0}
   */
  latency?: number | null | undefined;
  /** The error that the call fails with. Without it, the call returns `value`. */
  error?: unknown;
  /** The value that the call returns. */
  value?: unknown;
  /**
   * Whether the call goes on after its attempt has timed out, so that it ends late.
   *
   * @default {false}
   */
  ignoresSignal?: boolean | null | undefined;
}

/** A time in which every call fails. */
export interface Outage {
  /** The instant at which it begins, in milliseconds >= 0. */
  from: number;
  /** The instant at which it is over, in milliseconds >= `from`. */
  to: number;
  /**
   * Whether calls get no answer at all. Otherwise they fail after the latency.
   *
   * @default {false}
   */
  hangs?: boolean | null | undefined;
}

/** A bound on the calls that a service answers in a window of time. */
export interface RateLimit {
  /** The number of calls: an integer >= 1. */
  calls: number;
  /** The length of each window, in milliseconds: finite and > 0. Windows follow each other. */
  window: number;
}

/** A call of the service, for a `service` of your own. */
export interface ServiceCall {
  /** The attempt that calls. */
  readonly attempt: Attempt;
  /** The number of the client, from 0. */
  readonly client: number;
  /** The clock of the simulation. */
  readonly clock: TestClock;
  /** A source of random numbers, by the seed of the world. */
  readonly random: () => number;
}

/**
 * A world: its clients, and the service that they call. The answers come from `script`, from
 * `service`, or from a model with the options after these. `null` and `undefined` mean absent.
 */
export interface World {
  /**
   * The seed of all random numbers, an integer. The same seed gives the same simulation in each
   * runtime.
   *
   * @default {1}
   */
  seed?: number | null | undefined;
  /**
   * The number of clients: an integer >= 1.
   *
   * @default {1}
   */
  clients?: number | null | undefined;
  /**
   * The number of executions that each client begins: an integer >= 1.
   *
   * @default {1} (without a bound if there is a `rate`)
   */
  executions?: number | null | undefined;
  /**
   * The time between the beginnings of two executions of a client, in milliseconds: finite and
   * >= 0. With 0, all of them begin at once.
   *
   * @default {0}
   */
  interval?: number | null | undefined;
  /**
   * Executions per second that each client begins, at random and independently of how earlier
   * ones end: a number > 0, or a function of the instant that returns one. It replaces
   * `interval`.
   */
  rate?: number | ((at: number) => number) | null | undefined;
  /** The highest value that a function `rate` returns. It must be given with a function. */
  maxRate?: number | null | undefined;
  /**
   * The instant at which the simulation ends, in milliseconds: > 0 and at most 1,000,000,000.
   * Executions that are under way then have no end.
   *
   * @default {3_600_000}
   */
  end?: number | null | undefined;
  /**
   * The number of attempts of all executions after which the simulation ends: an integer >= 1
   * and at most 1,000,000. It ends a policy that would retry for ever.
   *
   * @default {1_000_000}
   */
  maxAttempts?: number | null | undefined;
  /**
   * The number of executions that the timeline shows, the first ones: an integer >= 0.
   *
   * @default {10}
   */
  timelines?: number | null | undefined;
  /**
   * The answers to the attempts of each execution, one after the other. The last one is
   * repeated.
   */
  script?: readonly Answer[] | null | undefined;
  /** A service of your own. Its result, its error or its promise is the answer to a call. */
  service?: ((call: ServiceCall) => unknown) | null | undefined;
  /**
   * The time until an answer.
   *
   * @default {0}
   */
  latency?: Latency | null | undefined;
  /**
   * The share of calls that fail, from 0 to 1.
   *
   * @default {0}
   */
  failureRate?: number | null | undefined;
  /**
   * The share of calls that get no answer, from 0 to 1.
   *
   * @default {0}
   */
  hangRate?: number | null | undefined;
  /** Times in which every call fails. */
  outages?: readonly Outage[] | null | undefined;
  /**
   * The number of calls per second that the service can work on, > 0. It works on one after
   * the other, also on those whose clients have given up, and the latency is added.
   *
   * @default {Infinity}
   */
  capacity?: number | null | undefined;
  /**
   * A bound on the calls that are answered. Calls above it fail at once with an error whose
   * `status` is 429, and whose `retryAfter` is the number of milliseconds until the next window.
   */
  rateLimit?: RateLimit | null | undefined;
  /**
   * A function that makes the error of a call that fails.
   *
   * @default {() => new Error("a simulated failure")}
   */
  error?: (() => unknown) | null | undefined;
}

/** A world with its defaults. */
export type CheckedWorld = {
  readonly [name in keyof World]-?:
    | Exclude<World[name], null | undefined>
    | (
      name extends "script" | "service" | "rateLimit" | "rate" ? null : never
    );
};

const ACTION = "simulate";
const subject = (name: keyof World) => option(ACTION, name);

const NAMES = /* @__PURE__ */ namesOf<World>({
  seed: true,
  clients: true,
  executions: true,
  interval: true,
  rate: true,
  maxRate: true,
  end: true,
  maxAttempts: true,
  timelines: true,
  script: true,
  service: true,
  latency: true,
  failureRate: true,
  hangRate: true,
  outages: true,
  capacity: true,
  rateLimit: true,
  error: true,
});
const ANSWER_NAMES = /* @__PURE__ */ namesOf<Answer>({
  latency: true,
  error: true,
  value: true,
  ignoresSignal: true,
});
const OUTAGE_NAMES = /* @__PURE__ */ namesOf<Outage>({ from: true, to: true, hangs: true });
const RATE_LIMIT_NAMES = /* @__PURE__ */ namesOf<RateLimit>({ calls: true, window: true });

/**
 * Checks a world.
 *
 * @param world The world as the caller gave it.
 * @returns The world with its defaults.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 */
export function checkWorld(world: World): CheckedWorld {
  checkKeys(ACTION, world, NAMES);
  const rate = world.rate ?? null;
  return {
    seed: checkNumber(subject("seed"), world.seed ?? 1, "an integer", Number.isInteger),
    clients: checkInteger(subject("clients"), world.clients ?? 1, 1),
    executions: checkExecutions(world.executions ?? (rate === null ? 1 : Infinity)),
    interval: checkFiniteDuration(subject("interval"), world.interval ?? 0),
    rate: typeof rate === "function" || rate === null
      ? rate
      : checkPositive("rate", rate, "a number > 0, or a function that returns one"),
    maxRate: checkPositive(
      "maxRate",
      world.maxRate ?? (typeof rate === "function" ? undefined : rate ?? 1),
      "a finite number > 0, the highest value of the function 'rate'",
    ),
    end: checkNumber(
      subject("end"),
      world.end ?? 3_600_000,
      "a number of milliseconds > 0 and <= 1000000000",
      (ms) => ms > 0 && ms <= 1e9,
    ),
    maxAttempts: checkNumber(
      subject("maxAttempts"),
      world.maxAttempts ?? 1e6,
      "an integer >= 1 and <= 1000000",
      (count) => Number.isInteger(count) && count >= 1 && count <= 1e6,
    ),
    timelines: checkInteger(subject("timelines"), world.timelines ?? 10, 0),
    script: checkScript(world.script ?? null),
    service: checkCallback(subject("service"), world.service),
    latency: checkLatency(world.latency ?? 0),
    failureRate: checkShare("failureRate", world.failureRate ?? 0),
    hangRate: checkShare("hangRate", world.hangRate ?? 0),
    outages: (world.outages ?? []).map(checkOutage),
    capacity: checkNumber(
      subject("capacity"),
      world.capacity ?? Infinity,
      "a number of calls per second > 0",
      (number) => number > 0,
    ),
    rateLimit: checkRateLimit(world.rateLimit ?? null),
    error: checkCallback(subject("error"), world.error) ??
      (() => new Error("a simulated failure")),
  };
}

function checkExecutions(count: unknown): number {
  return count === Infinity ? count : checkInteger(subject("executions"), count, 1);
}

function checkPositive(name: keyof World, value: unknown, rule: string): number {
  const isValid = (number: number) => number > 0 && number < Infinity;
  return checkNumber(subject(name), value, rule, isValid);
}

function checkShare(name: keyof World, value: unknown): number {
  return checkNumber(
    subject(name),
    value,
    "a number from 0 to 1",
    (number) => number >= 0 && number <= 1,
  );
}

function checkLatency(latency: Latency): Latency {
  return typeof latency === "function"
    ? latency
    : checkDuration(subject("latency"), latency);
}

function checkScript(script: readonly Answer[] | null): readonly Answer[] | null {
  if (script === null) return null;
  if (!Array.isArray(script) || script.length === 0) {
    throw wrongType(subject("script"), "a list of answers that is not empty", script);
  }
  return script.map((answer: Answer, index) => {
    const where = `${ACTION}: answer ${index + 1} of 'script'`;
    checkKeys(where, answer, ANSWER_NAMES);
    checkDuration(`${where}: 'latency'`, answer.latency ?? 0);
    checkFlag(`${where}: 'ignoresSignal'`, answer.ignoresSignal ?? false);
    return { ...answer };
  });
}

function checkOutage(outage: Outage, index: number): Outage {
  const where = `${ACTION}: outage ${index + 1}`;
  checkKeys(where, outage, OUTAGE_NAMES);
  const from = checkFiniteDuration(`${where}: 'from'`, outage.from);
  const to = checkNumber(
    `${where}: 'to'`,
    outage.to,
    "a number of milliseconds >= 'from'",
    (at) => at >= from,
  );
  return { from, to, hangs: checkFlag(`${where}: 'hangs'`, outage.hangs ?? false) };
}

function checkRateLimit(limit: RateLimit | null): RateLimit | null {
  if (limit === null) return null;
  const where = `${ACTION}: option 'rateLimit'`;
  checkKeys(where, limit, RATE_LIMIT_NAMES);
  return {
    calls: checkInteger(`${where}: 'calls'`, limit.calls, 1),
    window: checkNumber(
      `${where}: 'window'`,
      limit.window,
      "a finite number of milliseconds > 0",
      (ms) => ms > 0 && ms < Infinity,
    ),
  };
}
