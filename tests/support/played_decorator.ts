// A decorator that is played: the instants of the attempts, and the outcome.

import { type AsyncDecorator, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Plays a function that hangs, throws a TypeError, then a RangeError, and so on. */
export function play(wrap: AsyncDecorator, now: () => number) {
  const starts: number[] = [];
  const observed = { starts, outcome: "pending", endedAt: NaN };
  const fn = wrap(() => {
    starts.push(now());
    if (starts.length % 3 === 1) return new Promise<never>(() => {});
    return Promise.reject(starts.length % 3 === 2 ? new TypeError() : new RangeError());
  });
  const end = (outcome: string) => Object.assign(observed, { outcome, endedAt: now() });
  return fn().then(() => end("value"), (error) => {
    const limit = error instanceof TimeoutError ? ` (${error.limit})` : "";
    return end(error.name + limit);
  });
}

/** Plays the same on a test clock, and adds the counters. */
export async function playOnTestClock(make: (clock: TestClock) => AsyncDecorator) {
  const clock = new TestClock();
  const wrap = make(clock);
  const observed = await clock.run(play(wrap, () => clock.now()));
  clock.close();
  return { ...observed, statistic: wrap.statistic.toJSON() };
}
