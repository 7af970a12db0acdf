/**
 * Shared timers in rings.
 *
 * @module
 */

import { throwLater } from "./platform.ts";
import type { Timer, WakeListener } from "./timer_listener.ts";
import type { HeapItem } from "./heap.ts";

/** A node of a circular doubly linked list. Unlinked, it points to itself. */
export class Link {
  previous: Link;
  next: Link;

  constructor() {
    this.previous = this;
    this.next = this;
  }

  get isAlone(): boolean {
    return this.next === this;
  }

  /** Adds an unlinked node before this one: at the end of the ring that begins after it. */
  append(link: Link): void {
    const last = this.previous;
    link.previous = last;
    link.next = this;
    last.next = link;
    this.previous = link;
  }

  /** Removes the node from its ring. Harmless if it is unlinked. */
  unlink(): void {
    const { previous, next } = this;
    previous.next = next;
    next.previous = previous;
    this.previous = this;
    this.next = this;
  }
}

/** A timer that is set: in the nursery at first, and then in a queue. */
export class SharedTimer<Token> extends Link implements Timer {
  readonly ms: number;
  readonly dueAt: number;
  readonly #listener: WakeListener<Token>;
  readonly #token: Token;

  constructor(ms: number, dueAt: number, listener: WakeListener<Token>, token: Token) {
    super();
    this.ms = ms;
    this.dueAt = dueAt;
    this.#listener = listener;
    this.#token = token;
  }

  get isLimit(): boolean {
    return this.#listener.isLimit(this.#token);
  }

  /** Errors are rethrown in a microtask, so that the other due timers still fire. */
  fire(): void {
    this.unlink();
    try {
      this.#listener.due(this.#token);
    } catch (error) {
      throwLater(error);
    }
  }

  cancel(): void {
    const { previous, next } = this;
    this.unlink();
    if (previous === next && previous instanceof TimerRing) previous.onEmpty(previous);
  }
}

/** A ring of timers of one duration, in the order in which they are due. */
export class TimerRing extends Link implements HeapItem {
  readonly ms: number;
  /** Called when the last timer is cancelled. */
  readonly onEmpty: (ring: TimerRing) => void;
  /** No timer of the ring is due before this instant. */
  at = Infinity;
  index = -1;

  constructor(ms: number, onEmpty: (ring: TimerRing) => void) {
    super();
    this.ms = ms;
    this.onEmpty = onEmpty;
  }

  get first(): SharedTimer<unknown> {
    return this.next as SharedTimer<unknown>;
  }

  /** Durations are rounded up, so the timer that was set last may not be the last one due. */
  insert(timer: SharedTimer<unknown>): void {
    let before = this.previous;
    while (before !== this && (before as SharedTimer<unknown>).dueAt > timer.dueAt) {
      before = before.previous;
    }
    before.next.append(timer);
  }

  /** Of two timers that are due at one instant, the longer one was set first. */
  static isBefore(one: TimerRing, other: TimerRing): boolean {
    return one.at < other.at || (one.at === other.at && one.ms > other.ms);
  }
}
