/**
 * A clock for tests: time moves only when the test moves it, timer by timer.
 *
 * @example Testing a function that retries
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new TestClock();
 * const backoff = new Backoff({ pause: 60_000, exceptions: [Error], clock });
 * let calls = 0;
 * const value = await clock.run(backoff.execute(() => {
 *   calls += 1;
 *   if (calls < 3) throw new Error("not yet");
 *   return "ready";
 * }));
 *
 * assertEquals(value, "ready");
 * assertEquals(clock.now(), 120_000); // two pauses of a minute, in no time
 * clock.close();
 * ```
 *
 * @module
 */

export { type Fault, type FaultOptions, type Faults, faults } from "./faults.ts";
export { type Disposing, TestClock } from "./test_clock.ts";
export {
  type WithoutWaits,
  withoutWaits,
  type WithoutWaitsOptions,
} from "./without_waits.ts";
