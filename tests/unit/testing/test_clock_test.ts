// TestClock: time that moves only when the test moves it.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import fc from "fast-check";
import { sleep } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { nextTurn } from "../../../src/time/platform.ts";

/** Sets a timer for each duration, which logs `duration@instant` when it fires. */
function logging(clock: TestClock, ...durations: number[]): string[] {
  const log: string[] = [];
  for (const ms of durations) clock.after(ms, () => log.push(`${ms}@${clock.now()}`));
  return log;
}

/** A signal whose listeners are counted. */
function countedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  const count = { added: 0, removed: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    count.added++;
    return addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    count.removed++;
    return removeEventListener.apply(signal, args);
  };
  return { controller, signal, count };
}

Deno.test("TestClock.now() starts at 0, and stands still until it is moved", async () => {
  const clock = new TestClock();
  const log = logging(clock, 0);
  await new Promise((resolve) => setTimeout(resolve, 2));
  assertEquals([clock.now(), log, clock.pending], [0, [], 1]);
  await clock.advance(0);
  assertEquals(log, ["0@0"]);
  clock.close();
});

Deno.test("TestClock() starts at the given instant", async () => {
  for (const start of [1000, -1000, 0.5]) {
    const clock = new TestClock(start);
    assertEquals(clock.now(), start);
    const log = logging(clock, 10);
    await clock.advance(10);
    assertEquals(log, [`10@${start + 10}`]);
    clock.close();
  }
});

Deno.test("TestClock() throws when start is not a finite number", () => {
  const rule = "Cannot make a test clock: 'start' must be a finite number";
  for (const start of [NaN, Infinity, -Infinity]) {
    const { message } = assertThrows(() => new TestClock(start), RangeError);
    assertEquals(message, `${rule}, got ${start}`);
  }
  const text = "5" as unknown as number;
  const { message } = assertThrows(() => new TestClock(text), TypeError);
  assertEquals(message, `${rule}, got "5"`);
});

Deno.test("TestClock.advance() fires timers by instant, and ties in the order in which they were set", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  for (
    const [name, ms] of [["c", 30], ["a1", 10], ["b", 20], ["a2", 10], ["a3", 10]] as const
  ) {
    clock.after(ms, () => log.push(`${name}@${clock.now()}`));
  }
  await clock.advance(30);
  assertEquals(log, ["a1@10", "a2@10", "a3@10", "b@20", "c@30"]);
  clock.close();
});

Deno.test("TestClock.advance() fires ties in the order of setting when one was set at a later instant", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  clock.after(10, () => {
    log.push("first");
    clock.after(10, () => log.push("set at 10"));
    clock.after(0, () => log.push("set for now"));
  });
  clock.after(10, () => log.push("second"));
  clock.after(20, () => log.push("set at 0"));
  await clock.advance(20);
  assertEquals(log, ["first", "second", "set for now", "set at 0", "set at 10"]);
  clock.close();
});

Deno.test("TestClock.advance() fires timers that are due at its end, leaves later ones, and moves without timers", async () => {
  const clock = new TestClock();
  const log = logging(clock, 10, 10.5, 11);
  await clock.advance(10.5);
  assertEquals([log, clock.now(), clock.pending], [["10@10", "10.5@10.5"], 10.5, 1]);
  await clock.advance(100);
  assertEquals([log.at(-1), clock.now(), clock.pending], ["11@11", 110.5, 0]);
  await clock.advance(5);
  assertEquals(clock.now(), 115.5);
  clock.close();
});

Deno.test("TestClock.advance() lets a long chain of awaits settle between two timers", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const chain = async (name: string) => {
    for (let i = 0; i < 10_000; i++) await null;
    log.push(`${name}@${clock.now()}`);
  };
  clock.after(10, async () => {
    await chain("chain");
    // Set only after the awaits, and still due before the timer that was set long ago.
    clock.after(5, () => log.push(`set late@${clock.now()}`));
  });
  clock.after(20, () => log.push(`set early@${clock.now()}`));
  chain("begun before");
  await clock.advance(20);
  assertEquals(log, ["begun before@0", "chain@10", "set late@15", "set early@20"]);
  clock.close();
});

