// The recorded runs of the original, on three clocks.

import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { FakeTime } from "@std/testing/time";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { type Observed, play, readRuns, type World } from "./recorded_run.ts";

const file = new URL("./aiomisc.jsonl", import.meta.url);
const runs = readRuns(await Deno.readTextFile(file));

Deno.test("asyncbackoff() and asyncretry() behave as recorded on TestClock", async () => {
  assertEquals(runs.length, 1500);
  for (const run of runs) {
    const clock = new TestClock();
    const world = {
      clock,
      now: () => clock.now(),
      after: (ms: number, wake: () => void) => clock.after(ms, wake),
    };
    assertEquals(await clock.run(play(run, world)), run.expect, `run ${run.id}`);
    clock.close();
  }
});

/** Replays all runs at once, in one faked time. They do not affect each other. */
async function playAllInFakeTime(worldOf: (now: () => number) => World) {
  const time = new FakeTime(0);
  try {
    const world = worldOf(() => time.now);
    const observed: Observed[] = [];
    for (const [index, run] of runs.entries()) {
      play(run, world).then((each) => observed[index] = each);
    }
    await time.runMicrotasks();
    while (time.now < 5000 && time.next()) await time.runMicrotasks();
    return observed;
  } finally {
    time.restore();
  }
}

function assertAllAsRecorded(observed: Observed[]): void {
  for (const [index, run] of runs.entries()) {
    assertEquals(observed[index], run.expect, `run ${run.id}`);
  }
}

Deno.test("asyncbackoff() and asyncretry() behave as recorded on FakeTime with the default clock", async () => {
  assertAllAsRecorded(
    await playAllInFakeTime((now) => ({
      now,
      after: (ms, wake) => {
        const timer = setTimeout(wake, ms);
        return () => clearTimeout(timer);
      },
    })),
  );
});

Deno.test("asyncbackoff() and asyncretry() behave as recorded on FakeTime with delay() as the sleep", async () => {
  assertAllAsRecorded(
    await playAllInFakeTime((now) => ({
      clock: { now, sleep: delay },
      now,
      after: (ms, wake) => {
        const controller = new AbortController();
        delay(ms, { signal: controller.signal }).then(wake, () => {});
        return () => controller.abort();
      },
    })),
  );
});
