// Runs case E, F or H for one contender, in a process of its own, and prints the result as
// JSON. Arguments: the contender, the case, the number of calls.

import process from "node:process";

const [who, name, count] = globalThis.Deno?.args ?? process.argv.slice(2);
const calls = Number(count);
const collect = globalThis.gc ?? (() => globalThis.Bun?.gc(true));

// Replaced before any module reads it. It keeps its name, so that it is not taken for a
// fake.
let timers = 0;
const host = globalThis.setTimeout;
globalThis.setTimeout = {
  setTimeout(...args) {
    timers++;
    return host(...args);
  },
}.setTimeout;
const { contenders } = await import("./contenders.js");
const { turn } = await import("./measure.js");

function memory() {
  collect();
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss };
}

async function inFlight() {
  const waiting = new Array(calls);
  const promises = new Array(calls);
  let next = 0;
  const fn = () => new Promise((resolve) => waiting[next++] = resolve);
  const call = who === "bare" ? fn : contenders[who].C(fn);
  const before = memory();
  const [began, timersBefore] = [performance.now(), timers];
  for (let i = 0; i < calls; i++) promises[i] = call();
  while (next < calls) await turn(); // some contenders call the function later
  await turn();
  const started = performance.now();
  const during = memory();
  const ending = performance.now();
  for (const resolve of waiting) resolve(1);
  await Promise.all(promises);
  return {
    ns: (started - began + performance.now() - ending) / calls * 1e6,
    heap: (during.heapUsed - before.heapUsed) / calls,
    resident: (during.rss - before.rss) / calls,
    timers: timers - timersBefore,
  };
}

/** Each call fails twice. The two pauses of 10 ms are subtracted. */
async function failing() {
  const error = new Error("busy");
  const call = () => {
    let attempts = 0;
    return contenders[who].F(() =>
      ++attempts < 3 ? Promise.reject(error) : Promise.resolve(1)
    )();
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: calls }, call));
  return { ns: (performance.now() - began - 20) / calls * 1e6 };
}

/** The heap after each third of many calls, one after the other, on one signal. */
async function inARow() {
  const { Backoff } = await import("@asyncbackoff/asyncbackoff");
  const { signal } = new AbortController();
  const limits = { attemptTimeout: 5000, deadline: 10_000 };
  const backoff = new Backoff({ ...limits, signal, exceptions: [Error] });
  const heap = [];
  for (let i = 1; i <= calls; i++) {
    await backoff.execute(() => Promise.resolve(1), { signal });
    if (i % Math.floor(calls / 3) !== 0) continue;
    await turn();
    heap.push(memory().heapUsed);
  }
  return { heap };
}

console.log(JSON.stringify(await { E: inFlight, F: failing, H: inARow }[name]()));
globalThis.Deno?.exit(0) ?? process.exit(0);
