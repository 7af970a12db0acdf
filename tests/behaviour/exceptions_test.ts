// The errors that are retried: those of a predicate and of classes. A policy must name them.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  Backoff,
  type BackoffOptions,
  type Budget,
  currentAttemptOrNull,
  type ErrorClass,
  retry,
} from "@asyncbackoff/asyncbackoff";
import { playExecution } from "../support/played_execution.ts";

/** An error of a server, by its status. */
class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

const isBusy = (error: unknown) => error instanceof StatusError && error.status === 503;

/** Plays a function that throws these errors, one in each attempt, and then returns. */
function playErrors(options: BackoffOptions, errors: readonly unknown[]) {
  return playExecution(options, ({ number }) => {
    if (number > errors.length) return "value";
    throw errors[number - 1];
  });
}

Deno.test("Backoff.execute() retries exactly the errors for which the predicate 'exceptions' returns true", async () => {
  const errors = [new StatusError(503), new StatusError(503), new StatusError(404)];
  const asked: unknown[] = [];
  const exceptions = (error: unknown) => {
    asked.push(error);
    return isBusy(error);
  };

  const { error, starts, reason, statistic } = await playErrors(
    { exceptions, pause: 10 },
    errors,
  );

  assertStrictEquals(error, errors[2]);
  assertEquals([starts, reason], [[0, 10, 20], "nonRetryable"]);
  assertEquals([statistic.errors, statistic.ends.nonRetryable], [2, 1]);
  assertEquals(asked.length, 3);
  for (const [index, each] of asked.entries()) assertStrictEquals(each, errors[index]);
});

Deno.test("Backoff.execute() asks the predicate 'exceptions' about anything that is thrown", async () => {
  const thrown = [undefined, null, "text", 0, Symbol("s"), Object.create(null)];
  const asked: unknown[] = [];
  const exceptions = (error: unknown) => asked.push(error) > 0;

  const { value } = await playErrors({ exceptions }, thrown);

  assertEquals(value, "value");
  assertEquals(asked.length, thrown.length);
  for (const [index, each] of asked.entries()) assertStrictEquals(each, thrown[index]);
});

Deno.test("Backoff.execute() retries timeouts whatever the predicate 'exceptions' says", async () => {
  let asked = 0;
  const exceptions = () => ++asked < 0;

  const { value, starts } = await playExecution(
    { exceptions, attemptTimeout: 100, pause: 10 },
    ({ number }) => {
      if (number === 1) return new Promise(() => {});
      if (number === 2) throw new DOMException("Signal timed out.", "TimeoutError");
      if (number === 3) throw { name: "TimeoutError" };
      return "value";
    },
  );

  assertEquals([value, starts, asked], ["value", [0, 110, 120, 130], 0]);
});

Deno.test("Backoff.execute() retries an AbortError when the predicate 'exceptions' returns true", async () => {
  const error = new DOMException("Aborted.", "AbortError");
  for (
    const [exceptions, reason] of [[() => true, "maxTries"], [
      "all",
      "nonRetryable",
    ]] as const
  ) {
    const played = await playErrors({ exceptions, maxTries: 2 }, [error, error]);

    assertStrictEquals(played.error, error);
    assertEquals(played.reason, reason);
  }
});

Deno.test("Backoff.execute() treats a truthy answer of the predicate 'exceptions' as true, and no answer as false", async () => {
  for (
    const [answer, calls] of [[1, 2], ["yes", 2], [{}, 2], [undefined, 1], [null, 1], [
      0,
      1,
    ]]
  ) {
    const exceptions = () => answer as unknown as boolean;

    const { starts } = await playErrors({ exceptions, maxTries: 2 }, [1, 2]);

    assertEquals(starts.length, calls, String(answer));
  }
});

Deno.test("Backoff.execute() rejects with the error that the predicate 'exceptions' throws", async () => {
  const bug = new Error("a bug of the predicate");
  const exceptions = () => {
    throw bug;
  };

  const { error, starts, reason, events } = await playErrors({ exceptions }, [new Error()]);

  assertStrictEquals(error, bug);
  assertEquals([starts.length, reason], [1, "callbackError"]);
  assertEquals(events.map(({ type }) => type), ["attempt", "failure", "done"]);
});

