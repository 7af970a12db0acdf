// seeded(): the numbers of the published generator.

import { assertEquals } from "@std/assert";
import { seeded } from "../../../src/testing/seeded.ts";
import { seeded as expected } from "../../support/chance.ts";

Deno.test("seeded() draws the same numbers as the generator of the tests", () => {
  for (const seed of [0, 1, 2, -1, 2 ** 32 + 5]) {
    const [ours, theirs] = [seeded(seed), expected(seed)];
    for (let count = 0; count < 100; count++) assertEquals(ours(), theirs());
  }
  assertEquals(seeded(1)(), 0.6270739405881613);
});
