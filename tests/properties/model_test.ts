// Random scripts, compared with an independent reference implementation of the rules.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { script } from "./arbitrary.ts";
import { assertAsExpected, assertSame, runScript } from "./assert_script.ts";
import { BurstClock } from "./burst_clock.ts";
import { categories } from "./categories.ts";
import { interpret } from "./reference.ts";
import { assertProperty } from "./runs.ts";
import type { AbortScript, Script, Trace } from "./script.ts";

/** Categories of a script itself. */
function categoriesOf({ policy, call }: Script): string[] {
  const { entryPoint, clock, observer, budget } = policy;
  const categories = [entryPoint, `clock: ${clock}`, `observer: ${observer}`];
  if (budget !== null) categories.push(`budget's hooks: ${budget.hooks}`);
  if (call.observer !== "none") categories.push(`observers: ${observer}, ${call.observer}`);
  if (call.name !== null || policy.name !== null) {
    categories.push(`name of ${call.name === null ? "the policy" : "the call"}`);
  }
  return categories;
}

Deno.test("asyncbackoff() does the same as the reference in any script, each time", async () => {
  await assertProperty({
    name: "model",
    arbitrary: script,
    runs: 1000,
    categories,
    async holds(script, { count, assertUncaught }) {
      const expected = interpret(script);
      for (const each of [...expected.seen, ...categoriesOf(script)]) count(each);
      if (expected.isOpen) return count("left out: the rules leave the order open");
      const runner = await runScript(script, new TestClock());
      assertUncaught(runner.thrown);
      assertAsExpected(script, runner, expected);
      const again = await runScript(script, new TestClock());
      assertUncaught(again.thrown);
      assertEquals(again.result(), runner.result());
    },
  });
});

/** The part of a trace that does not depend on the order of aborts within a turn. */
const gist = ({ lines, counters }: Trace) => ({
  lines: lines.filter((line) => !/^\d+ abort/.test(line)),
  counters,
});

/**
 * Scripts in which the order within one turn is defined. A limit aborts the signal even if
 * a settlement came first, an abort comes before settlements that are not yet delivered,
 * and only plain promises have a known number of microtasks. So promises are plain here,
 * and aborts come first at their instant, or beforehand. A settlement of the same turn is not
 * delivered when progress is reported, so there are no reports.
 */
const inTurn = script.map((each): Script => ({
  ...each,
  policy: { ...each.policy, clock: "after" },
  attempts: each.attempts.map((attempt) => ({ ...attempt, form: "plain", reports: [] })),
  aborts: each.aborts.filter(({ from }) =>
    from === "beforehand" || (typeof from === "object" && "at" in from)
  ).map((abort): AbortScript =>
    abort.from === "beforehand"
      ? abort
      : { ...abort, from: { at: (abort.from as { at: number }).at, armed: "before" } }
  ),
}));

Deno.test("asyncbackoff() does the same as the reference when each instant is a single turn", async () => {
  await assertProperty({
    name: "bursts",
    arbitrary: inTurn,
    runs: 300,
    categories: categories.filter((each) => /^tie of (?!.*report)/.test(each)),
    async holds(script, { count, assertUncaught }) {
      const expected = interpret(script);
      for (const each of expected.seen) count(each);
      if (expected.isOpen || expected.seen.has("tie of three")) return count("left out");
      const runner = await runScript(script, new BurstClock());
      assertUncaught(runner.thrown);
      assertSame(script, runner, gist(runner.result()), gist(expected));
    },
  });
});
