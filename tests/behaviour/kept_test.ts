// Nothing of a call is kept after it has settled: arguments, results, errors, contexts. These
// tests run where a program can collect its garbage, such as in Node and Deno.

import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import {
  asyncretry,
  Backoff,
  type BackoffOptions,
  type Clock,
  currentAttempt,
  sleep,
  systemClock,
  within,
} from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { whileFollowed } from "../support/followed.ts";

/** The engine's own function that collects garbage, which a flag of V8 exposes. */
async function findCollect(): Promise<(() => void) | null> {
  if ("Bun" in globalThis) return null; // may keep what the stack only seems to refer to
  const [v8, vm] = ["node:v8", "node:vm"]; // variables, because browsers cannot resolve them
  try {
    const { setFlagsFromString } = await import(v8 as string);
    const { runInNewContext } = await import(vm as string);
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc");
    setFlagsFromString("--no-expose-gc");
    return typeof collect === "function" ? collect : null;
  } catch {
    return null;
  }
}

const collect = await findCollect();

/** Notes an object by its name, and returns it. */
type Mark = <T extends object>(name: string, object: T) => T;

/**
 * The names of the objects that still exist after a call has settled.
 *
 * @param run Makes the call, and marks objects that it uses.
 */
async function keptAfter(run: (mark: Mark) => unknown): Promise<string[]> {
  const marked: [name: string, ref: WeakRef<object>][] = [];
  const mark: Mark = (name, object) => {
    marked.push([name, new WeakRef(object)]);
    return object;
  };
  await (async () => {
    try {
      await run(mark);
    } catch {
      // it has settled, too
    }
  })();
  let kept = marked;
  for (let round = 0; round < 10 && kept.length > 0; round++) {
    await new Promise((resolve) => setTimeout(resolve, 2)); // without the library
    collect?.();
    kept = marked.filter(([, ref]) => ref.deref() !== undefined);
  }
  return kept.map(([name]) => name);
}

const never = () => new Promise<never>(() => {});
const limits: BackoffOptions = { attemptTimeout: 10_000, deadline: 20_000 };

/** Calls that settle in every way. Whatever they mark must not be kept. */
const calls: [what: string, run: (mark: Mark) => unknown][] = [
  ["a value at once", (mark) => {
    const call = new Backoff(limits).wrap((_: object) =>
      Promise.resolve(mark("result", {}))
    );
    return call(mark("argument", {}));
  }],
  ["a value after a while", (mark) => {
    const call = new Backoff(limits).wrap(async (_: object) => {
      await sleep(2);
      return mark("result", {});
    });
    return call(mark("argument", {}));
  }],
  ["a value without limits", (mark) => {
    const call = new Backoff().wrap((_: object) => Promise.resolve(mark("result", {})));
    return call(mark("argument", {}));
  }],
  ["an error", (mark) => {
    const call = new Backoff(limits).wrap((_: object) =>
      Promise.reject(mark("error", new Error("down")))
    );
    return call(mark("argument", {}));
  }],
  ["retries", (mark) => {
    const call = asyncretry(3, limits)(async (_: object) => {
      await null;
      throw mark("error", new Error("down"));
    });
    return call(mark("argument", {}));
  }],
  ["its deadline", (mark) => {
    const call = new Backoff({ deadline: 3 }).wrap((_: object) => never());
    return call(mark("argument", {}));
  }],
  ["a value after a timeout", (mark) => {
    let calls = 0;
    const call = new Backoff({ attemptTimeout: 3 }).wrap((_: object) =>
      ++calls === 1 ? never() : Promise.resolve(mark("result", {}))
    );
    return call(mark("argument", {}));
  }],
  ["its idle timeout, after progress", (mark) => {
    const call = new Backoff({ idleTimeout: 4, maxTries: 1, exceptions: [] });
    return call.wrap((_: object) => {
      const attempt = mark("attempt", currentAttempt());
      attempt.progress(mark("checkpoint", {}));
      return never();
    })(mark("argument", {}));
  }],
  ["a value after progress", (mark) => {
    const call = new Backoff({ ...limits, idleTimeout: 10_000 });
    return call.execute(async (attempt) => {
      mark("attempt", attempt).progress(mark("checkpoint", {}));
      await sleep(2);
      attempt.progress();
    });
  }],
  ["an abort", (mark) => {
    const controller = new AbortController();
    const { signal } = controller;
    const call = new Backoff({ exceptions: [], ...limits, signal }).wrap((_: object) =>
      never()
    );
    systemClock.after(2, () => controller.abort(mark("reason", {})));
    return call(mark("argument", {}));
  }],
  ["a value in a context", (mark) => {
    const context = new AsyncLocalStorage<object>();
    const call = new Backoff({ ...limits, exceptions: "all", pause: 1 });
    return context.run(mark("store", {}), () =>
      call.execute(({ number }) => {
        if (number === 1) throw mark("error", new Error("down"));
      }));
  }],
  ["a value on a clock with sleep() alone", (mark) => {
    const clock: Clock = {
      now: systemClock.now,
      sleep: (ms, options) => sleep(ms, options ?? {}),
    };
    const call = new Backoff({ exceptions: [], ...limits, clock }).wrap((_: object) =>
      Promise.resolve(mark("result", {}))
    );
    return call(mark("argument", {}));
  }],
];

