// Everything that an execution depends on may throw, at any call. The execution still settles,
// and leaves nothing that keeps the next one from working.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Budget,
  type Clock,
  currentAttempt,
  sleep,
  systemClock,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenToUncaught } from "../support/uncaught.ts";
import { modules, runInWorker } from "./in_worker.ts";

const boom = new Error("boom");

/** Makes one call throw, of all calls that are played through it. */
class Saboteur {
  readonly calls: string[] = [];
  readonly #nth: number;
  readonly #isAfter: boolean;
  isOver = false;

  /**
   * Makes a saboteur.
   *
   * @param nth The number of the call that throws, starting at 1; 0 for none.
   * @param isAfter Whether it throws after the call has had its effect.
   */
  constructor(nth: number, isAfter: boolean) {
    this.#nth = nth;
    this.#isAfter = isAfter;
  }

  /** The name of the call that threw. */
  get hit(): string {
    return this.calls[this.#nth - 1] ?? "nothing";
  }

  play<T>(name: string, call: () => T): T {
    if (this.isOver) return call();
    const isHit = this.calls.push(name) === this.#nth;
    if (isHit && !this.#isAfter) throw boom;
    const result = call();
    if (isHit) throw boom;
    return result;
  }
}

type ClockKind = "after" | "sleep" | "system";

function clockOf(time: TestClock, kind: ClockKind, saboteur: Saboteur): Clock {
  if (kind === "system") return systemClock;
  const clock: Clock = {
    now: () => saboteur.play("now", () => time.now()),
    sleep: (ms, options) => saboteur.play("sleep", () => time.sleep(ms, options)),
  };
  if (kind === "after") {
    clock.after = (ms, wake) => {
      const cancel = saboteur.play("after", () => time.after(ms, wake));
      return () => saboteur.play("cancel", cancel);
    };
  }
  return clock;
}

function signalOf(signal: AbortSignal, saboteur: Saboteur): AbortSignal {
  const hostile = {
    get aborted() {
      return saboteur.play("aborted", () => signal.aborted);
    },
    get reason() {
      return saboteur.play("reason", () => signal.reason);
    },
    addEventListener: (type: "abort", listener: () => void) =>
      saboteur.play("addEventListener", () => signal.addEventListener(type, listener)),
    removeEventListener: (type: "abort", listener: () => void) =>
      saboteur.play(
        "removeEventListener",
        () => signal.removeEventListener(type, listener),
      ),
  };
  return hostile as unknown as AbortSignal;
}

/** A way for an execution to go. Each attempt has a letter. */
interface Scenario {
  /** `f` fails at once, `F` later, `h` hangs, `w` hangs and winds down, `v` is a value. */
  readonly attempts: string;
  readonly options: BackoffOptions;
  /** The instant at which the caller's signal is aborted. */
  readonly abortAt?: number;
  /** The number of retries that the budget allows. */
  readonly retries?: number;
  readonly end: string;
}

const scenarios: Record<string, Scenario> = {
  "succeeds after failures and timeouts": {
    attempts: "fFhwv",
    options: { attemptTimeout: 20, deadline: 1000, grace: 10 },
    end: "value",
  },
  "succeeds at once": { attempts: "v", options: { deadline: 1000 }, end: "value" },
  "reaches its deadline in an attempt": {
    attempts: "hh",
    options: { attemptTimeout: 20, deadline: 30 },
    end: "TimeoutError attempt",
  },
  "reaches its deadline in a pause": {
    attempts: "fff",
    options: { deadline: 12 },
    end: "down",
  },
  "reaches its deadline in a grace": {
    attempts: "w",
    options: { attemptTimeout: 5, deadline: 10, grace: 100 },
    end: "TimeoutError attempt",
  },
  "is aborted in an attempt": {
    attempts: "fh",
    options: { deadline: 1000 },
    abortAt: 15,
    end: "stop",
  },
  "is aborted in a pause": { attempts: "ff", options: {}, abortAt: 3, end: "stop" },
  "is aborted beforehand": { attempts: "", options: {}, abortAt: 0, end: "stop" },
  "makes its last try": { attempts: "fhF", options: { attemptTimeout: 5 }, end: "down" },
  "is refused by its budget": { attempts: "fFf", options: {}, retries: 2, end: "down" },
  "has limits of 0": {
    attempts: "",
    options: { attemptTimeout: 0, maxTries: 2 },
    end: "TimeoutError attempt",
  },
};

/** One execution of a scenario, in which one call throws. */
class World {
  readonly saboteur: Saboteur;
  readonly events: BackoffEvent[] = [];
  readonly #scenario: Scenario;
  readonly #clock: Clock;
  /** The clock on which the function itself waits. */
  readonly #time: Clock;
  readonly #controller = new AbortController();
  #backoff: Backoff | null = null;

  constructor(
    scenario: Scenario,
    kind: ClockKind,
    time: TestClock,
    nth: number,
    isAfter: boolean,
  ) {
    this.saboteur = new Saboteur(nth, isAfter);
    this.#scenario = scenario;
    this.#clock = clockOf(time, kind, this.saboteur);
    this.#time = kind === "system" ? systemClock : time;
  }

  async run(): Promise<string> {
    const { abortAt, options, attempts } = this.#scenario;
    if (abortAt === 0) this.#controller.abort("stop");
    else if (abortAt !== undefined) {
      this.#time.sleep(abortAt).then(() => this.#controller.abort("stop"));
    }
    const hostile = abortAt === undefined
      ? new AbortController().signal
      : this.#controller.signal;
    try {
      this.#backoff = new Backoff({
        exceptions: [Error],
        maxTries: Math.max(1, attempts.length),
        pause: () => this.saboteur.play("pause", () => 5),
        giveup: () => this.saboteur.play("giveup", () => false),
        observe: (event) => {
          this.saboteur.play("observe", () => this.events.push(event));
        },
        budget: this.#budget(),
        signal: signalOf(new AbortController().signal, this.saboteur),
        clock: this.#clock,
        ...options,
      });
      const result = this.#backoff.execute((attempt) => this.#call(attempt), {
        signal: signalOf(hostile, this.saboteur),
      });
      return String(await result);
    } catch (error) {
      if (error instanceof TimeoutError) return `TimeoutError ${error.limit}`;
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.saboteur.isOver = true;
    }
  }

  #budget(): Budget {
    let retries = this.#scenario.retries ?? Infinity;
    return {
      began: () => this.saboteur.play("began", () => {}),
      failed: () => this.saboteur.play("failed", () => {}),
      succeeded: () => this.saboteur.play("succeeded", () => {}),
      mayRetry: () => this.saboteur.play("mayRetry", () => retries-- > 0),
    };
  }

  #call({ number, signal }: { number: number; signal: AbortSignal }): Promise<string> {
    const letter = this.#scenario.attempts[number - 1] ?? "f";
    const time = this.#time;
    signal.addEventListener("abort", () => this.saboteur.play("listener", () => {}));
    this.saboteur.play("function", () => {});
    return (async () => {
      switch (letter) {
        case "v":
          return await "value";
        case "h":
          return await new Promise<never>(() => {});
        case "w":
          await time.sleep(10_000, { signal }).catch(() => {});
          await time.sleep(3);
          throw signal.reason;
        case "F":
          await time.sleep(2);
          throw new Error("down");
        default:
          throw new Error("down");
      }
    })();
  }

  /** The number of executions that have ended, by the statistic. */
  get ended(): number {
    const ends: number[] = Object.values(this.#backoff?.statistic.ends ?? {});
    return ends.reduce((sum, each) => sum + each, 0);
  }

  /** The value of another execution of the same policy. */
  async runNext(): Promise<unknown> {
    const backoff = this.#backoff ?? new Backoff({ clock: this.#clock });
    const { attemptTimeout } = this.#scenario.options;
    if (attemptTimeout === 0) return "next"; // it calls nothing
    return await backoff.execute(() => "next");
  }
}

