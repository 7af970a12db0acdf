// Promises as they were when the library was loaded.

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { nextTurn } from "../../../src/time/platform.ts";
import {
  Deferred,
  ignore,
  promiseOf,
  react,
  rejectionOf,
  soon,
} from "../../../src/time/promises.ts";
import { replaceGlobals } from "../../support/globals.ts";

const turn = () => new Promise<void>((resolve) => void nextTurn(resolve));

/** The outcome of a promise, by `await`. */
async function outcomeOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    return { value: await promise };
  } catch (reason) {
    return { reason };
  }
}

Deno.test("promiseOf() returns a promise itself, and a promise of any other value", async () => {
  const own = Promise.resolve("own");
  assertStrictEquals(promiseOf(own), own);
  for (const value of [1, undefined, null, "value", {}]) {
    const promise = promiseOf(value);
    assertInstanceOf(promise, Promise);
    assertStrictEquals(await promise, value);
  }
});

Deno.test("promiseOf() follows a thenable, and rejects when its then cannot be read or throws", async () => {
  const error = new Error("by the thenable");
  const fail = () => {
    throw error;
  };
  const thenables: [thenable: unknown, outcome: unknown][] = [
    [{ then: (resolve: (value: string) => void) => resolve("value") }, { value: "value" }],
    [{ then: (_: unknown, reject: (e: Error) => void) => reject(error) }, {
      reason: error,
    }],
    [{ then: fail }, { reason: error }],
  ];
  for (const [thenable, outcome] of thenables) {
    assertEquals(await outcomeOf(promiseOf(thenable)), outcome);
  }
  const unreadable = Object.defineProperty({}, "then", { get: fail });
  assertEquals(await outcomeOf(promiseOf(unreadable)), { reason: error });
});

Deno.test("rejectionOf() returns a promise that rejects with the reason itself", async () => {
  for (const reason of [new Error("reason"), undefined, Promise.resolve(1)]) {
    const caught = await rejectionOf(reason).catch((each) => [each]);
    assertStrictEquals(caught[0], reason);
  }
});

Deno.test("react() calls the reaction of the outcome alone, and returns its promise", async () => {
  const log: unknown[] = [];
  const reactTo = (promise: Promise<unknown>) =>
    react(
      promise,
      (value) => (log.push(["value", value]), "after a value"),
      (reason) => (log.push(["reason", reason]), "after a reason"),
    );
  assertEquals(await reactTo(Promise.resolve(1)), "after a value");
  assertEquals(await reactTo(Promise.reject(2)), "after a reason");
  assertEquals(log, [["value", 1], ["reason", 2]]);

  const error = new Error("by the reaction");
  const failed = react(Promise.resolve(), () => {
    throw error;
  }, ignore);
  assertEquals(await outcomeOf(failed), { reason: error });
});

Deno.test("react() ignores a then that was put on the promise, like await", async () => {
  const promise = Object.assign(Promise.resolve("built-in"), {
    then: () => {
      throw new Error("never called");
    },
  });
  assertEquals(await react(promise, (value) => value, ignore), "built-in");
});

Deno.test("soon() calls back in microtasks, in the order of its calls, before the next turn", async () => {
  const log: string[] = [];
  nextTurn(() => log.push("turn"));
  Promise.resolve().then(() => log.push("before"));
  soon(() => log.push("one"));
  soon(() => log.push("two"));
  Promise.resolve().then(() => log.push("after"));
  log.push("at once");
  await turn();
  assertEquals(log, ["at once", "before", "one", "two", "after", "turn"]);
});

Deno.test("ignore() does nothing", () => {
  assertEquals(ignore(), undefined);
});

Deno.test("Deferred settles by whatever comes first", async () => {
  const [resolved, rejected] = [new Deferred(), new Deferred()];
  resolved.resolve("value");
  resolved.reject("too late");
  resolved.resolve("too late");
  rejected.reject("reason");
  rejected.resolve("too late");
  assertEquals(await outcomeOf(resolved.promise), { value: "value" });
  assertEquals(await outcomeOf(rejected.promise), { reason: "reason" });
});

Deno.test("Deferred has functions of its own, also when many are made at once", async () => {
  const all = Array.from({ length: 100 }, () => new Deferred());
  all.forEach(({ resolve }, index) => index % 2 === 0 && resolve(index));
  all.forEach(({ reject }, index) => index % 2 === 1 && reject(index));
  const outcomes = await Promise.all(all.map(({ promise }) => outcomeOf(promise)));
  const expected = all.map((_, index) =>
    index % 2 === 0 ? { value: index } : { reason: index }
  );
  assertEquals(outcomes, expected);
});

Deno.test("Deferred.follow() settles like the promise, unless something else comes first", async () => {
  for (const isFirst of [false, true]) {
    for (const settled of [Promise.resolve("value"), Promise.reject("reason")]) {
      const deferred = new Deferred();
      deferred.follow(settled);
      if (isFirst) deferred.resolve("first"); // a reaction takes a microtask
      const expected = isFirst ? { value: "first" } : await outcomeOf(settled);
      assertEquals(await outcomeOf(deferred.promise), expected);
    }
  }
});

Deno.test("Deferred.follow() takes the first of several promises", async () => {
  const deferred = new Deferred();
  const others = [new Deferred(), new Deferred(), new Deferred()];
  others.forEach(({ promise }) => deferred.follow(promise));
  others[1]?.resolve("second");
  others[0]?.reject("first");
  assertEquals(await outcomeOf(deferred.promise), { value: "second" });
});

Deno.test("Promises are those of the load when the global Promise is replaced afterwards", async () => {
  const native = globalThis.Promise;
  const refuse = () => {
    throw new Error("never called");
  };
  const restore = replaceGlobals({
    Promise: Object.assign(refuse, { resolve: refuse, reject: refuse }),
  });
  const made: unknown[] = [];
  const log: unknown[] = [];
  try {
    const deferred = new Deferred();
    deferred.follow(promiseOf("value") as Promise<unknown>);
    soon(() => log.push("soon"));
    made.push(promiseOf(1), rejectionOf(2), deferred.promise);
    made.push(react(deferred.promise, (value) => log.push(value), ignore));
    react(made[1] as Promise<unknown>, ignore, (reason) => log.push(reason));
  } finally {
    restore();
  }
  await turn();
  assert(made.every((promise) => promise instanceof native));
  assertEquals(log, ["soon", 2, "value"]);
});
