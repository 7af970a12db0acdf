// Determinism: what an execution was told, logged as JSON, makes the pure engine go through
// the same states.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { script } from "./arbitrary.ts";
import { assertSame, play } from "./assert_script.ts";
import type { LoggedEvent } from "./runner.ts";
import { replay, told } from "./replay.ts";
import { assertProperty } from "./runs.ts";
import type { Script } from "./script.ts";

/**
 * The states are seen by an observer. Left out is an abort from within a step of the engine:
 * by `giveup`, `budget` or `pause`, or as an attempt begins that is given no time.
 */
const observed = script.map(({ policy, attempts, aborts }): Script => ({
  policy: { ...policy, observer: "quiet" },
  attempts,
  aborts: aborts.filter(({ from }) => {
    if (typeof from === "string" || !("by" in from)) return true;
    if (from.by === "attempt") return policy.attemptTimeout !== 0;
    return from.by !== "giveup" && from.by !== "budget" && from.by !== "pause";
  }),
}));

Deno.test("step() goes through the states of an execution when its log is played again", async () => {
  await assertProperty({
    name: "replay",
    arbitrary: observed,
    runs: 300,
    categories: ["trying", "stopping", "pausing", "done"],
    async holds(script, { count }) {
      const player = await play(script, new TestClock());
      const { lines } = player.result();
      const log: LoggedEvent[] = JSON.parse(JSON.stringify(player.log));
      const states = replay(script.policy, log);
      for (const phase of new Set(states.map(({ phase }) => phase))) count(phase);
      const wasTold = lines.filter((line) => line.includes(" told "));
      assertSame(script, player, wasTold, told(states));
      assertEquals(replay(script.policy, log).length, states.length);
    },
  });
});
