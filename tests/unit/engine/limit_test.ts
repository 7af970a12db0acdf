// The limits of an execution: their order and their names.

import { assertEquals } from "@std/assert";
import { LIMIT_NAMES, LIMITS } from "../../../src/engine/limit.ts";

Deno.test("LIMITS has every limit, in the order in which they win at one instant", () => {
  assertEquals(LIMITS, ["deadline", "attempt", "idle"]);
});

Deno.test("LIMIT_NAMES has the name of each limit in messages", () => {
  assertEquals(LIMIT_NAMES, {
    deadline: "deadline",
    attempt: "attempt timeout",
    idle: "idle timeout",
  });
});
