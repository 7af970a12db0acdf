// Attempts that are followed through async context: `currentAttempt` after every `await`, and
// executions that nest by themselves.

import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter, on } from "node:events";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asyncretry,
  Backoff,
  type BackoffEvent,
  currentAttempt,
  currentAttemptOrNull,
  detached,
  sleep,
  TimeoutError,
  within,
} from "@asyncbackoff/asyncbackoff";
import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { whileFollowed } from "../support/followed.ts";

const down = new Error("down");
const hang = () => new Promise<never>(() => {});
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => "no error", (error) => error);

async function microtasks(): Promise<void> {
  for (let i = 0; i < 40; i++) await null;
}

/** The number of the attempt that a nested execution finds around it; `null` for none. */
async function outerHere(): Promise<number | null> {
  let outer: number | null = null;
  const observe = (event: BackoffEvent) => outer = event.outer?.attempt ?? null;
  await new Backoff({ observe }).execute(() => {});
  return outer;
}

/** Ways to reach code in an attempt's async extent. */
const ways: [what: string, act: (fn: () => void) => unknown][] = [
  ["at once", (fn) => fn()],
  ["after an await", async (fn) => {
    await null;
    fn();
  }],
  ["in a timer", async (fn) => {
    await new Promise<void>((resolve) => setTimeout(() => (fn(), resolve()), 0));
  }],
  ["in a microtask", async (fn) => {
    await new Promise<void>((resolve) => queueMicrotask(() => (fn(), resolve())));
  }],
  ["in a listener of an event emitter", async (fn) => {
    const emitter = new EventEmitter();
    emitter.on("data", fn);
    await turn();
    emitter.emit("data");
  }],
  ["in for await", async (fn) => {
    const values = (async function* () {
      yield 1;
      await turn();
      yield 2;
    })();
    let last = 0;
    for await (const value of values) last = value;
    assertEquals(last, 2);
    fn();
  }],
  ["in for await over events", async (fn) => {
    const emitter = new EventEmitter();
    setTimeout(() => emitter.emit("data"), 0);
    for await (const _ of on(emitter, "data")) break;
    fn();
  }],
  ["after Promise.all()", async (fn) => {
    await Promise.all([turn(), null, turn()]);
    fn();
  }],
  ["in a helper of Promise.all()", async (fn) => {
    await Promise.all([1].map(async () => {
      await turn();
      fn();
    }));
  }],
  ["after a sleep()", async (fn) => {
    await sleep(1);
    fn();
  }],
  ["in a nested call that is not ours", async (fn) => {
    await new AsyncLocalStorage().run("a stranger", async () => {
      await turn();
      fn();
    });
  }],
];

for (const [what, act] of ways) {
  Deno.test(`currentAttempt() is the attempt ${what} while attempts are followed`, async () => {
    await whileFollowed(async () => {
      for (const number of [1, 2]) {
        const seen: (number | undefined)[] = [];
        const note = () => void seen.push(currentAttemptOrNull()?.number);
        const backoff = new Backoff({ maxTries: 2, exceptions: "all" });
        await backoff.execute(async (attempt) => {
          if (attempt.number < number) throw down;
          await act(() => {
            note();
            assertStrictEquals(currentAttempt(), attempt);
          });
          assertEquals(await outerHere(), number);
        });
        assertEquals(seen, [number]);
        note();
        assertEquals(seen, [number, undefined]);
      }
    });
  });

  Deno.test(`An execution that is begun ${what} ends with the attempt while attempts are followed`, async () => {
    await whileFollowed(async () => {
      const controller = new AbortController();
      const log: string[] = [];
      const load = new Backoff().wrap(hang);
      const result = new Backoff().execute(async () => {
        await act(() => {
          load().catch((error) => log.push(`inner ${error}`));
        });
        return await hang();
      }, controller).catch((error) => log.push(`outer ${error}`));
      for (let i = 0; i < 5; i++) await turn();
      await sleep(5);
      controller.abort("enough");
      await result;
      await microtasks();
      assertEquals(log, ["outer enough", "inner enough"]);
    });
  });
}

