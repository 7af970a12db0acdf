// An independent reading of the rules of nesting: a plain loop over a tree of calls, without
// promises. It shares no code with the library.

import { Instants } from "./instants.ts";
import { attemptAt, type CallScript, callsOf, MAX_CALLS } from "./tree.ts";

/** Everything that happens in a tree, in order, and its categories. */
export interface ExpectedTree {
  lines: string[];
  seen: Set<string>;
}

/** Runs a tree by the rules. */
export function interpretTree(root: CallScript): ExpectedTree {
  return new World(root).run();
}

type Outcome = { value: string } | { error: string };

/** An attempt as its calls see it. */
interface Outer {
  readonly path: string;
  readonly attempt: number;
  /** The instant that its calls know as its end. It bounds what they report to remain. */
  readonly endsAt: number;
  /** The instant of its own limit. */
  readonly limitAt: number;
  /** The attempt around it. */
  readonly outer: Outer | null;
  /** Calls that end with it, in the order of their beginning. */
  readonly nested: Set<Call>;
  state: "open" | "released" | "ended";
  reason: string;
}

class World {
  readonly instants = new Instants();
  readonly lines: string[] = [];
  readonly seen = new Set<string>();
  readonly #root: CallScript;
  readonly #aborted = new Set<CallScript>();
  readonly #live = new Map<CallScript, Set<Call>>();
  /** Ends of calls that are yet to be written: the outermost first. */
  readonly #ends: (() => void)[] = [];
  readonly #settlements: (() => void)[] = [];
  #begun = 0;

  constructor(root: CallScript) {
    this.#root = root;
  }

  get now(): number {
    return this.instants.now;
  }

