/**
 * One call of the function, and the view of it that the function gets.
 *
 * @module
 */

import type { Event, Failure, Trying } from "../engine/state.ts";
import { realm, triesNow } from "../realm/realm.ts";
import type { Clock } from "../time/clock.ts";
import type { Signal } from "../time/signal.ts";
import { AttemptScope, type Scope } from "./nesting.ts";

/**
 * One call of the function. `execute` passes it to the function; a decorated function gets it
 * from {@linkcode currentAttempt}.
 *
 * @example Passing the signal of each attempt to fetch
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const backoff = new Backoff({ attemptTimeout: 5000, deadline: 10_000 });
 * const answer = await backoff.execute(async (attempt) => {
 *   const response = await fetch("data:,hello", { signal: attempt.signal });
 *   return response.text();
 * });
 *
 * assertEquals(answer, "hello");
 * ```
 */
export interface Attempt {
  /** The number of the attempt in its execution, starting at 1. */
  readonly number: number;
  /**
   * Aborts when the attempt is ended from outside: by its timeout or the deadline, with a
   * `TimeoutError`, or by the caller, with the caller's own reason. Each attempt has a signal
   * of its own. It does not abort if the attempt ends by itself.
   */
  readonly signal: Signal;
  /** Milliseconds since the attempt began. */
  readonly elapsed: number;
  /**
   * Milliseconds until the nearest limit of the attempt, or of the attempt that it is nested in,
   * >= 0; `Infinity` without one.
   */
  readonly remaining: number;
  /**
   * The number of attempts that may follow this one, unless it begins a new streak; `Infinity`
   * without a bound.
   */
  readonly triesLeft: number;
  /** The failure of the attempt before; `null` for the first. */
  readonly lastFailure: Failure | null;
  /**
   * The latest checkpoint that `progress` was given, by this attempt or one before in the same
   * execution; `undefined` without one.
   */
  readonly checkpoint: unknown;
  /**
   * Reports that the attempt makes progress. This restarts the `idleTimeout`. The first report
   * begins the time of `resetAfter`. A call after the attempt has ended is ignored.
   *
   * @param checkpoint The point at which a next attempt may resume, which is its `checkpoint`.
   * Default: the checkpoint stays.
   *
   * @example An upload in parts that resumes where it broke off
   * ```ts
   * import { Backoff } from "@asyncbackoff/asyncbackoff";
   * import { assertEquals } from "@std/assert";
   *
   * const sent: number[] = [];
   * const upload = new Backoff({ exceptions: [Error], maxTries: 2, idleTimeout: 5000 });
   * await upload.execute(async (attempt) => {
   *   for (let part = Number(attempt.checkpoint ?? 0); part < 3; part++) {
   *     if (part === 2 && attempt.number === 1) throw new Error("connection lost");
   *     await Promise.resolve(sent.push(part));
   *     attempt.progress(part + 1);
   *   }
   * });
   *
   * assertEquals(sent, [0, 1, 2]);
   * ```
   */
  progress(checkpoint?: unknown): void;
}

/** A step of a stream. */
export type StreamStep = (Event & { type: "held" })["step"];

/** Receives the reports of an attempt. Each returns whether the attempt has not ended. */
export interface ReportListener {
  progressed(checkpoint: unknown): boolean;
  held(step: StreamStep, mayRepeat: boolean): boolean;
}

/** The part of a policy that an attempt shows. */
interface AttemptPolicy {
  readonly clock: Clock;
  readonly maxTries: number;
  readonly deadline: number;
  readonly grace: number;
}

/**
 * The name under which every copy of the library finds the control of an attempt. A string, because
 * no bundler drops a class with a member that is named by a symbol.
 */
export const CONTROL = "@asyncbackoff/asyncbackoff/control/1";

/** The means by which a stream drives its attempt. */
export interface AttemptControl {
  /** The clock of the policy. */
  readonly clock: Clock;
  /** The grace of the policy, in milliseconds. */
  readonly grace: number;
  /** The instant at which the execution ends at the latest. */
  readonly deadlineAt: number;
  /** Reports a step of the stream. Returns whether the attempt still runs. */
  report(step: StreamStep, mayRepeat: boolean): boolean;
  /** Ends the attempt from outside, as if its caller had aborted it. */
  abort(reason: unknown): void;
  /** Sets a function that is called once if the execution goes on without the attempt. */
  onAbandon(callback: () => void): void;
}

