// Counts over a sliding window: what counts for how long, and how much memory that takes.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  counted,
  emptyWindow,
  isWindow,
  shifted,
  SLICES,
  slid,
  type SlidingWindow,
} from "../../../src/guards/window.ts";
import { seeded } from "../../support/chance.ts";

const LENGTH = 1000;

const countsOf = ({ total, part }: SlidingWindow) => [total, part];
const at = (window: SlidingWindow, instant: number) =>
  countsOf(slid(window, LENGTH, instant));

Deno.test("counted() adds to both counts, and slid() keeps them for nine to ten tenths of the length", () => {
  for (const began of [0, 1, 50, 99, 100, 799, -1, -1050, 1.7e12]) {
    const window = counted(emptyWindow(), LENGTH, began, 3, 2);
    assertEquals(countsOf(window), [3, 2]);
    assertEquals(at(window, began + 900), [3, 2], `kept after ${began}`);
    assertEquals(at(window, began + 1000), [0, 0], `gone after ${began}`);
  }
});

Deno.test("slid() returns the same window while its latest slice lasts, and when time goes backwards", () => {
  const window = counted(emptyWindow(), LENGTH, 500, 1, 0);
  for (const instant of [500, 599, 0, -1e9]) {
    assertStrictEquals(slid(window, LENGTH, instant), window);
  }
  assert(slid(window, LENGTH, 600) !== window);
  assertEquals(countsOf(counted(window, LENGTH, 0, 1, 1)), [2, 1]); // counts as 500
});

Deno.test("counted() changes no window that it is given", () => {
  const first = Object.freeze(counted(emptyWindow(), LENGTH, 0, 1, 1));
  Object.freeze(first.past);
  const second = counted(first, LENGTH, 100, 1, 0);
  assertEquals([countsOf(first), countsOf(second)], [[1, 1], [2, 1]]);
});

Deno.test("counted() agrees with a list of all events on many random runs", () => {
  const random = seeded(1);
  let checked = 0;
  for (let run = 0; run < 100; run++) {
    const length = 10 * (1 + Math.floor(random() * 50));
    const events: [slice: number, part: number][] = [];
    let window = emptyWindow();
    let now = Math.floor(random() * 1000) - 500;
    for (let event = 0; event < 200; event++) {
      now += random() < 0.05 ? Math.floor(2 * length * random()) : Math.floor(random() * 5);
      const slice = Math.floor(now / (length / SLICES));
      const part = random() < 0.3 ? 1 : 0;
      window = counted(window, length, now, 1, part);
      events.push([slice, part]);
      const left = events.filter(([each]) => each > slice - SLICES);
      const parts = left.filter(([, each]) => each === 1).length;
      assertEquals(countsOf(window), [left.length, parts], `run ${run}, event ${event}`);
      checked += left.length;
    }
  }
  assert(checked > 100_000);
});

Deno.test("counted() keeps at most nine earlier slices, whatever it counts", () => {
  let window = emptyWindow();
  for (let instant = 0; instant < 100_000; instant += 7) {
    window = counted(window, LENGTH, instant, 1, 1);
    assert(window.past.length < SLICES);
  }
  assertEquals(window.past.length, 9);
  assert(JSON.stringify(window).length < 600);
});

Deno.test("counted() goes on from JSON", () => {
  let window = emptyWindow();
  let copied = emptyWindow();
  for (let instant = 0; instant < 3000; instant += 37) {
    window = counted(window, LENGTH, instant, 1, instant % 2);
    copied = counted(JSON.parse(JSON.stringify(copied)), LENGTH, instant, 1, instant % 2);
    assertEquals(copied, window);
  }
});

Deno.test("shifted() moves a window to another scale of time", () => {
  let window = counted(emptyWindow(), LENGTH, 50_000, 2, 1);
  window = counted(window, LENGTH, 50_500, 4, 0);
  const moved = shifted(window, LENGTH, -50_500);
  assertEquals(at(moved, 0), [6, 1]);
  assertEquals(at(moved, 499), [6, 1]);
  assertEquals(at(moved, 500), [4, 0]);
  assertEquals(at(moved, 1000), [0, 0]);
  assertEquals(at(shifted(emptyWindow(), LENGTH, -1), 0), [0, 0]);
});

Deno.test("isWindow() tells windows from other values", () => {
  let window = counted(emptyWindow(), LENGTH, 0, 1, 1);
  window = counted(window, LENGTH, 500, 1, 1);
  assert(isWindow(window) && isWindow(emptyWindow()));
  const others = [null, undefined, 7, {}, { ...window, total: null }]
    .concat({ ...window, past: 5 } as never, { ...window, past: [{}] } as never);
  for (const other of others) assert(!isWindow(other), JSON.stringify(other));
});
