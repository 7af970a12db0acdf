// Simulation: shares and percentiles.

import { assertEquals, assertThrows } from "@std/assert";
import { simulate } from "@asyncbackoff/asyncbackoff/simulate";

/** A simulation whose executions end after 1 ms, 2 ms … , every tenth by an error. */
function hundred() {
  return simulate({ exceptions: [], maxTries: 1 }, {
    clients: 100,
    service: async ({ client, clock }) => {
      await clock.sleep(client + 1);
      if (client % 10 === 9) throw new Error("down");
    },
  });
}

Deno.test("Simulation.percentile() is the time that so many executions do not exceed", async () => {
  const result = await hundred();
  const shares = [0, 0.001, 0.01, 0.07, 0.5, 0.995, 1];
  assertEquals(shares.map((share) => result.percentile(share)), [1, 1, 1, 7, 50, 100, 100]);
});

Deno.test("Simulation.answeredWithin() is the share of values in time", async () => {
  const result = await hundred();
  const times = [0, 1, 9.5, 10, 11, 100, Infinity];
  assertEquals(times.map((ms) => result.answeredWithin(ms)), [
    ...[0, 0.01, 0.09, 0.09, 0.1, 0.9, 0.9],
  ]);
});

Deno.test("Simulation is empty when nothing begins", async () => {
  const result = await simulate({}, { rate: 0.001, end: 1 });
  assertEquals(result.executions, []);
  assertEquals([result.percentile(0.5), result.answeredWithin(1)], [0, 1]);
  assertEquals([result.loadFactor, result.attempts, result.load], [0, 0, []]);
});

Deno.test("Simulation refuses a wrong share or time", async () => {
  const result = await hundred();
  assertThrows(
    () => result.percentile(99),
    RangeError,
    "Cannot find a percentile: 'share' must be a number from 0 to 1, got 99",
  );
  assertThrows(
    () => result.answeredWithin(NaN),
    RangeError,
    "Cannot count answers: 'ms' must be a finite number of milliseconds >= 0, got NaN",
  );
});
