// Measures nested calls, and what followed attempts cost, in this process. Prints JSON.
//
// N is a call of a function that returns a resolved promise, with an attempt timeout of 5 s and a
// deadline of 10 s, in an outer attempt that goes on. C and I100 are those of cases.js, before and
// after `followAttempts()`.

import process from "node:process";
import { Backoff, within } from "@asyncbackoff/asyncbackoff";
import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
import { compare, hundred, inTurn } from "./measure.js";

/** Milliseconds of the processor, so that other programs count less. */
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const often = { rounds: 25, warmUp: 300, now };
const atOnce = () => Promise.resolve(1);
const twoTurns = () =>
  new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(1))));

const limits = { attemptTimeout: 5000, deadline: 10_000 };
const backoff = new Backoff(limits);
const wrapped = backoff.wrap(atOnce);

/** A version by hand: a signal of its own for each call, aborted by the outer one or a timeout. */
function byAny(outer) {
  return () => {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(5000)]);
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort);
      atOnce(signal).then(resolve, reject)
        .finally(() => signal.removeEventListener("abort", abort));
    });
  };
}

/** A version by hand: a controller, a listener on the outer signal, and a timer. */
function byListener(outer) {
  return () => {
    const controller = new AbortController();
    const { signal } = controller;
    return new Promise((resolve, reject) => {
      const end = (reason) => (controller.abort(reason), reject(reason));
      const abort = () => end(outer.reason);
      const timer = setTimeout(() => end(new Error("timeout")), 5000);
      outer.addEventListener("abort", abort);
      const clean = () => {
        clearTimeout(timer);
        outer.removeEventListener("abort", abort);
      };
      atOnce(signal).then((value) => (clean(), resolve(value)), (error) => {
        clean();
        reject(error);
      });
    });
  };
}

const results = {};
const controller = new AbortController();
const ended = new Backoff().execute(async (attempt) => {
  const { signal } = attempt;
  const options = { within: attempt };
  const byScope = () => within(attempt, wrapped);
  const bySignal = { signal: new AbortController().signal };
  // A listener of the signal that stays, as the outer execution has one.
  bySignal.signal.addEventListener("abort", () => {});
  results.N = await compare(
    {
      bare: atOnce,
      "a call": () => backoff.execute(atOnce),
      "a call with a signal": () => backoff.execute(atOnce, bySignal),
      "a nested call": () => backoff.execute(atOnce, options),
      "a nested call, by within()": byScope,
      "by hand: controller, listener, timer": byListener(signal),
      "by hand: AbortSignal.any, timeout": byAny(signal),
    },
    inTurn,
    often,
  );
  controller.abort("enough");
}, controller).catch(() => {});
await ended;

/** The cases in this process, in nanoseconds per call. */
async function measureCases(suffix) {
  const later = backoff.wrap(twoTurns);
  results[`C${suffix}`] = await compare({ bare: atOnce, call: wrapped }, inTurn, often);
  results[`I100${suffix}`] = await compare({ bare: twoTurns, call: later }, hundred, often);
}
await measureCases("");
followAttempts();
await measureCases(" followed");
await new Backoff().execute(async () => {
  await null;
  const call = () => backoff.execute(atOnce);
  results["N followed"] = await compare(
    { bare: atOnce, "a nested call": call },
    inTurn,
    often,
  );
});
console.log(JSON.stringify(results));
process.exit(0);
