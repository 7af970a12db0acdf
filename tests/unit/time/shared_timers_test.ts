// The timers behind the system's clock, on a host that the test plays.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { type HostTimer, SharedTimers } from "../../../src/time/shared_timers.ts";
import type { Timer, WakeListener } from "../../../src/time/timer_listener.ts";
import { nextTurn, throwLater, turnsAtOnce } from "../../../src/time/platform.ts";
import { seeded } from "../../support/chance.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

type Wake = (token: string) => void;

/**
 * Turns of the event loop. The nursery is swept in the first. One timer fires in each, and
 * after the last the host timer is set.
 */
async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await new TestClock().advance(0);
}

/** More turns than the few timers of a test need. */
const allTurns = () => turns(12);

/** A timer that the host was asked for. */
interface Armed {
  readonly callback: () => void;
  readonly ms: number;
  /** The instant at which it is due. */
  readonly at: number;
}

/** Timers on a host whose time and timers the test moves. */
function fixture() {
  const armed: Armed[] = [];
  const cleared: unknown[] = [];
  const woke: string[] = [];
  const self = { now: 1000 };
  const timers = new SharedTimers({
    now: () => self.now,
    setTimeout: (callback, ms) =>
      armed.push({ callback, ms, at: self.now + ms }) as unknown as HostTimer,
    clearTimeout: (timer) => cleared.push(timer),
  });
  const note = (token: string) => void woke.push(`${token} at ${self.now}`);
  const setFor = (isLimit: boolean, ms: number, token: string, wake: Wake): Timer => {
    const listener: WakeListener<string> = { due: wake, isLimit: () => isLimit };
    return timers.set(Math.ceil(ms), self.now + ms, listener, token);
  };
  const set = (ms: number, token: string, wake: Wake = note) =>
    setFor(false, ms, token, wake);
  const setLimit = (ms: number, token: string, wake: Wake = note) =>
    setFor(true, ms, token, wake);
  const fire = (index: number, now: number) => {
    self.now = now;
    armed[index]?.callback();
  };
  const delays = () => armed.map(({ ms }) => ms);
  return { self, set, setLimit, fire, woke, armed, cleared, delays };
}

Deno.test("SharedTimers sets no host timer when all timers are cancelled before the sweep", async () => {
  const { set, delays, cleared } = fixture();
  const timers = Array.from({ length: 1000 }, () => set(5000, "never"));
  timers.forEach((timer) => timer.cancel());
  await turns();
  assertEquals([delays(), cleared], [[], []]);
});

Deno.test("SharedTimers sets one host timer for all durations, and wakes all timers in order", async () => {
  const { self, set, fire, woke, delays } = fixture();
  set(10, "a");
  set(20, "b");
  self.now = 1002;
  set(10, "c");
  await turns();
  assertEquals(delays(), [8]);
  fire(0, 1010);
  await turns();
  assertEquals([woke, delays()], [["a at 1010"], [8, 2]]);
  fire(1, 1012);
  await turns();
  assertEquals(delays(), [8, 2, 8]);
  fire(2, 1020);
  await allTurns();
  assertEquals([woke, delays().length], [["a at 1010", "c at 1012", "b at 1020"], 3]);
});

Deno.test("SharedTimers sets the host timer anew when an earlier timer is set", async () => {
  const { self, set, fire, woke, delays, cleared } = fixture();
  set(100, "late");
  await turns();
  self.now = 1001;
  set(10, "early");
  await turns();
  assertEquals([delays(), cleared], [[100, 10], [1]]);
  set(50, "between");
  await turns();
  assertEquals([delays(), cleared], [[100, 10], [1]]);
  fire(1, 1011);
  await turns();
  assertEquals([woke, delays()], [["early at 1011"], [100, 10, 40]]);
});

