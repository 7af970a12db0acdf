// The options of a hedge: what is accepted, and each message of what is refused.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { nonRetryable } from "@asyncbackoff/asyncbackoff";
import {
  CircuitOpenError,
  hedge,
  quantile,
  ThrottledError,
} from "@asyncbackoff/asyncbackoff/guards";
import { type HedgeOptions, HedgeRules } from "../../../src/guards/hedge_options.ts";

// deno-lint-ignore no-explicit-any
const untyped = (value: unknown): any => value;

const rules = (options: Partial<HedgeOptions> = {}) =>
  new HedgeRules({ after: 5, ...options });

Deno.test("HedgeRules() has defaults for everything but 'after', and takes null for absent", () => {
  const absent = { maxHedges: null, exceptions: null, budget: null, pushback: null };
  const others = { observe: null, clock: null, name: null, state: null };
  for (const each of [rules(), rules({ ...absent, ...others })]) {
    const { maxHedges, budget, observe, name, state } = each;
    assertEquals([maxHedges, budget, observe, name, state], [1, null, null, null, null]);
    assert(each.isFatal(new Error()));
    assertEquals(each.pushbackOf(new Error()), null);
  }
});

Deno.test("HedgeRules.isFatal() goes by the classes, the predicate, or 'all', as a policy does", () => {
  const timeout = new DOMException("late", "TimeoutError");
  const abort = new DOMException("stop", "AbortError");
  const marked = nonRetryable(new TypeError("no such user"));
  const errors = [new TypeError(), new RangeError(), timeout, abort, marked, undefined]
    .concat([new CircuitOpenError(1), new ThrottledError(1)]);
  const fatalOf = (exceptions: HedgeOptions["exceptions"]) =>
    errors.map((error) => rules({ exceptions }).isFatal(error) ? 1 : 0).join("");
  assertEquals(fatalOf(null), "11011111");
  assertEquals(fatalOf([]), "11011111");
  assertEquals(fatalOf([TypeError]), "01011111");
  assertEquals(fatalOf("all"), "00011011");
  assertEquals(fatalOf(() => true), "00001000");
  assertEquals(fatalOf((error) => error === undefined), "11011011");
});

Deno.test("HedgeRules.isFatal() refuses a predicate that returns a promise", () => {
  const exceptions = untyped(() => Promise.resolve(true));
  assertThrows(
    () => rules({ exceptions }).isFatal(new Error()),
    TypeError,
    "'exceptions' must answer at once, got a promise",
  );
});

Deno.test("HedgeRules.pushbackOf() reads what 'pushback' returns", () => {
  for (const [returned, expected] of [[5, 5], [-1, -1], [null, null], [undefined, null]]) {
    assertEquals(rules({ pushback: () => returned }).pushbackOf(new Error()), expected);
  }
  for (const returned of ["5", Infinity, NaN, {}]) {
    assertThrows(
      () => rules({ pushback: untyped(() => returned) }).pushbackOf(new Error()),
      TypeError,
      "Cannot wait: 'pushback' must be a finite number of milliseconds, or null, got",
    );
  }
});

const wrongOptions: [options: unknown, Class: typeof TypeError, message: string][] = [
  [{}, TypeError, "option 'after' must be a number of milliseconds >= 0, or 'quantile(…)'"],
  [
    { after: -1 },
    RangeError,
    "option 'after' must be a number of milliseconds >= 0, got -1",
  ],
  [{ after: "5" }, TypeError, "option 'after' must be a number"],
  [{ after: {} }, TypeError, "option 'after' must be a number"],
  [
    { after: 5, maxHedges: 0 },
    RangeError,
    "option 'maxHedges' must be an integer >= 1, got 0",
  ],
  [{ after: 5, maxHedges: 1.5 }, RangeError, "option 'maxHedges' must be an integer >= 1"],
  [{ after: 5, exceptions: TypeError }, TypeError, "did you mean '[TypeError]'?"],
  [
    { after: 5, budget: {} },
    TypeError,
    "option 'budget' must be an object with the function",
  ],
  [{ after: 5, pushback: 5 }, TypeError, "option 'pushback' must be a function, got 5"],
  [{ after: 5, observe: 5 }, TypeError, "option 'observe' must be a function, got 5"],
  [{ after: 5, clock: 5 }, TypeError, "option 'clock' must be an object with"],
  [{ after: 5, name: 5 }, TypeError, "option 'name' must be a string, got 5"],
  [
    { after: 5, state: 5 },
    TypeError,
    "option 'state' must be a state that 'toJSON' of a hedge",
  ],
  [
    { after: 5, state: { durations: {} } },
    TypeError,
    "option 'state' must be a state that",
  ],
  [
    {
      after: 5,
      state: { durations: { at: 0, slices: [[0, [[0, null]]], [0, [["", {}]]]] } },
    },
    TypeError,
    "option 'state' must be a state that",
  ],
  [{ after: 5, delay: 5 }, TypeError, "unknown option 'delay', the options are after,"],
  [{ after: 5, max_hedges: 5 }, TypeError, "did you mean 'maxHedges'?"],
];

for (const [index, [options, errorClass, message]] of wrongOptions.entries()) {
  Deno.test(`hedge() says "${message}" when an option is wrong, row ${index}`, () => {
    const make = () => hedge(untyped(options));
    const error = assertThrows(make, errorClass, message);
    assert(error.message.startsWith("Cannot make a hedge: "), error.message);
  });
}

Deno.test("hedge() accepts an 'after' of 0, of Infinity, and a quantile", () => {
  assertEquals(hedge({ after: 0 }).state, { after: 0, durations: null });
  assertEquals(hedge({ after: Infinity }).state, { after: null, durations: null });
  const own = quantile(0.9);
  // Such as that of another copy of the library.
  const other = {
    record: () => {},
    delayAt: () => null,
    restore: () => {},
    toJSON: () => own.toJSON(),
  };
  for (const each of [own, other]) {
    const { after, durations } = hedge({ after: untyped(each) }).state;
    assertEquals([after, durations?.slices], [null, []]);
  }
});

Deno.test("hedge() says how it is called when it is not", () => {
  assertThrows(
    () => untyped(hedge)(async () => {}),
    TypeError,
    "Cannot call 'hedge(options)': it must be called before it wraps a function",
  );
  assertThrows(
    () => untyped(hedge)(50),
    TypeError,
    "the argument must be an object of options",
  );
});
