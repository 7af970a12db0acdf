// A worker of Cloudflare's that fetches from a server which misbehaves. It receives the
// name of a fixture, and answers with the outcome and with the time it took by the worker's
// clock.

import { asyncretry, Backoff } from "@asyncbackoff/asyncbackoff";

// Made at load and shared by all requests, as users do it.
const attempted = new Backoff({ attemptTimeout: 200, maxTries: 1 });
const again = new Backoff({
  attemptTimeout: 200,
  pause: 100,
  maxTries: 2,
  exceptions: [],
});
const ended = new Backoff({ deadline: 300 });
const waiting = new Backoff({ deadline: 300, pause: 60_000, exceptions: [Error] });
const retry = asyncretry(3, { pause: 100, exceptions: [Error] });
const limited = new Backoff({ attemptTimeout: 60_000, deadline: 60_000 });

async function get(url, init) {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}

const getBy = (url) => ({ signal }) => get(url, { signal });

/** Aborts a call after 200 ms. */
async function aborted(backoff, fn) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort("enough"), 200);
  try {
    return await backoff.execute(fn, { signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}

const fixtures = {
  "attempt timeout": (server) => attempted.execute(getBy(`${server}/never`)),
  "attempt timeout, then success": (server) => again.execute(getBy(`${server}/second`)),
  "deadline in an attempt": (server) => ended.execute(getBy(`${server}/never`)),
  "deadline in a pause": (server) => waiting.execute(getBy(`${server}/down`)),
  "abort in an attempt": (server) => aborted(limited, getBy(`${server}/never`)),
  "abort in a pause": (server) => aborted(waiting, getBy(`${server}/down`)),
  "retry": (server) => retry(get)(`${server}/third`),
  "success within limits": (server) => limited.execute(getBy(`${server}/first`)),
};

/** An error as a word. */
const labelOf = (error) => typeof error === "string" ? error : error.limit ?? error.message;

export default {
  async fetch(request) {
    const { name, server } = await request.json();
    const beganAt = performance.now();
    const outcome = await fixtures[name](server).catch(labelOf);
    return Response.json({ outcome, took: performance.now() - beganAt });
  },
};
