// A program that retries with something of each entry point, and prints what it saw as a line
// of JSON. It is bundled as it is, and with `require` in place of each import.

import { asyncretry, Backoff, exponential, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
import { retryAfter } from "@asyncbackoff/asyncbackoff/http";
import { exponential as ofPauses, preview } from "@asyncbackoff/asyncbackoff/pauses";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";

const pause = exponential({ initial: 100, max: 1000, jitter: "none" });
const clock = new TestClock();
const timeline = new Timeline();
const backoff = new Backoff({
  attemptTimeout: 50,
  pause,
  exceptions: [RangeError],
  budget: new RetryBudget(),
  observe: timeline.observe,
  clock,
});

const failures = [];

/** Fails, hangs until it is timed out, and succeeds. Pauses 100 ms and 200 ms on the clock. */
const onTestClock = clock.run(backoff.execute(({ number, lastFailure }) => {
  if (lastFailure !== null) failures.push(lastFailure.error);
  if (number === 1) throw new RangeError("not yet");
  return number === 2 ? new Promise(() => {}) : "up";
}));

let calls = 0;

/** Fails twice, and returns the number of calls. */
const onSystemClock = asyncretry(3)(async () => {
  calls += 1;
  if (calls < 3) throw new Error("down");
  return await Promise.resolve(calls);
})();

Promise.all([onTestClock, onSystemClock]).then(([value, calls]) =>
  console.log(JSON.stringify({
    value,
    elapsed: clock.now(),
    heads: failures.map((error) => error.stack.split("\n")[0]),
    isTimeoutError: failures.map((error) => error instanceof TimeoutError),
    lines: timeline.toString({ columns: 40 }).split("\n").length,
    calls,
    previewed: preview(pause, 3).sum.mean,
    retryAfter: retryAfter("120"),
    isOneCore: ofPauses === exponential,
  }))
);
