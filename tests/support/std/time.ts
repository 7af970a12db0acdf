// Replaces @std/testing/time where jsr.io is out of reach, because npm has no package of it:
// a `FakeTime` with the members and the timing of the real one, on the library's timer queue.

import { type QueuedTimer, TimerQueue } from "../../../src/testing/timer_queue.ts";

const real = {
  Date,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  timeout: AbortSignal.timeout,
};
let active: FakeTime | null = null;

/** Time that stands still until the test moves it. It fakes `Date` and the timers. */
export class FakeTime {
  readonly start: number;
  readonly #queue = new TimerQueue();
  readonly #timers = new Map<number, QueuedTimer>();
  #now: number;
  #lastId = 0;

  constructor(start: number | string | Date | null = null) {
    if (active !== null) {
      throw new Error("Cannot construct FakeTime: time is already faked");
    }
    this.start = Math.floor(new real.Date(start ?? real.Date.now()).valueOf());
    this.#now = this.start;
    active = this;
    this.#install();
  }

  get now(): number {
    return this.#now;
  }

  /** Fires the timers that become due, one after the other, without a turn in between. */
  set now(value: number) {
    if (value < this.#now) throw new RangeError("Cannot set current time in the past");
    for (let due = this.#queue.first; due && due.at <= value; due = this.#queue.first) {
      this.#queue.remove(due);
      this.#now = due.at;
      due.wake();
    }
    this.#now = value;
  }

  tick(ms = 0): void {
    this.now += ms;
  }

  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.now += ms;
  }

  /** Moves time to the next timer, and fires all timers that are due then. */
  next(): boolean {
    const { first } = this.#queue;
    if (first !== undefined) this.now = first.at;
    return first !== undefined;
  }

  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  runMicrotasks(): Promise<void> {
    return this.delay(0);
  }

  /** Waits on real time. */
  delay(ms: number): Promise<void> {
    return new Promise((resolve) => real.setTimeout.call(globalThis, resolve, ms));
  }

  restore(): void {
    if (active !== this) throw new Error("Cannot restore time: time is already restored");
    active = null;
    const { timeout, ...globals } = real;
    Object.assign(globalThis, globals);
    AbortSignal.timeout = timeout;
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  #install(): void {
    const now = () => this.#now;
    const fakeSetTimeout = (
      callback: (...args: unknown[]) => void,
      ms = 0,
      ...args: unknown[]
    ) =>
      this.#set(
        ++this.#lastId,
        () => callback(...args),
        Math.max(0, Math.floor(ms)),
        false,
      );
    const fakes = {
      setTimeout: fakeSetTimeout,
      Date: new Proxy(real.Date, {
        construct: (target, args) =>
          Reflect.construct(target, args.length ? args : [now()]),
        get: (target, key, receiver) =>
          key === "now" ? now : Reflect.get(target, key, receiver),
      }),
      setInterval: (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
        this.#set(
          ++this.#lastId,
          () => callback(...args),
          Math.max(1, Math.floor(ms)),
          true,
        ),
      clearTimeout: (id: number) => this.#clear(id),
      clearInterval: (id: number) => this.#clear(id),
    };
    // The real one has another name than the platform's function, too.
    Object.defineProperty(fakeSetTimeout, "name", { value: "fakeSetTimeout" });
    Object.assign(globalThis, fakes);
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      const reason = new DOMException("Signal timed out.", "TimeoutError");
      setTimeout(() => controller.abort(reason), ms);
      return controller.signal;
    };
  }

  #set(id: number, callback: () => void, ms: number, repeats: boolean): number {
    const timer = this.#queue.add(this.#now + ms, () => {
      this.#timers.delete(id);
      if (repeats) this.#set(id, callback, ms, true);
      callback();
    });
    this.#timers.set(id, timer);
    return id;
  }

  #clear(id: number): void {
    const timer = this.#timers.get(id);
    if (active !== this) throw new Error("Cannot clear timeout: time is not faked");
    if (timer === undefined) return;
    this.#timers.delete(id);
    this.#queue.remove(timer);
  }
}
