// A script on the library, compared with what the reference makes of it.

import { assertEquals } from "@std/assert";
import { Player } from "./runner.ts";
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

/** Asserts that nothing was broken on the way, and that all is as the reference has it. */
export function assertAsExpected(
  script: Script,
  player: Player,
  expected: Expected = interpret(script),
): void {
  const { lines, late, signals, budget, mayBeLate } = expected;
  const { statistic } = expected;
  const trace = player.result();
  const actual = { ...trace, late: trace.late.filter((each) => !mayBeLate.has(each)) };
  assertSame(script, player, actual, { lines, late, signals, budget, statistic });
}

/** A failure tells the script, as a literal, and what happened, as it can be played again. */
export function assertSame(
  script: Script,
  player: Player,
  actual: unknown,
  expected: unknown,
): void {
  try {
    assertEquals(player.broken, []);
    assertEquals(actual, expected);
  } catch (error) {
    const { message } = error as Error;
    const log = JSON.stringify(player.log);
    throw new Error(`The script:\n${literal(script)}\nThe log:\n${log}\n${message}`);
  }
}
