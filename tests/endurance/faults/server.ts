// A real server, in a process of its own that can be killed. Its argument is the port, and
// it prints the port on which it listens. Pages with an even number are sent with their
// length and keep the connection, the others end with the connection.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { bodyOf, checksum } from "./body.ts";

const server = createServer((request, response) => {
  const page = Number(request.url?.slice(1));
  const body = bodyOf(page);
  response.setHeader("x-checksum", checksum(body));
  if (page % 2 === 0) {
    response.writeHead(200, { "content-length": body.length });
    response.end(body);
  } else {
    response.writeHead(200, { connection: "close" });
    response.write(body.subarray(0, 500));
    response.end(body.subarray(500));
  }
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port);
});
// It must not outlive the process that started it.
process.stdin.resume().on("close", () => process.exit());
