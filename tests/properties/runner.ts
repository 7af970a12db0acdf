// Runs a script on the library, with virtual time, and writes a trace in the words of the
// reference. Invariants that hold for every script are checked meanwhile.

import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Budget,
  currentAttempt,
  type ExecuteOptions,
  type Failure,
} from "@asyncbackoff/asyncbackoff";
import type { Reports } from "../../src/engine/state.ts";
import { type EntryPoint, entryPointOf } from "./entry_point.ts";
import { type FullClock, RecordingClock, withoutAfter } from "./recording_clock.ts";
import {
  classes,
  isExhausted,
  Labels,
  makeError,
  makePastError,
  makeReason,
  makeValue,
} from "./world.ts";
import {
  type AbortFrom,
  type AbortScript,
  type Answer,
  answerOf,
  attemptOf,
  type BudgetScript,
  type Ending,
  type Form,
  nameOf,
  type ObserverScript,
  type PastError,
  type PauseAnswer,
  type Place,
  type Script,
  type Trace,
} from "./script.ts";

/** The events of the engine and its decisions, by labels, so that they can be replayed. */
export type LoggedEvent =
  | { type: "began" | "woke"; at: number }
  | { type: "settled"; at: number; attempt: number; status: string; label: string }
  | { type: "progressed"; at: number; attempt: number; checkpoint: string | undefined }
  | { type: "aborted"; at: number; label: string }
  /** The decision about a value: the label of its refusal, `null` if it is accepted. */
  | { type: "judged"; at: number; refusal: string | "thrown" | null }
  /** The pause after a failure; `null` if the execution ends, as `ended` explains. */
  | { type: "decided"; at: number; pauseAfter: number | null }
  | { type: "ended"; at: number; reason: string; label: string };

/** Makes the entry point by which a runner executes its function. */
export type MakeEntryPoint = (
  policy: Script["policy"],
  options: BackoffOptions,
  runner: Runner,
) => EntryPoint;

/** A promise that is settled from outside. */
class Deferred {
  readonly promise: Promise<unknown>;
  settle!: (outcome: PromiseSettledResult<unknown>) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.settle = (outcome) =>
        outcome.status === "fulfilled" ? resolve(outcome.value) : reject(outcome.reason);
    });
    this.promise.catch(() => {}); // its attempt may never be made
  }
}

/** One execution of a script. */
export class Runner {
  /** The invariants that were broken. */
  readonly broken: string[] = [];
  readonly log: LoggedEvent[] = [];
  /** The errors that its observer threw. They must be uncaught, and change nothing. */
  readonly thrown: unknown[] = [];
  /** The function calls this at its first call. */
  whenCalled: () => void = () => {};
  readonly #script: Script;
  readonly #clock: FullClock;
  readonly #library: RecordingClock;
  readonly #run: EntryPoint["run"];
  readonly #counters: EntryPoint["counters"];
  readonly #labels: Labels;
  readonly #controllers = { own: new AbortController(), policy: new AbortController() };
  readonly #listeners = new Map<AbortSignal, Set<unknown>>();
  readonly #lines: string[] = [];
  readonly #reports: string[] = [];
  readonly #late: string[] = [];
  readonly #budgetLines: string[] = [];
  readonly #attempts: Attempt[] = [];
  readonly #inFlight = new Set<number>();
  readonly #outer = new Map<number, Deferred>();
  /** The errors with a past, which are made before the execution begins. */
  readonly #pastErrors = new Map<Ending, unknown>();
  /** The event that only the policy's observer has received. */
  #unshared: BackoffEvent | null = null;
  #outcome: PromiseSettledResult<unknown> | null = null;
  #isExhausted = false;
  #beganAt = 0;
  #attempt = 0;
  #execution = 0;
  #hasBegun = false;
  #isSettled = false;

