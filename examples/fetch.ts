// fetch with retries: after each failure of a server or a connection it pauses longer, and
// after 429 and 503 at least as long as the server asks (Retry-After). Only requests that
// are safe to send twice are retried.
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

/** The client's own pause: at least half of it is certain, and the rest is random. */
const grow = exponential({ initial: 100, max: 5000, jitter: "equal" });

/**
 * The wait that the server asks for, and the client's own pause. A server may ask for 0, or for an
 * instant that has passed, so its wait is only a lower bound. The client's own pause grows even then,
 * and its jitter spreads clients that received the same wait.
 */
const pauseAfter = (failure: Failure) => {
  const { error } = failure;
  const askedFor = error instanceof HttpError ? error.retryAfter ?? 0 : 0;
  return askedFor + grow(failure);
};

const rules: BackoffOptions = {
  attemptTimeout: 10_000,
  deadline: 30_000,
  exceptions: [HttpError, TypeError], // fetch throws a TypeError where a connection fails
  pause: pauseAfter,
  minRemaining: 0, // rejects at once if the pause would end after the deadline
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

// The test, with a server on loopback that answers each path by a script, whose last step is
// repeated.

import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";

/**
 * A status below 500; a status with a body that never ends unless it is cancelled; or
 * "reset".
 */
type Step = number | "reset" | { retryAfter: string };

const CROWD = Array.from({ length: 50 }, (_, index) => `/crowd?client=${index}`);
const PAST = "Sun, 06 Nov 1994 08:49:37 GMT";

const requests: { name: string; at: number }[] = [];
const scripts: Record<string, Step[]> = {
  "GET /limited": [{ retryAfter: "1" }, 200],
  "GET /flaky": [500, 502, "reset", 504, 200],
  "GET /missing": [404],
  "GET /closed": [{ retryAfter: "3600" }],
  "GET /later": [{ retryAfter: "10" }],
  "GET /zero": [{ retryAfter: "0" }],
  "GET /past": [{ retryAfter: PAST }],
  "POST /orders": [503],
  "POST /orders again": [503, 201],
};
for (const path of CROWD) scripts[`GET ${path}`] = [{ retryAfter: "1" }, 200];
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
  const script = scripts[name] ?? [];
  answer(response, script.length > 1 ? script.shift() : script[0]);
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

const impatient = ["/zero", "/past"].map(async (path) => {
  const signal = AbortSignal.timeout(1000);
  await assert.rejects(request(origin + path, { signal }, text), { name: "TimeoutError" });
  const { length } = instantsOf(`GET ${path}`);
  assert(length > 1 && length <= 5, `${path} must get at most 5 requests, got ${length}`);
});
await Promise.all(impatient);
console.log("  Retry-After of 0, or in the past, for ever: the own pauses grow");

await Promise.all(CROWD.map((path) => request(origin + path, {}, text)));
const waits = CROWD.map((path) => {
  const [first = 0, second = 0] = instantsOf(`GET ${path}`);
  return second - first;
});
const [shortest, longest] = [Math.min(...waits), Math.max(...waits)];
assert(shortest >= 990, `each wait must be 1 s, got ${shortest} ms`);
assert(longest - shortest > 20, `the waits must differ, got ${longest - shortest} ms`);
console.log("  50 clients that are asked for the same wait: they do not return together");

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
assert(endless > 8 + CROWD.length);
console.log("  the connection of every discarded answer is freed");
