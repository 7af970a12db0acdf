// Measures the contenders of a case in interleaved rounds. Each result is a ratio to a bare
// await of the same round.

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

const wall = () => performance.now();

/** Nanoseconds per call, by a clock that counts milliseconds. */
async function time(how, fn, calls, now = wall) {
  const began = now();
  await how(fn, calls);
  return (now() - began) / calls * 1e6;
}

/**
 * Finds how many calls take about `ms` milliseconds, up to `max`. The function is warm by
 * then: the compiler of a runtime may need a hundred thousand calls to produce its best
 * code.
 */
async function callsIn(ms, how, fn, { max, warmUp }) {
  let calls = 100;
  const until = performance.now() + warmUp;
  for (;;) {
    const took = await time(how, fn, calls) * calls / 1e6;
    await turn();
    const isEnough = took > ms / 2 || calls >= max;
    if (isEnough && performance.now() > until) return calls;
    if (!isEnough) calls *= 2;
  }
}

export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** The median and the quartiles of the ratios, and the median of the times. */
function summary(ratios, times) {
  const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q));
  return { median, low, high, ns: quantile(times, 0.5) };
}

/**
 * Measures functions by name. One of them must be named `bare`. On a busy machine, `now` may be
 * the time of the processor.
 */
export async function compare(
  functions,
  how,
  { rounds, warmUp, ms = 8, max = 25_600, now = wall },
) {
  const names = Object.keys(functions);
  const calls = {};
  for (const name of names) {
    calls[name] = await callsIn(ms, how, functions[name], { max, warmUp });
  }
  const ratios = Object.fromEntries(names.map((name) => [name, []]));
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds + 3; round++) {
    const took = {};
    for (const name of names) {
      took[name] = await time(how, functions[name], calls[name], now);
    }
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