for (const [what, run] of calls) {
  Deno.test(`Backoff.execute() keeps nothing of a call that ended with ${what}`, async () => {
    if (collect === null) return;
    const kept = await keptAfter(run);
    await new TestClock().advance(0); // timers of the platform are cleared
    assertEquals(kept, []);
  });

  Deno.test(`Backoff.execute() keeps nothing of a call that ended with ${what} while other limits and signals are in use`, async () => {
    if (collect === null) return;
    const controller = new AbortController();
    const { signal } = controller;
    const context = new AsyncLocalStorage<string>();
    const backoff = new Backoff({ exceptions: [], ...limits, signal });
    const others = Array.from(
      { length: 3 },
      (_, index) =>
        context.run(`other ${index}`, () => backoff.execute(never).catch(() => {})),
    );
    const kept = await keptAfter(run);
    controller.abort("enough");
    await Promise.all(others);
    await new TestClock().advance(0);
    assertEquals(kept, []);
  });
}

Deno.test("Backoff.execute() keeps nothing of a call while a promise that it abandoned is held elsewhere", async () => {
  if (collect === null) return;
  const held: Promise<unknown>[] = [];
  const hold = () => {
    const promise = never();
    held.push(promise);
    return promise;
  };
  const abandoned = await keptAfter((mark) => {
    const call = new Backoff({ deadline: 3 }).wrap((_: object) => hold());
    return call(mark("argument", {}));
  });
  let tries = 0;
  const retried = await keptAfter((mark) => {
    const call = new Backoff({ attemptTimeout: 3 }).wrap((_: object) =>
      ++tries === 1 ? hold() : Promise.resolve(mark("result", {}))
    );
    return call(mark("argument", {}));
  });
  await new TestClock().advance(0);
  assertEquals([abandoned, retried], [[], []]);
  assertEquals(held.length, 2);
});

Deno.test("Backoff.execute() keeps nothing of a call while an attempt that it made is held elsewhere", async () => {
  if (collect === null) return;
  const attempts: unknown[] = [];
  const kept = await keptAfter((mark) => {
    const call = new Backoff({ ...limits, idleTimeout: 10_000 }).wrap((_: object) => {
      attempts.push(currentAttempt());
      return Promise.resolve(mark("result", {}));
    });
    return call(mark("argument", {}));
  });
  await new TestClock().advance(0);
  assertEquals([kept, attempts.length], [[], 1]);
});

Deno.test("stream() keeps no item that was delivered, while it is open", async () => {
  if (collect === null) return;
  const open: unknown[] = [];
  const kept = await keptAfter(async (mark) => {
    const items = stream({ idleTimeout: 10_000 }, async function* () {
      for (let id = 0;; id++) yield await Promise.resolve(mark(`item ${id}`, {}));
    });
    open.push(items);
    for (let id = 0; id < 3; id++) await items.next();
  });
  assertEquals([kept, open.length], [[], 1]);
});

