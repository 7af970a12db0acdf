/**
 * The options of a circuit breaker, and what it shows.
 *
 * @module
 */

import { describe } from "../check/describe.ts";
import { checkKeys, namesOf, plain } from "../check/keys.ts";
import {
  checkInteger,
  checkNumber,
  holds,
  option,
  wrongType,
  wrongValue,
} from "../check/values.ts";
import type { PauseBasis } from "../pauses/growing.ts";
import type { Clock } from "../time/clock.ts";
import type { BreakerPhase, BreakerPolicy, BreakerState } from "./circuit_breaker_state.ts";
import { checkPositive, type GuardDecorator, isPositive } from "./guard.ts";
import { isWindow } from "./window.ts";

/** The action of a circuit breaker's messages. */
export const ACTION = "make a circuit breaker";

/** Options of {@linkcode circuitBreaker}. `null` and `undefined` mean absent. */
export interface CircuitBreakerOptions {
  /**
   * The share of calls that may fail: above 0, at most 1. The circuit opens when at least
   * `minCalls` have ended within the window, and this share of them failed.
   *
   * @default {null} (then `consecutiveFailures` must be given)
   */
  failureRatio?: number | null | undefined;
  /**
   * The time for which the end of a call counts, in milliseconds: finite and > 0. It is counted
   * in ten slices, so a call counts for nine to ten tenths of it.
   *
   * @default {10_000}
   */
  window?: number | null | undefined;
  /**
   * The number of calls that must have ended within the window: an integer >= 1.
   *
   * @default {20}
   */
  minCalls?: number | null | undefined;
  /**
   * The circuit opens after so many failures in a row: an integer >= 1.
   *
   * @default {null} (then `failureRatio` must be given)
   */
  consecutiveFailures?: number | null | undefined;
  /**
   * The time for which an open circuit refuses calls, in milliseconds: finite and > 0, or a
   * function that returns it. The function receives `attempt`, how often the circuit has opened
   * since it was last closed, and `pauseBefore`, how long it was open the time before. A growing
   * pause such as `exponential({ initial: 5000, min: 1000 })` is such a function. A trial that
   * is pending for as long counts as failed, so it must be longer than a call takes.
   *
   * @default {5000}
   */
  openFor?: number | ((basis: PauseBasis) => number) | null | undefined;
  /**
   * The number of trials that a half-open circuit admits at once, and that must succeed to close
   * it: an integer >= 1.
   *
   * @default {1}
   */
  trials?: number | null | undefined;
  /**
   * Tells whether an error is a failure of what is called. An error for which it returns `false`
   * counts as a success, except an error named `"AbortError"`, which counts for nothing. It must
   * answer at once. An error that it throws rejects the call.
   *
   * @default {everything except errors marked by `nonRetryable`, and errors named `"AbortError"`}
   */
  isFailure?: ((error: unknown) => boolean) | null | undefined;
  /** A function that receives each event. It changes nothing, even if it throws. */
  observe?: ((event: BreakerEvent) => void) | null | undefined;
  /**
   * The source of time. Only its `now` is used.
   *
   * @default {systemClock}
   */
  clock?: Clock | null | undefined;
  /**
   * The name for messages and events.
   *
   * @default {null} (the name of the function that is called)
   */
  name?: string | null | undefined;
  /**
   * The state to begin with: what `toJSON` of another breaker returned. If the clock is behind
   * it, as in a new process, the state goes on from the present instant.
   *
   * @default {null} (closed)
   */
  state?: BreakerState | null | undefined;
}

/** The counters of a circuit breaker. */
export interface BreakerStatistic {
  /** Calls that were admitted, trials included. */
  readonly calls: number;
  /** Calls that were refused. */
  readonly refused: number;
  /** Calls that ended and count as a success. */
  readonly succeeded: number;
  /** Calls that count as a failure. */
  readonly failed: number;
  /** Calls that were aborted and count for nothing. */
  readonly aborted: number;
  /** Calls that ended too late to count: after their abort, or after the circuit had changed. */
  readonly late: number;
  /** The number of times that the circuit has opened by itself. */
  readonly opened: number;
}

/** An event that the option `observe` of a circuit breaker receives. Frozen. */
export type BreakerEvent =
  & {
    /** The instant, in milliseconds on the breaker's clock. */
    readonly at: number;
    /** The name of the function, or of the breaker. */
    readonly name: string;
  }
  & (
    /** The phase has changed. */
    | { readonly type: "changed"; readonly from: BreakerPhase; readonly to: BreakerPhase }
    /** A call was refused. */
    | { readonly type: "refused"; readonly retryIn: number }
    /** A call ended. It is `late` if it ended too late to count. */
    | {
      readonly type: "succeeded" | "failed" | "aborted" | "late";
      readonly outcome: PromiseSettledResult<unknown>;
    }
  );

/** The decorator that {@linkcode circuitBreaker} returns. */
export interface CircuitBreaker extends GuardDecorator {
  /** The present state, as plain data. Its `phase` is what most people look for. */
  readonly state: BreakerState;
  /** Counters of what it has done so far. A copy of the present numbers. */
  readonly statistic: BreakerStatistic;
  /** Refuses all calls until `close` is called. */
  isolate(): void;
  /** Closes the circuit, and forgets the failures so far, unless it is closed already. */
  close(): void;
  /**
   * The present state, for `JSON.stringify` and for the option `state`.
   *
   * @returns The state.
   */
  toJSON(): BreakerState;
}

