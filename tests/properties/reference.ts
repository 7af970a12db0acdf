// An independent interpreter of the rules: a plain loop over a script, with no promise and no
// timer, that shares no code with the library. Where the library is known to differ from the
// letter of the rules, a comment below that begins with "Known:" says so.

import { type Entry, Instants } from "./instants.ts";
import {
  type AbortFrom,
  type AbortScript,
  answerOf,
  attemptOf,
  type AttemptScript,
  type Ending,
  facts,
  type Place,
  primitives,
  type Script,
  type Trace,
} from "./script.ts";

/** An error or a value goes by a label: the same label is the very same thing. */
type Label = string;
type Outcome = { value: Label } | { error: Label };

interface RunningAttempt {
  readonly tries: number;
  readonly script: AttemptScript;
  isCalled: boolean;
  isSettled: boolean;
  cutBy: Label | null;
}

interface Failure {
  readonly error: Label;
  readonly tries: number;
  readonly elapsed: number;
  readonly remaining: number;
  readonly pause: number;
}

/** What follows a failure: a pause, or the end. */
type Decision = { pause: number } | { reason: string; error: Label };

/** What a script must come to, and what happened on the way. */
export interface Expected extends Trace {
  /** Categories of what happened, for the counts. */
  seen: Set<string>;
  /** Late ends that may be told or not. */
  mayBeLate: Set<string>;
  /** The rules leave the order open: see `#abortByTimer` and `#answer`. */
  isOpen: boolean;
}

/** Plays a script by the rules. */
export function interpret(script: Script): Expected {
  return new Reference(script).play();
}

const orNone = (limit: number | null) => limit ?? Infinity;

