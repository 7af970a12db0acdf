// Random trees of nested calls, compared with an independent reading of the rules.

import { assert, assertEquals } from "@std/assert";
import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type Clock,
  detached,
  sleep,
  within,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { whileFollowed } from "../support/followed.ts";
import { assertProperty } from "./runs.ts";
import { literal } from "./script.ts";
import { attemptAt, type CallScript, callsOf, MAX_CALLS, tree } from "./tree.ts";
import { interpretTree } from "./tree_reference.ts";

const categories = [
  "aborted beforehand by two",
  "begun after its outer attempt settled",
  "begun in an attempt that was ended",
  "ended by a deadline",
  "ended by an abort",
  "ended by an attempt timeout",
  "ended in its grace",
  "interrupted while pausing",
  "interrupted while stopping",
  "interrupted while trying",
  "let go by a error",
  "let go by a value",
  "limits of two layers tie",
  "no time left until the end of the outer attempt",
  "the deadline of a scope",
];

/** An attempt, and whether its function has ended. */
interface Running {
  readonly attempt: Attempt;
  hasEnded: boolean;
}

/** Makes the calls of a tree. */
class TreeRunner {
  readonly lines: string[] = [];
  readonly clock = new TestClock();
  readonly #isFollowed: boolean;
  /** The clock of the policies and scopes. */
  readonly #used: Clock;
  readonly #controllers = new Map<CallScript, AbortController>();
  readonly #names = new Map<number, string>();
  #begun = 0;
  /** Calls that have not ended, and sleeps of functions. */
  open = 0;
  sleeping = 0;

  constructor({ isFollowed, hasAfter }: Way) {
    const { clock } = this;
    this.#isFollowed = isFollowed;
    this.#used = hasAfter
      ? clock
      : { now: () => clock.now(), sleep: (ms, options) => clock.sleep(ms, options) };
  }

  async run(root: CallScript): Promise<void> {
    for (const each of callsOf(root)) {
      if (each.abortAt === null) continue;
      const controller = new AbortController();
      this.#controllers.set(each, controller);
      const reason = `abort at ${each.abortAt}`;
      this.clock.after(each.abortAt, () => controller.abort(reason));
    }
    this.#begin(root, "0", null);
    await this.clock.advance(10_000);
  }

  #begin(script: CallScript, path: string, outer: Running | null): Promise<unknown> {
    if (this.#begun === MAX_CALLS) return Promise.resolve();
    this.#begun++;
    this.open++;
    const { abortAt: _, scope, attempts: __, ...rules } = script;
    const backoff = new Backoff({
      ...rules,
      name: path,
      exceptions: "all",
      observe: (event) => this.#observe(event),
      clock: this.#used,
    });
    const signal = this.#controllers.get(script)?.signal ?? null;
    const fn = (attempt: Attempt) => this.#call(script, path, attempt, outer);
    const settled = (promise: Promise<unknown>) =>
      promise.then(() => this.open--, () => this.open--);
    if (scope !== null) {
      const scoped = () => within(named({ deadline: scope, clock: this.#used }), call);
      const call = Object.defineProperty(
        () => backoff.execute(fn, { signal }),
        "name",
        { value: path },
      );
      const isExplicit = !this.#isFollowed && outer !== null;
      return settled(isExplicit ? within(outer.attempt, scoped) : scoped());
    }
    const explicit = this.#isFollowed ? null : outer?.attempt ?? null;
    return settled(backoff.execute(fn, { signal, within: explicit }));
  }

  async #call(
    script: CallScript,
    path: string,
    attempt: Attempt,
    outer: Running | null,
  ): Promise<string> {
    const { number, remaining } = attempt;
    const now = this.clock.now();
    this.lines.push(`${now} ${path} call ${number}: remaining ${remaining}`);
    if (outer !== null && !outer.hasEnded) {
      assert(!outer.attempt.signal.aborted, "an attempt begins after an outer limit");
    }
    const running: Running = { attempt, hasEnded: false };
    const { calls, when, how } = attemptAt(script, number);
    const all = calls.map(async ({ after, call }, index) => {
      if (after > 0) await this.#sleep(after);
      await this.#begin(call, `${path}/${number}.${index}`, running);
    });
    if (when === "never") return new Promise(() => {});
    if (when === "joined" && calls.length > 0) await Promise.all(all);
    else await this.#sleep(when === "joined" ? 0 : when);
    running.hasEnded = true;
    if (how === "failure") throw new Error(`failure ${path} ${number}`);
    return `value ${path} ${number}`;
  }

  async #sleep(ms: number): Promise<void> {
    this.sleeping++;
    await sleep(ms, { clock: this.clock });
    this.sleeping--;
  }

  #observe(event: BackoffEvent): void {
    const { at, name, execution, outer } = event;
    this.#names.set(execution, name);
    const words = wordsOf(event);
    if (words === null) return;
    const around = outer === undefined
      ? ""
      : ` in ${this.#names.get(outer.execution)} ${outer.attempt}`;
    this.lines.push(`${at} ${name} ${words}${around}`);
  }
}

/** Options that `within` reads once. */
const named = <T extends object>(options: T): T => Object.freeze(options);

function wordsOf(event: BackoffEvent): string | null {
  switch (event.type) {
    case "attempt":
      return `attempt ${event.attempt}`;
    case "failure":
      return `failure ${event.attempt}: remaining ${event.failure.remaining}`;
    case "done": {
      const { outcome, reason } = event;
      if (outcome.status === "fulfilled") return `done ${reason}: ${outcome.value}`;
      const error: unknown = outcome.reason;
      return `done ${reason}: ${error instanceof Error ? error.message : error}`;
    }
    case "late":
      return null;
  }
}

/** The way in which attempts are nested, and whether the clock has `after`. */
interface Way {
  readonly isFollowed: boolean;
  readonly hasAfter: boolean;
}

const ways: Readonly<Record<string, Way>> = {
  "given as `within`": { isFollowed: false, hasAfter: true },
  "given as `within`, on a clock with sleep() alone": {
    isFollowed: false,
    hasAfter: false,
  },
  followed: { isFollowed: true, hasAfter: true },
};

for (const [how, way] of Object.entries(ways)) {
  Deno.test(`Nested executions do the same as the reference in any tree, with attempts that are ${how}`, async () => {
    await assertProperty({
      name: `nesting, ${how}`,
      arbitrary: tree,
      runs: 400,
      categories,
      async holds(root, { count, assertUncaught }) {
        const expected = interpretTree(root);
        for (const each of expected.seen) count(each);
        const runner = new TreeRunner(way);
        const run = () => runner.run(root);
        await (way.isFollowed ? whileFollowed(run) : detached(run));
        assertUncaught([]);
        assertEquals(runner.lines, expected.lines, literal(root));
        assertEquals(runner.clock.pending, runner.sleeping, "timers are left");
      },
    });
  });
}