/** The names of all options. */
export const OPTION_NAMES: readonly (keyof CircuitBreakerOptions)[] =
  /* @__PURE__ */ namesOf<CircuitBreakerOptions>({
    failureRatio: true,
    window: true,
    minCalls: true,
    consecutiveFailures: true,
    openFor: true,
    trials: true,
    isFailure: true,
    observe: true,
    clock: true,
    name: true,
    state: true,
  });

/** The names of options in other libraries, as letters in lower case. */
const OTHER_NAMES = {
  failureRatio: "threshold errorthresholdpercentage failureratethreshold",
  window: "duration samplingduration rollingcounttimeout slidingwindowsize",
  minCalls: "minimumthroughput volumethreshold minimumnumberofcalls minimumrps",
  openFor: "halfopenafter resettimeout breakduration waitdurationinopenstate",
  trials: "permittednumberofcallsinhalfopenstate successthreshold",
  isFailure: "shouldhandle errorfilter recordexceptions",
  state: "initialstate",
} satisfies { readonly [name in keyof CircuitBreakerOptions]?: string };

function hintAt(key: string): string | null {
  const [name] = Object.entries(OTHER_NAMES)
    .find(([, words]) => words.split(" ").includes(plain(key))) ?? [];
  return name === undefined ? null : `did you mean '${name}'?`;
}

/**
 * Checks the rules of a circuit breaker.
 *
 * @param options The options as the caller gave them.
 * @returns The rules.
 * @throws {TypeError} If an option is of the wrong type, or unknown, or if none says when it
 * opens.
 * @throws {RangeError} If an option has a wrong value.
 */
export function policyOf(options: CircuitBreakerOptions): BreakerPolicy {
  checkKeys(ACTION, options, OPTION_NAMES, { key: hintAt });
  const subject = (name: keyof CircuitBreakerOptions) => option(ACTION, name);
  const failureRatio = options.failureRatio ?? null;
  const consecutiveFailures = options.consecutiveFailures ?? null;
  if (failureRatio === null && consecutiveFailures === null) {
    throw new TypeError(
      `Cannot ${ACTION}: it must say when it opens; give 'failureRatio', ` +
        "'consecutiveFailures', or both",
    );
  }
  return {
    failureRatio: failureRatio === null ? Infinity : checkNumber(
      subject("failureRatio"),
      failureRatio,
      "a number above 0, and at most 1 (50 % is 0.5)",
      (ratio) => ratio > 0 && ratio <= 1,
    ),
    window: checkPositive(subject("window"), options.window ?? 10_000),
    minCalls: checkInteger(subject("minCalls"), options.minCalls ?? 20, 1),
    consecutiveFailures: consecutiveFailures === null
      ? Infinity
      : checkInteger(subject("consecutiveFailures"), consecutiveFailures, 1),
    trials: checkInteger(subject("trials"), options.trials ?? 1, 1),
    openFor: openForOf(options.openFor ?? 5000),
  };
}

function openForOf(
  openFor: number | ((basis: PauseBasis) => number),
): BreakerPolicy["openFor"] {
  if (typeof openFor !== "function") {
    const rule = "a finite number of milliseconds > 0, or a function that returns one";
    const ms = checkNumber(option(ACTION, "openFor"), openFor, rule, isPositive);
    return () => ms;
  }
  return (attempt, pauseBefore) => {
    const ms: unknown = openFor({ attempt, pauseBefore });
    if (typeof ms === "number" && ms >= 0 && ms < Infinity) return ms;
    const Wrong = typeof ms === "number" ? RangeError : TypeError;
    throw new Wrong(
      "Cannot open a circuit: 'openFor' must return a finite number of milliseconds >= 0, " +
        `got ${describe(ms)}`,
    );
  };
}

/** The numbers of each phase, without which a state cannot go on. */
const NUMBERS = {
  closed: ["failuresInRow"],
  open: ["openings", "openFor", "openUntil"],
  "half-open": ["openings", "openFor", "succeeded"],
  isolated: [],
} as const satisfies Record<BreakerPhase, readonly string[]>;

/**
 * Checks a state that was read from JSON, so far that it cannot fail later.
 *
 * @param subject The subject of the message.
 * @param state The value to check.
 * @returns The state, or `null`.
 * @throws {TypeError} If it is not a state.
 * @throws {RangeError} If its phase is unknown, or a number in it is missing.
 */
export function checkState(
  subject: string,
  state: BreakerState | null,
): BreakerState | null {
  if (state === null) return null;
  const rule = "a state that 'toJSON' of a circuit breaker returned";
  if (typeof state !== "object") throw wrongType(subject, rule, state);
  const isState = holds(() =>
    ["at", "ticket", ...NUMBERS[state.phase]].every((key) =>
      Number.isFinite(state[key as keyof BreakerState])
    ) &&
    (state.phase !== "closed" || isWindow(state.window)) &&
    (state.phase !== "half-open" ||
      state.trials.every(({ ticket, beganAt }) => Number.isFinite(ticket + beganAt)))
  );
  if (isState) return state;
  throw wrongValue(subject, rule, state);
}