Deno.test("Backoff.execute() rejects with a TypeError caused by the failure when the predicate 'exceptions' returns a promise", async () => {
  const failure = new Error("down");
  for (const answer of [() => Promise.resolve(true), () => Promise.reject("unheard")]) {
    const exceptions = answer as unknown as () => boolean;

    const { error, reason } = await playErrors({ exceptions }, [failure]);

    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "'exceptions' must answer at once");
    assertStrictEquals(error.cause, failure);
    assertEquals(reason, "callbackError");
  }
});

Deno.test("Backoff.execute() has no current attempt inside the predicate 'exceptions'", async () => {
  const seen: unknown[] = [];
  const exceptions = () => seen.push(currentAttemptOrNull()) > 0;

  await playErrors({ exceptions }, [new Error("down")]);

  assertEquals(seen, [null]);
});

Deno.test("Backoff.execute() asks the predicate 'exceptions' before maxTries, giveup, the pause and the budget", async () => {
  const asked: string[] = [];
  const ask = (name: string, answer: boolean) => () => asked.push(name) > 0 === answer;
  const budget: Budget = { mayRetry: ask("budget", true) };
  const rules = { giveup: ask("giveup", false), pause: () => asked.push("pause"), budget };

  await playErrors({ ...rules, exceptions: ask("exceptions", true) }, [new Error()]);
  assertEquals(asked.splice(0), ["exceptions", "giveup", "pause", "budget"]);

  await playErrors({ ...rules, exceptions: ask("exceptions", true), maxTries: 1 }, [0]);
  await playErrors({ ...rules, exceptions: ask("exceptions", false) }, [new Error()]);
  assertEquals(asked, ["exceptions", "exceptions"]);
});

Deno.test("Every notation takes a predicate as 'exceptions'", async () => {
  const options = { exceptions: isBusy, maxTries: 3 };
  const { maxTries: _, ...rules } = options;
  const down = () => Promise.reject(new StatusError(503));
  const policies = [
    new Backoff(options).wrap,
    asyncbackoff(options),
    asyncbackoff(null, null, 0, options),
    asyncretry(3, rules),
  ];
  for (const decorate of policies) {
    await decorate(down)().catch(() => {});
    assertEquals(decorate.statistic.attempts, 3);
    await decorate(() => Promise.reject(new StatusError(404)))().catch(() => {});
    assertEquals(decorate.statistic.attempts, 4);
  }
  let calls = 0;
  const error = await retry(() => {
    throw new StatusError(calls++ < 1 ? 503 : 404);
  }, options).catch((error) => error);
  assertEquals([error.status, calls], [404, 2]);
});

Deno.test("asyncbackoff() takes no predicate in the place of a class", () => {
  const predicate = (() => true) as unknown as ErrorClass;

  const make = () => asyncbackoff(1000, 5000, 100, predicate);

  assertStringIncludes(assertThrows(make, TypeError).message, "'exceptions'");
});

const rules: Readonly<Record<string, BackoffOptions>> = {
  maxTries: { maxTries: 2 },
  "a pause": { pause: 10 },
  "a list of pauses": { pause: [0] },
  "a function of pauses": { pause: () => 0 },
  giveup: { giveup: () => false },
  "a budget": { budget: { mayRetry: () => true } },
  minRemaining: { minRemaining: 0 },
};

for (const [name, rule] of Object.entries(rules)) {
  Deno.test(`Backoff() refuses ${name} without the errors to retry`, () => {
    for (const absent of [undefined, null]) {
      const options = { ...rule, exceptions: absent, until: absent };
      for (const make of [() => new Backoff(options), () => new Backoff().with(options)]) {
        const { message } = assertThrows(make, TypeError);
        assertEquals(
          message,
          "Cannot make a policy: it must say what it retries; list the errors in " +
            "'exceptions', or \"all\"; [] retries timeouts only",
        );
      }
    }
    for (const exceptions of [[], "all", [Error], () => true] as const) {
      new Backoff({ ...rule, exceptions });
    }
    new Backoff({ ...rule, until: () => true });
    asyncbackoff(rule); // the original's default: timeouts only
    const { maxTries: _, ...others } = rule;
    asyncretry(2, others);
  });
}

