// Signals: how they are recognised, and the one platform listener that all listeners share.

import { assertEquals } from "@std/assert";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { listenToUncaught } from "../../support/uncaught.ts";
import { isSignal, onAbort } from "../../../src/time/signal.ts";

const listen = () => {};

const signals: [what: string, value: () => unknown, expected: boolean][] = [
  ["the signal of a controller", () => new AbortController().signal, true],
  ["an aborted signal", () => AbortSignal.abort(), true],
  ["an object of the same shape", () => ({
    aborted: false,
    addEventListener: listen,
    removeEventListener: listen,
  }), true],
  ["a controller", () => new AbortController(), false],
  ["an event target", () => new EventTarget(), false],
  ["an object without addEventListener", () => ({
    aborted: false,
    removeEventListener: listen,
  }), false],
  ["an object without removeEventListener", () => ({
    aborted: false,
    addEventListener: listen,
  }), false],
  ["null", () => null, false],
  ["a string", () => "signal", false],
  ["a value that throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }, false],
];

for (const [what, make, expected] of signals) {
  Deno.test(`isSignal() ${expected ? "accepts" : "refuses"} ${what}`, () => {
    assertEquals(isSignal(make()), expected);
  });
}

/** A signal whose platform listeners are counted. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1]);
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners.delete(args[1]);
    removeEventListener.apply(signal, args);
  };
  return { controller, signal, listeners };
}

Deno.test("onAbort() adds one platform listener for all listeners, and calls each once", () => {
  const { controller, signal, listeners } = counted();
  const log: string[] = [];
  for (const name of ["one", "two", "three"]) onAbort(signal, () => void log.push(name));
  assertEquals(listeners.size, 1);
  controller.abort();
  controller.abort();
  assertEquals(log, ["one", "two", "three"]);
});

Deno.test("onAbort() removes the platform listener with the last listener, and may add it again", () => {
  const { controller, signal, listeners } = counted();
  const log: string[] = [];
  const stopOne = onAbort(signal, () => void log.push("one"));
  const stopTwo = onAbort(signal, () => void log.push("two"));
  stopOne();
  stopOne(); // harmless
  assertEquals(listeners.size, 1);
  stopTwo();
  assertEquals(listeners.size, 0);
  onAbort(signal, () => void log.push("three"));
  stopTwo(); // too late, and harmless to the new listener
  assertEquals(listeners.size, 1);
  controller.abort();
  assertEquals(log, ["three"]);
});

Deno.test("onAbort() calls a listener that another one stops while the signal is aborted", () => {
  const { controller, signal } = counted();
  const log: string[] = [];
  onAbort(signal, () => stop());
  const stop = onAbort(signal, () => void log.push("told"));
  controller.abort();
  assertEquals(log, ["told"]); // both were listening when the signal was aborted
});

Deno.test("onAbort() keeps the listeners of two signals apart", () => {
  const [one, other] = [counted(), counted()];
  const log: string[] = [];
  onAbort(one.signal, () => void log.push("one"));
  onAbort(other.signal, () => void log.push("other"));
  one.controller.abort();
  assertEquals([log, other.listeners.size], [["one"], 1]);
});

Deno.test("onAbort() calls the other listeners when one throws, whose error is uncaught", async () => {
  const uncaught: unknown[] = [];
  const log: string[] = [];
  const stop = listenToUncaught((error) => uncaught.push(error));
  const controller = new AbortController();
  try {
    onAbort(controller.signal, () => {
      throw "down";
    });
    onAbort(controller.signal, () => () => void log.push("after all"));
    onAbort(controller.signal, () => void log.push("aborted"));
    controller.abort();
    await new TestClock().advance(0);
  } finally {
    stop();
  }
  assertEquals([log, uncaught], [["aborted", "after all"], ["down"]]);
});

Deno.test("onAbort() ignores an event without an abort, and still calls its listeners at the abort", () => {
  const controller = new AbortController();
  const log: string[] = [];
  onAbort(controller.signal, () => void log.push("aborted"));
  controller.signal.dispatchEvent(new Event("abort"));
  assertEquals(log, []);
  controller.abort();
  assertEquals(log, ["aborted"]);
});
