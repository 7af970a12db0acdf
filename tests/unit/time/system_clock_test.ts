// The system's time: real, faked, and where the two meet.

import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  Backoff,
  type Clock,
  sleep,
  systemClock,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { loadCopy, replaceGlobals } from "../../support/fresh_copy.ts";

/** The clock of a copy of the library that is loaded now. */
async function loadClock(): Promise<typeof systemClock> {
  return (await loadCopy<{ systemClock: typeof systemClock }>("clock")).systemClock;
}

/** Timers that fire when a test clock says so, as a framework would install them. */
function fakeTimers(time: TestClock) {
  const cancels: (() => void)[] = [];
  return {
    setTimeout: function fakeSetTimeout(wake: () => void, ms = 0) {
      return cancels.push(time.after(ms, wake));
    },
    clearTimeout: function fakeClearTimeout(id: number) {
      cancels[id - 1]?.();
    },
  };
}

/** What stands for the platform's own timers and time, by their names. */
function platform() {
  const armed: { wake: () => void; ms: number }[] = [];
  const globals = {
    setTimeout(wake: () => void, ms: number) {
      return armed.push({ wake, ms });
    },
    clearTimeout() {},
    performance: { now: () => self.at },
  };
  const self = { at: 1000, armed, globals };
  return self;
}

/** A turn of the event loop, on which the system's clock looks at what was set. */
async function turn(): Promise<void> {
  await new TestClock().advance(0);
}

/** A class of dates that says what a function says. */
function fakeDate(now: () => number) {
  return class FakeDate extends globalThis.Date {
    static override now(): number {
      return now();
    }
  };
}

Deno.test("systemClock.now() never goes backwards, and moves by itself", async () => {
  const first = systemClock.now();
  let last = first;
  for (let i = 0; i < 10_000; i++) {
    const now = systemClock.now();
    assertGreaterOrEqual(now, last);
    last = now;
  }
  await systemClock.sleep(2);
  assertGreater(systemClock.now(), first);
});

Deno.test("systemClock is never early by its own now() when many waits of fractions run at once", async () => {
  const early: string[] = [];
  const waits = Array.from({ length: 200 }, (_, index) => {
    const ms = Math.random() * 30;
    const beganAt = systemClock.now();
    const check = () => {
      const elapsed = systemClock.now() - beganAt;
      // Adding instants and subtracting them again has its own noise.
      if (elapsed < ms - 1e-6) early.push(`${elapsed} of ${ms}`);
    };
    if (index % 2 === 0) return sleep(ms).then(check);
    return new Promise<void>((resolve) => {
      systemClock.after(ms, () => resolve(check()));
    });
  });
  await Promise.all(waits);
  assertEquals(early, []);
});

Deno.test("systemClock.after() asks for the rest when the platform's timers fire early", async () => {
  // What the platform has at load is real time to the library, so these stand for it.
  let now = 1000;
  const armed: { wake: () => void; ms: number }[] = [];
  const cleared: number[] = [];
  const restore = replaceGlobals({
    setTimeout(wake: () => void, ms: number) {
      return armed.push({ wake, ms });
    },
    clearTimeout(id: number) {
      cleared.push(id);
    },
    performance: { now: { now: () => now }.now },
  });
  try {
    const clock = await loadClock();
    const woke: number[] = [];
    clock.after(10.25, () => woke.push(now));
    const cancel = clock.after(10, () => woke.push(-1));
    await turn();
    assertEquals(armed.map(({ ms }) => ms), [11, 10]);

    now = 1009.5;
    armed[0]?.wake();
    assertEquals([woke, armed.at(-1)?.ms], [[], 1]);
    armed[1]?.wake();
    cancel();
    await turn();
    // What is cancelled is the timer for the rest.
    assertEquals([armed.length, cleared], [4, [4]]);
    now = 1010.5;
    armed[2]?.wake();
    assertEquals([woke, armed.length], [[1010.5], 4]);
  } finally {
    restore();
  }
});