Deno.test("TestClock.advance() lets promises settle between two timers of the same instant", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  for (const name of ["a", "b"]) {
    clock.after(10, async () => {
      log.push(name);
      for (let i = 0; i < 100; i++) await null;
      log.push(`${name} settled`);
    });
  }
  await clock.advance(10);
  assertEquals(log, ["a", "a settled", "b", "b settled"]);
  clock.close();
});

Deno.test("TestClock.advance() resolves after everything that its last timer started has settled", async () => {
  const clock = new TestClock();
  let isSettled = false;
  clock.after(10, async () => {
    for (let i = 0; i < 1000; i++) await null;
    isSettled = true;
  });
  await clock.advance(10);
  assert(isSettled);
  clock.close();
});

Deno.test("TestClock.run() skips time until its promise settles, and settles as the promise does", async () => {
  const clock = new TestClock();
  const steps = async () => {
    for (let i = 0; i < 10; i++) await clock.sleep(100_000);
    return "value";
  };
  assertEquals(await clock.run(steps()), "value");
  assertEquals(clock.now(), 1_000_000);

  const error = { just: "an object" };
  const failing = clock.sleep(5).then(() => Promise.reject(error));
  assertStrictEquals(await clock.run(failing).catch((e) => e), error);
  assertEquals(clock.now(), 1_000_005);
  clock.close();
});

Deno.test("TestClock.run() stops at the instant at which its promise settles, and leaves later timers", async () => {
  const clock = new TestClock();
  const log = logging(clock, 5, 11, 1000);
  await clock.run(clock.sleep(10));
  assertEquals([log, clock.now(), clock.pending], [["5@5"], 10, 2]);
  await clock.advance(990);
  assertEquals(log, ["5@5", "11@11", "1000@1000"]);
  clock.close();
});

Deno.test("TestClock.run() fires nothing when its promise is settled or settles without a timer", async () => {
  const clock = new TestClock();
  const log = logging(clock, 0, 1);
  const byItself = async () => {
    for (let i = 0; i < 1000; i++) await null;
    return "by itself";
  };
  assertEquals(await clock.run(Promise.resolve("settled")), "settled");
  assertEquals(await clock.run(byItself()), "by itself");
  assertEquals([log, clock.now(), clock.pending], [[], 0, 2]);
  await clock.advance(1);
  clock.close();
});

Deno.test("TestClock.run() rejects when no timer is left, and the clock still works", async () => {
  const clock = new TestClock();
  const log = logging(clock, 10);
  const never = new Promise<never>(() => {});
  const message = "a timer must be left at 10, got none";
  await assertRejects(() => clock.run(never), Error, message);
  assertEquals([log, clock.now()], [["10@10"], 10]);
  // A wait of Infinity sets no timer.
  await assertRejects(() => clock.run(clock.sleep(Infinity)), Error, message);
  await clock.run(clock.sleep(5));
  assertEquals(clock.now(), 15);
  clock.close();
});

Deno.test("TestClock.run() and advance() reject while another is under way, and leave it undisturbed", async () => {
  const clock = new TestClock();
  for (const begin of [() => clock.run(clock.sleep(10)), () => clock.advance(10)]) {
    const beganAt = clock.now();
    const underWay = begin();
    await assertRejects(() => clock.advance(1), Error, "under way");
    await assertRejects(() => clock.run(Promise.resolve()), Error, "under way");
    await underWay;
    assertEquals(clock.now(), beganAt + 10);
  }
  clock.close();
});

Deno.test("TestClock.advance() rejects when it is called by a timer of a run under way", async () => {
  const clock = new TestClock();
  let inner: Promise<unknown> = Promise.resolve();
  clock.after(5, () => inner = assertRejects(() => clock.advance(1), Error, "under way"));
  await clock.run(clock.sleep(10));
  await inner;
  assertEquals(clock.now(), 10);
  clock.close();
});

