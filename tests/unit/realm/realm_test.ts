// State that is one in a realm, however many copies of the library are loaded.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Backoff, type BackoffEvent, currentAttempt } from "@asyncbackoff/asyncbackoff";
import { findRealm, realm } from "../../../src/realm/realm.ts";

const KEY = Symbol.for("@asyncbackoff/asyncbackoff/realm/1");

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

Deno.test("realm.executions numbers the executions that are observed", async () => {
  const before = realm.executions;
  const events: BackoffEvent[] = [];
  const backoff = new Backoff({ observe: (event) => events.push(event) });
  await backoff.execute(() => "value");
  await new Backoff().execute(() => "value"); // not observed
  assertEquals(realm.executions, before + 1);
  assertEquals(events.map(({ execution }) => execution), [before + 1, before + 1]);
});