  run(): ExpectedTree {
    for (const each of callsOf(this.#root)) {
      if (each.abortAt === null) continue;
      this.instants.after(each.abortAt, "abort", 0, () => this.#abort(each));
    }
    this.begin(this.#root, "0", null, () => {});
    this.flush();
    this.instants.loop(() => {}, () => this.flush());
    return this;
  }

  isAborted(script: CallScript): boolean {
    return this.#aborted.has(script);
  }

  /** The calls of a script that have not ended. One may be begun several times. */
  live(script: CallScript): Set<Call> {
    const live = this.#live.get(script) ?? new Set();
    this.#live.set(script, live);
    return live;
  }

  #abort(script: CallScript): void {
    this.#aborted.add(script);
    // Each call ends with everything nested in it before the next one.
    for (const call of [...this.live(script)]) {
      call.interrupt(`abort at ${script.abortAt}`);
      for (let act; (act = this.#ends.shift()) !== undefined;) act();
    }
  }

  begin(script: CallScript, path: string, outer: Outer | null, ended: () => void): void {
    if (this.#begun === MAX_CALLS) return ended();
    this.#begun++;
    new Call(this, script, path, outer, ended).begin();
  }

  /** Ends a call after whatever is under way. */
  endLater(act: () => void): void {
    this.#ends.push(act);
  }

  /** Settles an attempt when the calls that end have ended. */
  settleLater(act: () => void): void {
    this.#settlements.push(act);
  }

  flush(): void {
    for (let act = this.#next(); act !== undefined; act = this.#next()) act();
  }

  #next(): (() => void) | undefined {
    return this.#ends.shift() ?? this.#settlements.shift();
  }

  write(line: string): void {
    this.lines.push(`${this.now} ${line}`);
  }
}

class Call {
  readonly #world: World;
  readonly #script: CallScript;
  readonly #path: string;
  readonly #outer: Outer | null;
  readonly #ended: () => void;
  readonly #beganAt: number;
  readonly #deadlineAt: number;
  readonly #scopeEndsAt: number;
  readonly #outerEndsAt: number;
  #phase: "trying" | "stopping" | "pausing" | "over" = "pausing";
  #number = 0;
  #attempt: Outer | null = null;
  #timeout = "";
  #lastError: string | null = null;

  constructor(
    world: World,
    script: CallScript,
    path: string,
    outer: Outer | null,
    ended: () => void,
  ) {
    this.#world = world;
    this.#script = script;
    this.#path = path;
    this.#outer = outer?.state === "released" ? null : outer;
    if (outer?.state === "released") {
      world.seen.add("begun after its outer attempt settled");
    }
    this.#ended = ended;
    this.#beganAt = world.now;
    this.#deadlineAt = this.#beganAt + (script.deadline ?? Infinity);
    this.#scopeEndsAt = this.#beganAt + (script.scope ?? Infinity);
    this.#outerEndsAt = Math.min(this.#scopeEndsAt, this.#outer?.endsAt ?? Infinity);
  }

  begin(): void {
    const { abortAt, scope } = this.#script;
    const outer = this.#outer;
    if (this.#world.isAborted(this.#script)) {
      if (outer?.state === "ended") this.#world.seen.add("aborted beforehand by two");
      return this.#end("aborted", { error: `abort at ${abortAt}` });
    }
    if (outer?.state === "ended") {
      this.#world.seen.add("begun in an attempt that was ended");
      return this.#end("aborted", { error: outer.reason });
    }
    if (scope === 0) return this.#end("aborted", { error: this.#scopeError() });
    this.#world.live(this.#script).add(this);
    outer?.nested.add(this);
    if (this.#script.deadline === 0) {
      return this.#end("deadline", { error: this.#deadlineError() });
    }
    this.#after(this.#scopeEndsAt, () => {
      if (this.#phase === "over") return;
      this.#world.seen.add("the deadline of a scope");
      this.interrupt(this.#scopeError());
    });
    this.#try();
  }

  /** Does something at an instant. */
  #after(at: number, act: () => void): void {
    this.#world.instants.after(at - this.#world.now, "", 0, act);
  }

  #scopeError(): string {
    return `'within ${this.#path}' reached its deadline of ${this.#script.scope} ms`;
  }

  #deadlineError(): string {
    return `'${this.#path}' reached its deadline of ${this.#script.deadline} ms`;
  }

  #try(): void {
    const { now } = this.#world;
    const number = ++this.#number;
    const limitAt = Math.min(
      this.#deadlineAt,
      now + (this.#script.attemptTimeout ?? Infinity),
    );
    const attempt: Outer = {
      path: this.#path,
      attempt: number,
      endsAt: Math.min(limitAt, this.#outerEndsAt),
      limitAt: Math.min(limitAt, this.#scopeEndsAt),
      outer: this.#outer,
      nested: new Set(),
      state: "open",
      reason: "",
    };
    this.#attempt = attempt;
    this.#phase = "trying";
    this.#write(`attempt ${number}`);
    for (let each: Outer | null = attempt; each?.state === "open"; each = each.outer) {
      if (now >= each.limitAt) throw new Error("An attempt begins at an outer limit");
    }
    this.#after(limitAt, () => this.#reachLimit(attempt));
    this.#call(attempt);
  }

  #call(attempt: Outer): void {
    const { calls, when, how } = attemptAt(this.#script, attempt.attempt);
    const [name, number] = [this.#path, attempt.attempt];
    this.#world.write(
      `${name} call ${number}: remaining ${Math.max(0, attempt.endsAt - this.#world.now)}`,
    );
    const outcome = how === "value"
      ? { value: `value ${name} ${number}` }
      : { error: `failure ${name} ${number}` };
    let left = calls.length;
    const joined = () => {
      if (--left === 0 && when === "joined") {
        this.#world.settleLater(() => this.#settle(attempt, outcome));
      }
    };
    for (const [index, { after, call }] of calls.entries()) {
      const path = `${name}/${number}.${index}`;
      const begin = () => this.#world.begin(call, path, attempt, joined);
      if (after === 0) begin();
      else this.#after(this.#world.now + after, begin);
    }
    const ms = when === "joined" && calls.length === 0 ? 0 : when;
    if (typeof ms === "number") {
      this.#after(this.#world.now + ms, () => this.#settle(attempt, outcome));
    }
  }

  #settle(attempt: Outer, outcome: Outcome): void {
    if (attempt !== this.#attempt) return;
    if (this.#phase === "trying") {
      if ([...attempt.nested].length > 0) {
        this.#world.seen.add(`let go by a ${Object.keys(outcome)}`);
      }
      attempt.state = "released";
      attempt.nested.clear();
      if ("value" in outcome) return this.#end("success", outcome);
      return this.#fail(outcome.error);
    }
    if (this.#phase !== "stopping") return;
    this.#world.seen.add("ended in its grace");
    if (this.#world.now === this.#deadlineAt) return this.#reachDeadline();
    if ("value" in outcome) return this.#end("success", outcome);
    this.#fail(this.#timeout);
  }

  #reachLimit(attempt: Outer): void {
    if (attempt !== this.#attempt || this.#phase !== "trying") return;
    if (this.#world.now >= this.#deadlineAt) {
      this.#endNested(this.#deadlineError(), "a deadline");
      return this.#reachDeadline();
    }
    const { attemptTimeout, grace } = this.#script;
    this.#timeout = `'${this.#path}' reached its attempt timeout of ${attemptTimeout} ms`;
    this.#endNested(this.#timeout, "an attempt timeout");
    if (grace === 0) return this.#fail(this.#timeout);
    this.#phase = "stopping";
    this.#after(Math.min(this.#world.now + grace, this.#deadlineAt), () => {
      if (attempt !== this.#attempt || this.#phase !== "stopping") return;
      if (this.#world.now >= this.#deadlineAt) return this.#reachDeadline();
      this.#fail(this.#timeout);
    });
  }

  #reachDeadline(): void {
    const error = this.#phase === "stopping" ? this.#timeout : this.#lastError;
    this.#writeTimeout();
    this.#end("deadline", { error: error ?? this.#deadlineError() });
  }

  #fail(error: string): void {
    const { maxTries, pause, minRemaining } = this.#script;
    const { now } = this.#world;
    const remaining = this.#remaining();
    this.#lastError = error;
    const left = remaining - pause;
    const isTooLate = minRemaining !== null && (left <= 0 || left < minRemaining);
    const reason = this.#number >= maxTries
      ? "maxTries"
      : isTooLate || now >= this.#deadlineAt
      ? "deadline"
      : null;
    if (reason === "deadline" && this.#outerEndsAt < this.#deadlineAt) {
      this.#world.seen.add("no time left until the end of the outer attempt");
    }
    const attempt = this.#attempt;
    this.#attempt = null;
    this.#write(`failure ${this.#number}: remaining ${remaining}`);
    if (reason !== null) return this.#end(reason, { error });
    this.#phase = "pausing";
    this.#after(Math.min(now + pause, this.#deadlineAt), () => {
      if (this.#phase !== "pausing" || attempt?.attempt !== this.#number) return;
      if (this.#world.now >= this.#deadlineAt) return this.#reachDeadline();
      this.#try();
    });
  }

  #remaining(): number {
    return Math.max(0, Math.min(this.#deadlineAt, this.#outerEndsAt) - this.#world.now);
  }

  /** A timeout is observed at the end of its grace, whatever ends that. */
  #writeTimeout(): void {
    if (this.#phase !== "stopping") return;
    this.#write(`failure ${this.#number}: remaining ${this.#remaining()}`);
  }

  /** The outer attempt is ended, a signal is aborted, or a scope reaches its deadline. */
  interrupt(reason: string): void {
    if (this.#phase === "over") return;
    this.#world.seen.add(`interrupted while ${this.#phase}`);
    if (this.#phase === "trying") this.#endNested(reason, "an abort");
    this.#writeTimeout();
    this.#end("aborted", { error: reason });
  }

  /** Everything nested in the attempt is over at once. That is written after the attempt. */
  #endNested(reason: string, by: string): void {
    const attempt = this.#attempt as Outer;
    attempt.state = "ended";
    attempt.reason = reason;
    for (const call of attempt.nested) {
      this.#world.seen.add(`ended by ${by}`);
      if (call.#limitsTie(attempt)) this.#world.seen.add("limits of two layers tie");
      const interrupt = () => call.interrupt(reason);
      // A `within` is a level of its own.
      if (call.#script.scope === null) this.#world.endLater(interrupt);
      else this.#world.endLater(() => this.#world.endLater(interrupt));
    }
    attempt.nested.clear();
  }

  #limitsTie(outer: Outer): boolean {
    const own = this.#attempt?.endsAt;
    return this.#world.now === outer.endsAt &&
      (this.#deadlineAt === outer.endsAt ||
        (own === outer.endsAt && this.#outerEndsAt > own));
  }

  #end(reason: string, outcome: Outcome): void {
    this.#phase = "over";
    this.#attempt = null;
    this.#outer?.nested.delete(this);
    this.#world.live(this.#script).delete(this);
    const text = "value" in outcome ? outcome.value : outcome.error;
    this.#write(`done ${reason}: ${text}`);
    this.#ended();
  }

  /** Writes an event. */
  #write(line: string): void {
    const outer = this.#outer === null
      ? ""
      : ` in ${this.#outer.path} ${this.#outer.attempt}`;
    this.#world.write(`${this.#path} ${line}${outer}`);
  }
}
