// Requests by fetchWith() through a proxy that breaks connections and asks for waits. Each
// success has the right body, no POST without a key is received twice, no request comes before
// the wait that was asked for has passed, and no answer, timer or listener is left at the end.

import { deepStrictEqual as assertEquals } from "node:assert";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { type BackoffEvent, exponential, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { fetchWith, HttpError } from "@asyncbackoff/asyncbackoff/http";
import { oneOf, seeded } from "../../support/chance.ts";
import { listenersLeft, timersLeft } from "../../support/leftovers.ts";
import { Tally } from "../../support/tally.ts";
import { bodyOf, checksum } from "../faults/body.ts";
import { MortalServer } from "../faults/mortal_server.ts";
import { Proxy } from "../faults/proxy.ts";
import { type Scenario, scenarioOf } from "../faults/scenarios.ts";

const AT_ONCE = 100;
/** The wait that the proxy asks for, in ms. */
const WISH = 150;
/** A server's wish in each form: of at least `WISH`, except the ones that allow to come at once. */
const wishes: [header: string, ms: number][] = [
  [`retry-after-ms: ${WISH}`, WISH],
  ["retry-after: 1", 1000],
  ['ratelimit: "default";r=0;t=1', 1000],
  ["retry-after: 0", 0],
  ["retry-after: Sun, 06 Nov 1994 08:49:37 GMT", 0],
];

const [seed = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const kinds = { get: 60, buffered: 10, put: 10, keyed: 10, order: 10 };
const kindOf = (page: number) => oneOf(kinds, seeded(seed + page * 31)());

const received = new Tally();
const ends = new Tally();
/** The earliest instant of the next attempt, by execution. */
const earliest = new Map<number, number>();
let [wished, early] = [0, 0];

/** One request in ten is asked to wait. */
function scenarioWithWish(seed: number, page: number, before: number): Scenario {
  const random = seeded(seed + page * 7919 + before * 104_729);
  if (random() > 0.1) return scenarioOf(seed, page, before);
  const [header = "", ms = 0] = wishes[Math.floor(random() * wishes.length)] ?? [];
  const head = `HTTP/1.1 503 Busy\r\n${header}\r\nx-wish: ${ms}\r\n`;
  const answer = `${head}content-length: 4\r\n\r\nbusy`;
  return { kind: "asked to wait", share: 0, pace: 0, answer };
}

const server = new MortalServer(process.argv[4] ?? "");
await server.start();
const proxy = new Proxy(seed, server.port, (page, before) => {
  received.add(`${kindOf(page)} ${before === 0 ? "first" : "again"}`);
}, scenarioWithWish);
await proxy.open();

/** An answer counts when the client has it: one that came too late asked for nothing. */
function observe(event: BackoffEvent): void {
  if (event.type === "attempt" && event.at < (earliest.get(event.execution) ?? 0)) {
    early += 1;
  }
  if (event.type !== "failure" || !(event.failure.error instanceof HttpError)) return;
  const ms = Number(event.failure.error.headers.get("x-wish"));
  wished += 1;
  earliest.set(event.execution, event.at + ms);
}

const policy = {
  observe,
  attemptTimeout: 1000,
  deadline: 15_000,
  maxTries: 10,
  pause: exponential({ initial: 20, max: 200, random: seeded(seed) }),
};

/** Node accepts a body that ends with its connection as complete, so the sum is compared. */
async function read(response: Response): Promise<Uint8Array> {
  const body = new Uint8Array(await response.arrayBuffer());
  const sum = response.headers.get("x-checksum");
  if (sum === null || checksum(body) === sum) return body;
  throw Object.assign(new Error("truncated"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}
const reading = fetchWith(policy, { read });
const buffering = fetchWith(policy, { buffer: true });
const keying = fetchWith(policy, { read, idempotencyKey: true });

async function ask(page: number, signal: AbortSignal): Promise<Uint8Array> {
  const url = `http://127.0.0.1:${proxy.port}/${page}`;
  const body = `order ${page}`;
  switch (kindOf(page)) {
    case "get":
      return await reading(url, { signal });
    case "buffered":
      return new Uint8Array(await (await buffering(url, { signal })).arrayBuffer());
    case "put":
      // Node keeps a listener of its own for a signal that is given to a Request.
      return await reading(new Request(url, { method: "PUT", body }), { signal });
    case "keyed":
      return await keying(url, { method: "POST", body, signal });
    default:
      return await reading(url, { method: "POST", body, signal });
  }
}

const shared = new AbortController();

async function call(page: number): Promise<void> {
  const kind = kindOf(page);
  try {
    const sum = checksum(await ask(page, shared.signal));
    const isRight = sum === checksum(bodyOf(page));
    // A body that ends with its connection can be truncated without anybody's notice.
    if (!isRight && kind === "buffered" && page % 2 === 1) return ends.add("unnoticed");
    if (!isRight && sum === checksum(new TextEncoder().encode("busy"))) {
      return ends.add(`${kind}: the last 503`);
    }
    assertEquals(isRight, true, `the body of page ${page} is wrong`);
    ends.add(`${kind}: success`);
  } catch (error) {
    ends.add(`${kind}: ${nameOf(error)}`);
  }
}

function nameOf(error: unknown): string {
  if ((error as Error).name === "AssertionError") throw error;
  if (error instanceof TimeoutError || error instanceof HttpError) return error.name;
  return "network error";
}

const beganAt = performance.now();
let page = 0;
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  while (page < count) await call(page++);
}));
const took = performance.now() - beganAt;
for (let turn = 0; turn < 200 && proxy.busy > 0; turn++) await wait(10);
assertEquals(proxy.busy, 0, "an answer is in flight though all calls have ended");
assertEquals(received.of("order again"), 0, "a POST without a key was received twice");
assertEquals(wished > count / 20, true, "too few waits were asked for");
assertEquals(early, 0, "a request came before the wait that was asked for had passed");
assertEquals(listenersLeft(shared.signal), 0, "listeners are left");
proxy.close();
await server.stop();
await wait(10);
assertEquals(await timersLeft(), 0, "timers are left");
console.log(
  `  ${count} requests, ${AT_ONCE} at once, in ${(took / 1000).toFixed(1)} s
    scenarios: ${proxy.counts}
    received: ${received}
    ends: ${ends}
    no POST without a key was received twice, all ${wished} waits were kept, and no
    answer, timer or listener is left`,
);
