// Determinism: the logged events of an execution lead the pure engine through the same
// states.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { script } from "./arbitrary.ts";
import { assertSame, runScript } from "./assert_script.ts";
import type { LoggedEvent } from "./runner.ts";
import { observed, replay } from "./replay.ts";
import { assertProperty } from "./runs.ts";
import type { Script } from "./script.ts";

/**
 * Scripts with an observer, which sees the states. They have no aborts from within a step
 * of the engine: by `giveup`, `budget` or `pause`, or as an attempt begins that is given no
 * time.
 */
const observedScript = script.map(({ policy, attempts, aborts }): Script => ({
  policy: { ...policy, observer: "quiet" },
  attempts,
  aborts: aborts.filter(({ from }) => {
    if (typeof from === "string" || !("by" in from)) return true;
    if (from.by === "attempt") return policy.attemptTimeout !== 0;
    return from.by !== "giveup" && from.by !== "budget" && from.by !== "pause";
  }),
}));

Deno.test("step() goes through the same states when the log of an execution is replayed", async () => {
  await assertProperty({
    name: "replay",
    arbitrary: observedScript,
    runs: 300,
    categories: ["trying", "stopping", "pausing", "done"],
    async holds(script, { count }) {
      const runner = await runScript(script, new TestClock());
      const { lines } = runner.result();
      const log: LoggedEvent[] = JSON.parse(JSON.stringify(runner.log));
      const states = replay(script.policy, log);
      for (const phase of new Set(states.map(({ phase }) => phase))) count(phase);
      const actual = lines.filter((line) => line.includes(" observed "));
      assertSame(script, runner, actual, observed(states));
      assertEquals(replay(script.policy, log).length, states.length);
    },
  });
});
