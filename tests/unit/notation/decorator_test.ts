// The one value that wraps functions and decorates methods, and currentAttempt() in them.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asyncbackoff,
  type AsyncDecorator,
  type AsyncFunction,
  asyncretry,
  type Attempt,
  Backoff,
  currentAttempt,
  sleep,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** A decorator as a caller without types may use it, anywhere. */
const untyped = (decorate: AsyncDecorator) =>
  decorate as unknown as (...args: readonly unknown[]) => never;

const retry = asyncretry(2);
const anywhere = untyped(retry);

/** Fails at the first attempt, so that only what is retried returns. */
function failFirst() {
  if (currentAttempt().number === 1) throw new Error("first");
}

/** What compiled code does for a legacy decorator. */
function decorateAsLegacy(decorate: AsyncDecorator, target: object, key: string | symbol) {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  assert(descriptor !== undefined);
  Object.defineProperty(target, key, decorate(target, key, descriptor));
}

Deno.test("asyncretry() wraps a function that keeps its `this` and its arguments", async () => {
  const service = {
    base: 10,
    add: retry(async function (this: { base: number }, ...numbers: number[]) {
      failFirst();
      return await [this.base, ...numbers];
    }),
  };
  assertEquals(await service.add(1, 2, 3), [10, 1, 2, 3]);
  assertEquals(await service.add(), [10]);
  assertEquals(await service.add.call({ base: 20 }, 1), [20, 1]);
});

Deno.test("asyncretry() hands the very same arguments to every attempt", async () => {
  const argument = { key: "value" };
  const seen: unknown[] = [];
  const fn = retry(async (...args: unknown[]) => {
    seen.push(...args);
    failFirst();
    await null;
  });
  await fn(argument, undefined);
  assertEquals(seen.length, 4); // two at each attempt, and nothing of ours among them
  for (const index of [0, 2]) assertStrictEquals(seen[index], argument);
});

Deno.test("asyncretry() keeps the name and the length of a function", () => {
  const symbol = Symbol("described");
  const methods = {
    async none() {},
    async some(_a: number, _b: number, ..._rest: number[]) {},
    async defaults(_a: number, _b = 0, _c = 0) {},
    async [symbol](_a: number) {},
  };
  const fns: AsyncFunction[] = [...Object.values(methods), methods[symbol]];
  assertEquals(fns.length, 4);
  for (const fn of [...fns, () => Promise.resolve()]) {
    const wrapped = retry(fn);
    const { name, length } = fn;
    assertEquals([wrapped.name, wrapped.length], [name, length], name);
    const { value, ...attributes } = Object.getOwnPropertyDescriptor(wrapped, "name") ?? {};
    assertEquals(value, name);
    // As of every function, so that others can rename it.
    const expected = { writable: false, enumerable: false, configurable: true };
    assertEquals(attributes as typeof expected, expected, name);
  }
});

Deno.test("asyncretry() wraps a function that returns a value or throws at once", async () => {
  const plain = anywhere as unknown as <F>(fn: F) => F;
  const result: unknown = plain(() => "value")();
  assertInstanceOf(result, Promise);
  assertEquals(await result, "value");
  const thrown = new Error("at once");
  const failing: unknown = plain(() => {
    throw thrown;
  })();
  assertInstanceOf(failing, Promise);
  assertStrictEquals(await failing.catch((error) => error), thrown);
});

const symbol = Symbol("load");

class Standard {
  static prefix = "static";
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  @retry
  async load(id: number, ...rest: number[]) {
    failFirst();
    return await [this.prefix, id, ...rest];
  }

  @retry
  static async load(id: number) {
    failFirst();
    return await [this.prefix, id];
  }

