// What becomes of a request, by a script that the seed determines.

import { oneOf, seeded } from "../../support/chance.ts";

/** What a proxy may do with a request, and how often, in percent. */
const shares = {
  "passed on": 45,
  "delayed": 10, // 10 to 400 ms
  "trickled": 10, // in 16 pieces, 1 to 40 ms apart
  "reset before the body": 9,
  "reset in the middle": 9,
  "truncated": 9,
  "stalled": 8, // before the body, or in the middle
};

/** What becomes of a request. */
export interface Fate {
  readonly kind: keyof typeof shares;
  /** How much of the body is passed on before it strikes, as a share. */
  readonly share: number;
  /** How long each wait is, in ms. */
  readonly pace: number;
}

/** The fate of the request for a page, by how many there were before. */
export function fateOf(seed: number, page: number, before: number): Fate {
  const random = seeded(seed + page * 1009 + before * 9_176_263);
  const kind = oneOf(shares, random());
  const pace = kind === "delayed" ? 10 + random() * 390 : 1 + random() * 39;
  return { kind, share: random() * 0.9, pace };
}