/** The calls whose errors are uncaught, and change nothing. */
const APART = ["observe", "listener"];
/** After the effect of these calls, nobody can cancel the timer. Or its cancelling fails. */
const LEAVING = ["after", "sleep", "cancel"];

/** Asserts that a world whose execution has ended is as it must be. */
async function assertSound(
  world: World,
  end: string,
  plain: string,
  isAfter: boolean,
): Promise<void> {
  const { saboteur: { hit }, events } = world;
  const what = `${hit} throws ${isAfter ? "after" : "before"} its effect, ends with ${end}`;
  if (end !== plain) assert(!APART.includes(hit), what);
  // A signal that cannot be read is refused.
  const isRefused = end.includes("must be an AbortSignal");
  assert([plain, "boom"].includes(end) || isRefused, what);
  if (!isRefused) {
    assertEquals(world.ended, 1, what);
    const dones = events.filter(({ type }) => type === "done").length;
    if (hit !== "observe") assertEquals(dones, 1, what);
    const last = events.at(-1);
    if (dones > 0) assert(last?.type === "done" || last?.type === "late", what);
  }
  assertThrows(currentAttempt, Error, "Cannot get the current attempt");
  assertEquals(await world.runNext(), "next", what);
}

/** Plays a scenario with each of its calls throwing in turn, on a test clock. */
async function playAll(scenario: Scenario, kind: ClockKind, isAfter: boolean) {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const play = async (nth: number) => {
    const time = new TestClock();
    const world = new World(scenario, kind, time, nth, isAfter);
    // It rejects if the execution can never settle.
    const end = await time.run(world.run());
    const at = time.now();
    const { hit, calls } = world.saboteur;
    await time.advance(0);
    const isLeaving = LEAVING.includes(hit) || scenario.attempts.includes("w");
    const isAbortLeft = scenario.abortAt !== undefined && time.pending === 1;
    if (!isLeaving && !isAbortLeft) assertEquals(time.pending, 0, `${hit}, call ${nth}`);
    await time.advance(20_000); // what was abandoned ends
    await time.run(assertSound(world, end, nth === 0 ? end : scenario.end, isAfter));
    await time.advance(20_000);
    assertEquals(uncaught.splice(0), APART.includes(hit) ? [boom] : [], `${hit}, ${nth}`);
    return { end, at, calls, hit };
  };
  try {
    const plain = await play(0);
    assertEquals(plain.end, scenario.end);
    for (let nth = 1; nth <= plain.calls.length; nth++) {
      const { at, hit } = await play(nth);
      assert(at <= plain.at, `${hit}, call ${nth}: ends at ${at}, and not at ${plain.at}`);
    }
    return plain.calls;
  } finally {
    stop();
  }
}