Deno.test("SharedTimers sets a host timer for the rest when the host is early", async () => {
  const { set, fire, woke, delays } = fixture();
  set(10, "a");
  await turns();
  fire(0, 1008.5);
  await turns();
  assertEquals([woke, delays()], [[], [10, 2]]);
  fire(1, 1009.999);
  await turns();
  assertEquals([woke, delays()], [[], [10, 2, 1]]);
  fire(2, 1010.5);
  await allTurns();
  assertEquals([woke, delays().length], [["a at 1010.5"], 3]);
});

Deno.test("SharedTimers waits in parts when a duration is too long for the host", async () => {
  const { set, fire, woke, delays } = fixture();
  const longest = 2 ** 31 - 1;
  set(longest + 10, "a");
  await turns();
  fire(0, 1000 + longest);
  await turns();
  assertEquals([woke, delays()], [[], [longest, 10]]);
  fire(1, 1010 + longest);
  assertEquals(woke.length, 1);
});

Deno.test("SharedTimers clears the host timer when no timer is left", async () => {
  const { set, delays, cleared } = fixture();
  const timers = [set(10, "a"), set(10, "b"), set(20, "c")];
  await turns();
  timers.forEach((timer) => timer.cancel());
  assertEquals(cleared, []);
  await turns();
  assertEquals([delays(), cleared], [[10], [1]]);
  set(10, "d");
  await turns();
  assertEquals([delays(), cleared], [[10, 10], [1]]);
});

Deno.test("SharedTimers keeps the host timer of a cancelled timer, and sets it for the next one when it fires", async () => {
  const { set, fire, woke, delays, cleared } = fixture();
  const first = set(10, "a");
  set(20, "b");
  await turns();
  first.cancel();
  await turns();
  fire(0, 1010);
  await turns();
  assertEquals([woke, delays(), cleared], [[], [10, 10], []]);
  fire(1, 1020);
  assertEquals(woke, ["b at 1020"]);
});

Deno.test("SharedTimers sets one host timer for a duration whose earlier queue was emptied and ended", async () => {
  const { set, fire, cleared, delays } = fixture();
  const first = set(10, "a");
  await turns();
  first.cancel();
  fire(0, 1010); // finds nothing, before the sweep that would have cleared it
  set(10, "b");
  await turns();
  set(10, "c");
  await turns();
  assertEquals([delays(), cleared], [[10, 10], []]);
});

Deno.test("SharedTimers keeps the host timer when a queue fills again before the sweep", async () => {
  const { self, set, fire, woke, delays, cleared } = fixture();
  for (let i = 0; i < 100; i++) {
    const timer = set(10, "never");
    await turns();
    timer.cancel();
  }
  set(10, "last");
  await turns();
  assertEquals([delays(), cleared], [[10], []]);
  self.now = 1010;
  fire(0, 1010);
  assertEquals(woke, ["last at 1010"]);
});

Deno.test("SharedTimers fires timers of 0 in turns of their own, and those that they set after them", async () => {
  const { set, woke, delays } = fixture();
  const log: string[] = [];
  const again = (token: string) => {
    log.push(token);
    void Promise.resolve().then(() => log.push("settled"));
    if (token.length < 3) set(0, `${token}'`, again);
  };
  set(0, "a", again);
  set(0, "b", again);
  await turns();
  assertEquals(log, ["a", "settled"]);
  await allTurns();
  const order = ["a", "b", "a'", "b'", "a''", "b''"];
  assertEquals(log, order.flatMap((token) => [token, "settled"]));
  assertEquals([woke, delays()], [[], []]);
});

Deno.test("SharedTimers fires timers that are already due at the sweep, after a long turn", async () => {
  const { self, set, woke, delays } = fixture();
  set(10, "a");
  set(300, "b");
  self.now = 1200;
  await turns();
  assertEquals([woke, delays()], [["a at 1200"], [100]]);
});

