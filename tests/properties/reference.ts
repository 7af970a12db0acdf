// The reference: an independent implementation of the rules, as a plain loop over a script,
// without promises and timers. It shares no code with the library. Where the library is
// known to differ from the letter of the rules, a comment that begins with "Known:" says
// so.

import { type Entry, Instants } from "./instants.ts";
import {
  type AbortFrom,
  type AbortScript,
  type Answer,
  answerOf,
  attemptOf,
  type AttemptScript,
  type Ending,
  facts,
  nameOf,
  type Past,
  type Place,
  primitives,
  type Script,
  type Trace,
} from "./script.ts";

/** The label of an error or a value. Equal labels stand for the identical value. */
type Label = string;
type Outcome = { value: Label } | { error: Label };

/** Everything that the rules ask about an error. */
interface Traits {
  readonly name: string | null;
  readonly classes: readonly string[];
  readonly isMarked: boolean;
  /** The depth of causes at which an error was retried already; `Infinity` if none was. */
  readonly exhaustedAt: number;
  /** The categories of a failure with it. */
  readonly categories: readonly string[];
}

interface RunningAttempt {
  readonly number: number;
  readonly script: AttemptScript;
  readonly lastError: Label | undefined;
  isCalled: boolean;
  isSettled: boolean;
  /** The instant at which it has been silent for too long. */
  silentAt: number;
  /** The number of times from which its silence was counted. Only the last one matters. */
  silences: number;
  /** The instants at which it reported progress while it ran. */
  readonly reports: number[];
  /** The limit that ended it. */
  limit: TimeoutLimit | null;
  checkpoint: string | undefined;
  /** The reason of its signal. */
  abortedBy: Label | null;
}

/** The limits that end an attempt and let the execution go on. */
type TimeoutLimit = "attempt" | "idle";

interface Failure {
  readonly error: Label;
  readonly attempt: number;
  /** The number of failures in a row. */
  readonly streak: number;
  readonly limit: TimeoutLimit | null;
  readonly duration: number;
  readonly elapsed: number;
  readonly remaining: number;
  readonly pauseBefore: number;
}

/** The decision about a failure: a pause, or the end. */
type Decision = { pause: number } | { reason: string; error: Label };

/** The decision about a value. */
type Verdict = "accepted" | "refused" | { thrown: Label };

/** The trace that a script must have, and categories of what happened in it. */
export interface Expected extends Trace {
  /** Categories of what happened, to be counted. */
  seen: Set<string>;
  /** Late outcomes that may be observed or not. */
  possiblyLate: Set<string>;
  /** Whether the rules leave the order open: see `#abortByTimer` and `#answer`. */
  isOpen: boolean;
}

/** Runs a script by the rules. */
export function interpret(script: Script): Expected {
  return new Reference(script).run();
}

/**
 * Whether another execution that ended so makes an error exhausted: it ended after its retries,
 * and might have made more than one try.
 */
const exhausts: Record<Past, boolean> = {
  marked: false,
  "marked and retried": true,
  maxTries: true,
  giveup: true,
  "giveup by its pause": true,
  budget: true,
  deadline: true,
  "no time left": true,
  "single try": false,
  nonRetryable: false,
  aborted: false,
  callbackError: false,
  success: false,
};

/** The depth up to which causes are looked at. */
const MAX_DEPTH = 10;

const endsRetries = ["maxTries", "giveup", "budget", "deadline"];

const timeoutTraits: Traits = {
  name: "TimeoutError",
  classes: ["Error", "Object"],
  isMarked: false,
  exhaustedAt: Infinity,
  categories: [],
};

const orNone = (limit: number | null) => limit ?? Infinity;

