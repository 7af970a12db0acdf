/**
 * The timers of `systemClock`. They make limits nearly free, because most calls are over within
 * a turn or two of the event loop, and most limits are never reached.
 *
 * 1. A nursery. A new timer only goes into a list, which is swept once per turn of the event
 *    loop. A timer that is cancelled before the sweep never reaches the platform.
 * 2. One host timer for all. A timer that survives the sweep joins the ring of its duration,
 *    where the first one set is the first one due. A heap holds the rings.
 * 3. Timers fire by instant, and at one instant by the order in which they were set, as on
 *    `TestClock`. Each fires in a turn of its own, so every promise that can settle has settled
 *    in between. The platform lets promises settle between `setImmediate`s that are asked for at
 *    once, so more and more turns are asked for while timers are due: 1, 2, 4 … 64.
 * 4. A limit that is noticed late waits for one turn of the event loop with I/O, because the
 *    outcome that it would discard may be on its way. Then everything due fires in order.
 *
 * Nursery and rings are linked lists, because a timer must leave in constant time from anywhere
 * in the middle. A `Set` keeps the same order and passes the same tests, but takes 39 % longer
 * for a call with both limits. An array has to be searched, or keeps holes.
 *
 * No exception leaves this half-changed, wherever it is thrown: the host is called before the
 * call is noted (a second sweep is harmless), timers move one by one, and whatever is left
 * undone schedules a sweep.
 *
 * @module
 */

import { Heap } from "./heap.ts";
import { nextTurn, throwLater, turnsAtOnce } from "./platform.ts";
import { Deferred, ignore, react, soon } from "./promises.ts";
import type { Timer, WakeListener } from "./timer_listener.ts";
import { Link, SharedTimer, TimerRing } from "./timer_ring.ts";

/** The longest delay that every platform's timers support. Longer ones fire at once. */
export const LONGEST_TIMER = 2_147_483_647;

/** The lateness in milliseconds from which a limit waits for one turn of the event loop. */
const LATE = 5;

/** After so many milliseconds, others have cleared the timer of a limit that waits. */
const MAX_WAIT = 1000;

/** A timer of the platform. */
export type HostTimer = ReturnType<typeof globalThis.setTimeout>;

/** The platform's own timers, and the time to check them by. */
export interface Host {
  now(): number;
  setTimeout(callback: () => void, ms: number): HostTimer;
  clearTimeout(timer: HostTimer): void;
}

/** Timers in a nursery and in rings, in front of the host's own. */
export class SharedTimers {
  readonly #host: Host;
  readonly #maxBatch: number;
  readonly #nursery = new Link();
  readonly #rings = new Map<number, TimerRing>();
  readonly #heap = new Heap<TimerRing>(TimerRing.isBefore);
  /** Rings that have become empty since the last reading of the time. */
  readonly #emptied: TimerRing[] = [];
  /** The time as it was read last. All that is due by then fires before it is read again. */
  #now = -Infinity;
  #isSweepScheduled = false;
  /** Whether a late limit waits for the event loop, and whether it has waited. */
  #isWaiting = false;
  #hasWaited = false;
  /** Whether promises may still be settling: on some platforms, a turn may come too early. */
  #isSettling = false;
  /** Turns that are asked for, in each of which one timer fires. */
  #turns = 0;
  /** The number of turns to ask for next. */
  #batch = 1;
  #hostTimer: HostTimer | null = null;
  #hostTimerAt = Infinity;
  /** Resolving it arms the host timer, outside of any call's async context. */
  #arming: Deferred;

  /**
   * Makes timers in front of a host.
   *
   * @param host The host.
   * @param turns The number of turns to ask for at once, at most.
   */
  constructor(host: Host, turns: number = turnsAtOnce) {
    this.#host = host;
    this.#maxBatch = turns;
    this.#arming = this.#standBy();
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

  /** The sweep is noted after the call: if the host throws, the next timer schedules it. */
  #scheduleSweep(): void {
    if (this.#isSweepScheduled) return;
    try {
      nextTurn(this.#sweep);
    } catch {
      this.#host.setTimeout(this.#sweep, 0);
    }
    this.#isSweepScheduled = true;
  }

  readonly #sweep = (): void => {
    this.#isSweepScheduled = false;
    this.#turn();
  };

  readonly #hostTimerFired = (): void => {
    this.#hostTimer = null;
    this.#turn();
  };

  readonly #oneOfBatch = (): void => {
    this.#turns = Math.max(0, this.#turns - 1); // a host that threw may call back
    if (this.#turns === 0) this.#turn();
    else if (!this.#isWaiting) this.#fire();
  };

  readonly #waited = (): void => {
    this.#isWaiting = false;
    this.#hasWaited = true;
    this.#scheduleSweep();
  };

