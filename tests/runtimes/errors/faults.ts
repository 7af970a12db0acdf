// A proxy on loopback whose path names the fault: it breaks the connection before, in or after
// the head of the answer, or in its body. Run in Node. Prints its ports as JSON: of plain HTTP,
// of TLS with a certificate of its own, and one that nobody listens on.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { createServer as createTlsServer } from "node:tls";
import { gzipSync } from "node:zlib";

const HEAD = "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\n";
const LENGTH = "content-length: 1000\r\n\r\n";
const CHUNKED = "transfer-encoding: chunked\r\n\r\n";
const zipped = gzipSync("a body that is longer than what is sent of it ".repeat(50));

/** Sends a part of an answer, and ends the connection a little later, when it has arrived. */
const send = (end: "end" | "resetAndDestroy", ...parts: (string | Uint8Array)[]) =>
(
  socket: Socket,
): void => {
  for (const part of parts) socket.write(part);
  setTimeout(() => socket[end](), 100);
};

const faults: Record<string, (socket: Socket) => void> = {
  "reset-before-the-head": send("resetAndDestroy"),
  "closed-before-the-head": send("end"),
  "closed-in-the-head": send("end", "HTTP/1.1 200 OK\r\nconte"),
  "reset-after-the-head": send("resetAndDestroy", HEAD + LENGTH),
  "reset-in-the-body": send("resetAndDestroy", HEAD + LENGTH, "half"),
  "closed-in-the-body": send("end", HEAD + LENGTH, "half"),
  "reset-in-a-chunk": send("resetAndDestroy", HEAD + CHUNKED, "ff\r\nhalf"),
  "closed-in-a-chunk": send("end", HEAD + CHUNKED, "ff\r\nhalf"),
  "closed-in-gzip": send(
    "end",
    `${HEAD}content-encoding: gzip\r\n${LENGTH}`,
    zipped.subarray(0, 30),
  ),
  "no-http": send("end", "220 mail.example ESMTP\r\n\r\n"),
  "redirected-for-ever": send(
    "end",
    "HTTP/1.1 302 Found\r\nlocation: /redirected-for-ever\r\n",
    "access-control-allow-origin: *\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  ),
  "redirected": send(
    "end",
    "HTTP/1.1 302 Found\r\nlocation: /answer\r\n",
    "access-control-allow-origin: *\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  ),
  "answer": send("end", `${HEAD}content-length: 2\r\nconnection: close\r\n\r\n`, "up"),
  "stalled-before-the-head": () => {},
  "stalled-in-the-body": (socket) => void socket.write(`${HEAD}${LENGTH}half`),
};

function serve(socket: Socket): void {
  socket.on("error", () => {}); // a client that has gone
  let text = "";
  socket.on("data", (bytes: Uint8Array) => {
    text += new TextDecoder().decode(bytes);
    const name = /^\w+ \/([\w-]+)[^]*\r\n\r\n/.exec(text)?.[1];
    if (name === undefined) return;
    text = "";
    faults[name]?.(socket);
  });
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const [keyFile = "", certFile = ""] = process.argv.slice(2);
const key = readFileSync(keyFile);
const cert = readFileSync(certFile);
const http = await portOf(createServer(serve));
const tls = await portOf(
  createTlsServer({ key, cert }, serve).on("tlsClientError", () => {}),
);
const mute = await portOf(createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.resetAndDestroy());
}));
const unused = createServer();
const closed = await portOf(unused);
unused.close();
console.log(JSON.stringify({ http, tls, mute, closed }));
process.stdin.resume().on("close", () => process.exit()); // it must not outlive its parent
