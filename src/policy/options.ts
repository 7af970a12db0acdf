/**
 * What a caller may ask for, and the check of it.
 *
 * @module
 */

import type { Budget } from "./budget.ts";
import type { Clock } from "./clock.ts";
import type { Failure } from "./state.ts";
import { show } from "./errors.ts";
import type { BackoffEvent } from "./observe.ts";
import { isSignal, type Signal } from "./signal.ts";

/** A class that `instanceof` works with; errors of it are retried. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => unknown;

/**
 * How long to wait between the end of an attempt and the start of the next, in
 * milliseconds: a finite number >= 0, or a function of the failure that returns one.
 */
export type Pause = number | ((failure: Failure) => number);

/** Every option but the two limits. `null` and `undefined` mean absent. */
export interface RetryOptions {
  /**
   * How many attempts there are at most, the first included: an integer >= 1.
   *
   * @default {Infinity}
   */
  maxTries?: number | null | undefined;
  /**
   * The classes whose errors are retried. `"all"` is everything that can be
   * thrown but errors named `"AbortError"`. Timeouts, which are all errors named
   * `"TimeoutError"`, are always retried.
   *
   * @default {[]} (of `asyncretry`: `"all"`)
   */
  exceptions?: readonly ErrorClass[] | "all" | null | undefined;
  /**
   * How long to wait between the end of an attempt and the start of the next,
   * in milliseconds: finite and >= 0, or a function of the failure that returns
   * such a number. A pause of 0 still lets the event loop come round. What the
   * function throws goes out, and ends the execution.
   *
   * @default {0}
   */
  pause?: Pause | null | undefined;
  /**
   * Asked after each failure that would be retried: `true` ends the execution
   * with that failure's error. It must answer at once: a promise is refused.
   * What it throws goes out instead.
   *
   * @default {null}
   */
  giveup?: ((error: unknown, failure: Failure) => boolean) | null | undefined;
  /**
   * What bounds the retries of all executions that share it, over any number of
   * policies: `RetryBudget`, `TokenBudget`, or one of your own. It is asked last,
   * before the pause; where it refuses, the failure's own error goes out. First
   * attempts are never refused.
   *
   * @default {null}
   */
  budget?: Budget | null | undefined;
  /**
   * How long an attempt that was cut by its own timeout is given to wind down
   * before the pause begins, in milliseconds >= 0. It ends as soon as the attempt
   * settles; a value that arrives in it is the result. With `Infinity` two
   * attempts never run at once; without a deadline that can wait for ever.
   *
   * @default {0}
   */
  grace?: number | null | undefined;
  /** Aborts every execution of this policy, in addition to the signal of `execute`. */
  signal?: Signal | null | undefined;
  /** Told what happens, as it happens. It changes nothing, even if it throws. */
  observe?: ((event: BackoffEvent) => void) | null | undefined;
  /**
   * What tells the time and waits.
   *
   * @default {systemClock}
   */
  clock?: Clock | null | undefined;
}

/** Every option. `null` and `undefined` mean absent. */
export interface BackoffOptions extends RetryOptions {
  /**
   * How long one attempt may take, in milliseconds >= 0. An attempt that takes
   * longer is cut, and has failed with a `TimeoutError`, which is retried.
   *
   * @default {Infinity}
   */
  attemptTimeout?: number | null | undefined;
  /**
   * How long the whole execution may take, in milliseconds >= 0, whatever it is
   * doing. With 0 the function is never called.
   *
   * @default {Infinity}
   */
  deadline?: number | null | undefined;
}

/** The names of all options. */
export const OPTION_NAMES: readonly (keyof BackoffOptions)[] = [
  "attemptTimeout",
  "deadline",
  "pause",
  "exceptions",
  "maxTries",
  "giveup",
  "budget",
  "grace",
  "signal",
  "observe",
  "clock",
];

/** What others call each option: words in lower case, without separators. */
export type Aliases = Readonly<Record<string, string>>;

