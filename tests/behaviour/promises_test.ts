// A global `Promise` that others replace, before or after the library is loaded.

import { assert, assertEquals } from "@std/assert";
import * as library from "@asyncbackoff/asyncbackoff";
import * as testing from "@asyncbackoff/asyncbackoff/testing";
import { replaceGlobals } from "../support/globals.ts";
import { modules, runInWorker } from "./in_worker.ts";

/**
 * Makes a class of promises that is not a subclass of the platform's, such as Bluebird's. Its
 * methods refuse other promises, and those of the platform refuse its own.
 */
function makePromises(): PromiseConstructor {
  const Native = globalThis.Promise;
  // deno-lint-ignore no-explicit-any
  type Any = any;
  class Replaced {
    readonly #promise: Promise<unknown>;
    constructor(executor: (resolve: Any, reject: Any) => void) {
      this.#promise = new Native(executor);
    }
    then(onValue?: Any, onReason?: Any) {
      const promise = this.#promise;
      return new Replaced((resolve, reject) =>
        // Later than the platform's own.
        void promise.then().then(onValue, onReason).then(resolve, reject)
      );
    }
    catch(onReason: Any) {
      return this.then(undefined, onReason);
    }
    finally(callback: Any) {
      const after = async (settle: () => unknown) => {
        await callback();
        return settle();
      };
      return this.then(
        (value: Any) => after(() => value),
        (reason: Any) => after(() => Native.reject(reason)),
      );
    }
    static resolve(value: Any) {
      return value instanceof Replaced ? value : new Replaced((resolve) => resolve(value));
    }
    static reject(reason: Any) {
      return new Replaced((_, reject) => reject(reason));
    }
    static all(values: Any) {
      return Replaced.resolve(Native.all(values));
    }
    static race(values: Any) {
      return Replaced.resolve(Native.race(values));
    }
    static allSettled(values: Any) {
      return Replaced.resolve(Native.allSettled(values));
    }
  }
  return Replaced as Any;
}

/**
 * Runs executions of every kind, and returns how they end. Its text runs in a worker, too, so
 * it uses nothing from outside.
 */
async function play(
  { asyncbackoff, asyncretry, Backoff, sleep, systemClock }: typeof library,
  { TestClock }: typeof testing,
): Promise<string[]> {
  const ends: string[] = [];
  const note = async (what: string, run: () => unknown) => {
    try {
      ends.push(`${what}: ${await run()}`);
    } catch (error) {
      ends.push(`${what} rejects: ${error}`);
    }
  };
  const never = () => new Promise<never>(() => {});
  const down = () => {
    throw new Error("down");
  };
  /** Fails so many times, then returns a promise of the class that is global now. */
  const failing = (times: number) => ({ number }: { number: number }) =>
    number <= times ? Promise.reject(new Error("down")) : Promise.resolve("value");
  await note("a value", () => new Backoff().execute(() => "value"));
  await note("a promise", () => new Backoff().execute(() => Promise.resolve("value")));
  await note("an async function", () =>
    new Backoff({ deadline: 500 }).execute(async () => {
      await sleep(1);
      return await Promise.resolve("value");
    }));
  await note("a rejection", () => new Backoff().execute(failing(1)));
  await note("an error", () => new Backoff({ deadline: 500 }).execute(down));
  await note("retries", () => {
    const policy = { exceptions: "all", maxTries: 3, pause: 1, deadline: 500 } as const;
    return new Backoff(policy).execute(failing(2));
  });
  await note("a deadline", () => new Backoff({ deadline: 3 }).execute(never));
  await note("attempt timeouts", () => {
    const policy = { exceptions: [], attemptTimeout: 3, maxTries: 2, grace: 1, pause: 1 };
    return new Backoff(policy).execute(never);
  });
  await note("an observer and a signal", async () => {
    const { signal } = new AbortController();
    const types: string[] = [];
    const observe = ({ type }: { type: string }) => void types.push(type);
    const policy = { exceptions: "all", deadline: 500, observe, signal } as const;
    const value = await new Backoff(policy).execute(failing(1));
    return `${value} ${types}`;
  });
  await note("an abort", () => {
    const controller = new AbortController();
    const { signal } = controller;
    systemClock.after(2, () => controller.abort("stop"));
    return new Backoff({ deadline: 500 }).execute(never, { signal });
  });
  await note("asyncretry", () => {
    let calls = 0;
    return asyncretry(3)(async () => {
      await null;
      return ++calls < 3 ? down() : calls;
    })();
  });
  await note("asyncbackoff", () => asyncbackoff(3, 500, { maxTries: 1 })(never)());
  await note("sleep", () => sleep(1));
  await note(
    "sleep with a signal",
    () => sleep(1000, { signal: AbortSignal.abort("stop") }),
  );
  await note("systemClock.sleep", () => systemClock.sleep(1));
  await note("a wrong argument", () => new Backoff().execute(null as never));
  await note("a pause that is a promise", () => {
    const pause = (() => Promise.resolve(1)) as never;
    return new Backoff({ exceptions: "all", pause }).execute(down);
  });
  await note("a clock with sleep alone", () => {
    const clock = {
      now: () => systemClock.now(),
      sleep: (ms: number) => new Promise<void>((resolve) => systemClock.after(ms, resolve)),
    };
    return new Backoff({ deadline: 3, clock }).execute(never);
  });
  await note("a test clock", async () => {
    const clock = new TestClock();
    const policy = { exceptions: [], attemptTimeout: 100, deadline: 250, pause: 10, clock };
    const error = await clock.run(
      new Backoff(policy).execute(never).catch((error: unknown) => error),
    );
    return `${error} at ${clock.now()}`;
  });
  await note("promises in order", async () => {
    const clock = new TestClock();
    const order: number[] = [];
    for (const ms of [30, 10, 20, 10]) {
      void clock.sleep(ms).then(() => Promise.resolve()).then(() =>
        order.push(clock.now())
      );
    }
    await clock.advance(100);
    return order;
  });
  await sleep(5); // what was abandoned ends
  return ends;
}

