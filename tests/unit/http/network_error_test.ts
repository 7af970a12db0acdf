// isNetworkError() on what the runtimes were seen to throw, and on other values.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { TimeoutError } from "@asyncbackoff/asyncbackoff";
import { isNetworkError } from "@asyncbackoff/asyncbackoff/http";
import { type ErrorRecord, ERRORS, KINDS } from "./network_errors.ts";

/** Makes an error as it was recorded. */
function errorOf(record: ErrorRecord): Error {
  const { cause, message } = record;
  const Maker = record.class === "TypeError" ? TypeError : Error;
  const error = new Maker(message, cause === undefined ? {} : { cause: errorOf(cause) });
  for (const name of ["name", "code", "errno", "retryable"] as const) {
    if (record[name] !== undefined) {
      Object.defineProperty(error, name, { value: record[name] });
    }
  }
  return error;
}

/** The properties of an error that a runtime shows. */
function textOf({ class: maker, name, message, code, cause }: ErrorRecord): string {
  const text = `${maker} ${name} ${code} ${message.replace(/reference = .*/, "")}`;
  return cause === undefined ? text : `${text} <- ${textOf(cause)}`;
}

/** The failures of other kinds in a runtime that look the same there. */
function twinsOf(runtime: string, record: ErrorRecord): string[] {
  return Object.entries(ERRORS[runtime] ?? {})
    .filter(([, other]) => other !== null && textOf(other) === textOf(record))
    .map(([name]) => KINDS[name] ?? "");
}

Deno.test("isNetworkError() agrees with the table of what nine runtimes throw", () => {
  assertEquals(Object.keys(ERRORS).length, 9);
  let count = 0;
  for (const [runtime, records] of Object.entries(ERRORS)) {
    for (const [name, record] of Object.entries(records)) {
      if (record === null) continue;
      const twins = twinsOf(runtime, record);
      // Where failures look the same, they count as network errors; or else as other ones.
      const isNetwork = twins.includes("network");
      const isDns = isNetwork || !twins.includes("other");
      const error = errorOf(record);
      assertEquals(isNetworkError(error), isNetwork, `${runtime}: ${name}`);
      assertEquals(isNetworkError(error, { dns: true }), isDns, `${runtime}: ${name}`);
      assertEquals([record.isNetworkError, record.withDns], [isNetwork, isDns], name);
      count += 1;
    }
  }
  assert(count > 200);
});

Deno.test("isNetworkError() tells the kinds apart in Node, Deno 2 and Bun of today", () => {
  const [last] = Object.keys(ERRORS).filter((each) => each.startsWith("Bun")).slice(-1);
  const exact = Object.keys(ERRORS).filter((each) =>
    /^(Node|Deno)/.test(each) || each === last
  );
  assertEquals(exact.length, 6);
  for (const runtime of exact) {
    for (const [name, kind] of Object.entries(KINDS)) {
      const record = ERRORS[runtime]?.[name] ?? null;
      if (record === null) continue;
      const twins = twinsOf(runtime, record);
      assert(twins.every((each) => each === kind), `${runtime}: ${name}`);
    }
  }
});

Deno.test("isNetworkError() knows the codes of layers below and of other clients", () => {
  const codes = [
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "EPIPE",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_BODY_TIMEOUT",
    "ERR_HTTP2_STREAM_ERROR",
    "ERR_STREAM_PREMATURE_CLOSE",
    "ERR_NETWORK",
  ];
  for (const code of codes) {
    const error = Object.assign(new Error("failed"), { code });
    assert(isNetworkError(error), code);
    assert(isNetworkError(new Error("wrapped", { cause: error })), code);
  }
  for (const code of ["ENOTFOUND", "EAI_AGAIN"]) {
    const error = Object.assign(new Error("failed"), { code });
    assertEquals(isNetworkError(error), false);
    assertEquals(isNetworkError(error, { dns: true }), true);
  }
});

Deno.test("isNetworkError() knows the words of browsers that are not in the table", () => {
  const messages = [
    "NetworkError when attempting to fetch resource.",
    "Error in input stream",
    "Load failed",
    "The network connection was lost.",
    "Could not connect to the server.",
    "Network request failed",
    "Failed to fetch (service.example)",
    "network error",
  ];
  for (const message of messages) assert(isNetworkError(new TypeError(message)), message);
});

Deno.test("isNetworkError() is false for limits, aborts, and what no runtime throws", () => {
  const cause = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  const named = (name: string) =>
    Object.defineProperty(new Error(name, { cause }), "name", { value: name });
  const hostile = Object.defineProperty(new Error(), "code", {
    get: () => {
      throw new Error("hostile");
    },
  });
  const others = [
    new TimeoutError("attempt", 5),
    named("AbortError"),
    named("TimeoutError"),
    new DOMException("aborted", "AbortError"),
    hostile,
    { code: 7, message: 7 },
    Object.assign(new Error("no such file"), { code: "ENOENT" }),
    Object.assign(new Error("half a code"), { code: "ECONN" }),
    Object.assign(new Error("two codes"), { code: "ECONNREFUSED ECONNRESET " }),
    new TypeError("Failed to fetch the user from the cache"),
    "ECONNRESET",
    null,
    undefined,
    7,
  ];
  for (const each of others) assertEquals(isNetworkError(each), false);
});

Deno.test("isNetworkError() knows errors of other realms", () => {
  const foreign = Object.assign(Object.create(null), { code: "ECONNRESET" });
  assertEquals(isNetworkError(foreign), true);
  assertEquals(isNetworkError(new Error("wrapped", { cause: foreign })), true);
});

Deno.test("isNetworkError() follows causes at most ten deep, and in a circle", () => {
  let error: Error = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  for (let depth = 0; depth < 10; depth++) error = new Error("wrapped", { cause: error });
  assertEquals(isNetworkError(error), true);
  assertEquals(isNetworkError(new Error("wrapped", { cause: error })), false);
  const circle: Error & { cause?: unknown } = new Error("round");
  circle.cause = circle;
  assertEquals(isNetworkError(circle), false);
});

Deno.test("isNetworkError() refuses a `dns` that is no flag, and takes the index of an array's function", () => {
  assertThrows(
    () => isNetworkError(new Error(), { dns: "yes" as unknown as boolean }),
    TypeError,
    "Cannot look at an error: option 'dns' must be true or false",
  );
  assertEquals(isNetworkError(new Error(), null), false);
  assertEquals([new Error()].some(isNetworkError as (error: Error) => boolean), false);
});