Deno.test("systemClock.after() waits in parts when the platform's timers cannot be that long", async () => {
  let now = 0;
  const armed: { wake: () => void; ms: number }[] = [];
  const restore = replaceGlobals({
    setTimeout(wake: () => void, ms: number) {
      return armed.push({ wake, ms });
    },
    performance: { now: { now: () => now }.now },
  });
  try {
    const clock = await loadClock();
    let wokeAt = -1;
    clock.after(2 ** 32 + 10, () => wokeAt = now);
    await turn();
    for (const next of [2 ** 31 - 1, 2 ** 32 - 2]) {
      assertEquals(armed.at(-1)?.ms, 2 ** 31 - 1);
      now = next;
      armed.at(-1)?.wake();
      assertEquals(wokeAt, -1);
    }
    assertEquals(armed.at(-1)?.ms, 12);
    now = 2 ** 32 + 10;
    armed.at(-1)?.wake();
    assertEquals([wokeAt, armed.length], [2 ** 32 + 10, 3]);
  } finally {
    restore();
  }
});

Deno.test("systemClock.after() is exact past 2^31 - 1 ms", () => {
  for (const ms of [2 ** 31, 2 ** 31 + 1000, 3 * 2 ** 31 + 0.5]) {
    const time = new FakeTime(0);
    try {
      let wokeAt = -1;
      systemClock.after(ms, () => wokeAt = time.now);
      time.tick(Math.ceil(ms) - 1);
      assertEquals(wokeAt, -1);
      time.tick(1);
      assertEquals(wokeAt, Math.ceil(ms));
      assert(!time.next());
    } finally {
      time.restore();
    }
  }
});

Deno.test("systemClock.after() sets no timer when asked for Infinity", async () => {
  const time = new FakeTime(0);
  try {
    const cancel = systemClock.after(Infinity, () => {});
    const controller = new AbortController();
    const slept = sleep(Infinity, { signal: controller.signal }).catch((reason) => reason);
    assert(!time.next());
    cancel();
    controller.abort("enough");
    assertEquals(await slept, "enough");
  } finally {
    time.restore();
  }
});

Deno.test("systemClock.after() gives a cancel that is harmless twice and after the wake", async () => {
  let woke = 0;
  const cancelled = systemClock.after(1, () => woke += 100);
  cancelled();
  cancelled();
  await new Promise<void>((resolve) => {
    const cancel = systemClock.after(2, () => {
      woke++;
      cancel();
      resolve();
    });
  });
  assertEquals(woke, 1);
});

Deno.test("systemClock.after() gives a cancel that is harmless when the fake was restored", () => {
  const time = new FakeTime(0);
  const cancel = systemClock.after(10, () => {});
  time.restore();
  cancel();
  const another = new FakeTime(0);
  try {
    cancel();
  } finally {
    another.restore();
  }
});

Deno.test("systemClock.after() gives a cancel that clears the timer where it was armed, and nowhere else", () => {
  const time = new TestClock();
  const restore = replaceGlobals(fakeTimers(time));
  const cancel = systemClock.after(10, () => {});
  restore();
  const cleared: unknown[] = [];
  const restoreOther = replaceGlobals({ clearTimeout: (id: unknown) => cleared.push(id) });
  try {
    // Elsewhere another timer may go by the same number.
    cancel();
  } finally {
    restoreOther();
  }
  assertEquals([cleared, time.pending], [[], 0]);
  time.close();
});

Deno.test("systemClock.after() takes the noise of adding instants for no time to wait for", async () => {
  // Not on FakeTime: what asks for the noise again and again would hang there.
  const time = new TestClock();
  const restore = replaceGlobals(fakeTimers(time));
  try {
    const woke: number[] = [];
    // The first is 110.00000000000001, as a duration that was computed may be.
    for (const ms of [100 * 1.1, 2 ** 31 + 5e-7, 110.001]) {
      systemClock.after(ms, () => woke.push(time.now()));
    }
    await time.advance(2 ** 31);
    assertEquals(woke, [110, 111, 2 ** 31]);
  } finally {
    restore();
  }
  time.close();
});

Deno.test("systemClock refuses durations that are no number >= 0", async () => {
  for (const ms of [-1, NaN, -Infinity]) {
    await assertRejects(() => sleep(ms), RangeError, String(ms));
    await assertRejects(() => systemClock.sleep(ms), RangeError, String(ms));
    await assertRejects(
      async () => await systemClock.after(ms, () => {}),
      RangeError,
      String(ms),
    );
  }
  for (const ms of ["5", null, undefined]) {
    await assertRejects(() => sleep(ms as unknown as number), TypeError, "'ms'");
  }
});