  // Without parameters, which not every compiler can decorate here yet.
  @retry
  async #secret() {
    failFirst();
    return await `#${this.prefix}`;
  }

  @retry
  static async #shared() {
    failFirst();
    return await `#${this.prefix}`;
  }

  @retry
  async [symbol](id: number) {
    failFirst();
    return await [this.prefix, id];
  }

  @retry
  async same<T>(value: T): Promise<T> {
    failFirst();
    return await value;
  }

  parse(text: string): Promise<string>;
  parse(text: number): Promise<number>;
  @retry
  async parse(text: string | number): Promise<string | number> {
    failFirst();
    return await text;
  }

  reveal() {
    return Promise.all([this.#secret(), Standard.#shared()]);
  }
}

class Derived extends Standard {
  override async load(id: number) {
    return ["derived", ...await super.load(id)];
  }
}

Deno.test("asyncretry() decorates an instance method, for each instance its own `this`", async () => {
  const [one, other] = [new Standard("one"), new Standard("other")];
  assertEquals(await Promise.all([one.load(1), other.load(2, 3)]), [["one", 1], [
    "other",
    2,
    3,
  ]]);
  assertEquals([one.load.name, one.load.length], ["load", 1]);
  assertStrictEquals(one.load, other.load);
});

Deno.test("asyncretry() decorates a static method", async () => {
  assertEquals(await Standard.load(1), ["static", 1]);
  assertEquals([Standard.load.name, Standard.load.length], ["load", 1]);
});

Deno.test("asyncretry() decorates private methods, of instances and of the class", async () => {
  assertEquals(await new Standard("one").reveal(), ["#one", "#static"]);
});

Deno.test("asyncretry() decorates a method by hand, whatever its context tells beside its kind", async () => {
  async function load(this: { prefix: string }, id: number) {
    failFirst();
    return await [this.prefix, id];
  }
  const contexts = [
    { kind: "method", name: "load", static: false, private: false, addInitializer() {} },
    { kind: "method", name: "#load", static: true, private: true, metadata: {} },
    { kind: "method", name: symbol },
    Object.assign(Object.create(null), { kind: "method" }),
  ];
  for (const [index, context] of contexts.entries()) {
    const wrapped = retry(load, context as ClassMethodDecoratorContext);
    const result = await wrapped.call({ prefix: "one" }, index);
    assertEquals(result, ["one", index], `row ${index}`);
    assertEquals([wrapped.name, wrapped.length], ["load", 1], `row ${index}`);
  }
});

Deno.test("asyncretry() decorates a method whose name is a symbol", async () => {
  const one = new Standard("one");
  assertEquals(await one[symbol](1), ["one", 1]);
  assertEquals(one[symbol].name, "[load]");
});

Deno.test("asyncretry() decorates generic and overloaded methods", async () => {
  const one = new Standard("one");
  const same: Standard = await one.same(one);
  assertStrictEquals(same, one);
  const text: string = await one.parse("text");
  const number: number = await one.parse(7);
  assertEquals([text, number], ["text", 7]);
});

Deno.test("asyncretry() decorates a method that a derived class calls as its super's", async () => {
  assertEquals(await new Derived("one").load(1), ["derived", "one", 1]);
});

class Legacy {
  static prefix = "static";
  prefix = "one";

  async load(id: number) {
    failFirst();
    return await [this.prefix, id];
  }

  static async load(id: number) {
    failFirst();
    return await [this.prefix, id];
  }

  async [symbol](id: number) {
    failFirst();
    return await [this.prefix, id];
  }
}

Deno.test("asyncretry() decorates a method as a legacy decorator", async () => {
  const original = Legacy.prototype.load;
  decorateAsLegacy(retry, Legacy.prototype, "load");
  assertNotStrictEquals(Legacy.prototype.load, original);
  assertEquals(await new Legacy().load(1), ["one", 1]);
  const { name, length } = Legacy.prototype.load;
  assertEquals([name, length], ["load", 1]);
});

Deno.test("asyncretry() decorates a static method as a legacy decorator", async () => {
  decorateAsLegacy(retry, Legacy, "load");
  assertEquals(await Legacy.load(1), ["static", 1]);
});

Deno.test("asyncretry() decorates a method named by a symbol as a legacy decorator", async () => {
  decorateAsLegacy(retry, Legacy.prototype, symbol);
  assertEquals(await new Legacy()[symbol](1), ["one", 1]);
});

Deno.test("asyncretry() keeps a legacy descriptor's attributes and leaves the descriptor", () => {
  const value = () => Promise.resolve("value");
  for (const is of [true, false]) {
    const attributes = { writable: is, enumerable: !is, configurable: is };
    const descriptor = Object.freeze({ value, ...attributes });
    const { value: wrapped, ...rest } = retry({}, "load", descriptor);
    assertEquals(rest, attributes);
    assertNotStrictEquals(wrapped, value);
    assertStrictEquals(descriptor.value, value);
  }
});

/** By syntax, as the language itself applies a decorator. */
const misplacedBySyntax: [what: string, define: () => unknown][] = [
  ["a getter", () =>
    class {
      @anywhere
      get load() {
        return 1;
      }
    }],
  ["a getter", () =>
    class {
      @anywhere
      static get load() {
        return 1;
      }
    }],
  ["a setter", () =>
    class {
      @anywhere
      set load(_value: number) {}
    }],
  ["a field", () =>
    class {
      @anywhere
      load = () => Promise.resolve(1);
    }],
  ["a field", () =>
    class {
      @anywhere
      static #load = () => Promise.resolve(1);
      static call = () => this.#load();
    }],
  ["an? accessor", () =>
    class {
      @anywhere
      accessor load = () => Promise.resolve(1);
    }],
  ["a class", () => {
    @anywhere
    class Decorated {}
    return Decorated;
  }],
];

Deno.test("asyncretry() throws TypeError when it decorates anything but a method by syntax", () => {
  for (const [index, [what, define]] of misplacedBySyntax.entries()) {
    const error = assertThrows(
      define,
      TypeError,
      "Cannot decorate",
      `row ${index}: ${what}`,
    );
    assert(new RegExp(`Cannot decorate ${what}:`).test(error.message), error.message);
  }
});

const value = () => Promise.resolve(1);
const attributes = { configurable: true, enumerable: true, writable: true };

const misplacedByArguments: [what: string, args: readonly unknown[], message: string][] = [
  ["a class", [class {}], "Cannot decorate a class"],
  ["a derived class", [class extends Error {}], "Cannot decorate a class"],
  ["a class of the platform", [TypeError], "Cannot decorate a class"],
  ["a class as a method", [class {}, { kind: "method" }], "Cannot decorate a class"],
  ["a legacy static class", [{}, "load", { value: class {} }], "Cannot decorate a class"],
  ["a class in its context", [class {}, { kind: "class" }], "Cannot decorate a class"],
  ["a getter", [() => 1, { kind: "getter", name: "load" }], "Cannot decorate a getter"],
  ["a setter", [() => {}, { kind: "setter", name: "load" }], "Cannot decorate a setter"],
  ["a field", [undefined, { kind: "field", name: "load" }], "Cannot decorate a field"],
  [
    "an accessor",
    [{ get: value, set() {} }, { kind: "accessor", name: "load" }],
    "accessor:",
  ],
  ["a legacy getter", [{}, "load", { get: value }], "Cannot decorate an accessor"],
  ["a legacy setter", [{}, "load", { set() {} }], "Cannot decorate an accessor"],
  ["a legacy field", [{}, "load"], "Cannot decorate a field"],
  ["a legacy field with void 0", [{}, "load", undefined], "Cannot decorate a field"],
  [
    "a legacy field that is initialised later",
    [{}, "load", { ...attributes, initializer: () => value }],
    "Cannot decorate a field",
  ],
  [
    "a legacy field without a value",
    [{}, "load", { ...attributes, initializer: null }],
    "Cannot decorate a field",
  ],
  ["a legacy constant", [{}, "load", { value: 5 }], "Cannot decorate a field"],
  ["a legacy parameter", [{}, "load", 0], "Cannot decorate a parameter"],
  ["a static legacy parameter", [class {}, symbol, 1], "Cannot decorate a parameter"],
  ["a legacy constructor's parameter", [class {}, undefined, 0], "a parameter"],
  ["no argument", [], "Cannot wrap"],
  ["undefined", [undefined], "a function is needed: current value is undefined"],
  ["a promise", [Promise.resolve()], "a function is needed: current value is an object"],
  ["no function as a method", [5, { kind: "method" }], "a function is needed"],
  ["a second function", [value, value], "a second argument must be that of a decorator"],
  ["options", [value, { maxTries: 3 }], "a second argument must be that of a decorator"],
  ["null", [value, null], "a second argument must be that of a decorator"],
];

for (const [what, args, message] of misplacedByArguments) {
  Deno.test(`asyncretry() throws TypeError when it is put on ${what}`, () => {
    assertThrows(() => anywhere(...args), TypeError, message);
  });
}

Deno.test("asyncretry() throws TypeError that shows the way when it is handed to map()", () => {
  const fns = [() => Promise.resolve(1), () => Promise.resolve(2)];
  const map = () => fns.map(anywhere);
  assertThrows(map, TypeError, "In 'map' and the like, write 'fn => wrap(fn)'");
  assertEquals(fns.map((fn) => retry(fn)).length, 2);
});

Deno.test("asyncretry() throws TypeError when it decorates without having been called", () => {
  const bare = untyped(asyncretry as unknown as AsyncDecorator);
  const define = () =>
    class {
      @bare
      load() {}
    };
  assertThrows(define, TypeError);
  decorateAsLegacy(retry, { load: value }, "load"); // whereas called it is a decorator
  assertThrows(() => bare({}, "load", { value }), TypeError);
});

Deno.test("asyncretry() wraps a frozen function, which is no class", async () => {
  function frozen() {
    return Promise.resolve("value");
  }
  assertEquals(await retry(Object.freeze(frozen))(), "value");
});

Deno.test("asyncretry() wraps a frozen function that only speaks of a class, or of [native code]", async () => {
  const speaking = Object.freeze(function () {
    return Promise.resolve("a class, or {[native code]}");
  });
  assertEquals(await retry(speaking)(), "a class, or {[native code]}");
});

Deno.test("asyncretry() wraps a bound function", async () => {
  const load = function (this: string): Promise<string> {
    return Promise.resolve(this);
  }.bind("value");
  assertEquals(await retry(load)(), "value");
});

Deno.test("Backoff.wrap is usable detached, and is all of a decorator", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: [Error], maxTries: 2, pause: 100, clock });
  const { wrap } = backoff;
  class Service {
    @wrap
    async load(id: number) {
      failFirst();
      return await id;
    }
  }
  const fn = wrap(async (id: number) => {
    failFirst();
    return await id;
  });
  assertEquals(await clock.run(fn(1)), 1);
  assertEquals(await clock.run(new Service().load(2)), 2);
  assertEquals(clock.now(), 200);
  assertEquals(backoff.statistic.attempts, 4);
  clock.close();
});

