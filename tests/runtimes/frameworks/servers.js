// Servers of Express and Fastify on loopback whose handlers hand the signal of their request down
// by `within`: the retries for a client end when it leaves, and those for others go on. With the
// argument `followed`, the handler awaits something before.

const { deepStrictEqual, strictEqual } = require("node:assert");
const process = require("node:process");
const express = require("express");
const fastify = require("fastify");
const { asyncretry, within } = require("@asyncbackoff/asyncbackoff");
const { check, runChecks } = require("./check.js");

const isFollowed = process.argv[2] === "followed";
if (isFollowed) require("@asyncbackoff/asyncbackoff/context").followAttempts();

const turn = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));
const calls = {};
const ends = {};

const load = asyncretry(1000, { pause: 5 })(async (id) => {
  calls[id] = (calls[id] ?? 0) + 1;
  await turn();
  if (id.endsWith("1") || calls[id] < 4) throw new Error("try again");
  return `user ${id}`;
});

async function handle(id) {
  if (isFollowed) await turn();
  try {
    return await load(id);
  } catch (error) {
    ends[id] = error;
    throw error;
  }
}

function signalOf(response) {
  const left = new AbortController();
  response.on("close", () => left.abort("The client has left"));
  return left.signal;
}

function startExpress() {
  const app = express();
  app.use((_request, response, next) =>
    within({ signal: signalOf(response), deadline: 5000 }, next)
  );
  app.get("/:id", (request, response, next) => {
    handle(request.params.id).then((text) => response.send(text), next);
  });
  app.use((_error, _request, response, _next) => response.status(500).end());
  return new Promise((resolve) => {
    const server = app.listen(0, "127.0.0.1", () => resolve(server.address().port));
  });
}

async function startFastify() {
  const app = fastify();
  app.get("/:id", (request, reply) =>
    within(
      { signal: signalOf(reply.raw), deadline: 5000 },
      () => handle(request.params.id),
    ));
  await app.listen({ port: 0, host: "127.0.0.1" });
  return app.server.address().port;
}

for (const [name, start] of [["Express", startExpress], ["Fastify", startFastify]]) {
  check(`${name}: the retries for a client end when it leaves`, async () => {
    const url = `http://127.0.0.1:${await start()}/${name}`;
    const leaving = new AbortController();
    const gone = fetch(`${url}1`, { signal: leaving.signal }).catch(() => "gone");
    const others = ["2", "3"].map((id) => fetch(`${url}${id}`).then((each) => each.text()));
    while ((calls[`${name}1`] ?? 0) < 2) await turn();
    leaving.abort();
    strictEqual(await gone, "gone");
    while (!(`${name}1` in ends)) await turn();
    strictEqual(ends[`${name}1`], "The client has left");
    const before = calls[`${name}1`];
    deepStrictEqual(await Promise.all(others), [`user ${name}2`, `user ${name}3`]);
    await turn(50);
    strictEqual(calls[`${name}1`], before);
  });
}

void runChecks();
