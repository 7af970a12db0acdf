// Checks for programs in which other packages have replaced the timers or the promises.

const { deepStrictEqual, ok, rejects, strictEqual } = require("node:assert");
const process = require("node:process");
const { fast, limits, makeUnreliable } = require("./unreliable.js");

const never = () => new Promise(() => {});

/** Counts the timers of the platform that are set, those of other packages included. */
const countTimers = () =>
  process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

/**
 * Adds the checks.
 *
 * @param add Adds a check.
 */
function addChecks(add) {
  const { asyncretry, Backoff, sleep, systemClock, TimeoutError } = require(
    "@asyncbackoff/asyncbackoff",
  );
  const { TestClock } = require("@asyncbackoff/asyncbackoff/testing");

  add("retries on the real clock", async () => {
    const { load } = makeUnreliable();
    const backoff = new Backoff(fast);
    strictEqual(await backoff.execute(load), "loaded");
    deepStrictEqual([backoff.statistic.attempts, backoff.statistic.timeouts], [3, 1]);
  });

  add("a wrapped function retries", async () => {
    let calls = 0;
    const double = asyncretry(3)((value) =>
      ++calls < 3 ? Promise.reject(new RangeError("busy")) : Promise.resolve(value * 2)
    );
    strictEqual(await double(7), 14);
  });

  add("rejects at the deadline, and when it is aborted", async () => {
    await rejects(new Backoff({ deadline: 20 }).execute(never), TimeoutError);
    const controller = new AbortController();
    const result = new Backoff().execute(never, { signal: controller.signal });
    setTimeout(() => controller.abort(new RangeError("enough")), 5);
    await rejects(result, RangeError);
  });

  add("retries on a TestClock", async () => {
    const clock = new TestClock();
    const { calls, load } = makeUnreliable(() => clock.now());
    strictEqual(await clock.run(new Backoff({ ...limits, clock }).execute(load)), "loaded");
    deepStrictEqual(calls, [0, 1500, 2000]);
  });

  add("a sleep never ends early", async () => {
    const early = [];
    for (let round = 0; round < 40; round++) {
      await Promise.all([1, 2, 3, 5, 8].map(async (ms) => {
        const [startedAt, realStart] = [systemClock.now(), performance.now()];
        await sleep(ms);
        const slept = [systemClock.now() - startedAt, performance.now() - realStart];
        if (Math.min(...slept) < ms - 1e-6) early.push([ms, ...slept]);
      }));
    }
    deepStrictEqual(early, []);
  });

  add("1,000 calls with limits share timers of the platform", async () => {
    const backoff = new Backoff({ attemptTimeout: 60_000, deadline: 60_000 });
    const before = countTimers();
    const results = Array.from(
      { length: 1000 },
      () => backoff.execute(async () => await 1),
    );
    const during = countTimers();
    await Promise.all(results);
    ok(during - before < 10, `${during - before} timers`);
  });
}

module.exports = { addChecks };