Deno.test("AsyncDecorator.statistic is shared by all that it wraps, and by nothing else", async () => {
  const backoff = new Backoff();
  assertStrictEquals(backoff.wrap.statistic, backoff.statistic);
  const shared = asyncretry(2);
  class Service {
    @shared
    async load() {
      failFirst();
      return await 1;
    }
  }
  const other = asyncretry(2);
  await Promise.all([shared(value)(), new Service().load(), other(value)()]);
  assertEquals([shared.statistic.attempts, shared.statistic.errors], [3, 1]);
  assertEquals([other.statistic.attempts, other.statistic.errors], [1, 0]);
  assertEquals(backoff.statistic.attempts, 0);
});

Deno.test("asyncretry() gives each call its own count of tries, one after the other", async () => {
  const numbers: number[] = [];
  const fn = asyncretry(2)(() => {
    numbers.push(currentAttempt().number);
    return Promise.reject(new Error("down"));
  });
  for (const _ of [1, 2, 3]) await assertRejects(fn, Error, "down");
  assertEquals(numbers, [1, 2, 1, 2, 1, 2]);
});

Deno.test("asyncbackoff() gives concurrent calls executions of their own", async () => {
  const clock = new TestClock();
  const told: string[] = [];
  const guaranteed = asyncbackoff(null, 1000, 300, Error, { maxTries: 3, clock });
  const fn = guaranteed((name: string, failures: number) => {
    const { number, remaining } = currentAttempt();
    told.push(`${clock.now()}: ${name} ${number}, ${remaining} left`);
    return number > failures ? Promise.resolve(name) : Promise.reject(new Error(name));
  });
  const first = fn("a", 1);
  await clock.advance(100);
  const second = fn("b", 3);
  assertEquals(await clock.run(first), "a");
  await assertRejects(() => clock.run(second), Error, "b");
  assertEquals(told, [
    "0: a 1, 1000 left",
    "100: b 1, 1000 left",
    "300: a 2, 700 left",
    "400: b 2, 700 left",
    "700: b 3, 400 left",
  ]);
  clock.close();
});

