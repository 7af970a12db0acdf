// withoutWaits(): which rules it changes, until when, and which it leaves.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  asyncretry,
  Backoff,
  type BackoffOptions,
  retry,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import {
  TestClock,
  type WithoutWaits,
  withoutWaits,
  type WithoutWaitsOptions,
} from "@asyncbackoff/asyncbackoff/testing";

const fail = () => Promise.reject(new Error("down"));

/** A policy on a clock of its own, which is made before waits are turned off. */
function policy(options: BackoffOptions) {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: "all", ...options, clock });
  const run = (fn: () => unknown) =>
    clock.run(backoff.execute(fn)).then(String, (error) => error.message);
  return { clock, backoff, run };
}

Deno.test("withoutWaits() makes every pause 0 until it is restored", async () => {
  for (const pause of [1000, [1000, 2000], () => 1000]) {
    const { clock, backoff, run } = policy({ maxTries: 3, pause });
    const waits = withoutWaits();
    try {
      assertEquals(await run(fail), "down");
      assertEquals([clock.now(), backoff.statistic.attempts], [0, 3]);
    } finally {
      waits.restore();
    }
    assertEquals(await run(fail), "down");
    assertEquals(clock.now() >= 2000, true);
  }
});

Deno.test("withoutWaits() bounds the tries of policies made before and after", async () => {
  const before = policy({});
  const waits = withoutWaits({ maxTries: 2 });
  try {
    const after = policy({ maxTries: 5 });
    const lower = policy({ maxTries: 1 });
    for (const each of [before, after, lower]) await each.run(fail);
    const attempts = [before, after, lower].map(({ backoff }) =>
      backoff.statistic.attempts
    );
    assertEquals(attempts, [2, 2, 1]);
    assertEquals(before.backoff.statistic.ends.maxTries, 1);
  } finally {
    waits.restore();
  }
});

Deno.test("withoutWaits() reaches every notation, on the system's clock", async () => {
  const waits = withoutWaits({ maxTries: 3 });
  try {
    const decorated = asyncretry(10, { pause: 60_000 })(fail);
    await assertRejects(() => decorated(), Error, "down");
    let calls = 0;
    const count = () => {
      calls += 1;
      throw new Error("down");
    };
    const options = { deadline: 5000, pause: 4000 };
    await assertRejects(async () => await retry(count, options), Error, "down");
    assertEquals(calls, 3);
  } finally {
    waits.restore();
  }
});

Deno.test("withoutWaits() leaves the limits as they are", async () => {
  const { clock, backoff } = policy({ attemptTimeout: 100, deadline: 250, pause: 9000 });
  const waits = withoutWaits();
  try {
    const hang = () => clock.sleep(Infinity);
    await assertRejects(() => clock.run(backoff.execute(hang)), TimeoutError);
  } finally {
    waits.restore();
  }
  assertEquals([clock.now(), backoff.statistic.attempts], [250, 3]);
});

Deno.test("withoutWaits() still calls pause, whose errors count", async () => {
  const { run } = policy({
    pause: ({ error }) => {
      throw error;
    },
  });
  const wrong = policy({ pause: () => NaN });
  const waits = withoutWaits();
  try {
    assertEquals(await run(fail), "down");
    assertEquals(
      await wrong.run(fail),
      "Cannot pause after a failure: 'pause' must return a finite number of milliseconds " +
        ">= 0, got NaN",
    );
  } finally {
    waits.restore();
  }
});

Deno.test("withoutWaits() refuses to begin twice, and restores once", () => {
  const first = withoutWaits();
  assertThrows(
    () => withoutWaits(),
    Error,
    "Cannot turn off waits: they must be on, got ones that are off already",
  );
  first.restore();
  const second = withoutWaits();
  first.restore(); // no effect
  assertThrows(() => withoutWaits(), Error, "off already");
  second.restore();
  withoutWaits().restore();
});

Deno.test("withoutWaits() ends with the block when it is used with 'using'", async () => {
  const { clock, run } = policy({ maxTries: 2, pause: 1000 });
  {
    using _waits = withoutWaits();
    await run(fail);
    assertEquals(clock.now(), 0);
  }
  await run(fail);
  assertEquals(clock.now(), 1000);
});

Deno.test("withoutWaits() works when the platform has no Symbol.dispose", () => {
  const { Symbol } = globalThis;
  globalThis.Symbol = {} as SymbolConstructor;
  let waits: WithoutWaits;
  try {
    waits = withoutWaits();
  } finally {
    globalThis.Symbol = Symbol;
  }
  waits.restore();
  assertEquals(Reflect.ownKeys(waits), ["restore"]);
});

const wrong: [options: unknown, message: string][] = [
  [
    { maxTries: 0 },
    "option 'maxTries' must be an integer >= 1 (the first attempt counts), got 0",
  ],
  [{ tries: 2 }, "unknown option 'tries', the options are maxTries"],
  [2, "the options must be an object, got 2"],
];

Deno.test("withoutWaits() throws when an option is wrong", () => {
  for (const [options, message] of wrong) {
    const error = assertThrows(() => withoutWaits(options as WithoutWaitsOptions), Error);
    assertEquals(error.message, `Cannot turn off waits: ${message}`);
  }
  withoutWaits({ maxTries: null }).restore();
});
