// The system's clock in real time: its order is that of a test clock, also when the event loop
// is blocked and when others clear the platform's timers.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  Backoff,
  type Clock,
  sleep,
  systemClock,
  TimeoutError,
  within,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { seeded } from "../support/chance.ts";
import { type RunningWorker, startWorker } from "./in_worker.ts";

/** Time does not move during a turn of Cloudflare's runtime, so nothing can block there. */
const canBlock = (() => {
  const from = performance.now();
  for (let i = 0; i < 1e6; i++) if (performance.now() > from) return true;
  return false;
})();

/** Keeps the event loop busy. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const never = () => new Promise<never>(() => {});

/** A wait on the platform's own timer. */
const hostSleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits until the timers of the platform that are no longer needed are cleared. */
async function rest(): Promise<void> {
  await hostSleep(5);
  await new TestClock().advance(0);
}

/** Fails in place of a test that would hang. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let guard: ReturnType<typeof setTimeout> | undefined;
  const hangs = new Promise<never>((_, reject) =>
    guard = setTimeout(() => reject(new Error("it hangs")), 10_000)
  );
  try {
    return await Promise.race([promise, hangs]);
  } finally {
    clearTimeout(guard);
  }
}

const KINDS = ["after", "sleep", "deadline", "attemptTimeout", "pause"] as const;

/** One timer of a script, and what happens when it wakes. */
interface Step {
  readonly id: number;
  readonly kind: typeof KINDS[number];
  readonly ms: number;
  /** The time for which the wake blocks the event loop, in ms. */
  readonly blocks: number;
  /** The number of promises that settle one after the other after the wake. */
  readonly promises: number;
  /** Timers that the wake cancels. */
  readonly cancels: readonly number[];
  /** Timers that it sets at once, and after its promises. */
  readonly sets: readonly Step[];
  readonly setsLater: readonly Step[];
}

/** Timers that are set at an instant, by a timer of the platform, which may then block. */
interface Opening {
  readonly ms: number;
  readonly blocks: number;
  readonly sets: readonly Step[];
}

function randomScript(seed: number): Opening[] {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  let ids = 0;
  const stepOf = (depth: number): Step => {
    const id = ids++;
    const sets = (chance: number) =>
      depth < 3 && random() < chance
        ? Array.from({ length: 1 + below(2) }, () => stepOf(depth + 1))
        : [];
    const ms = random() < 0.5 ? below(31) : random() * 30;
    return {
      id,
      kind: KINDS[below(KINDS.length)] ?? "after",
      ms: Math.max(0.5, ms), // a limit of 0 needs no timer
      blocks: random() < 0.1 ? below(8) : 0,
      promises: below(20),
      cancels: random() < 0.3 ? [below(ids + 4)] : [],
      sets: sets(0.3),
      setsLater: sets(0.3),
    };
  };
  return Array.from({ length: 12 }, () => ({
    ms: below(40),
    blocks: random() < 0.4 ? below(15) : 0,
    sets: Array.from({ length: 1 + below(5) }, () => stepOf(0)),
  }));
}

/** A log of a run of a script. */
class Run {
  /** The number of a timer when it wakes, and again when each of its promises settles. */
  readonly log: number[] = [];
  /** The timers that woke before they were due. */
  readonly early: number[] = [];
  readonly openedAt: number[] = [];
  /** Each timer is due between these instants, since its clock is read between two others. */
  readonly dueFrom = new Map<number, number>();
  readonly dueUntil = new Map<number, number>();
  readonly #clock: Clock;
  readonly #former: Run | null;
  readonly #cancels = new Map<number, () => void>();
  #open = 0;
  #end = () => {};

  /** A run in real time, or one in which each timer is due as it was in a former run. */
  constructor(clock: Clock, former: Run | null) {
    this.#clock = clock;
    this.#former = former;
  }