Deno.test("asyncretry() gives recursive calls executions of their own", async () => {
  const told: string[] = [];
  const countDown = asyncretry(2)(async (depth: number): Promise<number> => {
    told.push(`${depth}: ${currentAttempt().number}`);
    failFirst();
    return depth === 0 ? 0 : 1 + await countDown(depth - 1);
  });
  assertEquals(await countDown(2), 2);
  assertEquals(told, ["2: 1", "2: 2", "1: 1", "1: 2", "0: 1", "0: 2"]);
});

Deno.test("asyncretry() wraps a function that cannot be called with `new`", () => {
  function Service() {
    return Promise.resolve({});
  }
  const wrapped = retry(Service);
  assertEquals(Object.hasOwn(wrapped, "prototype"), false);
  assertThrows(() => Reflect.construct(wrapped, []), TypeError);
});

// currentAttempt()

Deno.test("currentAttempt() is reachable in functions of any length, execute()'s argument too", async () => {
  const backoff = new Backoff();
  const current = () => Promise.resolve(currentAttempt());
  const fns: AsyncFunction[] = [
    () => current(),
    (_a) => current(),
    (_a, _b, _c) => current(),
    (..._all) => current(),
    (_a = 0) => current(),
  ];
  for (const fn of fns) {
    const attempt = await backoff.wrap(fn)() as Attempt;
    assertEquals(attempt.number, 1);
    assertInstanceOf(attempt.signal, AbortSignal);
  }
  for (
    const fn of [(a?: Attempt) => a, (a: unknown = null) => a, (...[a]: unknown[]) => a]
  ) {
    const passed = await backoff.execute((...args) => [fn(...args), currentAttempt()]);
    assertStrictEquals(passed[0], passed[1]);
  }
});

