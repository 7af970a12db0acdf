// Measures a call through a closed circuit breaker, an admitting throttle and a hedge that is not
// needed, in this process, beside other libraries. Prints the results as JSON: ratios to a bare
// await of the function alone.

import { adaptiveThrottle, circuitBreaker, hedge } from "@asyncbackoff/asyncbackoff/guards";
import {
  circuitBreaker as cockatiel,
  ConsecutiveBreaker,
  handleAll,
  SamplingBreaker,
} from "cockatiel";
import Opossum from "opossum";
import { compare, inTurn } from "./measure.js";

const args = globalThis.Deno?.args ?? process.argv.slice(2);
const often = { rounds: Number(args[0] ?? 11), warmUp: 250 };

/** Does nothing but what any wrapper has to do: it passes on `this` and the arguments. */
const pass = (fn) =>
  async function (...args) {
    return await Reflect.apply(fn, this, args);
  };

const contenders = {
  "an async function around it": pass,
  "circuitBreaker, failureRatio": circuitBreaker({ failureRatio: 0.5 }),
  "circuitBreaker, consecutiveFailures": circuitBreaker({ consecutiveFailures: 5 }),
  adaptiveThrottle: adaptiveThrottle({ isOverload: () => true }),
  hedge: hedge({ after: 5000 }),
  "cockatiel, SamplingBreaker": (fn) => {
    const breaker = new SamplingBreaker({ threshold: 0.5, duration: 10_000 });
    const policy = cockatiel(handleAll, { halfOpenAfter: 5000, breaker });
    return () => policy.execute(fn);
  },
  "cockatiel, ConsecutiveBreaker": (fn) => {
    const breaker = new ConsecutiveBreaker(5);
    const policy = cockatiel(handleAll, { halfOpenAfter: 5000, breaker });
    return () => policy.execute(fn);
  },
  opossum: (fn) => {
    const breaker = new Opossum(fn, { timeout: false, errorThresholdPercentage: 50 });
    return () => breaker.fire();
  },
};

const functions = {
  "at once": () => Promise.resolve(1),
  "after a turn": () => new Promise((resolve) => setImmediate(() => resolve(1))),
};

const results = {};
for (const [name, fn] of Object.entries(functions)) {
  const wrapped = Object.entries(contenders).map(([who, wrap]) => [who, wrap(fn)]);
  results[name] = await compare(
    { bare: fn, ...Object.fromEntries(wrapped) },
    inTurn,
    often,
  );
}
console.log(JSON.stringify(results));
globalThis.Deno?.exit(0) ?? process.exit(0);
