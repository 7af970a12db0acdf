// What the server answers, and whoever asked can tell whether it is right.

import { createHash } from "node:crypto";
import { seeded } from "../reproduce/chance.ts";

/** The body of a page: 1 to 30 KB that its number determines. */
export function bodyOf(page: number): Uint8Array {
  const random = seeded(page);
  const body = new Uint8Array(1000 + Math.floor(random() * 30_000));
  return body.fill(Math.floor(random() * 256)).map((byte, index) => byte ^ (index * 31));
}

/** What two bodies that differ do not share. */
export function checksum(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
