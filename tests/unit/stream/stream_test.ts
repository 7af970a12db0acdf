// The arguments and options of a stream, its scope, and signals that throw.

import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Backoff, sleep } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenToUncaught } from "../../support/uncaught.ts";

const down = new Error("down");

async function* source() {
  yield await Promise.resolve("a");
}

async function received<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

Deno.test("stream() checks its arguments and options at once", () => {
  const policy = new Backoff();
  const wrong: [call: () => unknown, message: string][] = [
    [() => stream(policy, source() as never), "Cannot stream: 'fn' must be a function"],
    [() => stream(policy, null as never), "Cannot stream: 'fn' must be a function"],
    [
      () => stream({ maxTries: 3 }, source),
      "Cannot make a policy: it must say what it retries",
    ],
    [() => stream({ tries: 3 } as never, source), "unknown option 'tries'"],
    [() => stream(policy, source, { replays: true } as never), "unknown option 'replays'"],
    [
      () => stream(policy, source, { until: () => true } as never),
      "unknown option 'until'",
    ],
    [() => stream(policy, source, new AbortController().signal as never), "Cannot stream"],
    [() => stream(policy, source, 5 as never), "Cannot stream"],
    [
      () => stream(policy, source, { replay: 1 as never }),
      "option 'replay' must be true or false",
    ],
    [() => stream(policy, source, { signal: {} as never }), "option 'signal' must be"],
    [
      () => stream(policy, source, { observe: 1 as never }),
      "option 'observe' must be a function",
    ],
    [() => stream(policy, source, { name: 1 as never }), "option 'name' must be a string"],
    [
      () => stream(policy, source, { detached: 1 as never }),
      "option 'detached' must be true",
    ],
    [
      () => stream(policy, source, { within: {} as never }),
      "option 'within' must be an attempt",
    ],
  ];
  for (const [call, message] of wrong) assertThrows(call, TypeError, message);
});

Deno.test("stream() takes null and undefined for absent options, and a policy or its options", async () => {
  const absent = {
    replay: null,
    signal: undefined,
    observe: null,
    name: null,
    within: null,
  };
  const policies = [new Backoff(), {}, { exceptions: "all", maxTries: 2 } as const];
  for (const policy of policies) {
    for (const options of [undefined, null, {}, { ...absent, detached: undefined }]) {
      assertEquals(await received(stream(policy, source, options)), ["a"]);
    }
  }
});

Deno.test("stream() takes the name of a function whatever it is", async () => {
  const named = Object.defineProperty(() => source(), "name", { value: 5 });
  const names: string[] = [];
  const observe = ({ name }: { name: string }) => void names.push(name);
  await received(stream({ observe }, named));
  assertEquals(names, ["", ""]);
});

Deno.test("stream() refuses to be within an attempt and detached", async () => {
  await new Backoff().execute(async (within) => {
    const items = stream({}, source, { within, detached: true });
    await assertRejects(() => items.next(), TypeError, "exclude each other");
  });
});

Deno.test("stream() rejects when its signal throws, and never throws by itself", async () => {
  const fail = () => {
    throw down;
  };
  const { signal } = new AbortController();
  const hostile = Object.assign(signal, { addEventListener: fail });
  const items = stream({}, source, { signal: hostile });
  assertStrictEquals(await items.next().catch((error) => error), down);
  assertEquals(await items.next(), { done: true, value: undefined });
});

Deno.test("stream() ends as usual when its signal throws on removing the listener", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const { signal } = new AbortController();
  const removeEventListener = () => {
    throw down;
  };
  const sticky = Object.assign(signal, { removeEventListener });
  assertEquals(await received(stream({}, source, { signal: sticky })), ["a"]);
  await sleep(5);
  stop();
  assertEquals(uncaught, []);
});

Deno.test("stream() leaves no rejection unhandled, whoever looks away", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const clock = new TestClock();
  async function* broken() {
    yield await Promise.resolve("a");
    throw down;
  }
  const silent = stream({ deadline: 10, clock }, source);
  await silent.next();
  await clock.advance(20); // it rejects while the item is held, and nobody asks again
  const late = stream({ attemptTimeout: 10, maxTries: 1, clock }, async function* () {
    await sleep(20, { clock });
    yield* [];
    throw down;
  });
  const error = late.next().catch((error) => error);
  await clock.advance(50);
  assertEquals((await error).name, "TimeoutError");
  const stopped = stream({}, broken);
  await stopped.next();
  await stopped.return();
  const controller = new AbortController();
  const aborted = stream({}, source, { signal: controller.signal });
  await aborted.next();
  controller.abort(down);
  await sleep(5);
  stop();
  clock.close();
  assertEquals(uncaught, []);
});

Deno.test("stream() is an async generator by its shape", async () => {
  const items = stream({}, source);
  assertStrictEquals(items[Symbol.asyncIterator](), items);
  for (const name of ["next", "return", "throw"] as const) {
    assertInstanceOf(items[name], Function);
  }
  await items.return();
});
