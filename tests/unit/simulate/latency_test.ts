// lognormal(): its quantiles, and what it refuses.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { lognormal, type LognormalOptions } from "@asyncbackoff/asyncbackoff/simulate";
import { seeded } from "../../support/chance.ts";

Deno.test("lognormal() draws latencies with the given quantiles", () => {
  const random = seeded(3);
  const latency = lognormal({ median: 50, p99: 900 });
  const draws = Array.from({ length: 40_000 }, () => latency(random))
    .sort((one, other) => one - other);
  assertAlmostEquals(draws[20_000] ?? 0, 50, 2);
  assertAlmostEquals(draws[39_600] ?? 0, 900, 90);
  // A quantile in between: the one of the standard normal distribution at 0.9 is 1.2816.
  assertAlmostEquals(draws[36_000] ?? 0, 50 * 18 ** (1.2816 / 2.3263), 15);
});

Deno.test("lognormal() draws its median alone when p99 is the same", () => {
  assertEquals(lognormal({ median: 50, p99: 50 })(() => 0.3), 50);
});

const wrong: [options: unknown, message: string][] = [
  [
    { p99: 1 },
    "option 'median' must be a finite number of milliseconds > 0, got undefined",
  ],
  [
    { median: 0, p99: 1 },
    "option 'median' must be a finite number of milliseconds > 0, got 0",
  ],
  [
    { median: Infinity, p99: 1 },
    "option 'median' must be a finite number of milliseconds > 0",
  ],
  [{ median: 5, p99: 4 }, "option 'p99' must be a finite number >= 5, got 4"],
  [{ median: 5, p95: 6 }, "unknown option 'p95', did you mean 'p99'?"],
];

Deno.test("lognormal() throws when an option is wrong", () => {
  for (const [options, message] of wrong) {
    assertThrows(
      () => lognormal(options as LognormalOptions),
      Error,
      `Cannot make a latency: ${message}`,
    );
  }
});
