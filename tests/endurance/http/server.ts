// A server whose paths misbehave, over HTTP/1.1 and HTTP/2, in a process of its own. Prints its
// ports as JSON. `/seen` tells the requests for each path, and how many answers are open.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { gzipSync } from "node:zlib";

/** The parts of a request and an answer that both protocols have. */
interface Incoming {
  url?: string | undefined;
  method?: string | undefined;
  headers: Record<string, string | string[] | undefined>;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "end", listener: () => void): unknown;
}
interface Outgoing {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  write(text: string): unknown;
  end(body?: string | Uint8Array): unknown;
  on(event: "close", listener: () => void): unknown;
}

const seen: Record<string, { bodies: string[]; keys: (string | null)[] }> = {};
let open = 0;

const json = (response: Outgoing, value: unknown, status = 200) => {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
};

/** An answer with an endless body, which the client must cancel. */
function refuse(response: Outgoing, headers: Record<string, string> = {}): void {
  response.statusCode = 503;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.write("to be continued");
}

function answer(request: Incoming, response: Outgoing, body: string): void {
  const url = request.url ?? "";
  const { bodies, keys } = seen[url] ??= { bodies: [], keys: [] };
  bodies.push(body);
  const key = request.headers["idempotency-key"];
  keys.push(typeof key === "string" ? key : null);
  const [, name] = url.split("/");
  const turn = bodies.length;
  if (name === "zero") return refuse(response, { "retry-after": "0" });
  if (name === "past") {
    return refuse(response, { "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" });
  }
  if (name === "down") return refuse(response);
  if (name === "limited" && turn === 1) return refuse(response, { "retry-after": "1" });
  if (turn === 1) return refuse(response);
  if (name === "missing") return json(response, { message: "Not Found" }, 404);
  if (name === "redirect") {
    response.statusCode = 302;
    response.setHeader("location", "/target/1");
    return void response.end();
  }
  if (name === "gzip") {
    response.setHeader("content-encoding", "gzip");
    return void response.end(gzipSync("a".repeat(100_000)));
  }
  if (url.endsWith("/chat/completions") && body.includes('"stream":true')) {
    response.setHeader("content-type", "text/event-stream");
    for (const content of ["Hello", ", ", "world"]) {
      const choices = [{ index: 0, delta: { content } }];
      response.write(`data: ${JSON.stringify({ id: "1", choices })}\n\n`);
    }
    return void response.end("data: [DONE]\n\n");
  }
  if (url.endsWith("/chat/completions")) {
    const message = { role: "assistant", content: "Hello" };
    return json(response, { id: "1", choices: [{ index: 0, message }] });
  }
  json(response, { id: 7, turn, body });
}

function serve(request: Incoming, response: Outgoing): void {
  if (request.url === "/seen") return json(response, { seen, open });
  open += 1;
  response.on("close", () => open -= 1);
  const chunks: Uint8Array[] = [];
  request.on("data", (bytes) => chunks.push(bytes));
  request.on("end", () => {
    const text = new TextDecoder();
    answer(request, response, chunks.map((each) => text.decode(each)).join(""));
  });
}

const [keyFile = "", certFile = ""] = process.argv.slice(2);
const http = createServer(serve);
const options = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
const http2 = createSecureServer(options, serve as never);
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
http.listen(
  0,
  "127.0.0.1",
  () =>
    http2.listen(
      0,
      "127.0.0.1",
      () => console.log(JSON.stringify({ http: portOf(http), http2: portOf(http2) })),
    ),
);
process.stdin.resume().on("close", () => process.exit()); // it must not outlive its parent
