// A decorated client of a real server on loopback. First the server resets a connection,
// hangs, answers 503 and finally 200, and the client gets the answer. Then the server hangs
// forever, and the call ends at its deadline. Exits with 1 if an expectation fails.

import { createServer, type ServerResponse } from "node:http";
import {
  asyncbackoff,
  type BackoffEvent,
  currentAttempt,
} from "@asyncbackoff/asyncbackoff";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";

const ATTEMPT_TIMEOUT = 300;
const DEADLINE = 1500;
const PAUSE = 100;
const TOLERANCE = 50;
const BODY = "hello, at last";

/**
 * Follows a script: one step for each request, and the last step for all further requests.
 */
class MoodyServer {
  readonly #script: string[];
  readonly #server = createServer((_request, response) => this.#answer(response));
  #requests = 0;
  /** The number of requests that the client closed while the server was hanging. */
  closedWhileHanging = 0;

  constructor(...script: string[]) {
    this.#script = script;
  }

  /** Starts to listen, and returns its URL. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/`;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(response: ServerResponse): void {
    const step = this.#script[Math.min(this.#requests++, this.#script.length - 1)];
    if (step === "reset") {
      response.socket?.resetAndDestroy();
    } else if (step === "hang") {
      response.on("close", () => this.closedWhileHanging += 1);
    } else {
      response.writeHead(Number(step), { connection: "close" });
      response.end(step === "200" ? BODY : "busy");
    }
  }
}

class HttpError extends Error {
  override name = "HttpError";
}

/** The longest delay of the event loop. A busy machine delays every timer. */
let lateness = 0;
let expectedAt = performance.now() + 10;
const heartbeat = setInterval(() => {
  lateness = Math.max(lateness, performance.now() - expectedAt);
  expectedAt = performance.now() + 10;
}, 10);

/** Observes one call: how long it took, and a timeline. */
class Report {
  readonly timeline = new Timeline();
  #lastAt = 0;
  attempts = 0;
  /** The most by which an attempt or the call exceeded its limit, in ms. */
  overrun = -Infinity;
  elapsed = 0;

  observe = (event: BackoffEvent): void => {
    this.timeline.observe(event);
    if (event.type === "late") return;
    if (this.attempts > 0) this.#measure(event.at - this.#lastAt - ATTEMPT_TIMEOUT);
    this.#lastAt = event.at;
    if (event.type === "attempt") this.attempts = event.attempt;
    else if (event.type === "done") {
      this.elapsed = event.elapsed;
      this.#measure(event.elapsed - DEADLINE);
    }
  };

  draw(): void {
    console.log(`${this.timeline}\n`);
  }

  #measure(overrun: number): void {
    this.overrun = Math.max(this.overrun, overrun);
  }
}

function client(report: Report): (url: string) => Promise<string> {
  const guaranteed = asyncbackoff(ATTEMPT_TIMEOUT, DEADLINE, PAUSE, TypeError, HttpError, {
    observe: report.observe,
  });
  return guaranteed(async function get(url: string) {
    const response = await fetch(url, { signal: currentAttempt().signal });
    const body = await response.text();
    if (!response.ok) throw new HttpError(`status ${response.status}`);
    return body;
  });
}

let failures = 0;

function expect(expectation: string, holds: boolean): void {
  console.log(`  ${holds ? "ok  " : "FAIL"}  ${expectation}`);
  if (!holds) failures += 1;
}

/** A limit that is late waits for a second turn of the event loop. */
function expectPunctual({ overrun }: Report): void {
  const isPunctual = overrun <= TOLERANCE + 2 * lateness;
  const exception = overrun > TOLERANCE ? ", but for a busy machine" : "";
  expect(`no limit is exceeded by more than ${TOLERANCE} ms${exception}`, isPunctual);
}

console.log("A server that resets, hangs, answers 503, and then 200:\n");
const moody = new MoodyServer("reset", "hang", "503", "200");
const first = new Report();
const body = await client(first)(await moody.open()).catch((error) => `${error}`);
await moody.close();
first.draw();
expect("it makes four attempts", first.attempts === 4);
expect(`the body is ${JSON.stringify(BODY)}`, body === BODY);
expect("the client closes the request that hangs", moody.closedWhileHanging === 1);
expectPunctual(first);

console.log("\nA server that hangs forever:\n");
const dead = new MoodyServer("hang");
const second = new Report();
const error = await client(second)(await dead.open()).catch((error) => error);
await dead.close();
second.draw();
expect(`it rejects with "${error.message}"`, error.name === "TimeoutError");
expect(`it ends at its deadline of ${DEADLINE} ms`, second.elapsed >= DEADLINE);
expect(
  "the client closes each request that hangs",
  dead.closedWhileHanging === second.attempts,
);
expectPunctual(second);

clearInterval(heartbeat);
if (failures > 0) Deno.exit(1);