  play(script: readonly Opening[]): Promise<void> {
    this.#open = script.length;
    script.forEach(({ ms, blocks, sets }, index) => {
      const opening = () => {
        this.openedAt[index] = this.#clock.now();
        sets.forEach((step) => this.#set(step));
        this.#block(blocks);
        this.#close();
      };
      if (this.#former === null) setTimeout(opening, ms);
      else this.#clock.after?.(this.#former.openedAt[index] ?? 0, opening);
    });
    return new Promise((resolve) => this.#end = resolve);
  }

  #block(ms: number): void {
    if (this.#former === null) block(ms);
  }

  #close(): void {
    if (--this.#open === 0) this.#end();
  }

  #set(step: Step): void {
    const { id } = step;
    // Two timers that are due together may cancel each other, and what they set.
    if (this.#former !== null && !this.#former.dueFrom.has(id)) return;
    this.#open++;
    const start = step.kind === "pause" ? this.#startPause : this.#startWait;
    this.#cancels.set(id, start.call(this, step));
  }

  /** The duration of a timer that is set now. */
  #msOf({ id, ms }: Step): number {
    const former = this.#former?.dueFrom.get(id);
    return former === undefined ? ms : former - this.#clock.now();
  }

  #startWait(step: Step): () => void {
    const { id, kind } = step;
    const clock = this.#clock;
    const ms = this.#msOf(step);
    this.dueFrom.set(id, clock.now() + ms);
    const cancel = startWait(kind, ms, clock, () => void this.#wake(step));
    this.dueUntil.set(id, clock.now() + ms);
    return cancel;
  }

  /** A pause counts from the end of the attempt. */
  #startPause(step: Step): () => void {
    const { id } = step;
    const controller = new AbortController();
    const clock = this.#clock;
    const pause = () => {
      const ms = this.#msOf(step);
      this.dueUntil.set(id, clock.now() + ms);
      return ms;
    };
    const backoff = new Backoff({ pause, exceptions: "all", clock });
    const result = backoff.execute(({ number }) => {
      if (number > 1) return;
      this.dueFrom.set(id, clock.now() + this.#msOf(step));
      throw new Error("down");
    }, { signal: controller.signal });
    result.then(() => this.#wake(step), () => {});
    return () => controller.abort();
  }

  async #wake(step: Step): Promise<void> {
    const { id } = step;
    this.#cancels.delete(id);
    this.log.push(id);
    // Adding instants and subtracting them again leaves a residue.
    if (this.#clock.now() < (this.dueFrom.get(id) ?? Infinity) - 1e-6) this.early.push(id);
    this.#block(step.blocks);
    for (const other of step.cancels) {
      const cancel = this.#cancels.get(other);
      if (cancel === undefined) continue;
      this.#cancels.delete(other);
      cancel();
      this.#close();
    }
    step.sets.forEach((each) => this.#set(each));
    for (let i = 0; i < step.promises; i++) {
      await (i % 3 === 0 ? Promise.all([null, Promise.resolve()]) : null);
      this.log.push(id);
    }
    step.setsLater.forEach((each) => this.#set(each));
    this.#close();
  }
}

/** Starts a timer, and returns a function that cancels it. */
function startWait(kind: Step["kind"], ms: number, clock: Clock, wake: () => void) {
  if (kind === "after" && clock.after !== undefined) return clock.after(ms, wake);
  const controller = new AbortController();
  const { signal } = controller;
  if (kind === "deadline" || kind === "attemptTimeout") {
    const backoff = new Backoff({ exceptions: [], [kind]: ms, maxTries: 1, clock });
    backoff.execute(never, { signal }).catch((error) => {
      if (error instanceof TimeoutError) wake();
    });
  } else clock.sleep(ms, { signal }).then(wake, () => {});
  return () => controller.abort();
}

/** The timers in the order of their wakes. Fails if something of another one lies between. */
function wakesOf({ log }: Run): number[] {
  const wakes = log.filter((id, index) => id !== log[index - 1]);
  assertEquals(new Set(wakes).size, wakes.length, "promises settle before the next timer");
  return wakes;
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  Deno.test(`systemClock fires the timers of a random script on real time in the order of TestClock, with seed ${seed}`, async () => {
    if (!canBlock) return;
    const script = randomScript(seed);
    const real = new Run(systemClock, null);
    await settled(real.play(script));
    const clock = new TestClock();
    const faked = new Run(clock, real);
    await clock.run(faked.play(script));
    clock.close();
    assertEquals([real.early, faked.early], [[], []]);

    const [wakes, expected] = [wakesOf(real), wakesOf(faked)];
    const places = new Map(expected.map((id, index) => [id, index]));
    const both = wakes.filter((id) => places.has(id));
    const swapped: string[] = [];
    both.forEach((one, index) => {
      for (const other of both.slice(index + 1)) {
        const [from, until] = [real.dueFrom.get(one) ?? 0, real.dueUntil.get(other) ?? 0];
        const isSwapped = (places.get(one) ?? 0) > (places.get(other) ?? 0);
        if (isSwapped && from > until) {
          swapped.push(`${one} at ${from}, ${other} at ${until}`);
        }
      }
    });
    assertEquals(swapped, []);
    // Few timers are due so close to another that their order is not known.
    assert(wakes.length > 20, `${wakes.length}`);
    assert(both.length > 0.8 * Math.max(wakes.length, expected.length));
    // The same promises settle after a wake.
    const settlements = ({ log }: Run, id: number) => log.filter((each) => each === id);
    for (const id of both) assertEquals(settlements(real, id), settlements(faked, id));
  });
}

Deno.test("systemClock fires timers that became due while the event loop was blocked by instant, on real time", async () => {
  if (!canBlock) return;
  const order: number[] = [];
  const all = [20, 3, 10].map((ms) =>
    new Promise<void>((resolve) =>
      systemClock.after(ms, () => {
        order.push(ms);
        resolve();
      })
    )
  );
  block(50);
  await settled(Promise.all(all));
  assertEquals(order, [3, 10, 20]);
});

Deno.test("Backoff.execute() resolves with a sleep that began before it and is as long as its deadline, on real time", async () => {
  for (let round = 0; round < 30; round++) {
    const isBlocked = canBlock && round % 3 === 0;
    const slept = sleep(4).then(() => "value");
    const result = new Backoff({ deadline: 4 }).execute(() => slept);
    if (isBlocked) block(12);
    assertEquals(await settled(result), "value", `round ${round}`);
  }
});

Deno.test("Backoff.execute() ends by its deadline when a sleep of the same length begins in it, on real time", async () => {
  for (let round = 0; round < 30; round++) {
    const isBlocked = canBlock && round % 3 === 0;
    const result = new Backoff({ deadline: 4 }).execute(() => sleep(4));
    if (isBlocked) block(12);
    const error = await settled(result.catch((error) => error));
    assertInstanceOf(error, TimeoutError, `round ${round}`);
    await sleep(2); // the sleep in the function ends
  }
});

Deno.test("Backoff.execute() keeps an answer that a timer of the platform gave while the event loop was blocked past the limit, on real time", async () => {
  if (!canBlock) return;
  for (const limit of ["deadline", "attemptTimeout"] as const) {
    const backoff = new Backoff({ exceptions: [], [limit]: 60, maxTries: 1 });
    const result = backoff.execute(() => hostSleep(10).then(() => "answer"));
    block(100);
    assertEquals(await settled(result), "answer");
    assertEquals(backoff.statistic.timeouts, 0);
    await rest();
  }
});

Deno.test("within() keeps an answer that a timer of the platform gave while the event loop was blocked past its deadline, on real time", async () => {
  if (!canBlock) return;
  const backoff = new Backoff({ exceptions: [] });
  const load = () => backoff.execute(() => hostSleep(10).then(() => "answer"));
  const result = within({ deadline: 60 }, load);
  block(100);
  assertEquals(await settled(result), "answer");
  assertEquals(backoff.statistic.ends.aborted, 0);
  await rest();
});

Deno.test("within() and idleTimeout end a call that hangs after the event loop was blocked past them, on real time", async () => {
  if (!canBlock) return;
  const backoff = new Backoff({ exceptions: [], idleTimeout: 20, maxTries: 1 });
  const calls = [
    () => within({ deadline: 10 }, () => backoff.execute(never)),
    () => backoff.execute(never),
  ];
  const limits = [];
  for (const call of calls) {
    const result = call().catch((error) => error);
    await hostSleep(1); // the timer has joined the others
    block(60);
    limits.push((await settled(result)).limit);
  }
  assertEquals(limits, ["deadline", "idle"]);
  await rest();
});

Deno.test("progress() that a timer of the platform made while the event loop was blocked past the idle timeout counts, on real time", async () => {
  if (!canBlock) return;
  const backoff = new Backoff({ exceptions: [], idleTimeout: 60, maxTries: 1 });
  const result = backoff.execute(async (attempt) => {
    await hostSleep(65); // fires after the limit, in the turn for which a late limit waits
    attempt.progress();
    await hostSleep(20);
    return "answer";
  });
  block(100);
  assertEquals(await settled(result), "answer");
  const { timeouts, progress } = backoff.statistic;
  assertEquals([timeouts, progress], [0, 1]);
  await rest();
});

Deno.test("idleTimeout is never early, and progress arms it anew, on real time", async () => {
  const backoff = new Backoff({ exceptions: [], idleTimeout: 20, maxTries: 1 });
  let latest = 0;
  const error = await settled(
    backoff.execute(async (attempt) => {
      for (let i = 0; i < 5; i++) {
        await hostSleep(2);
        latest = systemClock.now();
        attempt.progress();
      }
      return await never();
    }).catch((error) => error),
  );
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.limit, error.ms], ["idle", 20]);
  assert(systemClock.now() - latest >= 20);
  await rest();
});

/** Answers after some time, and notes in shared memory that it has. */
const ANSWERING = `
  listen(({ flag, ms }) => {
    const until = Date.now() + ms;
    while (Date.now() < until);
    post("answer");
    Atomics.store(flag, 0, 1);
  });
  post("ready");`;

/** Starts a worker. On a busy machine, a worker of Deno sometimes does not begin at all. */
async function startReady(): Promise<RunningWorker | null> {
  while (true) {
    const worker = await startWorker(ANSWERING);
    if (worker === null) return null;
    let guard: ReturnType<typeof setTimeout> | undefined;
    const isReady = await new Promise<boolean>((resolve) => {
      worker.listen(() => resolve(true));
      guard = setTimeout(() => resolve(false), 2000);
    });
    clearTimeout(guard);
    if (isReady) return worker;
    worker.end();
  }
}

Deno.test("Backoff.execute() keeps an answer that arrived while the event loop was blocked past the limit, on real time", async () => {
  if (!canBlock) return;
  if (typeof SharedArrayBuffer === "undefined") return;
  const worker = await startReady();
  if (worker === null) return;
  const message = () => new Promise<unknown>((resolve) => worker.listen(resolve));
  const flag = new Int32Array(new SharedArrayBuffer(4));
  try {
    for (let round = 0; round < 3; round++) {
      const backoff = new Backoff({ deadline: 60 });
      Atomics.store(flag, 0, 0);
      const result = backoff.execute(() => {
        worker.post({ flag, ms: 10 });
        return message();
      });
      block(100);
      while (Atomics.load(flag, 0) === 0); // until the answer is on its way
      block(5);
      assertEquals(await settled(result), "answer", `round ${round}`);
    }
    await rest();
  } finally {
    worker.end();
  }
});

Deno.test("Backoff.execute() does not abort the attempt that succeeds because of another limit that is reached with its own, on real time", async () => {
  for (const isBlocked of [false, canBlock]) {
    const backoff = new Backoff({ deadline: 10 });
    let resolve = (_: string) => {};
    let signal: AbortSignal | undefined;
    const first = backoff.execute((attempt) => {
      attempt.signal.addEventListener("abort", () => resolve("value"));
      return never();
    });
    const second = backoff.execute((attempt) => {
      signal = attempt.signal;
      return new Promise<string>((fulfil) => resolve = fulfil);
    });
    if (isBlocked) block(30);
    assertInstanceOf(await settled(first.catch((error) => error)), TimeoutError);
    assertEquals([await settled(second), signal?.aborted], ["value", false]);
  }
  await rest();
});

for (const first of ["listener", "other"] as const) {
  Deno.test(`Backoff.execute() does not abort an attempt that succeeds when the abort of a shared signal ends it through another execution, which was the ${first === "listener" ? "first" : "last"} to begin`, async () => {
    const controller = new AbortController();
    const backoff = new Backoff({ signal: controller.signal });
    let resolve = (_: string) => {};
    let signal: AbortSignal | undefined;
    const starts = {
      listener: () =>
        backoff.execute((attempt) => {
          attempt.signal.addEventListener("abort", () => resolve("value"));
          return never();
        }),
      other: () =>
        backoff.execute((attempt) => {
          signal = attempt.signal;
          return new Promise<string>((fulfil) => resolve = fulfil);
        }),
    };
    const order = first === "listener"
      ? [starts.listener, starts.other]
      : [starts.other, starts.listener];
    const ends = order.map((start) => start().catch((reason) => reason));
    controller.abort("stop");
    // The abort came first, so it is the end of both.
    assertEquals(await settled(Promise.all(ends)), ["stop", "stop"]);
    assertEquals(signal?.reason, "stop");
  });
}

Deno.test("Backoff.execute() settles the first of 10,000 callers before the last attempt is aborted, when their limits are reached together on real time", async () => {
  const COUNT = 10_000;
  const backoff = new Backoff({ deadline: 30 });
  const aborted: number[] = [];
  const ended: number[] = [];
  /** The number of attempts that had been aborted when each caller's promise settled. */
  const before: number[] = [];
  const callers = Array.from({ length: COUNT }, (_, index) => {
    const result = backoff.execute(({ signal }) => {
      signal.addEventListener("abort", () => aborted.push(index));
      return never();
    });
    return result.catch((error) => {
      assertInstanceOf(error, TimeoutError);
      ended.push(index);
      before.push(aborted.length);
    });
  });
  await settled(Promise.all(callers));
  const inOrder = callers.map((_, index) => index);
  assertEquals(aborted, inOrder);
  assertEquals(ended, inOrder);
  assertEquals(before, inOrder.map((index) => index + 1));
});

/** Clears all timers of the platform since a timer, as some programs and tests do. */
function clearHostTimers(since: ReturnType<typeof setTimeout>): void {
  const last = Number(setTimeout(() => {}, 0));
  for (let id = Number(since); id <= last; id++) clearTimeout(id);
}

/** A limit that must be reached, though others have cleared the platform's timers. */
async function assertReached(ms: number): Promise<void> {
  const error = await settled(
    new Backoff({ deadline: ms }).execute(never).catch((error) => error),
  );
  assertInstanceOf(error, TimeoutError);
}

Deno.test("Backoff.execute() reaches later limits when a program clears all timers of the platform, on real time", async () => {
  const since = setTimeout(() => {}, 0);
  clearHostTimers(since);
  await assertReached(5);

  const lost = assertReached(20);
  await hostSleep(10); // by then the timer of the platform is set
  clearHostTimers(since);
  await hostSleep(30);
  await assertReached(5);
  await lost;
});
