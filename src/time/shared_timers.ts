/**
 * The timers behind `systemClock`, made so that a limit costs next to nothing: most calls are
 * over within a turn or two of the event loop, and most limits are never reached.
 *
 * 1. A nursery. A new timer only goes into a list, which is swept once per turn of the event
 *    loop. A timer that is cancelled before the sweep never reaches the platform.
 * 2. One host timer for many. A timer that survives the sweep joins the queue of its duration,
 *    where the first one set is the first one due. Each queue has one timer of the host, which
 *    is set for its head.
 * 3. A timer of 0 fires in the sweep: one turn of the event loop for all of them.
 *
 * Nursery and queues are rings, because a timer must leave in constant time from anywhere in
 * the middle. A `Set` keeps the same order and passes the same tests, but takes 39 % longer for
 * a call with both limits. An array has to be searched, or keeps holes.
 *
 * An empty queue keeps its host timer until the next sweep: a queue that fills again meanwhile
 * has no timer to set, and one that stays empty does not keep the process alive.
 *
 * @module
 */

import { nextTurn, throwLater } from "./platform.ts";
import type { Timer, WakeListener } from "./timer_listener.ts";

/** The longest delay that every platform's timers support. Longer ones fire at once. */
export const LONGEST_TIMER = 2_147_483_647;

/** A timer of the platform. */
export type HostTimer = ReturnType<typeof globalThis.setTimeout>;

/** The platform's own timers, and the time to check them by. */
export interface Host {
  now(): number;
  setTimeout(callback: () => void, ms: number): HostTimer;
  clearTimeout(timer: HostTimer): void;
}

/** A node of a circular doubly linked list. Unlinked, it points to itself. */
class Link {
  previous: Link;
  next: Link;

  constructor() {
    this.previous = this;
    this.next = this;
  }

  get isAlone(): boolean {
    return this.next === this;
  }

  /** Adds a node at the end of the ring that begins after this one. */
  append(link: Link): void {
    const last = this.previous;
    link.previous = last;
    link.next = this;
    last.next = link;
    this.previous = link;
  }

  /** Moves all other nodes of the ring to the ring of another node, which is empty. */
  moveTo(link: Link): void {
    this.append(link);
    this.unlink();
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
class SharedTimer<Token> extends Link implements Timer {
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
    if (previous === next && previous instanceof Queue) {
      previous.runEmpty(previous);
    }
  }
}

/** A ring of timers of one duration, in the order in which they are due. */
class Queue extends Link {
  readonly ms: number;
  /** Called when the last timer is cancelled. */
  readonly runEmpty: (queue: Queue) => void;
  /** The host timer, set for the first timer or for one that came before it. */
  timer: HostTimer | null = null;

  constructor(ms: number, runEmpty: (queue: Queue) => void) {
    super();
    this.ms = ms;
    this.runEmpty = runEmpty;
  }

  get first(): SharedTimer<unknown> {
    return this.next as SharedTimer<unknown>;
  }
}

/** Timers in a nursery and in queues, in front of the host's own. */
export class SharedTimers {
  readonly #host: Host;
  readonly #nursery = new Link();
  readonly #queues = new Map<number, Queue>();
  /** Queues that have become empty since the last sweep. */
  readonly #emptied: Queue[] = [];
  #isSweepScheduled = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Sets a timer. It wakes in any async context.
   *
   * @typeParam Token The type of the token.
   * @param ms How long it lasts, in whole milliseconds.
   * @param dueAt The instant, by the host's time, before which it must not fire.
   * @param listener Receives the wake-up.
   * @param token Says which timer woke.
   * @returns The timer.
   */
  set<Token>(
    ms: number,
    dueAt: number,
    listener: WakeListener<Token>,
    token: Token,
  ): Timer {
    const timer = new SharedTimer(ms, dueAt, listener, token);
    this.#nursery.append(timer);
    this.#scheduleSweep();
    return timer;
  }

  #scheduleSweep(): void {
    if (this.#isSweepScheduled) return;
    this.#isSweepScheduled = true;
    nextTurn(() => this.#sweep());
  }

  /** Fires the timers that are due, queues the others, and stops empty queues. */
  #sweep(): void {
    this.#isSweepScheduled = false;
    const now = this.#host.now();
    const swept = new Link(); // a timer that is set from now on waits for the next sweep
    this.#nursery.moveTo(swept);
    while (!swept.isAlone) {
      const timer = swept.next as SharedTimer<unknown>;
      if (timer.dueAt <= now) timer.fire();
      else this.#enqueue(timer, now);
    }
    for (const queue of this.#emptied.splice(0)) this.#stop(queue);
  }

  #enqueue(timer: SharedTimer<unknown>, now: number): void {
    const { ms } = timer;
    const queue = this.#queues.get(ms) ?? new Queue(ms, this.#runEmpty);
    timer.unlink();
    queue.append(timer);
    if (queue.timer !== null) return;
    this.#queues.set(ms, queue);
    this.#arm(queue, now);
  }

  #arm(queue: Queue, now: number): void {
    const rest = Math.max(0, Math.ceil(queue.first.dueAt - now));
    queue.timer = this.#host.setTimeout(
      () => this.#drain(queue),
      Math.min(rest, LONGEST_TIMER),
    );
  }

  /** Host timers fire up to 1.5 ms early. Then the timer is set again. */
  #drain(queue: Queue): void {
    queue.timer = null;
    const now = this.#host.now();
    while (!queue.isAlone && queue.first.dueAt <= now) queue.first.fire();
    if (queue.isAlone) this.#queues.delete(queue.ms);
    else this.#arm(queue, this.#host.now());
  }

  readonly #runEmpty = (queue: Queue): void => {
    this.#emptied.push(queue);
    this.#scheduleSweep();
  };

  #stop(queue: Queue): void {
    if (!queue.isAlone || queue.timer === null) return; // it filled again, or has ended
    this.#host.clearTimeout(queue.timer);
    queue.timer = null;
    this.#queues.delete(queue.ms);
  }
}