Deno.test("SharedTimers lets a wake cancel other timers that are due with it", async () => {
  const { set, fire, woke } = fixture();
  set(0, "early").cancel();
  const first = set(0, "first", () => late.cancel());
  const late = set(0, "late");
  set(0, "kept");
  await allTurns();
  first.cancel(); // too late, and twice
  first.cancel();
  assertEquals(woke, ["kept at 1000"]);

  set(10, "one", () => queued.cancel());
  const queued = set(10, "two");
  set(10, "three");
  await turns();
  fire(0, 1010);
  await allTurns();
  assertEquals(woke, ["kept at 1000", "three at 1010"]);
});

Deno.test("SharedTimers fires the other timers when a wake throws, whose error is uncaught", async () => {
  const error = new Error("by the wake");
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const { set, woke } = fixture();
  try {
    set(0, "bad", () => {
      throw error;
    });
    set(0, "good");
    await allTurns();
  } finally {
    stop();
  }
  assertEquals([woke, uncaught.length], [["good at 1000"], 1]);
  assertStrictEquals(uncaught[0], error);
});

Deno.test("SharedTimers fires timers that are due together by instant, and not by duration or by arming", async () => {
  const { self, set, woke } = fixture();
  set(20, "20");
  set(3, "3");
  set(10, "10");
  self.now = 1002;
  set(9, "9 later");
  self.now = 1050;
  await allTurns();
  assertEquals(woke.map((each) => each.split(" at ")[0]), ["3", "10", "9 later", "20"]);
});

Deno.test("SharedTimers fires timers that are due at one instant in the order of their arming", async () => {
  const { self, set, woke } = fixture();
  // Fractions share the queue of the next whole millisecond.
  for (const ms of [10, 9.75, 9.5, 9, 2, 1.5, 1.25, 1, 0.25, 0]) {
    self.now = 1010 - ms;
    set(ms, `${ms}`);
    if (ms === 9 || ms === 1.5) await turns();
    set(ms, `${ms}'`);
  }
  await allTurns();
  await allTurns();
  const order = woke.map((each) => each.split(" at ")[0]);
  const armed = [10, 9.75, 9.5, 9, 2, 1.5, 1.25, 1, 0.25, 0].flatMap((ms) => [ms, ms]);
  assertEquals(order, armed.map((ms, index) => `${ms}${index % 2 === 0 ? "" : "'"}`));
});

Deno.test("SharedTimers lets every promise that can settle do so between two timers", async () => {
  const { self, set } = fixture();
  const log: string[] = [];
  const chain = async (token: string) => {
    log.push(token);
    for (let i = 0; i < 100; i++) await null;
    log.push(`${token} settled`);
  };
  const tokens = Array.from({ length: 300 }, (_, index) => `${index % 7}:${index}`);
  for (const token of tokens) set(Number(token[0]), token, (token) => void chain(token));
  self.now = 1500;
  const instants = [...tokens].sort((one, other) => Number(one[0]) - Number(other[0]));
  while (log.length < 600) await turns();
  assertEquals(log, instants.flatMap((token) => [token, `${token} settled`]));
});

/** The number of timers that fire in each turn of a chain of turns beside them. */
async function firedPerTurn(count: number): Promise<number[]> {
  const { set } = fixture();
  let fired = 0;
  for (let i = 0; i < count; i++) set(0, "", () => fired++);
  const counts: number[] = [];
  for (let before = 0; fired < count; before = fired) {
    await new Promise<void>((resolve) => nextTurn(resolve));
    counts.push(fired - before);
  }
  return counts;
}

Deno.test("SharedTimers asks for more and more turns at once while many timers are due", async () => {
  const counts = await firedPerTurn(1000);
  if (turnsAtOnce === 1) return; // one turn after the other
  assert(counts.length < 100, `${counts}`);
  assert(counts.every((count) => count <= turnsAtOnce + 1), `${counts}`);
  assertEquals(counts[0], 1);
});

