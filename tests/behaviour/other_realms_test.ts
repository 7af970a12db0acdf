// Errors of other realms, such as those of a vm context: a built-in class stands for the same
// class of every realm.

import { readFile } from "node:fs/promises";
import { createContext, runInContext } from "node:vm";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { ErrorClass } from "@asyncbackoff/asyncbackoff";
import { playExecution } from "../support/played_execution.ts";

const realm = createContext({});
// deno-lint-ignore no-explicit-any
const elsewhere = (code: string): any => runInContext(code, realm);

/** Whether a policy that lists a class retries an error. */
async function isRetried(errorClass: ErrorClass, error: unknown): Promise<boolean> {
  const options = { exceptions: [errorClass], maxTries: 2 };
  const played = await playExecution(options, () => Promise.reject(error));
  assertStrictEquals(played.error, error);
  return played.reason === "maxTries";
}

const builtIn: Record<string, ErrorClass> = {
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

for (const [name, here] of Object.entries(builtIn)) {
  const args = name === "AggregateError" ? "[], 'down'" : "'down'";

  Deno.test(`Backoff.execute() retries another realm's ${name} when this realm's is listed, and the reverse`, async () => {
    const there: ErrorClass = elsewhere(name);
    const ours = Reflect.construct(here, name === "AggregateError" ? [[]] : ["down"]);
    const theirs = elsewhere(`new ${name}(${args})`);
    assert(here !== there && !(theirs instanceof here) && !(ours instanceof there));

    assertEquals(await isRetried(here, theirs), true);
    assertEquals(await isRetried(there, ours), true);
    assertEquals(await isRetried(there, theirs), true);
  });

  Deno.test(`Backoff.execute() distinguishes another realm's ${name} from its other built-in classes`, async () => {
    const theirs = elsewhere(`new ${name}(${args})`);
    for (const [other, errorClass] of Object.entries(builtIn)) {
      const isListed = other === name || other === "Error";
      assertEquals(await isRetried(errorClass, theirs), isListed, other);
    }
  });
}

Deno.test("Backoff.execute() retries an error of another realm's class that extends a listed built-in class", async () => {
  const theirs = elsewhere(
    "class Down extends TypeError {}; class Deeper extends Down {}; new Deeper('down')",
  );
  assertEquals(await isRetried(TypeError, theirs), true);
  assertEquals(await isRetried(Error, theirs), true);
  assertEquals(await isRetried(RangeError, theirs), false);
});

Deno.test("Backoff.execute() asks another realm's class that is not built in by instanceof", async () => {
  const [Theirs, theirs] = elsewhere(
    "class Busy extends Error {}; [Busy, new Busy('down')]",
  );
  class Busy extends Error {}
  assertEquals(await isRetried(Theirs, theirs), true);
  assertEquals(await isRetried(Busy, theirs), false);
  assertEquals(await isRetried(Theirs, new Busy("down")), false);
  assertEquals(await isRetried(Error, theirs), true);
});

Deno.test("Backoff.execute() retries a failed fetch when a vm context lists its own TypeError", async () => {
  const error = await fetch("http://[").catch((error) => error);
  const theirs = elsewhere("TypeError");
  assert(!(error instanceof theirs));

  assertEquals(await isRetried(theirs, error), true);
});

Deno.test("Backoff.execute() retries an error of node:fs when a vm context lists its own Error", async () => {
  const error = await readFile(new URL("missing.txt", import.meta.url)).catch((error) =>
    error
  );
  const theirs = elsewhere("Error");
  assert(!(error instanceof theirs));

  assertEquals(await isRetried(theirs, error), true);
  assertEquals(await isRetried(elsewhere("TypeError"), error), false);
});

/** A DOMException as jsdom and others make it: a class of theirs, with the standard's brand. */
const DOM_EXCEPTION = `(() => {
  class DOMException extends Error {}
  Object.defineProperty(DOMException.prototype, Symbol.toStringTag, { value: "DOMException" });
  return DOMException;
})()`;

Deno.test("Backoff.execute() recognises a DOMException of any realm by its brand and its prototype", async () => {
  const There = elsewhere(DOM_EXCEPTION);
  const theirs = new There("Busy.");
  const ours = new DOMException("Busy.", "NetworkError");
  const fake = { [Symbol.toStringTag]: "DOMException", name: "NetworkError" };
  assert(!(theirs instanceof DOMException) && !(ours instanceof There));

  assertEquals(await isRetried(DOMException, theirs), true);
  assertEquals(await isRetried(There, ours), true);
  assertEquals(await isRetried(Error, theirs), true);
  assertEquals(await isRetried(DOMException, fake), false);
  assertEquals(await isRetried(DOMException, elsewhere("new Error('Busy.')")), false);
  // A class of that name without the brand is a class like any other.
  const Impostor = { DOMException: class extends Error {} }.DOMException;
  assertEquals(await isRetried(Impostor, theirs), false);
});

Deno.test("Backoff.execute() does not recognise another realm's error by its name, its tag or its shape", async () => {
  const likes = [
    "Object.assign(new Error('fetch failed'), { name: 'TypeError' })",
    "Object.assign(new Error('fetch failed'), { constructor: TypeError })",
    "({ name: 'TypeError', message: 'fetch failed' })",
    "({ name: 'TypeError', [Symbol.toStringTag]: 'Error' })",
    "(() => { function TypeError() {} return new TypeError() })()",
    "(() => { class TypeError extends Error {} return new TypeError() })()",
    "Object.create(TypeError.prototype)",
    "TypeError",
    "'TypeError: fetch failed'",
  ];
  for (const code of likes) {
    assertEquals(await isRetried(TypeError, elsewhere(code)), false, code);
  }
});

Deno.test("Backoff.execute() retries another realm's timeouts, whatever the classes", async () => {
  const make = () =>
    elsewhere("Object.assign(new Error('slow'), { name: 'TimeoutError' })");
  const { reason } = await playExecution(
    { exceptions: [], maxTries: 3 },
    () => Promise.reject(make()),
  );
  assertEquals(reason, "maxTries");
});

Deno.test("Backoff.execute() handles proxies in place of errors of another realm", async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const options = { exceptions: [elsewhere("TypeError")], maxTries: 2 };
  const { error, reason } = await playExecution(options, () => Promise.reject(proxy));
  // `instanceof` on a revoked proxy throws, and the execution ends with that error.
  assertEquals([reason, (error as Error).name], ["callbackError", "TypeError"]);
});
