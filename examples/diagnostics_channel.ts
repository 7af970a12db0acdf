// node:diagnostics_channel: events for whoever subscribes. While nobody does, executions go
// by a policy without an observer, so that all it costs is to look whether somebody does.
// deno run examples/diagnostics_channel.ts

import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type ExecuteOptions,
} from "@asyncbackoff/asyncbackoff";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";

/** What subscribers are told: an event, and the name of the policy that it comes from. */
interface Message {
  readonly policy: string;
  readonly event: BackoffEvent;
}

const events = channel("asyncbackoff");

/** A policy whose executions are published, if anyone is there to hear when they begin. */
function published(policy: string, options: Omit<BackoffOptions, "observe">) {
  const observe = (event: BackoffEvent) => events.publish({ policy, event });
  const quiet = new Backoff(options);
  const told = new Backoff({ ...options, observe });
  const execute = <T>(
    fn: (attempt: Attempt) => T | PromiseLike<T>,
    options?: ExecuteOptions,
  ): Promise<T> => (events.hasSubscribers ? told : quiet).execute(fn, options);
  return { execute, quiet: quiet.statistic, told: told.statistic };
}

// What must hold.

import assert from "node:assert/strict";

const load = published("load", { exceptions: [Error], pause: 5, maxTries: 5 });

/** Fails once, then gives the value. */
function once<T>(value: T) {
  return ({ number }: Attempt) => {
    if (number === 1) throw new Error(`${value} is not there yet`);
    return value;
  };
}

assert.equal(await load.execute(once("unheard")), "unheard");
assert.equal(load.quiet.attempts, 2);
assert.equal(load.told.attempts, 0);
console.log("  without a subscriber nothing is told");

const heard: Message[] = [];
const hear = (message: unknown) => heard.push(message as Message);
subscribe("asyncbackoff", hear);
const values = await Promise.all(["one", "two"].map((each) => load.execute(once(each))));
assert.deepEqual(values, ["one", "two"]);

assert(heard.every(({ policy }) => policy === "load"));
const executions = new Set(heard.map(({ event }) => event.execution));
assert.equal(executions.size, 2);
for (const execution of executions) {
  const own = heard.map(({ event }) => event).filter((each) =>
    each.execution === execution
  );
  const types = own.map(({ type }) => type);
  assert.deepEqual(types, ["attempt", "failure", "attempt", "done"]);
}
console.log("  a subscriber is told each event, of two executions at once");

const count = heard.length;
unsubscribe("asyncbackoff", hear);
assert.equal(await load.execute(once("unheard again")), "unheard again");
assert.equal(heard.length, count);
assert.equal(load.quiet.attempts, 4);
console.log("  after it has unsubscribed, nothing is told again");