Deno.test("SharedTimers asks for few turns again after a pause", async () => {
  const { self, set, fire, woke } = fixture();
  const late: number[] = [];
  for (let i = 0; i < 200; i++) set(0, "many");
  while (woke.length < 200) await turns();
  await allTurns();
  for (let i = 0; i < 4; i++) set(10, "few", () => late.push(i));
  await turns();
  self.now = 1010;
  fire(0, 1010);
  assertEquals(late, [0]);
  await turns();
  assert(late.length < 4, `${late}`);
  await allTurns();
  assertEquals(late, [0, 1, 2, 3]);
});

Deno.test("SharedTimers lets the event loop turn once when a limit is noticed late, and then fires everything due in order", async () => {
  const { set, setLimit, fire, woke, armed } = fixture();
  setLimit(10, "limit");
  set(20, "sleep");
  setLimit(15, "other limit");
  set(500, "far");
  await turns();
  fire(0, 1030);
  assertEquals([woke, armed.at(-1)?.ms], [[], 0]);
  await allTurns(); // nothing fires before the host's timer
  assertEquals([woke, armed.length], [[], 2]);
  fire(1, 1031);
  await allTurns();
  assertEquals(woke, ["limit at 1031", "other limit at 1031", "sleep at 1031"]);
  assertEquals(armed.at(-1)?.ms, 469); // the host timer, for the last one
});

Deno.test("SharedTimers fires no limit that is cancelled while it waits", async () => {
  const { set, setLimit, fire, woke, armed } = fixture();
  const limit = setLimit(10, "limit");
  set(20, "sleep");
  await turns();
  fire(0, 1030);
  limit.cancel(); // the outcome has arrived
  set(0, "new");
  await allTurns();
  assertEquals([woke, armed.at(-1)?.ms], [[], 0]);
  fire(1, 1030);
  await allTurns();
  assertEquals(woke, ["sleep at 1030", "new at 1030"]);
});

Deno.test("SharedTimers fires limits that are less than 5 ms late, and late pauses, at once", async () => {
  const limit = fixture();
  limit.setLimit(10, "limit");
  await turns();
  limit.fire(0, 1014.5);
  assertEquals([limit.woke, limit.delays()], [["limit at 1014.5"], [10]]);

  const pause = fixture();
  pause.set(10, "pause");
  pause.set(11, "other pause");
  await turns();
  pause.fire(0, 1500);
  await turns(2);
  assertEquals([pause.woke.length, pause.delays()], [2, [10]]);
});

Deno.test("SharedTimers fires a late limit after pauses that were due before it", async () => {
  const { set, setLimit, fire, woke, armed } = fixture();
  set(10, "pause");
  setLimit(12, "limit");
  set(14, "other pause");
  await turns();
  fire(0, 1030);
  await allTurns();
  assertEquals([woke, armed.at(-1)?.ms], [["pause at 1030"], 0]);
  fire(1, 1030);
  await allTurns();
  assertEquals(woke, ["pause at 1030", "limit at 1030", "other pause at 1030"]);
});

Deno.test("SharedTimers lets each reading of the time wait once", async () => {
  const { setLimit, fire, woke, armed } = fixture();
  for (let round = 0; round < 3; round++) {
    setLimit(10, `limit ${round}`);
    await turns();
    fire(armed.length - 1, 1100 + round * 100);
    assertEquals([woke.length, armed.at(-1)?.ms], [round, 0]);
    fire(armed.length - 1, 1101 + round * 100);
    await allTurns();
    assertEquals(woke.length, round + 1);
  }
});

Deno.test("SharedTimers goes on when others have cleared the timer of a limit that waits", async () => {
  const { self, set, setLimit, fire, woke, armed } = fixture();
  setLimit(10, "limit");
  await turns();
  fire(0, 1030);
  assertEquals([woke, armed.at(-1)?.ms], [[], 0]); // this timer never fires
  self.now = 2029;
  set(1, "early");
  await allTurns();
  assertEquals(woke, []);
  self.now = 2030;
  set(0, "new");
  await allTurns();
  assertEquals(woke, ["limit at 2030", "early at 2030", "new at 2030"]);
});

