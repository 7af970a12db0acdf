/**
 * Nesting: an execution ends when the attempt ends in which it was begun.
 *
 * ```text
 * the outer attempt …           an execution that is nested in it …
 * runs                          runs, and cannot outlive it
 * is ended by a limit or abort  ends in the same turn, with the same reason, outermost first
 * settles by itself             is let go of, and continues by its own rules
 * has been ended already        is never called, and rejects with the reason
 * has settled already           is not nested
 * ```
 *
 * A scope stands for the outer attempt. It is made when the first execution is nested in the
 * attempt, so an attempt without nested executions pays nothing. It is found by a name, and
 * used by its shape, because the outer attempt may belong to another copy of the library.
 *
 * A scope that ends first says so to the whole tree below it, and calls no code of the user's.
 * Each nested execution then aborts its own attempt in the async context of its own caller.
 *
 * @module
 */

import { checkKeys, namesOf } from "../check/keys.ts";
import { checkDuration, option, wrongType } from "../check/values.ts";
import { TimeoutError } from "../engine/timeout_error.ts";
import type { OuterAttempt } from "../policy/events.ts";
import { checkClock, checkSignal } from "../policy/policy.ts";
import { realm } from "../realm/realm.ts";
import type { Clock } from "../time/clock.ts";
import { attempted, onAbort, reasonOf, type Signal } from "../time/signal.ts";
import { systemClock } from "../time/system_clock.ts";
import { readInstant, startTimer, type TimerListener } from "../time/timer.ts";
import type { Attempt } from "./attempt.ts";

/** Receives the end of a scope, and the reason. It must not throw, nor call the user's code. */
export type ScopeListener = (reason: unknown) => void;

/** The part of the program in which executions are nested. */
export interface Scope {
  /** The attempt of the scope; `null` once it has settled, or if there is none. */
  readonly attempt: Attempt | null;
  /** The names of the attempt for events; `null` if there is none. */
  readonly outer: OuterAttempt | null;
  /** Whether the scope has let go of everything, so that nothing is nested in it any more. */
  readonly isReleased: boolean;
  /** Whether the scope has been ended by a limit or an abort. */
  readonly aborted: boolean;
  /** The reason why it has been ended. */
  readonly reason: unknown;
  /** The instant on a clock at which it ends at the latest. */
  endsAt(clock: Clock): number;
  /** Adds a listener, and returns a function that removes it. */
  add(listener: ScopeListener): () => void;
}

/**
 * The name under which every copy of the library finds the scope of an attempt. A string, because
 * no bundler drops a class with a member that is named by a symbol.
 */
export const SCOPE = "@asyncbackoff/asyncbackoff/scope/1";

/** Scopes that have ended, and whose listeners are yet to be called. */
const ended: { listeners: Set<ScopeListener>; reason: unknown }[] = [];

let isNotifying = false;

/**
 * Calls the listeners of a scope that has ended. Scopes that they end in turn are queued: the
 * outermost comes first, and no tree is too deep for the stack. A listener that finds the stack
 * full stays in the set, and is called again with a stack of its own.
 */
function notify(listeners: Set<ScopeListener>, reason: unknown): void {
  if (listeners.size === 0) return;
  ended.push({ listeners, reason });
  if (isNotifying) return;
  isNotifying = true;
  try {
    for (const { listeners, reason } of ended) {
      for (const listener of listeners) {
        attempted(() => {
          listener(reason);
          listeners.delete(listener);
        });
      }
    }
  } finally {
    ended.length = 0;
    isNotifying = false;
  }
}

/** The scope of an attempt. */
export class AttemptScope implements Scope {
  readonly outer: OuterAttempt;
  attempt: Attempt | null;
  isReleased = false;
  aborted = false;
  reason: unknown = undefined;
  readonly #clock: Clock;
  #endsAt: number;
  readonly #listeners = new Set<ScopeListener>();

  /**
   * Makes the scope of an attempt.
   *
   * @param attempt The attempt.
   * @param outer Its names for events.
   * @param clock The clock of its policy.
   * @param endsAt The instant on that clock at which the attempt ends at the latest.
   */
  constructor(attempt: Attempt, outer: OuterAttempt, clock: Clock, endsAt: number) {
    this.attempt = attempt;
    this.outer = outer;
    this.#clock = clock;
    this.#endsAt = endsAt;
  }

