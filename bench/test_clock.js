// Measures the test clock: a million timers that are set and cancelled in random order,
// compared with a bare binary heap, and many sleeps that end one after the other. Prints
// JSON.

import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { quantile } from "./measure.js";

const { performance } = globalThis;
const TIMERS = 1_000_000;

/** The smallest heap from which any entry can be removed. */
class BareHeap {
  #entries = [];

  add(at) {
    const entry = { at, index: this.#entries.length };
    this.#entries.push(entry);
    this.#rise(entry);
    return entry;
  }

  remove(entry) {
    const last = this.#entries.pop();
    if (last === entry) return;
    this.#put(last, entry.index);
    this.#rise(last);
    this.#sink(last);
  }

  #put(entry, index) {
    this.#entries[index] = entry;
    entry.index = index;
  }

  #rise(entry) {
    let { index } = entry;
    while (index > 0) {
      const parent = this.#entries[(index - 1) >> 1];
      if (parent.at <= entry.at) break;
      this.#put(parent, index);
      index = (index - 1) >> 1;
    }
    this.#put(entry, index);
  }

  #sink(entry) {
    let { index } = entry;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= this.#entries.length) break;
      const right = child + 1;
      if (
        right < this.#entries.length && this.#entries[right].at < this.#entries[child].at
      ) {
        child = right;
      }
      if (this.#entries[child].at >= entry.at) break;
      this.#put(this.#entries[child], index);
      index = child;
    }
    this.#put(entry, index);
  }
}

function shuffled(values) {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}

const instants = Array.from({ length: TIMERS }, () => Math.floor(Math.random() * 1e9));
const order = shuffled(instants.map((_, index) => index));

/** Milliseconds for setting all timers and then cancelling them. */
function setAndCancel(set, cancel) {
  const began = performance.now();
  const timers = instants.map(set);
  for (const index of order) cancel(timers[index]);
  return performance.now() - began;
}

const ratios = [];
for (let round = 0; round < 6; round++) {
  const heap = new BareHeap();
  const bare = setAndCancel((at) => heap.add(at), (entry) => heap.remove(entry));
  const clock = new TestClock();
  const wake = () => {};
  const ours = setAndCancel((at) => clock.after(at, wake), (cancel) => cancel());
  if (round > 0) ratios.push(ours / bare);
}

/**
 * Microseconds per sleep. Each ends at an instant of its own; they begin in random order.
 */
async function advancePast(sleepers) {
  const clock = new TestClock();
  let awake = 0;
  for (const at of shuffled(Array.from({ length: sleepers }, (_, index) => index + 1))) {
    clock.sleep(at).then(() => awake++);
  }
  const began = performance.now();
  await clock.advance(sleepers);
  const took = performance.now() - began;
  if (awake !== sleepers) throw new Error(`${awake} of ${sleepers} woke`);
  return took * 1000 / sleepers;
}

const sleepers = {};
for (const count of [1000, 10_000, 100_000]) {
  const took = [];
  for (let round = 0; round < 3; round++) took.push(await advancePast(count));
  sleepers[count] = quantile(took, 0.5);
}
const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q));
console.log(JSON.stringify({ timers: { low, median, high }, sleepers }));