for (const [what, scenario] of Object.entries(scenarios)) {
  for (const kind of ["after", "sleep"] as const) {
    Deno.test(`Backoff.execute() settles and leaves no timer and no listener, whichever call throws, when it ${what} on a clock with ${kind}()`, async () => {
      for (const isAfter of [false, true]) {
        const calls = await playAll(scenario, kind, isAfter);
        assert(calls.includes("observe") && calls.includes("now"), `${calls}`);
      }
    });
  }
}

Deno.test("Backoff.execute() settles whichever call throws in any of its scenarios on real time", async () => {
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const time = new TestClock(); // stands still
  let apart = 0;
  const play = async (scenario: Scenario, nth: number, isAfter: boolean) => {
    const world = new World(scenario, "system", time, nth, isAfter);
    const end = await world.run();
    if (APART.includes(world.saboteur.hit)) apart++;
    // On real time, another limit may be the first to be noticed, and other calls are made.
    const ends = [scenario.end, "boom", "down", "stop", "TimeoutError deadline"];
    const isRefused = end.includes("must be an AbortSignal");
    assert(isRefused || ends.includes(end) || end.startsWith("TimeoutError"), end);
    assertEquals(await world.runNext(), "next");
    return world.saboteur.calls.length;
  };
  try {
    for (const scenario of Object.values(scenarios)) {
      const count = await play(scenario, 0, false);
      await Promise.all(
        Array.from(
          { length: count * 2 },
          (_, index) => play(scenario, 1 + Math.floor(index / 2), index % 2 === 1),
        ),
      );
    }
    await sleep(10); // the rest winds down
    await new TestClock().advance(0);
  } finally {
    stop();
  }
  assert(apart > 0);
  assert(uncaught.length > 0 && uncaught.length <= apart, `${uncaught.length} of ${apart}`);
  assert(uncaught.every((error) => error === boom));
});

