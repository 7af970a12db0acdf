/**
 * The timers behind `systemClock`, made so that a limit costs next to nothing:
 * most calls are over within a turn or two, and most limits are never reached.
 *
 * 1. A nursery. A timer that is set is only noted. The notes are looked at once,
 *    when the event loop comes round: what is cancelled by then never touches the
 *    host's timers.
 * 2. One host timer for many. What is left joins the queue of its duration, first
 *    set, first due, whose one timer of the host is set for its head.
 * 3. A timer of 0 fires at that look: one turn of the event loop for all of them.
 *
 * Measured alone, without peers, as multiples of a bare await, for a call with both limits
 * that is over at once (Node 20, Bun, Deno): 24, 24 and 87 with a timer of the
 * host's each; 14, 19 and 30 with the nursery and the queues; 10.8, 15.6 and 22.8
 * with one gate an execution in place of one a state; 7.3, 10.0 and 16.2 when the
 * driver hands over itself and a token in place of functions, and takes a short cut
 * to a success. A million calls in flight have one timer of the host's.
 *
 * A queue that has run empty lets go of its host timer at the next look: then the
 * process can exit, while a queue that fills again meanwhile keeps its timer.
 *
 * @module
 */

import { nextTurn } from "./turn.ts";

/** The longest delay that the timers of every platform keep; past it they fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** A timer of the platform's. */
export type HostTimer = ReturnType<typeof globalThis.setTimeout>;

/** The platform's own timers, and the time that they are checked by. */
export interface Host {
  now(): number;
  setTimeout(callback: () => void, ms: number): HostTimer;
  clearTimeout(timer: HostTimer): void;
}

/** As it was at load: an error must not wait for faked time. */
const { queueMicrotask } = globalThis;

/** Who is woken. It is told for what, so that no function need be made for it. */
export interface Sleeper<T> {
  wake(token: T): void;
}

/** A place in a ring; one that is alone is its own neighbour. */
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

  /** Puts another at the end of the ring that begins after this one. */
  append(link: Link): void {
    const last = this.previous;
    link.previous = last;
    link.next = this;
    last.next = link;
    this.previous = link;
  }

  /** Moves all the others of the ring to another, empty one. */
  moveTo(link: Link): void {
    this.append(link);
    this.unlink();
  }

  /** Takes this one out of its ring; harmless where it is alone. */
  unlink(): void {
    const { previous, next } = this;
    previous.next = next;
    next.previous = previous;
    this.previous = this;
    this.next = this;
  }
}

/** A timer that is set: in the nursery at first, and then in a queue. */
class Timer<T> extends Link {
  readonly ms: number;
  readonly dueAt: number;
  readonly #sleeper: Sleeper<T>;
  readonly #token: T;

  constructor(ms: number, dueAt: number, sleeper: Sleeper<T>, token: T) {
    super();
    this.ms = ms;
    this.dueAt = dueAt;
    this.#sleeper = sleeper;
    this.#token = token;
  }

  /** What it throws surfaces by itself: the others that are due must not suffer. */
  fire(): void {
    this.unlink();
    try {
      this.#sleeper.wake(this.#token);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Harmless when it is too late. */
  cancel(): void {
    const { previous, next } = this;
    this.unlink();
    if (previous === next && previous instanceof Queue) {
      previous.runEmpty(previous);
    }
  }
}

/** The ring of the timers of one duration, in the order in which they are due. */
class Queue extends Link {
  readonly ms: number;
  /** Called when the last one is cancelled. */
  readonly runEmpty: (queue: Queue) => void;
  /** The platform's timer, set for the first, or for one before it. */
  timer: HostTimer | null = null;

  constructor(ms: number, runEmpty: (queue: Queue) => void) {
    super();
    this.ms = ms;
    this.runEmpty = runEmpty;
  }

  get first(): Timer<unknown> {
    return this.next as Timer<unknown>;
  }
}

/** Timers in a nursery and in queues, in front of the platform's own. */
export class SharedTimers {
  readonly #host: Host;
  readonly #nursery = new Link();
  readonly #queues = new Map<number, Queue>();
  /** Queues that have run empty since the last look. */
  readonly #emptied: Queue[] = [];
  #isLooking = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Sets a timer. It wakes in anybody's async context.
   *
   * @param ms How long it is to last, in whole milliseconds.
   * @param dueAt The instant, by the host's time, before which it must not fire.
   * @param sleeper Who is woken.
   * @param token What it is told.
   * @returns The timer, to be cancelled.
   */
  set<T>(ms: number, dueAt: number, sleeper: Sleeper<T>, token: T): { cancel(): void } {
    const timer = new Timer(ms, dueAt, sleeper, token);
    this.#nursery.append(timer);
    this.#lookSoon();
    return timer;
  }

  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    nextTurn(() => this.#look());
  }

  /** Once a turn: fires what is due, queues the rest, and stops what is empty. */
  #look(): void {
    this.#isLooking = false;
    const now = this.#host.now();
    const noted = new Link(); // what is set from now on is for the next look
    this.#nursery.moveTo(noted);
    while (!noted.isAlone) {
      const timer = noted.next as Timer<unknown>;
      if (timer.dueAt <= now) timer.fire();
      else this.#enqueue(timer, now);
    }
    for (const queue of this.#emptied.splice(0)) this.#stop(queue);
  }

  #enqueue(timer: Timer<unknown>, now: number): void {
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

  /** The platform's timers fire up to 1.5 ms early: then this one is set again. */
  #drain(queue: Queue): void {
    queue.timer = null;
    const now = this.#host.now();
    while (!queue.isAlone && queue.first.dueAt <= now) queue.first.fire();
    if (queue.isAlone) this.#queues.delete(queue.ms);
    else this.#arm(queue, this.#host.now());
  }

  readonly #runEmpty = (queue: Queue): void => {
    this.#emptied.push(queue);
    this.#lookSoon();
  };

  #stop(queue: Queue): void {
    if (!queue.isAlone || queue.timer === null) return; // it goes on, or it has ended
    this.#host.clearTimeout(queue.timer);
    queue.timer = null;
    this.#queues.delete(queue.ms);
  }
}