class Reference {
  readonly #script: Script;
  readonly #attemptTimeout: number;
  readonly #deadline: number;
  readonly #grace: number;
  readonly #outerEndsAt: number;
  readonly #idleTimeout: number;
  readonly #resetAfter: number;
  readonly #maxTries: number;
  readonly #name: string;
  /** For each label of an error. */
  readonly #traits = new Map<Label, Traits>();
  readonly #instants = new Instants();
  readonly #expected: Expected = {
    lines: [],
    reports: [],
    late: [],
    signals: [],
    budget: [],
    counters: {
      attempts: 0,
      done: 0,
      errors: 0,
      cancels: 0,
      refused: 0,
      sumTime: 0,
      timeouts: 0,
      pauseTime: 0,
      progress: 0,
      resets: 0,
      success: 0,
      nonRetryable: 0,
      exhausted: 0,
      maxTries: 0,
      giveup: 0,
      budget: 0,
      deadline: 0,
      aborted: 0,
      callbackError: 0,
    },
    isExhausted: false,
    seen: new Set(),
    possiblyLate: new Set(),
    isOpen: false,
  };
  readonly #counters = this.#expected.counters!;
  #phase: "trying" | "stopping" | "failing" | "pausing" | "over" = "pausing";
  #attempt: RunningAttempt | null = null;
  #attempts: RunningAttempt[] = [];
  #attemptAt = 0;
  #pause = 0;
  /** The latest checkpoint of the execution. */
  #checkpoint: string | undefined;
  #pausingSince: number | null = null;
  #lastFailure: Failure | null = null;
  #reason: Label | null = null;
  #isAbortedInDecision = false;
  #undelivered: [RunningAttempt, Outcome][] = [];
  #endedIn = "";
  #graceEnd = "";
  readonly #outerDone = new Set<number>();

  constructor(script: Script) {
    this.#script = script;
    this.#attemptTimeout = orNone(script.policy.attemptTimeout);
    this.#deadline = orNone(script.policy.deadline);
    this.#grace = script.policy.grace ?? 0;
    this.#outerEndsAt = orNone(script.call.outer);
    this.#idleTimeout = orNone(script.policy.idleTimeout);
    this.#resetAfter = orNone(script.policy.resetAfter);
    this.#maxTries = orNone(script.policy.maxTries);
    this.#name = nameOf(script);
  }

  run(): Expected {
    this.#armCallers("before");
    for (const [index, { when }] of this.#script.attempts.entries()) {
      if (typeof when === "object" && "at" in when) this.#armOuterWork(index + 1, when.at);
    }
    this.#begin();
    this.#abortFrom("right after");
    this.#armCallers("after");
    this.#deliver();
    this.#instants.loop((entries) => this.#meet(entries), () => this.#deliver());
    return this.#result();
  }

  /** Notes ties: entries of one instant, each of which would have an effect by itself. */
  #meet(entries: Entry[]): void {
    const kinds = entries.filter((each) => this.#isLive(each)).map(({ kind }) => kind)
      .sort();
    if (kinds.length > 2) this.#see("tie of three");
    for (const [index, kind] of kinds.entries()) {
      const next = kinds[index + 1];
      if (next !== undefined && next !== kind) this.#see(`tie of ${kind} and ${next}`);
    }
  }

  #isLive({ kind, attempt, at }: Entry): boolean {
    if (kind === "deadline" || kind === "abort") return this.#phase !== "over";
    if (attempt !== this.#attempt?.number) return false;
    if (kind === "pause") return this.#phase === "pausing";
    if (kind === "timeout" || kind === "report") return this.#phase === "trying";
    if (kind === "idle") return this.#phase === "trying" && at === this.#attempt!.silentAt;
    if (kind === "grace") return this.#phase === "stopping";
    return this.#phase === "trying" || this.#phase === "stopping";
  }

  #begin(): void {
    for (const signal of ["own", "policy"] as const) {
      const isAborted = this.#script.aborts.some((each) =>
        each.signal === signal && each.from === "beforehand"
      );
      if (isAborted && this.#reason !== null) {
        this.#see("aborted beforehand by two signals");
      }
      if (isAborted) this.#reason ??= `the ${signal} reason`;
    }
    if (this.#reason !== null) {
      this.#see("aborted beforehand");
      return this.#end("aborted", { error: this.#reason });
    }
    if (this.#deadline === 0) {
      return this.#end("deadline", { error: this.#deadlineError() });
    }
    this.#instants.after(this.#deadline, "deadline", 0, () => this.#reachDeadline());
    this.#try();
  }

  // ---- attempts

  #try(): void {
    this.#endPause();
    const counters = this.#counters;
    if (counters["attempts"]! > 0) {
      counters["sumTime"]! += this.#instants.now - this.#attemptAt;
    }
    const number = ++counters["attempts"]!;
    if (number > 100) throw new Error("This script is endless");
    const attempt: RunningAttempt = {
      number,
      script: attemptOf(this.#script, number),
      lastError: this.#lastFailure?.error,
      isCalled: false,
      isSettled: false,
      silentAt: this.#instants.now,
      silences: 0,
      reports: [],
      limit: null,
      checkpoint: this.#checkpoint,
      abortedBy: null,
    };
    this.#attempts.push(attempt);
    this.#attempt = attempt;
    this.#attemptAt = this.#instants.now;
    this.#phase = "trying";
    if (number === 1) this.#writeBudget("began");
    this.#observe("attempt", `attempt ${number}`);
    if (this.#phase !== "trying") return;
    if (this.#attemptTimeout === 0 || this.#idleTimeout === 0) {
      attempt.limit = this.#attemptTimeout === 0 ? "attempt" : "idle";
      this.#see(`${attempt.limit} timeout of 0`);
      this.#count("timeouts");
      return this.#fail(this.#timeoutOf(attempt), attempt.limit);
    }
    this.#instants.after(
      this.#attemptTimeout,
      "timeout",
      number,
      () => this.#timeOut(attempt, "attempt"),
    );
    this.#listenFrom(this.#instants.now, attempt);
    this.#call(attempt);
  }

  #call(attempt: RunningAttempt): void {
    const { number, script } = attempt;
    const remaining = Math.min(this.#attemptTimeout, this.#remaining());
    attempt.isCalled = true;
    this.#see(`function: ${script.when === "sync" ? "sync" : script.form}`);
    const triesLeft = this.#maxTries - 1 - (this.#lastFailure?.streak ?? 0);
    this.#write(
      `call ${number}: remaining ${remaining}, triesLeft ${triesLeft}, ` +
        `after ${attempt.lastError}, checkpoint ${attempt.checkpoint}`,
    );
    for (const each of this.#abortsIn("timer", number)) {
      const { after } = each.from as { after: number };
      this.#instants.after(after, "abort", 0, () => this.#abortByTimer(each, attempt));
    }
    for (const { after, checkpoint } of script.reports) {
      const report = () => this.#report(attempt, checkpoint);
      if (after === "in the call") report();
      else this.#instants.after(after, "report", number, report);
    }
    // Work that is done beforehand counts when the function returns it, and not earlier.
    attempt.isSettled = this.#outerDone.has(number);
    this.#abortIn("function", number);
    const { when, ending } = script;
    const outcome = this.#outcomeOf(ending, number);
    if (this.#outerDone.has(number)) this.#undelivered.push([attempt, outcome]);
    if (when === "sync" || when === "soon") this.#settle(attempt, outcome);
    if (typeof when === "object" && "after" in when) {
      this.#instants.after(when.after, "work", number, () => this.#work(attempt));
    }
  }

  /** The attempt may be silent for `idleTimeout` from an instant on. */
  #listenFrom(at: number, attempt: RunningAttempt): void {
    attempt.silentAt = at + this.#idleTimeout;
    const silence = ++attempt.silences;
    this.#instants.after(this.#idleTimeout, "idle", attempt.number, () => {
      if (attempt.silences === silence) this.#timeOut(attempt, "idle");
    });
  }

  #report(attempt: RunningAttempt, given: string | null): void {
    this.#takeReport(attempt, given);
    const { number, checkpoint } = attempt;
    this.#expected.reports.push(`${this.#instants.now} report ${number}: ${checkpoint}`);
  }

  /** Progress counts while the attempt runs. In its grace, only its checkpoint does. */
  #takeReport(attempt: RunningAttempt, given: string | null): void {
    const { now } = this.#instants;
    const isCurrent = attempt === this.#attempt && this.#reason === null;
    if (!isCurrent || (this.#phase !== "trying" && this.#phase !== "stopping")) {
      // Known: the one timer is armed anew for each state, so in the grace a report whose
      // timer the function armed comes before the deadline at that instant.
      const isOpen = attempt === this.#attempt && this.#endedIn === "stopping" &&
        now === this.#deadline && given !== null;
      if (isOpen) this.#expected.isOpen = true;
      return this.#see("report that is ignored");
    }
    if (given !== null) {
      this.#see("checkpoint");
      this.#checkpoint = attempt.checkpoint = given;
    }
    if (this.#phase === "stopping") return this.#see("report in the grace");
    this.#see("report");
    this.#count("progress");
    attempt.reports.push(now);
    this.#listenFrom(now, attempt);
  }

  #armOuterWork(number: number, at: number): void {
    this.#instants.after(at, "outer work", number, () => {
      this.#outerDone.add(number);
      const attempt = this.#attempts[number - 1];
      if (attempt?.isCalled) {
        this.#see("work armed before the execution");
        this.#settle(attempt, this.#outcomeOf(attempt.script.ending, number));
      }
      this.#abortIn("work", number);
    });
  }

  #work(attempt: RunningAttempt): void {
    this.#settle(attempt, this.#outcomeOf(attempt.script.ending, attempt.number));
    for (const each of this.#abortsIn("work", attempt.number)) {
      this.#abortByTimer(each, attempt);
    }
  }

  /** Only the first settlement counts. It is delivered at the end of the turn. */
  #settle(attempt: RunningAttempt, outcome: Outcome): void {
    if (attempt.isSettled) return;
    attempt.isSettled = true;
    this.#undelivered.push([attempt, outcome]);
  }

  #deliver(): void {
    for (const [attempt, outcome] of this.#undelivered.splice(0)) {
      const isRunning = attempt === this.#attempt &&
        (this.#phase === "trying" || this.#phase === "stopping");
      if (isRunning && this.#phase === "stopping" && this.#instants.now >= this.#deadline) {
        // Known: the deadline wins a tie with an attempt in its grace, whichever timer was
        // armed first.
        this.#see("deadline's tie in the grace");
        this.#reachDeadline();
        this.#late(attempt, outcome);
      } else if (isRunning) this.#receive(outcome);
      else this.#late(attempt, outcome);
    }
  }

  #receive(outcome: Outcome): void {
    const isStopping = this.#phase === "stopping";
    if (isStopping) {
      this.#see("value" in outcome ? "value in the grace" : "rejection in the grace");
    }
    if ("error" in outcome) {
      if (isStopping) return this.#failByLimit(this.#attempt!);
      return this.#fail(outcome.error, null);
    }
    this.#judge(outcome.value, isStopping);
  }

  /** Asks about a value: the policy first, then the execution. */
  #judge(value: Label, isStopping: boolean): void {
    const { policy, call } = this.#script;
    const number = this.#attempt!.number;
    this.#phase = "failing"; // an abort is only noted, as in the questions about a failure
    let verdict = this.#askUntil("until", policy.until, value, number);
    if (verdict === "accepted") {
      verdict = this.#askUntil("call's until", call.until, value, number);
    }
    if (verdict === "refused") {
      this.#see(isStopping ? "refusal in the grace" : "refusal");
      if (isStopping) return this.#failByLimit(this.#attempt!);
      const error = `refusal of ${value} (${number})`;
      this.#traits.set(error, { ...timeoutTraits, name: "ResultError" });
      return this.#fail(error, null, true);
    }
    this.#count("done");
    if (this.#isAbortedInDecision) {
      // The value has arrived, but the caller has aborted before it was accepted.
      this.#see("abort before a value is accepted");
      this.#count("cancels");
      return this.#end("aborted", { error: this.#reason! });
    }
    if (verdict !== "accepted") {
      return this.#end("callbackError", { error: verdict.thrown });
    }
    this.#writeBudget("succeeded");
    this.#end("success", { value });
  }

  #late(attempt: RunningAttempt, outcome: Outcome): void {
    // A rejection with the reason of the attempt's own signal is not reported.
    if ("error" in outcome && outcome.error === attempt.abortedBy) {
      return this.#see("rejects with its signal's reason");
    }
    this.#see("value" in outcome ? "late value" : "late rejection");
    if (!this.#isObserved()) return;
    const text = `${this.#instants.now} late ${attempt.number}: ${describe(outcome)}`;
    // Known: an outcome that loses its tie with the deadline in the grace may have been
    // delivered before.
    const isDelivered = this.#endedIn === "stopping" && attempt === this.#attempt &&
      this.#instants.now === this.#deadline;
    if (isDelivered) this.#expected.possiblyLate.add(text);
    else this.#expected.late.push(text);
  }

  // ---- limits

  #timeOut(attempt: RunningAttempt, limit: TimeoutLimit): void {
    if (attempt !== this.#attempt || this.#phase !== "trying") return;
    this.#see(`${limit} timeout`);
    attempt.limit = limit;
    this.#count("timeouts");
    const error = this.#timeoutOf(attempt);
    if (this.#grace > 0) {
      this.#see(this.#grace === Infinity ? "endless grace" : "grace");
      this.#phase = "stopping";
      this.#instants.after(
        this.#grace,
        "grace",
        attempt.number,
        () => this.#endGrace(attempt),
      );
      return this.#abortAttempt(attempt, error);
    }
    // Known: the signal aborts before `giveup` is called. If its listener aborts the
    // execution, the decision is still made, and the abort ends the pause.
    this.#phase = "failing";
    this.#abortAttempt(attempt, error);
    this.#failByLimit(attempt);
  }

  #failByLimit(attempt: RunningAttempt): void {
    this.#fail(this.#timeoutOf(attempt), attempt.limit);
  }

  #endGrace(attempt: RunningAttempt): void {
    if (attempt !== this.#attempt || this.#phase !== "stopping") return;
    this.#see("whole grace");
    this.#graceEnd = `${attempt.number} at ${this.#instants.now}`;
    this.#failByLimit(attempt);
  }

  #reachDeadline(): void {
    if (this.#phase === "over") return;
    const phase = this.#phase;
    this.#see(`deadline while ${phase}`);
    this.#phase = "over";
    this.#endedIn = phase;
    const error = phase === "stopping"
      ? this.#timeoutOf(this.#attempt!)
      : this.#lastFailure?.error ?? this.#deadlineError();
    if (phase === "stopping") this.#failAtEnd(error);
    if (phase === "trying") {
      this.#cancel();
      this.#abortAttempt(this.#attempt!, this.#deadlineError());
    }
    this.#end("deadline", { error });
  }

  /** An attempt in its grace fails as the execution ends, so nobody decides about it. */
  #failAtEnd(error: Label): void {
    this.#count("done");
    this.#count("errors");
    const failure = this.#failure(error, this.#attempt!.limit);
    this.#countReset(failure, this.#lastFailure);
    this.#observe("failure", this.#failureText(failure, null));
  }

  #cancel(): void {
    this.#count("done");
    this.#count("cancels");
  }

  #abortAttempt(attempt: RunningAttempt, reason: Label): void {
    if (attempt.abortedBy !== null) return;
    attempt.abortedBy = reason;
    const { number } = attempt;
    const { onAbort, when } = attempt.script;
    if (!attempt.isCalled || onAbort === null) return;
    this.#write(`abort ${number}: ${reason}`);
    // A function that ends synchronously cannot settle again.
    if (onAbort !== "ignore" && when !== "sync") {
      const outcome = onAbort.ending === "reason"
        ? { error: reason }
        : this.#outcomeOf(onAbort.ending, number, "answer");
      const answer = () => this.#answer(attempt, outcome);
      if (onAbort.after === 0) this.#settle(attempt, outcome);
      else this.#instants.after(onAbort.after, "answer", number, answer);
    }
    this.#abortIn("listener", number);
  }

  /**
   * Open: no rule says which comes first at one instant, the end of the grace or an answer
   * that the listener of the abort began.
   */
  #answer(attempt: RunningAttempt, outcome: Outcome): void {
    const isTie = this.#graceEnd === `${attempt.number} at ${this.#instants.now}`;
    if (isTie && !attempt.isSettled) this.#expected.isOpen = true;
    this.#settle(attempt, outcome);
  }

  /** Until the deadline, or the end of the outer attempt. */
  #remaining(): number {
    const endsAt = Math.min(this.#deadline, this.#outerEndsAt);
    if (this.#outerEndsAt < this.#deadline) this.#see("bounded by an outer attempt");
    return Math.max(0, endsAt - this.#instants.now);
  }

  // ---- failures

  #failure(error: Label, limit: TimeoutLimit | null): Failure {
    const { number, reports: [firstReport = Infinity] } = this.#attempt!;
    // An attempt that was healthy for so long begins a new row of failures.
    const isHealthy = this.#instants.now - firstReport >= this.#resetAfter;
    return {
      error,
      attempt: number,
      streak: isHealthy ? 1 : 1 + (this.#lastFailure?.streak ?? 0),
      limit,
      duration: this.#instants.now - this.#attemptAt,
      elapsed: this.#instants.now,
      remaining: this.#remaining(),
      pauseBefore: isHealthy ? 0 : this.#pause,
    };
  }

  #countReset({ streak }: Failure, previous: Failure | null): void {
    if (streak > 1 || previous === null) return;
    this.#see("a new streak");
    this.#count("resets");
  }

  #factsOf(failure: Failure): string {
    const { error, attempt, streak, limit, duration, elapsed, remaining, pauseBefore } =
      failure;
    return `${error} of '${this.#name}', attempt ${attempt}, streak ${streak}, ` +
      `limit ${limit}, ` +
      `duration ${duration}, elapsed ${elapsed}, remaining ${remaining}, ` +
      `pauseBefore ${pauseBefore}`;
  }

  #failureText(failure: Failure, pauseAfter: number | null): string {
    return `failure ${this.#factsOf(failure)}, then ${pauseAfter}${this.#reportsText()}`;
  }

  /** The reports of the latest attempt, if it made any. */
  #reportsText(): string {
    const reports = this.#attempt?.reports ?? [];
    if (reports.length === 0) return "";
    return `, ${reports.length} reports from ${reports[0]} to ${reports.at(-1)}`;
  }

  #fail(error: Label, limit: TimeoutLimit | null, isRefusal = false): void {
    this.#phase = "failing";
    const failure = this.#failure(error, limit);
    const previous = this.#lastFailure;
    this.#lastFailure = failure;
    this.#countReset(failure, previous);
    this.#count("done");
    const decision = this.#decide(failure, previous, isRefusal);
    const isRetryable = !("reason" in decision) ||
      (decision.reason !== "nonRetryable" && decision.reason !== "exhausted");
    // Known: a predicate that aborts the execution and lists no error is not believed.
    if (isRetryable || this.#isAbortedInDecision) this.#count("errors");
    if (this.#isAbortedInDecision) {
      this.#phase = "over";
      this.#observe("failure", this.#failureText(failure, null));
      return this.#end("aborted", { error: this.#reason! });
    }
    if ("pause" in decision && this.#instants.now < this.#deadline) {
      return this.#pauseFor(failure, decision.pause);
    }
    this.#phase = "over";
    this.#observe("failure", this.#failureText(failure, null));
    // At the very instant of the deadline, there is no pause.
    if ("pause" in decision) return this.#end("deadline", { error });
    if (decision.reason === "budget") this.#count("refused");
    this.#end(decision.reason, decision);
  }

  #pauseFor(failure: Failure, pause: number): void {
    const { attempt } = failure;
    const noted = this.#reason;
    this.#phase = "pausing";
    this.#pause = pause;
    this.#pausingSince = this.#instants.now;
    this.#instants.after(pause, "pause", attempt, () => {
      if (this.#phase === "pausing" && this.#attempt!.number === attempt) this.#try();
    });
    this.#see(pause === 0 ? "pause of 0" : "pause");
    this.#observe("failure", this.#failureText(failure, pause));
    // An abort that came before the decision ends the pause.
    if (noted !== null && this.#phase === "pausing") this.#endAborted(noted);
  }

  #endPause(): void {
    if (this.#pausingSince === null) return;
    this.#counters["pauseTime"]! += this.#instants.now - this.#pausingSince;
    this.#pausingSince = null;
  }

  /**
   * The order of the questions: marked, exhausted, retryable, maxTries, giveup, the pause,
   * minRemaining, budget.
   */
  #decide(failure: Failure, previous: Failure | null, isRefusal: boolean): Decision {
    const { policy } = this.#script;
    const { error } = failure;
    const { isMarked, exhaustedAt, categories } = this.#traitsOf(error);
    const isExhausted = exhaustedAt <= MAX_DEPTH;
    for (const each of categories) this.#see(each);
    if (isMarked) this.#see("marked");
    if (isMarked) return { reason: "nonRetryable", error };
    if (isExhausted) this.#see(`retries exhausted: ${policy.retryExhausted ?? true}`);
    if (isExhausted && policy.retryExhausted === false) {
      return { reason: "exhausted", error };
    }
    // A refusal by the execution's own policy is always retryable.
    if (!isRefusal) {
      const decision = this.#askExceptions(failure, previous);
      if (decision !== null) return decision;
    }
    if (policy.budget !== null && policy.budget.hooks !== "none") {
      this.#write("budget: failed");
    }
    if (failure.streak >= this.#maxTries) return { reason: "maxTries", error };
    const decision = this.#askGiveup(failure) ?? this.#askPause(failure);
    if ("reason" in decision) return decision;
    return this.#askTime(failure, decision.pause) ??
      this.#askBudget(failure, decision.pause) ?? decision;
  }

  #askExceptions(failure: Failure, previous: Failure | null): Decision | null {
    const { error, attempt } = failure;
    const { exceptions } = this.#script.policy;
    const { name, classes } = this.#traitsOf(error);
    const no: Decision = { reason: "nonRetryable", error };
    if (name === "TimeoutError") {
      if (previous?.error !== error) return null;
      this.#see("the same timeout twice");
    }
    const retryable = exceptions ?? this.#defaultExceptions();
    if (retryable === "all") {
      return name === "AbortError" || name === "TimeoutError" ? no : null;
    }
    if (Array.isArray(retryable)) {
      return retryable.some((each) => classes.includes(each)) ? null : no;
    }
    this.#see("asks a predicate");
    this.#ask("exceptions", error, attempt);
    const answer = answerOf(retryable.predicate, attempt);
    if (answer === "throw") return callbackError(`thrown by exceptions ${attempt}`);
    if (answer === "promise") return callbackError(`TypeError caused by ${error}`);
    return isTrue(answer) ? null : no;
  }

  #defaultExceptions(): "all" | [] {
    const { entryPoint } = this.#script.policy;
    return entryPoint === "asyncretry" || entryPoint === "retry" ? "all" : [];
  }

  #askGiveup(failure: Failure): Decision | null {
    const { giveup } = this.#script.policy;
    if (giveup === null) return null;
    const { error, attempt } = failure;
    this.#ask("giveup", this.#factsOf(failure), attempt);
    const answer = answerOf(giveup, attempt);
    if (answer === "throw") return callbackError(`thrown by giveup ${attempt}`);
    if (answer === "promise") return callbackError(`TypeError caused by ${error}`);
    return isTrue(answer) ? { reason: "giveup", error } : null;
  }

  #askPause(failure: Failure): Decision {
    const { pause } = this.#script.policy;
    const { error, attempt } = failure;
    if (pause === null || typeof pause === "number") return { pause: pause ?? 0 };
    if (!Array.isArray(pause)) {
      this.#see("a list of pauses");
      return { pause: answerOf(pause.list, failure.streak) };
    }
    this.#ask("pause", this.#factsOf(failure), attempt);
    const answer = answerOf(pause, attempt);
    if (typeof answer === "number") return { pause: answer };
    if (answer === "throw") return callbackError(`thrown by pause ${attempt}`);
    if (answer === "throw the failure's error") {
      this.#see("a pause that gives up");
      return { reason: "giveup", error };
    }
    // An option may be absent, but not an answer.
    const isNumber = answer !== "promise" && answer !== "none";
    return callbackError(`${isNumber ? "RangeError" : "TypeError"} caused by ${error}`);
  }

  /** Whether enough time is left after the pause, if that is a rule. */
  #askTime({ error, remaining }: Failure, pause: number): Decision | null {
    const { minRemaining, entryPoint } = this.#script.policy;
    const min = minRemaining ?? (entryPoint === "retry" ? 0 : null);
    if (min === null) return null;
    const left = remaining - pause;
    if (left > 0 && left >= min) return null;
    this.#see(left > 0 ? "less than minRemaining is left" : "nothing is left");
    return { reason: "deadline", error };
  }

  /** If no time remains after the pause, there is no retry to charge for. */
  #askBudget(failure: Failure, pause: number): Decision | null {
    const { budget } = this.#script.policy;
    const { error, attempt, remaining } = failure;
    if (budget === null) return null;
    if (pause >= remaining) {
      this.#see("asks no budget");
      return null;
    }
    this.#see("asks a budget");
    this.#ask("budget", this.#factsOf(failure), attempt);
    const answer = answerOf(budget.mayRetry, attempt);
    if (answer === "throw") return callbackError(`thrown by budget ${attempt}`);
    if (answer === "promise") return callbackError(`TypeError caused by ${error}`);
    return answer ? null : { reason: "budget", error };
  }

  #ask(place: Place, text: string, attempt: number): void {
    this.#write(`${place}: ${text}`);
    const before = this.#reason;
    this.#abortIn(place, attempt);
    if (this.#reason !== before) this.#isAbortedInDecision = true;
  }

  #askUntil(
    place: "until" | "call's until",
    answers: readonly Answer[] | null,
    value: Label,
    attempt: number,
  ): Verdict {
    if (answers === null) return "accepted";
    this.#see(`asks ${place}`);
    this.#ask(place, value, attempt);
    const answer = answerOf(answers, attempt);
    if (answer === "throw") return { thrown: `thrown by ${place} ${attempt}` };
    if (answer === "promise") return { thrown: "TypeError" };
    return isTrue(answer) ? "accepted" : "refused";
  }

  // ---- errors

  #traitsOf(error: Label): Traits {
    return this.#traits.get(error) ?? timeoutTraits;
  }

  /** The outcome of an attempt. Each attempt makes values of its own. */
  #outcomeOf(
    ending: Ending,
    number: number,
    by: "work" | "answer" = "work",
  ): Outcome {
    if (ending === "again") {
      const { lastError } = this.#attempts[number - 1] as RunningAttempt;
      if (lastError === undefined) return this.#outcomeOf({ raise: "A" }, number, by);
      return { error: lastError };
    }
    if ("return" in ending) return { value: labelOf(ending.return, number, by) };
    const depth = "past" in ending ? ending.depth : 0;
    const name = depth > 0 ? "A" : ending.raise;
    const label = labelOf(name, number, by);
    // Primitives cannot be told.
    const past = "past" in ending && !primitives.includes(ending.raise)
      ? ending.past
      : null;
    const categories = [`error: ${name}`];
    if (past !== null) categories.push(`past: ${past}`, `depth: ${depth}`);
    this.#traits.set(label, {
      ...facts[name],
      // A wrapper around a marked error is not marked.
      isMarked: past !== null && past.startsWith("marked") && depth === 0,
      exhaustedAt: past !== null && exhausts[past] ? depth : Infinity,
      categories,
    });
    return { error: label };
  }

  // ---- callers

  #armCallers(armed: "before" | "after"): void {
    for (const each of this.#script.aborts) {
      const { from } = each;
      if (typeof from !== "object" || !("at" in from) || from.armed !== armed) continue;
      this.#instants.after(from.at, "abort", 0, () => {
        if (armed === "after") this.#abortByTimer(each, null);
        else this.#abort(each);
      });
    }
  }

  /**
   * Known: the one timer is armed anew for each state. An abort whose timer was armed
   * during the execution may thus win a tie with the deadline, unless the running attempt
   * armed it.
   */
  #abortByTimer(abort: AbortScript, owner: RunningAttempt | null): void {
    const isTie = this.#instants.now === this.#deadline && this.#endedIn !== "";
    const isPromised = this.#endedIn === "trying" && owner !== null &&
      owner === this.#attempt;
    if (isTie && !isPromised && this.#reason === null) this.#expected.isOpen = true;
    this.#abort(abort);
  }

  #abortFrom(from: AbortFrom): void {
    for (const each of this.#script.aborts) if (each.from === from) this.#abort(each);
  }

  #abortsIn(place: Place | "timer", attempt: number): AbortScript[] {
    return this.#script.aborts.filter(({ from }) =>
      typeof from === "object" && "by" in from && from.by === place &&
      from.attempt === attempt
    );
  }

  #abortIn(place: Place, attempt: number): void {
    for (const each of this.#abortsIn(place, attempt)) this.#abort(each);
  }

  /** The signal aborts at once, but settlements of this turn come before the abort. */
  #abort({ signal, from }: AbortScript): void {
    if (this.#phase === "over" || this.#reason !== null) return;
    const reason = `the ${signal} reason`;
    this.#reason = reason;
    this.#see(`abort by ${sourceOf(from)}`);
    if (this.#phase === "failing") return;
    const settled = this.#undelivered.splice(0);
    if (this.#phase === "trying") this.#abortAttempt(this.#attempt!, reason);
    const answered = this.#undelivered.splice(0);
    this.#undelivered = settled;
    this.#deliver();
    // The delivery may have ended the execution, or its attempt.
    const { phase } = { phase: this.#phase as string };
    if (phase !== "over") this.#endAborted(reason);
    this.#undelivered.push(...answered);
  }

  #endAborted(reason: Label): void {
    const phase = this.#phase;
    this.#see(`abort while ${phase}`);
    this.#phase = "over";
    if (phase === "trying") this.#cancel();
    if (phase === "stopping") this.#failAtEnd(this.#timeoutOf(this.#attempt!));
    this.#end("aborted", { error: reason });
  }

  // ---- the end, and the trace

  #end(reason: string, outcome: Outcome): void {
    const counters = this.#counters;
    const attempts = counters["attempts"]!;
    this.#phase = "over";
    this.#see(`ends by ${reason}`);
    this.#endPause();
    this.#count(reason);
    if (attempts > 0) counters["sumTime"]! += this.#instants.now - this.#attemptAt;
    if (attempts > 0) this.#endBudget();
    if ("error" in outcome) {
      this.#expected.isExhausted = this.#isExhausted(reason, outcome.error);
    }
    const text = describe("value" in outcome ? outcome : { error: outcome.error });
    const facts = `attempts ${attempts}, elapsed ${this.#instants.now}`;
    this.#observe("done", `done by ${reason}: ${text}, ${facts}${this.#reportsText()}`);
    this.#write(`settled: ${text}`);
  }

  /** Tells the budget of the end of every execution that had begun. */
  #endBudget(): void {
    this.#writeBudget("ended");
    if (this.#script.policy.budget?.hooks === "all, and ended throws") {
      this.#see("ended throws");
    }
  }

  /** Whether another execution must find that the error was retried already. */
  #isExhausted(reason: string, error: Label): boolean {
    if (primitives.includes(error)) return false;
    // An error of the library's own checks has the failure's error as its cause.
    const cause = error.replace(/^(Type|Range)Error caused by /, "");
    const { isMarked, exhaustedAt } = this.#traitsOf(cause);
    if (cause !== error) return exhaustedAt + 1 <= MAX_DEPTH;
    const mightRetry = this.#counters["attempts"]! > 0 && this.#maxTries > 1;
    const isNow = mightRetry && endsRetries.includes(reason);
    return !isMarked && (exhaustedAt <= MAX_DEPTH || isNow);
  }

  #count(counter: string): void {
    this.#counters[counter]! += 1;
  }

  #isObserved(): boolean {
    const { policy, call } = this.#script;
    return policy.observer !== "none" || call.observer !== "none";
  }

  #observe(place: "attempt" | "failure" | "done", text: string): void {
    if (!this.#isObserved()) return;
    this.#write(`observed ${text}`);
    this.#abortIn(place, this.#counters["attempts"]!);
  }

  #writeBudget(text: string): void {
    const { budget } = this.#script.policy;
    if (budget === null || budget.hooks === "none") return;
    this.#expected.budget.push(`${this.#instants.now} ${text}`);
  }

  #write(text: string): void {
    this.#expected.lines.push(`${this.#instants.now} ${text}`);
  }

  #see(category: string): void {
    this.#expected.seen.add(category);
  }

  #timeoutOf({ number, limit }: RunningAttempt): Label {
    const ms = limit === "idle" ? this.#idleTimeout : this.#attemptTimeout;
    return `${limit} timeout of ${ms} (${number})`;
  }

  #deadlineError(): Label {
    return `deadline of ${this.#deadline}`;
  }

  #result(): Expected {
    if (this.#phase !== "over") this.#see("never ends");
    this.#expected.signals = this.#attempts.filter(({ isCalled }) => isCalled)
      .map(({ number, abortedBy }) => `${number}: ${abortedBy ?? "not aborted"}`);
    this.#expected.late.sort();
    // The one call of `retry` has counters that nobody can read.
    if (this.#script.policy.entryPoint === "retry") this.#expected.counters = null;
    return this.#expected;
  }
}

function callbackError(error: Label): Decision {
  return { reason: "callbackError", error };
}

/** The label of a value that an attempt made. All primitives have one label. */
function labelOf(name: string, number: number, by: string): Label {
  return primitives.includes(name) ? name : `${name} ${number} ${by}`;
}

function isTrue(answer: Answer): boolean {
  return answer === true || answer === "truthy";
}

function describe(outcome: Outcome): string {
  return "value" in outcome
    ? `fulfilled with ${outcome.value}`
    : `rejected with ${outcome.error}`;
}

function sourceOf(from: AbortFrom): string {
  if (typeof from === "string") return from;
  if ("by" in from) return from.by;
  return `a timer armed ${from.armed}`;
}
