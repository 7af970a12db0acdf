// The system's clock: its timers, on the platform and on fakes of it.

import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Backoff, sleep, systemClock, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { throwLater } from "../../../src/time/platform.ts";
import { makeSystem } from "../../../src/time/system_clock.ts";
import {
  fakePlatform,
  fakeTimers,
  replaceGlobals,
  withGlobals,
} from "../../support/globals.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

/** One turn of the event loop, in which the system's clock sweeps new timers. */
async function turn(): Promise<void> {
  await new TestClock().advance(0);
}

Deno.test("systemClock.now() never goes backwards, and advances by itself", async () => {
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

Deno.test("systemClock is never early by its own now() when many waits with fractions run at once", async () => {
  const early: string[] = [];
  const waits = Array.from({ length: 200 }, (_, index) => {
    const ms = Math.random() * 30;
    const beganAt = systemClock.now();
    const check = () => {
      const elapsed = systemClock.now() - beganAt;
      // Adding instants and subtracting them again leaves a residue.
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
  const host = fakePlatform();
  const { clock } = withGlobals(host.globals, makeSystem);
  const { armed, cleared } = host;
  const woke: number[] = [];
  const restore = replaceGlobals(host.globals);
  try {
    clock.after(10.25, () => woke.push(host.at));
    const cancel = clock.after(10, () => woke.push(-1));
    await turn();
    assertEquals(armed.map(({ ms }) => ms), [10]);

    host.at = 1009.5;
    armed[0]?.wake();
    await turn();
    assertEquals([woke, armed.map(({ ms }) => ms)], [[], [10, 1]]);
    cancel();
    await turn();
    // The timer of the platform is no later than the other timer, and stays.
    assertEquals([armed.length, cleared], [2, []]);
    host.at = 1010.5;
    armed[1]?.wake();
    await turn();
    assertEquals([woke, armed.length], [[1010.5], 2]);
  } finally {
    restore();
  }
});

Deno.test("systemClock.after() clears the platform's timer for the rest when it is cancelled", async () => {
  const host = fakePlatform();
  const { clock } = withGlobals(host.globals, makeSystem);
  const { armed, cleared } = host;
  const restore = replaceGlobals(host.globals);
  try {
    const cancel = clock.after(10, () => armed.length = 0);
    await turn();
    host.at = 1009.5;
    armed[0]?.wake();
    await turn();
    cancel();
    await turn();
    assertEquals([armed.length, cleared], [2, [2]]);
  } finally {
    restore();
  }
});

Deno.test("systemClock.after() waits in parts when a duration is too long for the platform's timers", async () => {
  const host = fakePlatform();
  host.at = 0;
  const { armed } = host;
  const restore = replaceGlobals(host.globals);
  try {
    const { clock } = makeSystem();
    let wokeAt = -1;
    clock.after(2 ** 32 + 10, () => wokeAt = host.at);
    await turn();
    for (const next of [2 ** 31 - 1, 2 ** 32 - 2]) {
      assertEquals(armed.at(-1)?.ms, 2 ** 31 - 1);
      host.at = next;
      armed.at(-1)?.wake();
      await turn();
      assertEquals(wokeAt, -1);
    }
    assertEquals(armed.at(-1)?.ms, 12);
    host.at = 2 ** 32 + 10;
    armed.at(-1)?.wake();
    await turn();
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

Deno.test("systemClock.after() sets no timer for Infinity", async () => {
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

Deno.test("systemClock.after() returns a cancel that is harmless twice and after the wake", async () => {
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

Deno.test("systemClock.after() returns a cancel that is harmless after the fake was restored", () => {
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

Deno.test("systemClock.after() returns a cancel that clears the timer only where it was set", () => {
  const time = new TestClock();
  const restore = replaceGlobals(fakeTimers(time));
  const cancel = systemClock.after(10, () => {});
  restore();
  const cleared: unknown[] = [];
  const restoreOther = replaceGlobals({ clearTimeout: (id: unknown) => cleared.push(id) });
  try {
    // On the real platform, another timer may have the same number.
    cancel();
  } finally {
    restoreOther();
  }
  assertEquals([cleared, time.pending], [[], 0]);
  time.close();
});

Deno.test("systemClock.after() does not wait for the residue of adding instants", async () => {
  // Not on FakeTime: a clock that waits for the residue again and again would hang there.
  const time = new TestClock();
  const restore = replaceGlobals(fakeTimers(time));
  try {
    const woke: number[] = [];
    // The first is 110.00000000000001, which is what a computation may result in.
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

Deno.test("systemClock and sleep() refuse durations that are not numbers >= 0", async () => {
  const rule = "Cannot wait: 'ms' must be a number of milliseconds >= 0";
  for (const ms of [-1, NaN, -Infinity]) {
    const message = `${rule}, got ${ms}`;
    await assertRejects(() => sleep(ms), RangeError, message);
    await assertRejects(() => systemClock.sleep(ms), RangeError, message);
    assertThrows(() => systemClock.after(ms, () => {}), RangeError, message);
  }
  for (const ms of ["5", null, undefined]) {
    await assertRejects(() => sleep(ms as unknown as number), TypeError, rule);
  }
});

Deno.test("systemClock.after() wakes at its instant when the time of a fake is ahead of its timers", () => {
  // Some fakes move time first, and then fire every timer that was due on the way.
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
    // The rest is counted from the present, not from the instant at which the part was due.
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

Deno.test("systemClock continues a limit in real time when a fake is removed", async () => {
  const time = new FakeTime(0);
  let result: Promise<unknown>;
  let restoredAt = NaN;
  try {
    let calls = 0;
    const backoff = new Backoff({
      exceptions: [],
      attemptTimeout: 30,
      pause: 10,
      maxTries: 2,
    });
    const fn = () => ++calls < 2 ? Promise.reject(new TimeoutError("attempt", 1)) : never;
    const never = new Promise(() => {});
    result = backoff.execute(fn).catch((error) => error.message);
    await time.runMicrotasks();
    time.tick(10); // ends the pause; the second attempt begins after the fake is removed
  } finally {
    time.restore();
    restoredAt = performance.now();
  }
  assertEquals(await result, "'fn' reached its attempt timeout of 30 ms");
  assertGreaterOrEqual(performance.now() - restoredAt, 29);
});

Deno.test("systemClock trusts a faked timer when no other time is faked", async () => {
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
    // By its own now(), not even a second has passed, and yet it never asks for the rest.
    assertEquals(instants.map((at) => Math.round(at / hour)), [0, 1, 2]);
  } finally {
    restore();
  }
  time.close();
});

const goneFakes: [what: string, globals: () => Record<string, unknown>][] = [
  ["of another name", () => fakeTimers(new TestClock())],
  ["marked by a property", () => {
    const { globals } = fakePlatform();
    Object.assign(globals.setTimeout, { clock: {} });
    return globals;
  }],
];

for (const [what, fake] of goneFakes) {
  Deno.test(`makeSystem() under a fake ${what} makes a clock that is not early on real timers`, () => {
    const { clock } = withGlobals(fake(), makeSystem);
    const host = fakePlatform();
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

for (const when of ["before", "after"]) {
  Deno.test(`makeSystem() recognises a fake that is marked by a property ${when} the call`, () => {
    const host = fakePlatform();
    const restore = replaceGlobals(host.globals);
    const mark = () => Object.assign(globalThis.setTimeout, { clock: {} });
    try {
      if (when === "before") mark();
      const { clock } = makeSystem();
      if (when === "after") mark();
      let wakes = 0;
      clock.after(10, () => wakes++);
      assertEquals(host.armed.map(({ ms }) => ms), [10]);
      // A faked timer is trusted, even if no other time is faked.
      host.armed[0]?.wake();
      assertEquals([wakes, host.armed.length], [1, 1]);
    } finally {
      restore();
    }
  });
}

/** A clock that is made on a platform that ties each timer to the request that sets it. */
function clockOnWorkers(host: ReturnType<typeof fakePlatform>) {
  const navigator = { userAgent: "Cloudflare-Workers" };
  return withGlobals({ ...host.globals, navigator }, makeSystem).clock;
}

Deno.test("makeSystem() on Cloudflare makes a clock that shares no timer, as each is tied to its request", () => {
  const host = fakePlatform();
  const clock = clockOnWorkers(host);
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

Deno.test("makeSystem() on Cloudflare makes a clock that wakes even under a fake that stands still", () => {
  const host = fakePlatform();
  const clock = clockOnWorkers(host);
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

Deno.test("makeSystem() works on a platform without a navigator", async () => {
  const { clock } = withGlobals({ navigator: undefined }, makeSystem);
  const beganAt = clock.now();
  await clock.sleep(1);
  assertGreaterOrEqual(clock.now() - beganAt, 1);
});

type HostFunction = "setTimeout" | "clearTimeout" | "now";

/** A platform of which one call of one function throws, before or after its effect. */
function faultyPlatform(name: HostFunction, nth: number, isAfter: boolean) {
  const armed = new Map<number, { wake: () => void; at: number }>();
  const self = { at: 1000, calls: 0, ids: 0, globals: {}, advance };
  const calling = <T>(called: HostFunction, call: () => T): T => {
    const isFault = called === name && ++self.calls === nth;
    if (isFault && !isAfter) throw new Error(`${name} throws`);
    const result = call();
    if (isFault) throw new Error(`${name} throws`);
    return result;
  };
  self.globals = {
    setTimeout(wake: () => void, ms: number) {
      return calling("setTimeout", () => {
        armed.set(++self.ids, { wake, at: self.at + ms });
        return self.ids;
      });
    },
    clearTimeout(id: number) {
      calling("clearTimeout", () => armed.delete(id));
    },
    performance: { now: () => calling("now", () => self.at) },
  };
  async function advance(ms: number): Promise<void> {
    const until = self.at + ms;
    for (let i = 0; i < 40; i++) {
      await turn();
      const [next] = [...armed].sort(([, one], [, other]) => one.at - other.at);
      if (next === undefined || next[1].at > until) continue;
      armed.delete(next[0]);
      self.at = Math.max(self.at, next[1].at);
      try {
        next[1].wake();
      } catch (error) {
        throwLater(error); // as a platform does
      }
    }
    self.at = until;
  }
  return { self, armed };
}

/** Waits in every way, and returns which waits have ended or were refused, in any order. */
async function waitOn({ self, armed }: ReturnType<typeof faultyPlatform>) {
  const restore = replaceGlobals(self.globals);
  const ended: string[] = [];
  let left = NaN;
  try {
    const { clock } = makeSystem();
    const controller = new AbortController();
    const { signal } = controller;
    const waits = {
      after: () => clock.after(10, () => ended.push("after")),
      cancelled: () => clock.after(30, () => ended.push("cancelled"))(),
      sleep: () => clock.sleep(20).then(() => ended.push("sleep")),
      abort: () => clock.sleep(50, { signal }).catch(() => ended.push("abort")),
      earlier: () => clock.after(5, () => ended.push("earlier")),
    };
    for (const [name, wait] of Object.entries(waits)) {
      try {
        const waiting = wait();
        // A clock that cannot be read refuses to wait.
        if (waiting instanceof Promise) waiting.catch(() => ended.push(name));
      } catch {
        ended.push(name);
      }
      await self.advance(0);
    }
    await self.advance(15);
    controller.abort("stop");
    await self.advance(40);
    const { calls } = self;
    self.calls = Infinity; // from here on nothing throws
    await new Promise<void>((resolve) => {
      clock.after(3, resolve);
      self.advance(10);
    });
    await self.advance(100);
    left = armed.size;
    return { ended: new Set(ended), calls, left };
  } finally {
    restore();
  }
}

for (const name of ["setTimeout", "clearTimeout", "now"] as const) {
  for (const isAfter of [false, true]) {
    const when = isAfter ? "after" : "before";
    Deno.test(`makeSystem() makes a clock that ends all waits whichever call of the platform's ${name}() throws ${when} its effect`, async () => {
      const uncaught: unknown[] = [];
      const stop = listenToUncaught((error) => uncaught.push(error));
      try {
        const plain = await waitOn(faultyPlatform(name, 0, isAfter));
        const all = ["after", "sleep", "abort", "earlier"];
        assertEquals([plain.ended, plain.left], [new Set(all), 0]);
        assertGreater(plain.calls, 0);
        for (let nth = 1; nth <= plain.calls; nth++) {
          const { ended, left } = await waitOn(faultyPlatform(name, nth, isAfter));
          ended.delete("cancelled"); // its cancelling may have failed
          assertEquals([ended, left], [new Set(all), 0], `call ${nth}`);
        }
        const isOwn = (error: unknown) => `${error}` === `Error: ${name} throws`;
        assertEquals(uncaught.filter((error) => !isOwn(error)), []);
      } finally {
        stop();
      }
    });
  }
}

Deno.test("systemClock works where timers are numbers, which have no methods", async () => {
  const time = new FakeTime(0);
  try {
    // FakeTime returns numbers, like browsers.
    const timer = setTimeout(() => {}, 1000);
    assertEquals(typeof timer, "number");
    clearTimeout(timer);
    const backoff = new Backoff({
      exceptions: [],
      attemptTimeout: 100,
      deadline: 1000,
      pause: 100,
    });
    const result = backoff.execute(({ number }) =>
      number === 2 ? "value" : new Promise(() => {})
    );
    for (const instant of [100, 200]) {
      await time.tickAsync(100);
      await time.runMicrotasks();
      assertEquals([time.now, backoff.statistic.attempts], [instant, instant / 100]);
    }
    assertEquals(await result, "value");
    assertEquals(time.next(), false);
  } finally {
    time.restore();
  }
});
