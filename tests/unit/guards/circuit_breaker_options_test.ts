// The options of a circuit breaker: what is accepted, and each message of what is refused.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { checkState, policyOf } from "../../../src/guards/circuit_breaker_options.ts";
import { closedCircuit } from "../../../src/guards/circuit_breaker_engine.ts";

// deno-lint-ignore no-explicit-any
const untyped = (value: unknown): any => value;

Deno.test("policyOf() has defaults for everything but when to open", () => {
  const { openFor, ...rest } = policyOf({ failureRatio: 0.5 });
  assertEquals(rest, {
    failureRatio: 0.5,
    window: 10_000,
    minCalls: 20,
    consecutiveFailures: Infinity,
    trials: 1,
  });
  assertEquals(openFor(1, 0), 5000);
  assertEquals(policyOf({ consecutiveFailures: 3 }).failureRatio, Infinity);
});

Deno.test("policyOf() takes null and undefined for absent", () => {
  const absent = { window: null, minCalls: null, openFor: null, trials: undefined };
  const { openFor, ...rest } = policyOf({
    ...absent,
    consecutiveFailures: 1,
    failureRatio: null,
  });
  const { openFor: usual, ...expected } = policyOf({ consecutiveFailures: 1 });
  assertEquals([rest, openFor(1, 0)], [expected, usual(1, 0)]);
});

Deno.test("policyOf() passes to 'openFor' how often it has opened, and for how long before", () => {
  const { openFor } = policyOf({
    consecutiveFailures: 1,
    openFor: ({ attempt, pauseBefore }) => 1000 * attempt + pauseBefore,
  });
  assertEquals(openFor(3, 50), 3050);
});

Deno.test("policyOf() refuses what 'openFor' returns when that is not a duration", () => {
  const rule =
    "Cannot open a circuit: 'openFor' must return a finite number of milliseconds >= 0";
  const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [-1, RangeError, "-1"],
    [NaN, RangeError, "NaN"],
    [Infinity, RangeError, "Infinity"],
    ["5 s", TypeError, '"5 s"'],
    [Promise.resolve(1), TypeError, "an object (Promise)"],
  ];
  for (const [value, errorClass, got] of wrong) {
    const { openFor } = policyOf({ consecutiveFailures: 1, openFor: untyped(() => value) });
    assertThrows(() => openFor(1, 0), errorClass, `${rule}, got ${got}`);
  }
  assertEquals(policyOf({ consecutiveFailures: 1, openFor: () => 0 }).openFor(1, 0), 0);
});

const positive = "must be a finite number of milliseconds > 0";
const known = "failureRatio, window, minCalls, consecutiveFailures, openFor, trials, " +
  "isFailure, observe, clock, name, state";

const wrongOptions: [
  options: unknown,
  errorClass: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  [{}, TypeError, "it must say when it opens; give 'failureRatio', 'consecutiveFailures'"],
  [{ window: 5 }, TypeError, "it must say when it opens"],
  [null, TypeError, "the options must be an object, got null"],
  ...[0, -0.1, 1.1, 50, NaN].map((ratio): [unknown, typeof RangeError, string] => [
    { failureRatio: ratio },
    RangeError,
    `option 'failureRatio' must be a number above 0, and at most 1 (50 % is 0.5), got ${ratio}`,
  ]),
  [{ failureRatio: "50%" }, TypeError, 'and at most 1 (50 % is 0.5), got "50%"'],
  [{ window: 0 }, RangeError, `option 'window' ${positive}, got 0`],
  [{ window: Infinity }, RangeError, `option 'window' ${positive}, got Infinity`],
  [{ window: "1s" }, TypeError, `option 'window' ${positive}, got "1s"`],
  [{ minCalls: 0 }, RangeError, "option 'minCalls' must be an integer >= 1, got 0"],
  [{ minCalls: 1.5 }, RangeError, "option 'minCalls' must be an integer >= 1, got 1.5"],
  [
    { consecutiveFailures: 0 },
    RangeError,
    "option 'consecutiveFailures' must be an integer >= 1, got 0",
  ],
  [{ trials: 0 }, RangeError, "option 'trials' must be an integer >= 1, got 0"],
  [{ openFor: 0 }, RangeError, `option 'openFor' ${positive}, or a function that`],
  [{ openFor: Infinity }, RangeError, "or a function that returns one, got Infinity"],
  [{ openFor: "5s" }, TypeError, 'or a function that returns one, got "5s"'],
  [{ threshhold: 5 }, TypeError, `unknown option 'threshhold', the options are ${known}`],
  [{ min_calls: 5 }, TypeError, "unknown option 'min_calls', did you mean 'minCalls'?"],
  [
    { halfOpenAfter: 5 },
    TypeError,
    "unknown option 'halfOpenAfter', did you mean 'openFor'?",
  ],
  [{ resetTimeout: 5 }, TypeError, "did you mean 'openFor'?"],
  [{ threshold: 0.5 }, TypeError, "did you mean 'failureRatio'?"],
  [{ errorFilter: 5 }, TypeError, "did you mean 'isFailure'?"],
];

for (const [options, errorClass, message] of wrongOptions) {
  Deno.test(`policyOf() says "${message}" when an option is wrong`, () => {
    const isOfOpening = /opens|object/.test(message);
    const full = isOfOpening ? options : { consecutiveFailures: 1, ...untyped(options) };
    assertThrows(() => policyOf(untyped(full)), errorClass, message);
  });
}

Deno.test("checkState() accepts a state of every phase, and null", () => {
  const common = { at: 1, ticket: 1 };
  const opened = { ...common, openings: 1, openFor: 5 };
  const trials = [{ ticket: 1, beganAt: 0 }];
  const states = [
    closedCircuit(1),
    { ...opened, phase: "open", openUntil: 6 },
    { ...opened, phase: "half-open", succeeded: 0, trials },
    { ...common, phase: "isolated" },
  ];
  for (const state of states) assertStrictEquals(checkState("s", untyped(state)), state);
  assertStrictEquals(checkState("s", null), null);
});

Deno.test("checkState() refuses anything else", () => {
  const message =
    "Cannot s must be a state that 'toJSON' of a circuit breaker returned, got";
  for (const value of ["closed", 5, true]) {
    assertThrows(() => checkState("s", untyped(value)), TypeError, message);
  }
  const closed = closedCircuit(1);
  const halfOpen = { phase: "half-open", at: 1, ticket: 1, openings: 1, openFor: 5 };
  const wrong = [
    {},
    { phase: "ajar" },
    { ...closed, at: null },
    { ...closed, window: null },
    { ...closed, failuresInRow: undefined },
    { phase: "open", at: 1, ticket: 1, openings: 1, openFor: 5 },
    { ...halfOpen, succeeded: 0 },
    { ...halfOpen, succeeded: 0, trials: [{}] },
    [],
  ];
  for (const value of wrong) {
    assertThrows(() => checkState("s", untyped(value)), RangeError, message);
  }
});
