// The bodies that the server sends, which a client can verify.

import { createHash } from "node:crypto";
import { seeded } from "../../support/chance.ts";

/** The length of the body of a page: 1 to 31 KB. The number of the page determines it. */
export function lengthOf(page: number): number {
  return 1000 + Math.floor(seeded(page)() * 30_000);
}

/** The body of a page. No two pages have the same body. */
export function bodyOf(page: number): Uint8Array {
  const length = lengthOf(page);
  return new TextEncoder().encode(`page ${page}, `.repeat(length / 6).slice(0, length));
}

/** A checksum of a body. */
export function checksum(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
