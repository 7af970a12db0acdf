// Callbacks that do not work: the error says which one it is, and keeps the failure as its
// cause.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import type { BackoffOptions } from "@asyncbackoff/asyncbackoff";
import { decorrelated, exponential, linear } from "@asyncbackoff/asyncbackoff/pauses";
import { playExecution } from "../support/played_execution.ts";

const failures: readonly unknown[] = [new TypeError("fetch failed"), "down", undefined];

/** The callbacks that answer about a failure, with an answer each. */
const callbacks = {
  exceptions: (answer) => ({ exceptions: answer }),
  giveup: (answer) => ({ giveup: answer }),
  pause: (answer) => ({ pause: answer }),
  budget: (answer) => ({ budget: { mayRetry: answer } }),
} satisfies Record<string, (answer: () => never) => BackoffOptions>;

const promises: Record<string, () => unknown> = {
  "a promise": () => Promise.resolve(true),
  "a promise that rejects": () => Promise.reject(new Error("unheard")),
  "a thenable": () => ({ then: () => {} }),
};

for (const [name, makeOptions] of Object.entries(callbacks)) {
  Deno.test(`Backoff.execute() rejects with a TypeError whose cause is the failure's error when '${name}' answers with a promise`, async () => {
    for (const failure of failures) {
      for (const answer of Object.values(promises)) {
        const { error, reason, events, statistic } = await playExecution(
          { exceptions: () => true, ...makeOptions(answer as () => never) },
          () => Promise.reject(failure),
        );

        assertInstanceOf(error, TypeError);
        assertEquals(
          error.message,
          `Cannot decide about a failure: '${name}' must answer at once, got a promise`,
        );
        assert("cause" in error);
        assertStrictEquals(error.cause, failure);
        assertEquals(reason, "callbackError");
        assertEquals([statistic.attempts, statistic.ends.callbackError], [1, 1]);
        // Observers receive the failure itself, before the end.
        const told = events.flatMap((event) =>
          event.type === "failure" ? [event.failure] : []
        );
        assertEquals(told.length, 1);
        assertStrictEquals(told[0]?.error, failure);
      }
    }
  });

  Deno.test(`Backoff.execute() rejects with the very value that '${name}' throws, and emits the failure`, async () => {
    const failure = new Error("down");
    for (
      const thrown of [
        new Error("a bug"),
        Object.freeze(new Error("a bug")),
        "a bug",
        undefined,
      ]
    ) {
      const throwing = () => {
        throw thrown;
      };
      const { error, reason, events } = await playExecution(
        { exceptions: () => true, ...makeOptions(throwing) },
        () => Promise.reject(failure),
      );

      assertStrictEquals(error, thrown);
      assertEquals(reason, "callbackError");
      if (thrown instanceof Error) assertEquals("cause" in thrown, false);
      const told = events.flatMap((event) =>
        event.type === "failure" ? [event.failure] : []
      );
      assertStrictEquals(told[0]?.error, failure);
    }
  });
}

Deno.test("Backoff.execute() rejects with an error whose cause is the failure's error when 'pause' returns no pause", async () => {
  const rows: [answer: unknown, errorClass: typeof Error, got: string][] = [
    [-1, RangeError, "-1"],
    [NaN, RangeError, "NaN"],
    [Infinity, RangeError, "Infinity"],
    ["100", TypeError, '"100"'],
    [null, TypeError, "null"],
    [undefined, TypeError, "undefined"],
    [[100], TypeError, "an array"],
  ];
  for (const failure of failures) {
    for (const [answer, errorClass, got] of rows) {
      const { error, reason } = await playExecution(
        { exceptions: "all", pause: () => answer as number },
        () => Promise.reject(failure),
      );

      assertInstanceOf(error, errorClass);
      assertEquals(
        error.message.replace(/got an array.*/, "got an array"),
        "Cannot pause after a failure: 'pause' must return a finite number of milliseconds " +
          `>= 0, got ${got}`,
      );
      assert("cause" in error);
      assertStrictEquals(error.cause, failure);
      assertEquals(reason, "callbackError");
    }
  }
});

Deno.test("Backoff.execute() gives up when 'pause' throws the failure's own error, whatever it is", async () => {
  for (
    const failure of [...failures, NaN, null, new DOMException("Slow.", "TimeoutError")]
  ) {
    const { error, starts, reason, events, statistic } = await playExecution(
      {
        exceptions: "all",
        pause: ({ attempt, error }) => {
          if (attempt < 2) return 100;
          throw error;
        },
      },
      ({ number }) => Promise.reject(number === 2 ? failure : "another"),
    );

    assertStrictEquals(error, failure);
    assertEquals([starts, reason], [[0, 100], "giveup"]);
    assertEquals([statistic.errors, statistic.ends.giveup], [2, 1]);
    const pauses = events.flatMap((event) =>
      event.type === "failure" ? [event.pauseAfter] : []
    );
    assertEquals(pauses, [100, null]);
  }
});

Deno.test("Backoff.execute() ends by callbackError when 'pause' throws a copy of the failure's error, or its cause", async () => {
  const cause = new Error("the cause");
  const failure = new Error("down", { cause });
  for (const thrown of [new Error("down"), cause, { ...failure }]) {
    const { error, reason } = await playExecution(
      {
        exceptions: "all",
        pause: () => {
          throw thrown;
        },
      },
      () => Promise.reject(failure),
    );

    assertStrictEquals(error, thrown);
    assertEquals(reason, "callbackError");
  }
});

Deno.test("Backoff.execute() rejects with an error that names 'random' when that returns no number from 0 to 1", async () => {
  const pause = exponential({ random: () => 2 });
  const failure = new Error("down");

  const { error, reason } = await playExecution(
    { exceptions: "all", pause },
    () => Promise.reject(failure),
  );

  assertInstanceOf(error, RangeError);
  assertEquals(
    error.message,
    "Cannot draw a pause: 'random' must return a number from 0 to 1, got 2",
  );
  assertStrictEquals(error.cause, failure);
  assertEquals(reason, "callbackError");
});

for (const maker of [exponential, linear, decorrelated]) {
  Deno.test(`Backoff.execute() rejects with a TypeError whose cause is the failure's error when '${maker.name}' is not called`, async () => {
    const failure = new Error("down");
    const pause = maker as unknown as () => number;

    const { error, reason } = await playExecution(
      { exceptions: "all", pause },
      () => Promise.reject(failure),
    );

    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, maker.name);
    assertStrictEquals(error.cause, failure);
    assertEquals(reason, "callbackError");
  });
}