  endsAt(clock: Clock): number {
    return instantOn(clock, this.#endsAt, this.#clock);
  }

  add(listener: ScopeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Moves the end of the attempt, whose timeout does not bound a stream that has begun. */
  moveEnd(endsAt: number): void {
    this.#endsAt = endsAt;
  }

  /** Ends everything that is nested in the attempt, and does not know of it yet. */
  abort(reason: unknown): void {
    this.reason = reason;
    this.aborted = true;
    notify(this.#listeners, reason);
  }

  /** The attempt has settled. If it did so by itself, it lets go of what is nested in it. */
  settle(): void {
    this.attempt = null; // an async context may keep the scope
    if (this.aborted) return;
    this.isReleased = true;
    this.#listeners.clear();
  }
}

/** The bounds of `within`. `null` and `undefined` mean absent. */
export interface ScopeOptions {
  /** A signal that ends the executions in the scope. */
  signal?: Signal | null | undefined;
  /**
   * Milliseconds from the call of `within` until the executions in the scope end with a
   * `TimeoutError`, >= 0.
   *
   * @default {Infinity}
   */
  deadline?: number | null | undefined;
  /**
   * The clock of the deadline.
   *
   * @default {systemClock}
   */
  clock?: Clock | null | undefined;
}

const SCOPE_OPTIONS = /* @__PURE__ */ namesOf<ScopeOptions>({
  signal: true,
  deadline: true,
  clock: true,
});

const MAKE = "make a scope";

/**
 * The scope of `within`: a signal, a deadline, and the scope around it. It listens to them only
 * while something is nested in it.
 */
class BoundedScope implements Scope, TimerListener<null> {
  readonly isReleased = false;
  readonly #around: Scope | null;
  readonly #signal: AbortSignal | null;
  readonly #clock: Clock;
  readonly #deadline: number;
  readonly #endsAt: number;
  readonly #name: string;
  readonly #listeners = new Set<ScopeListener>();
  readonly #stops: (() => void)[] = [];
  #isAborted = false;
  #reason: unknown = undefined;
  #timeout: TimeoutError | null = null;

  constructor(options: ScopeOptions, name: string) {
    checkKeys(MAKE, options, SCOPE_OPTIONS);
    const subject = (name: keyof ScopeOptions) => option(MAKE, name);
    this.#around = presentScope();
    this.#signal = checkSignal(subject("signal"), options.signal ?? null);
    this.#clock = checkClock(subject("clock"), options.clock ?? systemClock);
    this.#deadline = checkDuration(subject("deadline"), options.deadline ?? Infinity);
    this.#endsAt = this.#deadline === Infinity
      ? Infinity
      : readInstant(this.#clock) + this.#deadline;
    this.#name = name === "" ? "within" : `within ${name}`;
  }

  get attempt(): Attempt | null {
    return this.#around?.attempt ?? null;
  }

  get outer(): OuterAttempt | null {
    return unreleased(this.#around)?.outer ?? null;
  }

  /**
   * Looks at the bounds, since nothing is noticed while nothing is nested. The deadline ends
   * whoever asks. The others wait for its timer, because their outcomes may be on their way.
   */
  get aborted(): boolean {
    const around = unreleased(this.#around);
    if (this.#isAborted || this.#timeout !== null) return true;
    if (this.#signal?.aborted) this.#end(reasonOf(this.#signal));
    else if (around?.aborted) this.#end(around.reason);
    else if (this.#endsAt < Infinity && readInstant(this.#clock) >= this.#endsAt) {
      this.#reach();
    }
    return this.#isAborted || this.#timeout !== null;
  }

  get reason(): unknown {
    return this.#timeout ?? this.#reason;
  }

  endsAt(clock: Clock): number {
    const own = instantOn(clock, this.#endsAt, this.#clock);
    return Math.min(own, unreleased(this.#around)?.endsAt(clock) ?? Infinity);
  }

  add(listener: ScopeListener): () => void {
    const remove = () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
    this.#listeners.add(listener);
    if (this.#listeners.size > 1) return remove;
    try {
      this.#start();
    } catch (error) {
      remove();
      throw error;
    }
    return remove;
  }

  #start(): void {
    const signal = this.#signal;
    if (signal !== null) {
      this.#stops.push(onAbort(signal, () => this.#end(reasonOf(signal))));
    }
    const around = unreleased(this.#around);
    if (around !== null) this.#stops.push(around.add((reason) => this.#end(reason)));
    if (this.#endsAt === Infinity) return;
    const ms = Math.max(0, this.#endsAt - readInstant(this.#clock));
    const timer = startTimer(this.#clock, ms, this.#endsAt, this, null);
    this.#stops.push(() => timer.cancel());
  }

  /** Stops all, even if one of them throws. */
  #stop(): void {
    const stop = this.#stops.pop();
    if (stop === undefined) return;
    try {
      stop();
    } finally {
      this.#stop();
    }
  }

  #end(reason: unknown): void {
    if (!this.#isAborted) {
      this.#reason = reason;
      this.#isAborted = true;
    }
    notify(this.#listeners, this.reason);
    this.#stop();
  }

  /** The error of the deadline, one for all. */
  #reach(): TimeoutError {
    return this.#timeout ??= new TimeoutError("deadline", this.#deadline, this.#name);
  }

  due(): void {
    this.#end(this.#reach());
  }

  wake(): void {
    this.#end(this.#reach());
  }

  clockFailed(_token: null, error: unknown): void {
    this.#end(error);
  }

  isLimit(): boolean {
    return true;
  }
}

/** Converts an instant to another clock. */
function instantOn(clock: Clock, at: number, own: Clock): number {
  if (at === Infinity || clock === own) return at;
  return readInstant(clock) + Math.max(0, at - readInstant(own));
}

/** A scope that has let go of everything is none. */
function unreleased(scope: Scope | null | undefined): Scope | null {
  return scope?.isReleased === false ? scope : null;
}

/**
 * Finds the scope in which an execution that begins now is nested.
 *
 * @returns The scope; `null` outside.
 */
export function presentScope(): Scope | null {
  const { context, currentAttempt } = realm;
  if (context === null) return realm.scope as Scope | null;
  const isFollowed = currentAttempt === null; // the callbacks of a policy are outside
  return isFollowed ? unreleased(context.getStore() as Scope | undefined) : null;
}

/**
 * Finds the scope of an attempt, of whichever copy of the library.
 *
 * @param subject The subject of the message.
 * @param attempt The attempt.
 * @returns Its scope; `null` if it has let go of what was nested in it.
 * @throws {TypeError} If it is not an attempt.
 */
export function scopeOf(subject: string, attempt: unknown): Scope | null {
  const scope = (attempt as { [SCOPE]?: Scope } | null)?.[SCOPE];
  if (scope !== undefined) return unreleased(scope);
  throw wrongType(subject, "an attempt", attempt);
}

/**
 * Calls a function in a scope: in its async extent if attempts are followed.
 *
 * @typeParam T The type of the result.
 * @param scope The scope, or `null` to nest nothing.
 * @param fn The function.
 * @returns What it returns.
 */
export function callIn<T>(scope: Scope | null, fn: () => T): T {
  const { currentAttempt, scope: outer, context } = realm;
  if (context !== null || scope === null) realm.currentAttempt = null;
  realm.scope = scope;
  try {
    return context === null ? fn() : context.run(scope, fn);
  } finally {
    realm.scope = outer;
    realm.currentAttempt = currentAttempt;
  }
}

/**
 * Calls a function as a part of an attempt, whichever copy of the library it belongs to:
 * `currentAttempt()` inside is the attempt, and where attempts are followed, executions that
 * begin inside are nested in it.
 *
 * @typeParam T The type of the result.
 * @param attempt The attempt.
 * @param fn The function.
 * @returns What it returns.
 */
export function callAs<T>(attempt: Attempt, fn: () => T): T {
  const outer = realm.currentAttempt;
  realm.currentAttempt = attempt;
  try {
    return realm.context === null
      ? fn()
      : callIn((attempt as unknown as { [SCOPE]: Scope })[SCOPE], fn);
  } finally {
    realm.currentAttempt = outer;
  }
}

/**
 * Calls a function, and ends the executions that it begins when a scope ends: an attempt, or a
 * signal and a deadline. This cancels a decorated function from the place of its call, without
 * a parameter for a signal.
 *
 * The executions reject with the reason of the scope: that of the attempt, that of the signal,
 * or one `TimeoutError` for all at the deadline. Nothing that began after that is called.
 *
 * Only executions that begin while `fn` runs are in the scope. What an async `fn` begins after
 * its first `await` is outside, unless attempts are followed through async context.
 *
 * @typeParam T The type of the result.
 * @param scope An attempt, or `signal`, `deadline` (milliseconds from now) and `clock` (default
 * {@linkcode systemClock}).
 * @param fn The function, which is called at once.
 * @returns What `fn` returns.
 * @throws {TypeError} If an argument is of the wrong type, or an option is unknown.
 * @throws {RangeError} If the deadline is negative or `NaN`.
 *
 * @example A deadline for one call of a decorated function
 * ```ts
 * import { asyncretry, TimeoutError, within } from "@asyncbackoff/asyncbackoff";
 * import { assertInstanceOf } from "@std/assert";
 *
 * const load = asyncretry(null, { pause: 1 })(() => Promise.reject(new Error("down")));
 * const error = await within({ deadline: 20 }, load).catch((error) => error);
 *
 * assertInstanceOf(error, TimeoutError);
 * ```
 */
export function within<T>(scope: Attempt | ScopeOptions, fn: () => T): T {
  if (typeof fn !== "function") throw wrongType("call 'within': 'fn'", "a function", fn);
  const isAttempt = typeof scope === "object" && scope !== null && SCOPE in scope;
  return callIn(
    isAttempt ? scopeOf("", scope) : new BoundedScope(scope as ScopeOptions, fn.name),
    fn,
  );
}

/**
 * Calls a function, and nests nothing that it begins: for what outlives the attempt in which it
 * is first used, such as a pool of connections, a socket, or work in the background.
 *
 * @typeParam T The type of the result.
 * @param fn The function, which is called at once.
 * @returns What `fn` returns.
 * @throws {TypeError} If it is not a function.
 *
 * @example A write that must go on after the request that began it has ended
 * ```ts
 * import { asyncretry, detached, within } from "@asyncbackoff/asyncbackoff";
 * import { assertEquals } from "@std/assert";
 *
 * const write = asyncretry(5)(() => Promise.resolve("written"));
 * const signal = AbortSignal.abort("the request has ended");
 *
 * assertEquals(await within({ signal }, () => detached(write)), "written");
 * ```
 */
export function detached<T>(fn: () => T): T {
  if (typeof fn !== "function") throw wrongType("call 'detached': 'fn'", "a function", fn);
  return callIn(null, fn);
}
