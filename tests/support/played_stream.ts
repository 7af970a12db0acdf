// A stream that is played on a test clock: its items, its calls, its events and its end.

import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Reason,
  sleep,
  type Statistic,
} from "@asyncbackoff/asyncbackoff";
import {
  stream,
  type Streamed,
  type StreamOptions,
} from "@asyncbackoff/asyncbackoff/stream";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Everything that can be observed of a stream. */
export interface PlayedStream {
  /** The items that the consumer received, each with its instant. */
  readonly items: readonly [at: number, item: unknown][];
  /** The error that the consumer received; `null` without one. */
  readonly error: unknown;
  /** The instants at which the function was called. */
  readonly starts: readonly number[];
  /** The instants at which the signal of each attempt was aborted, and the reasons. */
  readonly aborts: readonly [at: number, attempt: number, reason: unknown][];
  /** The instant at which the consumer ended. */
  readonly endedAt: number;
  readonly reason: Reason | null;
  readonly events: readonly BackoffEvent[];
  readonly statistic: Statistic;
}

/** Consumes a stream. */
export type Consumer = (
  items: AsyncGenerator<unknown, void, undefined>,
  receive: (item: unknown) => void,
  clock: TestClock,
) => PromiseLike<unknown>;

/** Milliseconds after the end, for producers that were abandoned. */
const LONG = 10_000;

/** A consumer that holds each item for a while. */
export function holding(...ms: number[]): Consumer {
  return async (items, receive, clock) => {
    let index = 0;
    for await (const item of items) {
      receive(item);
      await sleep(ms[index++] ?? 0, { clock });
    }
  };
}

const greedy: Consumer = async (items, receive) => {
  for await (const item of items) receive(item);
};

/**
 * Plays a stream whose consumer begins at 0.
 *
 * @param options The policy.
 * @param fn The function of the stream.
 * @param consume The consumer. Default: a loop that holds no item.
 * @param call The options of the stream.
 */
export async function playStream(
  options: BackoffOptions,
  fn: (
    attempt: Attempt,
    clock: TestClock,
  ) => Streamed<unknown> | PromiseLike<Streamed<unknown>>,
  consume: Consumer = greedy,
  call: StreamOptions = {},
): Promise<PlayedStream> {
  const clock = new TestClock();
  const events: BackoffEvent[] = [];
  const starts: number[] = [];
  const items: [at: number, item: unknown][] = [];
  const aborts: [at: number, attempt: number, reason: unknown][] = [];
  const observe = (event: BackoffEvent) => void events.push(event);
  const backoff = new Backoff({ observe, ...options, clock });
  const { name } = fn;
  const streamed = stream(
    backoff,
    Object.defineProperty(
      (attempt: Attempt) => {
        starts.push(clock.now());
        const { signal, number } = attempt;
        signal.addEventListener("abort", () => {
          aborts.push([clock.now(), number, signal.reason]);
        });
        return fn(attempt, clock);
      },
      "name",
      { value: name },
    ),
    call,
  );
  const receive = (item: unknown) => void items.push([clock.now(), item]);
  const consumed = (async () => await consume(streamed, receive, clock))();
  const [outcome] = await clock.run(Promise.allSettled([consumed]));
  const endedAt = clock.now();
  await clock.advance(LONG);
  clock.close(); // throws if a timer is left
  const done = events.find((event) => event.type === "done");
  return {
    items,
    error: outcome.status === "rejected" ? outcome.reason : null,
    starts,
    aborts,
    endedAt,
    reason: done?.type === "done" ? done.reason : null,
    events,
    statistic: backoff.statistic,
  };
}
