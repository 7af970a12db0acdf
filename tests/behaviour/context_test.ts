// Each callback runs in the async context of its own call, whichever timer fires it.

import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { FakeTime } from "@std/testing/time";
import {
  type Attempt,
  Backoff,
  type Clock,
  sleep,
  systemClock,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const EXECUTIONS = 20;
const ENDS = ["success", "deadline", "aborted", "giveup"] as const;

const context = new AsyncLocalStorage<string>();

/** An error that names the call it belongs to. */
class Down extends Error {
  readonly call: string;
  constructor(call: string) {
    super("down");
    this.call = call;
  }
}

/** The call that an error belongs to. The error of a limit names the function. */
function callOf(error: unknown): string {
  if (error instanceof Down) return error.call;
  const name = error instanceof TimeoutError ? error.message.split("'")[1] : undefined;
  return name ?? "unknown";
}

/** For each call, what was called and in which context. */
type Seen = Map<string, { what: string; where: string | undefined }[]>;

/**
 * Starts many executions of one policy at once, each in a context of its own. The first
 * attempt fails, the second times out and ends late, and the next ends the execution.
 */
async function runInContexts(clock: Clock): Promise<Seen> {
  const seen: Seen = new Map();
  const note = (call: string, what: string) => {
    const notes = seen.get(call) ?? [];
    seen.set(call, [...notes, { what, where: context.getStore() }]);
  };
  const calls = new Map<number, string>();
  const endedIn: unknown[] = [];
  let begun = "";
  const backoff = new Backoff({
    attemptTimeout: 40,
    deadline: 100,
    exceptions: (error) => {
      note(callOf(error), "exceptions");
      return error instanceof Down;
    },
    until: (call: string) => {
      note(call, "until");
      return true;
    },
    giveup: (error, { attempt }) => {
      note(callOf(error), `giveup after ${attempt}`);
      return attempt === 3 && error instanceof Down;
    },
    pause: ({ error, attempt }) => {
      note(callOf(error), `pause after ${attempt}`);
      return 1;
    },
    budget: {
      mayRetry: (_, failure) => {
        note(callOf(failure?.error), `mayRetry after ${failure?.attempt}`);
        return true;
      },
      ended: () => void endedIn.push(context.getStore()),
    },
    observe: (event) => {
      // The first event is emitted before `execute` returns.
      const call = calls.get(event.execution) ?? begun;
      calls.set(event.execution, call);
      note(call, event.type === "done" ? event.reason : `${event.type} ${event.attempt}`);
    },
    clock,
  });
  const late: Promise<unknown>[] = [];
  const executions = Array.from({ length: EXECUTIONS }, (_, index) => {
    const call = `call ${index}`;
    const controller = new AbortController();
    const abort = () => controller.abort("stop");
    const end = ENDS[index % ENDS.length];
    const fn = async ({ number, signal }: Attempt) => {
      note(call, `function ${number}`);
      if (number === 1) {
        await sleep(2, { clock });
        throw new Down(call);
      }
      if (number === 2) {
        const tooLong = sleep(80, { clock });
        late.push(tooLong);
        return await tooLong;
      }
      if (end === "success") return call;
      if (end === "giveup") throw new Down(call);
      if (end === "aborted") {
        context.run("a stranger", () => void sleep(5, { clock }).then(abort));
      }
      await sleep(1000, { clock, signal });
    };
    Object.defineProperty(fn, "name", { value: call });
    begun = call;
    return context.run(call, () => backoff.execute(fn, { signal: controller.signal }));
  });
  begun = "nobody";
  await Promise.allSettled(executions);
  await Promise.all(late);
  assertEquals(endedIn.sort(), [...seen.keys()].sort());
  return seen;
}

function assertOwnContexts(seen: Seen): void {
  const calls = Array.from({ length: EXECUTIONS }, (_, index) => `call ${index}`);
  assertEquals([...seen.keys()].sort(), calls.sort());
  for (const [call, notes] of seen) {
    assertEquals(notes.filter(({ where }) => where !== call), [], call);
  }
}

const attempt = (number: number) => [`attempt ${number}`, `function ${number}`];
const after = (attempt: number) => [
  `giveup after ${attempt}`,
  `pause after ${attempt}`,
  `mayRetry after ${attempt}`,
  `failure ${attempt}`,
];
// The second attempt times out, which no predicate is asked about.
const TWICE = [...attempt(1), "exceptions", ...after(1), ...attempt(2), ...after(2)];

/** Asserts that every kind of callback ran, in every call. */
function assertComplete(seen: Seen): void {
  const expected = {
    success: [...TWICE, ...attempt(3), "until", "success", "late 2"],
    aborted: [...TWICE, ...attempt(3), "aborted", "late 2"],
    giveup: [
      ...TWICE,
      ...attempt(3),
      "exceptions",
      "giveup after 3",
      "failure 3",
      "giveup",
      "late 2",
    ],
    // The late value arrives at 83, and the third attempt times out at 84.
    deadline: [
      ...TWICE,
      ...attempt(3),
      "late 2",
      ...after(3),
      ...attempt(4),
      "deadline",
    ],
  };
  for (let index = 0; index < EXECUTIONS; index++) {
    const notes = seen.get(`call ${index}`) ?? [];
    assertEquals(
      notes.map(({ what }) => what),
      expected[ENDS[index % ENDS.length] ?? "success"],
    );
  }
}

/** Runs them on a clock of faked time. */
async function runInFakeTime(clockOf: (time: FakeTime) => Clock): Promise<Seen> {
  const time = new FakeTime(0);
  try {
    const seen = runInContexts(clockOf(time));
    await time.runMicrotasks();
    while (time.next()) await time.runMicrotasks();
    return await seen;
  } finally {
    time.restore();
  }
}

Deno.test("Backoff.execute() runs every callback in the context of its own call on TestClock", async () => {
  const clock = new TestClock();
  const seen = await clock.run(runInContexts(clock));
  assertOwnContexts(seen);
  assertComplete(seen);
  clock.close();
});

Deno.test("Backoff.execute() runs every callback in the context of its own call on FakeTime", async () => {
  const seen = await runInFakeTime(() => systemClock);
  assertOwnContexts(seen);
  assertComplete(seen);
});

Deno.test("Backoff.execute() runs every callback in the context of its own call on now() and delay()", async () => {
  const seen = await runInFakeTime((time) => ({ now: () => time.now, sleep: delay }));
  assertOwnContexts(seen);
  assertComplete(seen);
});

Deno.test("Backoff.execute() runs every callback in the context of its own call on real time", async () => {
  // The number of attempts depends on the machine. Their context does not.
  assertOwnContexts(await runInContexts(systemClock));
});

Deno.test("Backoff.execute() emits done in the context of its own call when another call aborts them all", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const where: unknown[] = [];
  const backoff = new Backoff({
    pause: 100,
    exceptions: [Down],
    signal: controller.signal,
    observe: ({ type, at }) =>
      void (type === "done" && where.push([context.getStore(), at])),
    clock,
  });
  const executions = ["running", "pausing"].map((call) =>
    context.run(call, () =>
      backoff.execute(() => {
        if (call === "pausing") throw new Down(call);
        return new Promise(() => {});
      }).catch((reason) => where.push([context.getStore(), reason])))
  );
  context.run("a stranger", () => clock.after(10, () => controller.abort("stop")));
  await clock.run(Promise.all(executions));
  // Reactions to the promise run in the context in which it was awaited.
  assertEquals(where, [["running", 10], ["pausing", 10], ["running", "stop"], [
    "pausing",
    "stop",
  ]]);
  clock.close();
});
