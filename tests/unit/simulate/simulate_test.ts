// simulate(): closed forms, ends, and what it refuses.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { exponential } from "@asyncbackoff/asyncbackoff";
import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
import { retryAfter } from "@asyncbackoff/asyncbackoff/http";
import {
  simulate,
  type SimulatedClient,
  type Simulation,
  type World,
} from "@asyncbackoff/asyncbackoff/simulate";
import { meanOf } from "../../support/chance.ts";

const all = { exceptions: "all" } as const;
const N = 4000;

/** Four standard errors of a share of `N` executions. */
const margin = (share: number) => 4 * Math.sqrt(share * (1 - share) / N);

const elapsedOf = ({ executions }: Simulation) => executions.map(({ elapsed }) => elapsed);

Deno.test("simulate() makes maxTries times the load when all calls fail", async () => {
  for (const maxTries of [1, 2, 3, 7]) {
    const result = await simulate({ ...all, maxTries, pause: 10 }, {
      executions: 100,
      failureRate: 1,
      latency: 5,
    });
    assertEquals(result.attempts, 100 * maxTries);
    assertEquals(result.loadFactor, maxTries);
    assertEquals(result.ends, { maxTries: 100 });
    assertEquals(result.percentile(0), 5 * maxTries + 10 * (maxTries - 1));
    assertEquals(result.percentile(1), result.endedAt);
    assertEquals(result.answeredWithin(Infinity), 0);
  }
});

Deno.test("simulate() succeeds by the geometric distribution when calls fail independently", async () => {
  const [p, maxTries] = [0.4, 4];
  const result = await simulate({ ...all, maxTries }, {
    executions: N,
    failureRate: p,
    seed: 7,
  });
  const success = 1 - p ** maxTries;
  assertAlmostEquals(result.answeredWithin(Infinity), success, margin(success));
  for (let tries = 1; tries < maxTries; tries++) {
    const share = p ** (tries - 1) * (1 - p);
    const ours = result.executions.filter(({ attempts }) => attempts === tries).length / N;
    assertAlmostEquals(ours, share, margin(share), `${tries} tries`);
  }
  assertAlmostEquals(result.loadFactor, success / (1 - p), 0.06);
});

Deno.test("simulate() bounds the load by 1 + retryRatio when all clients share a budget", async () => {
  const budget = new RetryBudget({ retryRatio: 0.2, minRetriesPerSecond: 0 });
  const result = await simulate({ ...all, maxTries: 5, budget }, {
    executions: 100,
    clients: 10,
    interval: 10,
    failureRate: 1,
  });
  assertEquals(result.loadFactor, 1.2);
  assertEquals(result.executions.length, 1000);
});

Deno.test("simulate() waits as long as a queue with random arrivals does (Pollaczek and Khinchine)", async () => {
  const [rate, capacity] = [70, 100];
  const result = await simulate({}, { rate, capacity, executions: 10_000, latency: 3 });
  const load = rate / capacity;
  const mean = 3 + 1000 / capacity + 1000 * load / (2 * capacity * (1 - load));
  assertAlmostEquals(meanOf(elapsedOf(result)), mean, 1.8);
  assertAlmostEquals(10_000 / result.endedAt * 1000, rate, 2.8);
});

Deno.test("simulate() times out as often as latencies are longer than the limit", async () => {
  const latency = (random: () => number) => -100 * Math.log(1 - random());
  const share = Math.exp(-150 / 100);
  const result = await simulate({ attemptTimeout: 150, maxTries: 1 }, {
    executions: N,
    latency,
  });
  assertAlmostEquals((result.ends.maxTries ?? 0) / N, share, margin(share));
  assertEquals(result.percentile(1), 150);
});

Deno.test("simulate() gives the same result when the seed is the same", async () => {
  const policy = { ...all, maxTries: 5, pause: exponential() };
  const run = (seed: number) =>
    simulate(policy, { seed, executions: 50, failureRate: 0.5, latency: 10 });
  const [one, same, other] = [await run(1), await run(1), await run(2)];
  assertEquals(one.executions.length, 50);
  assertEquals(elapsedOf(one), elapsedOf(same));
  assertEquals(`${one.timeline}`, `${same.timeline}`);
  assert(`${elapsedOf(one)}` !== `${elapsedOf(other)}`);
  // The pauses of the policy do not change the answers.
  const without = await simulate({ ...policy, pause: 0 }, {
    seed: 1,
    executions: 50,
    failureRate: 0.5,
    latency: 10,
  });
  assertEquals(without.executions[0]?.attempts, one.executions[0]?.attempts);
});

