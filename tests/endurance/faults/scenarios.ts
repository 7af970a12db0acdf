// The scenarios of requests, which the seed determines.

import { oneOf, seeded } from "../../support/chance.ts";

/** The things that the proxy does with requests, and the share of each, in percent. */
const shares = {
  "passed on": 45,
  "delayed": 10, // 10 to 400 ms
  "trickled": 10, // in 16 pieces, 1 to 40 ms apart
  "reset before the body": 9,
  "reset in the middle": 9,
  "truncated": 9,
  "stalled": 8, // before the body, or in the middle
};

/** The scenario of a request. */
export interface Scenario {
  readonly kind: keyof typeof shares | "asked to wait";
  /** The share of the body that is passed on before the fault. */
  readonly share: number;
  /** The length of each wait, in ms. */
  readonly pace: number;
  /** The answer of a request that is not passed on. */
  readonly answer?: string;
}

/** The scenario of a request for a page, by the number of requests for it before. */
export function scenarioOf(seed: number, page: number, before: number): Scenario {
  const random = seeded(seed + page * 1009 + before * 9_176_263);
  const kind = oneOf(shares, random());
  const pace = kind === "delayed" ? 10 + random() * 390 : 1 + random() * 39;
  return { kind, share: random() * 0.9, pace };
}
