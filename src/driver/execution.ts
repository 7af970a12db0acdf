/**
 * The driver: does in the world what the engine's states say.
 *
 * Whatever happens (an attempt settles, the timer fires, a signal aborts)
 * arrives as a promise reaction that was registered in the caller's async
 * context. So events take effect in the order in which they happened, the first
 * one wins, and the function, `giveup`, `pause` and `observe` run in the context
 * of the call that they belong to, whoever fired the timer. Only the signal of an
 * attempt that is cut aborts right when the timer fires or the caller aborts.
 *
 * @module
 */

import { RunningAttempt, setCurrentAttempt } from "./attempt.ts";
import { begin, beginTrying, limitError, step } from "./engine.ts";
import { Observer } from "./observe.ts";
import type { BackoffPolicy } from "./policy.ts";
import type { Done, Event, Failure, State, Trying, Waiting } from "./state.ts";
import { onAbort } from "./signal.ts";
import { count, countLate, countSuccess, type Statistic } from "./statistic.ts";
import { readInstant, startTimer, type Timer, type Waker } from "./timer.ts";

/** What is executed. */
export interface Task<T> {
  /** The function's name, for messages. */
  readonly name: string;
  /** What each attempt calls. */
  readonly fn: (...args: never[]) => T | PromiseLike<T>;
  /** What `this` is in the function. */
  readonly self: unknown;
  /** What the function is called with; `null`: with its attempt. */
  readonly args: readonly unknown[] | null;
  /** The signal of this execution alone. */
  readonly signal: AbortSignal | null;
}

/**
 * Runs a function by a policy.
 *
 * @param policy The policy.
 * @param statistic What counts.
 * @param task What to execute.
 * @returns What the function comes to, by the rules of the engine.
 */
export function execute<T>(
  policy: BackoffPolicy,
  statistic: Statistic,
  task: Task<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const outer = setCurrentAttempt(null); // giveup, pause and observers have none
    new Execution(policy, statistic, task, resolve, reject).start();
    setCurrentAttempt(outer);
  });
}

/** An event that has happened to an execution's state, and is on its way to it. */
interface Delivery {
  readonly execution: { arrive(state: State, event: Event): void };
  readonly state: State;
  readonly event: Event;
}

const arrive = ({ execution, state, event }: Delivery) => execution.arrive(state, event);

type Interruption = Event & { type: "aborted" | "broke" };

/** Before the clock has been read. */
const UNBEGUN = begin(0, "");

/** After an execution that nobody looks at any more. */
const SUCCEEDED: Done = {
  ...UNBEGUN,
  phase: "done",
  reason: "success",
  outcome: { status: "fulfilled", value: undefined },
};

/** What `await` does, whatever `then` a promise was given. */
const { then } = Promise.prototype;

class Execution<T> implements Waker {
  readonly #policy: BackoffPolicy;
  readonly #statistic: Statistic;
  readonly #task: Task<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #observer: Observer | null;
  #state: State;
  /** The attempt in flight, also while it winds down. */
  #attempt: RunningAttempt | null = null;
  /** The first abort of a signal, from the moment it happens. */
  #aborted: Interruption | null = null;
  /** Takes a wake or an abort to the present state; the first one counts. */
  #gate: ((delivery: Delivery) => void) | null = null;
  #timer: Timer | null = null;
  #unlisten: (() => void) | null = null;

  constructor(
    policy: BackoffPolicy,
    statistic: Statistic,
    task: Task<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#policy = policy;
    this.#statistic = statistic;
    this.#task = task;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#observer = policy.observe === null
      ? null
      : new Observer(policy.observe, policy.clock);
    this.#state = UNBEGUN;
  }

  start(): void {
    try {
      const { clock, signal } = this.#policy;
      const at = readInstant(clock);
      if (signal !== null || this.#task.signal !== null) return this.#startBySignal(at);
      this.#move(beginTrying(this.#policy, at, this.#task.name), null, null);
    } catch (error) {
      this.#break(error);
    }
  }

  /** The execution's own signal comes first: of two that are aborted, it gives the reason. */
  #startBySignal(at: number): void {
    this.#state = begin(at, this.#task.name);
    const signals = [this.#task.signal, this.#policy.signal].filter((each) =>
      each !== null
    );
    const aborted = signals.find((signal) => signal.aborted);
    if (aborted === undefined) signals.forEach((signal) => this.#listen(signal));
    else this.#abort(aborted);
    this.#on(this.#aborted ?? { type: "woke", at });
  }

  #listen(signal: AbortSignal): void {
    const others = this.#unlisten;
    const unlisten = onAbort(signal, () => this.#abort(signal));
    this.#unlisten = () => {
      others?.();
      unlisten();
    };
  }

  /** The attempt's signal follows at once; the state does when it is delivered. */
  #abort(signal: AbortSignal): void {
    if (this.#aborted !== null) return;
    try {
      const { reason } = signal;
      this.#aborted = { type: "aborted", at: this.#now(), reason };
    } catch (error) {
      this.#aborted = { type: "broke", at: this.#state.at, reason: error };
    }
    this.#deliver(this.#state, this.#aborted);
    this.#cut(this.#aborted.reason);
  }

