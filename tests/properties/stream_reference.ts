// The rules of streams, read once more: a simulation that shares nothing with the library. It
// goes from one instant to the next, and asks at each what comes first.

import type { AttemptScript, StepScript, StreamScript } from "./stream_script.ts";

/** Everything that is compared, in the order in which it happens. */
export interface StreamTrace {
  readonly lines: readonly string[];
  readonly reason: string;
  readonly attempts: number;
  /** The instant and the end of the consumer's loop; `null` if it never ends. */
  readonly end: string;
  /** The instant at which the call of `return` from outside resolves. */
  readonly returned: number;
}

/** Events from outside. At one instant they come before anything else, in this order. */
type Outside = "abort" | "return" | "deadline";

/** The end of the execution. */
interface End {
  readonly at: number;
  readonly reason: string;
  /** The error that the consumer receives; `null` if the items just end. */
  readonly error: string | null;
}

/** The rules for one script. */
export class StreamReference {
  readonly #script: StreamScript;
  readonly #lines: [at: number, line: string][] = [];
  readonly seen = new Set<string>();
  #now = 0;
  #attempts = 0;
  #streak = 0;
  #lastError: string | null = null;
  #checkpoint = 0;
  #checkpoints = 0;
  #items = 0;
  /** Whether an item was delivered that no checkpoint covers. */
  #isUncovered = false;
  #reportedAt: number | null = null;
  #returned: number | null = null;
  #end: End | null = null;
  #consumerEnd: string | null = null;

  constructor(script: StreamScript) {
    this.#script = script;
  }

  run(): StreamTrace {
    while (this.#end === null) this.#attempt();
    const { at, reason, error } = this.#end;
    this.#consumerEnd ??= `${at} ${error ?? "done"}`;
    this.#returned ??= this.#script.returnAt; // it has ended already
    this.seen.add(`ends by ${reason}`);
    return {
      lines: this.#lines.map(([at, line]) => `${at} ${line}`),
      reason,
      attempts: this.#attempts,
      end: this.#consumerEnd,
      returned: this.#returned,
    };
  }

  #note(line: string): void {
    this.#lines.push([this.#now, line]);
  }

