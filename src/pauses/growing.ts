/**
 * Pauses that grow from failure to failure, with jitter, so that callers that failed
 * together do not return together.
 *
 * Each is a pure function of the failure and of a random number, so one policy serves any
 * number of executions at once. The formulas are those of "Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import {
  checkCallback,
  checkDuration,
  checkFinite,
  checkFiniteDuration,
  checkNumber,
  checkWord,
  draw,
  holds,
  option,
} from "../check/values.ts";

/**
 * The random part of a pause. If `v` is the pause with its cap applied, `"full"` is U(0, v),
 * `"equal"` is v/2 + U(0, v/2), and `"none"` is v.
 */
export type Jitter = "full" | "equal" | "none";

/** The share of a pause that is random, for each jitter: `v * (1 - share) + U(0, share * v)`. */
const RANDOM_SHARE = {
  full: 1,
  equal: 0.5,
  none: 0,
} as const satisfies Record<Jitter, number>;

/** The part of a failure that a growing pause needs. */
export interface PauseBasis {
  /** The number of the attempt that failed, starting at 1. */
  readonly attempt: number;
  /** The number of failures in a row, starting at 1. Default: `attempt`. */
  readonly streak?: number;
  /** Milliseconds of the pause before that attempt; 0 before the first. */
  readonly pauseBefore: number;
  /** The error of the failure: the `cause` of an error that the pause throws. */
  readonly error?: unknown;
}

/**
 * A pause as a function of the failure. A second argument replaces the option `random` for
 * this call; `preview` uses it.
 */
export type GrowingPause = (failure: PauseBasis, random?: () => number) => number;

/** Options of {@linkcode decorrelated}. `null` and `undefined` mean absent. */
export interface DecorrelatedOptions {
  /**
   * The first pause before jitter, in milliseconds: finite and >= 0. For `decorrelated`, the
   * lower end of every draw.
   *
   * @default {100}
   */
  initial?: number | null | undefined;
  /**
   * The longest pause, in milliseconds >= 0. `Infinity` means no bound.
   *
   * @default {30_000}
   */
  max?: number | null | undefined;
  /**
   * The shortest pause, in milliseconds: from 0 to `max`. It is applied last, after the jitter.
   *
   * @default {0}
   */
  min?: number | null | undefined;
  /**
   * The source of random numbers: called once a pause, it returns a number from 0 to 1. A
   * seeded source makes the whole run deterministic.
   *
   * @default {Math.random}
   */
  random?: (() => number) | null | undefined;
}

/** Options of {@linkcode exponential}. `null` and `undefined` mean absent. */
export interface ExponentialOptions extends DecorrelatedOptions {
  /**
   * The ratio of each pause to the one before it: finite and >= 1.
   *
   * @default {2}
   */
  factor?: number | null | undefined;
  /**
   * The random part of a pause: a word, or the share that is random, from 0 to 1. `"full"` is 1,
   * `"equal"` is 0.5, `"none"` is 0.
   *
   * @default {"full"}
   */
  jitter?: Jitter | number | null | undefined;
}

/** Options of {@linkcode linear}. `null` and `undefined` mean absent. */
export interface LinearOptions extends DecorrelatedOptions {
  /**
   * The difference of each pause to the one before it, in milliseconds: finite and >= 0.
   *
   * @default {100}
   */
  step?: number | null | undefined;
  /**
   * The random part of a pause: a word, or the share that is random, from 0 to 1. `"full"` is 1,
   * `"equal"` is 0.5, `"none"` is 0.
   *
   * @default {"full"}
   */
  jitter?: Jitter | number | null | undefined;
}

/**
 * Makes pauses that grow by a factor. Before jitter, the pause after the nth failure in a row
 * is `min(max, initial * factor ** (n - 1))`.
 *
 * @param options `initial`: default 100 ms. `factor`: default 2. `max`: default 30 s. `min`:
 * default 0. `jitter`: `"full"` (default), `"equal"`, `"none"`, or a share from 0 to 1.
 * `random`: default `Math.random`.
 * @returns A function for the option `pause`.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
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
 * assertEquals(plain({ attempt: 3, pauseBefore: 400 }), 800);
 * assert(exponential()({ attempt: 100, pauseBefore: 0 }) <= 30_000);
 * ```
 */
export function exponential(options?: ExponentialOptions | null): GrowingPause {
  const action = "make exponential pauses";
  checkOptions(
    action,
    options,
    namesOf<ExponentialOptions>({ ...COMMON_NAMES, factor: true, jitter: true }),
  );
  const { initial, max, min, random } = commonOptions(action, options);
  const factor = checkFinite(option(action, "factor"), options?.factor ?? 2, 1);
  const share = randomShare(action, options?.jitter);
  return (failure, source = random) => {
    const growth = Math.min(factor ** rank(failure), Number.MAX_VALUE); // 0 * Infinity is NaN
    return Math.max(min, jittered(Math.min(max, initial * growth), share, source, failure));
  };
}

