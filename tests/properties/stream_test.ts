// Random scripts of streams, compared with an independent reading of their rules.

import { assertEquals } from "@std/assert";
import { assertProperty } from "./runs.ts";
import { StreamReference } from "./stream_reference.ts";
import { StreamRunner } from "./stream_runner.ts";
import { streamScript } from "./stream_script.ts";

const categories = [
  "a checkpoint covers an item",
  "a checkpoint in the grace",
  "a new streak",
  "abort while held",
  "abort while pausing",
  "abort while stopping",
  "abort while trying",
  "attempt timeout",
  "consumer stops by break",
  "consumer stops by throw",
  "deadline while held",
  "deadline while pausing",
  "deadline while stopping",
  "deadline while trying",
  "ends by aborted",
  "ends by deadline",
  "ends by maxTries",
  "ends by nonRetryable",
  "ends by success",
  "ends in the grace",
  "hangs for ever",
  "idle timeout",
  "ignores its grace",
  "resumes",
  "return while held",
  "return while pausing",
  "return while stopping",
  "return while trying",
  "tie of a hold and something from outside",
  "tie of attempt timeout and work",
  "tie of idle timeout and work",
];

Deno.test("stream() does the same as the reference in any script", async () => {
  await assertProperty({
    name: "streams",
    arbitrary: streamScript,
    runs: 600,
    categories,
    async holds(script, { count, assertUncaught }) {
      const reference = new StreamReference(script);
      const expected = reference.run();
      for (const each of reference.seen) count(each);
      const actual = await new StreamRunner(script).run();
      assertUncaught([]);
      assertEquals(actual, expected);
    },
  });
});
