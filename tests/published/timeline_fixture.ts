// Two calls to a service that is busy, then hangs, and finally answers, drawn for the
// README.

import { Backoff, type BackoffEvent, linear, sleep } from "@asyncbackoff/asyncbackoff";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

class Unavailable extends Error {
  override name = "Unavailable";
}

/** The observer of a timeline whose executions are numbered from 1, in every run. */
export function fromOne({ observe }: Timeline): (event: BackoffEvent) => void {
  let first: number | null = null;
  const numberOf = (execution: number) => execution - (first ??= execution) + 1;
  return (event) => {
    const { execution, outer } = event;
    observe({
      ...event,
      execution: numberOf(execution),
      ...(outer && { outer: { ...outer, execution: numberOf(outer.execution) } }),
    });
  };
}

/** Draws their timeline, on a test clock. */
export async function drawTimeline(): Promise<string> {
  const clock = new TestClock();
  const timeline = new Timeline();
  const backoff = new Backoff({
    attemptTimeout: 300,
    deadline: 1200,
    grace: 50,
    pause: linear({ initial: 60, step: 60, jitter: "none" }),
    exceptions: [Unavailable],
    clock,
    observe: fromOne(timeline),
  });
  /** The duration of each attempt. An attempt with a negative duration fails. */
  const call = (...script: number[]) =>
    backoff.execute(async ({ number }) => {
      const ms = script[number - 1] ?? 0;
      await sleep(Math.abs(ms), { clock });
      if (ms < 0) throw new Unavailable("status 503");
    }).catch(() => {});
  const later = sleep(150, { clock }).then(() => call(-40, 600, -150, 700));
  await clock.run(Promise.all([call(-30, -120, 420, 90), later]));
  return timeline.toSVG();
}