Deno.test("followAttempts() changes nothing when it is called again", async () => {
  await whileFollowed(async () => {
    await new Backoff().execute(async (attempt) => {
      await turn();
      followAttempts();
      assertStrictEquals(currentAttempt(), attempt);
    });
  });
});

Deno.test("currentAttempt() tells nothing of followed attempts outside of one", async () => {
  await whileFollowed(() => {
    const error = assertThrows(currentAttempt, Error);
    assertEquals(
      error.message,
      "Cannot get the current attempt: 'currentAttempt()' must be called inside the " +
        "function that is executed",
    );
  });
});

Deno.test("currentAttempt() is the innermost attempt, and the one around it afterwards", async () => {
  await whileFollowed(async () => {
    await new Backoff().execute(async (outer) => {
      await turn();
      await new Backoff().execute(async (inner) => {
        await turn();
        assertStrictEquals(currentAttempt(), inner);
      });
      assertStrictEquals(currentAttempt(), outer);
      const pending = new Backoff().execute(turn);
      assertStrictEquals(currentAttempt(), outer);
      await pending;
      assertStrictEquals(currentAttempt(), outer);
    });
  });
});

Deno.test("currentAttempt() is none in a policy's callbacks, in detached(), and after the attempt", async () => {
  await whileFollowed(async () => {
    const seen: unknown[] = [];
    const note = () => void seen.push(currentAttemptOrNull());
    const backoff = new Backoff({
      maxTries: 2,
      exceptions: () => (note(), true),
      until: () => (note(), true),
      giveup: () => (note(), false),
      pause: () => (note(), 0),
      observe: note,
    });
    let later: Promise<void> | undefined;
    await new Backoff().execute(async () => {
      await turn();
      await backoff.execute(async ({ number }) => {
        await turn();
        detached(note);
        await detached(() => turn().then(note));
        if (number === 1) throw down;
        later = sleep(5).then(note);
      });
    });
    await later;
    assert(seen.length >= 12);
    assertEquals(seen.filter((each) => each !== null), []);
  });
});

Deno.test("An execution that is begun in a callback of a policy is not nested by itself", async () => {
  await whileFollowed(async () => {
    const outer: Promise<number | null>[] = [];
    const note = () => void outer.push(outerHere());
    await new Backoff().execute(async () => {
      await turn();
      const backoff = new Backoff({ maxTries: 2, exceptions: "all", observe: note });
      await errorOf(backoff.execute(() => Promise.reject(down)));
    });
    assertEquals(await Promise.all(outer), [null, null, null, null, null]);
  });
});

Deno.test("detached() and `detached` nest nothing, and `within` replaces the attempt that is followed", async () => {
  await whileFollowed(async () => {
    await new Backoff({ maxTries: 2, exceptions: "all" }).execute(async (outer) => {
      if (outer.number === 1) throw down;
      await turn();
      assertEquals(await outerHere(), 2);
      assertEquals(await detached(outerHere), null);
      assertEquals(await detached(() => turn().then(outerHere)), null);
      const seen: unknown[] = [];
      const observe = (event: BackoffEvent) => seen.push(event.outer?.attempt ?? null);
      await new Backoff().execute(() => {}, { detached: true, observe });
      await new Backoff().execute(async () => {
        await turn();
        await new Backoff().execute(() => {}, { within: outer, observe });
      });
      assertEquals(seen, [null, null, 2, 2]);
    });
  });
});

