// The arguments of fetchWith().

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Backoff, type BackoffOptions } from "@asyncbackoff/asyncbackoff";
import {
  type FetchOptions,
  type FetchPolicy,
  fetchWith,
} from "@asyncbackoff/asyncbackoff/http";

/** Arguments that are wrong, the class of the error, and a part of its message. */
type Wrong = [
  policy: unknown,
  options: unknown,
  message: string,
  maker?: typeof RangeError,
];

/** Signals are made in a test, because some platforms allow them nowhere else. */
const policies = (): Wrong[] => [
  [5, {}, "Cannot make a fetch: the options must be an object, got 5"],
  ["3", {}, 'the options must be an object, got "3"'],
  [[3], {}, "the options must be an object, got an array of 1"],
  [fetch, {}, "the options must be an object, got function fetch"],
  [new Map(), {}, "the options must be an object, got an object (Map)"],
  [AbortSignal.abort(), {}, "did you mean '{ signal }'?"],
  [{ retries: 3 }, {}, "unknown option 'retries', did you mean 'maxTries: 4'"],
  [{ timeout: 3 }, {}, "unknown option 'timeout', did you mean 'attemptTimeout'?"],
  [{ max_tries: 3 }, {}, "unknown option 'max_tries', did you mean 'maxTries"],
  [{ initial: 3 }, {}, "did you mean 'pause: exponential({ initial: 3 })'?"],
  [
    { statuses: [500] },
    {},
    "unknown option 'statuses', it belongs in the other argument: " +
    "'fetchWith(policy, { statuses })'",
  ],
  [{ fetch }, {}, "it belongs in the other argument: 'fetchWith(policy, { fetch })'"],
  [
    { interceptors: [] },
    {},
    "unknown option 'interceptors', the options are attemptTimeout",
  ],
  [{ exceptions: "all" }, {}, "option 'exceptions' must be absent, because network errors"],
  [{ exceptions: [TypeError] }, {}, "'giveup' stops at some of them"],
  [{ maxTries: "3" }, {}, "option 'maxTries' must be an integer >= 1"],
  [{ deadline: "5s" }, {}, "option 'deadline' must be a number of milliseconds >= 0"],
  [{ pause: "1s" }, {}, "option 'otherwise' must be a finite number of milliseconds"],
  [{ pause: [] }, {}, "got an array of 0"],
  [{ signal: new AbortController() }, {}, "option 'signal' must be an AbortSignal"],
  [{ clock: Date }, {}, "option 'clock' must be an object with the functions"],
  [{ budget: {} }, {}, "option 'budget' must be an object with the function 'mayRetry'"],
  [{ giveup: true }, {}, "option 'giveup' must be a function, got true"],
  [{ maxTries: 0 }, {}, "option 'maxTries' must be an integer >= 1", RangeError],
  [{ deadline: -1 }, {}, "got -1", RangeError],
  [{ pause: -1 }, {}, "got -1", RangeError],
];

const options = (): Wrong[] => [
  [{}, 5, "the options must be an object, got 5"],
  [{}, fetch, "the options must be an object, got function fetch"],
  [{}, { status: [500] }, "unknown option 'status', the options are statuses, methods"],
  [{}, { Statuses: [500] }, "did you mean 'statuses'?"],
  [{}, { maxTries: 3 }, "it belongs in the other argument: 'fetchWith({ maxTries })'"],
  [{}, { baseUrl: "/" }, "unknown option 'baseUrl'"],
  [{}, { statuses: 503 }, "option 'statuses' must be an array of integers from 100 to 599"],
  [{}, { statuses: ["503"] }, 'got "503"'],
  [{}, { statuses: [99] }, "got 99"],
  [{}, { statuses: [600] }, "got 600"],
  [{}, { statuses: [503.5] }, "got 503.5"],
  [{}, { statuses: new Set([503]) }, "got an object (Set)"],
  [
    {},
    { methods: "POST" },
    "option 'methods' must be an array of methods, such as \"POST\"",
  ],
  [{}, { methods: [7] }, "got 7"],
  [{}, { methods: ["PO ST"] }, 'got "PO ST"'],
  [{}, { methods: [""] }, 'got ""'],
  [
    {},
    { idempotencyKey: "key" },
    "option 'idempotencyKey' must be true or false, got \"key\"",
  ],
  [{}, { dns: 1 }, "option 'dns' must be true or false, got 1"],
  [{}, { buffer: "yes" }, "option 'buffer' must be true or false"],
  [{}, { fetch: "fetch" }, "option 'fetch' must be a function, got \"fetch\""],
  [{}, { read: true }, "option 'read' must be a function, got true"],
  [{}, { read: () => 1, buffer: true }, "'buffer' and 'read' must not be given together"],
];

for (const [kind, cases] of Object.entries({ policies, options })) {
  Deno.test(`fetchWith() refuses ${kind} that are wrong, and says what is right`, () => {
    for (const [policy, given, message, maker = TypeError] of cases()) {
      const make = () => fetchWith(policy as FetchPolicy, given as FetchOptions);
      assertThrows(make, maker, message);
    }
  });
}

Deno.test("fetchWith() takes absent options as null and undefined, and a policy of any form", () => {
  for (const absent of [null, undefined]) {
    const policy = Object.fromEntries(
      ["attemptTimeout", "deadline", "maxTries", "pause", "exceptions", "minRemaining"]
        .map((name) => [name, absent]),
    );
    const names = "statuses methods idempotencyKey dns buffer fetch read".split(" ");
    const given = Object.fromEntries(names.map((name) => [name, absent]));
    assertEquals(typeof fetchWith(policy, given as FetchOptions), "function");
    assertEquals(typeof fetchWith(absent, absent), "function");
  }
  assertEquals(typeof fetchWith(new Backoff()), "function");
  assertEquals(typeof fetchWith({ maxTries: Infinity, deadline: Infinity }), "function");
});

Deno.test("fetchWith() takes a Backoff of another copy of the library by its shape", async () => {
  const given: BackoffOptions[] = [];
  const foreign = {
    execute: (fn: (attempt: unknown) => unknown) =>
      fn({ number: 1, signal: new AbortController().signal }),
    with(changes: BackoffOptions) {
      given.push(changes);
      return this;
    },
  };
  const get = fetchWith(foreign as unknown as Backoff, {
    fetch: () => Promise.resolve(new Response("up")),
  });
  assertEquals(await (await get("https://service.example/")).text(), "up");
  assert(typeof given[0]?.exceptions === "function");
  assertEquals(given[1], { maxTries: 1 });
});

Deno.test("fetchWith() is unaffected by later changes to the caller's lists", async () => {
  const statuses = [404];
  let calls = 0;
  const get = fetchWith({ maxTries: 2, pause: 0 }, {
    statuses,
    fetch: () => {
      calls += 1;
      return Promise.resolve(new Response(null, { status: 404 }));
    },
  });
  statuses.pop();
  assertEquals((await get("https://service.example/")).status, 404);
  assertEquals(calls, 2);
});
