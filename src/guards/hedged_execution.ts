/**
 * The driver of a hedge: it carries out what the states of its engine ask for, with promises,
 * one timer and signals. It decides nothing.
 *
 * @module
 */

import {
  type Attempt,
  currentAttemptOrNull,
  isEcho,
  RunningAttempt,
} from "../driver/attempt.ts";
import { throwLater } from "../time/platform.ts";
import { Deferred, ignore, react, soon } from "../time/promises.ts";
import { onAbort, reasonOf } from "../time/signal.ts";
import { readInstant, startTimer, type Timer, type TimerListener } from "../time/timer.ts";
import { SupersededError } from "./errors.ts";
import { ask } from "./guard.ts";
import {
  beginHedged,
  type Decided,
  type HedgedInput,
  type HedgedState,
  type Racing,
  step,
} from "./hedge_engine.ts";
import { emit } from "../driver/observer.ts";
import { callIn, hedgedAttempt } from "./hedged_attempt.ts";
import type { HedgeEvent, HedgeRules, HedgeStatistic } from "./hedge_options.ts";

/** The counters of a hedge. The driver writes to them. */
export type HedgeCounters = { -readonly [name in keyof HedgeStatistic]: number };

/** A function to call, and how. */
export interface HedgedTask {
  /** The function's name, for messages and events. */
  readonly name: string;
  /** The function. */
  readonly fn: (...args: never[]) => unknown;
  /** The value of `this` in it. */
  readonly self: unknown;
  /** Its arguments. */
  readonly args: readonly unknown[];
}

/** The task after the end, so that calls which are late keep nothing of it. */
const NO_TASK: HedgedTask = { name: "", fn: ignore, self: undefined, args: [] };

/** An event of a hedge without the fields that all have. */
type Bare<Event> = Event extends HedgeEvent ? Omit<Event, "at" | "name"> : never;

/** One execution of a hedged function. */
export class HedgedExecution implements TimerListener<Racing> {
  readonly #rules: HedgeRules;
  readonly #counters: HedgeCounters;
  readonly #name: string;
  #task: HedgedTask;
  #state: HedgedState = beginHedged(0, null, 0);
  readonly #result = new Deferred();
  #attempts: RunningAttempt[] = [];
  #outer: Attempt | null = null;
  #unlisten: () => void = ignore;
  #timer: Timer | null = null;
  /** Settled by the timer, and received in the caller's async context. */
  #wake: Deferred | null = null;
  /** The error of the call that failed last, or the reason of an abort. */
  #error: unknown = undefined;
  /** A value that wins, unless an earlier call returns one at the same moment. */
  #claim: { readonly call: number; readonly value: unknown } | null = null;
  #hasBegun = false;

  /**
   * Makes an execution.
   *
   * @param rules The rules.
   * @param counters The counters of the hedge.
   * @param task The function, and how to call it.
   */
  constructor(rules: HedgeRules, counters: HedgeCounters, task: HedgedTask) {
    this.#rules = rules;
    this.#counters = counters;
    this.#name = task.name;
    this.#task = task;
  }

  /**
   * Starts it: the first call begins at once.
   *
   * @returns The promise of its result.
   */
  start(): Promise<unknown> {
    try {
      this.#counters.executions++;
      const { clock, after, maxHedges, budget } = this.#rules;
      const at = readInstant(clock);
      this.#outer = currentAttemptOrNull();
      const delay = typeof after === "number" ? after : after.delayAt(at);
      const state = beginHedged(at, delay === Infinity ? null : delay, maxHedges);
      this.#state = { ...state, calls: 0 };
      if (this.#listen()) {
        budget?.began?.(at);
        this.#hasBegun = true;
        this.#enter(state);
      }
    } catch (error) {
      this.#fail(error);
    }
    return this.#result.promise;
  }

