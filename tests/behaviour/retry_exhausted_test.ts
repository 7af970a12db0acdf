// Errors with which another execution ended after its retries, so that layers of retries do not
// multiply.

import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffOptions,
  type Budget,
  nonRetryable,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { playExecution } from "../support/played_execution.ts";

const raise = (error: unknown) => {
  throw error;
};

/** Ends an execution of its own with an error, on a clock of its own. */
async function endWith(
  error: unknown,
  options: BackoffOptions,
  fn?: (attempt: Attempt) => unknown,
) {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: () => true, ...options, clock });
  const ended = await clock.run(
    backoff.execute(fn ?? (() => raise(error))).then(() => "no error", (error) => error),
  );
  assertStrictEquals(ended, error);
  clock.close();
}

/** The reason for which an execution ends that retries no exhausted error, and its attempts. */
async function reasonFor(error: unknown, options: BackoffOptions = {}) {
  const { reason, statistic } = await playExecution(
    { exceptions: () => true, retryExhausted: false, maxTries: 2, ...options },
    () => Promise.reject(error),
  );
  return [reason, statistic.attempts];
}

/** Calls a function that always fails through some layers of three tries each. */
async function callsThrough(
  layers: number,
  retryExhausted: boolean | null,
): Promise<number> {
  let calls = 0;
  let call = () => {
    calls += 1;
    return Promise.reject(new Error("down"));
  };
  for (let layer = 0; layer < layers; layer++) {
    call = asyncretry(3, { retryExhausted })(call);
  }
  await call().catch(() => {});
  return calls;
}

Deno.test("Five layers of three tries make 3 attempts when retryExhausted is false, and 243 by default", async () => {
  assertEquals(await callsThrough(5, false), 3);
  assertEquals(await callsThrough(5, null), 243);
  assertEquals(await callsThrough(5, true), 243);
  assertEquals([await callsThrough(1, false), await callsThrough(2, false)], [3, 3]);
});

Deno.test("Five layers of three tries reject with the innermost error itself when retryExhausted is false", async () => {
  const error = new Error("down");
  const layers = Array.from({ length: 5 }, () => asyncretry(3, { retryExhausted: false }));
  const call = layers.reduce((fn, layer) => layer(fn), () => Promise.reject(error));

  assertStrictEquals(await call().catch((error) => error), error);

  const [innermost, ...others] = layers.map(({ statistic }) => statistic);
  assertEquals([innermost?.attempts, innermost?.ends.maxTries], [3, 1]);
  for (const { attempts, done, errors, ends } of others) {
    assertEquals([attempts, done, errors, ends.exhausted], [1, 1, 0, 1]);
  }
});

const ends: [how: string, options: BackoffOptions][] = [
  ["maxTries", { maxTries: 2 }],
  ["giveup", { giveup: () => true }],
  ["a pause that gives up", { pause: ({ error }) => raise(error) }],
  ["the budget", { budget: { mayRetry: () => false } }],
  ["the deadline", { deadline: 10, pause: 20 }],
  ["minRemaining", { deadline: 10, pause: 20, minRemaining: 0 }],
];

for (const [how, options] of ends) {
  Deno.test(`Backoff.execute() does not retry an error with which another execution was ended by ${how}`, async () => {
    const error = new Error("down");

    await endWith(error, options);

    assertEquals(await reasonFor(error), ["exhausted", 1]);
    assertEquals(await reasonFor(error, { retryExhausted: true }), ["maxTries", 2]);
    assertEquals(await reasonFor(error, { retryExhausted: null }), ["maxTries", 2]);
  });
}

Deno.test("Backoff.execute() retries an error with which another execution ended without its retries", async () => {
  const controller = new AbortController();
  const [bug, reason, beforehand] = ["a bug", "a reason", "an earlier reason"]
    .map((message) => new Error(message)) as [Error, Error, Error];
  const rows: [error: Error, options: BackoffOptions, fn?: () => unknown][] = [
    [new Error("a single try"), { maxTries: 1 }],
    [new Error("nonRetryable"), { exceptions: [] }],
    [bug, { giveup: () => raise(bug) }, () => raise("down")],
    [reason, { signal: controller.signal, pause: 10 }, () => {
      controller.abort(reason);
      raise("down");
    }],
    [beforehand, { signal: AbortSignal.abort(beforehand) }],
  ];
  for (const [error, options, fn] of rows) {
    await endWith(error, options, fn);

    assertEquals(await reasonFor(error), ["maxTries", 2], error.message);
  }
});

Deno.test("Backoff.execute() retries an error that another execution returned, or retried with success", async () => {
  const error = new Error("down");
  const backoff = new Backoff({ exceptions: "all", maxTries: 3 });

  assertStrictEquals(await backoff.execute(() => error), error);
  assertEquals(
    await backoff.execute(({ number }) => number < 3 ? raise(error) : "up"),
    "up",
  );

  assertEquals(await reasonFor(error), ["maxTries", 2]);
});

