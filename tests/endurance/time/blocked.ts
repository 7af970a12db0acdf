// Blocks the event loop for 200 ms while executions reach their limits. They time out late,
// but once, and a value that arrived meanwhile is kept, even if the limit has passed.

import { strictEqual as assertEquals } from "node:assert";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { Backoff, sleep, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { seeded } from "../../support/chance.ts";
import { between, lateness, spread } from "./lateness.ts";

const BLOCKED = 200;
const [seed = 0, count = 0] = process.argv.slice(2).map(Number);
const random = seeded(seed);

/** An execution whose value arrives when `arrive` is called. */
class Call {
  readonly ms = between(random, 5, 500);
  readonly #value = { of: this };
  readonly #events = { attempt: 0, failure: 0, done: 0, late: 0 };
  readonly #backoff = new Backoff({
    ...random() < 0.5 ? { attemptTimeout: this.ms } : { deadline: this.ms },
    maxTries: 1,
    observe: ({ type }) => this.#events[type] += 1,
  });
  #resolve: (value: unknown) => void = () => {};
  readonly #arrival = new Promise((resolve) => this.#resolve = resolve);
  #answer: unknown = undefined;
  /** The time by which it timed out late, in ms. */
  late = 0;

  async run(): Promise<void> {
    const beganAt = performance.now();
    this.#answer = await this.#backoff.execute(() => this.#arrival).catch((error) => error);
    if (this.#answer !== this.#value) this.late = lateness(beganAt, this.ms);
  }

  get isPending(): boolean {
    return this.#answer === undefined;
  }

  arrive(): void {
    this.#resolve(this.#value);
  }

  check(isKept: boolean): void {
    assertEquals(this.#answer === this.#value, isKept, `a limit of ${this.ms} ms`);
    assertEquals(this.#answer instanceof TimeoutError, !isKept);
    const { attempt, done, late } = this.#events;
    assertEquals(`${attempt} ${done} ${late}`, isKept ? "1 1 0" : "1 1 1");
  }
}

/** Keeps the event loop busy. The values arrive meanwhile. */
function block(calls: ReadonlySet<Call>): void {
  const from = performance.now();
  let arrived = 0;
  for (const call of calls) {
    while (performance.now() < from + BLOCKED * arrived / calls.size);
    call.arrive();
    arrived += 1;
  }
}

const calls = Array.from({ length: count }, () => new Call());
const runs = calls.map((call) => call.run());
await sleep(100);
await setImmediate(); // executions that timed out in this turn have settled by then
const pending = calls.filter((call) => call.isPending);
const kept = new Set(pending.filter(() => random() < 0.5));
block(kept);

const timedOut = calls.filter((call) => !kept.has(call));
await sleep(600);
while (timedOut.some((call) => call.isPending)) await sleep(100); // if the machine is busy
for (const call of timedOut) call.arrive();
await Promise.all(runs);
await sleep(1); // late events follow
for (const call of calls) call.check(kept.has(call));

const past = [...kept].filter(({ ms }) => ms < 100 + BLOCKED).length;
console.log(
  `  the loop blocked for ${BLOCKED} ms: ${kept.size} values kept, ${past} of them with ` +
    `limits that passed meanwhile;\n    ${timedOut.length} timed out, late by ` +
    spread(timedOut.map(({ late }) => late)),
);
