// BullMQ: a queue that retries its jobs by the rules of a Backoff. BullMQ keeps the jobs
// through crashes and restarts, and asks the pause of the policy when to try a job again.
// deno run -A examples/bullmq.ts

import {
  type BackoffOptions,
  exponential,
  type Failure,
  type GrowingPause,
} from "@asyncbackoff/asyncbackoff";
import { type BackoffStrategy, type Job, Queue, Worker } from "npm:bullmq@^6";
import { Redis } from "npm:ioredis@^5";

/** The rules that a queue can follow. Only `giveup` decides which errors are final. */
interface JobRules extends BackoffOptions {
  maxTries: number;
  deadline: number;
  pause: GrowingPause;
  giveup: (error: unknown, failure: Failure) => boolean;
}

/**
 * The same rules for BullMQ: the options of its jobs, and the strategy of its workers. The
 * deadline counts from the moment when the job was added, and no attempt begins after it. A
 * queue does not keep pauses, so `failure.pauseBefore` is 0 and the pause cannot be
 * `decorrelated`.
 */
function forQueue({ maxTries, deadline, pause, giveup }: JobRules) {
  const FAILED = -1;
  const backoffStrategy: BackoffStrategy = (attempt, _type, error, job) => {
    const elapsed = Date.now() - (job?.timestamp ?? Date.now());
    const remaining = Math.max(0, deadline - elapsed);
    const failure: Failure = {
      error,
      name: job?.name ?? "",
      attempt,
      streak: attempt,
      limit: null,
      duration: Date.now() - (job?.processedOn ?? Date.now()),
      elapsed,
      remaining,
      pauseBefore: 0,
    };
    if (giveup(error, failure)) return FAILED;
    const ms = Math.ceil(pause(failure));
    return ms < remaining ? ms : FAILED;
  };
  return { job: { attempts: maxTries, backoff: { type: "custom" } }, backoffStrategy };
}

/**
 * A final error. It is recognised by its name, because a queue may keep nothing else of it.
 */
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

// The test: jobs end in the same way as executions, with a Redis server that is still
// starting.

import { Backoff } from "@asyncbackoff/asyncbackoff";
import { preview } from "@asyncbackoff/asyncbackoff/pauses";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import assert from "node:assert/strict";
import { makeRedis } from "./servers/redis.ts";

/** Sends mail. An address says how often sending fails first. Records the instants. */
class Post {
  readonly attempts: Record<string, number[]> = {};

  send(to: string): string {
    const instants = this.attempts[to] ??= [];
    const count = instants.push(performance.now());
    if (to === "nobody") throw new NoSuchAddress("there is no such address");
    if (count <= Number(to)) throw new Error(`${to} is busy`);
    return `sent to ${to}`;
  }
}

const addresses = ["0", "2", "9", "nobody"];

/** The results of executions, on a test clock. */
async function byExecutions(post: Post): Promise<Record<string, string>> {
  const clock = new TestClock();
  const backoff = new Backoff({ ...rules, clock });
  const results: Record<string, string> = {};
  for (const to of addresses) {
    const sent = backoff.execute(() => post.send(to));
    results[to] = await clock.run(sent.catch(({ message }) => message));
  }
  return results;
}

/** The results of jobs in a queue. */
async function byQueue(post: Post, path: string): Promise<Record<string, string>> {
  // The connection is retried with the same pauses.
  const retryStrategy = (attempt: number) =>
    Math.ceil(rules.pause({ attempt, pauseBefore: 0 }));
  const connection = new Redis({ path, maxRetriesPerRequest: null, retryStrategy });
  const { job, backoffStrategy } = forQueue(rules);
  const queue = new Queue("mail", { connection, defaultJobOptions: job });
  const settings = { backoffStrategy };
  const send = ({ data }: Job) => Promise.resolve(data.to).then((to) => post.send(to));
  const worker = new Worker("mail", send, { connection, settings });
  // Emitted each time the connection fails. Without a listener, it would end the process.
  connection.on("error", () => {});
  queue.on("error", () => {});
  worker.on("error", () => {});

  const results: Record<string, string> = {};
  const isOver = new Promise<void>((resolve) => {
    const end = ({ data }: Job, result: string) => {
      results[data.to] = result;
      if (Object.keys(results).length === addresses.length) resolve();
    };
    worker.on("completed", (job, value) => end(job, value));
    worker.on("failed", (job, { message }) => job?.finishedOn && end(job, message));
  });
  await queue.addBulk(addresses.map((to) => ({ name: "send", data: { to } })));
  await isOver;
  await worker.close();
  await queue.close();
  await connection.quit();
  return results;
}

await using server = await makeRedis();
server.start();
const [executed, queued] = [new Post(), new Post()];
const results = await byQueue(queued, `${server.folder}/redis.sock`);

assert.deepEqual(results, await byExecutions(executed));
assert.deepEqual(results, {
  "0": "sent to 0",
  "2": "sent to 2",
  "9": "9 is busy",
  nobody: "there is no such address",
});
const counts = ({ attempts }: Post) => addresses.map((to) => attempts[to]?.length);
assert.deepEqual(counts(queued), [1, 3, 4, 1]);
assert.deepEqual(counts(executed), counts(queued));
console.log("  jobs end in the same way as executions, after as many attempts");

const [first = 0, ...rest] = queued.attempts["9"] ?? [];
const { pauses } = preview(rules.pause, 4);
for (const [index, { min }] of pauses.entries()) {
  const before = rest[index - 1] ?? first;
  const gap = (rest[index] ?? 0) - before;
  assert(gap > min - 1, `pause ${index + 1} must be at least ${min} ms, got ${gap}`);
}
console.log("  the pauses between the attempts of a job are those of the policy");

const old = { timestamp: Date.now() - rules.deadline + 10 } as Job;
const { backoffStrategy } = forQueue(rules);
assert.equal(await backoffStrategy(1, "custom", new Error("busy"), old), -1);
console.log("  a job whose deadline is near is not retried");
