// Concurrent executions do not affect each other.

import { assertEquals } from "@std/assert";
import { Backoff, type BackoffEvent } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import fc from "fast-check";
import { script } from "./arbitrary.ts";
import { assertAsExpected } from "./assert_script.ts";
import { byExecute, countersOf } from "./entry_point.ts";
import { type MakeEntryPoint, Runner } from "./runner.ts";
import { type Expected, interpret } from "./reference.ts";
import { assertProperty } from "./runs.ts";
import type { AbortScript, Script } from "./script.ts";

/** Milliseconds until after the end of all executions of a test. */
const LONG = 3000;

interface Fixture {
  readonly script: Script;
  /** Milliseconds from the start of the fixture before it. */
  readonly offset: number;
  /** Whether it begins inside the function of the fixture before it, if that is called. */
  readonly isInside: boolean;
}

const offset = fc.integer({ min: 0, max: 6 }).map((each) => each * 10);
const fixtures = fc.array(
  fc.record({ script, offset, isInside: fc.boolean() }),
  { minLength: 2, maxLength: 5 },
);
const isDecided = (fixture: { script: Script }) => !interpret(fixture.script).isOpen;

/** Begins each fixture at its time, or inside the one before it. */
async function begin(fixtures: readonly Fixture[], clock: TestClock): Promise<Runner[]> {
  const runners = fixtures.map(({ script }) => new Runner(script, clock));
  for (const runner of runners) await runner.prepare();
  let at = 0;
  for (const [index, { offset, isInside }] of fixtures.entries()) {
    const runner = runners[index] as Runner;
    const before = runners[index - 1];
    at += offset;
    if (isInside && before !== undefined) before.whenCalled = () => runner.begin();
    else clock.after(at, () => runner.begin());
  }
  return runners;
}

Deno.test("asyncbackoff() does the same in each of many concurrent executions as in a single one", async () => {
  await assertProperty({
    name: "together",
    arbitrary: fixtures.map((all) => all.filter(isDecided)),
    runs: 300,
    categories: ["at the same time", "one inside the other"],
    async holds(fixtures, { count, assertUncaught }) {
      const clock = new TestClock();
      const runners = await begin(fixtures, clock);
      await clock.advance(LONG);
      for (const runner of runners) await runner.inspect();
      assertUncaught(runners.flatMap(({ thrown }) => thrown));
      for (const [index, runner] of runners.entries()) {
        const { script, isInside } = fixtures[index] as Fixture;
        if (!runner.hasBegun) continue;
        count(isInside && index > 0 ? "one inside the other" : "at the same time");
        assertAsExpected(script, runner);
      }
    },
  });
});

/** One policy with one signal, which several executions share. */
class SharedPolicy {
  readonly #controller = new AbortController();
  readonly #runners = new Map<number, Runner>();
  readonly #reason = new Error("enough");
  #backoff: Backoff | null = null;
  #beginning: Runner | null = null;
  readonly #clock: TestClock;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  /** Makes the entry point of a runner, which then receives the events of its execution. */
  readonly entryPoint: MakeEntryPoint = (policy, options, runner) => {
    const { attemptTimeout, deadline, maxTries } = policy;
    const observe = (event: BackoffEvent) => this.#observe(event);
    const { signal } = this.#controller;
    const shared = {
      attemptTimeout,
      deadline,
      maxTries,
      observe,
      signal,
      clock: this.#clock,
    };
    this.#backoff ??= new Backoff({ ...options, ...shared });
    const { run, counters } = byExecute(this.#backoff);
    runner.setLabel(this.#reason, "the policy reason");
    return {
      counters,
      run: (fn, options) => {
        this.#beginning = runner;
        return run(fn, options);
      },
    };
  };

  get counters(): Record<string, number> {
    return this.#backoff === null ? {} : countersOf(this.#backoff);
  }

  abort(): void {
    this.#controller.abort(this.#reason);
  }

  #observe(event: BackoffEvent): void {
    const runner = this.#runners.get(event.execution) ?? this.#beginning as Runner;
    this.#runners.set(event.execution, runner);
    runner.observe(event);
  }
}

/**
 * The script with the policy of the first one. A shared callback, except the observer, cannot
 * know the runner that it is called for, so the policy has none.
 */
function plain({ policy, call, fn, attempts, aborts }: Script, first: Script): Script {
  const pause = Array.isArray(first.policy.pause) ? 20 : first.policy.pause;
  const exceptions = typeof first.policy.exceptions === "string"
    ? first.policy.exceptions
    : Array.isArray(first.policy.exceptions)
    ? first.policy.exceptions
    : [];
  const common = { ...first.policy, pause, exceptions, until: null, giveup: null };
  return {
    policy: {
      ...common,
      budget: null,
      entryPoint: "execute",
      observer: "quiet",
      clock: "after",
    },
    call: {
      name: call.name,
      outer: null,
      observer: call.observer === "throws" ? "quiet" : call.observer,
      // The policy may have no bound, so that the execution's own predicate accepts in the end.
      until: call.until && [...call.until, true],
    },
    fn,
    attempts,
    aborts: aborts.filter(({ signal }) =>
      signal === "own" && policy.entryPoint === "execute"
    ),
  };
}

/** An abort of all executions, as a part of the script of one that begins at an instant. */
function abortSeen(at: number, begins: number): AbortScript {
  return {
    signal: "policy",
    reason: "error",
    from: at <= begins ? "beforehand" : { at: at - begins, armed: "before" },
  };
}

const shared = fc.record({
  scripts: fc.array(script, { minLength: 2, maxLength: 5 })
    .map((all) => all.map((each) => plain(each, all[0] as Script))),
  offsets: fc.array(offset, { minLength: 5, maxLength: 5 }),
  abortAt: fc.option(fc.integer({ min: 0, max: 20 }).map((each) => each * 10)),
});

function sum(counters: Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const each of counters) {
    for (const [name, value] of Object.entries(each)) {
      total[name] = (total[name] ?? 0) + value;
    }
  }
  return total;
}

Deno.test("Backoff.execute() keeps concurrent executions apart, and sums their counters", async () => {
  await assertProperty({
    name: "one policy",
    arbitrary: shared,
    runs: 300,
    categories: ["aborts them all", "no abort of all", "many attempts"],
    async holds({ scripts, offsets, abortAt }, { count }) {
      const clock = new TestClock();
      const policy = new SharedPolicy(clock);
      const scriptOf = (index: number): Script => {
        const each = scripts[index] as Script;
        if (abortAt === null) return each;
        return { ...each, aborts: [abortSeen(abortAt, offsets[index]!), ...each.aborts] };
      };
      const expected: Expected[] = scripts.map((_, index) => interpret(scriptOf(index)));
      if (expected.some(({ isOpen }) => isOpen)) return;
      count(abortAt === null ? "no abort of all" : "aborts them all");
      const runners = scripts.map((each) => new Runner(each, clock, policy.entryPoint));
      for (const runner of runners) await runner.prepare();
      if (abortAt !== null) clock.after(abortAt, () => policy.abort());
      for (const [index, each] of runners.entries()) {
        clock.after(offsets[index]!, () => each.begin());
      }
      await clock.advance(LONG);
      for (const runner of runners) await runner.inspect();
      const total = sum(expected.map(({ counters }) => counters!));
      assertEquals(policy.counters, total);
      if ((total["attempts"] ?? 0) > 4) count("many attempts");
      for (const [index, runner] of runners.entries()) {
        const one = { ...expected[index] as Expected, counters: total };
        assertAsExpected(scriptOf(index), runner, one);
      }
    },
  });
});
