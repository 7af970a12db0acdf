// A client of a JSON API on fetchWith: answers are read within the limits, and an answer that is
// no success is an error with the beginning of its body.
// deno run --allow-net=127.0.0.1 examples/fetch.ts

import { checked, fetchWith } from "@asyncbackoff/asyncbackoff/http";

/** Reads an answer. A body that breaks off or stalls is requested again. */
const read = async (response: Response): Promise<unknown> =>
  (await checked(response, { maxBody: 1000 })).json();

const request = fetchWith(
  { attemptTimeout: 10_000, deadline: 30_000, maxTries: 10 },
  { read, idempotencyKey: true },
);

// The test, with a server on loopback that answers each path by a script, whose last step is
// repeated.

import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";

/** A status, a connection that is reset, or an answer that asks for a wait. */
type Step = number | "reset" | { retryAfter: string };

const CROWD = Array.from({ length: 50 }, (_, index) => `/crowd?client=${index}`);
const scripts: Record<string, Step[]> = {
  "GET /flaky": [500, 502, "reset", 504, 200],
  "GET /missing?token=secret": [404],
  "GET /closed": [{ retryAfter: "3600" }],
  "POST /orders": [503, "reset", 200],
};
for (const path of CROWD) scripts[`GET ${path}`] = [{ retryAfter: "1" }, 200];

const received: { name: string; at: number; key: string | undefined }[] = [];
let [endless, cancelled] = [0, 0];

function answer(response: ServerResponse, step: Step | undefined): void {
  if (step === "reset") return void response.socket?.destroy();
  if (typeof step === "number" && step < 500) {
    const headers = { connection: "close", "content-type": "application/json" };
    return void response.writeHead(step, headers).end(`{"status":${step}}`);
  }
  const isAsked = typeof step === "object";
  const headers = isAsked ? { "retry-after": step.retryAfter } : {};
  response.writeHead(isAsked ? 503 : step ?? 500, headers).write("to be continued");
  endless += 1;
  response.on("close", () => cancelled += 1);
}

const server = createServer(({ method, url, headers }, response) => {
  const name = `${method} ${url}`;
  const script = scripts[name] ?? [];
  const key = headers["idempotency-key"] as string | undefined;
  received.push({ name, at: performance.now(), key });
  answer(response, script.length > 1 ? script.shift() : script[0]);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
const requestsOf = (name: string) => received.filter((each) => each.name === name);

assert.deepEqual(await request(`${origin}/flaky`), { status: 200 });
assert.equal(requestsOf("GET /flaky").length, 5);
console.log("  500, 502, 504 and a reset connection: retried after pauses that grow");

const missing = request(`${origin}/missing?token=secret`);
await assert.rejects(missing, {
  name: "HttpError",
  message: `${origin}/missing answered 404 Not Found`,
  body: '{"status":404}',
});
assert.equal(requestsOf("GET /missing?token=secret").length, 1);
console.log("  404: an error with the body, and not retried");

await Promise.all(CROWD.map((path) => request(origin + path)));
const waits = CROWD.map((path) => {
  const [first, second] = requestsOf(`GET ${path}`);
  return (second?.at ?? 0) - (first?.at ?? 0);
});
const [shortest, longest] = [Math.min(...waits), Math.max(...waits)];
assert(shortest >= 990, `each wait must be 1 s, got ${shortest} ms`);
assert(longest - shortest > 20, `the waits must differ, got ${longest - shortest} ms`);
console.log("  50 clients that are asked for the same wait: they do not return together");

const order = { method: "POST", body: "one pizza" };
assert.deepEqual(await request(`${origin}/orders`, order), { status: 200 });
const keys = requestsOf("POST /orders").map(({ key }) => key);
assert(keys.length === 3 && new Set(keys).size === 1 && keys[0] !== undefined);
console.log("  POST with an idempotency key: the same one in each attempt");

// The server can only close when every connection is free, so every body must be cancelled.
const closed = fetchWith({}, { read: (response) => response.status })(`${origin}/closed`);
assert.equal(await closed, 503);
assert.equal(requestsOf("GET /closed").length, 1);
await new Promise((resolve) => server.close(resolve));
assert.equal(cancelled, endless);
assert(endless > CROWD.length);
console.log(
  "  Retry-After beyond the deadline: returned at once; every connection is free",
);
