// Many executions at once that never end by themselves, each with a limit of its own. Each
// times out once, and never early.
//
// Arguments: the seed; the number of executions; how many begin in one turn of the event
// loop (if all do, the loop is busy meanwhile, and the limits are late); optionally a file
// from which libfaketime reads the offset of the wall clock, which then jumps by a day and
// back.

import { strictEqual as assertEquals } from "node:assert";
import { writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { Backoff, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { seeded } from "../../support/chance.ts";
import { between, lateness, spread } from "./lateness.ts";

const [seed = 0, count = 0, perTurn = count] = process.argv.slice(2, 5).map(Number);
const wallClockFile = process.argv[5];
const random = seeded(seed);

/** An execution that reaches its limit. Its events and counters must report that once. */
class TimedOut {
  readonly #limit = random() < 0.5 ? "attempt" : "deadline";
  readonly #ms = between(random, 5, 500);
  readonly #backoff = new Backoff({
    ...this.#limit === "attempt" ? { attemptTimeout: this.#ms } : { deadline: this.#ms },
    maxTries: 1,
    observe: ({ type }) => this.#dones += type === "done" ? 1 : 0,
  });
  #dones = 0;
  #aborts = 0;

  async run(): Promise<number> {
    const beganAt = performance.now();
    const error: unknown = await this.#backoff.execute(({ signal }) => {
      signal.addEventListener("abort", () => this.#aborts++);
      return new Promise(() => {});
    }).catch((error) => error);
    const late = lateness(beganAt, this.#ms);
    if (!(error instanceof TimeoutError)) throw error;
    assertEquals(error.limit, this.#limit);
    assertEquals(error.ms, this.#ms);
    return late;
  }

  check(): void {
    assertEquals(this.#dones, 1);
    assertEquals(this.#aborts, 1);
    const { attempts, done, sumTime } = this.#backoff.statistic;
    assertEquals(`${attempts} ${done}`, "1 1");
    // Generous, because the machine may be busy. A reading of the wall clock is wrong by a
    // day.
    assertEquals(sumTime >= this.#ms - 1e-6 && sumTime < this.#ms + 600_000, true);
  }
}

const HOUR = 3_600_000;

/**
 * Makes the wall clock jump to tomorrow, to yesterday and back.
 *
 * @returns A function that ends this, and returns the number of jumps that this process saw.
 */
function jumping(path: string): () => number {
  const timer = setInterval(jump, 20);
  let jumps = 0;
  let written = 0;
  let before = Date.now() - performance.now();
  function jump() {
    const now = Date.now() - performance.now();
    if (Math.abs(now - before) > HOUR) jumps += 1;
    before = now;
    writeFileSync(path, ["+1d", "-1d", "+0"][written++ % 3] ?? "");
  }
  return () => {
    clearInterval(timer);
    return jumps;
  };
}

const stop = wallClockFile === undefined ? null : jumping(wallClockFile);
const executions = Array.from({ length: count }, () => new TimedOut());
const late: Promise<number>[] = [];
const beganAt = performance.now();
for (const execution of executions) {
  late.push(execution.run());
  if (late.length % perTurn === 0) await setImmediate();
}
const took = performance.now() - beganAt;
const words = spread(await Promise.all(late));
for (const execution of executions) execution.check();
console.log(
  `  ${count} limits at once, ${perTurn} begun per turn, in ${took.toFixed()} ms: ` +
    `late by ${words}`,
);
if (stop !== null) {
  const jumps = stop();
  console.log(
    jumps > 0
      ? `    meanwhile the wall clock jumped by a day ${jumps} times`
      : "    SKIPPED: the wall clock could not be made to jump in this runtime",
  );
}
