// A WebSocket that reconnects for ever. Its pauses begin anew only after a connection has been
// healthy for a while, so a server that accepts and drops connections is not called at full
// speed. A connection that falls silent is closed.
// deno run --allow-net=127.0.0.1 examples/websocket.ts

import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  exponential,
} from "@asyncbackoff/asyncbackoff";

const connections = new Backoff({
  exceptions: "all",
  pause: exponential({ initial: 20, max: 5000, jitter: "none" }),
  idleTimeout: 500, // ms without a message; the server sends at least a ping in this time
  resetAfter: 400, // ms after the first message for which a connection must last
});

/** Receives messages until the connection ends, or until `isLast` returns true. */
function receive(url: string, isLast: (message: string) => boolean, attempt: Attempt) {
  return new Promise<void>((resolve, reject) => {
    const socket = new WebSocket(url);
    // Neither an open connection nor a greeting proves that the server works.
    socket.onmessage = ({ data }) => {
      attempt.progress();
      if (isLast(data)) resolve(socket.close());
    };
    socket.onclose = ({ code }) => reject(new Error(`The connection has ended: ${code}`));
    socket.onerror = () => reject(new Error("The connection has failed"));
    attempt.signal.addEventListener("abort", () => socket.close());
  });
}

function subscribe(
  url: string,
  isLast: (message: string) => boolean,
  observe: (event: BackoffEvent) => void,
): Promise<void> {
  const options = { name: "subscribe", observe };
  return connections.execute((attempt) => receive(url, isLast, attempt), options);
}

// The test: a server that greets and drops three connections, serves one that then falls
// silent, and serves the last one to its end.

import assert from "node:assert/strict";

let count = 0;
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  const number = ++count;
  socket.onopen = () => {
    socket.send("hello");
    if (number <= 3) return socket.close();
    if (number === 5) return socket.send("last");
    let pings = 0; // for 250 ms, then silence
    const timer = setInterval(() => {
      if (++pings === 10) clearInterval(timer);
      socket.send("ping");
    }, 25);
  };
  return response;
});

const pauses: (number | null)[] = [];
const streaks: number[] = [];
const url = `ws://127.0.0.1:${server.addr.port}`;
await subscribe(url, (message) => message === "last", (event) => {
  if (event.type !== "failure") return;
  pauses.push(event.pauseAfter);
  streaks.push(event.failure.streak);
});
await server.shutdown();

assert.deepEqual(streaks, [1, 2, 3, 1]); // a greeting alone begins no new streak
assert.deepEqual(pauses, [20, 40, 80, 20]);
const { attempts, timeouts, resets } = connections.statistic;
assert.deepEqual([attempts, timeouts, resets], [5, 1, 1]);
console.log(`  ${attempts} connections, after pauses of ${pauses.join(", ")} ms`);
