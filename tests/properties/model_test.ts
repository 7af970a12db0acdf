// The library does what an independent reading of the rules does, in whatever script.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { script } from "./arbitrary.ts";
import { assertAsExpected, play } from "./assert_script.ts";
import { categories } from "./categories.ts";
import { interpret } from "./reference.ts";
import { assertProperty } from "./runs.ts";

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