  constructor(script: Script, clock: FullClock, make: MakeEntryPoint = entryPointOf) {
    this.#script = script;
    this.#clock = clock;
    this.#labels = new Labels(nameOf(script));
    const woke = () => this.#log({ type: "woke", at: this.#elapsed() });
    this.#library = new RecordingClock(clock, woke);
    for (const { signal } of Object.values(this.#controllers)) this.#watch(signal);
    const { run, counters } = make(script.policy, this.#options(), this);
    this.#run = run;
    this.#counters = counters;
  }

  /** Whether the execution has begun. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Makes what takes time to make. Must be awaited before the execution begins. */
  async prepare(): Promise<void> {
    for (const { ending, onAbort } of this.#script.attempts) {
      const others = onAbort === null || onAbort === "ignore" ? [] : [onAbort.ending];
      for (const each of [ending, ...others]) {
        if (hasPast(each)) this.#pastErrors.set(each, (await makePastError(each)).error);
      }
    }
  }

  /** Looks at what the execution has left behind, when nothing is left to happen. */
  async inspect(): Promise<void> {
    if (this.#outcome?.status !== "rejected") return;
    this.#isExhausted = await isExhausted(this.#outcome.reason);
  }

  /** Begins the execution at the present instant. */
  begin(): void {
    this.#beganAt = this.#clock.now();
    this.#armCallers("before");
    for (const [index, { when }] of this.#script.attempts.entries()) {
      if (typeof when === "object" && "at" in when) this.#armOuterWork(index + 1, when.at);
    }
    this.#abortFrom("beforehand");
    const { own, policy } = this.#controllers;
    if (own.signal.aborted) this.#log({ type: "aborted", at: 0, label: "the own reason" });
    else if (policy.signal.aborted) {
      this.#log({ type: "aborted", at: 0, label: "the policy reason" });
    }
    this.#log({ type: "began", at: 0 });
    this.#hasBegun = true;
    const fn = (attempt: Attempt) => this.#call(attempt);
    Object.defineProperty(fn, "name", { value: this.#script.fn });
    this.#runNested((options) =>
      this.#run(fn, options).then(
        (value) => this.#settled({ status: "fulfilled", value }),
        (reason) => this.#settled({ status: "rejected", reason }),
      )
    );
    this.#abortFrom("right after");
    this.#armCallers("after");
  }

  /** Runs in an outer attempt that lets go at once, if the script has one. */
  #runNested(run: (options: ExecuteOptions) => unknown): void {
    const options = this.#callOptions();
    const { outer } = this.#script.call;
    if (outer === null) return void run(options);
    new Backoff({ deadline: outer, clock: this.#clock })
      .execute((within) => void run({ ...options, within }));
  }

  /** The trace, when nothing is left to happen. */
  result(): Trace {
    this.#checkRemains("in the end");
    this.#checkShared();
    const signals = this.#attempts.map(({ number, signal }) =>
      `${number}: ${
        signal.aborted ? this.#labels.of(signal.reason, number) : "not aborted"
      }`
    );
    const late = this.#late.sort();
    const counters = this.#counters();
    return {
      lines: this.#lines,
      reports: this.#reports,
      late,
      signals,
      budget: this.#budgetLines,
      counters,
      isExhausted: this.#isExhausted,
    };
  }

  /** Sets the label of a value that this runner did not make. */
  setLabel(value: unknown, label: string): void {
    this.#labels.set(value, label);
  }

  /** The options of the policy, except its limits. */
  #options(): BackoffOptions {
    const { pause, exceptions, giveup, budget, observer } = this.#script.policy;
    const { until, minRemaining, retryExhausted, grace, name } = this.#script.policy;
    const { idleTimeout, resetAfter } = this.#script.policy;
    return {
      pause: Array.isArray(pause)
        ? (failure) => this.#pause(pause, failure)
        : typeof pause === "number"
        ? pause
        : pause && pause.list,
      minRemaining,
      exceptions: Array.isArray(exceptions)
        ? exceptions.map((name) => classes[name])
        : typeof exceptions === "string"
        ? exceptions
        : exceptions && ((error) => this.#isRetryable(exceptions.predicate, error)),
      until: until && ((value: unknown) => this.#accepts("until", until, value)),
      giveup: giveup && ((error, failure) => this.#giveup(giveup, error, failure)),
      ...(budget && { budget: this.#budget(budget) }),
      retryExhausted,
      idleTimeout,
      resetAfter,
      grace,
      name,
      signal: this.#controllers.policy.signal,
      observe: observer === "none" ? null : (event) => this.observe(event),
      clock: this.#script.policy.clock === "sleep"
        ? withoutAfter(this.#library)
        : this.#library,
    };
  }

  /** The options of the execution, if its entry point has any. */
  #callOptions(): ExecuteOptions {
    const { observer, until, name } = this.#script.call;
    const { signal } = this.#controllers.own;
    return {
      signal,
      observe: observer === "none" ? null : (event) => this.#observeCall(event),
      until: until &&
        ((value: unknown) => this.#accepts("call's until", until, value)),
      name,
    };
  }

  /** An answer of `until`, of the policy or of the execution. */
  #accepts(
    place: "until" | "call's until",
    answers: readonly Answer[],
    value: unknown,
  ): boolean {
    const attempt = this.#attempt;
    this.#checkNoAttempt(place);
    this.#write(`${place}: ${this.#labels.of(value, attempt)}`);
    const answer = answerOf(answers, attempt);
    const isAccepted = answer === true || answer === "truthy";
    const isThrown = answer === "throw" || answer === "promise";
    // Only the first refusal counts, or the acceptance by the last of both.
    if (!isAccepted || place !== "until" || this.#script.call.until === null) {
      const label = `refusal of ${this.#labels.of(value, attempt)} (${attempt})`;
      const refusal = isAccepted ? null : isThrown ? "thrown" : label;
      this.#log({ type: "judged", at: this.#elapsed(), refusal });
    }
    this.#abortIn(place, attempt);
    return this.#answer(place, answer, attempt);
  }

  #isRetryable(answers: readonly Answer[], error: unknown): boolean {
    const attempt = this.#attempt;
    this.#checkNoAttempt("exceptions");
    this.#write(`exceptions: ${this.#labels.of(error, attempt)}`);
    this.#abortIn("exceptions", attempt);
    return this.#answer("exceptions", answerOf(answers, attempt), attempt);
  }

  #giveup(answers: readonly Answer[], error: unknown, failure: Failure): boolean {
    this.#check(Object.is(error, failure.error), "giveup receives the failure's error");
    this.#ask("giveup", failure);
    return this.#answer("giveup", answerOf(answers, failure.attempt), failure.attempt);
  }

  #answer(place: Place, answer: Answer, attempt: number): boolean {
    if (answer === "throw") throw this.#thrownBy(place, attempt);
    if (answer === "promise") return Promise.reject("unheard") as unknown as boolean;
    if (answer === "truthy") return 1 as unknown as boolean;
    if (answer === "falsy") return undefined as unknown as boolean;
    return answer;
  }

  #budget({ mayRetry, hooks }: BudgetScript): Budget {
    const answers = {
      mayRetry: (at: number, failure: Failure | null) => {
        this.#checkBudget(at);
        return this.#mayRetry(mayRetry, failure as Failure);
      },
    };
    if (hooks === "none") return answers;
    const record = (text: string) => (at: number) => {
      this.#checkBudget(at);
      this.#budgetLines.push(`${this.#elapsed()} ${text}`);
    };
    return {
      ...answers,
      began: record("began"),
      succeeded: record("succeeded"),
      failed: (at: number) => {
        this.#checkBudget(at);
        this.#write("budget: failed");
      },
      ended: (at) => {
        record("ended")(at);
        if (hooks === "all, and ended throws") this.#throwUncaught("thrown by a budget");
      },
    };
  }

  #mayRetry(answers: BudgetScript["mayRetry"], failure: Failure): boolean {
    this.#ask("budget", failure);
    const answer = answerOf(answers, failure.attempt);
    if (answer === "throw") throw this.#thrownBy("budget", failure.attempt);
    return answer === "promise" ? Promise.resolve(true) as unknown as boolean : answer;
  }

  #checkBudget(at: number): void {
    this.#check(at === this.#clock.now(), "a budget receives the instant");
    this.#checkNoAttempt("budget");
  }

  #pause(answers: readonly PauseAnswer[], failure: Failure): number {
    this.#ask("pause", failure);
    const answer = answerOf(answers, failure.attempt);
    if (typeof answer === "number") return answer;
    if (answer === "throw") throw this.#thrownBy("pause", failure.attempt);
    if (answer === "throw the failure's error") throw failure.error;
    if (answer === "promise") return Promise.resolve(0) as unknown as number;
    if (answer === "none") return null as unknown as number;
    return answer === "NaN" ? NaN : -1;
  }

  #thrownBy(place: string, attempt: number): unknown {
    const error = new Error(`thrown by ${place}`);
    this.#labels.set(error, `thrown by ${place} ${attempt}`);
    return error;
  }

