/**
 * A binary heap.
 *
 * @module
 */

/** An item of a heap. It knows its own index, so that it can be moved and removed. */
export interface HeapItem {
  /** The index in the heap; -1 while it is not in it. */
  index: number;
}

/**
 * A binary heap, whose first item is before all others. Any item can be moved or removed, in
 * logarithmic time.
 *
 * @typeParam Item The type of the items.
 */
export class Heap<Item extends HeapItem> {
  readonly #items: Item[] = [];
  readonly #isBefore: (one: Item, other: Item) => boolean;

  /**
   * Makes an empty heap.
   *
   * @param isBefore Determines whether an item is before another.
   */
  constructor(isBefore: (one: Item, other: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The item that is before all others. */
  get first(): Item | undefined {
    return this.#items[0];
  }

  /** Adds an item, or moves it to its place after it has changed. */
  place(item: Item): void {
    if (item.index < 0) item.index = this.#items.push(item) - 1;
    this.#settle(item);
  }

  /** Removes an item. Harmless if it is not in the heap. */
  remove(item: Item): void {
    const { index } = item;
    const last = index < 0 ? undefined : this.#items.pop();
    if (last === undefined) return;
    item.index = -1;
    if (last === item) return;
    last.index = index;
    this.#settle(last);
  }

  /** Moves an item up or down to its place. */
  #settle(item: Item): void {
    const items = this.#items;
    let { index } = item;
    while (index > 0) {
      const parent = items[(index - 1) >> 1] as Item;
      if (!this.#isBefore(item, parent)) break;
      items[index] = parent;
      [parent.index, index] = [index, parent.index];
    }
    while (true) {
      const left = items[index * 2 + 1];
      const right = items[index * 2 + 2];
      const child = left && right && this.#isBefore(right, left) ? right : left;
      if (child === undefined || !this.#isBefore(child, item)) break;
      items[index] = child;
      [child.index, index] = [index, child.index];
    }
    items[index] = item;
    item.index = index;
  }
}