Deno.test("TestClock.run() and advance() reject with the error of a wake, and the clock still works", async () => {
  for (const move of ["run", "advance"] as const) {
    const clock = new TestClock();
    const thrown = { by: "wake" };
    clock.after(10, () => {
      throw thrown;
    });
    const log = logging(clock, 10, 20);
    const woken = clock.sleep(20);
    const moved = move === "run" ? clock.run(woken) : clock.advance(20);
    assertStrictEquals(await moved.catch((error) => error), thrown);
    assertEquals([log, clock.now(), clock.pending], [[], 10, 3]);

    await (move === "run" ? clock.run(woken) : clock.advance(10));
    assertEquals([log, clock.now()], [["10@10", "20@20"], 20]);
    await woken;
    clock.close();
  }
});

Deno.test("TestClock.run() rejects after 10^6 timers in a row without time moving", async () => {
  const clock = new TestClock();
  let fired = 0;
  let isEndless = false;
  const spun = new Promise<void>((resolve) => {
    const wake = () => {
      fired++;
      if (isEndless || fired < 500_000) clock.after(0, wake);
      else resolve();
    };
    clock.after(0, wake);
  });
  // Half as many at one instant are fine, and no longer count once time has moved.
  await clock.run(spun);
  await clock.advance(1);
  isEndless = true;
  const spin = () => {
    fired++;
    cancel = clock.after(0, spin);
  };
  let cancel = clock.after(0, spin);
  const { message } = await assertRejects(() => clock.run(new Promise(() => {})), Error);
  assertEquals(
    message,
    "Cannot move time past 1: timers of 0 ms must stop, got 1000000 in a row",
  );
  assertEquals(fired, 1_500_000);
  cancel();
  await clock.run(clock.sleep(1));
  assertEquals(clock.now(), 2);
  clock.close();
});

Deno.test("TestClock.pending counts the timers that are set, without those of Infinity", async () => {
  const clock = new TestClock();
  const seen = [clock.pending];
  const cancel = clock.after(10, () => seen.push(clock.pending));
  clock.after(20, () => seen.push(clock.pending));
  const cancelNever = clock.after(Infinity, () => seen.push(-1));
  seen.push(clock.pending);
  cancel();
  cancelNever();
  seen.push(clock.pending);
  // A timer that fires is no longer pending.
  await clock.advance(1_000_000);
  assertEquals(seen, [0, 2, 1, 0]);
  clock.close();
});

Deno.test("TestClock.close() throws when a timer is left, also by Symbol.dispose", () => {
  const clock = new TestClock(1000);
  const { dispose } = Symbol as { dispose?: symbol };
  const closes: (() => unknown)[] = [() => clock.close()];
  if (dispose !== undefined) {
    const disposable = clock as unknown as Record<symbol, () => void>;
    closes.push(() => disposable[dispose]?.());
    assertEquals(typeof disposable[dispose], "function");
  }
  for (const close of closes) {
    close();
    const cancels = [clock.after(20, () => {}), clock.after(10, () => {})];
    const { message } = assertThrows(close, Error);
    assertEquals(
      message,
      "Cannot close the test clock at 1000: no timer must be left, got 2, the first due at 1010",
    );
    for (const cancel of cancels) cancel();
    close();
  }
});

Deno.test("TestClock() works when the platform has no Symbol.dispose", () => {
  const { Symbol } = globalThis;
  globalThis.Symbol = {} as SymbolConstructor;
  let clock: TestClock;
  try {
    clock = new TestClock();
  } finally {
    globalThis.Symbol = Symbol;
  }
  clock.close();
  assertEquals(Reflect.ownKeys(clock), []);
});

Deno.test("TestClock.after() throws when its duration is not a number >= 0", () => {
  const clock = new TestClock();
  const wake = () => {};
  for (const ms of [-1, -Infinity, NaN]) {
    assertThrows(() => clock.after(ms, wake), RangeError, String(ms));
  }
  for (const ms of ["5", null, undefined, 5n]) {
    assertThrows(() => clock.after(ms as unknown as number, wake), TypeError, "'ms'");
  }
  clock.close();
});

Deno.test("TestClock.sleep() rejects when its duration is not a number >= 0", async () => {
  const clock = new TestClock();
  await assertRejects(() => clock.sleep(-1), RangeError, "-1");
  await assertRejects(() => clock.sleep(NaN), RangeError, "NaN");
  await assertRejects(() => clock.sleep("5" as unknown as number), TypeError, '"5"');
  clock.close();
});