/** Fails in place of a test that would hang. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let guard: ReturnType<typeof setTimeout> | undefined;
  const hangs = new Promise<never>((_, reject) =>
    guard = setTimeout(() => reject(new Error("it hangs")), 60_000)
  );
  try {
    return await Promise.race([promise, hangs]);
  } finally {
    clearTimeout(guard);
  }
}

/** Asserts that limits, pauses and sleeps of this process work. */
async function assertTimersWork(): Promise<void> {
  const limit = new Backoff({ deadline: 3 }).execute(() => new Promise<never>(() => {}));
  const pause = new Backoff({ pause: 2, exceptions: [Error] }).execute(({ number }) => {
    if (number === 1) throw new Error("down");
    return "value";
  });
  const ends = Promise.all([limit.catch(({ limit }) => limit), pause, sleep(2)]);
  assertEquals(await settled(ends), ["deadline", "value", undefined]);
}

/**
 * Runs timers of every kind, while one call of a function of the platform throws, for each of
 * its calls in turn. Its text runs in a worker, so it uses nothing from outside.
 *
 * @returns What does not work, and the number of calls.
 */
async function sabotage(
  load: () => Promise<typeof import("@asyncbackoff/asyncbackoff")>,
  name: "setImmediate" | "setTimeout" | "clearTimeout" | "now",
  isAfter: boolean,
): Promise<{ faults: string[]; calls: number }> {
  const { setTimeout, clearTimeout, performance } = globalThis;
  const now = performance.now.bind(performance);
  let nth = 0;
  let calls = 0;
  const owner = (name === "now" ? performance : globalThis) as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const original = owner[name];
  if (original === undefined) return { faults: [], calls: 1 }; // browsers
  // It keeps its name, so it does not count as a fake.
  const sabotaged = {
    [name](...args: unknown[]) {
      const isHit = ++calls === nth;
      if (isHit && !isAfter) throw new Error("boom");
      const result = original.apply(owner, args);
      if (isHit) throw new Error("boom");
      return result;
    },
  }[name];
  Object.defineProperty(owner, name, { value: sabotaged, configurable: true });
  globalThis.addEventListener?.("error", (event) => event.preventDefault());
  const { process } = globalThis as unknown as {
    process?: { on(type: string, listener: () => void): void };
  };
  process?.on("uncaughtException", () => {});

  const { Backoff, sleep } = await load();
  const never = () => new Promise<never>(() => {});
  /** Whether it settles at all. */
  const settles = (run: () => Promise<unknown>) =>
    new Promise<boolean>((resolve) => {
      const guard = setTimeout(() => resolve(false), 3000);
      const settle = () => {
        clearTimeout(guard);
        resolve(true);
      };
      try {
        run().then(settle, settle);
      } catch {
        settle();
      }
    });
  const limit = (ms: number) => new Backoff({ deadline: ms }).execute(never);
  const failing = (pause: number) =>
    new Backoff({ exceptions: "all", maxTries: 3, pause }).execute(() => {
      throw new Error("down");
    });
  /** Blocks the event loop later, so that limits are noticed late. */
  const blockAt = (ms: number) =>
    new Promise<void>((resolve) =>
      setTimeout(() => {
        const until = now() + 12;
        while (now() < until);
        resolve();
      }, ms)
    );
  const play = async () => {
    const long = settles(() => limit(25));
    await new Promise<void>((resolve) => setTimeout(resolve, 2));
    return await Promise.all([
      long,
      settles(() => sleep(1)),
      settles(() => sleep(3)),
      settles(() => limit(4)),
      settles(() => new Backoff({ attemptTimeout: 2, deadline: 9 }).execute(never)),
      settles(() => failing(0)),
      settles(() => failing(1)),
      settles(() => new Backoff({ deadline: 500 }).execute(() => sleep(2))),
      settles(() => blockAt(3)),
      settles(() => blockAt(20)),
    ]);
  };

  await play();
  const count = calls;
  const faults: string[] = [];
  for (nth = 1; nth <= Math.min(count, 20) && faults.length === 0; nth++) {
    calls = 0;
    const played = await play();
    const after = await Promise.all(
      [() => sleep(2), () => limit(3), () => failing(2)].map(settles),
    );
    const hung = played.flatMap((isSettled, index) => isSettled ? [] : [index]);
    if (hung.length > 0) faults.push(`call ${nth}: ${hung} of these hang`);
    if (after.includes(false)) faults.push(`call ${nth}: later timers hang`);
  }
  return { faults, calls: count };
}

