// A binary heap, compared with a sorted list.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Heap, type HeapItem } from "../../../src/time/heap.ts";
import { seeded } from "../../support/chance.ts";

interface Item extends HeapItem {
  at: number;
  /** No two items are equal, so that their order is determined. */
  readonly id: number;
}

const isBefore = (one: Item, other: Item) =>
  one.at < other.at || (one.at === other.at && one.id < other.id);

const sorted = (items: readonly Item[]) =>
  [...items].sort((one, other) => isBefore(one, other) ? -1 : 1);

let ids = 0;
const itemAt = (at: number): Item => ({ at, id: ids++, index: -1 });

/** Removes all items, the first one first. */
function drained(heap: Heap<Item>): Item[] {
  const items: Item[] = [];
  for (let { first } = heap; first !== undefined; first = heap.first) {
    items.push(first);
    heap.remove(first);
  }
  return items;
}

Deno.test("Heap.first is undefined when the heap is empty", () => {
  const heap = new Heap<Item>(isBefore);
  assertEquals([heap.first, heap.size], [undefined, 0]);
});

Deno.test("Heap.first is the item before all others, in every order of adding them", () => {
  const orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [3, 0, 1, 2]];
  for (const order of orders) {
    const heap = new Heap<Item>(isBefore);
    for (const at of order) heap.place(itemAt(at));
    assertEquals([heap.first?.at, heap.size], [0, 4]);
    assertEquals(drained(heap).map(({ at }) => at), [0, 1, 2, 3]);
  }
});

Deno.test("Heap.place() moves an item that is in the heap to its place", () => {
  const heap = new Heap<Item>(isBefore);
  const items = [10, 20, 30, 40, 50].map(itemAt);
  items.forEach((item) => heap.place(item));
  const [first, , third, , last] = items as [Item, Item, Item, Item, Item];
  first.at = 60;
  heap.place(first);
  assertEquals(heap.first?.at, 20);
  last.at = 5;
  heap.place(last);
  assertStrictEquals(heap.first, last);
  heap.place(third); // unchanged
  assertEquals(heap.size, 5);
  assertEquals(drained(heap).map(({ at }) => at), [5, 20, 30, 40, 60]);
});

Deno.test("Heap.remove() removes any item once, and is harmless after that", () => {
  for (let removed = 0; removed < 7; removed++) {
    const heap = new Heap<Item>(isBefore);
    const items = [3, 1, 5, 0, 6, 4, 2].map(itemAt);
    items.forEach((item) => heap.place(item));
    const item = items[removed] as Item;
    heap.remove(item);
    heap.remove(item);
    assertEquals([item.index, heap.size], [-1, 6]);
    assertEquals(drained(heap), sorted(items.filter((each) => each !== item)));
  }
});

Deno.test("Heap.remove() is harmless for an item that was never in the heap", () => {
  const heap = new Heap<Item>(isBefore);
  heap.remove(itemAt(1));
  heap.place(itemAt(2));
  heap.remove(itemAt(1));
  assertEquals([heap.size, heap.first?.at], [1, 2]);
});

Deno.test("Heap takes an item again that was removed", () => {
  const heap = new Heap<Item>(isBefore);
  const item = itemAt(1);
  for (let round = 0; round < 3; round++) {
    heap.place(item);
    assertStrictEquals(heap.first, item);
    heap.remove(item);
    assertEquals(heap.first, undefined);
  }
});

for (const seed of [1, 2, 3, 4, 5]) {
  Deno.test(`Heap keeps the order of a sorted list through random operations with seed ${seed}`, () => {
    const random = seeded(seed);
    const heap = new Heap<Item>(isBefore);
    let items: Item[] = [];
    const randomItem = () => items[Math.floor(random() * items.length)];
    const instant = () => Math.floor(random() * 50);
    for (let step = 0; step < 3000; step++) {
      const chance = random();
      const item = randomItem();
      if (chance < 0.45 || item === undefined) {
        const added = itemAt(instant());
        items.push(added);
        heap.place(added);
      } else if (chance < 0.7) {
        item.at = instant();
        heap.place(item);
      } else {
        const removed = chance < 0.85 ? item : heap.first as Item;
        items = items.filter((each) => each !== removed);
        heap.remove(removed);
        assertEquals(removed.index, -1);
      }
      assertEquals(heap.size, items.length);
      assertStrictEquals(heap.first, sorted(items)[0]);
    }
    assert(items.length > 50);
    const indexes = items.map(({ index }) => index).sort((one, other) => one - other);
    assertEquals(indexes, items.map((_, index) => index));
    assertEquals(drained(heap), sorted(items));
  });
}
