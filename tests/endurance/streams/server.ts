// A server of event streams. Each page is a stream of its own, which resumes after the event that
// a client has received last. Its text is of characters that take 2 to 4 bytes each.

import { createServer } from "node:http";
import { seeded } from "../../support/chance.ts";
import { lengthOf } from "../faults/body.ts";

const CHARACTERS = ["é", "ß", "€", "語", "日", "😀", "𝒳"];

/** Bytes of an event, about. */
const EVENT = 600;

/** The number of events of a page. */
export function countOf(page: number): number {
  return Math.ceil(lengthOf(page) / EVENT);
}

/** The data of an event of a page. No two are the same. */
export function dataOf(page: number, id: number): string {
  const random = seeded(page * 1009 + id);
  const text = Array.from(
    { length: 150 },
    () => CHARACTERS[Math.floor(random() * CHARACTERS.length)],
  );
  return `${page} ${id} ${text.join("")}`;
}

/** Makes the server. A client that has received everything gets the status 204. */
export function makeServer() {
  return createServer((request, response) => {
    const page = Number(request.url?.slice(1));
    const count = countOf(page);
    const last = Number(request.headers["last-event-id"] ?? 0);
    if (last === count) return void response.writeHead(204).end();
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let id = last + 1; id <= count; id++) {
      response.write(`id: ${id}\ndata: ${dataOf(page, id)}\n\n`);
    }
    response.end();
  });
}