for (const name of ["setImmediate", "setTimeout", "clearTimeout", "now"] as const) {
  for (const isAfter of [false, true]) {
    const when = isAfter ? "after" : "before";
    Deno.test(`systemClock keeps all timers at work whichever call of the platform's ${name}() throws ${when} its effect`, async () => {
      const result = await settled(runInWorker(`
        const load = () => import("${modules.main}");
        post(await (${sabotage})(load, "${name}", ${isAfter}));`)) as
        | Awaited<ReturnType<typeof sabotage>>
        | null;
      if (result === null) return; // no workers
      const { faults, calls } = result;
      assertEquals(faults, []);
      // A timer of the platform is cleared only where another one is set in time.
      assert(calls > 0 || name === "clearTimeout");
    });
  }
}

/** Calls a function with some frames below it. */
function withFrames<T>(count: number, call: () => T): T {
  return count === 0 ? call() : withFrames(count - 1, call);
}

const recursions: [what: string, options: BackoffOptions][] = [
  ["a deadline", { deadline: 20 }],
  ["both limits", { attemptTimeout: 20, deadline: 1000, maxTries: 1 }],
  ["pauses", { exceptions: "all", maxTries: 2, pause: 1 }],
  ["an observer and a signal", {
    deadline: 20,
    observe() {},
    signal: new AbortController().signal,
  }],
  ["no limit", {}],
];

for (const [what, options] of recursions) {
  Deno.test(`Backoff.execute() with ${what} leaves limits, pauses and sleeps at work when a caller catches a stack overflow`, async () => {
    const uncaught: unknown[] = [];
    const stop = listenToUncaught((error) => uncaught.push(error));
    let overflows = 0;
    try {
      for (let round = 0; round < 30; round++) {
        const promises: Promise<unknown>[] = [];
        let depth = 0;
        const recurse = new Backoff(options).wrap((): Promise<unknown> => {
          // Retries do not recurse again, or there would be too many.
          if (currentAttempt().number > 1) return Promise.resolve();
          depth++;
          try {
            systemClock.after(1, () => {})();
            promises.push(sleep(1));
            const result = withFrames(40, recurse);
            promises.push(result);
            return round % 2 === 0 ? result : Promise.reject(new Error("down"));
          } catch {
            overflows++; // caught by a caller that goes on
            return Promise.resolve();
          }
        });
        try {
          // The stack ends somewhere else in each round.
          promises.push(withFrames(round, recurse));
        } catch {
          overflows++;
        }
        const outcomes = await settled(Promise.allSettled(promises));
        // One within the library rejects. In Bun, nearly all of them are.
        overflows += outcomes.filter((outcome) =>
          outcome.status === "rejected" && outcome.reason instanceof RangeError
        ).length;
        assertThrows(currentAttempt, Error, "Cannot get the current attempt");
        await assertTimersWork();
        assert(depth > 10, `${depth}`);
      }
    } finally {
      stop();
    }
    assert(overflows > 0);
    // A promise that is lost to an overflow may have rejected with that.
    assertEquals(uncaught.filter((error) => !(error instanceof RangeError)), []);
    await settled(sleep(30)); // the limits of calls that overflowed
    await new TestClock().advance(0);
  });
}
