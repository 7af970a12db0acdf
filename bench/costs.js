// Compares two builds of this library in one process, round after round, and prints the ratios
// of their times as JSON: `after` as a multiple of `before`.

import * as after from "./after.mjs";
import * as before from "./before.mjs";
import { compare, hundred, inTurn, quantile, turn } from "./measure.js";

const FAILURE = new Error("busy");

const atOnce = () => Promise.resolve(1);
const twoTurns = () =>
  new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(1))));
const hangs = () => new Promise(() => {});

/** Fails so many times, and then succeeds. */
const fails = (times) => {
  let calls = 0;
  return () => ++calls % (times + 1) === 0 ? Promise.resolve(1) : Promise.reject(FAILURE);
};

/** The cases of single calls, each as a function of the library. */
const cases = {
  "A": [inTurn, ({ asyncretry }) => asyncretry(3)(atOnce)],
  "C": [inTurn, ({ asyncbackoff }) => asyncbackoff(5000, 10_000)(atOnce)],
  "I100": [hundred, ({ asyncbackoff }) => asyncbackoff(5000, 10_000)(twoTurns)],
  "D": [inTurn, ({ asyncretry }) => () => asyncretry(4)(fails(3))()],
  "100 of D at once": [hundred, ({ asyncretry }) => () => asyncretry(4)(fails(3))()],
};

const results = {};
for (const [name, [how, make]] of Object.entries(cases)) {
  const functions = { bare: make(before), after: make(after) };
  const { after: ratio } = await compare(functions, how, { rounds: 25, warmUp: 300 });
  results[name] = ratio;
}

/** Times a batch that begins at once. Returns milliseconds in all, and for the median caller. */
async function timeBatch(calls, call) {
  const began = performance.now();
  const ended = [];
  const note = () => void ended.push(performance.now() - began);
  await Promise.all(Array.from({ length: calls }, () => call().then(note, note)));
  await turn();
  return { all: ended.at(-1), caller: quantile(ended, 0.5) };
}

/** Compares batches in turns. What the clock alone takes is taken off. */
async function compareBatches(calls, waits, make) {
  const ratios = { all: [], caller: [] };
  for (let round = 0; round < 9; round++) {
    const old = await timeBatch(calls, make(before));
    const now = await timeBatch(calls, make(after));
    if (round < 2) continue; // to warm up
    for (const key of ["all", "caller"]) {
      ratios[key].push((now[key] - waits) / (old[key] - waits));
    }
  }
  const summaryOf = (values) => {
    const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(values, q));
    return { median, low, high };
  };
  return { all: summaryOf(ratios.all), caller: summaryOf(ratios.caller) };
}

const exceptions = "all";
const pausing = ({ Backoff }) => {
  const policy = new Backoff({ pause: 10, maxTries: 3, exceptions });
  return () => policy.execute(fails(2));
};
const jittering = ({ Backoff, exponential }) => {
  const pause = exponential({ initial: 10, factor: 1 });
  const policy = new Backoff({ pause, maxTries: 3, exceptions });
  return () => policy.execute(fails(2));
};
const reaching = ({ asyncbackoff }) => asyncbackoff(200, null, { maxTries: 1 })(hangs);

for (const calls of [1e4, 1e5]) {
  results[`F, ${calls} calls`] = (await compareBatches(calls, 20, pausing)).all;
}
results["jittered pauses, 10000 calls"] = (await compareBatches(1e4, 0, jittering)).all;
for (const calls of [1e4, 1e5]) {
  const { all, caller } = await compareBatches(calls, 200, reaching);
  results[`${calls} limits together`] = all;
  results[`${calls} limits together, median caller`] = caller;
}
console.log(JSON.stringify(results));
globalThis.Deno?.exit(0) ?? process.exit(0);
