// Two servers that share one deadline: the caller sends how long it waits, and each server works
// within that, and tells the next one what is left. No server works for a caller who has gone.
// deno run --allow-net=127.0.0.1 examples/deadlines.ts

import { type Attempt, Backoff, sleep, within } from "@asyncbackoff/asyncbackoff";
import { createServer, type IncomingMessage, type Server } from "node:http";

/** The header that carries the milliseconds that are left. gRPC's is `grpc-timeout`. */
const HEADER = "x-timeout-ms";

/** The longest that a caller may ask for, in ms; also for callers that ask for nothing. */
const MAX_TIMEOUT = 10_000;

/** Milliseconds that the caller waits. The server takes 5 ms less, for the way back. */
function deadlineOf({ headers }: IncomingMessage): number {
  const asked = Number(headers[HEADER] ?? MAX_TIMEOUT);
  const ms = asked >= 0 ? asked : MAX_TIMEOUT; // NaN, or something that is no duration
  return Math.max(0, Math.min(ms, MAX_TIMEOUT) - 5);
}

/** Calls another server, and tells it how long this attempt still waits. */
async function get(url: string, { signal, remaining }: Attempt): Promise<string> {
  const headers = { [HEADER]: `${Math.floor(Math.min(remaining, MAX_TIMEOUT))}` };
  const response = await fetch(url, { signal, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

/** A server whose handler works within the deadline of its caller. */
function serve(handle: (signal: AbortSignal) => Promise<string>): Server {
  return createServer(async (request, response) => {
    const left = new AbortController();
    response.on("close", () => left.abort(new Error("The caller has left")));
    const scope = { deadline: deadlineOf(request), signal: left.signal };
    try {
      // Every execution that `handle` begins at once ends with this scope.
      response.end(await within(scope, () => handle(left.signal)));
    } catch (error) {
      response.writeHead(504).end(`${error}`);
    }
  });
}

// The test: a gateway that retries a service, which is slow, and answers on its third call.

import assert from "node:assert/strict";

const listen = (server: Server) =>
  new Promise<string>((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve(`http://127.0.0.1:${port}`);
    })
  );

let [calls, finished] = [0, 0];
const asked: number[] = [];
const work = new Backoff({ deadline: 5000 });
const service = serve(() =>
  work.execute(async ({ signal, remaining }) => {
    asked.push(remaining);
    calls += 1;
    await sleep(calls % 3 === 0 ? 20 : 400, { signal });
    finished += 1;
    return `answer ${calls}`;
  }, { name: "service" })
);
const origin = await listen(service);

const client = new Backoff({
  attemptTimeout: 200,
  deadline: 5000,
  exceptions: "all",
  pause: 10,
});
const gateway = serve(() => client.execute((attempt) => get(origin, attempt)));
const url = await listen(gateway);
const ask = (ms: number) =>
  fetch(url, { headers: { [HEADER]: `${ms}` } })
    .then(async (response) => ({ status: response.status, text: await response.text() }));

// Two attempts time out, and the third is answered in time.
const patient = await ask(2000);
assert.deepEqual(patient, { status: 200, text: "answer 3" });
assert(
  asked.every((ms) => ms > 0 && ms <= 200),
  `each call knew its attempt's limit: ${asked}`,
);
assert.equal(finished, 1, "the service dropped the calls that nobody waited for");

// The caller gives the gateway less time than one attempt takes.
const hasty = await ask(100);
assert.equal(hasty.status, 504);
const answered = calls;
await sleep(500);
assert(calls <= answered + 1, "only a call that was on its way came after the answer");
assert.equal(finished, 1, "the service stopped with its caller");

gateway.close();
service.close();
console.log(`answered: ${patient.text}; out of time: ${hasty.text}`);
