/**
 * The driver: carries out what the engine's states ask for, with promises, one timer and
 * signals. It decides nothing.
 *
 * ```text
 * source               noticed by       how it reaches the engine
 * the function ends    its promise      #settled, as a reaction of that promise
 * the timer fires      wake             posts `woke`; #receive applies it
 * the clock fails      clockFailed      posts `faulted`; #receive applies it
 * a signal is aborted  #signalAborted   posts `aborted`; #receive applies it
 * a callback throws    the engine       a state that is done; what it misses: #fail
 * ```
 *
 * Every event is thus received as a promise reaction that was registered in the caller's async
 * context. Events take effect in the order in which they happened, and the first one wins. The
 * function, `giveup`, `pause` and `observe` run in the context of their own call, whoever
 * fired the timer. Only the signal of the running attempt is aborted earlier: at the moment at
 * which the timer fires or the caller aborts.
 *
 * @module
 */

import { begin, beginTrying, limitError, step } from "../engine/engine.ts";
import type { Done, Event, Failure, State, Trying, Waiting } from "../engine/state.ts";
import type { BackoffPolicy } from "../policy/policy.ts";
import { onAbort } from "../time/signal.ts";
import { readInstant, startTimer, type Timer, type TimerListener } from "../time/timer.ts";
import { RunningAttempt, setCurrentAttempt } from "./attempt.ts";
import { Observer } from "./observer.ts";
import type { Counters } from "./statistic.ts";

/** A function to execute, and how to call it. */
export interface Task<T> {
  /** The function's name, for messages. */
  readonly name: string;
  /** The function that each attempt calls. */
  readonly fn: (...args: never[]) => T | PromiseLike<T>;
  /** The value of `this` in the function. */
  readonly self: unknown;
  /** The arguments of the function. With `null`, it receives its attempt. */
  readonly args: readonly unknown[] | null;
  /** The signal of this execution alone. */
  readonly signal: AbortSignal | null;
}

/**
 * Executes a function by a policy.
 *
 * @typeParam T The type of the function's result.
 * @param policy The policy.
 * @param counters The counters of the policy.
 * @param task The function, and how to call it.
 * @returns A promise that settles as the engine decides.
 */
export function execute<T>(
  policy: BackoffPolicy,
  counters: Counters,
  task: Task<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const outer = setCurrentAttempt(null); // giveup, pause and observers have none
    new Execution(policy, counters, task, resolve, reject).start();
    setCurrentAttempt(outer);
  });
}

/** An event on its way to the state in which it happened. */
interface Message {
  readonly execution: { receive(message: Message): void };
  readonly state: State;
  readonly event: Event;
}

/** One function for all executions, so that an inbox needs no closure. */
const receive = (message: Message): void => message.execution.receive(message);

/** An event that ends an execution from outside. */
type Interruption = Event & { type: "aborted" | "faulted" };

/** The state before the clock has been read. */
const NOT_BEGUN = /* @__PURE__ */ begin(0, "");

/** The state after a success on the fast path, where nobody reads the details. */
const SUCCEEDED: Done = /* @__PURE__ */ succeeded();

function succeeded(): Done {
  const outcome = { status: "fulfilled", value: undefined } as const;
  return { ...begin(0, ""), phase: "done", reason: "success", outcome };
}

/** The built-in `then`: like `await`, it ignores a `then` that was put on the promise. */
const promiseThen = /* @__PURE__ */ (() => Promise.prototype.then)();

class Execution<T> implements TimerListener<Waiting> {
  readonly #policy: BackoffPolicy;
  readonly #counters: Counters;
  readonly #task: Task<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #observer: Observer | null;
  #state: State = NOT_BEGUN;
  /** The attempt in flight, also while it winds down. */
  #attempt: RunningAttempt | null = null;
  /** The first abort of a signal, from the moment at which it happens. */
  #interruption: Interruption | null = null;
  /** Resolves the promise of the inbox; `null` when there is none, or it has a message. */
  #inbox: ((message: Message) => void) | null = null;
  #hasBegun = false;
  #timer: Timer | null = null;
  #unlisten: (() => void) | null = null;

  constructor(
    policy: BackoffPolicy,
    counters: Counters,
    task: Task<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#policy = policy;
    this.#counters = counters;
    this.#task = task;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#observer = policy.observe === null
      ? null
      : new Observer(policy.observe, policy.clock, task.name);
  }

  // 1. Starting.

