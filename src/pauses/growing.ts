/**
 * Pauses that grow from failure to failure, with jitter, so that those who
 * failed together do not come back together.
 *
 * Each is a pure function of the failure (and of chance), so that one policy
 * serves any number of executions at once. The formulas are those of
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @module
 */

import { show } from "./errors.ts";
import { type Aliases, checkKeys } from "./options.ts";
import type { Failure } from "./state.ts";
import { callback, duration, finiteNumber, wordOption } from "./validate.ts";

/**
 * What chance does to a pause `v` that has been capped already: `"full"` is
 * U(0, v), `"equal"` is v/2 + U(0, v/2), `"none"` is v.
 */
export type Jitter = "full" | "equal" | "none";

/** A pause as a function of the failure, of which it needs `tries` and `pause` alone. */
export type GrowingPause = (
  failure: Partial<Failure> & Pick<Failure, "tries" | "pause">,
) => number;

/** Options of {@linkcode decorrelated}. `null` and `undefined` mean absent. */
export interface DecorrelatedOptions {
  /**
   * The first pause before jitter, and the least that is drawn from if it is
   * `decorrelated`, in milliseconds: finite and >= 0.
   *
   * @default {100}
   */
  initial?: number | null | undefined;
  /**
   * The longest pause, in milliseconds >= 0; `Infinity` is no bound.
   *
   * @default {30_000}
   */
  max?: number | null | undefined;
  /**
   * The source of chance: called once a pause, and returns a number from 0 to 1.
   * One with a seed makes the whole run deterministic.
   *
   * @default {Math.random}
   */
  random?: (() => number) | null | undefined;
}

/** Options of {@linkcode exponential}. `null` and `undefined` mean absent. */
export interface ExponentialOptions extends DecorrelatedOptions {
  /**
   * By how much each pause is longer than the one before it: finite and >= 1.
   *
   * @default {2}
   */
  factor?: number | null | undefined;
  /**
   * What chance does to a pause.
   *
   * @default {"full"}
   */
  jitter?: Jitter | null | undefined;
}

/** Options of {@linkcode linear}. `null` and `undefined` mean absent. */
export interface LinearOptions extends DecorrelatedOptions {
  /**
   * What is added to each pause, in milliseconds: finite and >= 0.
   *
   * @default {100}
   */
  step?: number | null | undefined;
  /**
   * What chance does to a pause.
   *
   * @default {"full"}
   */
  jitter?: Jitter | null | undefined;
}

const ALIASES: Aliases = {
  initial: "base basedelay delay initialdelay initialinterval mintimeout startingdelay",
  max: "cap maxdelay maxinterval maxpause maxtimeout",
  factor: "exponent multiplier timemultiple",
  step: "increment",
  jitter: "randomize",
  random: "rng seed",
};

/**
 * Pauses that grow by a factor: before jitter, after the n-th try, it is
 * `min(max, initial * factor ** (n - 1))`.
 *
 * @param options `initial`: default 100 ms. `factor`: default 2. `max`: default
 * 30 s. `jitter`: `"full"` (default), `"equal"` or `"none"`. `random`: default
 * `Math.random`.
 * @returns A function to be the option `pause`.
 * @throws {TypeError} If an option is of the wrong kind, or unknown.
 * @throws {RangeError} If an option is of the wrong value.
 *
 * @example The pauses of a policy
 * ```ts
 * import { asyncretry, exponential } from "@asyncbackoff/asyncbackoff";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const retry = asyncretry(5, { pause: exponential({ initial: 1, max: 10 }) });
 * let calls = 0;
 * const load = retry(async () => await (++calls < 5 ? Promise.reject("busy") : "ready"));
 * assertEquals(await load(), "ready");
 *
 * const plain = exponential({ initial: 200, jitter: "none" });
 * assertEquals(plain({ tries: 3, pause: 400 }), 800);
 * assert(exponential()({ tries: 100, pause: 0 }) <= 30_000);
 * ```
 */
export function exponential(options?: ExponentialOptions | null): GrowingPause {
  const names = ["initial", "factor", "max", "jitter", "random"];
  const { initial, max, random } = checked(options, names);
  const factor = finiteNumber("factor", options?.factor ?? 2, { least: 1 });
  const jitter = jitterOption(options?.jitter);
  return ({ tries }) => {
    const growth = Math.min(factor ** (tries - 1), Number.MAX_VALUE); // 0 * Infinity is NaN
    return jittered(Math.min(max, initial * growth), jitter, random);
  };
}

