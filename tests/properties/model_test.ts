// The library does what an independent reading of the rules does, in whatever script.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { script } from "./arbitrary.ts";
import { categories } from "./categories.ts";
import { ObserverError, Player } from "./player.ts";
import { type Expected, interpret } from "./reference.ts";
import { assertProperty } from "./runs.ts";
import { literal, type Script, type Trace } from "./script.ts";

/** Past everything that a script does. */
const LONG = 1000;

async function play(script: Script): Promise<{ trace: Trace; player: Player }> {
  const clock = new TestClock();
  const player = new Player(script, clock);
  player.begin();
  await clock.advance(LONG);
  clock.close();
  return { trace: player.result(), player };
}

/** A failure tells the script, as a literal, and what happened, as it can be played again. */
function assertAsExpected(
  script: Script,
  expected: Expected,
  trace: Trace,
  player: Player,
) {
  const { lines, signals, statistic, mayBeLate } = expected;
  const late = trace.late.filter((each) => !mayBeLate.has(each));
  try {
    assertEquals(player.broken, []);
    assertEquals({ ...trace, late }, { lines, late: expected.late, signals, statistic });
  } catch (error) {
    const { message } = error as Error;
    const log = JSON.stringify(player.log);
    throw new Error(`The script:\n${literal(script)}\nThe log:\n${log}\n${message}`);
  }
}

Deno.test("asyncbackoff() does what the reference does in any script", async () => {
  await assertProperty({
    name: "model",
    arbitrary: script,
    runs: 1000,
    categories,
    async holds(script, count) {
      const expected = interpret(script);
      const { entry, clock, observer } = script.policy;
      for (const each of expected.seen) count(each);
      for (const each of [entry, `clock: ${clock}`, `observer: ${observer}`]) count(each);
      if (expected.isOpen) return count("left out: the rules leave the order open");
      const { trace, player } = await play(script);
      assertAsExpected(script, expected, trace, player);
      assertEquals((await play(script)).trace, trace);
    },
    isWanted: (error) => error instanceof ObserverError,
  });
});
