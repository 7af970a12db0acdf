// A queue whose jobs are tried again by the rules of a Backoff: BullMQ keeps the jobs through
// crashes and restarts, and asks our pause when the next try of one is due.
// deno run -A examples/bullmq.ts

import {
  type BackoffOptions,
  exponential,
  type Failure,
  type GrowingPause,
} from "@asyncbackoff/asyncbackoff";
import { type BackoffStrategy, type Job, Queue, Worker } from "npm:bullmq@^6";
import { Redis } from "npm:ioredis@^5";

/** What of a policy a queue can keep. It asks `giveup` alone which errors are for good. */
interface JobRules extends BackoffOptions {
  maxTries: number;
  deadline: number;
  pause: GrowingPause;
  giveup: (error: unknown, failure: Failure) => boolean;
}

/**
 * The same rules for BullMQ: the options of its jobs, and the strategy of its workers. The
 * deadline counts from when the job was added; a try that would begin after it is not made.
 * `failure.pause` is 0, as the queue keeps no pauses: it cannot be `decorrelated`.
 */
function forQueue({ maxTries, deadline, pause, giveup }: JobRules) {
  const FAILED = -1;
  const backoffStrategy: BackoffStrategy = (tries, _type, error, job) => {
    const elapsed = Date.now() - (job?.timestamp ?? Date.now());
    const remaining = Math.max(0, deadline - elapsed);
    const failure: Failure = { error, tries, elapsed, remaining, pause: 0 };
    if (giveup(error, failure)) return FAILED;
    const ms = Math.ceil(pause(failure));
    return ms < remaining ? ms : FAILED;
  };
  return { job: { attempts: maxTries, backoff: { type: "custom" } }, backoffStrategy };
}

/** An error for good. Its name tells it, as a queue may know it by that alone. */
class NoSuchAddress extends Error {
  override name = "NoSuchAddress";
}

const rules: JobRules = {
  maxTries: 4,
  deadline: 3_600_000,
  pause: exponential({ initial: 50, max: 60_000, jitter: "equal" }),
  exceptions: [Error],
  giveup: (error) => (error as Error).name === "NoSuchAddress",
};

// What must hold: that jobs end as in a process, with a Redis server that is still starting.

import { Backoff } from "@asyncbackoff/asyncbackoff";
import { preview } from "@asyncbackoff/asyncbackoff/pauses";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import assert from "node:assert/strict";
import { makeRedis } from "./servers/redis.ts";

/** Sends mail to addresses that say how often it fails first, and notes the instants. */
class Post {
  readonly tries: Record<string, number[]> = {};

  send(to: string): string {
    const instants = this.tries[to] ??= [];
    const count = instants.push(performance.now());
    if (to === "nobody") throw new NoSuchAddress("there is no such address");
    if (count <= Number(to)) throw new Error(`${to} is busy`);
    return `sent to ${to}`;
  }
}

const addresses = ["0", "2", "9", "nobody"];

/** How each ends in a process, on a clock for tests. */
async function inProcess(post: Post): Promise<Record<string, string>> {
  const clock = new TestClock();
  const backoff = new Backoff({ ...rules, clock });
  const ends: Record<string, string> = {};
  for (const to of addresses) {
    const sent = backoff.execute(() => post.send(to));
    ends[to] = await clock.run(sent.catch(({ message }) => message));
  }
  return ends;
}

/** How each ends in a queue. */
async function inQueue(post: Post, path: string): Promise<Record<string, string>> {
  // The connection too is tried again by these pauses.
  const retryStrategy = (tries: number) => Math.ceil(rules.pause({ tries, pause: 0 }));
  const connection = new Redis({ path, maxRetriesPerRequest: null, retryStrategy });
  const { job, backoffStrategy } = forQueue(rules);
  const queue = new Queue("mail", { connection, defaultJobOptions: job });
  const settings = { backoffStrategy };
  const send = ({ data }: Job) => Promise.resolve(data.to).then((to) => post.send(to));
  const worker = new Worker("mail", send, { connection, settings });
  // Told each time the connection fails, and ending the process if nobody listens.
  connection.on("error", () => {});
  queue.on("error", () => {});
  worker.on("error", () => {});

  const ends: Record<string, string> = {};
  const isOver = new Promise<void>((resolve) => {
    const end = ({ data }: Job, how: string) => {
      ends[data.to] = how;
      if (Object.keys(ends).length === addresses.length) resolve();
    };
    worker.on("completed", (job, value) => end(job, value));
    worker.on("failed", (job, { message }) => job?.finishedOn && end(job, message));
  });
  await queue.addBulk(addresses.map((to) => ({ name: "send", data: { to } })));
  await isOver;
  await worker.close();
  await queue.close();
  await connection.quit();
  return ends;
}

await using server = await makeRedis();
server.start();
const [here, there] = [new Post(), new Post()];
const ends = await inQueue(there, `${server.folder}/redis.sock`);

assert.deepEqual(ends, await inProcess(here));
assert.deepEqual(ends, {
  "0": "sent to 0",
  "2": "sent to 2",
  "9": "9 is busy",
  nobody: "there is no such address",
});
const counts = ({ tries }: Post) => addresses.map((to) => tries[to]?.length);
assert.deepEqual(counts(there), [1, 3, 4, 1]);
assert.deepEqual(counts(here), counts(there));
console.log("  jobs end as executions do, after as many tries");

const [first = 0, ...rest] = there.tries["9"] ?? [];
const { pauses } = preview(rules.pause, 4);
for (const [index, { least }] of pauses.entries()) {
  const before = rest[index - 1] ?? first;
  const gap = (rest[index] ?? 0) - before;
  assert(gap > least - 1, `pause ${index + 1} was ${gap} ms, and at least ${least} is due`);
}
console.log("  the pauses between the tries of a job are the policy's");

const old = { timestamp: Date.now() - rules.deadline + 10 } as Job;
const { backoffStrategy } = forQueue(rules);
assert.equal(await backoffStrategy(1, "custom", new Error("busy"), old), -1);
console.log("  a job whose deadline is near has failed for good");
