// What the server answers, and whoever asked can tell whether it is right.

import { createHash } from "node:crypto";
import { seeded } from "../../support/chance.ts";

/** How long the body of a page is: 1 to 31 KB that its number determines. */
export function lengthOf(page: number): number {
  return 1000 + Math.floor(seeded(page)() * 30_000);
}

/** The body of a page: no two are alike. */
export function bodyOf(page: number): Uint8Array {
  const length = lengthOf(page);
  return new TextEncoder().encode(`page ${page}, `.repeat(length / 6).slice(0, length));
}

/** What two bodies that differ do not share. */
export function checksum(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
