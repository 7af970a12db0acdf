// The sources of items: async iterables, web streams, and everything that is neither.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { sleep } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { checkResult, iteratorOf } from "../../../src/stream/iterator.ts";
import { playStream } from "../../support/played_stream.ts";

const down = new Error("down");
const idsOf = (items: readonly [number, unknown][]) => items.map(([, item]) => item);

/** A web stream that produces some items, and then never ends. */
function webStream(items: unknown[], log: unknown[] = []): ReadableStream<unknown> {
  return new ReadableStream({
    start: (controller) => items.forEach((item) => controller.enqueue(item)),
    cancel: (reason) => void log.push("cancelled", reason),
  });
}

Deno.test("iteratorOf() refuses everything that is neither an async iterable nor a web stream, and nobody retries it", async () => {
  const wrong = [
    "text",
    5,
    null,
    undefined,
    true,
    [1, 2],
    new Map(),
    {},
    function* () {}(),
  ];
  for (const value of wrong) {
    for (const given of [value, Promise.resolve(value)]) {
      const { error, starts, reason } = await playStream(
        { exceptions: "all", pause: 10 },
        () => given as never,
      );
      assertInstanceOf(error, TypeError);
      assertEquals(
        error.message.split(", got")[0],
        [
          "Cannot stream: the result of 'fn' must be an async iterable",
          " a readable stream",
          " or a promise of one",
        ].join(","),
      );
      assertEquals([starts, reason], [[0], "nonRetryable"]);
    }
  }
});

Deno.test("stream() treats the error of a function, and the rejection of its promise, as a failure of the attempt", async () => {
  const failures = [
    () => {
      throw down;
    },
    () => Promise.reject(down),
  ];
  for (const fail of failures) {
    const { error, starts, reason } = await playStream(
      { exceptions: "all", pause: 10, maxTries: 3 },
      fail,
    );
    assertStrictEquals(error, down);
    assertEquals([starts, reason], [[0, 10, 20], "maxTries"]);
  }
});

Deno.test("stream() awaits the promise of a source, and of any thenable", async () => {
  async function* source() {
    yield await Promise.resolve("a");
  }
  const { items } = await playStream({}, async (_, clock) => {
    await sleep(20, { clock });
    return source();
  });
  assertEquals(items, [[20, "a"]]);
  const thenable = { then: (resolve: (value: unknown) => void) => resolve(source()) };
  assertEquals(idsOf((await playStream({}, () => thenable as never)).items), ["a"]);
});

Deno.test("stream() closes a source that comes after its attempt has ended, and asks it for nothing", async () => {
  for (const grace of [0, 20]) {
    const log: string[] = [];
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          log.push("asked");
          return Promise.resolve({ done: false as const, value: "late" });
        },
        return: () => {
          log.push("closed");
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    const { error, items, endedAt } = await playStream(
      { attemptTimeout: 20, maxTries: 1, grace },
      async (_, clock) => {
        await sleep(30, { clock });
        return source;
      },
    );
    assertEquals([`${error}`.slice(0, 12), items, endedAt], [
      "TimeoutError",
      [],
      grace === 0 ? 20 : 30,
    ]);
    assertEquals(log, ["closed"]);
  }
});

Deno.test("stream() closes a source that comes after the consumer has stopped", async () => {
  const log: unknown[] = [];
  const { reason } = await playStream(
    {},
    async (_, clock) => {
      await sleep(30, { clock });
      return webStream(["a"], log);
    },
    async (items) => {
      const pending = items.next();
      await items.return();
      assertEquals(await pending, { done: true, value: undefined });
    },
  );
  assertEquals([reason, log], ["success", ["cancelled", undefined]]);
});

Deno.test("stream() reads a web stream to its end, and releases it", async () => {
  const source = new ReadableStream<string>({
    pull(controller) {
      controller.enqueue("a");
      controller.enqueue("b");
      controller.close();
    },
  });
  const { items } = await playStream({}, () => source);
  assertEquals([idsOf(items), source.locked], [["a", "b"], false]);
});

Deno.test("stream() cancels a web stream, and releases it, when the consumer stops", async () => {
  const log: unknown[] = [];
  const source = webStream(["a", "b"], log);
  for await (const _ of stream({ grace: 1000 }, () => source)) break;
  assertEquals([log, source.locked], [["cancelled", undefined], false]);
});

