// Calls by fetch through a proxy that breaks them, to a server that is killed and started
// again. Each call ends within its deadline, each success has the right body, no request
// begins after its call has ended, and no timer or listener is left at the end.

import { strictEqual as assertEquals } from "node:assert";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import {
  type Attempt,
  Backoff,
  exponential,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { listenersLeft, timersLeft } from "../../support/leftovers.ts";
import { seeded } from "../../support/chance.ts";
import { Tally } from "../../support/tally.ts";
import { Total } from "../../support/total.ts";
import { bodyOf, checksum } from "./body.ts";
import { Heartbeat } from "./heartbeat.ts";
import { MortalServer } from "./mortal_server.ts";
import { Proxy } from "./proxy.ts";

const AT_ONCE = 300;
const DEADLINE = 1500;
/** A call that is late by more beats of the event loop is not late because of the loop. */
const MAX_BEATS = 4;

const [seed = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const random = seeded(seed);
const ends = new Tally();
const failures = new Tally();
const answered = new Set<number>();
/**
 * Requests that fetch sends after they were aborted. They belong to attempts that have
 * ended.
 */
let sentAfterAbort = 0;
let attempts = 0;
let latest = { beats: 0, ms: 0 };

const server = new MortalServer(process.argv[4] ?? "");
await server.start();
const proxy = new Proxy(seed, server.port, (page) => {
  if (answered.has(page)) sentAfterAbort += 1;
});
await proxy.open();
const heartbeat = new Heartbeat();

const TIRED = new Error("aborted by the caller");
const shared = new AbortController();
const rules = {
  attemptTimeout: 300,
  maxTries: 10,
  exceptions: "all",
  pause: exponential({ initial: 20, max: 400, random }),
  signal: shared.signal,
} as const;
const strict = new Backoff({ ...rules, deadline: DEADLINE });
/** Its callers abort long before the deadline. */
const patient = new Backoff({ ...rules, deadline: 60_000 });

/**
 * Thrown for a truncated body that ends with its connection: Node accepts it as complete.
 */
class BrokenBodyError extends Error {}

/** One attempt. */
async function get(page: number, { signal, lastFailure }: Attempt): Promise<Uint8Array> {
  attempts += 1;
  if (lastFailure !== null) failures.add(kindOf(lastFailure.error));
  assertEquals(answered.has(page), false, "a request begins after its call has ended");
  const response = await fetch(`http://127.0.0.1:${proxy.port}/${page}`, { signal });
  const body = new Uint8Array(await response.arrayBuffer());
  if (checksum(body) === response.headers.get("x-checksum")) return body;
  throw new BrokenBodyError("truncated bodies that fetch accepted");
}

/** Makes a call. One caller in ten aborts it; the others wait for the deadline. */
function ask(page: number): { result: Promise<Uint8Array>; endsAt: () => number } {
  const beganAt = performance.now();
  const task = (attempt: Attempt) => get(page, attempt);
  if (random() < 0.9) {
    return { result: strict.execute(task), endsAt: () => beganAt + DEADLINE };
  }
  const controller = new AbortController();
  let abortedAt = Infinity;
  const timer = setTimeout(() => {
    abortedAt = performance.now();
    controller.abort(TIRED);
  }, 50 + random() * 500);
  const result = patient.execute(task, { signal: controller.signal })
    .finally(() => clearTimeout(timer));
  return { result, endsAt: () => abortedAt };
}

async function call(page: number): Promise<void> {
  const { result, endsAt } = ask(page);
  const answer = await result.catch((error) => ({ error }));
  answered.add(page);
  const ms = performance.now() - endsAt();
  const beats = ms > 0 ? heartbeat.since(endsAt()) : 0;
  latest = { beats: Math.max(latest.beats, beats), ms: Math.max(latest.ms, ms) };
  assertEquals(beats <= MAX_BEATS, true, `a call is late by ${ms} ms, ${beats} beats`);
  if ("error" in answer) return ends.add(kindOf(answer.error));
  assertEquals(
    checksum(answer),
    checksum(bodyOf(page)),
    `the body of page ${page} is wrong`,
  );
  ends.add("successes");
}

/** A name for an error: the code of the platform, or the message. */
function kindOf(error: unknown): string {
  if (error instanceof TimeoutError) return `${error.limit} timeouts`;
  const { code, cause, message } = error as Error & { code?: string };
  return (cause as { code?: string } | undefined)?.code ?? code ?? message;
}

/** Waits until no request is in flight. Aborted requests may close a little later. */
async function untilQuiet(): Promise<number> {
  const from = performance.now();
  while (proxy.busy > 0 && heartbeat.since(from) < 400) await wait(5);
  assertEquals(proxy.busy, 0, "a request is in flight though all calls have ended");
  return performance.now() - from;
}

async function checkNothingIsLeft(): Promise<void> {
  await wait(0); // a cleared timer is released in the next turn
  assertEquals(await timersLeft(), 0, "timers are left");
  assertEquals(listenersLeft(shared.signal), 0, "listeners are left");
}

/** Compares the statistics of the library with the counts of this script. */
function checkCounts(): void {
  const both = new Total(strict, patient);
  assertEquals(both.of("attempts"), attempts);
  assertEquals(both.of("done"), attempts);
  assertEquals(both.ends(), count);
  assertEquals(both.ends("success"), ends.of("successes"));
  assertEquals(both.ends("aborted"), ends.of(TIRED.message));
}

const calm = new AbortController();
const faults = [server.die(random, calm.signal), proxy.refuse(random, calm.signal)];
const beganAt = performance.now();
let page = 0;
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  while (page < count) await call(page++);
}));
const took = performance.now() - beganAt;
calm.abort();
await Promise.all(faults);
const quietAfter = await untilQuiet();
heartbeat.stop();
proxy.close();
await checkNothingIsLeft();
checkCounts();

console.log(
  `  ${count} calls, ${AT_ONCE} at once, in ${(took / 1000).toFixed(1)} s
    faults: ${proxy.counts}; the server was killed ${server.kills} times
    attempts: ${attempts}, of them ${attempts - count} retries, after ${failures}
    ends: ${ends}
    late by at most ${
    latest.ms.toFixed(1)
  } ms and ${latest.beats} beats of the event loop, which itself ` +
    `was late by at most ${heartbeat.worst.toFixed(1)} ms
    no timer or listener left at the end, and no request ${
      quietAfter.toFixed(1)
    } ms after ` +
    `the last call; fetch sent ${sentAfterAbort} requests after they were aborted`,
);
