// Globals that a test replaces, and fakes of the platform's time to replace them with.

import type { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Replaces globals, and returns a function that restores the former ones. */
export function replaceGlobals(values: Record<string, unknown>): () => void {
  const saved = Object.keys(values).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  );
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, old] of saved) {
      if (old !== undefined) Object.defineProperty(globalThis, name, old);
      else Reflect.deleteProperty(globalThis, name); // a worker inherits it
    }
  };
}

/** Returns the result of a function that is called while globals are replaced. */
export function withGlobals<T>(values: Record<string, unknown>, fn: () => T): T {
  const restore = replaceGlobals(values);
  try {
    return fn();
  } finally {
    restore();
  }
}

/** Timers on a test clock, in the form in which a framework installs its fakes. */
export function fakeTimers(time: TestClock) {
  const cancels: (() => void)[] = [];
  return {
    setTimeout: function fakeSetTimeout(wake: () => void, ms = 0) {
      return cancels.push(time.after(ms, wake));
    },
    clearTimeout: function fakeClearTimeout(id: number) {
      cancels[id - 1]?.();
    },
  };
}

/** A class of dates whose present instant is that of a function. */
export function fakeDate(now: () => number) {
  return class FakeDate extends globalThis.Date {
    static override now(): number {
      return now();
    }
  };
}

/** A stand-in for the platform's own timers and time. It has their names, so it does not count as a fake. */
export function fakePlatform() {
  const armed: { wake: () => void; ms: number }[] = [];
  const cleared: unknown[] = [];
  const globals = {
    setTimeout(wake: () => void, ms: number) {
      return armed.push({ wake, ms });
    },
    clearTimeout(id: unknown) {
      cleared.push(id);
    },
    performance: { now: () => self.at },
  };
  const self = { at: 1000, armed, cleared, globals };
  return self;
}
