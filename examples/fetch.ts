// fetch with retries: after 429 and 503 it waits as long as the server asks (Retry-After),
// after other failures of servers and connections it pauses longer each time. Only requests
// that are safe to send twice are retried.
// deno run --allow-net=127.0.0.1 examples/fetch.ts

import {
  Backoff,
  type BackoffOptions,
  exponential,
  type Failure,
} from "@asyncbackoff/asyncbackoff";
import { retryAfter } from "@asyncbackoff/asyncbackoff/http";

/** A status that may be different the next time. */
class HttpError extends Error {
  override name = "HttpError";
  readonly status: number;
  /** The wait that the server asks for, in milliseconds; `null` if it asks for none. */
  readonly retryAfter: number | null;

  constructor({ status, headers }: Response) {
    super(`The server answered ${status}`);
    this.status = status;
    this.retryAfter = retryAfter(headers.get("retry-after"));
  }
}

const RETRIED = [429, 500, 502, 503, 504];
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"];

const grow = exponential({ initial: 100, max: 5000 });

/**
 * The wait that the server asks for after a failure, in milliseconds; `null` if there is
 * none.
 */
const askedFor = ({ error }: Failure) =>
  error instanceof HttpError ? error.retryAfter : null;

const rules: BackoffOptions = {
  attemptTimeout: 10_000,
  deadline: 30_000,
  exceptions: [HttpError, TypeError], // fetch throws a TypeError where a connection fails
  pause: (failure) => askedFor(failure) ?? grow(failure),
  giveup: (_error, failure) => (askedFor(failure) ?? 0) >= failure.remaining, // too late anyway
};
const retried = new Backoff(rules);
/** `maxTries` is needed here, because timeouts are always retried. */
const once = new Backoff({ ...rules, maxTries: 1 });

/**
 * Sends a request and reads the answer within the limits, so a body that breaks off is
 * requested again. `read` handles every other status, such as 404. A POST is retried only
 * if it has a header `Idempotency-Key`, which allows the server to recognise the second
 * one.
 */
async function request<T>(
  url: string,
  init: RequestInit | undefined,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const request = new Request(url, init); // an invalid request throws here, and is not retried
  const isSafe = IDEMPOTENT.includes(request.method) ||
    request.headers.has("idempotency-key");
  return await (isSafe ? retried : once).execute(async ({ signal }) => {
    const response = await fetch(request.clone(), { signal });
    if (!RETRIED.includes(response.status)) return await read(response);
    await response.body?.cancel(); // so that its connection is free
    throw new HttpError(response);
  }, { signal: request.signal });
}

// The test, with a server on loopback that answers each path by a script.

import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";

/**
 * A status below 500; a status with a body that never ends unless it is cancelled; or
 * "reset".
 */
type Step = number | "reset" | { retryAfter: string };

const requests: { name: string; at: number }[] = [];
const scripts: Record<string, Step[]> = {
  "GET /limited": [{ retryAfter: "1" }, 200],
  "GET /flaky": [500, 502, "reset", 504, 200],
  "GET /missing": [404],
  "GET /closed": [{ retryAfter: "3600" }],
  "GET /later": [{ retryAfter: "10" }],
  "POST /orders": [503],
  "POST /orders again": [503, 201],
};
let [endless, cancelled] = [0, 0];

function answer(response: ServerResponse, step: Step | undefined): void {
  if (step === "reset") return void response.socket?.destroy();
  if (typeof step === "number" && step < 500) {
    return void response.writeHead(step, { connection: "close" }).end(`${step}`);
  }
  const isAsked = typeof step === "object";
  const headers = isAsked ? { "retry-after": step.retryAfter } : {};
  response.writeHead(isAsked ? 503 : step ?? 500, headers).write("to be continued");
  endless += 1;
  response.on("close", () => cancelled += 1);
}

const server = createServer(({ method, url, headers }, response) => {
  const key = headers["idempotency-key"];
  const name = [method, url].concat(key ?? []).join(" ");
  answer(response, scripts[name]?.shift());
  requests.push({ name, at: performance.now() });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;

const text = (response: Response) => response.text();
const instantsOf = (name: string) =>
  requests.filter((each) => each.name === name).map(({ at }) => at);

assert.equal(await request(`${origin}/limited`, {}, text), "200");
const [first = 0, second = 0] = instantsOf("GET /limited");
assert(second - first >= 990, `the wait must be 1 s, got ${second - first} ms`);
console.log("  503 with Retry-After: retried after the wait that the server asks for");

assert.equal(await request(`${origin}/flaky`, {}, text), "200");
assert.equal(instantsOf("GET /flaky").length, 5);
console.log("  500, 502, 504 and a reset connection: retried after pauses that grow");

assert.equal(await request(`${origin}/missing`, {}, text), "404");
assert.equal(instantsOf("GET /missing").length, 1);
console.log("  404: returned as an answer, and not retried");

const began = performance.now();
await assert.rejects(request(`${origin}/closed`, {}, text), { status: 503 });
assert.equal(instantsOf("GET /closed").length, 1);
assert(performance.now() - began < 5000);
console.log("  Retry-After beyond the deadline: not retried, and rejected at once");

const order = { method: "POST", body: "one pizza" };
await assert.rejects(request(`${origin}/orders`, order, text), { status: 503 });
assert.equal(instantsOf("POST /orders").length, 1);
const keyed = { ...order, headers: { "idempotency-key": "again" } };
assert.equal(await request(`${origin}/orders`, keyed, text), "201");
assert.equal(instantsOf("POST /orders again").length, 2);
console.log("  POST: sent once; with an idempotency key, retried");

await assert.rejects(request("nowhere", {}, text), TypeError);
const signal = AbortSignal.timeout(100);
const later = request(`${origin}/later`, { signal }, text);
await assert.rejects(later, (reason) => reason === signal.reason);
assert(performance.now() - began < 5000);
console.log("  the caller's signal: ends the wait and the request");

// The server can only close when every connection is free, so every body must be cancelled.
await new Promise((resolve) => server.close(resolve));
assert.equal(cancelled, endless);
assert.equal(endless, 8);
console.log("  the connection of every discarded answer is freed");
