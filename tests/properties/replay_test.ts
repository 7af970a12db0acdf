// Determinism: the logged events of an execution lead the pure engine through the same
// states.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { script } from "./arbitrary.ts";
import { assertSame, runScript } from "./assert_script.ts";
import type { LoggedEvent } from "./runner.ts";
import { observed, replay } from "./replay.ts";
import { assertProperty } from "./runs.ts";
import type { Place, Script } from "./script.ts";

/** The callbacks that the engine calls within a step. */
const deciding: readonly Place[] = [
  "until",
  "call's until",
  "exceptions",
  "giveup",
  "pause",
  "budget",
];

/**
 * Scripts with an observer, which sees the states. They have no aborts from within a step
 * of the engine: by a callback that decides, or as an attempt begins that is given no time.
 */
const observedScript = script.map(({ policy, call, fn, attempts, aborts }): Script => ({
  policy: {
    ...policy,
    observer: "quiet",
    budget: policy.budget && { ...policy.budget, hooks: "all" },
  },
  call: { ...call, observer: "none", outer: null },
  fn,
  attempts,
  aborts: aborts.filter(({ from }) => {
    if (typeof from === "string" || !("by" in from)) return true;
    if (from.by === "attempt") {
      return policy.attemptTimeout !== 0 && policy.idleTimeout !== 0;
    }
    return from.by === "timer" || !deciding.includes(from.by);
  }),
}));

Deno.test("step() goes through the same states when the log of an execution is replayed", async () => {
  await assertProperty({
    name: "replay",
    arbitrary: observedScript,
    runs: 300,
    categories: ["trying", "stopping", "pausing", "done", "refused"],
    async holds(script, { count }) {
      const runner = await runScript(script, new TestClock());
      const { lines } = runner.result();
      const log: LoggedEvent[] = JSON.parse(JSON.stringify(runner.log));
      const states = replay(script, log);
      if (log.some((event) => event.type === "judged" && event.refusal !== null)) {
        count("refused");
      }
      for (const phase of new Set(states.map(({ phase }) => phase))) count(phase);
      const actual = lines.filter((line) => line.includes(" observed "));
      assertSame(script, runner, actual, observed(states));
      assertEquals(replay(script, log).length, states.length);
    },
  });
});