Deno.test("stream() cancels a web stream whose read hangs at a timeout, and tries again", async () => {
  const log: unknown[] = [];
  const sources: ReadableStream<unknown>[] = [];
  const { items, starts, error, statistic } = await playStream(
    { exceptions: "all", idleTimeout: 50, attemptTimeout: 50, maxTries: 2, pause: 10 },
    (attempt) => {
      if (attempt.number === 2) {
        return new ReadableStream({
          start(controller) {
            controller.enqueue("a");
            controller.close();
          },
        });
      }
      sources.push(webStream([], log));
      return sources[0] as ReadableStream<unknown>;
    },
  );
  assertEquals([idsOf(items), starts, error], [["a"], [0, 60], null]);
  assertEquals([log, sources[0]?.locked], [["cancelled", undefined], false]);
  assertEquals([statistic.timeouts, statistic.late], [1, 0]);
});

Deno.test("stream() fails with the error of a web stream, and when it is locked", async () => {
  const errored = new ReadableStream({
    start: (controller) => controller.error(down),
  });
  const { error } = await playStream({}, () => errored);
  assertStrictEquals(error, down);
  const locked = webStream(["a"]);
  locked.getReader();
  const { error: refusal, reason } = await playStream({}, () => locked);
  assertInstanceOf(refusal, TypeError);
  assertEquals(reason, "nonRetryable");
});

Deno.test("stream() releases a web stream that fails to cancel", async () => {
  const source = new ReadableStream<string>({
    start: (controller) => controller.enqueue("a"),
    cancel: () => Promise.reject(down),
  });
  for await (const _ of stream({ grace: Infinity }, () => source)) break;
  assertEquals(source.locked, false);
});

Deno.test("checkResult() refuses results that are no objects, and nobody retries it", async () => {
  const result = { done: true, value: 1 };
  assertStrictEquals(checkResult(result), result as never);
  for (const wrong of [undefined, null, 5, "text", true]) {
    const { error, starts } = await playStream(
      { exceptions: "all", pause: 10 },
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => wrong as never }) }),
    );
    assertInstanceOf(error, TypeError);
    assertEquals(
      [error.message.split(", got")[0], starts],
      ["Cannot stream: the result of 'next' must be an object", [0]],
    );
  }
});

Deno.test("stream() treats what a hostile iterator throws as a failure of the attempt", async () => {
  const fail = () => {
    throw down;
  };
  const results = [
    {
      get done(): boolean {
        return fail();
      },
    },
    {
      done: false,
      get value(): unknown {
        return fail();
      },
    },
    {
      get then(): unknown {
        return fail();
      },
    },
    { then: (_: unknown, reject: (reason: unknown) => void) => reject(down) },
  ];
  const sources: unknown[] = [
    ...results.map((result) => ({
      [Symbol.asyncIterator]: () => ({ next: () => result }),
    })),
    { [Symbol.asyncIterator]: () => ({ next: fail }) },
    { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(down) }) },
    {
      [Symbol.asyncIterator]: () => ({
        get next() {
          return fail();
        },
      }),
    },
    { [Symbol.asyncIterator]: fail },
    { getReader: fail },
    { getReader: () => ({ read: fail, cancel: fail, releaseLock: fail }) },
    {
      get [Symbol.asyncIterator]() {
        return fail();
      },
    },
    new Proxy({}, { has: fail }),
  ];
  for (const [index, source] of sources.entries()) {
    const { error, starts, reason } = await playStream(
      { exceptions: "all", pause: 10, maxTries: 2 },
      () => source as never,
    );
    assertStrictEquals(error, down, `${index}`);
    assertEquals([starts, reason], [[0, 10], "maxTries"]);
  }
});

Deno.test("stream() does not return an iterator that has ended or failed, also when it is aborted at that moment", async () => {
  for (const isFailure of [true, false]) {
    const controller = new AbortController();
    let returned = 0;
    const result = {
      get done() {
        controller.abort("stop");
        if (isFailure) throw down;
        return true;
      },
    };
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve(result),
        return: () => Promise.resolve(returned++),
      }),
    };
    const { signal } = controller;
    const { error, reason } = await playStream({}, () => source as never, undefined, {
      signal,
    });
    assertEquals([error, reason, returned], ["stop", "aborted", 0]);
  }
});

Deno.test("stream() fails with a TypeError when a source has no iterator, or no next", async () => {
  for (const iterator of [undefined, null, {}, { next: 5 }]) {
    const { error } = await playStream(
      {},
      () => ({ [Symbol.asyncIterator]: () => iterator as never }),
    );
    assertInstanceOf(error, TypeError);
  }
});

Deno.test("iteratorOf() prefers the reader of a web stream, which works where streams are not iterable", async () => {
  const source = webStream(["a"]);
  Object.defineProperty(source, Symbol.asyncIterator, { value: undefined });
  const iterator = iteratorOf(source);
  assertEquals(await iterator.next(), { done: false, value: "a" });
  assert(source.locked);
  await iterator.return?.();
});