Deno.test("SharedTimers sets a host timer again when its own was cleared by others", async () => {
  const { self, set, fire, woke, delays } = fixture();
  set(10, "lost");
  await turns();
  self.now = 1016; // the host timer would have fired 6 ms ago
  set(0, "now");
  await allTurns();
  assertEquals(woke, ["lost at 1016", "now at 1016"]);

  set(10, "later");
  await turns();
  assertEquals(delays(), [10, 10]);
  fire(1, 1026);
  assertEquals(woke.at(-1), "later at 1026");
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  Deno.test(`SharedTimers fires random timers by instant and then by arming, never early, with seed ${seed}`, async () => {
    const random = seeded(seed);
    const { self, set, setLimit, armed, cleared } = fixture();
    const pending = new Map<number, { timer: Timer; at: number }>();
    const fired: { sequence: number; at: number; now: number }[] = [];
    let sequence = 0;
    const setRandom = () => {
      const whole = Math.floor(random() * 25);
      const ms = random() < 0.5 ? whole : whole + Math.floor(random() * 8) / 8;
      const own = sequence++;
      const at = self.now + ms;
      const timer = (random() < 0.3 ? setLimit : set)(ms, "", () => {
        pending.delete(own);
        fired.push({ sequence: own, at, now: self.now });
        if (random() < 0.3) setRandom();
        if (random() < 0.2) cancelRandom();
        if (random() < 0.1) self.now += random() * 4; // the wake takes time
      });
      pending.set(own, { timer, at });
    };
    const cancelRandom = () => {
      const keys = [...pending.keys()];
      const own = keys[Math.floor(random() * keys.length)];
      if (own === undefined) return;
      pending.get(own)?.timer.cancel();
      pending.delete(own);
    };
    /** The host's timers fire in order, up to 1.5 ms early, or late. */
    let done = 0;
    const live = () => armed.filter((_, i) => i >= done && !cleared.includes(i + 1));
    const fireHost = () => {
      const next = live().sort((one, other) => one.at - other.at)[0];
      if (next === undefined) return false;
      const early = random() * 1.5;
      self.now = Math.max(self.now, next.at + (random() < 0.3 ? random() * 20 : -early));
      cleared.push(armed.indexOf(next) + 1);
      next.callback();
      return true;
    };
    for (let step = 0; step < 150; step++) {
      for (let i = Math.floor(random() * 6); i > 0; i--) setRandom();
      if (random() < 0.4) cancelRandom();
      if (random() < 0.6) await turns(Math.floor(random() * 3));
      if (random() < 0.5) self.now += Math.floor(random() * 16) / 2; // a busy loop
      if (random() < 0.5) fireHost();
    }
    do await allTurns(); while (fireHost() || pending.size > 0);
    done = armed.length;

    assert(fired.length > 200, `${fired.length}`);
    assertEquals(fired.filter(({ at, now }) => now < at), []);
    const order = [...fired].sort((one, other) =>
      one.at - other.at || one.sequence - other.sequence
    );
    assertEquals(fired, order);
  });
}

type Fault = "now" | "setTimeout" | "clearTimeout";

/** A host of which one call of one function throws, before or after it has had its effect. */
function faultyHost(fault: Fault, nth: number, isAfter: boolean) {
  const self = { now: 1000, calls: 0, isHealed: false };
  const armed = new Map<number, Armed>();
  let count = 0;
  const calling = <T>(name: Fault, call: () => T): T => {
    const isFault = !self.isHealed && name === fault && ++self.calls === nth;
    if (isFault && !isAfter) throw new Error(`${name} throws`);
    const result = call();
    if (isFault) throw new Error(`${name} throws`);
    return result;
  };
  const timers = new SharedTimers({
    now: () => calling("now", () => self.now),
    setTimeout: (callback, ms) =>
      calling("setTimeout", () => {
        armed.set(++count, { callback, ms, at: self.now + ms });
        return count as unknown as HostTimer;
      }),
    clearTimeout: (timer) =>
      calling("clearTimeout", () => armed.delete(timer as unknown as number)),
  });
  /** Moves time, and fires the host's timers. */
  const advance = async (ms: number) => {
    const until = self.now + ms;
    while (true) {
      await allTurns();
      const next = [...armed].sort(([, one], [, other]) => one.at - other.at)[0];
      if (next === undefined || next[1].at > until) break;
      armed.delete(next[0]);
      self.now = Math.max(self.now, next[1].at);
      try {
        next[1].callback();
      } catch (error) {
        throwLater(error); // as a platform does
      }
    }
    self.now = until;
    await allTurns();
  };
  return { self, timers, advance, armed };
}

/** Sets timers and limits, some of them late, and returns the tokens that woke. */
async function playFaulty(fault: Fault, nth: number, isAfter: boolean) {
  const { self, timers, advance, armed } = faultyHost(fault, nth, isAfter);
  const woke: string[] = [];
  const set = (ms: number, token: string, isLimit = false) =>
    timers.set(ms, self.now + ms, {
      due: (token) => void woke.push(token),
      isLimit: () => isLimit,
    }, token);
  set(10, "a");
  set(20, "b", true);
  const cancelled = set(15, "never");
  await advance(12);
  cancelled.cancel();
  set(1, "c");
  await advance(2);
  self.now += 30; // b is late
  await advance(1);
  set(5, "d").cancel();
  set(5, "e", true);
  await advance(10);
  set(7, "cleared");
  await turns();
  set(9, "f");
  await advance(20);
  const { calls } = self;
  self.isHealed = true;
  set(3, "last", true);
  set(2, "first");
  await advance(10);
  return { woke, calls, left: armed.size };
}

for (const fault of ["now", "setTimeout", "clearTimeout"] as const) {
  for (const isAfter of [false, true]) {
    const when = isAfter ? "after" : "before";
    Deno.test(`SharedTimers fires every timer once when one call of the host's ${fault}() throws ${when} its effect`, async () => {
      let uncaught = 0;
      const stop = listenToUncaught(() => uncaught++);
      try {
        const plain = await playFaulty(fault, 0, isAfter);
        assertEquals(plain.woke, ["a", "c", "b", "e", "cleared", "f", "first", "last"]);
        assert(plain.calls > 0);
        for (let nth = 1; nth <= plain.calls; nth++) {
          uncaught = 0;
          const { woke, left } = await playFaulty(fault, nth, isAfter);
          assertEquals([...woke].sort(), [...plain.woke].sort(), `call ${nth}`);
          assertEquals(woke.slice(-2), ["first", "last"], `call ${nth}`);
          assertEquals([left, uncaught], [0, 1], `call ${nth}`);
        }
      } finally {
        stop();
      }
    });
  }
}

Deno.test("SharedTimers fires one timer a turn when turns may come before promises have settled", async () => {
  const armed: (() => void)[] = [];
  const woke: string[] = [];
  const self = { now: 0 };
  const timers = new SharedTimers({
    now: () => self.now,
    setTimeout: (callback) => armed.push(callback) as unknown as HostTimer,
    clearTimeout: () => {},
  }, 1);
  const listener: WakeListener<string> = {
    due: (token) => {
      woke.push(token);
      Promise.resolve().then(() => woke.push(`settled after ${token}`));
    },
    isLimit: () => false,
  };
  for (const ms of [1, 2]) timers.set(ms, ms, listener, `${ms}`);
  await turns();
  self.now = 5;
  armed[0]?.();
  armed[0]?.(); // a turn that comes too early
  assertEquals(woke, ["1"]);
  await allTurns();
  assertEquals(woke, ["1", "settled after 1", "2", "settled after 2"]);
});
