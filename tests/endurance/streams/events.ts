// Event streams through a proxy that resets, truncates, stalls, delays and trickles them. Each
// event is received once and in order, whatever byte a connection is cut at, and no timer or
// listener is left at the end.

import { strictEqual as assertEquals } from "node:assert";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { Backoff, exponential, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import {
  EventStreamParser,
  type ServerEvent,
} from "../../../examples/parsers/event_stream.ts";
import { seeded } from "../../support/chance.ts";
import { listenersLeft, timersLeft } from "../../support/leftovers.ts";
import { Tally } from "../../support/tally.ts";
import { Proxy } from "../faults/proxy.ts";
import { countOf, dataOf, makeServer } from "./server.ts";

const AT_ONCE = 100;

const [seed = 0, wanted = 0] = process.argv.slice(2, 4).map(Number);
const random = seeded(seed);
const failures = new Tally();
const cuts = new Tally();
const { signal } = new AbortController();
/** The number of connections that were cut, so that events were missing. */
let numberOfCuts = 0;

const backoff = new Backoff({
  attemptTimeout: 3000,
  idleTimeout: 200,
  exceptions: "all",
  pause: exponential({ initial: 10, max: 200, random }),
  signal,
});

/** A response that ended, which may have been cut off. */
class EndError extends Error {}

/** Whether a chunk ends within a character. */
function endsInCharacter(bytes: Uint8Array): boolean {
  const start = bytes.findLastIndex((byte) => (byte & 0b1100_0000) !== 0b1000_0000);
  const first = bytes[start] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length - start < length;
}

/** The events of a page. */
function eventsOf(port: number, page: number) {
  return stream(backoff, async function* (attempt): AsyncGenerator<ServerEvent> {
    if (attempt.lastFailure !== null) failures.add(kindOf(attempt.lastFailure.error));
    const last = Number(attempt.checkpoint ?? 0);
    let latest = new Uint8Array();
    try {
      const response = await fetch(`http://127.0.0.1:${port}/${page}`, {
        headers: { "last-event-id": `${last}` },
        signal: attempt.signal,
      });
      if (response.status === 204) return;
      const parser = new EventStreamParser();
      for await (const bytes of response.body ?? []) {
        latest = bytes;
        attempt.progress();
        for (const event of parser.push(bytes)) {
          yield event;
          attempt.progress(event.id);
        }
      }
      throw new EndError("ends");
    } finally {
      const isCut = Number(attempt.checkpoint ?? 0) < countOf(page);
      if (isCut) count(latest);
    }
  });
}

/** Counts a connection that was cut, by the last bytes that came. */
function count(latest: Uint8Array): void {
  numberOfCuts++;
  const where = latest.length === 0 ? "before the first byte" : "between characters";
  const isWithin = latest.length > 0 && endsInCharacter(latest);
  cuts.add(isWithin ? "within a character" : where);
}

/** A name for an error: the code of the platform, or the message. */
function kindOf(error: unknown): string {
  if (error instanceof TimeoutError) return `${error.limit} timeouts`;
  const { code, cause, message } = error as Error & { code?: string };
  return (cause as { code?: string } | undefined)?.code ?? code ?? message;
}

/** Receives the events of a page, some of them slowly. */
async function receive(port: number, page: number): Promise<number> {
  let received = 0;
  for await (const { id, data } of eventsOf(port, page)) {
    received++;
    assertEquals(id, `${received}`, `an event of page ${page} is lost, or comes twice`);
    assertEquals(data, dataOf(page, received), `an event of page ${page} is wrong`);
    if (random() < 0.01) await wait(250); // longer than the idle timeout
  }
  assertEquals(received, countOf(page), `events of page ${page} are missing`);
  return received;
}

const server = makeServer();
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const proxy = new Proxy(seed, (server.address() as AddressInfo).port, () => {});
await proxy.open();

const beganAt = performance.now();
let [page, events] = [0, 0];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  while (numberOfCuts < wanted) {
    const received = await receive(proxy.port, page++);
    events += received;
  }
}));
const took = performance.now() - beganAt;
proxy.close();
server.closeAllConnections();
server.close();
await wait(50); // cleared timers and closed connections are released later
assertEquals(await timersLeft(), 0, "timers are left");
assertEquals(listenersLeft(signal), 0, "listeners are left");
assertEquals(backoff.statistic.ends.success, page);

console.log(
  `  ${events} events of ${page} streams, ${AT_ONCE} at once, in ${
    (took / 1000).toFixed(1)
  } s: each once, and in order
    ${numberOfCuts} cuts: ${cuts}
    faults: ${proxy.counts}
    attempts: ${backoff.statistic.attempts}, after ${failures}
    no timer or listener left at the end`,
);
// Connections that a server keeps alive must not keep the process.
process.exit(0);
