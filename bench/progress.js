// Measures what one report of progress costs on the system's clock, compared with a timer of the
// platform that is cleared and set anew. Prints JSON. Arguments: the number of rounds.

import { Backoff } from "@asyncbackoff/asyncbackoff";
import { quantile } from "./measure.js";

const { clearTimeout, performance, setTimeout } = globalThis;
const args = globalThis.Deno?.args ?? process.argv.slice(2);
const ROUNDS = Number(args[0] ?? 15);
const CALLS = 20_000;

let timer = setTimeout(() => {}, 30_000);

/** The code that a report is compared with, and the options of the policies. */
const contenders = {
  "clearTimeout and setTimeout": () => {
    clearTimeout(timer);
    timer = setTimeout(() => {}, 30_000);
  },
  "without an idle timeout": {},
  "with an idle timeout": { idleTimeout: 30_000 },
  "with all limits": { idleTimeout: 30_000, attemptTimeout: 60_000, deadline: 90_000 },
};

/** Nanoseconds for each call, within one attempt. */
async function time(contender) {
  const measure = (report) => {
    const began = performance.now();
    for (let i = 0; i < CALLS; i++) report(i);
    return (performance.now() - began) / CALLS * 1e6;
  };
  if (typeof contender === "function") return measure(contender);
  return await new Backoff(contender).execute((attempt) =>
    measure((i) => attempt.progress(i))
  );
}

const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
for (let round = 0; round < ROUNDS + 3; round++) {
  for (const [name, contender] of Object.entries(contenders)) {
    const took = await time(contender);
    if (round >= 3) times[name].push(took);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
clearTimeout(timer);
const [[, bare]] = Object.entries(times);
console.log(JSON.stringify(Object.fromEntries(
  Object.entries(times).map(([name, all]) => {
    const ratio = quantile(all.map((each, index) => each / bare[index]), 0.5);
    return [name, { ratio, ns: quantile(all, 0.5) }];
  }),
)));
globalThis.Deno?.exit(0) ?? process.exit(0);
