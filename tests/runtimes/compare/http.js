// What fetchWith and other libraries do with one server that misbehaves. Run in Node. Prints a
// table as JSON: a row for each case, a cell for each library.

import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { fetchWith } from "@asyncbackoff/asyncbackoff/http";
import axios from "axios";
import axiosRetry from "axios-retry";
import fetchRetry from "fetch-retry";
import got from "got";
import ky from "ky";
import pRetry from "p-retry";
import { Agent, fetch as undiciFetch, RetryAgent } from "undici";

/** The time that a case may take, in ms. */
const MAX_MS = 4000;
const STATUSES = [408, 425, 429, 500, 502, 503, 504];
const FIRST = 100;

// The server: the first part of a path names the case, and the second one the library.

const requests = new Map();
let open = 0;

function refuse(response, headers = {}) {
  response.writeHead(503, headers).end("down");
}

const cases = {
  status: (response, turn) => turn === 1 ? refuse(response) : response.end("up"),
  endless: (response, turn) => {
    if (turn > 1) return response.end("up");
    response.writeHead(503).write("to be continued"); // unless the client gives it up
  },
  reset: (response, turn) => turn === 1 ? response.socket.destroy() : response.end("up"),
  asked: (response, turn) =>
    turn === 1 ? refuse(response, { "retry-after": "1" }) : response.end("up"),
  date: (response, turn) => {
    if (turn > 1) return response.end("up");
    const at = Date.now() - 3_600_000; // the server's clock is an hour behind
    refuse(response, {
      date: new Date(at).toUTCString(),
      "retry-after": new Date(at + 2000).toUTCString(),
    });
  },
  zero: (response) => refuse(response, { "retry-after": "0" }),
  down: (response) => refuse(response),
  hour: (response) => {
    response.writeHead(429, { "retry-after": "3600" });
    response.end("limited");
  },
  broken: (response, turn) => {
    response.writeHead(200, { "content-length": 100 }).write("half");
    if (turn === 1) return setTimeout(() => response.socket?.destroy(), 50);
    response.end("-".repeat(96));
  },
  stalled: (response, turn) => {
    response.writeHead(200, { "content-length": 100 }).write("half");
    if (turn > 1) response.end("-".repeat(96));
  },
  hanging: () => {},
};

