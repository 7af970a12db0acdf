// A script on the library, compared with what the reference makes of it.

import { assertEquals } from "@std/assert";
import { Player } from "./player.ts";
import { type Expected, interpret } from "./reference.ts";
import { literal, type Script } from "./script.ts";
import type { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Past everything that a script does. */
const LONG = 1000;

/** Plays a script alone, until nothing is left to happen. */
export async function play(
  script: Script,
  clock: Pick<TestClock, "now" | "sleep" | "after" | "advance">,
): Promise<Player> {
  const player = new Player(script, clock);
  player.begin();
  await clock.advance(LONG);
  return player;
}

/** A failure tells the script, as a literal, and what happened, as it can be played again. */
export function assertAsExpected(
  script: Script,
  player: Player,
  expected: Expected = interpret(script),
): void {
  const { lines, signals, statistic, mayBeLate } = expected;
  const trace = player.result();
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