/** The outcomes where nothing is replaced. */
const plain = await play(library, testing);

Deno.test("Executions work before anything is replaced", () => {
  const count = plain.filter((end) => end.includes(" rejects: ")).length;
  assertEquals([plain.length, count], [20, 10]);
  assert(plain.includes("retries: value"), `${plain}`);
  assert(plain.includes("promises in order: 10,10,20,30"), `${plain}`);
});

Deno.test("Executions still work when the global Promise is replaced after the library was loaded", async () => {
  const restore = replaceGlobals({ Promise: makePromises() });
  try {
    assertEquals(await play(library, testing), plain);
  } finally {
    restore();
  }
});

Deno.test("Executions under way still work when the global Promise is replaced", async () => {
  const played = play(library, testing);
  const restore = replaceGlobals({ Promise: makePromises() });
  try {
    assertEquals(await played, plain);
  } finally {
    restore();
  }
});

Deno.test("The library returns promises of the class that it was loaded with, also for wrong arguments", async () => {
  const { Backoff, sleep, systemClock } = library;
  const Native = globalThis.Promise;
  const restore = replaceGlobals({ Promise: makePromises() });
  const promises: Promise<unknown>[] = [];
  try {
    const backoff = new Backoff({ deadline: 100 });
    promises.push(
      backoff.execute(() => 1),
      backoff.execute(() => Promise.resolve(1)),
      backoff.wrap(() => Promise.resolve(1))(),
      backoff.execute(null as never),
      backoff.execute(() => 1, { signal: "no signal" as never }),
      sleep(1),
      systemClock.sleep(1),
    );
    promises.forEach((promise) => promise.catch(() => {})); // some reject
  } finally {
    restore();
  }
  assertEquals(
    promises.map((promise) => promise instanceof Native),
    promises.map(() => true),
  );
  await Native.allSettled(promises);
});

for (const when of ["before", "after"]) {
  Deno.test(`Executions still work in a worker in which the global Promise is replaced ${when} the library is loaded`, async () => {
    const replace = `globalThis.Promise = (${makePromises})();`;
    const result = await runInWorker(`
      ${when === "before" ? replace : ""}
      const library = await import("${modules.main}");
      const testing = await import("${modules.testing}");
      ${when === "after" ? replace : ""}
      post(await (${play})(library, testing));`);
    if (result === null) return; // no workers
    assertEquals(result, plain);
  });
}