Deno.test("simulate() answers by a script, one answer for each attempt", async () => {
  const error = new Error("reset");
  const policy = { ...all, attemptTimeout: 300, pause: 50, maxTries: 4 };
  const script = [{ latency: 100, error }, { latency: Infinity }, { value: "done" }];
  const { executions, timeline, load } = await simulate(policy, { script, executions: 2 });
  for (const each of executions) {
    assertEquals(each, {
      client: 0,
      beganAt: 0,
      elapsed: 500,
      attempts: 3,
      pauses: [50, 50],
      reason: "success",
      outcome: { status: "fulfilled", value: "done" },
    });
  }
  assertMatch(`${timeline}`, /^#1 .*1 Error: reset$/m);
  assertMatch(`${timeline}`, /^#2 /m);
  assertEquals(load, [{ executions: 2, attempts: 6, failures: 4, successes: 2 }]);
});

Deno.test("simulate() repeats the last answer of a script", async () => {
  const error = new Error("down");
  const result = await simulate({ ...all, maxTries: 4 }, {
    script: [{ latency: 1, error }],
  });
  assertEquals(result.executions[0]?.attempts, 4);
  const { outcome } = result.executions[0] ?? {};
  assertStrictEquals((outcome as PromiseRejectedResult).reason, error);
});

Deno.test("simulate() draws a late end when an answer ignores its signal", async () => {
  const script = [{ latency: 300, ignoresSignal: true }, { latency: 250 }];
  const result = await simulate({ attemptTimeout: 270 }, { script });
  assertEquals(result.executions[0]?.elapsed, 520);
  assertMatch(`${result.timeline}`, /late undefined|late value/);
});

Deno.test("simulate() fails calls in an outage, and answers after it", async () => {
  const policy = { ...all, pause: 400 };
  const outages = [{ from: 1000, to: 2000 }];
  const result = await simulate(policy, {
    outages,
    executions: 4,
    interval: 500,
    latency: 10,
    failureRate: 0,
  });
  // begun at 0, 500, 1000 and 1500
  assertEquals(elapsedOf(result), [10, 10, 3 * 410 + 10, 2 * 410 + 10]);
  assertEquals(result.executions.map(({ attempts }) => attempts), [1, 1, 4, 3]);
  assertEquals(result.load.map(({ failures }) => failures), [0, 5, 0]);
});

Deno.test("simulate() hangs calls in an outage that hangs", async () => {
  const outages = [{ from: 0, to: 100, hangs: true }];
  const result = await simulate({ attemptTimeout: 60 }, { outages });
  assertEquals([result.executions[0]?.attempts, result.endedAt], [3, 120]);
});

Deno.test("simulate() hangs a share of the calls", async () => {
  const result = await simulate({ attemptTimeout: 100, maxTries: 1 }, {
    executions: N,
    hangRate: 0.1,
  });
  assertAlmostEquals((result.ends.maxTries ?? 0) / N, 0.1, margin(0.1));
});

Deno.test("simulate() refuses calls above a rate limit, and says when to come back", async () => {
  const errors: unknown[] = [];
  const pause = ({ error }: { error: unknown }) => {
    errors.push(error);
    const { retryAfter: ms } = error as { retryAfter: number };
    return retryAfter(`${ms / 1000}`) ?? 0;
  };
  const result = await simulate({ ...all, pause }, {
    executions: 5,
    rateLimit: { calls: 2, window: 1000 },
    latency: 20,
  });
  assertEquals(elapsedOf(result), [20, 20, 1020, 1020, 2020]);
  assertEquals(errors.length, 4);
  const { status, message } = errors[0] as Error & { status: number };
  assertEquals([status, message], [429, "too many calls"]);
});

Deno.test("simulate() works on abandoned calls when a service has a capacity", async () => {
  const policy = { attemptTimeout: 150, maxTries: 2, exceptions: [] };
  const result = await simulate(policy, { executions: 3, capacity: 10 });
  // Six calls of 100 ms each: the second tries begin at 150, and are behind the first ones.
  assertEquals(elapsedOf(result), [100, 300, 300]);
  assertEquals(result.ends, { success: 1, maxTries: 2 });
});

Deno.test("simulate() makes a policy for each client when it is a function", async () => {
  const clients: SimulatedClient[] = [];
  const result = await simulate((client) => {
    clients.push(client);
    return { ...all, maxTries: client.index + 1 };
  }, { clients: 3, failureRate: 1 });
  assertEquals(clients.map(({ index }) => index), [0, 1, 2]);
  assertEquals(result.executions.map(({ client, attempts }) => [client, attempts]), [
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  const draw = clients[0]?.random() ?? -1;
  assert(draw >= 0 && draw < 1);
});

Deno.test("simulate() gives each client a budget of its own when a function makes it", async () => {
  const result = await simulate(() => ({
    ...all,
    maxTries: 3,
    budget: new RetryBudget({ retryRatio: 2, minRetriesPerSecond: 0 }),
  }), { clients: 4, failureRate: 1 });
  assertEquals(result.attempts, 12);
});

Deno.test("simulate() aborts at an instant of its clock when a policy has a signal", async () => {
  const result = await simulate(({ clock }) => {
    const controller = new AbortController();
    clock.after(70, () => controller.abort("no longer needed"));
    return { signal: controller.signal };
  }, { script: [{ latency: Infinity }] });
  assertEquals(result.executions[0]?.reason, "aborted");
  assertEquals(result.endedAt, 70);
});

Deno.test("simulate() calls a service of one's own with its attempt, client, clock and random", async () => {
  const result = await simulate({ ...all, pause: 5 }, {
    clients: 2,
    service: async ({ attempt, client, clock, random }) => {
      assert(random() < 1);
      await clock.sleep(10 * (client + 1));
      if (attempt.number < 2) throw new Error("not yet");
      return client;
    },
  });
  assertEquals(elapsedOf(result), [25, 45]);
  assertEquals(result.executions[1]?.outcome, { status: "fulfilled", value: 1 });
});

Deno.test("simulate() takes a rate that is a function of the instant", async () => {
  const rate = (at: number) => at < 5000 ? 200 : 20;
  const result = await simulate({}, { rate, maxRate: 200, end: 10_000 });
  const before = result.executions.filter(({ beganAt }) => beganAt < 5000).length;
  assertAlmostEquals(before, 1000, 4 * Math.sqrt(1000));
  assertAlmostEquals(result.executions.length - before, 100, 4 * Math.sqrt(100));
  assertEquals(result.endedAt, 10_000);
  assert(result.executions.every(({ beganAt }) => beganAt < 10_000));
});

Deno.test("simulate() leaves executions without an end when they are under way at its end", async () => {
  const result = await simulate({}, {
    script: [{ latency: Infinity }],
    executions: 2,
    end: 500,
  });
  assertEquals(result.ends, { pending: 2 });
  assertEquals([result.percentile(0.5), result.endedAt], [Infinity, 500]);
  const { reason, outcome } = result.executions[0] ?? {};
  assertEquals([reason, outcome], [null, null]);
  assertEquals(result.answeredWithin(1e9), 0);
});

Deno.test("simulate() ends when there are too many attempts, such as without a pause or a bound", async () => {
  const result = await simulate(all, { failureRate: 1, maxAttempts: 1000 });
  assertEquals([result.attempts, result.ends], [1000, { pending: 1 }]);
});

Deno.test("simulate() draws no execution when timelines is 0", async () => {
  const one = await simulate({}, { executions: 3, timelines: 1 });
  assertMatch(`${one.timeline}`, /#1/);
  assert(!`${one.timeline}`.includes("#2"));
  const none = await simulate({}, { executions: 3, timelines: 0 });
  assert(!`${none.timeline}`.includes("#1"));
});

Deno.test("simulate() passes the user's own observe every event", async () => {
  const types: string[] = [];
  await simulate({ ...all, maxTries: 2, observe: ({ type }) => types.push(type) }, {
    failureRate: 1,
  });
  assertEquals(types, ["attempt", "failure", "attempt", "failure", "done"]);
});

Deno.test("simulate() counts the pause that an end has shortened", async () => {
  const result = await simulate({ ...all, deadline: 100, pause: 80 }, { failureRate: 1 });
  assertEquals(result.executions[0]?.pauses, [80, 20]);
  assertEquals(result.ends, { deadline: 1 });
});

Deno.test("simulate() uses the error that the world makes", async () => {
  class Reset extends Error {}
  const policy = { exceptions: [Reset], maxTries: 2 };
  const world = { failureRate: 1, error: () => new Reset("reset") };
  const result = await simulate(policy, world);
  assertEquals(result.attempts, 2);
  const other = await simulate(policy, { failureRate: 1 });
  assertEquals(other.ends, { nonRetryable: 1 });
  const { outcome } = other.executions[0] ?? {};
  assertEquals(
    (outcome as PromiseRejectedResult).reason.message,
    "a simulated failure",
  );
});

const wrongWorlds: [world: unknown, message: string][] = [
  [{ seed: 0.5 }, "option 'seed' must be an integer, got 0.5"],
  [{ clients: 0 }, "option 'clients' must be an integer >= 1, got 0"],
  [{ executions: 1.5 }, "option 'executions' must be an integer >= 1, got 1.5"],
  [
    { interval: -1 },
    "option 'interval' must be a finite number of milliseconds >= 0, got -1",
  ],
  [
    { rate: 0 },
    "option 'rate' must be a number > 0, or a function that returns one, got 0",
  ],
  [
    { rate: () => 1 },
    "option 'maxRate' must be a finite number > 0, the highest value of the function " +
    "'rate', got undefined",
  ],
  [
    { end: 0 },
    "option 'end' must be a number of milliseconds > 0 and <= 1000000000, got 0",
  ],
  [
    { end: 2e9 },
    "option 'end' must be a number of milliseconds > 0 and <= 1000000000, got " + 2e9,
  ],
  [
    { maxAttempts: 2e6 },
    "option 'maxAttempts' must be an integer >= 1 and <= 1000000, got 2000000",
  ],
  [{ timelines: -1 }, "option 'timelines' must be an integer >= 0, got -1"],
  [
    { script: [] },
    "option 'script' must be a list of answers that is not empty, got an array",
  ],
  [
    { script: {} },
    "option 'script' must be a list of answers that is not empty, got an object",
  ],
  [{ script: [{ latency: -1 }] }, "answer 1 of 'script': 'latency' must be a number of"],
  [
    { script: [{ ignoresSignal: 1 }] },
    "answer 1 of 'script': 'ignoresSignal' must be true or",
  ],
  [{ script: [{}, { delay: 1 }] }, "answer 2 of 'script': unknown option 'delay'"],
  [{ service: 1 }, "option 'service' must be a function, got 1"],
  [{ latency: -1 }, "option 'latency' must be a number of milliseconds >= 0, got -1"],
  [{ failureRate: 5 }, "option 'failureRate' must be a number from 0 to 1, got 5"],
  [{ hangRate: -1 }, "option 'hangRate' must be a number from 0 to 1, got -1"],
  [{ outages: [{ from: -1, to: 1 }] }, "outage 1: 'from' must be a finite number of"],
  [
    { outages: [{ from: 2, to: 1 }] },
    "outage 1: 'to' must be a number of milliseconds >= 'from'",
  ],
  [{ outages: [{ from: 2, to: 3, hangs: 1 }] }, "outage 1: 'hangs' must be true or false"],
  [{ outages: [{ start: 2 }] }, "outage 1: unknown option 'start'"],
  [{ capacity: 0 }, "option 'capacity' must be a number of calls per second > 0, got 0"],
  [
    { rateLimit: { calls: 0, window: 1 } },
    "option 'rateLimit': 'calls' must be an integer >= 1",
  ],
  [
    { rateLimit: { calls: 1, window: 0 } },
    "option 'rateLimit': 'window' must be a finite number",
  ],
  [{ error: "down" }, "option 'error' must be a function, got \"down\""],
  [{ failures: 1 }, "unknown option 'failures', the options are seed"],
  [null, "the options must be an object, got null"],
];

Deno.test("simulate() rejects when an option of the world is wrong", async () => {
  for (const [world, message] of wrongWorlds) {
    const error = await assertRejects(() => simulate({}, world as World), Error);
    assert(error.message.startsWith(`Cannot simulate: ${message}`), error.message);
  }
});

Deno.test("simulate() rejects when the policy is wrong, or has a clock", async () => {
  await assertRejects(
    () => simulate({ maxTries: 0, ...all }, {}),
    RangeError,
    "Cannot make a policy: option 'maxTries' must be an integer >= 1",
  );
  await assertRejects(
    () => simulate({ clock: {} } as never, {}),
    TypeError,
    "Cannot simulate: option 'clock' must be absent, got an object",
  );
});

Deno.test("simulate() rejects with the error of a function that describes clients", async () => {
  const fail = () => {
    throw new Error("no such client");
  };
  await assertRejects(() => simulate(fail, {}), Error, "no such client");
  await assertRejects(
    () => simulate({}, { rate: fail, maxRate: 1 }),
    Error,
    "no such client",
  );
});
