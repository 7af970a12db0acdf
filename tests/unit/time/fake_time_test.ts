// The system's time when timers, performance or Date are faked.

import { assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Backoff, sleep, systemClock } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { makeSystemTime } from "../../../src/time/fake_time.ts";
import { makeSystem } from "../../../src/time/system_clock.ts";
import {
  fakeDate,
  fakePlatform,
  fakeTimers,
  replaceGlobals,
  withGlobals,
} from "../../support/globals.ts";

/** One turn of the event loop, in which the system's clock sweeps new timers. */
async function turn(): Promise<void> {
  await new TestClock().advance(0);
}

Deno.test("makeSystemTime() determines whether timers are faked now, and whether they were", () => {
  const time = makeSystemTime();
  const fakes = fakeTimers(new TestClock());
  assertEquals([time.wasUnfaked, time.isFaked()], [true, false]);
  assertEquals(withGlobals(fakes, time.isFaked), true);
  assertEquals(withGlobals({ Date: fakeDate(() => 0) }, time.isFaked), false);
  const underFake = withGlobals(fakes, makeSystemTime);
  assertEquals([underFake.wasUnfaked, underFake.isFaked()], [false, false]);
  assertEquals(withGlobals(fakes, underFake.isFaked), true);
});

Deno.test("makeSystemTime() keeps the platform's own time, and converts instants to it", () => {
  const host = fakePlatform();
  const restore = replaceGlobals(host.globals);
  const faked = new TestClock(5000);
  try {
    const time = makeSystemTime();
    assertEquals([time.now(), time.realNow(), time.realInstant(1100)], [1000, 1000, 1100]);
    const fakes = { ...fakeTimers(faked), performance: { now: () => faked.now() + 3 } };
    const restoreFake = replaceGlobals(fakes);
    assertEquals([time.now(), time.realNow()], [1000, 1000]);
    host.at = 1250;
    assertEquals([time.now(), time.realNow()], [1000, 1250]);
    restoreFake();
    // Time continues from 1000, where the fake was: an offset of 250 ms.
    assertEquals([time.realInstant(1100), time.now(), time.realNow()], [1350, 1000, 1250]);
  } finally {
    restore();
  }
});

Deno.test("systemClock follows faked time when a fake is installed after load", () => {
  const time = new FakeTime(1000);
  try {
    const beganAt = systemClock.now();
    const log: [string, number][] = [];
    const note = (name: string) => log.push([name, systemClock.now() - beganAt]);
    // A fake truncates and must not be early, so a fraction waits for the next millisecond.
    for (const ms of [10, 0, 20.5, 10]) systemClock.after(ms, () => note(`${ms}`));
    assertEquals(systemClock.now(), beganAt);
    time.tick(30);
    assertEquals(log, [["0", 0], ["10", 10], ["10", 10], ["20.5", 21]]);
    assertEquals(systemClock.now(), beganAt + 30);
  } finally {
    time.restore();
  }
});