/**
 * Pauses that grow by a step: before jitter, after the n-th try, it is
 * `min(max, initial + step * (n - 1))`.
 *
 * @param options `initial`: default 100 ms. `step`: default 100 ms. `max`:
 * default 30 s. `jitter`: `"full"` (default), `"equal"` or `"none"`. `random`:
 * default `Math.random`.
 * @returns A function to be the option `pause`.
 * @throws {TypeError} If an option is of the wrong kind, or unknown.
 * @throws {RangeError} If an option is of the wrong value.
 *
 * @example One second more each time, up to five
 * ```ts
 * import { linear } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const pause = linear({ initial: 1000, step: 1000, max: 5000, jitter: "none" });
 *
 * assertEquals([1, 2, 3, 9].map((tries) => pause({ tries, pause: 0 })), [
 *   1000,
 *   2000,
 *   3000,
 *   5000,
 * ]);
 * ```
 */
export function linear(options?: LinearOptions | null): GrowingPause {
  const { initial, max, random } = checked(options, [
    "initial",
    "step",
    "max",
    "jitter",
    "random",
  ]);
  const step = finiteDuration("step", options?.step ?? 100);
  const jitter = jitterOption(options?.jitter);
  return ({ tries }) =>
    jittered(Math.min(max, initial + step * (tries - 1)), jitter, random);
}

/**
 * Pauses that are drawn from the one before: `min(max, U(initial, 3 * previous))`,
 * where the pause before the first is `initial`. The cap comes last, as published.
 *
 * @param options `initial`: default 100 ms. `max`: default 30 s. `random`:
 * default `Math.random`.
 * @returns A function to be the option `pause`.
 * @throws {TypeError} If an option is of the wrong kind, or unknown.
 * @throws {RangeError} If an option is of the wrong value.
 *
 * @example A run that is the same each time
 * ```ts
 * import { decorrelated } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const pause = decorrelated({ initial: 100, max: 1000, random: () => 0.5 });
 *
 * assertEquals(pause({ tries: 1, pause: 0 }), 200); // from 100 to 300
 * assertEquals(pause({ tries: 2, pause: 200 }), 350); // from 100 to 600
 * ```
 */
export function decorrelated(options?: DecorrelatedOptions | null): GrowingPause {
  const { initial, max, random } = checked(options, ["initial", "max", "random"]);
  return ({ pause }) => {
    const most = Math.min(3 * Math.max(initial, pause), Number.MAX_VALUE);
    return Math.min(max, initial + (most - initial) * draw(random));
  };
}

/** What {@linkcode byChance} has the pauses drawn from, instead of their own `random`. */
let chance: (() => number) | null = null;

/**
 * Has every pause that is asked for by a function drawn from a source of chance.
 *
 * @param random The source.
 * @param ask Asks for pauses.
 * @returns What `ask` returns.
 */
export function byChance<T>(random: () => number, ask: () => T): T {
  const before = chance;
  chance = random;
  try {
    return ask();
  } finally {
    chance = before;
  }
}

/** The options that all pauses have, checked. */
function checked(options: DecorrelatedOptions | null | undefined, known: string[]) {
  checkKeys(options ?? {}, known, ALIASES);
  return {
    initial: finiteDuration("initial", options?.initial ?? 100),
    max: Math.min(duration("max", options?.max, 30_000), Number.MAX_VALUE), // a pause is finite
    random: callback("random", options?.random) ?? (() => Math.random()),
  };
}

function finiteDuration(name: string, value: number): number {
  return finiteNumber(name, value, { rule: "a finite number of milliseconds >= 0" });
}

function jitterOption(jitter: unknown): Jitter {
  return wordOption("jitter", jitter ?? "full", ["full", "equal", "none"]);
}

function jittered(pause: number, jitter: Jitter, random: () => number): number {
  if (jitter === "none") return pause;
  const part = pause * draw(random);
  return jitter === "full" ? part : pause / 2 + part / 2;
}

function draw(random: () => number): number {
  const number = (chance ?? random)();
  if (typeof number === "number" && number >= 0 && number <= 1) return number;
  const Wrong = typeof number === "number" ? RangeError : TypeError;
  throw new Wrong(
    `Cannot draw a pause as 'random' must return a number from 0 to 1: it returned ${
      show(number)
    }`,
  );
}
