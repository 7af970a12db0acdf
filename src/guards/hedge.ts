/**
 * The decorator that hedges.
 *
 * @module
 */

import { decorator } from "../notation/decorator.ts";
import { Instants, optionsOf } from "./guard.ts";
import {
  type Hedge,
  type HedgeOptions,
  HedgeRules,
  type HedgeState,
  OPTION_NAMES,
} from "./hedge_options.ts";
import { type HedgeCounters, HedgedExecution } from "./hedged_execution.ts";

const USAGE = "hedge(options)";

/**
 * Calls a function again while the first call is still running, and returns the first value. A
 * few more calls thus cut off the longest waits.
 *
 * **Only what may be done twice.** Both calls may have their effect, also the one whose result is
 * not used.
 *
 * Another call is sent after `after` milliseconds without a value, and at once after a failure
 * that `exceptions` lists. Any other failure ends the execution. If all calls fail, it rejects
 * with the last error. A tie goes to the earlier call. The other calls are aborted with a
 * `SupersededError`, and are not awaited. Each call has an attempt of its own, which
 * `currentAttempt()` returns in it.
 *
 * The rules are those of hedging in gRPC:
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 *
 * @param options `after`: the time after which another call is sent. `maxHedges`: default 1.
 * @returns A decorator of functions and methods, with its state.
 * @throws {TypeError} If an option is of the wrong type, missing, or unknown.
 * @throws {RangeError} If an option has a wrong value.
 *
 * @example A second call after 50 ms
 * ```ts
 * import { currentAttempt, sleep } from "@asyncbackoff/asyncbackoff";
 * import { hedge } from "@asyncbackoff/asyncbackoff/guards";
 * import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new TestClock();
 * const load = hedge({ after: 50, clock })(async () => {
 *   const { number, signal } = currentAttempt();
 *   await sleep(number === 1 ? 1000 : 20, { clock, signal });
 *   return `from call ${number}`;
 * });
 *
 * assertEquals(await clock.run(load()), "from call 2");
 * assertEquals(clock.now(), 70);
 * ```
 */
export function hedge(options: HedgeOptions): Hedge;
export function hedge(...args: readonly unknown[]): Hedge {
  const rules = new HedgeRules(optionsOf<HedgeOptions>(USAGE, args, OPTION_NAMES));
  const { after, clock } = rules;
  const instants = new Instants(clock);
  const durations = rules.state?.durations ?? null;
  if (typeof after !== "number" && durations !== null) {
    after.restore(durations, instants.now());
  }
  const counters: HedgeCounters = {
    executions: 0,
    calls: 0,
    hedges: 0,
    wins: 0,
    succeeded: 0,
    failed: 0,
    aborted: 0,
    refused: 0,
    late: 0,
  };
  const state = (): HedgeState =>
    typeof after === "number"
      ? { after: after === Infinity ? null : after, durations: null }
      : { after: after.delayAt(instants.now()), durations: after.toJSON() };
  const wrap = (fn: (...args: never[]) => unknown, name: string) => {
    const { wrapped } = {
      wrapped(this: unknown, ...args: unknown[]): Promise<unknown> {
        return new HedgedExecution(rules, counters, { name, fn, self: this, args }).start();
      },
    };
    return wrapped;
  };
  return decorator(wrap, rules.name, {
    state: { get: state, enumerable: true },
    statistic: { get: () => ({ ...counters }), enumerable: true },
    toJSON: { value: state },
  });
}
