// Load on a server that fails: retries in layers, and what budgets and breakers make of retries.

import { asyncretry, type BackoffOptions, type Budget } from "@asyncbackoff/asyncbackoff";
import { TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { circuitBreaker } from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { seeded } from "../support/chance.ts";
import { compareExactly, compareWithin, type Comparison } from "./comparison.ts";

/** Calls of the function below five layers of three tries each, if each of them fails. */
export async function callsInLayers(options: Omit<BackoffOptions, "maxTries">) {
  const clock = new TestClock();
  let calls = 0;
  let load = () => {
    calls += 1;
    return Promise.reject(new Error("down"));
  };
  for (let layer = 0; layer < 5; layer++) load = asyncretry(3, { clock, ...options })(load);
  await clock.run(load().catch(() => {}));
  return calls;
}

/** The number of tries, and of retries. */
const TRIES = 4;
const CALLS = 4000;

/** The protections of "Fixing retries with token buckets and circuit breakers". */
export const PROTECTIONS = ["no retries", "3 retries", "token budget", "breaker"] as const;

/** Calls that reach the server for each call of a client, by the server's failure rate. */
export async function loadOf(
  protection: typeof PROTECTIONS[number],
  failureRate: number,
): Promise<number> {
  const random = seeded(1);
  const clock = new TestClock();
  let sent = 0;
  const send = () => {
    sent += 1;
    return random() < failureRate ? Promise.reject("down") : Promise.resolve();
  };
  const budget: Budget | null = protection === "token budget"
    ? new TokenBudget({ maxTokens: 100 })
    : null;
  const maxTries = protection === "no retries" ? 1 : TRIES;
  const guarded = protection === "breaker"
    ? circuitBreaker({ failureRatio: 0.5, minCalls: 20, openFor: 5000, clock })(send)
    : send;
  const load = asyncretry(maxTries, { clock, budget })(guarded);
  const all = async () => {
    for (let call = 0; call < CALLS; call++) {
      await load().catch(() => {});
      await clock.sleep(10);
    }
  };
  await clock.run(all());
  return sent / CALLS;
}

/** Five layers, and the load when every call fails. */
export async function runLayers(): Promise<Comparison[]> {
  return [
    compareExactly("five layers of three tries: calls", await callsInLayers({}), 243),
    compareExactly(
      "five layers, retryExhausted: false: calls",
      await callsInLayers({ retryExhausted: false }),
      3,
    ),
    compareExactly(
      "all fails, no retries: load",
      await loadOf("no retries", 1),
      1,
    ),
    compareExactly("all fails, 3 retries: load", await loadOf("3 retries", 1), TRIES),
    compareWithin(
      "all fails, a token budget: load",
      await loadOf("token budget", 1),
      1,
      0.02,
    ),
    compareWithin("all fails, a breaker: load", await loadOf("breaker", 1), 0, 0.02),
    compareWithin(
      "half fails, 3 retries: load",
      await loadOf("3 retries", 0.5),
      1 + 0.5 + 0.25 + 0.125,
      0.06,
    ),
  ];
}
