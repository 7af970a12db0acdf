// The library does what an independent reading of the rules does, in whatever script.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { script } from "./arbitrary.ts";
import { assertAsExpected, assertSame, play } from "./assert_script.ts";
import { BurstClock } from "./burst_clock.ts";
import { categories } from "./categories.ts";
import { interpret } from "./reference.ts";
import { assertProperty } from "./runs.ts";
import type { AbortScript, Script, Trace } from "./script.ts";

Deno.test("asyncbackoff() does what the reference does in any script, and again", async () => {
  await assertProperty({
    name: "model",
    arbitrary: script,
    runs: 1000,
    categories,
    async holds(script, { count, assertUncaught }) {
      const expected = interpret(script);
      const { entry, clock, observer } = script.policy;
      for (const each of expected.seen) count(each);
      for (const each of [entry, `clock: ${clock}`, `observer: ${observer}`]) count(each);
      if (expected.isOpen) return count("left out: the rules leave the order open");
      const player = await play(script, new TestClock());
      assertUncaught(player.thrown);
      assertAsExpected(script, player, expected);
      const again = await play(script, new TestClock());
      assertUncaught(again.thrown);
      assertEquals(again.result(), player.result());
    },
  });
});

/** What a script comes to, and when, but for what its signals are told on the way. */
const gist = ({ lines, statistic }: Trace) => ({
  lines: lines.filter((line) => !/^\d+ cut/.test(line)),
  statistic,
});

/**
 * Within a turn, a limit aborts the signal though a settlement came first, an abort finds what
 * has not been heard yet, and anything but a plain promise takes its own number of microtasks.
 * So here promises are plain, and aborts come first at their instant, or beforehand.
 */
const inTurn = script.map((each): Script => ({
  policy: { ...each.policy, clock: "after" },
  attempts: each.attempts.map((attempt) => ({ ...attempt, form: "plain" })),
  aborts: each.aborts.filter(({ from }) =>
    from === "beforehand" || (typeof from === "object" && "at" in from)
  ).map((abort): AbortScript =>
    abort.from === "beforehand"
      ? abort
      : { ...abort, from: { at: (abort.from as { at: number }).at, armed: "before" } }
  ),
}));

Deno.test("asyncbackoff() comes to what the reference does when an instant is a single turn", async () => {
  await assertProperty({
    name: "bursts",
    arbitrary: inTurn,
    runs: 300,
    categories: categories.filter((each) => each.startsWith("tie of")),
    async holds(script, { count, assertUncaught }) {
      const expected = interpret(script);
      for (const each of expected.seen) count(each);
      if (expected.isOpen || expected.seen.has("tie of three")) return count("left out");
      const player = await play(script, new BurstClock());
      assertUncaught(player.thrown);
      assertSame(script, player, gist(player.result()), gist(expected));
    },
  });
});