class Reference {
  readonly #script: Script;
  readonly #attemptTimeout: number;
  readonly #deadline: number;
  readonly #grace: number;
  readonly #instants = new Instants();
  readonly #expected: Expected = {
    lines: [],
    late: [],
    signals: [],
    budget: [],
    statistic: { attempts: 0, done: 0, errors: 0, refused: 0, cancels: 0, sumTime: 0 },
    seen: new Set(),
    mayBeLate: new Set(),
    isOpen: false,
  };
  #phase: "trying" | "stopping" | "failing" | "pausing" | "over" = "pausing";
  #attempt: RunningAttempt | null = null;
  #attempts: RunningAttempt[] = [];
  #attemptAt = 0;
  #pause = 0;
  #lastFailure: Failure | null = null;
  #reason: Label | null = null;
  #isAbortedInDecision = false;
  #arrived: [RunningAttempt, Outcome][] = [];
  #endedIn = "";
  #graceEnd = "";
  readonly #outerDone = new Set<number>();

  constructor(script: Script) {
    this.#script = script;
    this.#attemptTimeout = orNone(script.policy.attemptTimeout);
    this.#deadline = orNone(script.policy.deadline);
    this.#grace = script.policy.grace ?? 0;
  }

  play(): Expected {
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

  /** What lies at one instant and would each do something alone. */
  #meet(entries: Entry[]): void {
    const kinds = entries.filter((each) => this.#isLive(each)).map(({ kind }) => kind)
      .sort();
    if (kinds.length > 2) this.#see("tie of three");
    for (const [index, kind] of kinds.entries()) {
      const next = kinds[index + 1];
      if (next !== undefined && next !== kind) this.#see(`tie of ${kind} and ${next}`);
    }
  }

  #isLive({ kind, tries }: Entry): boolean {
    if (kind === "deadline" || kind === "abort") return this.#phase !== "over";
    if (tries !== this.#attempt?.tries) return false;
    if (kind === "pause") return this.#phase === "pausing";
    if (kind === "timeout") return this.#phase === "trying";
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
    const { statistic } = this.#expected;
    if (statistic["attempts"]! > 0) {
      statistic["sumTime"]! += this.#instants.now - this.#attemptAt;
    }
    const tries = ++statistic["attempts"]!;
    if (tries > 100) throw new Error("This script is endless");
    const attempt: RunningAttempt = {
      tries,
      script: attemptOf(this.#script, tries),
      isCalled: false,
      isSettled: false,
      cutBy: null,
    };
    this.#attempts.push(attempt);
    this.#attempt = attempt;
    this.#attemptAt = this.#instants.now;
    this.#phase = "trying";
    if (tries === 1) this.#tellBudget("began");
    this.#tell("attempt", `attempt ${tries}`);
    if (this.#phase !== "trying") return;
    if (this.#attemptTimeout === 0) {
      this.#see("attempt timeout of 0");
      return this.#fail(this.#timeoutOf(attempt));
    }
    this.#instants.after(
      this.#attemptTimeout,
      "timeout",
      tries,
      () => this.#timeOut(attempt),
    );
    this.#call(attempt);
  }

  #call(attempt: RunningAttempt): void {
    const { tries, script } = attempt;
    const remaining = Math.min(this.#attemptTimeout, this.#deadline - this.#instants.now);
    attempt.isCalled = true;
    this.#see(`function: ${script.when === "sync" ? "sync" : script.form}`);
    this.#write(`call ${tries}: remaining ${remaining}, after ${this.#lastFailure?.error}`);
    for (const each of this.#abortsIn("timer", tries)) {
      const { after } = each.from as { after: number };
      this.#instants.after(after, "abort", 0, () => this.#abortByTimer(each, attempt));
    }
    // What has settled beforehand is heard when the function returns it, and not sooner.
    attempt.isSettled = this.#outerDone.has(tries);
    this.#abortIn("function", tries);
    const { when, ending } = script;
    const outcome = outcomeOf(ending, tries);
    if (this.#outerDone.has(tries)) this.#arrived.push([attempt, outcome]);
    if (when === "sync" || when === "soon") this.#settle(attempt, outcome);
    if (typeof when === "object" && "after" in when) {
      this.#instants.after(when.after, "work", tries, () => this.#work(attempt));
    }
  }

  #armOuterWork(tries: number, at: number): void {
    this.#instants.after(at, "outer work", tries, () => {
      this.#outerDone.add(tries);
      const attempt = this.#attempts[tries - 1];
      if (attempt?.isCalled) {
        this.#see("work armed before the execution");
        this.#settle(attempt, outcomeOf(attempt.script.ending, tries));
      }
      this.#abortIn("work", tries);
    });
  }

  #work(attempt: RunningAttempt): void {
    this.#settle(attempt, outcomeOf(attempt.script.ending, attempt.tries));
    for (const each of this.#abortsIn("work", attempt.tries)) {
      this.#abortByTimer(each, attempt);
    }
  }

  /** The first settlement counts; it is delivered when the function's turn is over. */
  #settle(attempt: RunningAttempt, outcome: Outcome): void {
    if (attempt.isSettled) return;
    attempt.isSettled = true;
    this.#arrived.push([attempt, outcome]);
  }

  #deliver(): void {
    for (const [attempt, outcome] of this.#arrived.splice(0)) {
      const isRunning = attempt === this.#attempt &&
        (this.#phase === "trying" || this.#phase === "stopping");
      if (isRunning && this.#phase === "stopping" && this.#instants.now >= this.#deadline) {
        // Known: the deadline wins its tie with an attempt in its grace, whoever armed that.
        this.#see("deadline's tie in the grace");
        this.#reachDeadline();
        this.#late(attempt, outcome);
      } else if (isRunning) this.#arrive(outcome);
      else this.#late(attempt, outcome);
    }
  }

  #arrive(outcome: Outcome): void {
    const isStopping = this.#phase === "stopping";
    if (isStopping) {
      this.#see("value" in outcome ? "value in the grace" : "grace cut short");
    }
    if ("error" in outcome) {
      return this.#fail(isStopping ? this.#timeoutOf(this.#attempt!) : outcome.error);
    }
    this.#expected.statistic["done"]! += 1;
    this.#tellBudget("succeeded");
    this.#end("success", outcome);
  }

  #late(attempt: RunningAttempt, outcome: Outcome): void {
    // To reject with the signal's own reason is to obey, and nothing to tell.
    if ("error" in outcome && outcome.error === attempt.cutBy) return this.#see("obeyed");
    this.#see("value" in outcome ? "late value" : "late rejection");
    if (this.#script.policy.observer === "none") return;
    const text = `${this.#instants.now} late ${attempt.tries}: ${show(outcome)}`;
    // Known: what loses its tie with the deadline in the grace may have been heard by then.
    const isHeard = this.#endedIn === "stopping" && attempt === this.#attempt &&
      this.#instants.now === this.#deadline;
    if (isHeard) this.#expected.mayBeLate.add(text);
    else this.#expected.late.push(text);
  }

  // ---- limits

  #timeOut(attempt: RunningAttempt): void {
    if (attempt !== this.#attempt || this.#phase !== "trying") return;
    this.#see("attempt timeout");
    const error = this.#timeoutOf(attempt);
    if (this.#grace > 0) {
      this.#see(this.#grace === Infinity ? "endless grace" : "grace");
      this.#phase = "stopping";
      this.#instants.after(
        this.#grace,
        "grace",
        attempt.tries,
        () => this.#endGrace(attempt),
      );
      return this.#cut(attempt, error);
    }
    // Known: the signal aborts before `giveup` is asked. An abort by its listener is too late
    // for the decision, and ends the pause.
    this.#phase = "failing";
    this.#cut(attempt, error);
    this.#fail(error);
  }

  #endGrace(attempt: RunningAttempt): void {
    if (attempt !== this.#attempt || this.#phase !== "stopping") return;
    this.#see("whole grace");
    this.#graceEnd = `${attempt.tries} at ${this.#instants.now}`;
    this.#fail(this.#timeoutOf(attempt));
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
      this.#cut(this.#attempt!, this.#deadlineError());
    }
    this.#end("deadline", { error });
  }

  /** An attempt in its grace has failed, and there is nothing to ask about it. */
  #failAtEnd(error: Label): void {
    const { statistic } = this.#expected;
    statistic["done"]! += 1;
    statistic["errors"]! += 1;
    this.#tell("failure", failureText(this.#failure(error), null));
  }

  #cancel(): void {
    this.#expected.statistic["done"]! += 1;
    this.#expected.statistic["cancels"]! += 1;
  }

  #cut(attempt: RunningAttempt, reason: Label): void {
    if (attempt.cutBy !== null) return;
    attempt.cutBy = reason;
    const { tries } = attempt;
    const { onAbort, when } = attempt.script;
    if (!attempt.isCalled || onAbort === null) return;
    this.#write(`cut ${tries}: ${reason}`);
    // A function that ends before it returns cannot answer afterwards.
    if (onAbort !== "ignore" && when !== "sync") {
      const outcome = onAbort.ending === "reason"
        ? { error: reason }
        : outcomeOf(onAbort.ending, tries, "answer");
      if (onAbort.after === 0) this.#settle(attempt, outcome);
      else {this.#instants.after(onAbort.after, "answer", tries, () =>
          this.#answer(attempt, outcome));}
    }
    this.#abortIn("listener", tries);
  }

  /**
   * Open: no rule says which comes first, the end of the grace or an answer that the abort's
   * listener began and that comes at the same instant.
   */
  #answer(attempt: RunningAttempt, outcome: Outcome): void {
    const isTie = this.#graceEnd === `${attempt.tries} at ${this.#instants.now}`;
    if (isTie && !attempt.isSettled) this.#expected.isOpen = true;
    this.#settle(attempt, outcome);
  }

  // ---- failures

  #failure(error: Label): Failure {
    return {
      error,
      tries: this.#attempt!.tries,
      elapsed: this.#instants.now,
      remaining: Math.max(0, this.#deadline - this.#instants.now),
      pause: this.#pause,
    };
  }

  #fail(error: Label): void {
    this.#phase = "failing";
    const failure = this.#failure(error);
    this.#lastFailure = failure;
    const { statistic } = this.#expected;
    statistic["done"]! += 1;
    const decision = this.#decide(failure);
    const isUnlisted = "reason" in decision && decision.reason === "nonRetryable";
    statistic["errors"]! += isUnlisted ? 0 : 1;
    if (this.#isAbortedInDecision) {
      this.#phase = "over";
      this.#tell("failure", failureText(failure, null));
      return this.#end("aborted", { error: this.#reason! });
    }
    if ("pause" in decision && this.#instants.now < this.#deadline) {
      return this.#pauseFor(failure, decision.pause);
    }
    this.#phase = "over";
    this.#tell("failure", failureText(failure, null));
    // At the deadline's very instant there is no pause any more.
    if ("pause" in decision) return this.#end("deadline", { error });
    if (decision.reason === "budget") statistic["refused"]! += 1;
    this.#end(decision.reason, decision);
  }

  #pauseFor(failure: Failure, pause: number): void {
    const { tries } = failure;
    const noted = this.#reason;
    this.#phase = "pausing";
    this.#pause = pause;
    this.#instants.after(pause, "pause", tries, () => {
      if (this.#phase === "pausing" && this.#attempt!.tries === tries) this.#try();
    });
    this.#see(pause === 0 ? "pause of 0" : "pause");
    this.#tell("failure", failureText(failure, pause));
    // What aborted before the failure was decided on ends the pause.
    if (noted !== null && this.#phase === "pausing") this.#endAborted(noted);
  }

  /** The order of the questions: listed? the last try? giveup? may it? how long a pause? */
  #decide(failure: Failure): Decision {
    const { policy } = this.#script;
    const { error, tries } = failure;
    if (!this.#isListed(error)) return { reason: "nonRetryable", error };
    if (policy.budget !== null) this.#write("budget: failed");
    if (tries >= orNone(policy.maxTries)) return { reason: "maxTries", error };
    return this.#askGiveup(failure) ?? this.#askBudget(failure) ?? this.#askPause(failure);
  }

  #askGiveup(failure: Failure): Decision | null {
    const { giveup } = this.#script.policy;
    if (giveup === null) return null;
    const { error, tries } = failure;
    this.#ask("giveup", factsOf(failure), tries);
    const answer = answerOf(giveup, tries);
    if (answer === "throw") {
      return { reason: "callbackError", error: `thrown by giveup ${tries}` };
    }
    if (answer === "promise") {
      return { reason: "callbackError", error: `TypeError by ${error}` };
    }
    const isOver = answer === true || answer === "truthy";
    return isOver ? { reason: "giveup", error } : null;
  }

  /** Where no time remains there is no retry to be charged for. */
  #askBudget({ error, tries, remaining }: Failure): Decision | null {
    const { budget } = this.#script.policy;
    if (budget === null || remaining === 0) return null;
    this.#see("asks a budget");
    this.#ask("budget", "asked", tries);
    const answer = answerOf(budget, tries);
    if (answer === "throw") {
      return { reason: "callbackError", error: `thrown by budget ${tries}` };
    }
    if (answer === "promise") {
      return { reason: "callbackError", error: `TypeError by ${error}` };
    }
    return answer ? null : { reason: "budget", error };
  }

  #askPause(failure: Failure): Decision {
    const { pause } = this.#script.policy;
    if (!Array.isArray(pause)) return { pause: pause ?? 0 };
    const { error, tries } = failure;
    this.#ask("pause", factsOf(failure), tries);
    const answer = answerOf(pause, tries);
    if (typeof answer === "number") return { pause: answer };
    // Only an option may be absent, not an answer.
    if (answer === "none") return { reason: "callbackError", error: "TypeError" };
    if (answer === "throw") {
      return { reason: "callbackError", error: `thrown by pause ${tries}` };
    }
    if (answer === "promise") {
      return { reason: "callbackError", error: `TypeError by ${error}` };
    }
    return { reason: "callbackError", error: "RangeError" };
  }

  #ask(place: "giveup" | "budget" | "pause", text: string, tries: number): void {
    this.#write(`${place}: ${text}`);
    const before = this.#reason;
    this.#abortIn(place, tries);
    if (this.#reason !== before) this.#isAbortedInDecision = true;
  }

  #isListed(error: Label): boolean {
    const { exceptions, entry } = this.#script.policy;
    const name = error.replace(/ .*/, "");
    if (!(name in facts)) return true; // a timeout of ours
    this.#see(`error: ${name}`);
    const fact = facts[name as keyof typeof facts];
    if (fact.name === "TimeoutError") return true;
    const listed = exceptions ?? (entry === "asyncretry" ? "all" : []);
    if (listed === "all") return fact.name !== "AbortError";
    const classes: readonly string[] = fact.classes;
    return listed.some((each) => classes.includes(each));
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
   * Known: the one timer is armed for each state anew, so in a tie with the deadline what was
   * armed during the execution may come first, except if the running attempt armed it.
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

  #abortsIn(place: Place | "timer", tries: number): AbortScript[] {
    return this.#script.aborts.filter(({ from }) =>
      typeof from === "object" && "by" in from && from.by === place && from.tries === tries
    );
  }

  #abortIn(place: Place, tries: number): void {
    for (const each of this.#abortsIn(place, tries)) this.#abort(each);
  }

  /** A settlement that has arrived in this turn comes first, though the signal aborts at once. */
  #abort({ signal, from }: AbortScript): void {
    if (this.#phase === "over" || this.#reason !== null) return;
    const reason = `the ${signal} reason`;
    this.#reason = reason;
    this.#see(`abort by ${whence(from)}`);
    if (this.#phase === "failing") return;
    const arrived = this.#arrived.splice(0);
    if (this.#phase === "trying") this.#cut(this.#attempt!, reason);
    const answered = this.#arrived.splice(0);
    this.#arrived = arrived;
    this.#deliver();
    // Delivering it may have ended the execution, or its attempt.
    const { phase } = { phase: this.#phase as string };
    if (phase !== "over") this.#endAborted(reason);
    this.#arrived.push(...answered);
  }

  #endAborted(reason: Label): void {
    const phase = this.#phase;
    this.#see(`abort while ${phase}`);
    this.#phase = "over";
    if (phase === "trying") this.#cancel();
    if (phase === "stopping") this.#failAtEnd(this.#timeoutOf(this.#attempt!));
    this.#end("aborted", { error: reason });
  }

  // ---- the end, and what is seen of it

  #end(reason: string, outcome: Outcome): void {
    const { statistic } = this.#expected;
    const tries = statistic["attempts"]!;
    this.#phase = "over";
    this.#see(`ends by ${reason}`);
    if (tries > 0) statistic["sumTime"]! += this.#instants.now - this.#attemptAt;
    const told = show("value" in outcome ? outcome : { error: outcome.error });
    this.#tell(
      "done",
      `done by ${reason}: ${told}, tries ${tries}, elapsed ${this.#instants.now}`,
    );
    this.#write(`settled: ${told}`);
  }

  #tell(place: "attempt" | "failure" | "done", text: string): void {
    if (this.#script.policy.observer === "none") return;
    this.#write(`told ${text}`);
    this.#abortIn(place, this.#expected.statistic["attempts"]!);
  }

  #tellBudget(text: string): void {
    if (this.#script.policy.budget === null) return;
    this.#expected.budget.push(`${this.#instants.now} ${text}`);
  }

  #write(text: string): void {
    this.#expected.lines.push(`${this.#instants.now} ${text}`);
  }

  #see(category: string): void {
    this.#expected.seen.add(category);
  }

  #timeoutOf({ tries }: RunningAttempt): Label {
    return `attempt timeout of ${this.#attemptTimeout} (${tries})`;
  }

  #deadlineError(): Label {
    return `deadline of ${this.#deadline}`;
  }

  #result(): Expected {
    if (this.#phase !== "over") this.#see("never ends");
    this.#expected.signals = this.#attempts.filter(({ isCalled }) => isCalled)
      .map(({ tries, cutBy }) => `${tries}: ${cutBy ?? "quiet"}`);
    this.#expected.late.sort();
    return this.#expected;
  }
}

/** Each attempt throws things of its own. */
function outcomeOf(ending: Ending, tries: number, by: "work" | "answer" = "work"): Outcome {
  const name = "return" in ending ? ending.return : ending.raise;
  const label = primitives.includes(name) ? name : `${name} ${tries} ${by}`;
  return "return" in ending ? { value: label } : { error: label };
}

function show(outcome: Outcome): string {
  return "value" in outcome
    ? `fulfilled with ${outcome.value}`
    : `rejected with ${outcome.error}`;
}

function factsOf({ error, tries, elapsed, remaining, pause }: Failure): string {
  return `${error}, tries ${tries}, elapsed ${elapsed}, remaining ${remaining}, pause ${pause}`;
}

function failureText(failure: Failure, next: number | null): string {
  return `failure ${factsOf(failure)}, then ${next}`;
}

function whence(from: AbortFrom): string {
  if (typeof from === "string") return from;
  if ("by" in from) return from.by;
  return `a timer armed ${from.armed}`;
}
