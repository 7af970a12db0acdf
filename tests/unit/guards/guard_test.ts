// What all guards do to the functions and methods that they wrap.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type AsyncFunction,
  asyncretry,
  Backoff,
  currentAttempt,
  currentAttemptOrNull,
} from "@asyncbackoff/asyncbackoff";
import {
  adaptiveThrottle,
  circuitBreaker,
  type GuardDecorator,
  hedge,
} from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** A guard of each kind that lets every call through. */
const guards: Record<string, GuardDecorator> = {
  circuitBreaker: circuitBreaker({ consecutiveFailures: 1000 }),
  adaptiveThrottle: adaptiveThrottle({ isOverload: () => false }),
  hedge: hedge({ after: Infinity }),
};

const symbol = Symbol("load");

for (const [name, guard] of Object.entries(guards)) {
  const untyped = guard as unknown as (...args: readonly unknown[]) => never;

  Deno.test(`${name}() wraps a function, which keeps its \`this\`, arguments, name and length`, async () => {
    const service = {
      base: 10,
      add: guard(
        async function add(this: { base: number }, one: number, ...more: number[]) {
          return await [this.base, one, ...more];
        },
      ),
    };
    assertEquals(await service.add(1, 2, 3), [10, 1, 2, 3]);
    assertEquals(await service.add.call({ base: 20 }, 1), [20, 1]);
    assertEquals([service.add.name, service.add.length], ["add", 1]);
  });

  Deno.test(`${name}() shows what others put on the function`, () => {
    const fn = Object.assign(async () => await 1, { route: "/users" });
    const wrapped = guard(fn);
    assertEquals(wrapped.route, "/users");
    fn.route = "/all";
    assertEquals(wrapped.route, "/all");
    assertStrictEquals(Object.getPrototypeOf(wrapped), fn);
    assertEquals(Object.prototype.toString.call(wrapped), "[object AsyncFunction]");
  });

  Deno.test(`${name}() wraps a function whose name is no string`, async () => {
    const fn = Object.defineProperty(async () => await 1, "name", { value: 5 });
    assertEquals(await guard(fn)(), 1);
  });

  Deno.test(`${name}() wraps functions that return a value, throw at once, or return a thenable`, async () => {
    const wrapped = (fn: () => unknown) => (untyped(fn) as unknown as AsyncFunction)();
    assertInstanceOf(wrapped(() => 1), Promise);
    assertEquals(await wrapped(() => 1), 1);
    const error = new Error("at once");
    const thrown = wrapped(() => {
      throw error;
    });
    assertStrictEquals(await thrown.catch((error) => error), error);
    assertEquals(
      await wrapped(() => ({ then: (ok: (value: number) => void) => ok(2) })),
      2,
    );
    assertStrictEquals(
      await wrapped(() => Promise.reject()).catch((error) => error),
      undefined,
    );
  });

  Deno.test(`${name}() decorates methods of every kind, and one guard may decorate many`, async () => {
    class Users {
      static prefix = "static";
      prefix = "one";

      @guard
      async load(id: number) {
        return await [this.prefix, id];
      }
      @guard
      static async load(id: number) {
        return await [this.prefix, id];
      }
      @guard
      async #secret() {
        return await this.prefix;
      }
      @guard
      async [symbol](id: number) {
        return await [this.prefix, id];
      }
      reveal() {
        return this.#secret();
      }
    }
    const users = new Users();
    assertEquals(await users.load(1), ["one", 1]);
    assertEquals(await Users.load(1), ["static", 1]);
    assertEquals(await users.reveal(), "one");
    assertEquals(await users[symbol](2), ["one", 2]);
    assertEquals([users.load.name, users.load.length], ["load", 1]);
  });

  Deno.test(`${name}() decorates a method as a legacy decorator`, async () => {
    class Legacy {
      prefix = "one";
      async load(id: number) {
        return await [this.prefix, id];
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Legacy.prototype, "load");
    assert(descriptor !== undefined);
    const replaced = guard(Legacy.prototype, "load", descriptor);
    Object.defineProperty(Legacy.prototype, "load", replaced);
    assertEquals(await new Legacy().load(1), ["one", 1]);
    assertEquals([Legacy.prototype.load.name, Legacy.prototype.load.length], ["load", 1]);
  });

  Deno.test(`${name}() refuses to decorate anything else`, () => {
    const wrong: [unknown[], string][] = [
      [[5], "Cannot wrap: 'fn' must be a function, got 5"],
      [[class {}], "Cannot decorate a class: it must be a function or a method"],
      [[undefined, { kind: "field" }], "Cannot decorate a field"],
      [[() => {}, 0, []], "a second argument must come from the language"],
      [[function* () {}], "it must return a promise, got a generator function"],
    ];
    for (const [args, message] of wrong) {
      assertThrows(() => untyped(...args), TypeError, message);
    }
  });

  Deno.test(`${name}() lets the function see the attempt that calls it`, async () => {
    const numbers: number[] = [];
    const load = guard(async (fails: number) => {
      const { number, signal } = currentAttempt();
      assertEquals(signal.aborted, false);
      numbers.push(number);
      assertEquals(currentAttemptOrNull() === null, false);
      await null;
      if (number <= fails) throw new Error("down");
      return number;
    });
    const retried = asyncretry(3)(load);
    assertEquals(await retried(0), 1);
    const isHedge = name === "hedge";
    if (!isHedge) assertEquals(await retried(2), 3);
    assertEquals(numbers, isHedge ? [1] : [1, 1, 2, 3]);
    assertEquals(currentAttemptOrNull(), null);
  });

  Deno.test(`${name}() leaves no listener on the signal of an attempt`, async () => {
    const counts = { added: 0, removed: 0 };
    const load = guard(async () => await Promise.resolve(1));
    await new Backoff().execute(({ signal }) => {
      const { addEventListener, removeEventListener } = signal;
      Object.assign(signal, {
        addEventListener(...args: Parameters<typeof addEventListener>) {
          counts.added++;
          addEventListener.apply(signal, args);
        },
        removeEventListener(...args: Parameters<typeof removeEventListener>) {
          counts.removed++;
          removeEventListener.apply(signal, args);
        },
      });
      return load();
    });
    assertEquals(counts, { added: 1, removed: 1 });
  });

  Deno.test(`${name}() has a statistic, a state and JSON that are plain data`, () => {
    const { statistic, state } = guard as unknown as Record<string, object>;
    assertEquals(JSON.parse(JSON.stringify(statistic)), statistic);
    assertEquals(JSON.parse(JSON.stringify(state)), state);
    assertEquals(JSON.parse(JSON.stringify(guard)), state);
    const names = Object.keys(guard);
    for (const each of ["statistic", "state"]) assert(names.includes(each), each);
  });

  Deno.test(`${name}() is not disturbed when its state is changed from outside`, () => {
    const { state } = guard as unknown as { state: Record<string, unknown> };
    const before = JSON.stringify(guard);
    for (const key of Object.keys(state)) Reflect.set(state, key, "changed");
    assertEquals(JSON.stringify(guard), before);
  });

  Deno.test(`${name}() calls a function at once, and with no promise in between`, () => {
    let isCalled = false;
    guard(async () => {
      isCalled = true;
      await null;
    })();
    assert(isCalled);
  });
}

