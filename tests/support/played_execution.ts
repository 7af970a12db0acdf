// An execution that is played on a test clock: its calls, its events and its end.

import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type ExecuteOptions,
  type Reason,
  type Statistic,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Everything that can be observed of an execution. */
export interface Played {
  readonly value: unknown;
  /** The error; `null` if there is a value. */
  readonly error: unknown;
  /** The instants at which the function was called. */
  readonly starts: readonly number[];
  readonly endedAt: number;
  readonly reason: Reason | null;
  readonly events: readonly BackoffEvent[];
  readonly statistic: Statistic;
}

/** Milliseconds after the end, for attempts that were abandoned. */
const LONG = 10_000;

/**
 * Plays an execution that begins at 0.
 *
 * @param options The policy. An observer of its own is added unless it has one.
 * @param fn The function.
 * @param call The options of the execution.
 */
export async function playExecution(
  options: BackoffOptions,
  fn: (attempt: Attempt, clock: TestClock) => unknown,
  call: ExecuteOptions = {},
): Promise<Played> {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const starts: number[] = [];
  const observe = (event: BackoffEvent) => void events.push(event);
  const backoff = new Backoff({ observe, ...options, clock });
  const execution = backoff.execute((attempt) => {
    starts.push(clock.now());
    return fn(attempt, clock);
  }, call);
  const [outcome] = await clock.run(Promise.allSettled([execution]));
  const endedAt = clock.now();
  await clock.advance(LONG);
  clock.close(); // throws if a timer is left
  const done = events.find((event) => event.type === "done");
  return {
    value: outcome.status === "fulfilled" ? outcome.value : undefined,
    error: outcome.status === "rejected" ? outcome.reason : null,
    starts,
    endedAt,
    reason: done?.type === "done" ? done.reason : null,
    events,
    statistic: backoff.statistic,
  };
}