Deno.test("within() reaches through its whole async extent while attempts are followed", async () => {
  await whileFollowed(async () => {
    const clock = new TestClock();
    const controller = new AbortController();
    const load = asyncretry(null, { pause: 10, clock })(() => Promise.reject(down));
    const results: Promise<unknown>[] = [];
    const late = within({ signal: controller.signal }, async () => {
      await turn();
      results.push(errorOf(load()));
      await turn();
      results.push(errorOf(within({ deadline: 30, clock }, async () => {
        await turn();
        return await load();
      })));
      await sleep(100, { clock });
      results.push(errorOf(load()));
    });
    for (let i = 0; i < 10; i++) await turn();
    await clock.advance(30);
    assertInstanceOf(await results[1], TimeoutError);
    controller.abort("enough");
    await clock.run(late);
    assertEquals([await results[0], await results[2]], ["enough", "enough"]);
    clock.close();
  });
});

Deno.test("currentAttempt() is the attempt around within() while attempts are followed", async () => {
  await whileFollowed(async () => {
    await within({}, async () => {
      await turn();
      assertEquals(currentAttemptOrNull(), null);
    });
    await new Backoff().execute(async (outer) => {
      await within({ deadline: 1000 }, async () => {
        assertStrictEquals(currentAttempt(), outer);
        await turn();
        assertStrictEquals(currentAttempt(), outer);
        assertEquals(await outerHere(), 1);
      });
      await within(outer, async () => {
        await turn();
        assertStrictEquals(currentAttempt(), outer);
      });
    });
  });
});

Deno.test("What an attempt begins after it has settled by itself is not nested, and what it begins after its end never runs", async () => {
  await whileFollowed(async () => {
    const clock = new TestClock();
    const seen: unknown[] = [];
    const later = async () => {
      await sleep(100, { clock });
      seen.push(await new Backoff().execute(() => "ran").catch((error) => error));
      seen.push(currentAttemptOrNull()?.number ?? null);
    };
    await clock.run(new Backoff({ deadline: 50, clock }).execute(() => void later()));
    await clock.advance(100);
    assertEquals(seen.splice(0), ["ran", null]);
    const result = new Backoff({ deadline: 50, clock }).execute(later);
    const error = await clock.run(errorOf(result));
    await clock.advance(100);
    assertEquals(seen[1], 1, "it still runs, although it was abandoned");
    assertStrictEquals(seen[0], error);
    clock.close();
  });
});

/** A pool of the usual kind: a free connection is handed to who waits, in the releaser's turn. */
class Pool {
  readonly #waiting: ((connection: Connection) => void)[] = [];
  readonly #idle: Connection[] = [];
  #left: number;

  constructor(size: number) {
    this.#left = size;
  }

  async query(text: string): Promise<string> {
    const connection = await this.#acquire();
    try {
      return await connection.query(text);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(connection);
      else next(connection);
    }
  }

  #acquire(): Promise<Connection> | Connection {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#left-- > 0) return detached(() => new Connection());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A connection, whose handlers live as long as it does. */
class Connection {
  readonly #emitter = new EventEmitter();
  readonly seen: (number | null)[] = [];
  readonly begun: Promise<unknown>[] = [];

  constructor() {
    this.#emitter.on("query", (text: string, reply: (text: string) => void) => {
      setTimeout(() => reply(`reply to ${text}`), 1);
    });
  }

  query(text: string): Promise<string> {
    return new Promise((resolve) => this.#emitter.emit("query", text, resolve));
  }
}

Deno.test("Each attempt is followed through the queue of a pool, and a pool that is made detached outlives it", async () => {
  await whileFollowed(async () => {
    const pool = new Pool(2);
    const controller = new AbortController();
    const backoff = new Backoff({ deadline: 5000 });
    const load = async (id: number) => {
      const attempt = currentAttempt();
      for (let step = 0; step < 3; step++) {
        assertEquals(await pool.query(`${id}`), `reply to ${id}`);
        assertStrictEquals(currentAttempt(), attempt);
        assertEquals(await outerHere(), 1);
      }
      return id;
    };
    const ids = Array.from({ length: 20 }, (_, id) => id);
    const wrapped = backoff.wrap(load);
    const aborted = errorOf(backoff.execute(() => load(-1).then(hang), controller));
    const all = Promise.all(ids.map((id) => wrapped(id)));
    setTimeout(() => controller.abort("enough"), 5);
    assertEquals(await all, ids);
    assertEquals(await aborted, "enough");
    assertEquals(await wrapped(7), 7);
  });
});