Deno.test("circuitBreaker() reports what ends after its attempt timed out, but not its echo", async () => {
  const clock = new TestClock();
  const late: unknown[] = [];
  const breaker = circuitBreaker({
    consecutiveFailures: 1000,
    clock,
    observe: (event) => event.type === "late" && late.push(event.outcome),
  });
  const bug = new Error("a bug");
  const load = breaker(async (kind: string) => {
    const { signal } = currentAttempt();
    await clock.sleep(50);
    if (kind === "echo") throw signal.reason;
    if (kind === "error") throw bug;
    return kind;
  });
  const backoff = new Backoff({ attemptTimeout: 20, clock, maxTries: 1, exceptions: [] });
  for (const kind of ["echo", "error", "value"]) {
    await clock.run(assertRejects(() => backoff.execute(() => load(kind))));
    await clock.advance(50);
  }
  assertEquals(late, [
    { status: "rejected", reason: bug },
    { status: "fulfilled", value: "value" },
  ]);
  assertEquals([breaker.statistic.failed, breaker.statistic.late], [3, 2]);
});

Deno.test("circuitBreaker() does not look at a signal that is aborted already", async () => {
  const controller = new AbortController();
  const breaker = circuitBreaker({ consecutiveFailures: 1 });
  const load = breaker(async () => await 1);
  const backoff = new Backoff({ signal: controller.signal });
  let result: Promise<number> | undefined;
  await backoff.execute(() => {
    controller.abort("stop");
    return result = load();
  }).catch(() => {});
  assertEquals(await result, 1);
  assertEquals(breaker.statistic.succeeded, 1);
});

Deno.test("guards give their observers frozen outcomes, and no current attempt", async () => {
  const seen: unknown[] = [];
  const observe = (event: object) => {
    const { outcome } = event as { outcome?: object };
    seen.push(currentAttemptOrNull(), outcome === undefined || Object.isFrozen(outcome));
  };
  const wraps: GuardDecorator[] = [
    circuitBreaker({ consecutiveFailures: 1, observe }),
    adaptiveThrottle({ isOverload: () => true, random: () => 0, observe }),
    hedge({ after: 10, observe }),
  ];
  for (const wrap of wraps) {
    const load = wrap(() => Promise.reject(new Error("down")));
    const backoff = new Backoff({ exceptions: [Error], maxTries: 3 });
    await backoff.execute(async () => {
      const call = load();
      assert(currentAttemptOrNull() !== null);
      await call;
    }).catch(() => {});
  }
  // The breaker: failed, changed, refused twice. The throttle: overloaded, refused twice. The
  // hedge, three times: call, failure, done.
  assertEquals(seen.length, 2 * (4 + 3 + 9));
  assert(seen.every((each) => each === null || each === true));
});

Deno.test("guards are not disturbed when the state that they began with is changed", async () => {
  const state = circuitBreaker({ consecutiveFailures: 1 }).state;
  const breaker = circuitBreaker({ consecutiveFailures: 1, state });
  Object.assign(state, { phase: "isolated" });
  assertEquals(await breaker(() => Promise.resolve(1))(), 1);
});
