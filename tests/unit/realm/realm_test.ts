// State that is one in a realm, however many copies of the library are loaded.

import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  currentAttempt,
  nonRetryable,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { findRealm, realm, triesNow } from "../../../src/realm/realm.ts";

const KEY = Symbol.for("@asyncbackoff/asyncbackoff/realm/2");

Deno.test("findRealm() finds the state of the realm, which is hidden on globalThis", () => {
  assertStrictEquals(findRealm(), realm);
  const { value, ...attributes } = Object.getOwnPropertyDescriptor(globalThis, KEY) ?? {};
  assertStrictEquals(value, realm);
  const hidden = { writable: false, enumerable: false, configurable: false };
  assertEquals(attributes, hidden as typeof attributes);
});

Deno.test("realm.currentAttempt is the attempt that currentAttempt() returns", async () => {
  assertEquals(realm.currentAttempt, null);
  const seen = await new Backoff().execute(() => [realm.currentAttempt, currentAttempt()]);
  assert(seen[0] !== null);
  assertStrictEquals(seen[0], seen[1]);
  assertEquals(realm.currentAttempt, null);
});

Deno.test("realm.currentAttempt may be of another copy, whose own progress() is called", () => {
  const checkpoints: unknown[] = [];
  const foreign = { progress: (checkpoint?: unknown) => checkpoints.push(checkpoint) };
  const before = realm.currentAttempt;
  realm.currentAttempt = foreign as typeof before;
  try {
    currentAttempt().progress("half");
  } finally {
    realm.currentAttempt = before;
  }
  assertEquals(checkpoints, ["half"]);
});

Deno.test("realm.executions numbers the executions", async () => {
  const before = realm.executions;
  const events: BackoffEvent[] = [];
  const backoff = new Backoff({ observe: (event) => events.push(event) });
  await backoff.execute(() => "value");
  await new Backoff().execute(() => "value"); // not observed
  assertEquals(realm.executions, before + 2);
  assertEquals(events.map(({ execution }) => execution), [before + 1, before + 1]);
});

Deno.test("realm.nonRetryable and realm.exhausted have the errors that are marked", async () => {
  const [marked, other] = [new Error("marked"), new Error("down")];
  assertEquals([realm.nonRetryable.has(marked), realm.exhausted.has(other)], [
    false,
    false,
  ]);
  nonRetryable(marked);
  await new Backoff({ exceptions: "all", maxTries: 2 })
    .execute(() => Promise.reject(other)).catch(() => {});
  assertEquals([realm.nonRetryable.has(marked), realm.nonRetryable.has(other)], [
    true,
    false,
  ]);
  assertEquals([realm.exhausted.has(marked), realm.exhausted.has(other)], [false, true]);
});

Deno.test("realm.nonRetryable is shared by every copy of the library", async () => {
  const error = new Error("down");
  realm.nonRetryable.add(error); // as another copy does
  const backoff = new Backoff({ exceptions: "all", maxTries: 2 });
  await backoff.execute(() => Promise.reject(error)).catch(() => {});
  assertEquals(backoff.statistic.ends.nonRetryable, 1);
});

/** Calls a function while the variable `globalThis` is another object. */
function withGlobalThis<T>(value: object, fn: () => T): T {
  const real = globalThis;
  const old = Object.getOwnPropertyDescriptor(real, "globalThis");
  Object.defineProperty(real, "globalThis", { ...old, value });
  try {
    return fn();
  } finally {
    Object.defineProperty(real, "globalThis", old ?? {});
  }
}

Deno.test("findRealm() makes the state of a realm that has none, and then finds it", () => {
  const other = {};
  const [first, second] = withGlobalThis(other, () => [findRealm(), findRealm()]);
  assertNotStrictEquals(first, realm);
  assertStrictEquals(first, second);
  assertStrictEquals(Reflect.get(other, KEY), first);
  assertEquals([first?.currentAttempt, first?.executions], [null, 0]);
  assert(first?.nonRetryable instanceof WeakSet && first.exhausted instanceof WeakSet);
  assertNotStrictEquals(first.nonRetryable, first.exhausted);
});

Deno.test("findRealm() makes a state for each copy of the library when globalThis is frozen", () => {
  const frozen = Object.freeze({});
  const [first, second] = withGlobalThis(frozen, () => [findRealm(), findRealm()]);
  assertNotStrictEquals(first, second);
  assertEquals(first?.executions, 0);
  assertEquals(Reflect.ownKeys(frozen), []);
});

Deno.test("realm.withoutWaits is what every copy of the library goes by", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ exceptions: "all", maxTries: 5, pause: 100, clock });
  const seen: number[] = [];
  const fail = ({ triesLeft }: Attempt) => {
    seen.push(triesLeft);
    throw new Error("down");
  };
  realm.withoutWaits = 2; // as another copy does
  try {
    await clock.run(backoff.execute(fail)).catch(() => {});
  } finally {
    realm.withoutWaits = null;
  }
  assertEquals([seen, clock.now()], [[1, 0], 0]);
  await clock.run(backoff.execute(fail)).catch(() => {});
  assertEquals([seen.slice(2), clock.now()], [[4, 3, 2, 1, 0], 400]);
});

Deno.test("triesNow() is the lower one of two bounds", () => {
  assertEquals([triesNow(3), triesNow(Infinity)], [3, Infinity]);
  realm.withoutWaits = 2;
  try {
    assertEquals([triesNow(1), triesNow(2), triesNow(Infinity)], [1, 2, 2]);
  } finally {
    realm.withoutWaits = null;
  }
});
