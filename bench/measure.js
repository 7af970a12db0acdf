// Rounds of all contenders of a case, interleaved, each as a ratio to a bare await of the same round.

const { performance, setImmediate } = globalThis;

/** One turn of the event loop. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** One call after the other. */
export async function inTurn(fn, calls) {
  for (let i = 0; i < calls; i++) await fn();
}

/** A hundred calls in flight. */
export async function hundred(fn, calls) {
  for (let i = 0; i < calls; i += 100) await Promise.all(Array.from({ length: 100 }, fn));
}

/** Nanoseconds a call. */
async function time(how, fn, calls) {
  const began = performance.now();
  await how(fn, calls);
  return (performance.now() - began) / calls * 1e6;
}

/**
 * How many calls take about some milliseconds, but at most `most`; found when a function is
 * warm: the compiler of a platform may need a hundred thousand calls to come to its best.
 */
async function callsIn(ms, how, fn, { most, warmUp }) {
  let calls = 100;
  const until = performance.now() + warmUp;
  for (;;) {
    const took = await time(how, fn, calls) * calls / 1e6;
    await turn();
    const isEnough = took > ms / 2 || calls >= most;
    if (isEnough && performance.now() > until) return calls;
    if (!isEnough) calls *= 2;
  }
}

export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** The median, the quartiles, and the time of a bare await for what it is worth. */
function summary(ratios, times) {
  const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q));
  return { median, low, high, ns: quantile(times, 0.5) };
}

/** Measures functions by name; `bare` is among them. */
export async function compare(functions, how, { rounds, warmUp, ms = 8, most = 25_600 }) {
  const names = Object.keys(functions);
  const calls = {};
  for (const name of names) {
    calls[name] = await callsIn(ms, how, functions[name], { most, warmUp });
  }
  const ratios = Object.fromEntries(names.map((name) => [name, []]));
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds + 3; round++) {
    const took = {};
    for (const name of names) took[name] = await time(how, functions[name], calls[name]);
    if (round < 3) continue; // to warm up
    for (const name of names) {
      ratios[name].push(took[name] / took.bare);
      times[name].push(took[name]);
    }
    await turn();
  }
  return Object.fromEntries(
    names.map((name) => [name, summary(ratios[name], times[name])]),
  );
}