/** A socket that reconnects by itself, with a policy of its own. */
class ReconnectingSocket extends EventTarget {
  readonly connected: string[] = [];
  readonly #policy: Backoff;

  constructor(policy: Backoff) {
    super();
    this.#policy = policy;
    this.addEventListener("close", () => void this.connect());
  }

  async connect(): Promise<void> {
    await this.#policy.execute(async () => {
      await turn();
      this.connected.push("connected");
    }).catch((error) => this.connected.push(`${error}`));
  }
}

Deno.test("A socket whose handlers live longer than the attempt goes on if it is made detached, and after an attempt that settled", async () => {
  await whileFollowed(async () => {
    for (const way of ["detached", "attached"]) {
      for (const end of ["settles", "is aborted"]) {
        const controller = new AbortController();
        const sockets: ReconnectingSocket[] = [];
        const make = async () => {
          const socket = new ReconnectingSocket(new Backoff());
          sockets.push(socket);
          await socket.connect();
          setTimeout(() => socket.dispatchEvent(new Event("close")), 30);
        };
        const result = new Backoff().execute(async () => {
          await (way === "detached" ? detached(make) : make());
          if (end === "is aborted") await hang();
        }, controller);
        await sleep(10);
        controller.abort("enough");
        await errorOf(result);
        await sleep(40);
        const isEnded = way === "attached" && end === "is aborted";
        assertEquals(sockets[0]?.connected, [
          "connected",
          isEnded ? "enough" : "connected",
        ]);
      }
    }
  });
});

Deno.test("Followed attempts keep the caller's own context", async () => {
  await whileFollowed(async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const backoff = new Backoff({
      maxTries: 3,
      exceptions: "all",
      pause: 1,
      observe: () => seen.push(context.getStore()),
    });
    await context.run("request", () =>
      backoff.execute(async ({ number }) => {
        await turn();
        seen.push(context.getStore());
        if (number < 3) throw down;
      }));
    assertEquals([...new Set(seen)], ["request"]);
    assertEquals(seen.length, 9);
  });
});

Deno.test("A late outcome is observed outside of its attempt", async () => {
  await whileFollowed(async () => {
    const clock = new TestClock();
    const seen: unknown[] = [];
    const observe = ({ type }: BackoffEvent) => {
      if (type === "late") seen.push(currentAttemptOrNull(), outerHere());
    };
    const backoff = new Backoff({ deadline: 10, observe, clock });
    await clock.run(errorOf(backoff.execute(() => sleep(20, { clock }))));
    await clock.advance(20);
    assertEquals([seen[0], await seen[1]], [null, null]);
  });
});

Deno.test("Attempts of any number of layers end with the outermost, while they are followed", async () => {
  await whileFollowed(async () => {
    const clock = new TestClock();
    const order: string[] = [];
    let calls = 0;
    const layer = (depth: number): Promise<unknown> =>
      new Backoff({ pause: 1, exceptions: "all", clock }).execute(async () => {
        await sleep(1, { clock });
        calls++;
        if (depth === 5) throw down;
        const limbs = [layer(depth + 1), layer(depth + 1)];
        await Promise.all(limbs.map((each) =>
          each.catch(() => {
            order.push(`${depth + 1}`);
            return hang();
          })
        ));
      });
    const result = new Backoff({ deadline: 50, clock }).execute(() => layer(1));
    assertInstanceOf(await clock.run(errorOf(result)), TimeoutError);
    await microtasks();
    assertEquals(
      order.join(""),
      `${"2".repeat(2)}${"3".repeat(4)}${"4".repeat(8)}` +
        "5".repeat(16),
    );
    const before = calls;
    await clock.advance(1000);
    assertEquals(calls, before);
    clock.close();
  });
});