/** The attempt of an execution, with the means to abort it. */
export class RunningAttempt implements Attempt {
  readonly #state: Trying;
  readonly #policy: AttemptPolicy;
  readonly #execution: number;
  /** `null` once the attempt has ended, so that an attempt keeps nothing of its execution. */
  #listener: ReportListener | null;
  /** The instant at which the attempt ends at the latest. */
  #endsAt: number;
  #checkpoint: unknown;
  #onAbandon: (() => void) | null = null;
  #controller: AbortController | null = null;
  #isAborted = false;
  #reason: unknown = undefined;
  #isSettled = false;
  #scope: AttemptScope | null = null;

  /**
   * Makes an attempt.
   *
   * @param state The state in which it begins.
   * @param policy The policy of its execution.
   * @param execution The number of its execution.
   * @param listener Receives its reports.
   */
  constructor(
    state: Trying,
    policy: AttemptPolicy,
    execution: number,
    listener: ReportListener,
  ) {
    this.#state = state;
    this.#policy = policy;
    this.#execution = execution;
    this.#listener = listener;
    this.#endsAt = Math.min(state.wakeAt, state.outerEndsAt);
    this.#checkpoint = state.checkpoint;
  }

  get number(): number {
    return this.#state.attempts;
  }

  /** Created on first access: it is expensive, and most functions never use it. */
  get signal(): Signal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get elapsed(): number {
    return this.#now() - this.#state.at;
  }