  #over(reason: string, error: string | null): void {
    this.#end = { at: this.#now, reason, error };
  }

  /** The first thing from outside until an instant, included. */
  #outside(until: number): [at: number, what: Outside] | null {
    const { abortAt, returnAt, deadline } = this.#script;
    const all: [number, Outside][] = [
      [abortAt, "abort"],
      [returnAt, "return"],
      [deadline, "deadline"],
    ];
    const first = Math.min(...all.map(([at]) => at));
    if (first > until || first === Infinity) return null;
    return all.find(([at]) => at === first) as [number, Outside];
  }

  /** Something from outside ends the execution. */
  #endFromOutside(
    [at, what]: [number, Outside],
    phase: "trying" | "held" | "stopping" | "pausing",
    closing: number,
  ): void {
    const { grace, deadline, abortAt } = this.#script;
    this.#now = at;
    this.seen.add(`${what} while ${phase}`);
    const isRunning = phase === "trying" || phase === "held";
    if (isRunning) {
      this.#note(`signal ${this.#attempts}: ${what === "return" ? "stopped" : what}`);
    }
    switch (what) {
      case "abort":
        return this.#over("aborted", "abort");
      case "deadline":
        return this.#over("deadline", this.#lastError ?? "deadline");
      case "return": {
        const bound = Math.min(grace, deadline - at, abortAt - at);
        const wait = phase === "pausing" ? 0 : Math.min(closing, bound);
        this.#returned = at + wait;
        const isLate = phase === "stopping" && at === deadline;
        if (phase === "pausing") return this.#over("aborted", null);
        return this.#over(isLate ? "deadline" : "success", null);
      }
    }
  }

  #attempt(): void {
    const script: AttemptScript = this.#script.attempts[this.#attempts] ??
      { steps: [], heedsSignal: false, cleanup: 0 };
    this.#attempts++;
    this.#isUncovered = false;
    this.#reportedAt = null;
    this.#note(`call ${this.#attempts} from ${this.#checkpoint}`);
    const attemptEndsAt = this.#now + this.#script.attemptTimeout;
    let isFirst = true;
    for (
      const step of [...script.steps, { covers: false, waits: [], then: "end" } as const]
    ) {
      const outcome = this.#produce(script, step, isFirst ? attemptEndsAt : null);
      if (this.#end !== null) return;
      if (outcome === "end") return this.#over("success", null);
      if (outcome !== "item") return this.#fail(outcome.error);
      isFirst = false;
      this.#hold(script);
      if (this.#end !== null) return;
    }
  }

  #report(checkpoint: boolean): void {
    this.#reportedAt ??= this.#now;
    if (!checkpoint) return;
    this.#checkpoint = ++this.#checkpoints;
    if (this.#isUncovered) this.seen.add("a checkpoint covers an item");
    this.#isUncovered = false;
  }

  /** Waits for the producer: an item, its end, or a failure. */
  #produce(
    script: AttemptScript,
    step: StepScript,
    attemptEndsAt: number | null,
  ): "item" | "end" | { error: string } {
    const { idleTimeout } = this.#script;
    const isFirst = attemptEndsAt !== null;
    if (step.covers) this.#report(true);
    let idleAt = isFirst ? Infinity : this.#now + idleTimeout;
    for (const [index, { ms, report }] of step.waits.entries()) {
      const armedAt = this.#now;
      const endsAt = this.#now + ms;
      const limitAt = Math.min(attemptEndsAt ?? Infinity, idleAt);
      const outside = this.#outside(Math.min(endsAt, limitAt));
      const rest = { ...step, waits: step.waits.slice(index) };
      if (ms > 0 && outside !== null) {
        const closing = this.#closing(script, rest, armedAt) - outside[0];
        this.#endFromOutside(outside, "trying", closing);
        return "end";
      }
      if (ms > 0 && limitAt <= endsAt && limitAt < Infinity) {
        const limit = isFirst ? "attempt" : "idle";
        this.seen.add(`${limit} timeout`);
        if (limitAt === endsAt) this.seen.add(`tie of ${limit} timeout and work`);
        this.#now = limitAt;
        this.#note(`signal ${this.#attempts}: ${limit}`);
        return this.#windDown(script, rest, armedAt, limit);
      }
      if (endsAt === Infinity) return this.#hang();
      this.#now = endsAt;
      if (report === "none") continue;
      this.#report(report === "checkpoint");
      if (!isFirst) idleAt = this.#now + idleTimeout;
    }
    return this.#act(step, isFirst);
  }

  /** Nothing will ever end it. */
  #hang(): "end" {
    this.seen.add("hangs for ever");
    this.#now = Infinity;
    this.#over("none", "hangs");
    return "end";
  }

  #act({ then }: StepScript, isFirst: boolean): "item" | "end" | { error: string } {
    if (then === "fail") return { error: `failure ${this.#attempts}` };
    if (then === "end") return "end";
    if (isFirst) this.#reportedAt ??= this.#now;
    this.#isUncovered = !this.#script.replay;
    return "item";
  }

  /** The instant at which the producer has cleaned up, if its signal is aborted meanwhile. */
  #closing(script: AttemptScript, rest: StepScript, armedAt: number): number {
    const { heedsSignal, cleanup } = script;
    const outside = this.#outside(Infinity)?.[0] ?? Infinity;
    if (heedsSignal) return outside + cleanup;
    const waits = rest.waits.reduce((sum, { ms }) => sum + ms, 0);
    return armedAt + waits + cleanup;
  }

  /** The attempt was timed out, and has its grace. */
  #windDown(
    script: AttemptScript,
    rest: StepScript,
    armedAt: number,
    limit: "attempt" | "idle",
  ): "end" | { error: string } {
    const { grace } = this.#script;
    const { heedsSignal, cleanup } = script;
    const limitAt = this.#now;
    const error = `${limit} timeout`;
    if (grace === 0) return { error };
    const graceEndsAt = limitAt + grace;
    let settlesAt = armedAt;
    let isEarly = true;
    const reports: [at: number, isEarly: boolean][] = [];
    if (heedsSignal) settlesAt = limitAt + cleanup;
    else {
      for (const { ms, report } of rest.waits) {
        // A wait that began in the grace loses a tie with its end.
        if (ms > 0) isEarly = settlesAt < limitAt;
        settlesAt += ms;
        if (report === "checkpoint") reports.push([settlesAt, isEarly]);
      }
      if (rest.then !== "item") {
        isEarly = cleanup === 0 && isEarly;
        settlesAt += cleanup;
      }
    }
    const isInTime = settlesAt < graceEndsAt || (settlesAt === graceEndsAt && isEarly);
    const until = isInTime ? settlesAt : graceEndsAt;
    const outside = this.#outside(until);
    for (const [at, isEarly] of reports) {
      const isNoted = at < graceEndsAt || (at === graceEndsAt && isEarly);
      if (!isNoted || (outside !== null && at >= outside[0])) continue;
      this.#checkpoint = ++this.#checkpoints;
      this.seen.add("a checkpoint in the grace");
      this.#isUncovered = false;
    }
    if (outside !== null) {
      this.#lastError = error;
      // It cleans up after its item too, if the consumer wants no more.
      const closed = settlesAt + (heedsSignal || rest.then !== "item" ? 0 : cleanup);
      this.#endFromOutside(outside, "stopping", closed - outside[0]);
      return "end";
    }
    if (until === Infinity) return this.#hang();
    this.#now = until;
    if (!isInTime) this.seen.add("ignores its grace");
    if (!isInTime || heedsSignal || rest.then !== "end") return { error };
    this.seen.add("ends in the grace");
    return "end";
  }

  /** The consumer has an item. */
  #hold({ cleanup }: AttemptScript): void {
    const { holds, stops, grace, deadline, abortAt } = this.#script;
    this.#note(`item ${++this.#items}`);
    const hold = holds[this.#items - 1] ?? 0;
    const until = this.#now + hold;
    const outside = hold > 0 ? this.#outside(until) : null;
    const stop = stops?.after === this.#items ? stops.by : null;
    if (outside !== null) {
      if (outside[0] === until) this.seen.add("tie of a hold and something from outside");
      this.#endFromOutside(outside, "held", cleanup);
      // Whoever calls `return` wants to know of no error any more.
      const { returnAt } = this.#script;
      const isDropped = returnAt >= outside[0] && returnAt <= until;
      const error = isDropped ? null : (this.#end as unknown as End).error;
      this.#consumerEnd = `${until} ${
        stop === null ? error ?? "done" : stop === "throw" ? "thrown" : "done"
      }`;
      return;
    }
    this.#now = until;
    if (stop === null) return;
    this.seen.add(`consumer stops by ${stop}`);
    this.#note(`signal ${this.#attempts}: stopped`);
    const wait = Math.min(cleanup, grace, Math.min(deadline, abortAt) - this.#now);
    this.#consumerEnd = `${this.#now + wait} ${stop === "throw" ? "thrown" : "done"}`;
    this.#over("success", null);
  }

  #fail(error: string): void {
    const { maxTries, pause, resetAfter } = this.#script;
    if (this.#isUncovered) return this.#over("nonRetryable", error);
    const isReset = this.#reportedAt !== null &&
      this.#now - this.#reportedAt >= resetAfter;
    if (isReset && this.#streak > 0) this.seen.add("a new streak");
    this.#streak = isReset ? 1 : this.#streak + 1;
    this.#lastError = error;
    if (this.#streak >= maxTries) return this.#over("maxTries", error);
    if (this.#items > 0) this.seen.add("resumes");
    const until = this.#now + pause;
    const outside = this.#outside(until);
    if (outside !== null) return this.#endFromOutside(outside, "pausing", 0);
    this.#now = until;
  }
}
