// sleep(): a wait on any clock.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { type Clock, sleep } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { fakeDate, fakeTimers, withGlobals } from "../../support/globals.ts";

Deno.test("sleep() rejects with the reason itself when its signal is aborted, and leaves no timer", async () => {
  const reason = { just: "an object" };
  const controller = new AbortController();
  // The sanitizers of the test runner fail if a timer is left.
  const slept = sleep(60_000, { signal: controller.signal }).catch((error) => error);
  controller.abort(reason);
  assertStrictEquals(await slept, reason);
});

Deno.test("sleep() rejects at once when its signal is already aborted", async () => {
  const time = new FakeTime(0);
  try {
    const signal = AbortSignal.abort("before");
    assertEquals(await sleep(0, { signal }).catch((reason) => reason), "before");
    assert(!time.next());
  } finally {
    time.restore();
  }
});

Deno.test("sleep() removes its listener from the signal when it wakes", async () => {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  signal.addEventListener = (_: string, listener: unknown) => listeners.add(listener);
  signal.removeEventListener = (type: string, listener: unknown) =>
    type === "abort" && listeners.delete(listener);
  const slept = sleep(1, { signal });
  assertEquals(listeners.size, 1);
  await slept;
  assertEquals(listeners.size, 0);
});

Deno.test("sleep() adds one listener to a signal that many sleeps share, and removes it", async () => {
  const { signal } = new AbortController();
  const log: string[] = [];
  signal.addEventListener = () => log.push("add");
  signal.removeEventListener = () => log.push("remove");
  await Promise.all(Array.from({ length: 20 }, () => sleep(1, { signal })));
  assertEquals(log, ["add", "remove"]);
});

Deno.test("sleep() resolves when setTimeout calls back at once", async () => {
  const time = fakeTimers(new TestClock());
  const callBack = (wake: () => void) => (wake(), 0);
  const globals = { ...time, Date: fakeDate(() => 0), setTimeout: callBack };
  const { signal } = new AbortController();
  await withGlobals(globals, () => sleep(10, { signal }));
});

Deno.test("sleep() passes the duration and the signal to the given clock", async () => {
  const calls: unknown[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, options) => {
      calls.push([ms, options?.signal]);
      return Promise.resolve();
    },
  };
  const { signal } = new AbortController();
  await sleep(10.5, { clock, signal });
  await sleep(5, { clock, signal: undefined });
  assertEquals(calls, [[10.5, signal], [5, undefined]]);
  await sleep(1, { clock: undefined });
});

Deno.test("sleep() treats null as absent, for its options and each of them", async () => {
  const clock = new TestClock();
  await clock.run(sleep(10, { clock, signal: null }));
  assertEquals(clock.now(), 10);

  const time = new FakeTime(0);
  try {
    for (const options of [null, undefined, { clock: null }]) {
      const slept = sleep(10, options);
      time.tick(10);
      await slept;
    }
    assertEquals(time.now, 30);
  } finally {
    time.restore();
  }
});

Deno.test("sleep() rejects and sets no timer when its signal is not a signal", async () => {
  const clock = new TestClock();
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const wrong: [signal: unknown, got: string][] = [
    [new AbortController(), "an object (AbortController)"],
    ["signal", '"signal"'],
    [revoked.proxy, "a value that cannot be described"],
  ];
  for (const [signal, got] of wrong) {
    const options = { clock, signal: signal as AbortSignal };
    const { message } = await assertRejects(() => sleep(10, options), TypeError);
    assertEquals(message, `Cannot wait: 'signal' must be an AbortSignal, got ${got}`);
  }
  clock.close();
});