Deno.test("Backoff.execute() does not retry the TimeoutError of another execution's deadline or attempts", async () => {
  const hang = () => new Promise<never>(() => {});
  for (
    const [limits, limit] of [
      [{ deadline: 50 }, "deadline"],
      [{ attemptTimeout: 50, exceptions: [], maxTries: 2 }, "attempt"],
    ] as const
  ) {
    const { error, reason, starts } = await playExecution(
      { exceptions: "all", retryExhausted: false, maxTries: 3 },
      (_, clock) => new Backoff({ ...limits, clock }).execute(hang),
    );

    assertInstanceOf(error, TimeoutError);
    assertEquals([error.limit, reason, starts.length], [limit, "exhausted", 1]);
  }
  // A deadline of a single try, or one of no time, ended no retries.
  for (const limits of [{ deadline: 50, maxTries: 1 }, { deadline: 0 }]) {
    const { reason } = await playExecution(
      { exceptions: "all", retryExhausted: false, maxTries: 3 },
      (_, clock) => new Backoff({ ...limits, clock }).execute(hang),
    );

    assertEquals(reason, "maxTries");
  }
});

Deno.test("Backoff.execute() finds an exhausted error through ten causes, and not through eleven", async () => {
  for (
    const [depth, reason] of [[0, "exhausted"], [1, "exhausted"], [10, "exhausted"], [
      11,
      "maxTries",
    ]] as const
  ) {
    let error: unknown = new Error("down");
    await endWith(error, { maxTries: 2 });
    for (let index = 0; index < depth; index++) {
      error = new Error("wrapped", { cause: error });
    }

    assertEquals((await reasonFor(error))[0], reason, `${depth}`);
  }
});

Deno.test("Backoff.execute() finds an exhausted error through causes of any kind, and looks at nothing else", async () => {
  const cause = new Error("down");
  await endWith(cause, { maxTries: 2 });

  assertEquals((await reasonFor({ cause }))[0], "exhausted");
  assertEquals((await reasonFor(Object.freeze({ cause: { cause } })))[0], "exhausted");
  assertEquals((await reasonFor(Object.assign(() => {}, { cause })))[0], "exhausted");
  assertEquals((await reasonFor(new AggregateError([cause])))[0], "maxTries");
  assertEquals((await reasonFor({ error: cause, reason: cause }))[0], "maxTries");
});

Deno.test("Backoff.execute() handles causes that are circular, that throw, or that are primitives", async () => {
  const circular = new Error("down");
  circular.cause = circular;
  const throwing = Object.defineProperty(new Error("down"), "cause", {
    get: () => raise(new Error("this cause cannot be read")),
  });
  const primitive = new Error("down", { cause: "down" });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (
    const error of [circular, throwing, primitive, new Error("down", { cause: proxy })]
  ) {
    assertEquals(await reasonFor(error), ["maxTries", 2]);
  }
});

Deno.test("Backoff.execute() does not recognise primitives with which another execution ended", async () => {
  for (const thrown of ["down", 0, undefined, null, Symbol.for("down"), 1n]) {
    await endWith(thrown, { maxTries: 2 });

    assertEquals(await reasonFor(thrown), ["maxTries", 2]);
  }
});

Deno.test("Backoff.execute() recognises objects with which another execution ended, if they are frozen or not Errors", async () => {
  for (const thrown of [Object.freeze(new Error()), {}, Object.create(null), () => {}]) {
    await endWith(thrown, { maxTries: 2 });

    assertEquals(await reasonFor(thrown), ["exhausted", 1]);
  }
});

Deno.test("Backoff.execute() retries its own errors, also one that it throws again", async () => {
  const error = new Error("down");

  assertEquals(await reasonFor(error, { maxTries: 4 }), ["maxTries", 4]);
});

Deno.test("Backoff.execute() calls no callback about an exhausted error, and counts no error", async () => {
  const error = new Error("down");
  await endWith(error, { maxTries: 2 });
  const asked: string[] = [];
  const ask = (name: string) => () => asked.push(name) > 0;
  const budget: Budget = { failed: ask("failed"), mayRetry: ask("mayRetry") };

  const { statistic, events } = await playExecution({
    retryExhausted: false,
    exceptions: ask("exceptions"),
    giveup: ask("giveup"),
    pause: () => asked.push("pause"),
    budget,
  }, () => Promise.reject(error));

  assertEquals(asked, []);
  assertEquals([statistic.errors, statistic.done, statistic.ends.exhausted], [0, 1, 1]);
  assertEquals(events.map(({ type }) => type), ["attempt", "failure", "done"]);
});

Deno.test("Backoff.execute() ends by exhausted before anything but a mark", async () => {
  const error = new Error("down");
  await endWith(error, { maxTries: 2 });

  assertEquals((await reasonFor(error, { maxTries: 1 }))[0], "exhausted");
  assertEquals((await reasonFor(error, { exceptions: [] }))[0], "exhausted");
  assertEquals((await reasonFor(nonRetryable(error)))[0], "nonRetryable");

  const timeout = new DOMException("Signal timed out.", "TimeoutError");
  await endWith(timeout, { maxTries: 2 });
  assertEquals((await reasonFor(timeout))[0], "exhausted");
});

Deno.test("Backoff.execute() ends by exhausted when an error that has ended another execution is thrown much later", async () => {
  const error = new Error("down");
  await endWith(error, { maxTries: 2 });

  const { starts, reason } = await playExecution(
    { exceptions: "all", retryExhausted: false, pause: 100 },
    ({ number }) => number < 3 ? raise(new Error("another")) : raise(error),
  );

  assertEquals([starts, reason], [[0, 100, 200], "exhausted"]);
});
