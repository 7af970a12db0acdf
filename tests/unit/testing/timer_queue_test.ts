// Timers in the order in which they are due.

import { assertEquals } from "@std/assert";
import { type QueuedTimer, TimerQueue } from "../../../src/testing/timer_queue.ts";
import { seeded } from "../../support/chance.ts";

const wake = () => {};

/** Removes all timers, the first one first, and returns their instants. */
function drained(queue: TimerQueue): number[] {
  const instants: number[] = [];
  for (let { first } = queue; first !== undefined; first = queue.first) {
    instants.push(first.at);
    queue.remove(first);
  }
  return instants;
}

Deno.test("TimerQueue.first is undefined when the queue is empty", () => {
  const queue = new TimerQueue();
  assertEquals([queue.first, queue.size], [undefined, 0]);
});

Deno.test("TimerQueue.first is the timer that is due first, and the one added first in a tie", () => {
  const queue = new TimerQueue();
  const timers = [30, 10, 20, 10, 10].map((at) => queue.add(at, wake));
  const order: number[] = [];
  for (let { first } = queue; first !== undefined; first = queue.first) {
    order.push(timers.indexOf(first));
    queue.remove(first);
  }
  assertEquals([order, queue.size], [[1, 3, 4, 2, 0], 0]);
});

Deno.test("TimerQueue.remove() removes any timer once, and is harmless after that", () => {
  const queue = new TimerQueue();
  const timers = [1, 2, 3].map((at) => queue.add(at, wake));
  const [first, second] = timers as [QueuedTimer, QueuedTimer];
  queue.remove(second);
  queue.remove(second);
  assertEquals(queue.size, 2);
  queue.remove(first);
  queue.remove(first);
  assertEquals(drained(queue), [3]);
});

Deno.test("TimerQueue keeps its order when timers are removed at random", () => {
  const random = seeded(8);
  const queue = new TimerQueue();
  let kept: number[] = [];
  for (let round = 0; round < 200; round++) {
    const timers = Array.from({ length: 20 }, () => queue.add(random(), wake));
    const removed = timers.filter(() => random() < 0.5);
    for (const timer of removed) queue.remove(timer);
    kept.push(...timers.filter((each) => !removed.includes(each)).map(({ at }) => at));
    for (let index = 0; index < 5; index++) {
      const { first } = queue;
      if (first === undefined) break;
      assertEquals(first.at, Math.min(...kept));
      queue.remove(first);
      kept = kept.filter((at) => at !== first.at);
    }
  }
  assertEquals(drained(queue), kept.sort((one, other) => one - other));
});
