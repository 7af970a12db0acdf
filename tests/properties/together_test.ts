// Executions at the same time do not touch each other.

import { assertEquals } from "@std/assert";
import { Backoff, type BackoffEvent } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import fc from "fast-check";
import { script } from "./arbitrary.ts";
import { assertAsExpected } from "./assert_script.ts";
import { byExecute } from "./entry_point.ts";
import { type Enter, Player } from "./runner.ts";
import { type Expected, interpret } from "./reference.ts";
import { assertProperty } from "./runs.ts";
import type { AbortScript, Script } from "./script.ts";

/** Past everything that all of them do. */
const LONG = 3000;

interface Scene {
  readonly script: Script;
  /** When it begins, after the scene before it. */
  readonly offset: number;
  /** It begins inside the function of the scene before it, if that is ever called. */
  readonly isInside: boolean;
}

const offset = fc.integer({ min: 0, max: 6 }).map((each) => each * 10);
const scenes = fc.array(
  fc.record({ script, offset, isInside: fc.boolean() }),
  { minLength: 2, maxLength: 5 },
);
const isDecided = (scene: { script: Script }) => !interpret(scene.script).isOpen;

/** Begins each scene at its time, or inside the one before it. */
function begin(scenes: readonly Scene[], clock: TestClock): Player[] {
  const players = scenes.map(({ script }) => new Player(script, clock));
  let at = 0;
  for (const [index, { offset, isInside }] of scenes.entries()) {
    const player = players[index] as Player;
    const before = players[index - 1];
    at += offset;
    if (isInside && before !== undefined) before.whenCalled = () => player.begin();
    else clock.after(at, () => player.begin());
  }
  return players;
}

Deno.test("asyncbackoff() does in each of many executions what it does in one", async () => {
  await assertProperty({
    name: "together",
    arbitrary: scenes.map((all) => all.filter(isDecided)),
    runs: 300,
    categories: ["at the same time", "one inside the other"],
    async holds(scenes, { count, assertUncaught }) {
      const clock = new TestClock();
      const players = begin(scenes, clock);
      await clock.advance(LONG);
      assertUncaught(players.flatMap(({ thrown }) => thrown));
      for (const [index, player] of players.entries()) {
        const { script, isInside } = scenes[index] as Scene;
        if (!player.hasBegun) continue;
        count(isInside && index > 0 ? "one inside the other" : "at the same time");
        assertAsExpected(script, player);
      }
    },
  });
});

/** One policy, with one signal, for several executions. */
class Company {
  readonly #controller = new AbortController();
  readonly #players = new Map<number, Player>();
  readonly #reason = new Error("enough");
  #backoff: Backoff | null = null;
  #beginning: Player | null = null;
  readonly #clock: TestClock;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  /** Each event is for the player whose execution it is. */
  readonly enter: Enter = ({ attemptTimeout, deadline, maxTries }, options, player) => {
    const observe = (event: BackoffEvent) => this.#observe(event);
    const { signal } = this.#controller;
    const ours = {
      attemptTimeout,
      deadline,
      maxTries,
      observe,
      signal,
      clock: this.#clock,
    };
    this.#backoff ??= new Backoff({ ...options, ...ours });
    const { run, statistic } = byExecute(this.#backoff);
    player.know(this.#reason, "the policy reason");
    return {
      statistic,
      run: (fn, signal) => {
        this.#beginning = player;
        return run(fn, signal);
      },
    };
  };

  get statistic(): Record<string, number> {
    return { ...this.#backoff?.statistic };
  }

  abort(): void {
    this.#controller.abort(this.#reason);
  }

  #observe(event: BackoffEvent): void {
    const player = this.#players.get(event.execution) ?? this.#beginning as Player;
    this.#players.set(event.execution, player);
    player.observe(event);
  }
}

/** Nobody can tell whose `giveup`, `budget` and `pause` are asked: here they are plain. */
function plain({ policy, attempts, aborts }: Script, first: Script): Script {
  const pause = Array.isArray(first.policy.pause) ? 20 : first.policy.pause;
  const common = { ...first.policy, pause, giveup: null, budget: null };
  return {
    policy: { ...common, entry: "execute", observer: "quiet", clock: "after" },
    attempts,
    aborts: aborts.filter(({ signal }) => signal === "own" && policy.entry === "execute"),
  };
}

/** An abort of all of them, as one of them sees it. */
function abortSeen(at: number, begins: number): AbortScript {
  return {
    signal: "policy",
    reason: "error",
    from: at <= begins ? "beforehand" : { at: at - begins, armed: "before" },
  };
}

const companies = fc.record({
  scripts: fc.array(script, { minLength: 2, maxLength: 5 })
    .map((all) => all.map((each) => plain(each, all[0] as Script))),
  offsets: fc.array(offset, { minLength: 5, maxLength: 5 }),
  abortAt: fc.option(fc.integer({ min: 0, max: 20 }).map((each) => each * 10)),
});

function sum(statistics: Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const each of statistics) {
    for (const [name, value] of Object.entries(each)) {
      total[name] = (total[name] ?? 0) + value;
    }
  }
  return total;
}

Deno.test("Backoff.execute() keeps its executions apart, and adds up what they count", async () => {
  await assertProperty({
    name: "one policy",
    arbitrary: companies,
    runs: 300,
    categories: ["aborts them all", "no abort of all", "many under way"],
    async holds({ scripts, offsets, abortAt }, { count }) {
      const clock = new TestClock();
      const company = new Company(clock);
      const seen = (index: number): Script => {
        const each = scripts[index] as Script;
        if (abortAt === null) return each;
        return { ...each, aborts: [abortSeen(abortAt, offsets[index]!), ...each.aborts] };
      };
      const expected: Expected[] = scripts.map((_, index) => interpret(seen(index)));
      if (expected.some(({ isOpen }) => isOpen)) return;
      count(abortAt === null ? "no abort of all" : "aborts them all");
      const players = scripts.map((each) => new Player(each, clock, company.enter));
      if (abortAt !== null) clock.after(abortAt, () => company.abort());
      for (const [index, each] of players.entries()) {
        clock.after(offsets[index]!, () => each.begin());
      }
      await clock.advance(LONG);
      const total = sum(expected.map(({ statistic }) => statistic));
      assertEquals(company.statistic, total);
      if ((total["attempts"] ?? 0) > 4) count("many under way");
      for (const [index, player] of players.entries()) {
        const one = { ...expected[index] as Expected, statistic: total };
        assertAsExpected(seen(index), player, one);
      }
    },
  });
});