  get remaining(): number {
    return Math.max(0, this.#endsAt - this.#now());
  }

  get triesLeft(): number {
    return triesNow(this.#policy.maxTries) - (this.#state.lastFailure?.streak ?? 0) - 1;
  }

  get lastFailure(): Failure | null {
    return this.#state.lastFailure;
  }

  /** The scope of what is nested in the attempt. Created on first access. */
  get "@asyncbackoff/asyncbackoff/scope/1"(): Scope {
    if (this.#scope === null) {
      const outer = { execution: this.#execution, attempt: this.number };
      this.#scope = new AttemptScope(this, outer, this.#policy.clock, this.#endsAt);
      if (this.#isAborted) this.#scope.abort(this.#reason);
      if (this.#isSettled) this.#scope.settle();
    }
    return this.#scope;
  }

  get checkpoint(): unknown {
    return this.#checkpoint;
  }

  progress(checkpoint?: unknown): void {
    const counts = this.#listener?.progressed(checkpoint) ?? false;
    if (counts && checkpoint !== undefined) this.#checkpoint = checkpoint;
  }

  /** The control of a stream. The name is written out, as bundlers need it to drop the class. */
  get "@asyncbackoff/asyncbackoff/control/1"(): AttemptControl {
    const { clock, grace, deadline } = this.#policy;
    const { beganAt, outerEndsAt } = this.#state;
    const deadlineAt = Math.min(beganAt + deadline, outerEndsAt);
    return {
      clock,
      grace,
      deadlineAt,
      report: (step, mayRepeat) => {
        const counts = this.#listener?.held(step, mayRepeat) ?? false;
        if (counts && step === "item") this.#moveEnd(deadlineAt);
        return counts;
      },
      abort: (reason) => RunningAttempt.abort(this, reason),
      onAbandon: (callback) => this.#onAbandon = callback,
    };
  }

  /** The attempt timeout bounds the wait for the first item of a stream alone. */
  #moveEnd(endsAt: number): void {
    if (this.#endsAt === endsAt) return;
    this.#endsAt = endsAt;
    this.#scope?.moveEnd(endsAt);
  }

  /** Never before the attempt began, even if the clock goes backwards. */
  #now(): number {
    return Math.max(this.#policy.clock.now(), this.#state.at);
  }

  /**
   * Ends an attempt from outside, once, and what is nested in it. Its signal is aborted by
   * `abort`. Static, because the function that holds the attempt must not be able to.
   *
   * @param attempt The attempt.
   * @param reason The reason for its signal.
   */
  static end(attempt: RunningAttempt, reason: unknown): void {
    if (!attempt.#isAborted) {
      attempt.#reason = reason;
      attempt.#isAborted = true;
    }
    attempt.#scope?.abort(attempt.#reason);
  }

  /**
   * Aborts the signal of an attempt, once, after everything nested in it knows of its end.
   *
   * @param attempt The attempt.
   * @param reason The reason for its signal, unless the attempt has been ended already.
   */
  static abort(attempt: RunningAttempt, reason: unknown): void {
    RunningAttempt.end(attempt, reason);
    attempt.#controller?.abort(attempt.#reason);
  }

  /**
   * Notes that the function has ended, so that its scope lets go of what is nested in it.
   *
   * @param attempt The attempt.
   */
  static settle(attempt: RunningAttempt): void {
    attempt.#isSettled = true;
    attempt.#listener = null;
    attempt.#scope?.settle();
  }

  /**
   * Notes that the execution goes on without the attempt, whose function may still run.
   *
   * @param attempt The attempt.
   */
  static abandon(attempt: RunningAttempt): void {
    attempt.#listener = null;
    attempt.#onAbandon?.();
  }

  /**
   * Returns the abort of an attempt, to keep while its outcome is awaited. It keeps nothing else
   * of the attempt.
   *
   * @param attempt The attempt, which was aborted.
   * @returns The reason, and the controller of its signal.
   */
  static abortionOf(attempt: RunningAttempt): Abortion {
    return {
      reason: attempt.#reason,
      controller: attempt.#controller,
      scope: attempt.#scope,
    };
  }
}

/** The abort of an attempt. */
export interface Abortion {
  readonly reason: unknown;
  readonly controller: AbortController | null;
  readonly scope: AttemptScope | null;
}

/**
 * Determines whether a rejection merely repeats the reason that the attempt was aborted with.
 *
 * @param abortion The abort of the attempt.
 * @param reason The reason of the rejection.
 * @returns Whether it is the same reason.
 */
export function isEcho({ reason: own, controller }: Abortion, reason: unknown): boolean {
  // A signal that is aborted with undefined makes a reason of its own.
  return Object.is(reason, own) ||
    (controller !== null && Object.is(reason, controller.signal.reason));
}

/**
 * Returns the attempt that is calling the decorated function, so that the function reaches its
 * signal without a parameter. Inside nested executions it is the innermost attempt.
 *
 * @returns The current attempt.
 * @throws {Error} Outside of the function, and after its first `await`. Keep the attempt in a
 * variable to use it later.
 *
 * @example A decorated function that can be cancelled
 * ```ts
 * import { asyncbackoff, currentAttempt } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const get = asyncbackoff(5000, 10_000)(async (url: string) => {
 *   const { signal } = currentAttempt();
 *   const response = await fetch(url, { signal });
 *   return response.text();
 * });
 *
 * assertEquals(await get("data:,hello"), "hello");
 * ```
 */
export function currentAttempt(): Attempt {
  const current = currentAttemptOrNull();
  if (current !== null) return current;
  throw new Error(
    "Cannot get the current attempt: 'currentAttempt()' must be called inside the function " +
      "that is executed" +
      (realm.context === null
        ? ", before its first 'await'; or call 'followAttempts()' once at start"
        : ""),
  );
}

/**
 * Returns the attempt that is calling the decorated function, for helpers that may also be
 * called outside of an attempt.
 *
 * @returns The current attempt; `null` where {@linkcode currentAttempt} throws.
 *
 * @example A helper that works with and without an attempt
 * ```ts
 * import { currentAttemptOrNull } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const get = (url: string) => fetch(url, { signal: currentAttemptOrNull()?.signal ?? null });
 *
 * assertEquals(await (await get("data:,hello")).text(), "hello");
 * ```
 */
export function currentAttemptOrNull(): Attempt | null {
  const { currentAttempt, context } = realm;
  if (currentAttempt !== null || context === null) {
    return (currentAttempt || null) as Attempt | null;
  }
  return (context.getStore() as Scope | null | undefined)?.attempt ?? null;
}