Deno.test("sleep() rejects with the reason itself when its signal is aborted, and its timer is gone", async () => {
  const reason = { just: "an object" };
  const controller = new AbortController();
  // The sanitizers see to it that nothing of the minute is left.
  const slept = sleep(60_000, { signal: controller.signal }).catch((error) => error);
  controller.abort(reason);
  assertStrictEquals(await slept, reason);
});

Deno.test("sleep() rejects at once when its signal is aborted already", async () => {
  const time = new FakeTime(0);
  try {
    const signal = AbortSignal.abort("before");
    assertEquals(await sleep(0, { signal }).catch((reason) => reason), "before");
    assert(!time.next());
  } finally {
    time.restore();
  }
});

Deno.test("sleep() takes its listener off the signal when it wakes", async () => {
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

Deno.test("sleep() hands the duration and the signal to the clock given", async () => {
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

Deno.test("systemClock follows faked time when it is faked after load", () => {
  const time = new FakeTime(1000);
  try {
    const beganAt = systemClock.now();
    const log: [string, number][] = [];
    const note = (name: string) => log.push([name, systemClock.now() - beganAt]);
    // A fake rounds down, and must not be early: a fraction waits until the next ms.
    for (const ms of [10, 0, 20.5, 10]) systemClock.after(ms, () => note(`${ms}`));
    assertEquals(systemClock.now(), beganAt);
    time.tick(30);
    assertEquals(log, [["0", 0], ["10", 10], ["10", 10], ["20.5", 21]]);
    assertEquals(systemClock.now(), beganAt + 30);
  } finally {
    time.restore();
  }
});

Deno.test("systemClock follows each of several faked times, whatever they start at", async () => {
  let last = systemClock.now();
  for (const start of [5_000_000, 1_000_000, 7_000_000, 0]) {
    const time = new FakeTime(start);
    try {
      const beganAt = systemClock.now();
      assertGreaterOrEqual(beganAt, last);
      const instants: number[] = [];
      const backoff = new Backoff({ deadline: 100, pause: 40, exceptions: [Error] });
      const result = backoff.execute(() => {
        instants.push(time.now - start);
        throw new Error("down");
      }).catch(() => instants.push(time.now - start));
      await time.runMicrotasks();
      while (time.next()) await time.runMicrotasks();
      await result;
      assertEquals(instants, [0, 40, 80, 100]);
      assertEquals(systemClock.now(), beganAt + 100);
      last = systemClock.now();
    } finally {
      time.restore();
    }
  }
});

Deno.test("systemClock.now() does not jump when a fake comes or goes", async () => {
  const instants = [systemClock.now()];
  const far = 4_000_000_000_000;
  for (const start of [0, far, 1000]) {
    const time = new FakeTime(start);
    try {
      instants.push(systemClock.now());
      time.tick(100);
      instants.push(systemClock.now());
    } finally {
      time.restore();
    }
    instants.push(systemClock.now());
    await sleep(1);
    instants.push(systemClock.now());
  }
  for (const [index, instant] of instants.entries()) {
    const step = instant - (instants[index - 1] ?? instant);
    assertGreaterOrEqual(step, 0);
    assertLess(step, 60_000);
  }
});

Deno.test("systemClock neither jumps nor freezes when Date alone is faked", async () => {
  const before = systemClock.now();
  for (const stopped of [0, 4_000_000_000_000]) {
    const restore = replaceGlobals({ Date: fakeDate(() => stopped) });
    try {
      const beganAt = systemClock.now();
      await sleep(3);
      assertGreaterOrEqual(systemClock.now() - beganAt, 3);
      assertLess(systemClock.now() - before, 60_000);
    } finally {
      restore();
    }
  }
});

Deno.test("systemClock neither jumps nor freezes when performance alone is faked", async () => {
  const before = systemClock.now();
  const { now } = performance;
  const isOwn = Object.hasOwn(performance, "now");
  for (const stopped of [0, 4_000_000_000_000]) {
    const restore = replaceGlobals({ performance: { now: () => stopped } });
    try {
      const beganAt = systemClock.now();
      await sleep(3);
      assertGreaterOrEqual(systemClock.now() - beganAt, 3);
      assertLess(systemClock.now() - before, 60_000);
    } finally {
      restore();
    }
    performance.now = () => stopped;
    try {
      await sleep(3);
      assertLess(systemClock.now() - before, 60_000);
    } finally {
      if (isOwn) performance.now = now;
      else Reflect.deleteProperty(performance, "now");
    }
  }
  assertGreater(systemClock.now(), before);
});

Deno.test("systemClock counts by a faked performance rather than by a faked Date", async () => {
  const time = new TestClock();
  const restore = replaceGlobals({
    ...fakeTimers(time),
    performance: { now: () => time.now() },
    Date: fakeDate(() => 5000),
  });
  try {
    const beganAt = systemClock.now();
    const woke: number[] = [];
    systemClock.after(10, () => woke.push(systemClock.now() - beganAt));
    await time.advance(25);
    assertEquals(woke, [10]);
    assertEquals(systemClock.now(), beganAt + 25);
  } finally {
    restore();
  }
  time.close();
});

Deno.test("systemClock takes a faked timer at its word when no other time is faked", async () => {
  const time = new TestClock();
  const restore = replaceGlobals(fakeTimers(time));
  try {
    const hour = 3_600_000;
    const backoff = new Backoff({ pause: hour, maxTries: 3, exceptions: "all" });
    const instants: number[] = [];
    const result = backoff.execute(() => {
      instants.push(time.now());
      throw "down";
    });
    assertEquals(await time.run(result.catch((error) => error)), "down");
    // By its own now() not even a second has passed, and yet it never asks again.
    assertEquals(instants.map((at) => Math.round(at / hour)), [0, 1, 2]);
  } finally {
    restore();
  }
  time.close();
});

Deno.test("systemClock follows faked time when it is loaded under the fake, and real time afterwards", async () => {
  const time = new FakeTime(1_000_000);
  let clock: typeof systemClock;
  try {
    clock = await loadClock();
    const beganAt = clock.now();
    const woke: number[] = [];
    clock.after(10.5, () => woke.push(clock.now() - beganAt));
    time.tick(10);
    assertEquals(woke, []);
    time.tick(15);
    assertEquals([woke, clock.now()], [[11], beganAt + 25]);
  } finally {
    time.restore();
  }
  const restoredAt = clock.now();
  await clock.sleep(3);
  assertGreaterOrEqual(clock.now() - restoredAt, 3);
});

Deno.test("systemClock follows real time when it was loaded under a fake of performance that is gone", async () => {
  const time = new TestClock(1000);
  const restore = replaceGlobals({
    ...fakeTimers(time),
    performance: { now: () => time.now() },
    Date: fakeDate(() => time.now()),
  });
  let clock: typeof systemClock;
  try {
    clock = await loadClock();
    const beganAt = clock.now();
    let wokeAt = -1;
    clock.after(10, () => wokeAt = clock.now());
    await time.advance(25);
    assertEquals([wokeAt - beganAt, clock.now() - beganAt], [10, 25]);
  } finally {
    restore();
  }
  time.close();
  const restoredAt = clock.now();
  const controller = new AbortController();
  const guard = setTimeout(() => controller.abort("still asleep"), 2000);
  // A clock that goes on by the fake that is gone stands still for ever.
  await clock.sleep(3, { signal: controller.signal });
  clearTimeout(guard);
  assertGreaterOrEqual(clock.now() - restoredAt, 3);
});

Deno.test("sleep() takes null for an option that is absent", async () => {
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

Deno.test("sleep() rejects, and arms no timer, when its signal is none", async () => {
  const clock = new TestClock();
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  for (const signal of [new AbortController(), "signal", revoked.proxy]) {
    const options = { clock, signal: signal as unknown as AbortSignal };
    await assertRejects(
      () => sleep(10, options),
      TypeError,
      "'signal' must be an AbortSignal",
    );
  }
  clock.close();
});

Deno.test("systemClock.after() wakes at its instant when a fake's time is ahead of its timers", () => {
  // As of a fake that moves time first, and then fires all that was due on the way.
  let now = 0;
  const armed: { wake: () => void; ms: number }[] = [];
  const restore = replaceGlobals({
    setTimeout: (wake: () => void, ms: number) => armed.push({ wake, ms }),
    performance: { now: () => now },
  });
  try {
    const woke: number[] = [];
    systemClock.after(2 ** 32, () => woke.push(now));
    assertEquals(armed.map(({ ms }) => ms), [2 ** 31 - 1]);

    now = 2 ** 31;
    armed[0]?.wake();
    // The rest is counted from the time that it is, and not from when the part was due.
    assertEquals(armed[1]?.ms, 2 ** 31 - 1);
    assertEquals(woke, []);
    now = 2 ** 32 - 1;
    armed[1]?.wake();
    assertEquals(armed[2]?.ms, 1);
    now = 2 ** 32;
    armed[2]?.wake();
    assertEquals([woke, armed.length], [[2 ** 32], 3]);
  } finally {
    restore();
  }
});

Deno.test("systemClock counts a limit on from where a fake was when it went", async () => {
  const time = new FakeTime(0);
  let result: Promise<unknown>;
  let restoredAt = NaN;
  try {
    let tries = 0;
    const backoff = new Backoff({ attemptTimeout: 30, pause: 10, maxTries: 2 });
    const fn = () => ++tries < 2 ? Promise.reject(new TimeoutError("attempt", 1)) : never;
    const never = new Promise(() => {});
    result = backoff.execute(fn).catch((error) => error.message);
    await time.runMicrotasks();
    time.tick(10); // the pause is over; the second attempt begins when the fake has gone
  } finally {
    time.restore();
    restoredAt = performance.now();
  }
  assertEquals(await result, "'fn' reached its attempt timeout of 30 ms");
  assertGreaterOrEqual(performance.now() - restoredAt, 29);
});

Deno.test("systemClock goes on when a fake that it was loaded under is gone before it is used", async () => {
  const restore = replaceGlobals({
    ...fakeTimers(new TestClock()),
    performance: { now: () => 1000 },
  });
  const clock = await loadClock().finally(restore);
  const beganAt = clock.now();
  const controller = new AbortController();
  const guard = setTimeout(() => controller.abort("still asleep"), 2000);
  await clock.sleep(3, { signal: controller.signal });
  clearTimeout(guard);
  assertGreaterOrEqual(clock.now() - beganAt, 3);
});

const goneFakes: [what: string, globals: () => Record<string, unknown>][] = [
  ["of another name", () => fakeTimers(new TestClock())],
  ["marked by a property", () => {
    const { globals } = platform();
    Object.assign(globals.setTimeout, { clock: {} });
    return globals;
  }],
];

for (const [what, fake] of goneFakes) {
  Deno.test(`systemClock.after() is not early on real timers when it was loaded under a fake ${what}`, async () => {
    const restoreFake = replaceGlobals(fake());
    const clock = await loadClock().finally(restoreFake);
    const host = platform();
    const restore = replaceGlobals(host.globals);
    try {
      const woke: number[] = [];
      clock.after(10, () => woke.push(host.at));
      host.at = 1009.5;
      host.armed[0]?.wake();
      assertEquals([host.armed.map(({ ms }) => ms), woke], [[10, 1], []]);
      host.at = 1010;
      host.armed[1]?.wake();
      assertEquals([host.armed.length, woke], [2, [1010]]);
    } finally {
      restore();
    }
  });
}

for (const when of ["before it is loaded", "afterwards"]) {
  Deno.test(`systemClock takes the platform's timer for a fake when it is marked by a property ${when}`, async () => {
    const host = platform();
    const restore = replaceGlobals(host.globals);
    const mark = () => Object.assign(globalThis.setTimeout, { clock: {} });
    try {
      if (when !== "afterwards") mark();
      const clock = await loadClock();
      if (when === "afterwards") mark();
      let wakes = 0;
      clock.after(10, () => wakes++);
      assertEquals(host.armed.map(({ ms }) => ms), [10]);
      // A fake is taken at its word, also where no other time is faked.
      host.armed[0]?.wake();
      assertEquals([wakes, host.armed.length], [1, 1]);
    } finally {
      restore();
    }
  });
}

/** A copy of the clock, on a platform that ties each timer to a request. */
async function loadOnWorkers(
  host: ReturnType<typeof platform>,
): Promise<typeof systemClock> {
  const navigator = { userAgent: "Cloudflare-Workers" };
  const restore = replaceGlobals({ ...host.globals, navigator });
  return await loadClock().finally(restore);
}

Deno.test("systemClock.after() shares no timer when each is tied to the request that sets it", async () => {
  const host = platform();
  const clock = await loadOnWorkers(host);
  const restore = replaceGlobals(host.globals);
  try {
    const woke: string[] = [];
    clock.after(10, () => woke.push("one"));
    clock.after(10, () => woke.push("other"));
    assertEquals(host.armed.map(({ ms }) => ms), [10, 10]);
    host.at = 1010;
    host.armed[1]?.wake();
    host.armed[0]?.wake();
    assertEquals(woke, ["other", "one"]);
  } finally {
    restore();
  }
});

Deno.test("systemClock.after() wakes all the same when a fake has come that stands still", async () => {
  const host = platform();
  const clock = await loadOnWorkers(host);
  const restore = replaceGlobals(host.globals);
  const time = new TestClock();
  let wakes = 0;
  clock.after(10, () => wakes++);
  const restoreFake = replaceGlobals(fakeTimers(time));
  try {
    host.armed[0]?.wake();
    assertEquals([wakes, time.pending], [1, 0]);
  } finally {
    restoreFake();
    restore();
  }
});

Deno.test("systemClock works when the platform has no navigator", async () => {
  const restore = replaceGlobals({ navigator: undefined });
  const clock = await loadClock().finally(restore);
  const beganAt = clock.now();
  await clock.sleep(1);
  assertGreaterOrEqual(clock.now() - beganAt, 1);
});

Deno.test("systemClock does not freeze when performance alone is faked after a fake that is gone", async () => {
  const clock = await loadClock();
  const restoreFake = replaceGlobals(fakeTimers(new TestClock()));
  clock.now();
  restoreFake();
  clock.now();
  const restore = replaceGlobals({ performance: { now: () => 0 } });
  try {
    const beganAt = clock.now();
    await clock.sleep(3);
    assertGreaterOrEqual(clock.now() - beganAt, 3);
  } finally {
    restore();
  }
});

Deno.test("systemClock counts by a performance rather than by a Date that were faked at load", async () => {
  const time = new TestClock();
  const restore = replaceGlobals({
    ...fakeTimers(time),
    performance: { now: () => time.now() },
    Date: fakeDate(() => 5000),
  });
  Object.defineProperty(performance.now, "name", { value: "fakeNow" });
  try {
    const clock = await loadClock();
    const beganAt = clock.now();
    await time.advance(25);
    assertEquals(clock.now(), beganAt + 25);
  } finally {
    restore();
  }
});

Deno.test("systemClock counts by performance when of Date its now() alone is faked", async () => {
  const time = new TestClock();
  const restore = replaceGlobals(fakeTimers(time));
  const { now } = globalThis.Date;
  globalThis.Date.now = () => 0;
  try {
    const beganAt = systemClock.now();
    const until = performance.now() + 3;
    while (performance.now() < until) await turn();
    assertGreaterOrEqual(systemClock.now() - beganAt, 3);
  } finally {
    globalThis.Date.now = now;
    restore();
  }
});

/** Dates that are hard to tell from the platform's by their source. */
const disguises: [what: string, disguise: (now: () => number) => unknown][] = [
  ["a function of the same name", (now) => {
    function Date() {} // keeps its name, as nothing in this file uses the global's alone
    return Object.assign(Date, { now });
  }],
  ["a class that speaks of the platform's", (now) => {
    return class Fake {
      static readonly now = now;
      static readonly source = "function Date() { [native code] }";
    };
  }],
];

for (const [what, disguise] of disguises) {
  Deno.test(`systemClock follows a faked Date when that is ${what}`, async () => {
    const time = new TestClock();
    const fakes = { ...fakeTimers(time), Date: disguise(() => time.now()) };
    const isByClass = what.startsWith("a class"); // which is there at load
    let clock = systemClock;
    const restore = replaceGlobals(fakes);
    try {
      if (isByClass) clock = await loadClock();
      const beganAt = clock.now();
      await time.advance(25);
      assertEquals(clock.now(), beganAt + 25);
    } finally {
      restore();
    }
  });
}

Deno.test("systemClock.now() is the same when it is read again at a fraction of a fake's millisecond", async () => {
  const time = new TestClock();
  const restore = replaceGlobals({
    ...fakeTimers(time),
    performance: { now: () => time.now() },
  });
  try {
    const beganAt = systemClock.now();
    await time.advance(0.25);
    assertEquals(systemClock.now(), beganAt + 0.25);
    assertEquals(systemClock.now(), beganAt + 0.25);
  } finally {
    restore();
  }
});