const server = createServer((request, response) => {
  const [, name] = request.url.split("/");
  const times = requests.get(request.url) ?? [];
  times.push(performance.now());
  requests.set(request.url, times);
  open += 1;
  response.on("close", () => open -= 1);
  request.resume().on("end", () => cases[name](response, times.length));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

// The libraries, each with its own means for: three retries from 100 ms on, the statuses, a
// limit of 500 ms for an attempt, and one of 3 s for everything, as far as it has them.

const good = async (response) => {
  if (!response.ok) throw new Error(`status ${response.status}`);
  return await response.text();
};
const grow = (attempt) => FIRST * 2 ** attempt;

const agent = new RetryAgent(new Agent({ headersTimeout: 500, bodyTimeout: 500 }), {
  maxRetries: 3,
  minTimeout: FIRST,
  statusCodes: STATUSES,
});
const retrying = axios.create({ timeout: 500 });
axiosRetry(retrying, {
  retries: 3,
  retryDelay: (count, error) => axiosRetry.exponentialDelay(count, error, FIRST),
  shouldResetTimeout: true,
  retryCondition: (error) =>
    axiosRetry.isNetworkOrIdempotentRequestError(error) || error.response?.status === 429,
});
const retried = fetchRetry(fetch, { retries: 3, retryDelay: grow, retryOn: STATUSES });

const libraries = {
  fetchWith: async (url, init) => {
    const policy = { attemptTimeout: 500, deadline: 3000, pause: [100, 200, 400] };
    return await fetchWith(policy, { read: good })(url, init);
  },
  ky: (url, init) =>
    ky(url, {
      ...init,
      timeout: 3000,
      retry: {
        limit: 3,
        statusCodes: STATUSES,
        delay: (count) => grow(count - 1),
        maxRetryAfter: 3000,
      },
    }).text(),
  got: (url, init) =>
    got(url, {
      ...init,
      timeout: { request: 500 },
      retry: { limit: 3, statusCodes: STATUSES, maxRetryAfter: 3000, backoffLimit: 400 },
    }).text(),
  "undici RetryAgent": async (url, init) =>
    await good(await undiciFetch(url, { ...init, dispatcher: agent })),
  "axios-retry": async (url, { method, body, signal }) =>
    (await retrying.request({ url, method, data: body, signal, responseType: "text" }))
      .data,
  "fetch-retry": async (url, init) => await good(await retried(url, init)),
  "p-retry": (url, init) =>
    pRetry(async () => {
      const limits = [AbortSignal.timeout(500), init.signal].filter(Boolean);
      return await good(await fetch(url, { ...init, signal: AbortSignal.any(limits) }));
    }, { retries: 3, minTimeout: FIRST, maxRetryTime: 3000, signal: init.signal }),
};

/** Calls a library, and observes. */
async function call(library, name, init = {}, url = undefined) {
  const path = `/${name}/${encodeURIComponent(library)}/${requests.size}`;
  const began = performance.now();
  const before = open;
  const late = wait(MAX_MS, { error: "late" }, { ref: false });
  const result = Promise.resolve()
    .then(() => libraries[library](url ?? origin + path, { method: "GET", ...init }))
    .then((text) => ({ text }), (error) => ({ error }));
  const outcome = await Promise.race([result, late]);
  const took = Math.round(performance.now() - began);
  await wait(150); // for connections that are being closed
  const times = requests.get(path) ?? [];
  return { ...outcome, took, times, count: times.length, open: open - before };
}

const ends = ({ text, error }) =>
  error === "late"
    ? `nothing in ${MAX_MS / 1000} s`
    : text === undefined
    ? "an error"
    : "answer";
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const waited = ({ times: [first = 0, second] }) =>
  second === undefined ? "not retried" : `after ${seconds(second - first)}`;
const times = (count) => count === 1 ? "sent once" : `sent ${count} times`;

/** Each row: its title, and what to write into a cell. */
const rows = {
  "503, then 200": async (library) => ends(await call(library, "status")),
  "reset, then 200": async (library) => ends(await call(library, "reset")),
  "POST, 503": async (library) =>
    times((await call(library, "down", { method: "POST", body: "order" })).count),
  "POST, no answer": async (library) =>
    times((await call(library, "hanging", { method: "POST", body: "order" })).count),
  "`Retry-After: 1`": async (library) => waited(await call(library, "asked")),
  "a date in 2 s, by a clock that is an hour behind": async (library) =>
    waited(await call(library, "date")),
  "`Retry-After: 0` for ever": async (library) => {
    const { times } = await call(library, "zero");
    const shortest = Math.min(...times.slice(1).map((at, index) => at - times[index]));
    if (times.length < 2) return "not retried";
    return `${times.length} requests, ${Math.round(shortest)} ms apart or more`;
  },
  "`Retry-After: 3600`": async (library) => {
    const outcome = await call(library, "hour");
    return `${ends(outcome)}${
      outcome.error === "late" ? "" : `, ${seconds(outcome.took)}`
    }`;
  },
  "answers left open by a refusal": async (library) =>
    `${(await call(library, "endless")).open}`,
  "a body that breaks off": async (library) => ends(await call(library, "broken")),
  "a body that stalls": async (library) => ends(await call(library, "stalled")),
  "a server that hangs": async (library) => {
    const outcome = await call(library, "hanging");
    return outcome.error === "late" ? ends(outcome) : `ends after ${seconds(outcome.took)}`;
  },
  "a wrong URL": async (library) => {
    const { error, took } = await call(library, "status", {}, "http://[");
    return error === "late" || took > 500
      ? `error after ${seconds(took)}`
      : "error at once";
  },
  "an abort in a pause": async (library) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 300);
    const { error, took } = await call(library, "asked", { signal: controller.signal });
    if (error === undefined || error === "late") return "goes on";
    const isOwn = error.message === "enough" ? "its reason" : "another error";
    return `${isOwn} after ${seconds(took)}`;
  },
};

process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});
const table = {};
for (const [title, row] of Object.entries(rows)) {
  table[title] = {};
  for (const library of Object.keys(libraries)) table[title][library] = await row(library);
}
console.log(JSON.stringify(table));
process.exit();