const ALIASES: Aliases = {
  maxTries: "tries attempts maxattempts retries maxretries numofattempts",
  attemptTimeout: "timeout pertrytimeout",
  deadline: "totaltimeout maxretrytime maxelapsedtime",
  pause: "delay wait backoff interval mintimeout",
  exceptions: "retryon errors",
  giveup: "shouldretry retryif isretriable",
  budget: "retrybudget retrythrottling throttle tokenbucket",
  grace: "graceperiod",
  signal: "abortsignal",
  observe: "onretry onfailedattempt",
};

/**
 * Checks that options are an object whose every key is known.
 *
 * @param options What the caller gave.
 * @param known The names that are options here.
 * @param aliases What others call them.
 * @throws {TypeError} If it is no such object; the message names the likely option.
 */
export function checkKeys(
  options: unknown,
  known: readonly string[],
  aliases: Aliases = ALIASES,
): void {
  if (!isOptions(options, known)) {
    const hint = isSignal(options) ? ": did you mean { signal }?" : "";
    throw new TypeError(
      `Cannot read the options as they must be an object: current value is ${
        show(options)
      }${hint}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw unknownOption(key, options, known, aliases);
  }
}

/**
 * Whether a value may be the options: a plain object, or one that has an option.
 * Anything else, as a signal or a Map, has no key to be unknown, and would lose
 * a limit in silence.
 *
 * @param value Any value.
 * @param known The names that are options here.
 * @returns Whether it is.
 */
export function isOptions(
  value: unknown,
  known: readonly string[] = OPTION_NAMES,
): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null ||
    known.some((name) => name in value);
}

/**
 * Options by position and by name, together; each is read once.
 *
 * @param usage How the arguments are written, for messages.
 * @param given What was given by position.
 * @param named What was given by name.
 * @returns All of them.
 * @throws {TypeError} If one is unknown, or given twice.
 */
export function mergeOptions(
  usage: string,
  given: Readonly<Record<string, unknown>>,
  named: Readonly<Record<string, unknown>>,
): BackoffOptions {
  checkKeys(named, OPTION_NAMES);
  const merged: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) {
    const [byPosition, byName] = [given[name] ?? null, named[name] ?? null];
    if (byPosition !== null && byName !== null) {
      throw misplaced(usage, `'${name}' is given twice: by position and by name`);
    }
    merged[name] = byPosition ?? byName;
  }
  return merged;
}

/**
 * The error of an argument that does not stand where it must.
 *
 * @param usage How the arguments are written.
 * @param what What is wrong.
 * @returns The error, to be thrown.
 */
export function misplaced(usage: string, what: string): TypeError {
  return new TypeError(`Cannot read the arguments of '${usage}' as ${what}`);
}

function unknownOption(
  key: string,
  options: Record<string, unknown>,
  known: readonly string[],
  aliases: Aliases,
): TypeError {
  const bare = key.toLowerCase().replace(/[^a-z]/g, "");
  const likely = known.find((name) =>
    name.toLowerCase() === bare || aliases[name]?.split(" ").includes(bare)
  );
  const isElsewhere = !known.includes(key) && OPTION_NAMES.some((name) => name === key);
  const hint = isElsewhere
    ? `the options are ${known.join(", ")}; it belongs to the policy`
    : likely === undefined
    ? `the options are ${known.join(", ")}`
    : `did you mean ${suggestion(bare, likely, options[key])}?`;
  return new TypeError(`Cannot read the options as '${key}' is none of them: ${hint}`);
}

/** The likely option, with its value where the other name counts otherwise. */
function suggestion(bare: string, likely: string, value: unknown): string {
  if (likely === "giveup" && bare !== "giveup") {
    return "'giveup', which says when to stop";
  }
  if (likely === "maxTries" && typeof value === "number" && value >= 0) {
    const tries = bare.endsWith("retries") ? value + 1 : value;
    return `'maxTries: ${tries}', in which the first try counts`;
  }
  return `'${likely}'`;
}