Deno.test("stream() keeps nothing of a stream that has ended, while it is held elsewhere", async () => {
  if (collect === null) return;
  const ends: ((items: AsyncGenerator<object>, mark: Mark) => unknown)[] = [
    (items) => items.return(undefined),
    (items, mark) => items.throw(mark("own error", {})),
    async (items) => {
      for await (const _ of items);
    },
  ];
  for (const end of ends) {
    const held: unknown[] = [];
    const kept = await keptAfter(async (mark) => {
      const { signal } = new AbortController();
      const items = stream(limits, async function* (attempt) {
        mark("attempt", attempt);
        yield await Promise.resolve(mark("item", {}));
        throw mark("error", new Error("down"));
      }, { signal }) as AsyncGenerator<object>;
      held.push(items);
      await items.next();
      await end(items, mark);
    });
    assertEquals([kept, held.length], [[], 1]);
  }
});

Deno.test("sleep() keeps nothing of a wait that has ended", async () => {
  if (collect === null) return;
  const context = new AsyncLocalStorage<object>();
  const other = systemClock.after(10_000, () => {});
  const kept = await keptAfter(async (mark) => {
    await context.run(mark("store", {}), () => sleep(2));
    const controller = new AbortController();
    const slept = sleep(10_000, { signal: mark("signal", controller.signal) });
    controller.abort(mark("reason", {}));
    await slept;
  });
  other();
  await new TestClock().advance(0);
  assertEquals(kept, []);
});

/** Nested calls of which an async context, an outer attempt or a scope is held afterwards. */
const nestedCalls: [
  what: string,
  call: (mark: Mark, hold: (held: unknown) => void) => unknown,
][] = [
  ["an outer attempt", (mark, hold) =>
    new Backoff().execute(async (outer) => {
      hold(outer);
      const nested = new Backoff({ maxTries: 2, exceptions: "all" }).wrap((_: object) =>
        Promise.reject(mark("error", new Error("down")))
      );
      await within(outer, () => nested(mark("argument", {}))).catch(() => {});
      const options = { within: outer };
      await new Backoff().execute(async (attempt) => {
        mark("attempt", attempt);
        await sleep(1);
        return mark("result", {});
      }, options);
    })],
  ["a signal of within()", async (mark, hold) => {
    const { signal } = new AbortController();
    hold(signal);
    const nested = new Backoff().wrap((_: object) => Promise.resolve(mark("result", {})));
    await within({ signal, deadline: 10_000 }, () => nested(mark("argument", {})));
  }],
  [
    "the async context of an attempt that settled",
    (mark, hold) =>
      whileFollowed(() =>
        new Backoff(limits).execute(async (attempt) => {
          mark("attempt", attempt);
          hold(AsyncLocalStorage.snapshot());
          await sleep(1);
          hold(AsyncLocalStorage.snapshot());
          return mark("result", {});
        })
      ),
  ],
  [
    "the async context of an attempt that failed",
    (mark, hold) =>
      whileFollowed(() =>
        asyncretry(2)(async (_: object) => {
          await null;
          hold(AsyncLocalStorage.snapshot());
          throw mark("error", new Error("down"));
        })(mark("argument", {}))
      ),
  ],
  [
    "the async context of an attempt that ended after its deadline",
    (mark, hold) =>
      whileFollowed(async () => {
        await new Backoff({ deadline: 3 }).execute(async (attempt) => {
          mark("attempt", attempt);
          hold(AsyncLocalStorage.snapshot());
          await sleep(6);
          return mark("result", {});
        }).catch(() => {});
        await sleep(6);
      }),
  ],
];

for (const [what, call] of nestedCalls) {
  Deno.test(`Backoff.execute() keeps nothing of a nested call while ${what} is held`, async () => {
    if (collect === null) return;
    const held: unknown[] = [];
    const kept = await keptAfter((mark) => call(mark, (each) => held.push(each)));
    await new TestClock().advance(0);
    assertEquals(kept, []);
    assertEquals(held.length > 0, true);
  });
}
