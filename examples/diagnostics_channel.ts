// node:diagnostics_channel: publishes the events of a policy. While there is no subscriber,
// executions use a policy without an observer, so the only cost is a look for subscribers.
// deno run examples/diagnostics_channel.ts

import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type ExecuteOptions,
} from "@asyncbackoff/asyncbackoff";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";

/** A message to subscribers: an event, and the name of its policy. */
interface Message {
  readonly policy: string;
  readonly event: BackoffEvent;
}

const events = channel("asyncbackoff");

/** A policy whose executions are published if there is a subscriber when they begin. */
function published(policy: string, options: Omit<BackoffOptions, "observe">) {
  const observe = (event: BackoffEvent) => events.publish({ policy, event });
  const quiet = new Backoff(options);
  const observed = new Backoff({ ...options, observe });
  const execute = <T>(
    fn: (attempt: Attempt) => T | PromiseLike<T>,
    options?: ExecuteOptions,
  ): Promise<T> => (events.hasSubscribers ? observed : quiet).execute(fn, options);
  return { execute, quiet: quiet.statistic, observed: observed.statistic };
}

// The test.

import assert from "node:assert/strict";

const load = published("load", { exceptions: [Error], pause: 5, maxTries: 5 });

/** Fails once, then returns the value. */
function once<T>(value: T) {
  return ({ number }: Attempt) => {
    if (number === 1) throw new Error(`${value} is not there yet`);
    return value;
  };
}

assert.equal(await load.execute(once("unobserved")), "unobserved");
assert.equal(load.quiet.attempts, 2);
assert.equal(load.observed.attempts, 0);
console.log("  without a subscriber, nothing is published");

const received: Message[] = [];
const receive = (message: unknown) => received.push(message as Message);
subscribe("asyncbackoff", receive);
const values = await Promise.all(["one", "two"].map((each) => load.execute(once(each))));
assert.deepEqual(values, ["one", "two"]);

assert(received.every(({ policy }) => policy === "load"));
const executions = new Set(received.map(({ event }) => event.execution));
assert.equal(executions.size, 2);
for (const execution of executions) {
  const own = received.map(({ event }) => event).filter((each) =>
    each.execution === execution
  );
  const types = own.map(({ type }) => type);
  assert.deepEqual(types, ["attempt", "failure", "attempt", "done"]);
}
console.log("  a subscriber receives every event of two executions at once");

const count = received.length;
unsubscribe("asyncbackoff", receive);
assert.equal(await load.execute(once("unobserved again")), "unobserved again");
assert.equal(received.length, count);
assert.equal(load.quiet.attempts, 4);
console.log("  after it has unsubscribed, nothing is published");
