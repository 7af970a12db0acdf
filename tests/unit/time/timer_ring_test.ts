// Rings of shared timers, and the timers in them.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { nextTurn } from "../../../src/time/platform.ts";
import type { WakeListener } from "../../../src/time/timer_listener.ts";
import { Link, SharedTimer, TimerRing } from "../../../src/time/timer_ring.ts";
import { seeded } from "../../support/chance.ts";
import { listenToUncaught } from "../../support/uncaught.ts";

const silent: WakeListener<string> = { due: () => {}, isLimit: () => false };

const timerAt = (dueAt: number, token = "", listener = silent) =>
  new SharedTimer(10, dueAt, listener, token);

/** A ring that counts how often it becomes empty. */
function fixture(ms = 10) {
  const emptied: TimerRing[] = [];
  const ring = new TimerRing(ms, (ring) => emptied.push(ring));
  return { ring, emptied };
}

/** The nodes of a ring after a node, in both directions. */
function nodesOf<Node extends Link>(ring: Link): Node[] {
  const forwards: Link[] = [];
  for (let node = ring.next; node !== ring; node = node.next) forwards.push(node);
  const backwards: Link[] = [];
  for (let node = ring.previous; node !== ring; node = node.previous) backwards.push(node);
  assertEquals(backwards.reverse().length, forwards.length);
  backwards.forEach((node, index) => assertStrictEquals(node, forwards[index]));
  return forwards as Node[];
}

const instantsOf = (ring: TimerRing) =>
  nodesOf<SharedTimer<unknown>>(ring).map(({ dueAt }) => dueAt);

Deno.test("Link is alone at first, and again when it is unlinked, also twice", () => {
  const ring = new Link();
  const link = new Link();
  assertEquals([ring.isAlone, link.isAlone], [true, true]);
  ring.append(link);
  assertEquals([ring.isAlone, link.isAlone], [false, false]);
  link.unlink();
  link.unlink();
  assertEquals([ring.isAlone, link.isAlone], [true, true]);
});

Deno.test("Link.append() adds a node at the end, and unlink() removes any node", () => {
  const ring = new Link();
  const links = Array.from({ length: 5 }, () => new Link());
  links.forEach((link) => ring.append(link));
  assertEquals(nodesOf(ring).map((link) => links.indexOf(link)), [0, 1, 2, 3, 4]);
  for (const index of [2, 0, 4]) links[index]?.unlink();
  assertEquals(nodesOf(ring).map((link) => links.indexOf(link)), [1, 3]);
  // Before another node than the first of the ring.
  links[3]?.append(links[0] as Link);
  assertEquals(nodesOf(ring).map((link) => links.indexOf(link)), [1, 0, 3]);
});

Deno.test("TimerRing.insert() keeps timers in the order in which they are due, and in a tie the order of insertion", () => {
  const { ring } = fixture();
  const timers = [5, 7, 6, 7, 5, 9, 4].map((dueAt) => timerAt(dueAt));
  timers.forEach((timer) => ring.insert(timer));
  assertEquals(instantsOf(ring), [4, 5, 5, 6, 7, 7, 9]);
  const order = nodesOf<SharedTimer<string>>(ring).map((timer) => timers.indexOf(timer));
  assertEquals(order, [6, 0, 4, 2, 1, 3, 5]);
  assertStrictEquals(ring.first, timers[6]);
});

Deno.test("TimerRing.insert() keeps the order of a sorted list through random operations", () => {
  const random = seeded(16);
  const { ring, emptied } = fixture();
  let kept: SharedTimer<string>[] = [];
  let timesEmpty = 0;
  for (let step = 0; step < 2000; step++) {
    if (random() < 0.5) {
      const timer = timerAt(step + Math.floor(random() * 8) / 8);
      kept.push(timer);
      ring.insert(timer);
    } else {
      const timer = kept[Math.floor(random() * kept.length)];
      if (timer === undefined) continue;
      timer.cancel();
      kept = kept.filter((each) => each !== timer);
      if (kept.length === 0) timesEmpty++;
    }
    const instants = kept.map(({ dueAt }) => dueAt).sort((one, other) => one - other);
    assertEquals(instantsOf(ring), instants);
  }
  assertEquals(emptied.length, timesEmpty);
});

Deno.test("TimerRing.isBefore() compares the instant, and in a tie the longer duration, which was set first", () => {
  const ringAt = (at: number, ms: number) => Object.assign(fixture(ms).ring, { at });
  const rows: [one: [number, number], other: [number, number], isBefore: boolean][] = [
    [[1, 10], [2, 10], true],
    [[2, 10], [1, 10], false],
    [[1, 5], [2, 10], true],
    [[2, 10], [1, 5], false],
    [[1, 10], [1, 5], true],
    [[1, 5], [1, 10], false],
    [[1, 5], [1, 5], false],
    [[1, 5], [Infinity, 5], true],
  ];
  for (const [one, other, isBefore] of rows) {
    assertEquals(TimerRing.isBefore(ringAt(...one), ringAt(...other)), isBefore);
  }
});

Deno.test("TimerRing is not in a heap at first, and has no instant", () => {
  const { ring } = fixture(25);
  assertEquals([ring.index, ring.at, ring.ms, ring.isAlone], [-1, Infinity, 25, true]);
});

Deno.test("SharedTimer.fire() calls the listener once with its token, after it has left the ring", () => {
  const { ring, emptied } = fixture();
  const log: unknown[] = [];
  const listener = { due: (token: string) => log.push(token, ring.isAlone) };
  const timer = timerAt(1, "token", { ...silent, ...listener });
  ring.insert(timer);
  timer.fire();
  timer.cancel(); // too late
  assertEquals([log, timer.isAlone, emptied.length], [["token", true], true, 0]);
});

Deno.test("SharedTimer.fire() throws the error of its listener later", async () => {
  const error = new Error("by the listener");
  const uncaught: unknown[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  try {
    const due = () => {
      throw error;
    };
    timerAt(1, "", { ...silent, due }).fire();
    assertEquals(uncaught, []);
    await new Promise<void>((resolve) => nextTurn(resolve));
  } finally {
    stop();
  }
  assertEquals(uncaught.length, 1);
  assertStrictEquals(uncaught[0], error);
});

Deno.test("SharedTimer.isLimit asks the listener about its token each time", () => {
  const answers = new Map([["limit", true], ["pause", false]]);
  const isLimit = (token: string) => answers.get(token) === true;
  const [limit, pause] = ["limit", "pause"].map((token) =>
    timerAt(1, token, { ...silent, isLimit })
  );
  assertEquals([limit?.isLimit, pause?.isLimit], [true, false]);
  answers.set("pause", true);
  assertEquals(pause?.isLimit, true);
});

Deno.test("SharedTimer.cancel() notifies a ring that has become empty, and no other list", () => {
  const { ring, emptied } = fixture();
  const [first, second, third] = [timerAt(1), timerAt(2), timerAt(3)];
  const nursery = new Link();
  nursery.append(third);
  third.cancel();
  assertEquals([nursery.isAlone, emptied.length], [true, 0]);

  ring.insert(first);
  ring.insert(second);
  first.cancel();
  first.cancel();
  assertEquals([instantsOf(ring), emptied.length], [[2], 0]);
  second.cancel();
  second.cancel();
  assertEquals([ring.isAlone, emptied.length], [true, 1]);
  assertStrictEquals(emptied[0], ring);
});
