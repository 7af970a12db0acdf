// Runs a script on the library and compares it with the reference.

import { assertEquals } from "@std/assert";
import { Runner } from "./runner.ts";
import { type Expected, interpret } from "./reference.ts";
import { literal, type Script } from "./script.ts";
import type { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Milliseconds until after the end of any script. */
const LONG = 1000;

/** Runs a script alone until nothing is left to happen. */
export async function runScript(
  script: Script,
  clock: Pick<TestClock, "now" | "sleep" | "after" | "advance">,
): Promise<Runner> {
  const runner = new Runner(script, clock);
  await runner.prepare();
  runner.begin();
  await clock.advance(LONG);
  await runner.inspect();
  return runner;
}

/** Asserts that no invariant was broken, and that the trace is that of the reference. */
export function assertAsExpected(
  script: Script,
  runner: Runner,
  expected: Expected = interpret(script),
): void {
  const { lines, reports, late, signals, budget, possiblyLate } = expected;
  const { counters, isExhausted } = expected;
  const trace = runner.result();
  const actual = { ...trace, late: trace.late.filter((each) => !possiblyLate.has(each)) };
  assertSame(script, runner, actual, {
    lines,
    reports,
    late,
    signals,
    budget,
    counters,
    isExhausted,
  });
}

/**
 * Asserts equality. A failure shows the script as a literal, and a log that can be
 * replayed.
 */
export function assertSame(
  script: Script,
  runner: Runner,
  actual: unknown,
  expected: unknown,
): void {
  try {
    assertEquals(runner.broken, []);
    assertEquals(actual, expected);
  } catch (error) {
    const { message } = error as Error;
    const log = JSON.stringify(runner.log);
    throw new Error(`The script:\n${literal(script)}\nThe log:\n${log}\n${message}`);
  }
}