Deno.test("systemClock follows one faked time after another, whatever they start at", async () => {
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

Deno.test("systemClock.now() does not jump when a fake is installed or removed", async () => {
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

Deno.test("systemClock reads a faked performance rather than a faked Date", async () => {
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

Deno.test("makeSystem() under a fake makes a clock that follows the fake, and real time afterwards", async () => {
  const time = new FakeTime(1_000_000);
  let clock: typeof systemClock;
  try {
    clock = makeSystem().clock;
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

Deno.test("makeSystem() under a fake of performance makes a clock that follows real time afterwards", async () => {
  const time = new TestClock(1000);
  const restore = replaceGlobals({
    ...fakeTimers(time),
    performance: { now: () => time.now() },
    Date: fakeDate(() => time.now()),
  });
  let clock: typeof systemClock;
  try {
    clock = makeSystem().clock;
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
  // A clock that still read the removed fake would stand still.
  await clock.sleep(3, { signal: controller.signal });
  clearTimeout(guard);
  assertGreaterOrEqual(clock.now() - restoredAt, 3);
});

Deno.test("makeSystem() under a fake makes a clock that works when the fake is removed before its first use", async () => {
  const fakes = {
    ...fakeTimers(new TestClock()),
    performance: { now: () => 1000 },
  };
  const { clock } = withGlobals(fakes, makeSystem);
  const beganAt = clock.now();
  const controller = new AbortController();
  const guard = setTimeout(() => controller.abort("still asleep"), 2000);
  await clock.sleep(3, { signal: controller.signal });
  clearTimeout(guard);
  assertGreaterOrEqual(clock.now() - beganAt, 3);
});

Deno.test("makeSystem() makes a clock that does not freeze when performance alone is faked after another fake", async () => {
  const { clock } = makeSystem();
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

Deno.test("makeSystem() makes a clock that reads a faked performance rather than a faked Date", async () => {
  const time = new TestClock();
  const restore = replaceGlobals({
    ...fakeTimers(time),
    performance: { now: () => time.now() },
    Date: fakeDate(() => 5000),
  });
  Object.defineProperty(performance.now, "name", { value: "fakeNow" });
  try {
    const { clock } = makeSystem();
    const beganAt = clock.now();
    await time.advance(25);
    assertEquals(clock.now(), beganAt + 25);
  } finally {
    restore();
  }
});

Deno.test("systemClock reads performance when only the now() of Date is faked", async () => {
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

/** Faked dates whose source text resembles that of the platform's. */
const disguises: [what: string, disguise: (now: () => number) => unknown][] = [
  ["a function of the same name", (now) => {
    function Date() {} // keeps its name, because this file does not use the global's
    return Object.assign(Date, { now });
  }],
  ["a class whose source mentions the platform's", (now) => {
    return class Fake {
      static readonly now = now;
      static readonly source = "function Date() { [native code] }";
    };
  }],
];

for (const [what, disguise] of disguises) {
  Deno.test(`systemClock follows a faked Date that is ${what}`, async () => {
    const time = new TestClock();
    const fakes = { ...fakeTimers(time), Date: disguise(() => time.now()) };
    const isByClass = what.startsWith("a class"); // which is installed before the clock is made
    let clock = systemClock;
    const restore = replaceGlobals(fakes);
    try {
      if (isByClass) clock = makeSystem().clock;
      const beganAt = clock.now();
      await time.advance(25);
      assertEquals(clock.now(), beganAt + 25);
    } finally {
      restore();
    }
  });
}

Deno.test("systemClock.now() reads the same instant twice at a fraction of a faked millisecond", async () => {
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

Deno.test("makeSystemTime() treats a wrapped setTimeout as the platform's own, and recognises an unmarked fake", () => {
  const time = makeSystemTime();
  const { setTimeout } = globalThis;
  const instrumented = (...args: Parameters<typeof setTimeout>) => setTimeout(...args);
  assertEquals(withGlobals({ setTimeout: instrumented }, time.isFaked), false);
  const unmarked = () => ({ id: 1 });
  assertEquals(withGlobals({ setTimeout: unmarked }, time.isFaked), true);
  const broken = () => {
    throw new Error("not here");
  };
  assertEquals(withGlobals({ setTimeout: broken }, time.isFaked), true);
  const replacedDate = { setTimeout: instrumented, Date: fakeDate(() => 0) };
  assertEquals(withGlobals(replacedDate, time.isFaked), true);
  // Wrapped before the library is loaded.
  const early = withGlobals({ setTimeout: instrumented }, makeSystemTime);
  assertEquals(early.wasUnfaked, true);
});

Deno.test("makeSystemTime() treats the platform's own setTimeout as real when a program has bound it", () => {
  const bound = { setTimeout: setTimeout.bind(globalThis) };
  const time = makeSystemTime();
  assertEquals(withGlobals(bound, time.isFaked), false);
  const early = withGlobals(bound, makeSystemTime);
  assertEquals([early.wasUnfaked, early.isFaked()], [true, false]);
  // The fake timers of Node are bound functions of another name.
  const marked = {
    setTimeout: Object.defineProperty(() => 1, "name", { value: "bound #createTimer" }),
  };
  assertEquals(withGlobals(marked, time.isFaked), true);
});

Deno.test("makeSystemTime() treats a wrapped setTimeout that returns a number as the platform's own", () => {
  const time = makeSystemTime();
  const { setTimeout } = globalThis;
  const wrapped = (...args: Parameters<typeof setTimeout>) => Number(setTimeout(...args));
  assertEquals(withGlobals({ setTimeout: wrapped }, time.isFaked), false);
  const other = { setTimeout: () => 7 };
  assertEquals(withGlobals(other, time.isFaked), true);
});

Deno.test("makeSystemTime() recognises a wrapped setTimeout where timers are numbers", () => {
  const { globals } = fakePlatform();
  const restore = replaceGlobals(globals);
  try {
    const time = makeSystemTime();
    const { setTimeout } = globals;
    const wrapped = (wake: () => void, ms: number) => setTimeout(wake, ms);
    assertEquals(withGlobals({ setTimeout: wrapped }, time.isFaked), false);
    let id = 1000;
    assertEquals(withGlobals({ setTimeout: () => ++id }, time.isFaked), true);
  } finally {
    restore();
  }
});

Deno.test("makeSystemTime() follows Angular's fakeAsync by its zone", () => {
  let isInside = false;
  const current = {
    get: (key: string) => isInside && key.startsWith("FakeAsync") || undefined,
  };
  withGlobals({ Zone: { current } }, () => {
    const time = makeSystemTime();
    assertEquals(time.isFaked(), false);
    isInside = true;
    assertEquals(time.isFaked(), true);
  });
});

Deno.test("makeSystemTime() reads the wall clock where there is no performance", () => {
  withGlobals({ performance: undefined }, () => {
    const time = makeSystemTime();
    const before = Date.now();
    assertGreaterOrEqual(time.now(), before);
    const faked = { ...fakeTimers(new TestClock()), Date: fakeDate(() => 5) };
    withGlobals(faked, () => assertEquals(Number.isFinite(time.now()), true));
    withGlobals(fakeTimers(new TestClock()), () => {
      assertEquals(Number.isFinite(makeSystemTime().now()), true);
    });
  });
});
