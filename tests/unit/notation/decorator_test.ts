// Decorators: one value that wraps functions and decorates methods.

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
  Backoff,
  currentAttempt,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** A decorator as a caller without types may use it, anywhere. */
const untyped = (decorate: AsyncDecorator) =>
  decorate as unknown as (...args: readonly unknown[]) => never;

const retry = asyncretry(2);
const anywhere = untyped(retry);

/** Throws in the first attempt, so that only a function that is retried returns. */
function failFirst() {
  if (currentAttempt().number === 1) throw new Error("first");
}

/** Applies a legacy decorator as compiled code does. */
function decorateAsLegacy(decorate: AsyncDecorator, target: object, key: PropertyKey) {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  assert(descriptor !== undefined);
  const name = key as string; // the types of decorators know no numbers
  Object.defineProperty(target, key, decorate(target, name, descriptor));
}

Deno.test("asyncretry() wraps a function, which keeps its `this` and its arguments", async () => {
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

Deno.test("asyncretry() shows on the wrapped function what others have put on the original", async () => {
  let cancelled = 0;
  const debounced = Object.assign(async () => await "value", {
    cancel: () => cancelled += 1,
  });
  const wrapped = retry(debounced);
  wrapped.cancel();
  assertEquals([cancelled, await wrapped()], [1, "value"]);
  assertEquals(Object.prototype.toString.call(wrapped), "[object AsyncFunction]");

  // Metadata is kept by function, and looked up through prototypes, as reflect-metadata does.
  const metadata = new WeakMap<object, string>([[debounced, "/users"]]);
  const find = (target: object | null): string | undefined =>
    target === null ? undefined : metadata.get(target) ??
      find(Object.getPrototypeOf(target));
  assertEquals(find(wrapped), "/users");
  Object.assign(wrapped, { guards: ["later"] });
  assertEquals("guards" in debounced, false);
});

Deno.test("asyncretry() passes the very same arguments to every attempt", async () => {
  const argument = { key: "value" };
  const seen: unknown[] = [];
  const fn = retry(async (...args: unknown[]) => {
    seen.push(...args);
    failFirst();
    await null;
  });
  await fn(argument, undefined);
  assertEquals(seen.length, 4); // two in each attempt, and no attempt among them
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
    // Like the name of every function, so that others can rename it.
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

  // Without parameters, because some compilers cannot decorate private methods with them.
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

Deno.test("asyncretry() decorates an instance method, which keeps its `this`", async () => {
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

Deno.test("asyncretry() decorates private methods, static ones too", async () => {
  assertEquals(await new Standard("one").reveal(), ["#one", "#static"]);
});

Deno.test("asyncretry() decorates a method by hand, whatever its context has beside its kind", async () => {
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

Deno.test("asyncretry() decorates a method that a derived class calls by super", async () => {
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

  async 404(id: number) {
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

Deno.test("asyncretry() decorates a method named by a number as a legacy decorator, as compilers pass it", async () => {
  decorateAsLegacy(retry, Legacy.prototype, 404);
  assertEquals(await new Legacy()[404](1), ["one", 1]);
});

Deno.test("asyncretry() keeps the attributes of a legacy descriptor, and leaves the descriptor unchanged", () => {
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

/** Decorators by syntax, which the language itself applies. */
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
  ["an accessor", () =>
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
    const { message } = assertThrows(define, TypeError, undefined, `row ${index}: ${what}`);
    const expected = `Cannot decorate ${what}: it must be a function or a method`;
    assertEquals(message, expected, `row ${index}`);
  }
});

const value = () => Promise.resolve(1);
const attributes = { configurable: true, enumerable: true, writable: true };

/** The message about a thing that cannot be decorated. */
const notDecorable = (what: string) =>
  `Cannot decorate ${what}: it must be a function or a method`;

/** The message about a value in place of the function. */
const notFunction = (got: string) => `Cannot wrap: 'fn' must be a function, got ${got}`;

/** The message about a second argument that does not come from the language. */
const notContext = (got: string) =>
  `Cannot wrap a function: a second argument must come from the language, got ${got}; ` +
  "with 'map', write 'fn => wrap(fn)'";

const misplacedByArguments: [what: string, args: readonly unknown[], message: string][] = [
  ["a class", [class {}], notDecorable("a class")],
  ["a derived class", [class extends Error {}], notDecorable("a class")],
  ["a class of the platform", [TypeError], notDecorable("a class")],
  ["a class as a method", [class {}, { kind: "method" }], notDecorable("a class")],
  ["a legacy static class", [{}, "load", { value: class {} }], notDecorable("a class")],
  ["a class in its context", [class {}, { kind: "class" }], notDecorable("a class")],
  ["a getter", [() => 1, { kind: "getter", name: "load" }], notDecorable("a getter")],
  ["a setter", [() => {}, { kind: "setter", name: "load" }], notDecorable("a setter")],
  ["a field", [undefined, { kind: "field", name: "load" }], notDecorable("a field")],
  [
    "an accessor",
    [{ get: value, set() {} }, { kind: "accessor", name: "load" }],
    notDecorable("an accessor"),
  ],
  ["a legacy getter", [{}, "load", { get: value }], notDecorable("an accessor")],
  ["a legacy setter", [{}, "load", { set() {} }], notDecorable("an accessor")],
  ["a legacy field", [{}, "load"], notDecorable("a field")],
  ["a legacy field with void 0", [{}, "load", undefined], notDecorable("a field")],
  [
    "a legacy field that is initialised later",
    [{}, "load", { ...attributes, initializer: () => value }],
    notDecorable("a field"),
  ],
  [
    "a legacy field without a value",
    [{}, "load", { ...attributes, initializer: null }],
    notDecorable("a field"),
  ],
  ["a legacy constant", [{}, "load", { value: 5 }], notDecorable("a field")],
  ["a legacy parameter", [{}, "load", 0], notDecorable("a parameter")],
  ["a legacy parameter of 404()", [{}, 404, 0], notDecorable("a parameter")],
  ["a number", [value, 5], notContext("5")],
  ["a static legacy parameter", [class {}, symbol, 1], notDecorable("a parameter")],
  [
    "a legacy constructor's parameter",
    [class {}, undefined, 0],
    notDecorable("a parameter"),
  ],
  ["no argument", [], notFunction("undefined")],
  ["undefined", [undefined], notFunction("undefined")],
  ["a promise", [Promise.resolve()], notFunction("an object (Promise)")],
  ["a number as a method", [5, { kind: "method" }], notFunction("5")],
  ["a second function", [value, value], notContext("function value")],
  ["options", [value, { maxTries: 3 }], notContext("an object (Object)")],
  ["null", [value, null], notContext("null")],
];

for (const [what, args, message] of misplacedByArguments) {
  Deno.test(`asyncretry() throws TypeError when its decorator receives ${what}`, () => {
    assertEquals(assertThrows(() => anywhere(...args), TypeError).message, message);
  });
}

Deno.test("asyncretry() throws TypeError with the way out when its decorator is passed to map()", () => {
  const fns = [() => Promise.resolve(1), () => Promise.resolve(2)];
  const map = () => fns.map(anywhere);
  assertEquals(assertThrows(map, TypeError).message, notContext("0"));
  assertEquals(fns.map((fn) => retry(fn)).length, 2);
});

Deno.test("asyncretry() throws TypeError when it decorates without its call", () => {
  const bare = untyped(asyncretry as unknown as AsyncDecorator);
  const define = () =>
    class {
      @bare
      load() {}
    };
  assertThrows(define, TypeError, "it must be called before it wraps a function");
  decorateAsLegacy(retry, { load: value }, "load"); // with its call, it is a decorator
  assertThrows(() => bare({}, "load", { value }), TypeError);
});

Deno.test("asyncretry() wraps a frozen function, which is not a class", async () => {
  function frozen() {
    return Promise.resolve("value");
  }
  assertEquals(await retry(Object.freeze(frozen))(), "value");
});

Deno.test("asyncretry() wraps a frozen function whose source mentions a class or [native code]", async () => {
  const mentioning = Object.freeze(function () {
    return Promise.resolve("a class, or {[native code]}");
  });
  assertEquals(await retry(mentioning)(), "a class, or {[native code]}");
});

Deno.test("asyncretry() wraps a bound function", async () => {
  const load = function (this: string): Promise<string> {
    return Promise.resolve(this);
  }.bind("value");
  assertEquals(await retry(load)(), "value");
});

Deno.test("Backoff.wrap works detached, for functions and methods", async () => {
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

Deno.test("AsyncDecorator.statistic counts everything that the decorator wraps, and nothing else", async () => {
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

Deno.test("asyncretry() counts the attempts of each call separately", async () => {
  const numbers: number[] = [];
  const fn = asyncretry(2)(() => {
    numbers.push(currentAttempt().number);
    return Promise.reject(new Error("down"));
  });
  for (const _ of [1, 2, 3]) await assertRejects(fn, Error, "down");
  assertEquals(numbers, [1, 2, 1, 2, 1, 2]);
});

Deno.test("asyncbackoff() executes concurrent calls separately", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const guaranteed = asyncbackoff(null, 1000, 300, Error, { maxTries: 3, clock });
  const fn = guaranteed((name: string, failures: number) => {
    const { number, remaining } = currentAttempt();
    log.push(`${clock.now()}: ${name} ${number}, ${remaining} left`);
    return number > failures ? Promise.resolve(name) : Promise.reject(new Error(name));
  });
  const first = fn("a", 1);
  await clock.advance(100);
  const second = fn("b", 3);
  assertEquals(await clock.run(first), "a");
  await assertRejects(() => clock.run(second), Error, "b");
  assertEquals(log, [
    "0: a 1, 1000 left",
    "100: b 1, 1000 left",
    "300: a 2, 700 left",
    "400: b 2, 700 left",
    "700: b 3, 400 left",
  ]);
  clock.close();
});

Deno.test("asyncretry() executes recursive calls separately", async () => {
  const log: string[] = [];
  const countDown = asyncretry(2)(async (depth: number): Promise<number> => {
    log.push(`${depth}: ${currentAttempt().number}`);
    failFirst();
    return depth === 0 ? 0 : 1 + await countDown(depth - 1);
  });
  assertEquals(await countDown(2), 2);
  assertEquals(log, ["2: 1", "2: 2", "1: 1", "1: 2", "0: 1", "0: 2"]);
});

Deno.test("asyncretry() wraps a function that cannot be called with `new`", () => {
  function Service() {
    return Promise.resolve({});
  }
  const wrapped = retry(Service);
  assertEquals(Object.hasOwn(wrapped, "prototype"), false);
  assertThrows(() => Reflect.construct(wrapped, []), TypeError);
});

Deno.test("asyncretry() refuses generator functions, which start nothing when they are called", () => {
  const generators = [function* () {}, async function* load() {}];
  for (const generator of generators) {
    const wrap = () => asyncretry(3)(generator as unknown as () => Promise<void>);
    const { message } = assertThrows(
      wrap,
      TypeError,
      "it must return a promise, got a generator",
    );
    assert(message.endsWith("'stream' retries one, as docs/streams.md shows"));
  }
});