Deno.test("TestClock.advance() rejects and moves nothing when its duration is not a finite number >= 0", async () => {
  const clock = new TestClock();
  const log = logging(clock, 0);
  for (const ms of [-1, NaN, Infinity]) {
    await assertRejects(() => clock.advance(ms), RangeError, String(ms));
  }
  await assertRejects(() => clock.advance("5" as unknown as number), TypeError, '"5"');
  assertEquals([clock.now(), log], [0, []]);
  await clock.advance(0);
  assertEquals([clock.now(), log], [0, ["0@0"]]);
  clock.close();
});

Deno.test("TestClock has exact messages for what it cannot do", async () => {
  const clock = new TestClock();
  const never = new Promise<never>(() => {});
  const refused: [() => Promise<unknown>, message: string][] = [
    [
      () => clock.sleep(-1),
      "Cannot wait: 'ms' must be a number of milliseconds >= 0, got -1",
    ],
    [
      () => clock.advance(-1),
      "Cannot advance: 'ms' must be a finite number of milliseconds >= 0, got -1",
    ],
    [
      () => clock.run(never),
      "Cannot run: a timer must be left at 0, got none; the promise waits for something " +
      "that is not on this clock",
    ],
  ];
  for (const [refuse, message] of refused) {
    const error = await assertRejects(refuse, Error);
    assertEquals(error.message, message);
  }
  const moved = clock.advance(0);
  const { message } = await assertRejects(() => clock.advance(0), Error);
  assertEquals(
    message,
    "Cannot move time: another 'run' or 'advance' is under way, and must end first",
  );
  await moved;
  clock.close();
});

Deno.test("TestClock.sleep() resolves at its instant, and removes its listener from the signal", async () => {
  const clock = new TestClock();
  const { signal, count } = countedSignal();
  let wokeAt = -1;
  clock.sleep(100, { signal }).then(() => wokeAt = clock.now());
  await clock.advance(99);
  assertEquals([wokeAt, count], [-1, { added: 1, removed: 0 }]);
  await clock.advance(50);
  assertEquals([wokeAt, count], [100, { added: 1, removed: 1 }]);
  clock.close();
});

Deno.test("TestClock.sleep() rejects with the reason itself when its signal is aborted, and leaves no timer", async () => {
  const clock = new TestClock();
  for (const ms of [100, Infinity]) {
    const { controller, signal } = countedSignal();
    const reason = { just: "an object" };
    const slept = clock.sleep(ms, { signal }).catch((error) => [error, clock.now()]);
    await clock.advance(10);
    const abortedAt = clock.now();
    controller.abort(reason);
    assertEquals(clock.pending, 0);
    assertEquals(await slept, [reason, abortedAt]);
  }
  clock.close();
});

Deno.test("TestClock.sleep() rejects at once when its signal is already aborted", async () => {
  const clock = new TestClock();
  const { controller, signal, count } = countedSignal();
  controller.abort(null);
  const slept = clock.sleep(100, { signal }).then(() => "woke", (reason) => reason);
  assertEquals(clock.pending, 0);
  assertStrictEquals(await slept, null);
  assertEquals(count, { added: 0, removed: 0 });
  clock.close();
});

Deno.test("TestClock.after() returns a cancel that is harmless twice, after the wake and inside it", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const cancelled = clock.after(10, () => log.push("cancelled"));
  clock.after(10, () => log.push("other"));
  cancelled();
  cancelled();
  const itself = clock.after(20, () => {
    itself();
    log.push("itself");
    again();
  });
  const again = clock.after(20, () => log.push("cancelled by the one before it"));
  clock.after(30, () => log.push("last"));
  await clock.advance(20);
  itself();
  again();
  cancelled();
  assertEquals([log, clock.pending], [["other", "itself"], 1]);
  await clock.advance(10);
  assertEquals(log, ["other", "itself", "last"]);
  clock.close();
});

