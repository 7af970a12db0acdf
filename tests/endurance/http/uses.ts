// fetchWith() in the hands of SDKs, and with what HTTP has besides: HTTP/2, gzip, redirects,
// and servers that ask for no wait for ever.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { type FetchOptions, fetchWith } from "@asyncbackoff/asyncbackoff/http";
import { listenersLeft } from "../../support/leftovers.ts";

const [script = "", key = "", cert = ""] = process.argv.slice(2);
const server = spawn("node", [script, key, cert], { stdio: ["pipe", "pipe", "inherit"] });
const [printed] = await once(server.stdout, "data");
const ports = JSON.parse(String(printed));
const origin = `http://127.0.0.1:${ports.http}`;

interface Seen {
  seen: Record<string, { bodies: string[]; keys: (string | null)[] }>;
  open: number;
}
const look = async () => await (await fetch(`${origin}/seen`)).json() as Seen;
const received = async (path: string) => (await look()).seen[path]?.bodies ?? [];

const policy = { pause: [20, 40, 80, 160], deadline: 10_000 };
const controller = new AbortController();
const { signal } = controller;
/** POSTs of these SDKs ask for something that may be done twice. */
const methods = ["GET", "PUT", "POST"];
const retried = (options: FetchOptions = {}) => fetchWith(policy, { methods, ...options });

/** The packages are not installed where this file is checked, so their names are variables. */
// deno-lint-ignore no-explicit-any
const load = (name: string): Promise<any> => import(name);

async function openai(): Promise<void> {
  const { default: OpenAI } = await load("openai");
  const client = new OpenAI({
    apiKey: "none",
    baseURL: `${origin}/openai`,
    fetch: retried(),
    maxRetries: 0,
  });
  const question = { model: "none", messages: [{ role: "user", content: "hi" }] };
  const answer = await client.chat.completions.create(question, { signal });
  assert.equal(answer.choices[0].message.content, "Hello");
  let text = "";
  const stream = await client.chat.completions.create({ ...question, stream: true });
  for await (const part of stream) text += part.choices[0].delta.content;
  assert.equal(text, "Hello, world");
  assert.equal((await received("/openai/chat/completions")).length, 3);
}

async function octokit(): Promise<void> {
  const { Octokit } = await load("@octokit/core");
  const client = new Octokit({ baseUrl: origin, request: { fetch: retried() } });
  const { data } = await client.request("GET /octokit/{id}", { id: 7 });
  assert.equal(data.id, 7);
  const missing = client.request("GET /missing/{id}", { id: 7, request: { signal } });
  await assert.rejects(missing, { status: 404 });
  assert.equal((await received("/missing/7")).length, 2);
}

async function openapi(): Promise<void> {
  const { default: createClient } = await load("openapi-fetch");
  const client = createClient({ baseUrl: origin, fetch: retried() });
  const { data } = await client.GET("/openapi/{id}", { params: { path: { id: 7 } } });
  assert.equal(data.id, 7);
  const put = await client.PUT("/openapi/body", { body: { name: "value" }, signal });
  assert.equal(put.data.body, '{"name":"value"}');
  assert.deepEqual(await received("/openapi/body"), Array(2).fill('{"name":"value"}'));
}

async function permissions(): Promise<void> {
  const get = fetchWith(policy);
  const once = await get(`${origin}/orders/1`, { method: "POST", body: "pizza" });
  assert.equal(once.status, 503);
  await once.body?.cancel();
  assert.deepEqual(await received("/orders/1"), ["pizza"]);
  const keyed = fetchWith(policy, { idempotencyKey: true });
  const response = await keyed(`${origin}/orders/2`, { method: "POST", body: "pizza" });
  assert.equal((await response.json()).turn, 2);
  const keys = (await look()).seen["/orders/2"]?.keys ?? [];
  assert(keys.length === 2 && keys[0] === keys[1] && keys[0]?.length === 32);
  const form = new FormData();
  form.set("file", new Blob(["bytes"]), "name.txt");
  const bodies: BodyInit[] = ["text", new Uint8Array([97]), new Blob(["b"]), form];
  for (const [index, body] of [...bodies, new URLSearchParams({ a: "b" })].entries()) {
    const path = `/bodies/${index}`;
    const response = await get(`${origin}${path}`, { method: "PUT", body, signal });
    const { body: last } = await response.json();
    const [first = ""] = await received(path);
    assert(first.length > 0);
    if (body !== form) assert.equal(first, last);
  }
}