  /** Called in a turn of the event loop: fires one timer, and schedules the others. */
  #turn(): void {
    if (this.#isWaiting) {
      if (this.#host.now() - this.#now < MAX_WAIT) return;
      this.#isWaiting = false;
      this.#hasWaited = true;
    }
    if (this.#isSettling) return this.#scheduleSweep();
    let isDone = false;
    try {
      if (this.#firstDue() === null) this.#readTime();
      this.#fire();
      if (this.#turns === 0 && !this.#isWaiting) {
        if (this.#firstDue() !== null) this.#askForTurns();
        else this.#rest();
      }
      isDone = true;
    } finally {
      if (!isDone) this.#scheduleSweep();
    }
  }

  /** Called when nothing is due any more. */
  #rest(): void {
    this.#batch = 1;
    if (!this.#isArmed()) this.#arming.resolve(undefined);
    // A timer that was set while others fired may have found its sweep taken by them.
    if (!this.#nursery.isAlone || this.#emptied.length > 0) this.#scheduleSweep();
  }

  #fire(): void {
    const timer = this.#firstDue()?.first;
    if (timer === undefined) return;
    const isLate = this.#now - timer.dueAt >= LATE;
    if (isLate && !this.#hasWaited && timer.isLimit) {
      // A timeout, because an immediate need not let I/O come first.
      this.#host.setTimeout(this.#waited, 0);
      this.#isWaiting = true;
      return;
    }
    timer.fire();
    if (this.#maxBatch > 1) return;
    soon(() => this.#isSettling = false);
    this.#isSettling = true;
  }

  /** Asks for more and more turns at once. */
  #askForTurns(): void {
    const count = this.#batch;
    this.#batch = Math.min(count * 2, this.#maxBatch);
    while (this.#turns < count) {
      nextTurn(this.#oneOfBatch);
      this.#turns++;
    }
  }

  /** The ring whose first timer is due before all others, if one is due. */
  #firstDue(): TimerRing | null {
    while (true) {
      const ring = this.#heap.first;
      if (ring === undefined || ring.at > this.#now) return null;
      if (ring.isAlone) this.#remove(ring);
      else if (ring.first.dueAt === ring.at) return ring;
      else this.#place(ring, ring.first.dueAt); // the timer that placed it is cancelled
    }
  }

  /** Reads the time, and puts the timers of the nursery into their rings. */
  #readTime(): void {
    this.#now = this.#host.now();
    this.#hasWaited = false;
    while (!this.#nursery.isAlone) {
      this.#enqueue(this.#nursery.next as SharedTimer<unknown>);
    }
    for (let ring; (ring = this.#emptied.pop()) !== undefined;) {
      if (ring.isAlone && ring.index >= 0) this.#remove(ring);
    }
  }

  #enqueue(timer: SharedTimer<unknown>): void {
    const { ms, dueAt } = timer;
    let ring = this.#rings.get(ms);
    if (ring === undefined) {
      ring = new TimerRing(ms, this.#onEmpty);
      this.#rings.set(ms, ring);
    }
    timer.unlink();
    ring.insert(timer);
    if (ring.index < 0 || dueAt < ring.at) this.#place(ring, dueAt);
  }

  #place(ring: TimerRing, at: number): void {
    ring.at = at;
    this.#heap.place(ring);
  }

  #remove(ring: TimerRing): void {
    this.#heap.remove(ring);
    this.#rings.delete(ring.ms);
  }

  readonly #onEmpty = (ring: TimerRing): void => {
    this.#emptied.push(ring);
    this.#scheduleSweep();
  };

  /**
   * A promise reaction that is registered now, and again by itself, arms the host timer. The
   * platform would otherwise keep the async context of the call that armed it.
   */
  #standBy(): Deferred {
    const arming = new Deferred();
    react(arming.promise, () => {
      this.#arming = this.#standBy();
      try {
        this.#arm();
      } catch (error) {
        throwLater(error);
      }
    }, ignore);
    return arming;
  }

  /** A host timer that should have fired by now may have been cleared by others. */
  #isArmed(): boolean {
    const { first } = this.#heap;
    if (first === undefined) return this.#hostTimer === null;
    if (this.#hostTimer === null) return false;
    return this.#hostTimerAt <= first.at && this.#now < this.#hostTimerAt + LATE;
  }

  /** Host timers fire up to 1.5 ms early. Then the timer is set again. */
  #arm(): void {
    let isDone = false;
    try {
      const at = this.#heap.first?.at ?? Infinity;
      const timer = this.#hostTimer;
      if (timer !== null) {
        this.#hostTimer = null;
        this.#host.clearTimeout(timer);
      }
      if (at < Infinity) this.#setHostTimer(at);
      isDone = true;
    } finally {
      if (!isDone) this.#scheduleSweep();
    }
  }

  #setHostTimer(at: number): void {
    const now = this.#host.now();
    if (at <= now) return this.#scheduleSweep();
    const ms = Math.min(Math.ceil(at - now), LONGEST_TIMER);
    this.#hostTimer = this.#host.setTimeout(this.#hostTimerFired, ms);
    this.#hostTimerAt = Math.min(at, now + ms);
  }
}