  #ask(place: "giveup" | "pause" | "budget", failure: Failure): void {
    this.#checkNoAttempt(place);
    this.#check(Object.isFrozen(failure), `${place} receives a frozen failure`);
    this.#write(`${place}: ${this.#factsOf(failure)}`);
    this.#abortIn(place, failure.attempt);
  }

  /** The policy's observer. */
  observe(event: BackoffEvent): void {
    this.#checkShared();
    if (this.#script.call.observer !== "none") this.#unshared = event;
    this.#record(event);
    this.#throwFrom(this.#script.policy.observer);
  }

  /** The observer of the execution, which receives each event after that of the policy. */
  #observeCall(event: BackoffEvent): void {
    if (this.#script.policy.observer === "none") this.#record(event);
    else {
      this.#checkNoAttempt("observe");
      this.#check(event === this.#unshared, "both observers receive the same event");
      this.#unshared = null;
    }
    this.#throwFrom(this.#script.call.observer);
  }

  #checkShared(): void {
    this.#check(this.#unshared === null, "both observers receive every event");
  }

  #throwFrom(observer: ObserverScript): void {
    if (observer === "throws") this.#throwUncaught("thrown by an observer");
  }

  #throwUncaught(message: string): never {
    const error = new Error(message);
    this.thrown.push(error);
    throw error;
  }

  #record(event: BackoffEvent): void {
    this.#checkNoAttempt("observe");
    this.#check(
      event.name === nameOf(this.#script),
      "events have the name of the execution",
    );
    this.#execution ||= event.execution;
    this.#check(
      this.#execution === event.execution,
      "events have the number of the execution",
    );
    this.#check(event.at === this.#clock.now(), "events have their instant");
    this.#check(Object.isFrozen(event), "events are frozen");
    if (event.type === "late") {
      const text = this.#describe(event.outcome);
      this.#late.push(`${this.#elapsed()} late ${event.attempt}: ${text}`);
      return;
    }
    if (event.type === "attempt") this.#attempt = event.attempt;
    this.#write(`observed ${this.#textOf(event)}`);
    this.#logDecision(event);
    this.#abortIn(event.type, this.#attempt);
  }

  #logDecision(event: Exclude<BackoffEvent, { type: "late" }>): void {
    const at = this.#elapsed();
    if (event.type === "failure") {
      this.#log({ type: "decided", at, pauseAfter: event.pauseAfter });
    }
    if (event.type !== "done") return;
    const { reason, outcome } = event;
    const label = this.#labels.of(
      outcome.status === "fulfilled" ? outcome.value : outcome.reason,
      this.#attempt,
    );
    this.#log({ type: "ended", at, reason, label });
  }

  #textOf(event: Exclude<BackoffEvent, { type: "late" }>): string {
    if (event.type === "attempt") return `attempt ${event.attempt}`;
    if (event.type === "done") {
      const outcome = this.#describe(event.outcome);
      const facts = `attempts ${event.attempts}, elapsed ${event.elapsed}`;
      return `done by ${event.reason}: ${outcome}, ${facts}${
        reportsText(event, this.#beganAt)
      }`;
    }
    this.#check(
      event.attempt === event.failure.attempt,
      "a failure has the number of its attempt",
    );
    const text = `failure ${this.#factsOf(event.failure)}, then ${event.pauseAfter}`;
    return text + reportsText(event, this.#beganAt);
  }

  // ---- the function

  #call(attempt: Attempt): unknown {
    const { number, remaining, triesLeft, elapsed, lastFailure } = attempt;
    this.#attempt = number;
    this.#attempts.push(attempt);
    const after = lastFailure === null
      ? undefined
      : this.#labels.of(lastFailure.error, number - 1);
    this.#write(
      `call ${number}: remaining ${remaining}, triesLeft ${triesLeft}, after ${after}, ` +
        `checkpoint ${attempt.checkpoint}`,
    );
    this.#checkAttempt(number, elapsed, lastFailure?.streak ?? 0);
    if (number === 1) this.whenCalled();
    this.#check(currentAttempt() === attempt, "the current attempt is the innermost");
    const { when, ending, onAbort, reports } = attemptOf(this.#script, number);
    const deferred = this.#outer.get(number) ?? new Deferred();
    if (onAbort !== null) {
      const react = () => this.#reactToAbort(attempt, deferred);
      attempt.signal.addEventListener("abort", react);
    }
    for (const each of this.#script.aborts) {
      const { from } = each;
      if (typeof from !== "object" || !("by" in from)) continue;
      if (from.by !== "timer" || from.attempt !== number) continue;
      this.#clock.after(from.after, () => this.#abort(each));
    }
    for (const { after, checkpoint } of reports) {
      const report = () => this.#report(attempt, checkpoint ?? undefined);
      if (after === "in the call") report();
      else this.#clock.after(after, report);
    }
    this.#abortIn("function", number);
    if (when === "sync") return this.#endNow(ending, number);
    if (when === "soon") deferred.settle(this.#outcomeOf(ending, number));
    else if (typeof when === "object" && "after" in when) {
      this.#clock.after(when.after, () => this.#work(deferred, number));
    }
    return this.#promiseFor(deferred.promise, number);
  }

  #report(attempt: Attempt, checkpoint: string | undefined): void {
    const { number } = attempt;
    const log = () =>
      this.#log({ type: "progressed", at: this.#elapsed(), attempt: number, checkpoint });
    // Limits and aborts that were noticed earlier in this turn are logged earlier, too.
    queueMicrotask(log);
    attempt.progress(checkpoint);
    this.#reports.push(`${this.#elapsed()} report ${number}: ${attempt.checkpoint}`);
  }

  #checkAttempt(number: number, elapsed: number, streak: number): void {
    const { grace, maxTries } = this.#script.policy;
    this.#check(elapsed === 0, "an attempt begins at 0");
    this.#check(!this.#isSettled, "no attempt after the settlement");
    this.#check(streak < (maxTries ?? Infinity), "at most maxTries attempts fail in a row");
    this.#check(streak < number, "a streak is no longer than the execution");
    const { deadline } = this.#script.policy;
    this.#check(this.#elapsed() < (deadline ?? Infinity), "no attempt at the deadline");
    const isAlone = grace !== Infinity || this.#inFlight.size === 0;
    this.#check(isAlone, "one attempt at a time with an endless grace");
    this.#inFlight.add(number);
  }

  #endNow(ending: Ending, number: number): unknown {
    const outcome = this.#outcomeOf(ending, number);
    queueMicrotask(() => this.#ended(number, outcome));
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }

  /** Logs the outcome of an attempt, before the library receives it. */
  #ended(number: number, outcome: PromiseSettledResult<unknown>): void {
    const { status } = outcome;
    const label = this.#labels.of(
      status === "fulfilled" ? outcome.value : outcome.reason,
      number,
    );
    this.#inFlight.delete(number);
    this.#log({ type: "settled", at: this.#elapsed(), attempt: number, status, label });
  }

  #promiseFor(promise: Promise<unknown>, number: number): unknown {
    promise.then(
      (value) => this.#ended(number, { status: "fulfilled", value }),
      (reason) => this.#ended(number, { status: "rejected", reason }),
    );
    return convert[attemptOf(this.#script, number).form](promise);
  }

  #armOuterWork(number: number, at: number): void {
    const deferred = new Deferred();
    this.#outer.set(number, deferred);
    this.#clock.after(at, () => this.#work(deferred, number));
  }

  #work(deferred: Deferred, number: number): void {
    deferred.settle(this.#outcomeOf(attemptOf(this.#script, number).ending, number));
    this.#abortIn("work", number);
  }

  #outcomeOf(ending: Ending, number: number, by = "work"): PromiseSettledResult<unknown> {
    if (ending === "again") {
      const failure = this.#attempts.find((each) => each.number === number)?.lastFailure;
      if (!failure) return this.#outcomeOf({ raise: "A" }, number, by);
      return { status: "rejected", reason: failure.error };
    }
    if ("return" in ending) {
      const value = makeValue(ending.return);
      this.#labels.set(value, `${ending.return} ${number} ${by}`);
      return { status: "fulfilled", value };
    }
    const name = "past" in ending && ending.depth > 0 ? "A" : ending.raise;
    const reason = this.#pastErrors.get(ending) ?? makeError(name);
    this.#labels.set(reason, `${name} ${number} ${by}`);
    return { status: "rejected", reason };
  }

  #reactToAbort({ number, signal }: Attempt, deferred: Deferred): void {
    this.#write(`abort ${number}: ${this.#labels.of(signal.reason, number)}`);
    const { onAbort } = attemptOf(this.#script, number);
    if (onAbort !== null && onAbort !== "ignore") {
      const outcome: PromiseSettledResult<unknown> = onAbort.ending === "reason"
        ? { status: "rejected", reason: signal.reason }
        : this.#outcomeOf(onAbort.ending, number, "answer");
      if (onAbort.after === 0) deferred.settle(outcome);
      else this.#clock.after(onAbort.after, () => deferred.settle(outcome));
    }
    this.#abortIn("listener", number);
  }

  // ---- callers

  #armCallers(armed: "before" | "after"): void {
    for (const each of this.#script.aborts) {
      const { from } = each;
      if (typeof from !== "object" || !("at" in from) || from.armed !== armed) continue;
      this.#clock.after(from.at, () => this.#abort(each));
    }
  }

  #abortFrom(from: AbortFrom): void {
    for (const each of this.#script.aborts) if (each.from === from) this.#abort(each);
  }

  #abortIn(place: Place, attempt: number): void {
    for (const each of this.#script.aborts) {
      const { from } = each;
      if (typeof from !== "object" || !("by" in from)) continue;
      if (from.by === place && from.attempt === attempt) this.#abort(each);
    }
  }

  #abort({ signal, reason }: AbortScript): void {
    const controller = this.#controllers[signal];
    if (controller.signal.aborted) return;
    const label = `the ${signal} reason`;
    const value = makeReason(reason, label);
    if (value !== undefined) this.#labels.set(value, label);
    else this.#labels.expect(controller.signal, label);
    const log = () => this.#log({ type: "aborted", at: this.#elapsed(), label });
    // Attempts that settled earlier in this turn are logged earlier, too.
    if (this.#hasBegun) queueMicrotask(log);
    controller.abort(value);
  }

  // ---- the trace

  #watch(signal: AbortSignal): void {
    const listeners = new Set<unknown>();
    this.#listeners.set(signal, listeners);
    const { addEventListener, removeEventListener } = signal;
    Object.assign(signal, {
      addEventListener(...args: [string, unknown]) {
        listeners.add(args[1]);
        return Reflect.apply(addEventListener, signal, args);
      },
      removeEventListener(...args: [string, unknown]) {
        listeners.delete(args[1]);
        return Reflect.apply(removeEventListener, signal, args);
      },
    });
  }

  #settled(outcome: PromiseSettledResult<unknown>): void {
    this.#check(!this.#isSettled, "it settles once");
    this.#isSettled = true;
    this.#outcome = outcome;
    this.#write(`settled: ${this.#describe(outcome)}`);
    const { deadline } = this.#script.policy;
    const isInTime = this.#elapsed() <= (deadline ?? Infinity);
    this.#check(isInTime, "it settles at the deadline at the latest");
    this.#checkRemains("after the settlement");
  }

  #checkRemains(when: string): void {
    if (!this.#isSettled) return;
    this.#check(this.#library.left === 0, `no timer is left ${when}`);
    for (const [signal, listeners] of this.#listeners) {
      this.#check(signal.aborted || listeners.size === 0, `no listener is left ${when}`);
    }
  }

  #checkNoAttempt(place: string): void {
    let isThere = true;
    try {
      currentAttempt();
    } catch {
      isThere = false;
    }
    this.#check(!isThere, `there is no current attempt inside ${place}`);
  }

  #check(holds: boolean, promise: string): void {
    if (!holds) this.broken.push(promise);
  }

  #elapsed(): number {
    return this.#clock.now() - this.#beganAt;
  }

  #write(text: string): void {
    this.#lines.push(`${this.#elapsed()} ${text}`);
  }

  #log(event: LoggedEvent): void {
    this.log.push(event);
  }

  #describe(outcome: PromiseSettledResult<unknown>): string {
    const attempt = Math.max(this.#attempt, this.#counters()?.["attempts"] ?? 0);
    return outcome.status === "fulfilled"
      ? `fulfilled with ${this.#labels.of(outcome.value, attempt)}`
      : `rejected with ${this.#labels.of(outcome.reason, attempt)}`;
  }

  #factsOf(failure: Failure): string {
    return factsOf(failure, this.#labels.of(failure.error, failure.attempt));
  }
}