Deno.test("Backoff() needs no errors to retry when it has no rules for retries", () => {
  const { signal } = new AbortController();
  for (
    const options of [
      undefined,
      null,
      {},
      { maxTries: 1 },
      { maxTries: Infinity },
      { pause: 0 },
      { maxTries: null, pause: null, giveup: null, budget: null, minRemaining: null },
      { attemptTimeout: 1000, deadline: 5000, grace: 10 },
      { signal, observe: () => {}, name: "load", retryExhausted: false },
    ]
  ) {
    assertEquals(new Backoff(options).statistic.attempts, 0);
  }
});

Deno.test("Backoff.execute() retries timeouts alone when 'exceptions' is []", async () => {
  const timeout = new DOMException("Signal timed out.", "TimeoutError");
  const failure = new Error("down");

  const { error, starts } = await playErrors({ exceptions: [], maxTries: 9 }, [
    timeout,
    failure,
  ]);

  assertStrictEquals(error, failure);
  assertEquals(starts.length, 2);
});

Deno.test("Backoff.execute() asks a class of the caller's by instanceof", async () => {
  class Down extends Error {}
  class Text {
    static [Symbol.hasInstance](value: unknown): boolean {
      return typeof value === "string";
    }
  }
  // It has the name and the text of a built-in class, but it is another one.
  const Impostor = { TypeError: class extends Error {} }.TypeError;
  const rows: [exceptions: ErrorClass, error: unknown, isRetried: boolean][] = [
    [Down, new Down(), true],
    [Down, new Error(), false],
    [Down, Object.create(Down.prototype), true],
    [Text, "down", true],
    [Text, new Error("down"), false],
    [Impostor, new Impostor(), true],
    [Impostor, new TypeError(), false],
    [TypeError, new Impostor(), false],
    [TypeError, new (class extends TypeError {})(), true],
    [TypeError, new RangeError(), false],
    [DOMException, new DOMException("Busy.", "NetworkError"), true],
    [DOMException, new Error("Busy."), false],
    [Error, new DOMException("Busy.", "NetworkError"), true],
  ];
  for (const [each, error, isRetried] of rows) {
    const { reason } = await playErrors({ exceptions: [each], maxTries: 2 }, [
      error,
      error,
    ]);

    assertEquals(reason, isRetried ? "maxTries" : "nonRetryable", `${each.name}: ${error}`);
  }
});

Deno.test("Backoff.execute() does not recognise an error of a built-in class by its name, its tag or its shape", async () => {
  const shape = { name: "TypeError", message: "fetch failed", stack: "TypeError: …" };
  const tagged = { ...shape, [Symbol.toStringTag]: "Error" };
  function TypeErrorLike() {}
  Object.defineProperty(TypeErrorLike, "name", { value: "TypeError" });
  const likes = [
    shape,
    tagged,
    Object.assign(new Error("fetch failed"), { name: "TypeError" }),
    Object.assign(new Error("fetch failed"), { constructor: TypeError }),
    Object.assign(tagged, { constructor: TypeError }),
    Object.assign(Object.create(TypeErrorLike.prototype), tagged),
    { [Symbol.toStringTag]: "DOMException", name: "NetworkError", message: "" },
    "TypeError: fetch failed",
    TypeError,
  ];
  assertEquals(Object.prototype.toString.call(tagged), "[object Error]");
  for (const error of likes) {
    assert(!(error instanceof TypeError));
    const exceptions = [TypeError, DOMException];
    const { reason } = await playErrors({ exceptions, maxTries: 2 }, [error]);

    assertEquals(reason, "nonRetryable", String(error));
  }
});
