// A node:http server that shuts down at SIGTERM: the policy's signal ends all executions in
// flight at once, the server closes, and the process exits by itself, with code 0.
// deno run --allow-net=127.0.0.1 --allow-run=deno examples/shutdown.ts

import { Backoff, exponential } from "@asyncbackoff/asyncbackoff";
import { createServer } from "node:http";
import process from "node:process";

/** Serves the answers of the upstream server, with retries. Prints its port. */
function serve(upstream: string): void {
  const stopping = new AbortController();
  const backoff = new Backoff({
    attemptTimeout: 10_000,
    deadline: 60_000,
    exceptions: [Error],
    pause: exponential({ initial: 30_000, max: 60_000, jitter: "equal" }),
    signal: stopping.signal, // aborts all executions
  });

  const get = async (signal: AbortSignal, path: string) => {
    const response = await fetch(upstream + path, { signal });
    const body = await response.text();
    if (!response.ok) throw new Error(`The upstream answered ${response.status}`);
    return body;
  };

  const server = createServer(async ({ url = "" }, response) => {
    const left = new AbortController(); // aborts this execution alone, if its client leaves
    response.on("close", () => left.abort(new Error("The client has left")));
    try {
      const options = { signal: left.signal };
      response.end(await backoff.execute(({ signal }) => get(signal, url), options));
    } catch (error) {
      // After the abort, new executions reject at once, so late requests get this answer
      // too.
      response.writeHead(503, { connection: "close" }).end(`${error}`);
    }
  });

  process.once("SIGTERM", () => {
    stopping.abort(new Error("The server is shutting down"));
    server.close();
  });
  server.listen(0, "127.0.0.1", () => {
    console.log((server.address() as { port: number }).port);
  });
}

// The test: this file runs as a child process, with an upstream server that never answers
// one path and answers 500 on the other.

import assert from "node:assert/strict";

async function test(): Promise<void> {
  let [hanging, failed, closed] = [0, 0, 0];
  const upstream = createServer(({ url }, response) => {
    if (url === "/fails") {
      failed += 1;
      return void response.writeHead(500, { connection: "close" }).end();
    }
    hanging += 1;
    response.on("close", () => closed += 1);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as { port: number };

  const file = import.meta.filename ?? "";
  const args = ["run", "-q", "--allow-net=127.0.0.1", file, `http://127.0.0.1:${port}`];
  await using child = new Deno.Command("deno", { args, stdout: "piped" }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const origin = `http://127.0.0.1:${Number((await lines.read()).value)}`;

  const paths = ["/hangs", "/fails", "/hangs", "/fails", "/hangs", "/fails"];
  const answers = Promise.all(paths.map(async (path) => {
    const response = await fetch(origin + path);
    return `${response.status} ${await response.text()}`;
  }));
  while (hanging < 3 || failed < 3) await new Promise((resolve) => setTimeout(resolve, 10));

  const beganAt = performance.now();
  child.kill("SIGTERM");
  const expected = "503 Error: The server is shutting down";
  assert.deepEqual(await answers, paths.map(() => expected));
  const { code, signal } = await child.status;
  const elapsed = performance.now() - beganAt;
  assert.deepEqual([code, signal], [0, null]);
  // The pauses are 15 s or longer.
  assert(elapsed < 3000, `the exit must take less than 3 s, got ${elapsed} ms`);
  await lines.cancel();
  await new Promise((resolve) => upstream.close(resolve));
  assert.deepEqual([hanging, failed, closed], [3, 3, 3]);
  console.log(
    `  six executions in flight end at once, and it exits with code 0 in ${elapsed | 0} ms`,
  );
}

const [upstream] = Deno.args;
if (upstream === undefined) await test();
else serve(upstream);
