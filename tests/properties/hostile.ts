// Values that are not what they look like. Each is made anew by its name, because not all
// of them can be copied, compared or even printed.

import fc from "fast-check";
import { createContext, runInContext } from "node:vm";

const realm = createContext({});
const elsewhere = (code: string): unknown => runInContext(code, realm);

/** The error of the values below when they are touched. */
export class Trap extends Error {}

const spring = (): never => {
  throw new Trap("touched");
};

/** A proxy on which every operation throws. */
const trapped = (target: object): unknown => {
  const names = Object.getOwnPropertyNames(Reflect);
  return new Proxy(target, Object.fromEntries(names.map((name) => [name, spring])));
};

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** An object whose properties throw when they are read. */
function touchy(): object {
  const names = [
    "then",
    "name",
    "aborted",
    "reason",
    "constructor",
    "now",
    "sleep",
    "pause",
  ]
    .concat("maxTries", "message", "toString", "length");
  const descriptors = names.map((name) => [name, { get: spring, enumerable: true }]);
  return Object.defineProperties({}, Object.fromEntries(descriptors));
}

class OtherPromise<T> extends Promise<T> {}

type End = (value?: unknown) => void;
const thenable = (then: (resolve: End, reject: End) => void): unknown => ({ then });

/** A promise whose own `then` must not be called. */
const lying = (promise: Promise<unknown>): unknown =>
  Object.assign(promise, { then: spring });

const unhandled = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {});
  return promise;
};

const makers = {
  "a proxy of an object": () => trapped({}),
  "a proxy of a function": () => trapped(() => {}),
  "a revoked proxy of an object": () => revoked({}),
  "a revoked proxy of a function": () => revoked(() => {}),
  "throwing getters": touchy,
  "__proto__ as a key": () => JSON.parse('{"__proto__":{"maxTries":1,"polluted":true}}'),
  "__proto__ as the prototype": () => Object.create({ maxTries: 0, deadline: NaN }),
  "constructor as a key": () => JSON.parse('{"constructor":{"prototype":{"polluted":1}}}'),
  "no prototype": () => Object.create(null),
  "a frozen object": () => Object.freeze({ maxTries: 1 }),
  "a class": () => class {},
  "an arrow function": () => () => "value",
  "a generator function": () => function* () {},
  "a symbol": () => Symbol("s"),
  "a promise": () => Promise.resolve("value"),
  "a rejected promise": () => unhandled(Promise.reject(new Error("rejected"))),
  "a promise that never settles": () => new Promise(() => {}),
  "a subclassed promise": () => OtherPromise.resolve("value"),
  "a promise with its own then": () => lying(Promise.resolve("value")),
  "a promise with a throwing constructor": () =>
    Object.defineProperty(Promise.resolve("value"), "constructor", { get: spring }),
  "a thenable that throws": () => thenable(spring),
  "a thenable that never calls back": () => thenable(() => {}),
  "a thenable that calls back twice": () =>
    thenable((resolve) => [resolve("first"), resolve("second")]),
  "a thenable that resolves and rejects": () =>
    thenable((resolve, reject) => [resolve("first"), reject("second")]),
  "a thenable that rejects and throws": () =>
    thenable((_, reject) => [reject("first"), spring()]),
  "a thenable that calls back later": () =>
    thenable((resolve) => void Promise.resolve().then(() => resolve("later"))),
  "a thenable of a thenable": () =>
    thenable((resolve) => resolve(thenable((_, reject) => reject("inner")))),
  "another realm's object": () => elsewhere("({ maxTries: 2 })"),
  "another realm's error": () => elsewhere("new RangeError('elsewhere')"),
  "another realm's timeout": () =>
    elsewhere("Object.assign(new Error('elsewhere'), { name: 'TimeoutError' })"),
  "another realm's promise": () => elsewhere("Promise.resolve('elsewhere')"),
  "another realm's function": () => elsewhere("() => 'elsewhere'"),
  "another realm's class": () => elsewhere("Error"),
  "another realm's array": () => elsewhere("[Error]"),
  "another realm's signal": () =>
    elsewhere(
      "({ aborted: false, reason: undefined, addEventListener() {}, removeEventListener() {} })",
    ),
  "an aborted signal": () => AbortSignal.abort("enough"),
  "a signal that cannot be listened to": () => ({
    aborted: false,
    reason: undefined,
    addEventListener: spring,
    removeEventListener: spring,
  }),
  "a signal that aborts when it is listened to": () => ({
    aborted: false,
    reason: "at once",
    addEventListener: (_: string, listener: End) => [listener(), listener()],
    removeEventListener: spring,
  }),
  "a clock that cannot be read": () => ({ now: spring, sleep: spring, after: spring }),
} satisfies Record<string, () => unknown>;

/** A hostile value: by its name, or as it is. */
export type Hostile = { crafted: keyof typeof makers } | { anything: unknown };

/** Makes a hostile value. */
export function make(hostile: Hostile): unknown {
  return "crafted" in hostile ? makers[hostile.crafted]() : hostile.anything;
}

const everything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** Any value. */
export const hostile: fc.Arbitrary<Hostile> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ anything: everything }) },
  {
    weight: 3,
    arbitrary: fc.record({
      crafted: fc.constantFrom(...Object.keys(makers) as (keyof typeof makers)[]),
    }),
  },
);
