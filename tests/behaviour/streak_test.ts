// Streaks: an attempt that was healthy for a while begins a new row of failures.

import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  type BackoffOptions,
  exponential,
  type Failure,
  linear,
  sleep,
} from "@asyncbackoff/asyncbackoff";
import type { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { playExecution } from "../support/played_execution.ts";

const down = new Error("down");

/**
 * Plays attempts that each take a while and then fail. A negative time is that of an attempt
 * that reports nothing; any other reports progress as it begins. After the last, it succeeds.
 */
function play(options: BackoffOptions, times: readonly number[]) {
  const failures: Failure[] = [];
  const fn = async (attempt: Attempt, clock: TestClock) => {
    const ms = times[attempt.number - 1];
    if (ms === undefined) return "done";
    if (ms >= 0) attempt.progress();
    await sleep(Math.abs(ms), { clock });
    throw down;
  };
  const giveup = (_: unknown, failure: Failure) => failures.push(failure) < 0;
  return playExecution({ exceptions: [Error], giveup, ...options }, fn)
    .then((played) => ({ ...played, failures }));
}

const streaksOf = (failures: readonly Failure[]) =>
  failures.map(({ attempt, streak }) => [attempt, streak]);

Deno.test("Failure.streak is the number of the attempt where nothing was reset", async () => {
  for (const options of [{}, { resetAfter: 100 }, { resetAfter: null }]) {
    const { failures } = await play(options, [-50, -500, 50, 99, -1]);
    assertEquals(streaksOf(failures), [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]);
  }
  const never = await play({}, [500, 500]);
  assertEquals(streaksOf(never.failures), [[1, 1], [2, 2]]);
});

Deno.test("resetAfter begins a new streak when an attempt fails so long after its first report", async () => {
  const { failures, statistic, value } = await play(
    { resetAfter: 100 },
    [-10, -10, 100, 10, 99, 500, -500],
  );
  assertEquals(streaksOf(failures), [
    ...[[1, 1], [2, 2], [3, 1], [4, 2], [5, 3]],
    ...[[6, 1], [7, 2]],
  ]);
  assertEquals([statistic.resets, statistic.progress, value], [2, 4, "done"]);
});

Deno.test("resetAfter counts from the first report, and not from the start of the attempt", async () => {
  for (const [reportAt, streak] of [[0, 1], [50, 1], [51, 2]] as const) {
    let seen: Failure | null = null;
    await playExecution(
      { resetAfter: 100, exceptions: [Error], maxTries: 3 },
      async (attempt, clock) => {
        if (attempt.number === 1) throw down;
        if (attempt.number === 3) return void (seen = attempt.lastFailure);
        await sleep(reportAt, { clock });
        attempt.progress();
        await sleep(150 - reportAt - 10, { clock });
        attempt.progress(); // later reports do not count
        await sleep(10, { clock });
        throw down;
      },
    );
    assertEquals((seen as Failure | null)?.streak, streak, `${reportAt}`);
  }
});

Deno.test("maxTries bounds the failures in a row", async () => {
  const options = { resetAfter: 100, maxTries: 3 };
  const { failures, reason, error, statistic } = await play(
    options,
    [-1, -1, 100, -1, 100, -1, -1, -1],
  );
  // giveup is not asked about the last one
  assertEquals(streaksOf(failures), [[1, 1], [2, 2], [3, 1], [4, 2], [5, 1], [6, 2]]);
  assertEquals([reason, statistic.attempts], ["maxTries", 7]);
  assertStrictEquals(error, down);
});

Deno.test("maxTries: 1 ends at the first failure, however healthy the attempt was", async () => {
  const { reason, statistic } = await play({ resetAfter: 0, maxTries: 1 }, [500]);
  assertEquals([reason, statistic.attempts, statistic.resets], ["maxTries", 1, 0]);
});

Deno.test("Attempt.triesLeft goes by the failures in a row", async () => {
  const left: number[] = [];
  await playExecution(
    { resetAfter: 100, maxTries: 3, exceptions: [Error] },
    async (attempt, clock) => {
      left.push(attempt.triesLeft);
      if (attempt.number === 2) {
        attempt.progress();
        await sleep(100, { clock });
      }
      throw down;
    },
  );
  assertEquals(left, [2, 1, 1, 0]);
});

Deno.test("growing pauses and lists go by the failures in a row, and begin anew with them", async () => {
  const rows: [pause: BackoffOptions["pause"], pauses: (number | null)[]][] = [
    [[10, 20, 50], [10, 20, 10, 20, 50]],
    [exponential({ initial: 10, jitter: "none" }), [10, 20, 10, 20, 40]],
    [linear({ initial: 10, step: 5, jitter: "none" }), [10, 15, 10, 15, 20]],
    [7, [7, 7, 7, 7, 7]],
    [({ streak, attempt }) => 100 * streak + attempt, [101, 202, 103, 204, 305]],
  ];
  for (const [pause, expected] of rows) {
    const { events } = await play({ resetAfter: 100, pause }, [-1, -1, 100, -1, -1]);
    const pauses = events.map((event) => event.type === "failure" ? event.pauseAfter : []);
    assertEquals(pauses.flat(), expected);
  }
});

Deno.test("Failure.pauseBefore is 0 for the first failure of a streak", async () => {
  const { failures } = await play({ resetAfter: 100, pause: 30 }, [-1, -1, 100, -1]);
  assertEquals(failures.map(({ pauseBefore }) => pauseBefore), [0, 30, 0, 30]);
});

Deno.test("resetAfter counts timeouts, too, and the grace in which an attempt winds down", async () => {
  const run = (grace: number) =>
    playExecution(
      { resetAfter: 100, attemptTimeout: 80, grace, maxTries: 2, exceptions: [] },
      async (attempt) => {
        if (attempt.number === 1) throw new DOMException("slow", "TimeoutError");
        if (attempt.number === 2) attempt.progress();
        await new Promise(() => {});
      },
    );
  assertEquals((await run(19)).statistic.attempts, 2);
  assertEquals((await run(20)).statistic.attempts, 3);
});

Deno.test("resetAfter leaves the attempt's number, lastFailure and checkpoint unchanged", async () => {
  const seen: unknown[] = [];
  await playExecution({ resetAfter: 0, exceptions: [Error] }, (attempt) => {
    seen.push([attempt.number, attempt.lastFailure?.streak, attempt.checkpoint]);
    if (attempt.number === 4) return;
    attempt.progress(`from ${attempt.number}`);
    throw down;
  });
  assertEquals(seen, [
    [1, undefined, undefined],
    [2, 1, "from 1"],
    [3, 1, "from 2"],
    [4, 1, "from 3"],
  ]);
});