async function redirectsAndGzip(): Promise<void> {
  for (const options of [{}, { buffer: true }]) {
    const get = retried(options);
    const response = await get(`${origin}/redirect/${JSON.stringify(options).length}`, {
      signal,
    });
    assert.equal(response.url, `${origin}/target/1`);
    assert.equal(response.redirected, true);
    assert.equal((await response.json()).id, 7);
    const zipped = await get(`${origin}/gzip/${JSON.stringify(options).length}`, {
      signal,
    });
    assert.equal((await zipped.text()).length, 100_000);
  }
}

/**
 * A server that closes each connection at its second request, without an answer. Deno and Bun
 * send a request again by themselves if that happens on a connection that they reuse.
 */
async function reusedConnections(): Promise<void> {
  const counts = new Map<string, number>();
  const closing = createServer((socket) => {
    let [text, requests] = ["", 0];
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      text += new TextDecoder().decode(bytes);
      const path = /^POST (\S+) [^]*order/.exec(text)?.[1];
      if (path === undefined) return;
      text = "";
      counts.set(path, (counts.get(path) ?? 0) + 1);
      if (++requests > 1) return void socket.destroy();
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nup");
    });
  });
  await new Promise<void>((resolve) => closing.listen(0, "127.0.0.1", resolve));
  const { port } = closing.address() as { port: number };
  const post = fetchWith(policy);
  for (let number = 0; number < 20; number++) {
    const url = `http://127.0.0.1:${port}/${number}`;
    const init = { method: "POST", body: "order" };
    await post(url, init).then((response) => response.text(), () => {});
    await wait(5);
  }
  closing.close();
  assert.deepEqual([...counts.values()], Array(20).fill(1), "a POST was received twice");
}

/** A server that asks for no wait is asked as seldom as one that says nothing. */
async function wishes(): Promise<void> {
  const get = fetchWith({
    ...policy,
    maxTries: Infinity,
    deadline: 1000,
    pause: [100, 200],
  });
  const began = performance.now();
  const counts = await Promise.all(["down", "zero", "past"].map(async (name) => {
    const response = await get(`${origin}/${name}/1`);
    assert.equal(response.status, 503);
    await response.body?.cancel();
    return (await received(`/${name}/1`)).length;
  }));
  assert(counts.every((count) => count >= 4 && count <= 6), `${counts}`);
  assert(performance.now() - began < 1500);
  const before = performance.now();
  const limited = await retried()(`${origin}/limited/1`);
  assert.equal((await limited.json()).turn, 2);
  assert(performance.now() - before >= 1000);
}

async function aborts(): Promise<void> {
  const own = new AbortController();
  const pending = fetchWith({ pause: 60_000, deadline: Infinity })(`${origin}/down/2`, {
    signal: own.signal,
  });
  setTimeout(() => own.abort("enough"), 100);
  await assert.rejects(pending, (reason) => reason === "enough");
  const other = new AbortController();
  const response = await fetchWith({ maxTries: 1 })(`${origin}/down/3`, {
    signal: other.signal,
  });
  const reading = response.text();
  setTimeout(() => other.abort("enough"), 100);
  await assert.rejects(reading, (reason) => reason === "enough");
  assert.equal(listenersLeft(own.signal) + listenersLeft(other.signal), 0);
}

/** Bun's fetch speaks HTTP/1.1 alone. */
async function http2(): Promise<void> {
  if ("Bun" in globalThis) return;
  const ca = readFileSync(cert, "utf8");
  const url = `https://localhost:${ports.http2}/http2/1`;
  let response: Response;
  if ("Deno" in globalThis) {
    const client = Deno.createHttpClient({ caCerts: [ca] });
    response = await retried()(url, { client, signal } as RequestInit);
    assert.equal((await response.json()).turn, 2);
    client.close();
  } else {
    const { Agent, fetch } = await load("undici");
    const dispatcher = new Agent({ allowH2: true, connect: { ca } });
    response = await retried({ fetch })(url, { dispatcher, signal } as RequestInit);
    assert.equal((await response.json()).turn, 2);
    await dispatcher.close();
  }
  assert.equal((await received("/http2/1")).length, 2);
}

const uses = {
  reusedConnections,
  openai,
  octokit,
  openapi,
  permissions,
  redirectsAndGzip,
  wishes,
  aborts,
  http2,
};
for (const [name, use] of Object.entries(uses)) {
  await use();
  console.log(`    ${name}: right`);
}
for (let turn = 0; turn < 100 && (await look()).open > 0; turn++) await wait(20);
assert.equal((await look()).open, 0, "the connection of a discarded answer is open");
// openapi-fetch gives the signal to a Request, for which Node keeps a listener.
assert(listenersLeft(signal) <= 2, "listeners are left");
console.log("    no connection of a discarded answer is open, and no listener is left");
server.stdin.end();
server.stdout.destroy();