  /** One event, and the next state. */
  #on(event: Event): void {
    const before = this.#state;
    const wasAborted = this.#aborted !== null;
    let next = step(this.#policy, before, event);
    if (next === before) return;
    const failure = next.lastFailure === before.lastFailure ? null : next.lastFailure;
    if (this.#aborted !== null && !wasAborted) {
      // By giveup or pause, before they had decided: the abort came first.
      next = step(this.#policy, before, this.#aborted);
    }
    if (next.phase === "done" && next.reason === "success") {
      this.#policy.budget?.succeeded(next.at); // before it is so: what it throws goes out
    }
    this.#move(next, failure, event);
  }

  /** Does what a state asks for: counts, arms, tells, and tries or settles. */
  #move(next: State, failure: Failure | null, event: Event | null): void {
    this.#cancelTimer();
    const before = this.#state;
    this.#state = next;
    count(this.#statistic, { before, next, event, failure });
    if (next.phase === "stopping" || next.phase === "pausing") {
      this.#arm(next, Math.max(0, next.wakeAt - this.#now()));
    }
    if (event?.type === "broke") this.#cut(event.reason);
    if (next.phase !== "stopping") this.#attempt = null;
    if (failure !== null) this.#observer?.failure(next, failure);
    if (next.phase === "trying") this.#try(next);
    if (next.phase === "done") this.#finish(next);
  }

  /** Arms the one timer, and the way on which it or an abort reaches the state. */
  #arm(state: Waiting, ms: number): void {
    if (ms === Infinity && this.#unlisten === null) return;
    if (this.#gate === null) this.#openGate();
    if (this.#aborted !== null) this.#deliver(state, this.#aborted);
    if (ms === Infinity) return;
    this.#timer = startTimer(this.#policy.clock, ms, state, this);
  }

  /** What goes through arrives as a promise reaction, in the async context of the call. */
  #openGate(): void {
    new Promise<Delivery>((resolve) => this.#gate = resolve).then(arrive);
  }

  #deliver(state: State, event: Event): void {
    const gate = this.#gate;
    this.#gate = null;
    gate?.({ execution: this, state, event });
  }

  /** As with an abort, a limit is a fact from here on, and the attempt's signal follows at once. */
  wake(state: Waiting): void {
    // An abort that has happened came first, and is on its way.
    if (this.#state !== state || this.#aborted !== null) return;
    try {
      const at = Math.max(readInstant(this.#policy.clock), state.wakeAt);
      const isLimit = state.phase === "trying";
      const error = isLimit ? limitError(this.#policy, state, at) : undefined;
      const event: Event = { type: "woke", at, error };
      // A wake by sleep is a reaction in the caller's context already.
      const isHere = this.#policy.clock.after === undefined;
      if (!isHere) this.#deliver(state, event);
      if (isLimit) this.#cut(error);
      if (isHere) this.arrive(state, event);
    } catch (error) {
      this.break(state, error);
    }
  }

  break(state: Waiting, error: unknown): void {
    this.#deliver(state, { type: "broke", at: state.at, reason: error });
  }

  #cancelTimer(): void {
    const timer = this.#timer;
    this.#timer = null;
    timer?.cancel();
  }

  arrive(state: State, event: Event): void {
    if (this.#state !== state) return; // something else came first
    try {
      this.#on(event);
    } catch (error) {
      this.#break(error);
    }
  }

  #try(state: Trying): void {
    const attempt = new RunningAttempt(state, this.#policy.clock);
    this.#attempt = attempt;
    const ms = state.wakeAt - state.at;
    if (ms > 0) this.#arm(state, ms); // before the call: a limit wins a tie with the function
    this.#observer?.attempt(state);
    if (state.tries === 1) this.#policy.budget?.began(state.at);
    if (ms === 0) return this.#on(this.#aborted ?? { type: "woke", at: state.at });
    if (this.#aborted === null) this.#call(attempt); // else it is on its way
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
    then.call(
      result,
      (value) => this.#fulfilled(attempt, value),
      (reason) => this.#settled(attempt, { status: "rejected", reason }),
    );
  }

  /** The engine's cell for most calls, on a short cut that a test holds to the same end. */
  #fulfilled(attempt: RunningAttempt, value: T): void {
    const state = this.#state;
    const isPlain = attempt === this.#attempt && state.phase === "trying" &&
      this.#unlisten === null && this.#observer === null && this.#policy.budget === null;
    if (!isPlain) return this.#settled(attempt, { status: "fulfilled", value });
    this.#attempt = null;
    try {
      const at = this.#now();
      this.#cancelTimer();
      this.#state = SUCCEEDED;
      countSuccess(this.#statistic, at - state.attemptAt);
      this.#resolve(value);
    } catch (error) {
      this.#break(error);
    }
  }

  #settled(attempt: RunningAttempt, outcome: PromiseSettledResult<unknown>): void {
    if (attempt !== this.#attempt) {
      if (!RunningAttempt.isEcho(attempt, outcome)) {
        countLate(this.#statistic);
        this.#observer?.late(attempt, outcome, this.#state);
      }
      return;
    }
    this.#attempt = null; // it ended by itself: an abort by giveup or pause is not its own
    try {
      this.#on({ type: "settled", at: this.#now(), outcome });
    } catch (error) {
      this.#break(error);
    }
  }

  #finish(state: Done): void {
    const unlisten = this.#unlisten;
    this.#unlisten = null;
    try {
      unlisten?.();
    } finally {
      const { outcome } = state;
      this.#observer?.done(state);
      if (outcome.status === "fulfilled") this.#resolve(outcome.value as T);
      else this.#reject(outcome.reason);
    }
  }

  #cut(reason: unknown): void {
    if (this.#attempt !== null) RunningAttempt.cut(this.#attempt, reason);
  }

  /** Never before the instant of the present state, even if the clock goes backwards. */
  #now(): number {
    return Math.max(readInstant(this.#policy.clock), this.#state.at);
  }

  /** What the execution depends on, its clock or a signal, does not work. */
  #break(error: unknown): void {
    try {
      this.#on({ type: "broke", at: this.#state.at, reason: error });
    } catch (another) {
      this.#break(another); // each is let go of only once, so this comes to an end
    }
  }
}