  start(): void {
    try {
      const { clock, signal } = this.#policy;
      const at = readInstant(clock);
      if (signal !== null || this.#task.signal !== null) return this.#startWithSignals(at);
      this.#enter(beginTrying(this.#policy, at, this.#task.name), null, null);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** If both signals are already aborted, the execution's own supplies the reason. */
  #startWithSignals(at: number): void {
    this.#state = begin(at, this.#task.name);
    const signals = [this.#task.signal, this.#policy.signal].filter((each) =>
      each !== null
    );
    const aborted = signals.find((signal) => signal.aborted);
    if (aborted === undefined) signals.forEach((signal) => this.#listenTo(signal));
    else this.#signalAborted(aborted);
    this.#apply(this.#interruption ?? { type: "woke", at });
  }

  #listenTo(signal: AbortSignal): void {
    const unlistenOthers = this.#unlisten;
    const unlisten = onAbort(signal, () => this.#signalAborted(signal));
    this.#unlisten = () => {
      unlistenOthers?.();
      unlisten();
    };
  }

  // 2. Noticing events. From here on each is a fact: the attempt's signal is aborted at once.

  wake(state: Waiting): void {
    // An abort that has happened came first, and is on its way.
    if (this.#state !== state || this.#interruption !== null) return;
    try {
      const at = Math.max(readInstant(this.#policy.clock), state.wakeAt);
      const isRunning = state.phase === "trying";
      const error = isRunning ? limitError(this.#policy, state, at) : undefined;
      const message = {
        execution: this,
        state,
        event: { type: "woke", at, error },
      } as const;
      // A clock without `after` wakes in a promise reaction in the caller's context already.
      const isReceived = this.#policy.clock.after === undefined;
      if (!isReceived) this.#post(message);
      if (isRunning) this.#abortAttempt(error);
      if (isReceived) this.receive(message);
    } catch (error) {
      this.clockFailed(state, error);
    }
  }

  clockFailed(state: Waiting, error: unknown): void {
    const event: Event = { type: "faulted", at: state.at, reason: error };
    this.#post({ execution: this, state, event });
  }

  #signalAborted(signal: AbortSignal): void {
    if (this.#interruption !== null) return;
    try {
      const { reason } = signal;
      this.#interruption = { type: "aborted", at: this.#now(), reason };
    } catch (error) {
      this.#interruption = { type: "faulted", at: this.#state.at, reason: error };
    }
    this.#post({ execution: this, state: this.#state, event: this.#interruption });
    this.#abortAttempt(this.#interruption.reason);
  }

  #settled(attempt: RunningAttempt, outcome: PromiseSettledResult<unknown>): void {
    if (attempt !== this.#attempt) return this.#settledLate(attempt, outcome);
    this.#attempt = null; // it ended by itself, so an abort in giveup or pause is not its own
    try {
      this.#apply({ type: "settled", at: this.#now(), outcome });
    } catch (error) {
      this.#fail(error);
    }
  }

  #settledLate(attempt: RunningAttempt, outcome: PromiseSettledResult<unknown>): void {
    if (RunningAttempt.isEcho(attempt, outcome)) return;
    this.#counters.late++;
    this.#observer?.late(attempt.number, outcome, this.#state);
  }

  // 3. The inbox: one pending promise. Posting resolves it, and its reaction receives.

  #openInbox(): void {
    new Promise<Message>((resolve) => this.#inbox = resolve).then(receive);
  }

  /** Only the first message counts until the inbox is opened again. */
  #post(message: Message): void {
    const inbox = this.#inbox;
    this.#inbox = null;
    inbox?.(message);
  }

  receive({ state, event }: Message): void {
    if (this.#state !== state) return; // another event came first
    try {
      this.#apply(event);
    } catch (error) {
      this.#fail(error);
    }
  }

  // 4. One step of the engine.

  #apply(event: Event): void {
    const before = this.#state;
    const wasInterrupted = this.#interruption !== null;
    let next = step(this.#policy, before, event);
    if (next === before) return;
    const failure = next.lastFailure === before.lastFailure ? null : next.lastFailure;
    if (this.#interruption !== null && !wasInterrupted) {
      // giveup or pause aborted a signal. That came before their decision.
      next = step(this.#policy, before, this.#interruption);
    }
    if (next.phase === "done" && next.reason === "success") {
      this.#policy.succeeded(next.at); // may throw, so it is called before the state changes
    }
    this.#enter(next, failure, event);
  }

  /** Enters a state, and carries out what it asks for. */
  #enter(next: State, failure: Failure | null, event: Event | null): void {
    this.#cancelTimer();
    this.#counters.count(this.#state, next, failure);
    this.#state = next;
    switch (next.phase) {
      case "trying":
        return this.#try(next);
      case "stopping":
        return this.#arm(next, Math.max(0, next.wakeAt - this.#now()));
      case "pausing":
        this.#arm(next, Math.max(0, next.wakeAt - this.#now()));
        this.#attempt = null;
        if (failure !== null) this.#observer?.failure(next, failure);
        return;
      default:
        if (event?.type === "faulted") this.#abortAttempt(event.reason);
        this.#attempt = null;
        if (failure !== null) this.#observer?.failure(next, failure);
        return this.#settle(next);
    }
  }

  /** Something that the execution depends on, such as its clock or a signal, does not work. */
  #fail(error: unknown): void {
    try {
      this.#apply({ type: "faulted", at: this.#state.at, reason: error });
    } catch (another) {
      // Terminates: a timer or listener is forgotten before it is called, so it cannot throw
      // twice.
      this.#fail(another);
    }
  }

  // 5. Carrying out what a state asks for.

  /** Arms the one timer, and opens the inbox for it and for an abort. */
  #arm(state: Waiting, ms: number): void {
    if (ms === Infinity && this.#unlisten === null) return;
    if (this.#inbox === null) this.#openInbox();
    const interruption = this.#interruption;
    if (interruption !== null) this.#post({ execution: this, state, event: interruption });
    if (ms === Infinity) return;
    this.#timer = startTimer(this.#policy.clock, ms, state.wakeAt, this, state);
  }

  #cancelTimer(): void {
    const timer = this.#timer;
    this.#timer = null;
    timer?.cancel();
  }

  #try(state: Trying): void {
    const attempt = new RunningAttempt(state, this.#policy);
    this.#attempt = attempt;
    const ms = state.wakeAt - state.at;
    if (ms > 0) this.#arm(state, ms); // before the call: a limit wins a tie with the function
    this.#observer?.attempt(state);
    if (state.attempts === 1) {
      this.#policy.began(state.at);
      this.#hasBegun = true;
    }
    if (ms === 0) return this.#apply(this.#interruption ?? { type: "woke", at: state.at });
    if (this.#interruption === null) this.#call(attempt); // else it is on its way
  }

  #call(attempt: RunningAttempt): void {
    let result: Promise<T>;
    const outer = setCurrentAttempt(attempt);
    try {
      const { fn, self, args } = this.#task;
      result = Promise.resolve(Reflect.apply(fn, self, args ?? [attempt]));
    } catch (error) {
      result = Promise.reject(error);
    } finally {
      setCurrentAttempt(outer);
    }
    promiseThen.call(
      result,
      (value) => this.#succeeded(attempt, value as T),
      (reason) => this.#settled(attempt, { status: "rejected", reason }),
    );
  }

  #abortAttempt(reason: unknown): void {
    if (this.#attempt !== null) RunningAttempt.abort(this.#attempt, reason);
  }

  #settle(state: Done): void {
    const unlisten = this.#unlisten;
    this.#unlisten = null;
    try {
      unlisten?.();
    } finally {
      const { outcome, at, reason } = state;
      if (this.#hasBegun) this.#policy.ended(at, reason, outcome);
      this.#observer?.done(state);
      if (outcome.status === "fulfilled") this.#resolve(outcome.value as T);
      else this.#reject(outcome.reason);
    }
  }

  /** Never before the instant of the present state, even if the clock goes backwards. */
  #now(): number {
    return Math.max(readInstant(this.#policy.clock), this.#state.at);
  }

  // 6. The fast path: a success that nobody observes skips the engine, with the same result.
  //    Saves about 50 ns a call. A test compares both ways.

  #succeeded(attempt: RunningAttempt, value: T): void {
    const state = this.#state;
    const isPlain = attempt === this.#attempt && state.phase === "trying" &&
      this.#unlisten === null && this.#observer === null &&
      this.#policy.budget === null && this.#policy.until === null;
    if (!isPlain) return this.#settled(attempt, { status: "fulfilled", value });
    this.#attempt = null;
    try {
      const at = this.#now();
      this.#cancelTimer();
      this.#state = SUCCEEDED;
      this.#counters.countSuccess(at - state.attemptAt);
      this.#resolve(value);
    } catch (error) {
      this.#fail(error);
    }
  }
}