/**
 * Makes pauses that grow by a step. Before jitter, the pause after the nth failure in a row is
 * `min(max, initial + step * (n - 1))`.
 *
 * @param options `initial`: default 100 ms. `step`: default 100 ms. `max`: default 30 s. `min`:
 * default 0. `jitter`: `"full"` (default), `"equal"`, `"none"`, or a share from 0 to 1.
 * `random`: default `Math.random`.
 * @returns A function for the option `pause`.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example One second more each time, up to five
 * ```ts
 * import { linear } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const pause = linear({ initial: 1000, step: 1000, max: 5000, jitter: "none" });
 *
 * assertEquals([1, 2, 3, 9].map((attempt) => pause({ attempt, pauseBefore: 0 })), [
 *   1000,
 *   2000,
 *   3000,
 *   5000,
 * ]);
 * ```
 */
export function linear(options?: LinearOptions | null): GrowingPause {
  const action = "make linear pauses";
  checkOptions(
    action,
    options,
    namesOf<LinearOptions>({ ...COMMON_NAMES, step: true, jitter: true }),
  );
  const { initial, max, min, random } = commonOptions(action, options);
  const step = checkFiniteDuration(option(action, "step"), options?.step ?? 100);
  const share = randomShare(action, options?.jitter);
  return (failure, source = random) => {
    const pause = Math.min(max, initial + step * rank(failure));
    return Math.max(min, jittered(pause, share, source, failure));
  };
}

/**
 * Makes pauses that are drawn from the one before: `min(max, U(initial, 3 * previous))`, where
 * `previous` is at least `initial`. The cap is applied last, as published.
 *
 * @param options `initial`: default 100 ms. `max`: default 30 s. `min`: default 0. `random`:
 * default `Math.random`.
 * @returns A function for the option `pause`.
 * @throws {TypeError} If an option is of the wrong type, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example A run that is the same each time
 * ```ts
 * import { decorrelated } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const pause = decorrelated({ initial: 100, max: 1000, random: () => 0.5 });
 *
 * assertEquals(pause({ attempt: 1, pauseBefore: 0 }), 200); // from 100 to 300
 * assertEquals(pause({ attempt: 2, pauseBefore: 200 }), 350); // from 100 to 600
 * ```
 */
export function decorrelated(options?: DecorrelatedOptions | null): GrowingPause {
  const action = "make decorrelated pauses";
  checkOptions(action, options, namesOf<DecorrelatedOptions>(COMMON_NAMES));
  const { initial, max, min, random } = commonOptions(action, options);
  return (failure, source = random) => {
    const upper = Math.min(3 * Math.max(initial, failure.pauseBefore), Number.MAX_VALUE);
    const pause = initial + (upper - initial) * drawFor(failure, source);
    return Math.max(min, Math.min(max, pause));
  };
}

/** The number of failures in a row before this one. */
function rank({ attempt, streak = attempt }: PauseBasis): number {
  return streak - 1;
}

/** Checks options. A failure in their place shows that the function itself is the pause. */
function checkOptions(
  action: string,
  options: object | null | undefined,
  names: readonly string[],
): void {
  if (holds(() => "attempt" in Object(options) && "error" in Object(options))) {
    throw new TypeError(
      `Cannot ${action}: it must be called before it is the option 'pause', got a failure; ` +
        `write 'pause: ${action.split(" ")[1]}()'`,
      { cause: (options as { error: unknown }).error },
    );
  }
  checkKeys(action, options ?? {}, names);
}

/** The names of the options that all growing pauses have. */
const COMMON_NAMES = { initial: true, max: true, min: true, random: true } as const;

/** Checks the options that all growing pauses have. */
function commonOptions(action: string, options: DecorrelatedOptions | null | undefined) {
  const max = checkDuration(option(action, "max"), options?.max ?? 30_000);
  return {
    initial: checkFiniteDuration(option(action, "initial"), options?.initial ?? 100),
    max: Math.min(max, Number.MAX_VALUE), // a pause is finite
    min: checkNumber(
      option(action, "min"),
      options?.min ?? 0,
      `a finite number of milliseconds from 0 to 'max'`,
      (min) => min >= 0 && min <= max && min < Infinity,
    ),
    random: checkCallback(option(action, "random"), options?.random) ?? mathRandom,
  };
}

/** Looks up `Math.random` at each call, so that a test may replace it. */
const mathRandom = (): number => Math.random();

/** The share of a pause that is random. */
function randomShare(action: string, jitter: Jitter | number | null | undefined): number {
  const subject = option(action, "jitter");
  if (typeof jitter === "number") {
    const rule = "a number from 0 to 1, or one of the words";
    return checkNumber(subject, jitter, rule, (share) => share >= 0 && share <= 1);
  }
  const words = Object.keys(RANDOM_SHARE) as Jitter[];
  return RANDOM_SHARE[checkWord(subject, jitter ?? "full", words)];
}

function jittered(
  pause: number,
  share: number,
  random: () => number,
  failure: PauseBasis,
): number {
  if (share === 0) return pause;
  return pause * (1 - share) + pause * share * drawFor(failure, random);
}

function drawFor({ error }: PauseBasis, random: () => number): number {
  return draw("draw a pause", random, error === undefined ? {} : { cause: error });
}
