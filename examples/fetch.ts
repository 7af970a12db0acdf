// fetch, retried by status: 429 and 503 when the server says (Retry-After), other failures of
// servers and connections after a growing pause, and only what is safe to be sent twice.
// deno run --allow-net=127.0.0.1 examples/fetch.ts

import {
  Backoff,
  type BackoffOptions,
  exponential,
  type Failure,
} from "@asyncbackoff/asyncbackoff";
import { retryAfter } from "@asyncbackoff/asyncbackoff/http";

/** A status that may be another one next time. */
class HttpError extends Error {
  override name = "HttpError";
  readonly status: number;
  /** How long the server asks to wait, in milliseconds; `null` if it does not say. */
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

/** How long the server asks to wait after a failure, if it does. */
const askedFor = ({ error }: Failure) =>
  error instanceof HttpError ? error.retryAfter : null;

const rules: BackoffOptions = {
  attemptTimeout: 10_000,
  deadline: 30_000,
  exceptions: [HttpError, TypeError], // fetch throws a TypeError where a connection fails
  pause: (failure) => askedFor(failure) ?? grow(failure),
  giveup: (_error, failure) => (askedFor(failure) ?? 0) >= failure.remaining, // it would be too late
};
const retried = new Backoff(rules);
/** Timeouts would be retried too, so that "once" must be said by `maxTries`. */
const once = new Backoff({ ...rules, maxTries: 1 });

/**
 * Requests and reads within the limits, so that a body that breaks off is requested again.
 * Any other status, as 404, is for `read` to judge. A POST is sent twice only if a header
 * `Idempotency-Key` lets the server tell that it is the same one.
 */
async function request<T>(
  url: string,
  init: RequestInit | undefined,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const request = new Request(url, init); // a wrong one throws here, and is not retried
  const isSafe = IDEMPOTENT.includes(request.method) ||
    request.headers.has("idempotency-key");
  return await (isSafe ? retried : once).execute(async ({ signal }) => {
    const response = await fetch(request.clone(), { signal });
    if (!RETRIED.includes(response.status)) return await read(response);
    await response.body?.cancel(); // else its connection stays open until the body has come
    throw new HttpError(response);
  }, { signal: request.signal });
}

// What must hold, with a server on loopback that answers each path by a script.

import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";

/** A status with a body that never ends, unless it is cancelled; "reset", or one that is well. */
type Step = number | "reset" | { retryAfter: string };

const seen: { what: string; at: number }[] = [];
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
  const what = [method, url].concat(key ?? []).join(" ");
  answer(response, scripts[what]?.shift());
  seen.push({ what, at: performance.now() });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;

const text = (response: Response) => response.text();
const instantsOf = (what: string) =>
  seen.filter((each) => each.what === what).map(({ at }) => at);

assert.equal(await request(`${origin}/limited`, {}, text), "200");
const [first = 0, second = 0] = instantsOf("GET /limited");
assert(second - first >= 990, `the server asked for 1 s, and got ${second - first} ms`);
console.log("  503 with Retry-After: waited for as long as the server asks");

assert.equal(await request(`${origin}/flaky`, {}, text), "200");
assert.equal(instantsOf("GET /flaky").length, 5);
console.log("  500, 502, 504 and a reset connection: retried after pauses that grow");

assert.equal(await request(`${origin}/missing`, {}, text), "404");
assert.equal(instantsOf("GET /missing").length, 1);
console.log("  404: an answer, not retried");

const began = performance.now();
await assert.rejects(request(`${origin}/closed`, {}, text), { status: 503 });
assert.equal(instantsOf("GET /closed").length, 1);
assert(performance.now() - began < 5000);
console.log("  Retry-After that is too late for the deadline: given up at once");

const order = { method: "POST", body: "one pizza" };
await assert.rejects(request(`${origin}/orders`, order, text), { status: 503 });
assert.equal(instantsOf("POST /orders").length, 1);
const keyed = { ...order, headers: { "idempotency-key": "again" } };
assert.equal(await request(`${origin}/orders`, keyed, text), "201");
assert.equal(instantsOf("POST /orders again").length, 2);
console.log("  POST: sent once, and sent again with an idempotency key");

await assert.rejects(request("nowhere", {}, text), TypeError);
const signal = AbortSignal.timeout(100);
const later = request(`${origin}/later`, { signal }, text);
await assert.rejects(later, (reason) => reason === signal.reason);
assert(performance.now() - began < 5000);
console.log("  the caller's signal: ends the wait, and the request");

// Only when each body has been cancelled are all connections free, and the server can close.
await new Promise((resolve) => server.close(resolve));
assert.equal(cancelled, endless);
assert.equal(endless, 8);
console.log("  the connection of each discarded answer was freed");