Deno.test("currentAttempt() throws outside of any attempt", async () => {
  assertThrows(currentAttempt, Error, "Cannot tell the current attempt here");
  await retry(value)();
  assertThrows(currentAttempt, Error, "Cannot tell the current attempt here");
});

Deno.test("currentAttempt() throws after the first await of the function", async () => {
  await retry(async () => {
    assertEquals(currentAttempt().number, 1);
    await null;
    assertThrows(currentAttempt, Error, "before its first 'await'");
  })();
});

Deno.test("currentAttempt() throws beside a call whose attempt is under way", async () => {
  const clock = new TestClock();
  const result = asyncbackoff(1000, 5000, { clock })(() => sleep(100, { clock }))();
  assertThrows(currentAttempt, Error, "Cannot tell");
  await clock.run(result);
  clock.close();
});

Deno.test("currentAttempt() throws after a function that threw at once", async () => {
  const fail = asyncretry(1)(() => {
    throw new Error("at once");
  });
  const result = fail();
  assertThrows(currentAttempt, Error, "Cannot tell");
  await assertRejects(() => result, Error, "at once");
});

Deno.test("currentAttempt() is the innermost, and the outer one again after nested calls", async () => {
  const inner = retry(() => Promise.resolve(currentAttempt()));
  const broken = asyncretry(1)(() => {
    throw new Error("at once");
  });
  const outer = retry(async () => {
    const before = currentAttempt();
    const nested = inner();
    const between = currentAttempt();
    const failed = broken();
    const after = currentAttempt();
    await assertRejects(() => failed, Error, "at once");
    return [before, between, after, await nested];
  });
  const [before, between, after, nested] = await outer();
  assertStrictEquals(between, before);
  assertStrictEquals(after, before);
  assertNotStrictEquals(nested, before);
});

/** Notes which callbacks can see an attempt, though they must not. */
function witness() {
  const seen = new Map<string, boolean>();
  const look = (place: string) => {
    let isSeen = true;
    try {
      currentAttempt();
    } catch {
      isSeen = false;
    }
    seen.set(place, isSeen || seen.get(place) === true);
  };
  return { seen: () => Object.fromEntries([...seen].sort()), look };
}

Deno.test("currentAttempt() throws inside giveup, pause and observers", async () => {
  const { seen, look } = witness();
  const wrap = asyncretry(2, {
    giveup: () => (look("giveup"), false),
    pause: () => (look("pause"), 0),
    observe: ({ type }) => look(type),
  });
  await wrap(async () => {
    failFirst();
    return await 1;
  })();
  const none = { attempt: false, done: false, failure: false, giveup: false, pause: false };
  assertEquals(seen(), none);
});

Deno.test("currentAttempt() throws inside giveup, pause and observers called from another attempt", async () => {
  const clock = new TestClock();
  const { seen, look } = witness();
  // Nothing can keep a limit of 0, so all is decided while the outer function is calling.
  const inner = asyncbackoff(0, null, {
    giveup: (_, { tries }) => (look("giveup"), tries === 2),
    pause: () => (look("pause"), 100),
    observe: ({ type }) => look(type),
    clock,
  })(value);
  const outer = asyncretry(1)(() => {
    const result = inner();
    assertEquals(seen(), { attempt: false, failure: false, giveup: false, pause: false });
    assertEquals(currentAttempt().number, 1);
    return result;
  });
  await clock.run(outer().catch(() => {}));
  assertEquals(seen()["done"], false);
  clock.close();
});

Deno.test("currentAttempt() throws inside an observer told by another attempt's abort", async () => {
  const { seen, look } = witness();
  // A clock that breaks ends the execution within the very call of abort().
  const clock = { now: () => instant, sleep: () => new Promise<void>(() => {}) };
  let instant = 0;
  const controller = new AbortController();
  const { signal } = controller;
  const backoff = new Backoff({ clock, observe: ({ type }) => look(type) });
  const result = backoff.execute(() => new Promise(() => {}), { signal });
  const rejected = assertRejects(() => result, TypeError, "Cannot tell the time");
  await retry(async () => {
    instant = NaN;
    controller.abort("enough");
    assertEquals(currentAttempt().number, 1);
    await rejected;
  })();
  assertEquals(seen(), { attempt: false, done: false });
});