  /** Listens to the outer attempt. Returns whether it was not aborted before. */
  #listen(): boolean {
    const signal = this.#outer?.signal;
    if (signal === undefined) return true;
    if (signal.aborted) this.#fail(reasonOf(signal));
    else this.#unlisten = onAbort(signal, () => this.#fail(reasonOf(signal)));
    return !signal.aborted;
  }

  // Noticing events.

  due(state: Racing): void {
    this.wake(state);
  }

  wake(state: Racing): void {
    if (this.#state === state) this.#wake?.resolve(state);
  }

  /** When the event loop was blocked, a value on its way is received before a hedge is sent. */
  isLimit(): boolean {
    return true;
  }

  clockFailed(state: Racing, error: unknown): void {
    if (this.#state === state) this.#fail(error);
  }

  #woke(state: Racing, wakeAt: number): void {
    this.#settleClaim();
    if (this.#state !== state) return;
    this.#apply({ type: "woke", at: Math.max(this.#now(), wakeAt) });
  }

  /** A tie goes to the earlier call, so a later one waits for what is due in the same moment. */
  #returned(call: number, value: unknown): void {
    const state = this.#state;
    const outcome = { status: "fulfilled", value } as const;
    if (state.phase === "decided") return this.#late(call, outcome);
    if (this.#claim === null || call < this.#claim.call) this.#claim = { call, value };
    if (state.running[0] === call) return this.#settleClaim();
    soon(() =>
      this.#guarded(() => {
        this.#settleClaim();
        if ((this.#state as Decided).call !== call) this.#late(call, outcome);
      })
    );
  }

  #settleClaim(): void {
    if (this.#claim === null) return;
    const { call } = this.#claim;
    const at = this.#now();
    this.#rules.budget?.succeeded?.(at); // may throw, so it is called before the state changes
    this.#apply({ type: "returned", at, call });
  }

  #failed(call: number, reason: unknown): void {
    this.#settleClaim();
    const outcome = { status: "rejected", reason } as const;
    if (this.#state.phase === "decided") return this.#late(call, outcome);
    const rules = this.#rules;
    const at = this.#now();
    this.#error = reason;
    this.#emit({ type: "failure", call, outcome });
    const isFatal = rules.isFatal(reason);
    if (!isFatal) rules.budget?.failed?.(at);
    const pushback = isFatal ? null : rules.pushbackOf(reason);
    this.#apply({ type: "failed", at, call, isFatal, pushback });
  }

  /** Ends it from outside, or because something that it depends on does not work. */
  #fail(error: unknown): void {
    const state = this.#state;
    if (state.phase === "decided") return;
    this.#error = error;
    this.#claim = null;
    this.#enter(step(this, state, { type: "aborted", at: this.#latest() }));
  }

  // One step of the engine.

  /** Asked by the engine before each call but the first. */
  mayHedge(at: number): boolean {
    const { budget } = this.#rules;
    if (budget === null || ask("budget", () => budget.mayRetry(at, null), null)) {
      return true;
    }
    this.#counters.refused++;
    return false;
  }

  #apply(input: HedgedInput): void {
    const before = this.#state;
    const next = step(this, before, input);
    // The budget may have aborted it meanwhile.
    if (next !== before && this.#state === before) this.#enter(next);
  }

  #enter(next: HedgedState): void {
    const before = this.#state;
    const timer = this.#timer;
    this.#state = next;
    this.#timer = this.#wake = null;
    quietly(() => timer?.cancel());
    if (next.phase === "decided") return this.#decide(next);
    if (next.calls > before.calls) this.#call(next);
    // After the call: what it began and what ends just then needs no hedge. It may have ended
    // the execution meanwhile.
    if (next.hedgeAt !== null && this.#state === next) this.#arm(next, next.hedgeAt);
  }

  // Carrying out.

  #call(state: Racing): void {
    const { calls: call, at } = state;
    const { clock, maxHedges } = this.#rules;
    const attempt = hedgedAttempt(call, maxHedges + 1, at, clock, this.#outer);
    this.#attempts[call] = attempt;
    this.#counters.calls++;
    if (call > 1) this.#counters.hedges++;
    this.#emit({ type: "call", call });
    if (this.#state !== state) return; // the observer has aborted it
    const { fn, self, args } = this.#task;
    react(
      callIn(attempt, fn, self, args),
      (value) => {
        RunningAttempt.settle(attempt);
        this.#guarded(() => this.#returned(call, value));
      },
      (reason) => {
        RunningAttempt.settle(attempt);
        this.#guarded(() => this.#failed(call, reason));
      },
    );
  }

  #arm(state: Racing, wakeAt: number): void {
    this.#wake = new Deferred();
    const woke = () => this.#guarded(() => this.#woke(state, wakeAt));
    react(this.#wake.promise, woke, ignore);
    const ms = Math.max(0, wakeAt - this.#now());
    this.#timer = startTimer(this.#rules.clock, ms, wakeAt, this, state);
  }

  #decide(state: Decided): void {
    const { by, call, running } = state;
    this.#record(state);
    const claim = this.#claim;
    this.#claim = null;
    this.#task = NO_TASK;
    const unlisten = this.#unlisten;
    this.#unlisten = ignore;
    quietly(unlisten);
    const reason = by === "aborted" ? this.#error : new SupersededError(this.#name);
    for (const each of running) {
      const attempt = this.#attempts[each];
      if (attempt !== undefined) RunningAttempt.abort(attempt, reason);
    }
    this.#end(
      state,
      claim === null || claim.call !== call
        ? { status: "rejected", reason: this.#error }
        : { status: "fulfilled", value: claim.value },
    );
  }

  #end({ at, by, calls, call }: Decided, outcome: PromiseSettledResult<unknown>): void {
    this.#counters[by === "returned" ? "succeeded" : by]++;
    if (call !== null && call > 1) this.#counters.wins++;
    this.#emit({ type: "done", calls, call, outcome });
    if (this.#hasBegun) quietly(() => this.#rules.budget?.ended?.(at));
    if (outcome.status === "fulfilled") this.#result.resolve(outcome.value);
    else this.#result.reject(outcome.reason);
  }

  /**
   * Tells the quantile how long the first call took. One that a hedge has overtaken took longer
   * than the delay, which is all that matters for its place.
   */
  #record({ at, beganAt, by, calls, call, running }: Decided): void {
    const { after } = this.#rules;
    const isMeasured = (by === "returned" && call === 1) ||
      (calls > 1 && running.includes(1));
    if (typeof after !== "number" && isMeasured) after.record(at, at - beganAt);
  }

  #late(call: number, outcome: PromiseSettledResult<unknown>): void {
    const attempt = this.#attempts[call] as RunningAttempt;
    const abortion = RunningAttempt.abortionOf(attempt);
    if (outcome.status === "rejected" && isEcho(abortion, outcome.reason)) return;
    this.#counters.late++;
    this.#emit({ type: "late", call, outcome });
  }

  #emit(event: Bare<HedgeEvent>): void {
    const { observe } = this.#rules;
    if (observe === null) return;
    emit(observe, { ...event, at: this.#latest(), name: this.#name } as HedgeEvent);
  }

  /** Does something. An error that it throws ends the execution. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Never before the instant of the present state, even if the clock goes backwards. */
  #now(): number {
    return Math.max(readInstant(this.#rules.clock), this.#state.at);
  }

  /** The present instant; that of the present state if the clock does not work. */
  #latest(): number {
    try {
      return this.#now();
    } catch {
      return this.#state.at;
    }
  }
}

/** Does something that must not stop the rest. An error that it throws is uncaught. */
function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    throwLater(error);
  }
}