Deno.test("TestClock.after() agrees with a sorted list when timers are set and cancelled at random", async () => {
  const command = fc.oneof(
    { weight: 6, arbitrary: fc.record({ set: fc.nat(30) }) },
    { weight: 4, arbitrary: fc.record({ cancel: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.record({ advance: fc.nat(10) }) },
  );
  const commands = fc.array(command, { maxLength: 200, size: "max" });
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const clock = new TestClock();
      const cancels: (() => void)[] = [];
      const fired: [id: number, at: number][] = [];
      let model: { id: number; at: number }[] = [];
      const expected: [id: number, at: number][] = [];
      const advance = async (ms: number) => {
        const until = clock.now() + ms;
        await clock.advance(ms);
        // A stable sort keeps ties in the order of setting.
        const due = model.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        expected.push(...due.map(({ id, at }): [number, number] => [id, at]));
        model = model.filter(({ at }) => at > until);
      };
      for (const each of all) {
        if ("set" in each) {
          const id = cancels.length;
          model.push({ id, at: clock.now() + each.set });
          cancels.push(clock.after(each.set, () => fired.push([id, clock.now()])));
        } else if ("cancel" in each) {
          cancels[each.cancel]?.();
          model = model.filter(({ id }) => id !== each.cancel);
        } else await advance(each.advance);
        assertEquals(clock.pending, model.length);
      }
      await advance(30);
      assertEquals(fired, expected);
      clock.close();
    }),
    { numRuns: 100 },
  );
});

Deno.test("TestClock.run() works when timers are faked, and moves only its own time", async () => {
  const time = new FakeTime(5000);
  try {
    const clock = new TestClock();
    await clock.run(clock.sleep(100));
    assertEquals([clock.now(), time.now], [100, 5000]);
    clock.close();
  } finally {
    time.restore();
  }
});

Deno.test("TestClock.run() rejects when it receives a function in place of a promise", async () => {
  const clock = new TestClock();
  const fn = (() => Promise.resolve()) as unknown as Promise<void>;
  const { message } = await assertRejects(() => clock.run(fn), TypeError);
  assertEquals(
    message,
    "Cannot run: 'promise' must be a promise, got a function; pass what it returns",
  );
  clock.close();
});

Deno.test("TestClock.run() rejects when a heartbeat goes on and the promise is not on the clock", async () => {
  const clock = new TestClock();
  const stop = new AbortController();
  const beat = async () => {
    while (!stop.signal.aborted) await sleep(1000, { clock });
  };
  const beating = beat();
  const { message } = await assertRejects(
    () => clock.run(new Promise(() => {}), { maxTimers: 10 }),
    Error,
  );
  assertEquals(
    message,
    "Cannot run: the promise must settle within 10 timers, got more at 10000; it waits for " +
      "something that is not on this clock, or 'maxTimers' is too low",
  );
  stop.abort();
  await clock.run(beating, { maxTimers: null });
});

Deno.test("TestClock.run() rejects when maxTimers is not an integer >= 1", async () => {
  const rule = "Cannot run: option 'maxTimers' must be an integer >= 1";
  const run = (maxTimers: unknown) => () =>
    new TestClock().run(Promise.resolve(), { maxTimers: maxTimers as number });
  await assertRejects(run(0), RangeError, `${rule}, got 0`);
  await assertRejects(run("3"), TypeError, `${rule}, got "3"`);
});

Deno.test("TestClock.advance() adds up durations that are not exact, and far from 0 as exactly as numbers can", async () => {
  const clock = new TestClock();
  const log = logging(clock, 1);
  for (let index = 0; index < 10; index++) await clock.advance(0.1);
  assertEquals([log, clock.now()], [["1@1"], 1]);
  const far = new TestClock(1e12);
  await far.advance(0.5);
  assertEquals(far.now(), 1e12 + 0.5);
});

Deno.test("TestClock rejects with the way out when the platform's timers were faked at load", async () => {
  Object.assign(nextTurn, { isFaked: true });
  try {
    const clock = new TestClock();
    const rule = "the platform's timers must not be faked when the library is loaded";
    await assertRejects(() => clock.advance(1), Error, `Cannot move time: ${rule}`);
  } finally {
    Reflect.deleteProperty(nextTurn, "isFaked");
  }
});