/** Every field of a failure as text. */
export function factsOf(failure: Failure, label: string): string {
  const { name, attempt, streak, limit, duration, elapsed, remaining, pauseBefore } =
    failure;
  return `${label} of '${name}', attempt ${attempt}, streak ${streak}, limit ${limit}, ` +
    `duration ${duration}, elapsed ${elapsed}, remaining ${remaining}, ` +
    `pauseBefore ${pauseBefore}`;
}

/** The reports of an attempt as text; nothing if there are none. */
export function reportsText(
  { reports = null }: { readonly reports?: Reports | null },
  beganAt: number,
): string {
  if (reports === null) return "";
  const { count, firstAt, latestAt } = reports;
  return `, ${count} reports from ${firstAt - beganAt} to ${latestAt - beganAt}`;
}

function hasPast(ending: Ending | "reason"): ending is PastError {
  return typeof ending === "object" && "past" in ending;
}

class OtherPromise<T> extends Promise<T> {}

/** Converts a promise into the value that the function returns. */
const convert: Record<Form, (promise: Promise<unknown>) => unknown> = {
  plain: (promise) => promise,
  async: async (promise) => await promise,
  subclass: (promise) =>
    new OtherPromise((resolve, reject) => void promise.then(resolve, reject)),
  thenable: (promise) => ({
    then: (resolve: (value: unknown) => void, reject: (reason: unknown) => void) =>
      void promise.then(resolve, reject),
  }),
  twice: (promise) => ({
    then(resolve: (value: unknown) => void, reject: (reason: unknown) => void) {
      const ends = [resolve, reject];
      promise.then((value) => ends.forEach((end) => end(value)), (reason) => {
        ends.reverse().forEach((end) => end(reason));
      });
      return promise;
    },
  }),
};
